"""One step of an optimizer on one array: SGD and Adam in plain NumPy, with the mistakes that are made there.

All read `values.Values` with ``weight`` (w or b) and ``grad``; the hyperparameters by their names in the catalogue; the
optimizer's arrays as they were before the step (``velocity``; ``m``, ``v``), t counted from 1; ``l1`` and ``l2``, the
layer's penalties. All return the new weights and the new arrays. The right step is the engine's.
"""

from __future__ import annotations

import numpy as np

from mlpcore import catalogue, kernels
from mlpcore.diagnosis.values import Array, Values

Stepped = tuple[Array, dict[str, Array]]

NAMES = (
    "learning_rate", "momentum", "velocity", "nesterov", "m", "v", "t", "beta1", "beta2", "epsilon", "weight_decay",
    "rho", "l1", "l2", "n",
)  # fmt: skip
"""What a student's step may ask for besides the weights and their gradient."""


def with_penalties(v: Values) -> Array:
    """Return the gradient with those of the layer's penalties, which are of w and not of b."""
    if v.weight.ndim < 2:
        return np.array(v.grad)
    return np.array(v.grad + (v.l2 or 0.0) * v.weight + (v.l1 or 0.0) * np.sign(v.weight))


def step(v: Values, grad: Array | None = None) -> Stepped:
    """Take the right step, with another gradient if one is given."""
    row = catalogue.entry("optimizers", v.optimizer)
    new = np.array(v.weight, order="C")
    states = {name: np.array(getattr(v, name), order="C") for name in row.states if getattr(v, name) is not None}
    constants = {hyper.name: getattr(v, hyper.name) for hyper in row.hypers}
    if "counts_steps" in row.traits:
        constants["t"] = v.t
    getattr(kernels, f"{row.name}_step")(new, with_penalties(v) if grad is None else grad, **states, **constants)
    return new, states


def sgd(v: Values, *, sign: float = 1.0, damped: bool = False, look_ahead: bool | None = None) -> Stepped:
    """Take a step of SGD: velocity = momentum velocity + grad; w -= learning_rate velocity.

    `sign` is that of the old velocity; `damped`: the gradient is multiplied by 1 - momentum;
    `look_ahead` overrules nesterov.
    """
    if v.optimizer != "sgd":
        raise ValueError("only for SGD")
    grad, rate, momentum = with_penalties(v), v.learning_rate, v.momentum
    new = v.weight - rate * (v.weight_decay or 0.0) * v.weight
    if not momentum:
        return new - rate * grad, {}
    velocity = sign * momentum * v.velocity + (1 - momentum if damped else 1.0) * grad
    nesterov = v.nesterov if look_ahead is None else look_ahead
    return new - rate * (grad + momentum * velocity if nesterov else velocity), {"velocity": velocity}


def adam(
    v: Values,
    *,
    correct_m: bool = True,
    correct_v: bool = True,
    epsilon_inside: bool = False,
    root: bool = True,
    decay_in_grad: bool = False,
    late: int = 0,
    swapped: bool = False,
) -> Stepped:
    """Take a step of Adam or AdamW: m and v are running means of grad and of its square.

    `correct_m`, `correct_v`: divide by 1 - beta^t; `epsilon_inside`: sqrt(v + epsilon); `root`: take the root;
    `decay_in_grad`: add weight_decay w to the gradient instead of taking it from w; `late`: how much t is too small;
    `swapped`: beta1 and beta2 have changed places.
    """
    if v.optimizer not in ("adam", "adamw"):
        raise ValueError("only for Adam")
    decay = v.weight_decay or 0.0
    beta1, beta2 = (v.beta2, v.beta1) if swapped else (v.beta1, v.beta2)
    t = v.t - late
    if t < 1:
        raise ValueError("t is 0 in the first step: a division by 0")
    grad = with_penalties(v) + (decay * v.weight if decay_in_grad else 0.0)
    new = v.weight - (0.0 if decay_in_grad else v.learning_rate * decay) * v.weight
    m = beta1 * v.m + (1 - beta1) * grad
    square = beta2 * v.v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t) if correct_m else m
    v_hat = square / (1 - beta2**t) if correct_v else square
    size = v_hat if not root else np.sqrt(v_hat + v.epsilon) if epsilon_inside else np.sqrt(v_hat)
    below = size if root and epsilon_inside else size + v.epsilon
    return new - v.learning_rate * m_hat / below, {"m": m, "v": square}
