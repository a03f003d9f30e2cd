"""Section 3: losses of a batch and their gradients with respect to the network's output."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import kernels
from mlpcore.exercises.draws import one_hot, probabilities, signed, sizes, yes_or_no
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def mse(y_hat: Array, y: Array) -> tuple[Any, Array]:
    """Return the loss of a batch and its gradient with respect to y_hat.

    y_hat: (n, out), the network's output a^J
    y: (n, out), the ground truth
    returns loss: one number
    returns grad_a: (n, out)
    """
    n, out = y.shape
    loss = np.sum((y_hat - y) ** 2) / (n * out)
    grad_a = 2 * (y_hat - y) / (n * out)
    return loss, grad_a


def bce(y_hat: Array, y: Array) -> tuple[Any, Array]:
    """Return the loss of a batch and its gradient with respect to y_hat.

    y_hat: (n, out), the network's output a^J, numbers between 0 and 1
    y: (n, out), the ground truth, zeros and ones
    returns loss: one number
    returns grad_a: (n, out)
    """
    n = len(y)
    loss = -np.sum(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)) / n
    grad_a = (-y / y_hat + (1 - y) / (1 - y_hat)) / n
    return loss, grad_a


def cce(y_hat: Array, y: Array) -> tuple[Any, Array]:
    """Return the loss of a batch and its gradient with respect to y_hat.

    y_hat: (n, classes), the network's output a^J, in each row probabilities
    y: (n, classes), the ground truth, in each row a single 1
    returns loss: one number
    returns grad_a: (n, classes)
    """
    n = len(y)
    loss = -np.sum(y * np.log(y_hat)) / n
    grad_a = -y / y_hat / n
    return loss, grad_a


def _cases(rng: "Generator", draw: Callable[[int, int], tuple[Array, Array]]) -> list[Case]:
    n, out = sizes(rng, 2, least=3)
    cases = []
    for title, rows in ("one sample", 1), (f"a batch of {n} samples", n):
        y_hat, y = draw(rows, out)
        cases.append(Case(title, {"y_hat": y_hat, "y": y}, points=1 if rows == 1 else 2))
    return cases


def _mse_cases(rng: "Generator") -> list[Case]:
    return _cases(rng, lambda n, out: (signed(rng, n, out), signed(rng, n, out)))


def _bce_cases(rng: "Generator") -> list[Case]:
    return _cases(rng, lambda n, out: (probabilities(rng, n, out), yes_or_no(rng, n, out)))


def _cce_cases(rng: "Generator") -> list[Case]:
    def draw(n: int, out: int) -> tuple[Array, Array]:
        return kernels.activation_forward("softmax", signed(rng, n, out)), one_hot(rng, n, out)

    return _cases(rng, draw)


_OUTPUTS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "mse": ("linear", lambda a: a),
    "bce": ("sigmoid", lambda a: np.log(a / (1 - a))),
    "cce": ("softmax", lambda a: 8 + np.log(a)),  # softmax forgets the 8
}
"""For each loss the output activation that goes with it, and the z that leads to a."""


def _right(loss: str) -> tuple[Result, Result]:
    activation, z_of = _OUTPUTS[loss]

    def given(q: Quantities) -> dict[str, Any]:
        return {"a": q.y_hat, "y": q.y, "z": z_of(q.y_hat), "loss": loss, "activation": activation}

    return Result("loss", "loss", given), Result("grad_a", "grad_a_last", given)


MSE = Exercise(
    name="mse",
    title="Mean squared error and its gradient",
    source="section 3.1.1",
    text=r"""
For one sample with $K$ outputs and $\hat y = a^J$:

$$L = \frac{1}{K} \sum_i (y_i - \hat y_i)^2 \qquad \nabla_{a^J} L = -\frac{2}{K} (y - a^J)$$

The loss of a batch is the mean of the losses of its $n$ samples, so its gradient has a factor $\frac{1}{n}$ too.
""",
    hints=(
        "Each number of `y_hat` is in one term of the sum only: the gradient is element by element.",
        "`n, out = y.shape`. All terms are divided by both.",
        "`np.mean((y_hat - y) ** 2)` is the loss. The derivative of a square brings a 2.",
    ),
    results=_right("mse"),
    cases=_mse_cases,
    answer=mse,
)

BCE = Exercise(
    name="bce",
    title="Binary cross-entropy and its gradient",
    source="section 3.2.1 and errata 1",
    text=r"""
For one sample, $\hat y = a^J$:

$$L = \sum_i -y_i \log \hat y_i - (1 - y_i) \log(1 - \hat y_i)$$

Derive $\nabla_{a^J} L$ yourself: the paper prints a wrong sign in it. The loss of a batch is the mean of the losses of
its $n$ samples; over the outputs of a sample it is the sum.
""",
    hints=(
        "The derivative of $\\log \\hat y$ is $1/\\hat y$; that of $\\log(1 - \\hat y)$ has a minus (chain rule).",
        "Two minuses make a plus: $-\\frac{y}{\\hat y} + \\frac{1 - y}{1 - \\hat y}$.",
        "Divide both, the loss and the gradient, by the number of samples: `len(y)`.",
    ),
    results=_right("bce"),
    cases=_bce_cases,
    answer=bce,
)

CCE = Exercise(
    name="cce",
    title="Categorical cross-entropy and its gradient",
    source="section 3.3.1",
    text=r"""
For one sample with a probability $\hat y_k$ for each class:

$$L = -\sum_k y_k \log \hat y_k \qquad \nabla_{a^J} L = -\frac{y}{\hat y}$$

$y$ is 1 for the right class and 0 for the others. The loss of a batch is the mean of the losses of its $n$ samples.
""",
    hints=(
        "In each row only the logarithm of the right class counts: the others are multiplied by 0.",
        "The mean is over samples, not over classes: divide by `len(y)`, once in the loss and once in the gradient.",
    ),
    results=_right("cce"),
    cases=_cce_cases,
    answer=cce,
)
