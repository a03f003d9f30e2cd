"""Mistakes in a step of an optimizer: sign, learning rate, momentum, Adam's corrections, decay and penalties."""

from __future__ import annotations

import re

import numpy as np

from mlpcore.diagnosis import stepping
from mlpcore.diagnosis.equations import Formula
from mlpcore.diagnosis.mistakes import Mistake, mistake
from mlpcore.diagnosis.values import Values


def _both(symbols: str, formula: Formula) -> dict[str, tuple[str, Formula]]:
    return {"w_new": (symbols, formula), "b_new": (re.sub(r"\bw\b|(?<=grad_)w", "b", symbols), formula)}


def _with_gradient(times: Formula) -> Formula:
    return lambda v: stepping.step(v, times(v) * stepping.with_penalties(v))


def _change(v: Values) -> stepping.Stepped:
    """Return what a step adds to the weights, not rounded by being added, and the optimizer's arrays."""
    from_zero = v.but(weight=np.zeros_like(v.weight), weight_decay=0.0)
    change, states = stepping.step(from_zero, stepping.with_penalties(v))
    return change - v.learning_rate * (v.weight_decay or 0.0) * v.weight, states


def _uphill(v: Values) -> stepping.Stepped:
    change, states = _change(v)
    return v.weight - change, states


def _without_rate(v: Values) -> stepping.Stepped | None:
    return None if v.weight_decay else stepping.step(v.but(learning_rate=1.0))


def _change_only(sign: float) -> Formula:
    return lambda v: sign * _change(v)[0]


def _velocity_in_steps(v: Values) -> stepping.Stepped | None:
    if v.optimizer != "sgd" or not v.momentum:
        return None
    return v.weight - v.learning_rate * stepping.with_penalties(v) + v.momentum * v.velocity, {}


def _only_if(option: str, formula: Formula) -> Formula:
    return lambda v: formula(v) if getattr(v, option) else None


def _coupled(v: Values) -> stepping.Stepped | None:
    if not v.weight_decay:
        return None
    grad = stepping.with_penalties(v) + v.weight_decay * v.weight
    return stepping.step(v.but(weight_decay=0.0), grad)


def _of_b(v: Values) -> stepping.Stepped | None:
    return None if not v.l2 else stepping.step(v, v.grad + v.l2 * v.weight)


def _penalised(v: Values) -> bool:
    return bool(v.l1 or v.l2) and v.weight.ndim == 2


ROWS: tuple[Mistake, ...] = (
    mistake(
        "uphill",
        "the step goes along the gradient, not against it",
        "The loss grows along its gradient: subtract, w -= learning_rate grad_w.",
        **_both("w + learning_rate grad_w", _uphill),
    ),
    mistake(
        "missing-learning-rate",
        "the learning rate is missing",
        "Multiply what is subtracted by the learning rate.",
        **_both("w - grad_w", _without_rate),
    ),
    mistake(
        "step-only",
        "this is the change of the weights, not the weights after it",
        "Subtract it from w, and return w.",
        w_new=[("learning_rate grad_w", _change_only(-1.0)), ("-learning_rate grad_w", _change_only(1.0))],
        b_new=[("learning_rate grad_b", _change_only(-1.0)), ("-learning_rate grad_b", _change_only(1.0))],
    ),
    mistake(
        "no-step",
        "nothing has changed: these are the weights from before the step",
        "Return the new array, or change the array itself, as w -= ... does and w = w - ... does not.",
        **_both("w", lambda v: (v.weight, {})),
    ),
    mistake(
        "step-times-n",
        "the gradient is multiplied by the number of samples",
        "grad_w is the gradient of the mean over the batch already.",
        **_both("a step with n grad_w", _only_if("n", _with_gradient(lambda v: v.n))),
    ),
    mistake(
        "step-divided-by-n",
        "the gradient is divided by the number of samples once more",
        "grad_w is the gradient of the mean over the batch already.",
        **_both("a step with grad_w / n", _only_if("n", _with_gradient(lambda v: 1 / v.n))),
    ),
    mistake(
        "sign-of-momentum",
        "the old velocity is subtracted",
        "velocity = momentum velocity + grad: the new step goes on in the direction of the last one.",
        **_both("velocity = -momentum velocity + grad_w", _only_if("momentum", lambda v: stepping.sgd(v, sign=-1.0))),
    ),
    mistake(
        "missing-momentum",
        "the velocity is not used",
        "With momentum the step is learning_rate times the velocity, in which earlier gradients go on.",
        **_both(
            "w - learning_rate grad_w", _only_if("momentum", lambda v: stepping.sgd(v, sign=0.0, look_ahead=False))
        ),
    ),
    mistake(
        "damped-momentum",
        "the gradient is multiplied by 1 - momentum",
        "velocity = momentum velocity + grad, without that factor. Adam's m has one.",
        **_both(
            "velocity = momentum velocity + (1 - momentum) grad_w",
            _only_if("momentum", lambda v: stepping.sgd(v, damped=True)),
        ),
    ),
    mistake(
        "velocity-in-steps",
        "the old velocity is not multiplied by the learning rate",
        "Here the velocity is a sum of gradients: w -= learning_rate velocity.",
        **_both("w + momentum velocity - learning_rate grad_w", _velocity_in_steps),
    ),
    mistake(
        "nesterov",
        "Nesterov's look ahead is left out, or is there where it does not belong",
        "With nesterov the step is grad + momentum velocity, with the new velocity; without it, the velocity.",
        **_both("Nesterov's step for the plain one, or the reverse", _only_if(
            "momentum", lambda v: stepping.sgd(v, look_ahead=not v.nesterov))),
    ),
    mistake(
        "missing-bias-correction",
        "m and v are not corrected for having begun at 0",
        "Divide m by 1 - beta1^t and v by 1 - beta2^t, t being the number of the step, counted from 1.",
        w_new=[
            ("w - learning_rate m / (sqrt(v) + epsilon)", lambda v: stepping.adam(v, correct_m=False, correct_v=False)),
            ("m corrected, v not", lambda v: stepping.adam(v, correct_v=False)),
            ("v corrected, m not", lambda v: stepping.adam(v, correct_m=False)),
        ],
        b_new=[
            ("b - learning_rate m / (sqrt(v) + epsilon)", lambda v: stepping.adam(v, correct_m=False, correct_v=False)),
            ("m corrected, v not", lambda v: stepping.adam(v, correct_v=False)),
            ("v corrected, m not", lambda v: stepping.adam(v, correct_m=False)),
        ],
    ),
    mistake(
        "steps-from-0",
        "the bias correction counts steps from 0",
        "t is 1 in the first step.",
        **_both("1 - beta^(t-1) for 1 - beta^t", lambda v: stepping.adam(v, late=1)),
    ),
    mistake(
        "epsilon-inside-root",
        "epsilon stands inside the root",
        "Adam divides by sqrt(v) + epsilon, with v corrected.",
        **_both("sqrt(v + epsilon)", lambda v: stepping.adam(v, epsilon_inside=True)),
    ),
    mistake(
        "missing-root",
        "the root of v is not taken",
        "v is a mean of squares: divide by its root.",
        **_both("m / (v + epsilon)", lambda v: stepping.adam(v, root=False)),
    ),
    mistake(
        "swapped-betas",
        "beta1 and beta2 have changed places",
        "beta1 is the decay of m, the mean of gradients; beta2 that of v, the mean of their squares.",
        **_both("m with beta2, v with beta1", lambda v: stepping.adam(v, swapped=True)),
    ),
    mistake(
        "coupled-decay",
        "weight decay is added to the gradient",
        "Decoupled decay takes learning_rate weight_decay w from w and leaves the gradient alone.",
        **_both("a step with grad_w + weight_decay w", _coupled),
    ),
    mistake(
        "missing-decay",
        "weight decay is left out",
        "Before the step w loses learning_rate weight_decay w.",
        **_both("a step without weight_decay", _only_if(
            "weight_decay", lambda v: stepping.step(v.but(weight_decay=0.0)))),
    ),
    mistake(
        "missing-penalty",
        "the gradient of the layer's penalty is left out",
        "The penalties l1 |w| + l2 w^2 / 2 add l1 sign(w) + l2 w to the gradient of w.",
        w_new=("a step without l1 and l2", lambda v: stepping.step(v, np.array(v.grad)) if _penalised(v) else None),
    ),
    mistake(
        "l2-on-b",
        "the penalty l2 is applied to b",
        "Penalties are of w only: a bias may be as large as it needs to be.",
        b_new=("a step with grad_b + l2 b", _of_b),
    ),
)  # fmt: skip
