"""Section 3: activations and their derivatives, element by element, and softmax with its Jacobian."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import kernels
from mlpcore.activations import LeakyReLU
from mlpcore.engine import Choice
from mlpcore.exercises.draws import signed, sizes
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def relu(z: Array) -> tuple[Array, Array]:
    """Return the activations and their derivatives.

    z: (n, out)
    returns a, dsigma: (n, out) each
    """
    a = np.maximum(z, 0)
    dsigma = np.where(z > 0, 1.0, 0.0)
    return a, dsigma


def leaky_relu(z: Array, slope: float) -> tuple[Array, Array]:
    """Return the activations and their derivatives.

    z: (n, out)
    slope: s, a number from 0 to 1
    returns a, dsigma: (n, out) each
    """
    a = np.where(z > 0, z, slope * z)
    dsigma = np.where(z > 0, 1.0, slope)
    return a, dsigma


def sigmoid(z: Array) -> tuple[Array, Array]:
    """Return the activations and their derivatives.

    z: (n, out)
    returns a, dsigma: (n, out) each
    """
    a = 1 / (1 + np.exp(-z))
    dsigma = a * (1 - a)
    return a, dsigma


def tanh(z: Array) -> tuple[Array, Array]:
    """Return the activations and their derivatives.

    z: (n, out)
    returns a, dsigma: (n, out) each
    """
    a = np.tanh(z)
    dsigma = 1 - a**2
    return a, dsigma


def _elementwise_cases(rng: "Generator", *, far: float, tip: str = "") -> list[Case]:
    n, out = sizes(rng, 2, least=3)
    z = signed(rng, n, out)
    edge = np.array([[0.0, far, -far]])
    return [
        Case(f"{n * out} numbers", {"z": z}),
        Case("0 and numbers far from it", {"z": edge}, tip=tip),
        Case("one number", {"z": signed(rng, 1, 1)}, points=1),
    ]


def _relu_cases(rng: "Generator") -> list[Case]:
    return _elementwise_cases(rng, far=1e3, tip="By convention the derivative of ReLU at 0 is 0.")


def _leaky_relu_cases(rng: "Generator") -> list[Case]:
    cases = _elementwise_cases(rng, far=1e3, tip="At 0 take the slope of the left side, s.")
    return [
        Case(case.title, {**case.arguments, "slope": float(rng.uniform(0.1, 0.4))}, case.points, case.tip)
        for case in cases
    ]


def _sigmoid_cases(rng: "Generator") -> list[Case]:
    return _elementwise_cases(rng, far=30.0)


def _right(activation: Callable[[Quantities], Choice]) -> tuple[Result, Result]:
    return (
        Result("a", "a", lambda q: {"z": q.z, "activation": activation(q)}),
        Result("dsigma", "dsigma", lambda q: {"z": q.z, "a": q.a, "activation": activation(q)}),
    )


RELU = Exercise(
    name="relu",
    title="ReLU and its derivative",
    source="section 3.1",
    text=r"""
$$\sigma(z) = \begin{cases} z & z > 0 \\ 0 & z \le 0 \end{cases}
\qquad \sigma'(z) = \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}$$

At 0 ReLU has no derivative; 0 is taken by convention.
""",
    hints=(
        "`np.maximum` compares two arrays element by element, also with one number.",
        "`z > 0` is an array of True and False. `np.where(condition, this, that)` makes numbers of it.",
        "`np.maximum(z, 0)` and `np.where(z > 0, 1.0, 0.0)`.",
    ),
    results=_right(lambda q: "relu"),
    cases=_relu_cases,
    answer=relu,
)

LEAKY_RELU = Exercise(
    name="leaky_relu",
    title="Leaky ReLU and its derivative",
    source="after section 3.1",
    text=r"""
A unit of ReLU whose z is negative for every sample learns nothing more. A small slope $s$ on the left side helps:

$$\sigma(z) = \begin{cases} z & z > 0 \\ s\,z & z \le 0 \end{cases}
\qquad \sigma'(z) = \begin{cases} 1 & z > 0 \\ s & z \le 0 \end{cases}$$
""",
    hints=(
        "Begin with your `relu`. What takes the place of 0 in each of its two lines?",
        "`np.where(z > 0, z, ...)` and `np.where(z > 0, 1.0, ...)`.",
    ),
    results=_right(lambda q: LeakyReLU(q.slope)),
    cases=_leaky_relu_cases,
    answer=leaky_relu,
)

SIGMOID = Exercise(
    name="sigmoid",
    title="Sigmoid and its derivative",
    source="section 3.2",
    text=r"""
$$\sigma(z) = \frac{1}{1 + e^{-z}} \qquad \sigma'(z) = \sigma(z)\,(1 - \sigma(z))$$

Written in $a = \sigma(z)$ the derivative is $a\,(1 - a)$.
""",
    hints=(
        "`np.exp(-z)` is $e^{-z}$ for each number of z.",
        "The derivative needs `a`, which you have already. Do not put `a` into σ again.",
        "`a = 1 / (1 + np.exp(-z))`, then `a * (1 - a)`.",
    ),
    results=_right(lambda q: "sigmoid"),
    cases=_sigmoid_cases,
    answer=sigmoid,
)

TANH = Exercise(
    name="tanh",
    title="Tanh and its derivative",
    source="section 3, another activation",
    text=r"""
$$\sigma(z) = \tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}} \qquad \sigma'(z) = 1 - \tanh(z)^2$$
""",
    hints=(
        "NumPy has `np.tanh`, which also takes large numbers.",
        "Written in $a = \\tanh(z)$ the derivative is $1 - a^2$: `1 - a**2`.",
    ),
    results=_right(lambda q: "tanh"),
    cases=_sigmoid_cases,
    answer=tanh,
)


def softmax(z: Array) -> Array:
    """Return the activations: in each row positive numbers whose sum is 1.

    z: (n, classes)
    returns a: (n, classes)
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))
    a: Array = e / e.sum(axis=1, keepdims=True)
    return a


def _softmax_cases(rng: "Generator") -> list[Case]:
    n, classes = sizes(rng, 2, least=3)
    large = "Subtract the largest number of each row before `np.exp`: the result is the same, and nothing overflows."
    return [
        Case("one sample", {"z": signed(rng, 1, classes)}, points=1),
        Case(f"a batch of {n} samples", {"z": signed(rng, n, classes)}),
        Case("numbers near 1,000", {"z": 1000 + signed(rng, n, classes)}, tip=large),
    ]


SOFTMAX = Exercise(
    name="softmax",
    title="Softmax",
    source="section 3.3",
    text=r"""
Softmax makes a probability of each class, row by row:

$$a_i = \frac{e^{z_i}}{\sum_k e^{z_k}}$$

Every number of a row enters each $a_i$ of the row. A number added to all $z_k$ of a row cancels, and $e^{1000}$ is too
large for a float: choose the number so that your function works there too.
""",
    hints=(
        "The sum is over the classes of one sample: `axis=1`. `keepdims=True` makes that (n, 1), to divide rows by.",
        "$e^{z_i - m} / \\sum_k e^{z_k - m}$ is the same for every $m$. Which $m$ leaves no positive exponent?",
        "`e = np.exp(z - z.max(axis=1, keepdims=True))`, then divide by its sum over each row.",
    ),
    results=(Result("a", "a", lambda q: {"z": q.z, "activation": "softmax"}),),
    cases=_softmax_cases,
    answer=softmax,
)


def softmax_jacobian(a: Array) -> Array:
    """Return the derivative of each activation of one sample with respect to each of its z.

    a: (classes,), softmax of the sample's z
    returns jacobian: (classes, classes), row k holds the derivatives of a_k
    """
    jacobian: Array = np.diag(a) - np.outer(a, a)
    return jacobian


def _jacobian_cases(rng: "Generator") -> list[Case]:
    few, many = sizes(rng, 2, least=3)
    drawn = [kernels.activation_forward("softmax", signed(rng, 1, size))[0] for size in (2, few, many)]
    return [Case(f"{len(a)} classes", {"a": a}, points=1 if len(a) == 2 else 2) for a in drawn]


def _of_sample(q: Quantities) -> dict[str, Any]:
    """Return one sample as a batch; softmax of log(a) is a."""
    return {"z": np.log(q.a)[np.newaxis], "a": q.a[np.newaxis], "activation": "softmax"}


SOFTMAX_JACOBIAN = Exercise(
    name="softmax_jacobian",
    title="The Jacobian of softmax",
    source="section 3.3 and errata 7",
    text=r"""
Each $a_k$ of softmax depends on every $z_i$, so its derivatives are a matrix:

$$\frac{\partial a_k}{\partial z_i} = a_k\,([i = k] - a_i)$$

$[i = k]$ is 1 if $i$ equals $k$ and 0 otherwise.
""",
    hints=(
        "On the diagonal the derivative is $a_k (1 - a_k)$. What is it elsewhere?",
        "Multiplied out it is $[i = k]\\,a_k - a_k a_i$: a diagonal matrix minus all products of two activations.",
        "`np.diag(a)` and `np.outer(a, a)`.",
    ),
    results=(Result("jacobian", "dsigma", _of_sample, drop=1, axes="(classes, classes)"),),
    cases=_jacobian_cases,
    answer=softmax_jacobian,
)
