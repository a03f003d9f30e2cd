"""Equations beside those of a pass through dense layers: an optimizer's arrays, differences, dropout, batch norm.

`mlpcore.exercises` asks for them. Their values are read by the names that the exercises use; ``right_<name>`` is what
the engine gave.
"""

from __future__ import annotations

import numpy as np

from mlpcore import kernels
from mlpcore.diagnosis import stepping
from mlpcore.diagnosis.equations import Equation, Formula
from mlpcore.diagnosis.values import Array, Values


def _state(name: str) -> Formula:
    """Return what takes the engine's step and returns one of the optimizer's arrays."""
    return lambda v: stepping.step(v)[1][name]


def _numeric(v: Values) -> Array:
    """Return the engine's gradient where h is small, and elsewhere the quotient of the engine's losses."""
    if v.h < 1e-3:
        phi = kernels.output_phi("bce", "sigmoid", kernels.dense_forward(v.x, v.w, v.b), v.y)
        return kernels.dense_backward(phi, v.x, v.w)[1]
    return np.asarray(quotients(v, 1.0, -1.0) / (2 * v.h))


def quotients(v: Values, up: float, down: float) -> Array:
    """Return, for each element of w, f with it moved by up h, less f with it moved by down h."""
    steps = np.eye(v.w.size).reshape(-1, *v.w.shape) * v.h
    return np.array([v.f(v.w + up * step) - v.f(v.w + down * step) for step in steps]).reshape(v.w.shape)


def _grad_x(v: Values) -> Array:
    """Return the engine's gradient, or the one that follows from a student's own sums."""
    if np.array_equal(v.grad_beta, v.right_grad_beta) and np.array_equal(v.grad_gamma, v.right_grad_gamma):
        return np.array(v.right_grad_x)
    moved = (v.grad_beta + v.x_hat * v.grad_gamma) / len(v.grad_y)
    return np.array(v.gamma / np.sqrt(v.variance + v.epsilon) * (v.grad_y - moved))


OTHERS: dict[str, Equation] = {
    equation.name: equation
    for equation in (
        Equation(
            "velocity_new", "velocity", "momentum", "velocity = momentum velocity + grad_w", "(out, in)",
            _state("velocity"), (),
        ),
        Equation("m_new", "m", "Adam's m", "m = beta1 m + (1 - beta1) grad_w", "(out, in)", _state("m"), ()),
        Equation("v_new", "v", "Adam's v", "v = beta2 v + (1 - beta2) grad_w^2", "(out, in)", _state("v"), ()),
        Equation(
            "numeric", "numeric", "central difference", "(L(w_{i,k} + h) - L(w_{i,k} - h)) / (2 h)", "(out, in)",
            _numeric, (),
        ),
        Equation("dropout", "y", "dropout", "y = mask ∘ x / (1 - rate)", "(n, out)", lambda v: v.right_y, ()),
        Equation(
            "dropout_grad_x", "grad_x", "dropout backwards", "grad_x = mask ∘ grad_y / (1 - rate)", "(n, out)",
            lambda v: v.right_grad_x, (),
        ),
        Equation(
            "x_hat", "x_hat", "batch norm", "x_hat = (x - mean) / sqrt(variance + epsilon), of each column", "(n, out)",
            lambda v: v.right_x_hat, (),
        ),
        Equation(
            "batch_norm", "y", "batch norm", "y = gamma x_hat + beta", "(n, out)",
            lambda v: v.gamma * v.x_hat + v.beta, (),
        ),
        Equation(
            "grad_beta", "grad_beta", "batch norm backwards", "grad_beta = the sum over the samples of grad_y",
            "(out,)", lambda v: v.right_grad_beta, (),
        ),
        Equation(
            "grad_gamma", "grad_gamma", "batch norm backwards", "grad_gamma = the sum over the samples of grad_y x_hat",
            "(out,)", lambda v: v.right_grad_gamma, (),
        ),
        Equation(
            "batch_norm_grad_x", "grad_x", "batch norm backwards",
            "grad_x = gamma / sqrt(variance + epsilon) (grad_y - (grad_beta + x_hat grad_gamma) / n)", "(n, out)",
            _grad_x, (),
        ),
    )
}  # fmt: skip
"""By name, in the order of the exercises."""
