"""The equations that an answer can be judged by: what each gives, from what, in the notation of the paper and in NumPy.

Equations 1 to 4 are the paper's; the others stand in its sections. Each is a function of `values.Values`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpcore import kernels
from mlpcore.diagnosis import stepping
from mlpcore.diagnosis.values import Values, through

Formula = Callable[[Values], Any]
"""What computes an array from values; None, or a ValueError, where it does not apply to them."""


@dataclass(frozen=True)
class Equation:
    """An equation of the catalogue.

    Attributes
    ----------
    name : str
        Of the equation: ``"phi_hidden"``.
    quantity : str
        What it gives: ``"phi"``.
    number : str
        Where it stands in the paper.
    symbols : str
        The equation itself.
    axes : str
        The shape of what it gives.
    right : callable
        The equation in NumPy.
    inputs : tuple of str
        What a student's function is given, in this order if its parameters have other names.
    also : tuple of str
        What it may ask for by name besides.
    """

    name: str
    quantity: str
    number: str
    symbols: str
    axes: str
    right: Formula
    inputs: tuple[str, ...]
    also: tuple[str, ...] = ()


EQUATIONS: dict[str, Equation] = {
    equation.name: equation
    for equation in (
        Equation(
            "z", "z", "section 1.2", "z^j = w^j a^{j-1} + b^j", "(n, out)",
            lambda v: kernels.dense_forward(v.x, v.w, v.b), ("x", "w", "b"), ("x_network",),
        ),
        Equation(
            "a", "a", "section 1.2", "a^j = sigma(z^j)", "(n, out)", lambda v: v.sigma(v.z), ("z",), ("x", "w", "b"),
        ),
        Equation(
            "dsigma", "dsigma", "section 3", "sigma'(z^j), the derivative of a^j to z^j",
            "(n, out), or the Jacobians (n, out, out) of softmax",
            lambda v: v.dsigma_at(v.z), ("z",), ("a",),
        ),
        Equation(
            "loss", "loss", "section 3", "L = the mean over the batch of the samples' losses", "()",
            lambda v: np.array(kernels.output_loss(v.loss, v.activation, v.z, v.y)), ("a", "y"), ("z",),
        ),
        Equation(
            "grad_a_last", "grad_a", "section 3", "grad_a^J = the derivative of L to a^J", "(n, out)",
            lambda v: kernels.loss_gradient(v.loss, v.a, v.y), ("a", "y"), ("z",),
        ),
        Equation(
            "grad_a_hidden", "grad_a", "section 2.2", "grad_a^j = (w^{j+1})^T phi^{j+1}", "(n, out)",
            lambda v: v.phi_next @ v.w_next, ("phi_next", "w_next"), ("grad_a_next", "dsigma_next", "z_next"),
        ),
        Equation(
            "phi_last", "phi", "equation 1", "phi^J = grad_a^J ∘ sigma'(z^J)", "(n, out)",
            lambda v: kernels.output_phi(v.loss, v.activation, v.z, v.y), ("a", "y", "z"), ("grad_a", "dsigma"),
        ),
        Equation(
            "phi_hidden", "phi", "equation 2", "phi^j = (w^{j+1})^T phi^{j+1} ∘ sigma'(z^j)", "(n, out)",
            lambda v: kernels.activation_backward(v.activation, v.z, v.phi_next @ v.w_next),
            ("phi_next", "w_next", "z"), ("a", "dsigma", "grad_a", "grad_a_next", "dsigma_next", "z_next"),
        ),
        Equation(
            "grad_w", "grad_w", "equation 3", "grad_w^j = phi^j (a^{j-1})^T, summed over the batch", "(out, in)",
            lambda v: v.phi.T @ v.x, ("phi", "x"), ("grad_a", "w", "z", "a", "dsigma", "x_network"),
        ),
        Equation(
            "grad_b", "grad_b", "equation 4", "grad_b^j = phi^j, summed over the batch", "(out,)",
            lambda v: v.phi.sum(axis=0), ("phi",), ("grad_a", "b", "z", "a", "dsigma", "x"),
        ),
        Equation(
            "w_new", "w_new", "section 1.2", "w^j after a step of the optimizer", "(out, in)",
            lambda v: stepping.step(v)[0], ("w", "grad_w"), stepping.NAMES,
        ),
        Equation(
            "b_new", "b_new", "section 1.2", "b^j after a step of the optimizer", "(out,)",
            lambda v: stepping.step(v)[0], ("b", "grad_b"), stepping.NAMES,
        ),
    )
}  # fmt: skip
"""By name, in the order in which a pass computes them."""

QUANTITIES: tuple[str, ...] = tuple(dict.fromkeys(equation.quantity for equation in EQUATIONS.values()))

TEXTBOOK: dict[str, Formula] = {
    "dsigma": lambda v: v.dsigma,
    "loss": lambda v: np.array(kernels.loss_value(v.loss, v.a, v.y)),
    "phi_last": lambda v: through(v.grad_a, v.dsigma),
    "phi_hidden": lambda v: through(v.phi_next @ v.w_next, v.dsigma),
}
"""The forms that students write, through a, of equations that the engine computes from z: how far both may be apart."""


def equation_of(quantity: str, last: bool) -> Equation:
    """Return the equation that gives a quantity in the last layer, or in one below it."""
    for name in (quantity, f"{quantity}_{'last' if last else 'hidden'}"):
        if name in EQUATIONS:
            return EQUATIONS[name]
    raise ValueError(f"quantity is {quantity!r}, expected one of {', '.join(map(repr, QUANTITIES))}")
