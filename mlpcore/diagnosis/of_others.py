"""Mistakes in the equations of `others`: an optimizer's arrays, differences, dropout, batch norm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlpcore.diagnosis import stepping
from mlpcore.diagnosis.equations import Formula
from mlpcore.diagnosis.mistakes import mistake
from mlpcore.diagnosis.others import OTHERS, quotients
from mlpcore.diagnosis.values import Array, Values

Forms = Mapping[str, list[tuple[str, Formula]]]


def _velocity(v: Values, old: float, new: float) -> Array:
    return np.asarray(old * v.velocity + new * v.grad)


def _x_hat(v: Values, *, axis: int = 0, fewer: int = 0, centred: bool = True) -> Array:
    mean = v.x.mean(axis=axis, keepdims=True)
    variance = ((v.x - mean) ** 2).sum(axis=axis, keepdims=True) / (v.x.shape[axis] - fewer)
    return np.asarray((v.x - mean if centred else v.x) / np.sqrt(variance + v.epsilon))


def _without_root(v: Values) -> Array:
    return np.asarray((v.x - v.x.mean(axis=0)) / (v.x.var(axis=0) + v.epsilon))


def _epsilon_outside(v: Values) -> Array:
    return np.asarray((v.x - v.x.mean(axis=0)) / (v.x.std(axis=0) + v.epsilon))


def _without_epsilon(v: Values) -> Array | None:
    std = v.x.std(axis=0)
    return np.asarray((v.x - v.x.mean(axis=0)) / std) if std.all() else None


def _grad_x(v: Values, beta: float, gamma: float) -> Array:
    """grad_x of batch norm, with the terms of the two sums times a factor each."""
    moved = beta * v.grad_beta + gamma * v.x_hat * v.grad_gamma
    return np.asarray(v.gamma / np.sqrt(v.variance + v.epsilon) * (v.grad_y - moved / len(v.grad_y)))


def _all_at_once(v: Values) -> Array:
    return np.full(v.w.shape, (v.f(v.w + v.h) - v.f(v.w - v.h)) / (2 * v.h))


ROWS = (
    mistake(
        "rate-in-velocity",
        "the learning rate is in the velocity already",
        "Here the velocity is a sum of gradients: the learning rate comes when the weights are changed.",
        velocity_new=[
            ("momentum velocity + learning_rate grad_w", lambda v: _velocity(v, v.momentum, v.learning_rate)),
            ("momentum velocity - learning_rate grad_w", lambda v: _velocity(v, v.momentum, -v.learning_rate)),
        ],
    ),
    mistake(
        "velocity-kept-whole",
        "the old velocity is not multiplied by momentum",
        "momentum tells how much of the old velocity is left: velocity = momentum velocity + grad.",
        velocity_new=[("velocity + grad_w", lambda v: _velocity(v, 1.0, 1.0))],
    ),
    mistake(
        "gradient-not-squared",
        "the gradient is not squared",
        "v is the running mean of the squares, element by element: grad_w**2.",
        v_new=[("beta2 v + (1 - beta2) grad_w", lambda v: v.beta2 * v.v + (1 - v.beta2) * v.grad)],
    ),
    mistake(
        "sum-for-mean",
        "the new gradient is not multiplied by 1 - beta",
        "m and v are means: what is kept, beta, and what is new, 1 - beta, add up to 1.",
        m_new=[("beta1 m + grad_w", lambda v: v.beta1 * v.m + v.grad)],
        v_new=[("beta2 v + grad_w^2", lambda v: v.beta2 * v.v + v.grad**2)],
    ),
    mistake(
        "shares-swapped",
        "beta and 1 - beta have changed places",
        "beta is what is left of the old mean; 1 - beta is the share of the new gradient.",
        m_new=[("(1 - beta1) m + beta1 grad_w", lambda v: (1 - v.beta1) * v.m + v.beta1 * v.grad)],
        v_new=[("(1 - beta2) v + beta2 grad_w^2", lambda v: (1 - v.beta2) * v.v + v.beta2 * v.grad**2)],
    ),
    mistake(
        "corrected-mean-kept",
        "the corrected mean is returned, with which the next step must not go on",
        "Divide by 1 - beta^t for the step only, and keep m and v as they are.",
        m_new=[("m / (1 - beta1^t)", lambda v: stepping.step(v)[1]["m"] / (1 - v.beta1**v.t))],
        v_new=[("v / (1 - beta2^t)", lambda v: stepping.step(v)[1]["v"] / (1 - v.beta2**v.t))],
    ),
    mistake(
        "one-sided",
        "the difference is taken to one side only",
        "Go to both sides, f(w + h) - f(w - h), and divide by 2 h: that is nearer to the derivative.",
        numeric=[
            ("(L(w + h) - L(w)) / h", lambda v: quotients(v, 1.0, 0.0) / v.h),
            ("(L(w) - L(w - h)) / h", lambda v: quotients(v, 0.0, -1.0) / v.h),
        ],
    ),
    mistake(
        "difference-reversed",
        "the difference is taken the wrong way round",
        "The slope is f(w + h) less f(w - h).",
        numeric=[("(L(w - h) - L(w + h)) / (2 h)", lambda v: quotients(v, -1.0, 1.0) / (2 * v.h))],
    ),
    mistake(
        "divided-by-h",
        "the difference is divided by h, where 2 h belongs",
        "From w - h to w + h it is 2 h.",
        numeric=[("(L(w + h) - L(w - h)) / h", lambda v: quotients(v, 1.0, -1.0) / v.h)],
    ),
    mistake(
        "not-divided-by-h",
        "the difference is not divided by the distance of the two points",
        "A slope is a difference divided by a distance: 2 h.",
        numeric=[("L(w + h) - L(w - h)", lambda v: quotients(v, 1.0, -1.0))],
    ),
    mistake(
        "all-at-once",
        "all elements are moved at the same time",
        "Move one element, and leave the others as they are: a copy of w for each of them.",
        numeric=[("(L(w + h) - L(w - h)) / (2 h), all w moved", _all_at_once)],
    ),
    mistake(
        "missing-scale",
        "what is kept is not divided by 1 - rate",
        "Divide by 1 - rate, the share that is kept, so that the mean stays as it is.",
        dropout=[("mask ∘ x", lambda v: v.mask * v.x)],
        dropout_grad_x=[("mask ∘ grad_y", lambda v: v.mask * v.grad_y)],
    ),
    mistake(
        "times-kept-share",
        "what is kept is multiplied by 1 - rate",
        "What is kept has to become larger: divide by 1 - rate.",
        dropout=[("mask ∘ x (1 - rate)", lambda v: v.mask * v.x * (1 - v.rate))],
        dropout_grad_x=[("mask ∘ grad_y (1 - rate)", lambda v: v.mask * v.grad_y * (1 - v.rate))],
    ),
    mistake(
        "rate-for-kept-share",
        "what is kept is divided by the rate",
        "The rate is the share that is dropped: divide by 1 - rate, the share that is kept.",
        dropout=[("mask ∘ x / rate", lambda v: v.mask * v.x / v.rate)],
        dropout_grad_x=[("mask ∘ grad_y / rate", lambda v: v.mask * v.grad_y / v.rate)],
    ),
    mistake(
        "mask-reversed",
        "what is kept and what is dropped have changed places",
        "The mask is 1 where a number is kept.",
        dropout=[("(1 - mask) ∘ x / (1 - rate)", lambda v: (1 - v.mask) * v.x / (1 - v.rate))],
        dropout_grad_x=[("(1 - mask) ∘ grad_y / (1 - rate)", lambda v: (1 - v.mask) * v.grad_y / (1 - v.rate))],
    ),
    mistake(
        "missing-mask",
        "the mask is not applied",
        "What was dropped forwards gets no gradient either: multiply by the same mask.",
        dropout=[("x / (1 - rate)", lambda v: v.x / (1 - v.rate))],
        dropout_grad_x=[
            ("grad_y / (1 - rate)", lambda v: v.grad_y / (1 - v.rate)),
            ("grad_y", lambda v: v.grad_y),
        ],
    ),
    mistake(
        "variance-by-n-1",
        "the variance is divided by n - 1",
        "Batch norm divides by n, as x.var(axis=0) does without ddof.",
        x_hat=[("variance = the sum of the squares / (n - 1)", lambda v: _x_hat(v, fewer=1))],
    ),
    mistake(
        "norm-of-rows",
        "mean and variance are those of the rows",
        "Batch norm normalises each column over the batch: axis=0. What normalises rows is layer norm.",
        x_hat=[("mean and variance of each sample", lambda v: _x_hat(v, axis=1) if v.x.shape[1] > 1 else None)],
    ),
    mistake(
        "not-centred",
        "the mean is not subtracted",
        "x_hat has mean 0: subtract the mean before you divide.",
        x_hat=[("x / sqrt(variance + epsilon)", lambda v: _x_hat(v, centred=False))],
    ),
    mistake(
        "epsilon-outside-root",
        "epsilon stands outside the root",
        "Batch norm divides by sqrt(variance + epsilon).",
        x_hat=[("(x - mean) / (sqrt(variance) + epsilon)", _epsilon_outside)],
    ),
    mistake(
        "missing-epsilon",
        "epsilon is missing",
        "It keeps the root away from 0 where all numbers of a column are alike.",
        x_hat=[("(x - mean) / sqrt(variance)", _without_epsilon)],
    ),
    mistake(
        "missing-shift",
        "beta is not added",
        "y = gamma x_hat + beta.",
        batch_norm=[("gamma x_hat", lambda v: v.gamma * v.x_hat)],
    ),
    mistake(
        "missing-gamma",
        "the factor gamma is missing",
        "y has gamma in it, and so has what goes back through it.",
        batch_norm=[("x_hat + beta", lambda v: v.x_hat + v.beta)],
        batch_norm_grad_x=[("grad_x without gamma", lambda v: OTHERS["batch_norm_grad_x"].right(v) / v.gamma)],
    ),
    mistake(
        "gamma-beta-swapped",
        "gamma and beta have changed places",
        "gamma multiplies, beta is added.",
        batch_norm=[("beta x_hat + gamma", lambda v: v.beta * v.x_hat + v.gamma)],
    ),
    mistake(
        "samples-not-added",
        "the samples' gradients are not added up",
        "All samples share gamma and beta: add over axis 0.",
        grad_beta=[("grad_y", lambda v: v.grad_y)],
        grad_gamma=[("grad_y x_hat", lambda v: v.grad_y * v.x_hat)],
    ),
    mistake(
        "missing-x-hat",
        "the factor x_hat is missing",
        "gamma multiplies x_hat, so its derivative has x_hat in it.",
        grad_gamma=[("the sum over the samples of grad_y", lambda v: v.grad_y.sum(axis=0))],
    ),
    mistake(
        "constant-moments",
        "mean and variance are taken for constants",
        "They depend on every x of the column: two more terms, with grad_beta and with grad_gamma.",
        batch_norm_grad_x=[
            ("gamma / sqrt(variance + epsilon) grad_y", lambda v: _grad_x(v, 0.0, 0.0)),
            ("the variance taken for a constant", lambda v: _grad_x(v, 1.0, 0.0)),
            ("the mean taken for a constant", lambda v: _grad_x(v, 0.0, 1.0)),
        ],
    ),
    mistake(
        "moments-not-averaged",
        "the two sums are not divided by n",
        "Each x is one of n samples in the mean and in the variance: (grad_beta + x_hat grad_gamma) / n.",
        batch_norm_grad_x=[
            ("grad_y - (grad_beta + x_hat grad_gamma)", lambda v: _grad_x(v, len(v.grad_y), len(v.grad_y)))
        ],
    ),
)

MORE: Mapping[str, Forms] = {
    "divided-by-n": {
        "grad_beta": [("1/n times the sum", lambda v: v.right_grad_beta / len(v.grad_y))],
        "grad_gamma": [("1/n times the sum", lambda v: v.right_grad_gamma / len(v.grad_y))],
    },
    "wrong-axis": {
        "grad_beta": [("the sum of grad_y over the columns", lambda v: v.grad_y.sum(axis=1))],
        "grad_gamma": [("the sum of grad_y x_hat over the columns", lambda v: (v.grad_y * v.x_hat).sum(axis=1))],
    },
    "sign-of-momentum": {"velocity_new": [("-momentum velocity + grad_w", lambda v: _velocity(v, -v.momentum, 1.0))]},
    "missing-momentum": {"velocity_new": [("grad_w", lambda v: _velocity(v, 0.0, 1.0))]},
    "damped-momentum": {
        "velocity_new": [
            ("momentum velocity + (1 - momentum) grad_w", lambda v: _velocity(v, v.momentum, 1 - v.momentum))
        ]
    },
    "swapped-betas": {
        "m_new": [("beta2 m + (1 - beta2) grad_w", lambda v: v.beta2 * v.m + (1 - v.beta2) * v.grad)],
        "v_new": [("beta1 v + (1 - beta1) grad_w^2", lambda v: v.beta1 * v.v + (1 - v.beta1) * v.grad**2)],
    },
    "missing-root": {"x_hat": [("(x - mean) / (variance + epsilon)", _without_root)]},
}
"""By the name of a mistake that is made in other equations too: its forms in these."""
