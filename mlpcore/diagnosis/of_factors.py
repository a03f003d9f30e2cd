"""Mistakes with factors and signs, and with the loss's own derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mlpcore import kernels
from mlpcore.diagnosis.equations import EQUATIONS, Formula
from mlpcore.diagnosis.mistakes import mistake
from mlpcore.diagnosis.values import Array, Values, through

_GRADIENTS = ("phi_last", "phi_hidden", "grad_w", "grad_b", "grad_a_last", "grad_a_hidden")
_OF_LOSS = ("phi_last", "grad_a_last")


def _times(
    factor: Callable[[Values], float | None], symbols: str, equations: tuple[str, ...]
) -> dict[str, tuple[str, Formula]]:
    """Return the right forms of some equations times a factor, which may be None for some values."""

    def scaled(right: Formula) -> Formula:
        def formula(v: Values) -> Array | None:
            c = factor(v)
            return None if c is None else np.asarray(c * right(v))

        return formula

    return {name: (_written(symbols, EQUATIONS[name].symbols), scaled(EQUATIONS[name].right)) for name in equations}


def _written(factor: str, symbols: str) -> str:
    """Return an equation with a factor before its right side."""
    left, equals, right = symbols.partition(" = ")
    right, summed, over = right.partition(", summed")
    return f"{left} = {factor}({right}){summed}{over}" if equals else f"{factor}({left})"


def _at_last(grad_a: Formula) -> Formula:
    """Return equation 1 with another derivative of the loss."""

    def formula(v: Values) -> Array | None:
        wrong = grad_a(v)
        return None if wrong is None else through(wrong, v.dsigma_at(v.z))

    return formula


def _printed_bce(v: Values) -> Array | None:
    return np.asarray(-(v.y / v.a + (1 - v.y) / (1 - v.a)) / len(v.a)) if v.loss == "bce" else None


def _a_minus_y(divided: bool) -> Formula:
    """Return a - y where it is not the pair's phi^J."""

    def formula(v: Values) -> Array | None:
        wrong = (v.a - v.y) / len(v.a)
        right = EQUATIONS["phi_last"].right(v)
        if np.allclose(wrong, right, rtol=1e-6):
            return None
        return np.asarray(wrong if divided else wrong * len(v.a))

    return formula


def _sum_of_terms(v: Values, sign: float, second: float) -> Array | None:
    if v.loss != "bce" or not ((v.a > 0) & (v.a < 1)).all():
        return None
    terms = v.y * np.log(v.a) + second * (1 - v.y) * np.log(1 - v.a)
    return np.array(sign * terms.sum() / len(v.a))


def _if(condition: Callable[[Values], Any], factor: Callable[[Values], float]) -> Callable[[Values], float | None]:
    return lambda v: factor(v) if condition(v) else None


_LOGARITHMIC = ("bce", "cce")

ROWS = (
    mistake(
        "sign",
        "every sign is the wrong way round",
        "The derivative of the loss has a - y in it, not y - a, and nothing else in equations 1 to 4 turns a sign.",
        **_times(lambda v: -1.0, "-", (*_GRADIENTS, "loss", "dsigma")),
    ),
    mistake(
        "factor-n",
        "it is n times too large, for n samples: the mean over the batch is missing, or a sum was multiplied by n",
        "The loss of a batch is the mean over its samples: 1/n stands in phi^J once, and goes with phi from there.",
        **_times(lambda v: float(len(v.z)), "n ", (*_GRADIENTS, "loss")),
    ),
    mistake(
        "divided-by-n",
        "it is divided by n once too often",
        "1/n stands in phi^J already: equations 3 and 4 add over the batch, and divide by nothing.",
        **_times(lambda v: 1.0 / len(v.z), "1/n ", (*_GRADIENTS, "loss")),
    ),
    mistake(
        "missing-factor-2",
        "it is half of what it should be: the 2 from the square is missing",
        "The derivative of (y_hat - y)^2 is 2 (y_hat - y). The loss here is the mean of the squares, not half of it.",
        **_times(lambda v: 0.5, "1/2 ", ("phi_last", "grad_a_last", "loss", "phi_hidden", "grad_w", "grad_b")),
    ),
    mistake(
        "factor-2",
        "it is twice what it should be",
        "Look for a factor 2 that does not belong there, or a term that is added twice.",
        **_times(lambda v: 2.0, "2 ", (*_GRADIENTS, "loss")),
    ),
    mistake(
        "sum-over-outputs",
        "the outputs of a sample are added up where their mean belongs",
        "This loss is the mean over the outputs of a sample: divide by their number too.",
        **_times(_if(lambda v: v.of_mean, lambda v: float(v.out)), "out ", (*_OF_LOSS, "loss")),
    ),
    mistake(
        "mean-over-outputs",
        "it is divided by the number of outputs",
        "This loss is the sum over the outputs of a sample: no division by their number.",
        **_times(_if(lambda v: not v.of_mean, lambda v: 1.0 / v.out), "1/out ", (*_OF_LOSS, "loss")),
    ),
    mistake(
        "nothing-averaged",
        "everything is added up: neither the mean over the outputs nor the one over the batch is taken",
        "Divide by the number of samples and by the number of outputs.",
        **_times(
            _if(lambda v: v.of_mean and v.out > 1, lambda v: float(v.out * len(v.z))),
            "n out ",
            (*_OF_LOSS, "loss"),
        ),
    ),
    mistake(
        "a-minus-y",
        "a - y is taken for phi^J, which it is not for this pair of loss and activation",
        "a - y comes out where sigma' cancels the denominator of the loss: sigmoid with bce, softmax with cce. Here "
        "multiply the loss's own derivative by sigma'(z).",
        phi_last=[("phi^J = a^J - y", _a_minus_y(False)), ("phi^J = (a^J - y) / n", _a_minus_y(True))],
    ),
    mistake(
        "printed-bce-sign",
        "the second term of the derivative of binary cross-entropy has the sign that the paper prints",
        "It is -y/a + (1-y)/(1-a): the derivative of log(1-a) is -1/(1-a), and two minuses make a plus. See "
        "docs/errata.md.",
        grad_a_last=("-y/a - (1-y)/(1-a)", _printed_bce),
        phi_last=("phi^J = (-y/a - (1-y)/(1-a)) ∘ sigma'(z^J)", _at_last(_printed_bce)),
        loss=("-y log a + (1-y) log(1-a)", lambda v: _sum_of_terms(v, -1.0, -1.0)),
    ),
    mistake(
        "half-of-bce",
        "the second term of binary cross-entropy is missing",
        "A sample with y = 0 counts too: -y log a - (1-y) log(1-a).",
        loss=("-y log a", lambda v: _sum_of_terms(v, -1.0, 0.0)),
        grad_a_last=("-y/a", lambda v: -v.y / v.a / len(v.a) if v.loss == "bce" else None),
        phi_last=("phi^J = -y/a ∘ sigma'(z^J)", _at_last(
            lambda v: -v.y / v.a / len(v.a) if v.loss == "bce" else None)),
    ),
    mistake(
        "root-of-mse",
        "the root of the mean squared error is taken",
        "The loss is the mean of the squares themselves.",
        loss=("sqrt(L)", lambda v: np.sqrt(kernels.loss_value(v.loss, v.a, v.y)) if v.loss == "mse" else None),
    ),
    mistake(
        "base-of-log",
        "the logarithm has another base than e",
        "Use the natural logarithm, np.log: its derivative is 1 / a without a factor.",
        loss=[
            ("with log2", lambda v: kernels.loss_value(v.loss, v.a, v.y) / math.log(2)
             if v.loss in _LOGARITHMIC else None),
            ("with log10", lambda v: kernels.loss_value(v.loss, v.a, v.y) / math.log(10)
             if v.loss in _LOGARITHMIC else None),
        ],
    ),
)  # fmt: skip
