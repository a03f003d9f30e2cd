"""Optimizers: what becomes of weights and their gradient in one step."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore.exercises.draws import signed, sizes
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def sgd(w: Array, grad_w: Array, learning_rate: float) -> Array:
    """Return the weights after one step of gradient descent.

    w: (out, in)
    grad_w: (out, in), the gradient of the loss with respect to w
    learning_rate: eta, a number
    returns w_new: (out, in)
    """
    return w - learning_rate * grad_w


def _cases(rng: "Generator", numbers: dict[str, float], states: tuple[str, ...], titles: dict[str, int]) -> list[Case]:
    """Return cases whose states are 0, as before the first step, and others for later steps, numbered t."""
    inputs, out = sizes(rng, 2)
    cases = []
    for title, t in titles.items():
        given: dict[str, Any] = {"w": signed(rng, out, inputs), "grad_w": signed(rng, out, inputs)}
        for state in states:
            drawn = np.abs(signed(rng, out, inputs)) if state == "v" else signed(rng, out, inputs)
            given[state] = np.zeros((out, inputs)) if t == 1 else drawn
        given |= {"t": t} if "t" in numbers else {}
        cases.append(Case(title, given | {name: value for name, value in numbers.items() if name != "t"}))
    return cases


def _sgd_cases(rng: "Generator") -> list[Case]:
    return _cases(rng, {"learning_rate": float(rng.uniform(0.2, 0.9))}, (), {"some weights": 1, "other weights": 1})


def plain_descent(weight: Array, grad: Array, learning_rate: float) -> dict[str, Any]:
    """Return what a step of gradient descent without momentum reads."""
    constants = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    return constants | {"weight": weight, "w": weight, "grad": grad, "grad_w": grad, "learning_rate": learning_rate}


SGD = Exercise(
    name="sgd",
    title="Gradient descent",
    source="section 1.2",
    text=r"""
The gradient points to where the loss grows fastest. A step goes the other way; its length is the learning rate $\eta$
times the gradient:

$$w \leftarrow w - \eta\, \nabla_w L$$

Return a new array and leave `w` as it is.
""",
    hints=(
        "Downhill is against the gradient.",
        "`w - learning_rate * grad_w` is a new array; `w -= ...` would change the caller's.",
    ),
    results=(Result("w_new", "w_new", lambda q: plain_descent(q.w, q.grad_w, q.learning_rate)),),
    cases=_sgd_cases,
    answer=sgd,
)


def momentum_step(
    w: Array, grad_w: Array, velocity: Array, learning_rate: float, momentum: float
) -> tuple[Array, Array]:
    """Return the velocity and the weights after one step of gradient descent with momentum.

    w: (out, in)
    grad_w: (out, in), the gradient of the loss with respect to w
    velocity: (out, in), that of the step before, 0 at first
    learning_rate: eta, a number
    momentum: mu, a number from 0 to 1
    returns velocity_new, w_new: (out, in) each
    """
    velocity_new = momentum * velocity + grad_w
    w_new = w - learning_rate * velocity_new
    return velocity_new, w_new


def _momentum_cases(rng: "Generator") -> list[Case]:
    numbers = {"learning_rate": float(rng.uniform(0.2, 0.7)), "momentum": float(rng.uniform(0.6, 0.95))}
    return _cases(rng, numbers, ("velocity",), {"the first step": 1, "a later step": 2})


def _momentum(q: Quantities) -> dict[str, Any]:
    """Return what the step reads; if a student's new velocity is another, then an old one that leads to it."""
    velocity = q.velocity
    if "velocity_new" in vars(q) and not np.array_equal(q.velocity_new, q.momentum * velocity + q.grad_w):
        velocity = (q.velocity_new - q.grad_w) / q.momentum
    return plain_descent(q.w, q.grad_w, q.learning_rate) | {"momentum": q.momentum, "velocity": velocity}


MOMENTUM = Exercise(
    name="momentum_step",
    title="Momentum",
    source="Polyak 1964",
    text=r"""
The step follows a velocity, which remembers earlier gradients; $\mu$ says how much of it is left after a step:

$$v \leftarrow \mu\, v + \nabla_w L \qquad w \leftarrow w - \eta\, v$$

(Some books multiply the gradient by $1 - \mu$ or put $\eta$ into $v$. Take the form above.)
""",
    hints=(
        "First the new velocity, then the step with the new velocity.",
        "`velocity_new = momentum * velocity + grad_w`. The learning rate comes in the second equation only.",
    ),
    results=(
        Result("velocity_new", "velocity_new", _momentum),
        Result("w_new", "w_new", _momentum),
    ),
    cases=_momentum_cases,
    answer=momentum_step,
)


def adam_step(
    w: Array,
    grad_w: Array,
    m: Array,
    v: Array,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Return both running means and the weights after step t of Adam.

    w: (out, in)
    grad_w: (out, in), the gradient of the loss with respect to w
    m, v: (out, in) each, those of the step before, 0 at first
    t: the number of this step, 1 for the first
    learning_rate, beta1, beta2, epsilon: numbers
    returns m_new, v_new, w_new: (out, in) each
    """
    m_new = beta1 * m + (1 - beta1) * grad_w
    v_new = beta2 * v + (1 - beta2) * grad_w**2
    m_hat = m_new / (1 - beta1**t)
    v_hat = v_new / (1 - beta2**t)
    w_new = w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return m_new, v_new, w_new


def _adam_cases(rng: "Generator") -> list[Case]:
    numbers = {
        "t": 0.0,
        "learning_rate": float(rng.uniform(0.2, 0.7)),
        "beta1": float(rng.uniform(0.6, 0.9)),
        "beta2": float(rng.uniform(0.91, 0.98)),
        "epsilon": float(rng.uniform(0.05, 0.2)),
    }
    later = int(rng.integers(3, 7))
    return _cases(rng, numbers, ("m", "v"), {"the first step": 1, f"step {later}": later})


def _adam(q: Quantities) -> dict[str, Any]:
    """Return what the step reads; if a student's new means are others, then old ones that lead to them."""
    m, v = q.m, q.v
    if "v_new" in vars(q):
        m = (q.m_new - (1 - q.beta1) * q.grad_w) / q.beta1
        v = (q.v_new - (1 - q.beta2) * q.grad_w**2) / q.beta2
        if (q.v_new < 0).any():  # has no root
            v = q.v
    constants = {name: getattr(q, name) for name in ("t", "learning_rate", "beta1", "beta2", "epsilon")}
    arrays = {"weight": q.w, "w": q.w, "grad": q.grad_w, "grad_w": q.grad_w, "m": m, "v": v}
    return constants | arrays | {"optimizer": "adam", "weight_decay": 0.0}


ADAM = Exercise(
    name="adam_step",
    title="Adam",
    source="Kingma & Ba 2015",
    text=r"""
Adam keeps a running mean $m$ of the gradient and one, $v$, of its square. Both begin as 0, which is corrected by
$1 - \beta^t$ in step $t$ (1, 2, ...):

$$m \leftarrow \beta_1 m + (1 - \beta_1) \nabla_w L \qquad v \leftarrow \beta_2 v + (1 - \beta_2) (\nabla_w L)^2$$

$$w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}$$

The square and the root are element by element. What is returned as $m$ and $v$ is not corrected.
""",
    hints=(
        "Five lines: the new m, the new v, each of them corrected, and the step.",
        "`m_hat = m_new / (1 - beta1**t)` is used in the step only; the next step goes on with `m_new`.",
        "ε is added to the root, not under it: `np.sqrt(v_hat) + epsilon`.",
    ),
    results=(
        Result("m_new", "m_new", _adam),
        Result("v_new", "v_new", _adam),
        Result("w_new", "w_new", _adam),
    ),
    cases=_adam_cases,
    answer=adam_step,
)
