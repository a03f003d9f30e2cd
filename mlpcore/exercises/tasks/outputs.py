"""Section 3: equation 1 for pairs of a loss and an output activation, where a - y comes out and where it does not."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import kernels
from mlpcore.diagnosis.values import derivative
from mlpcore.exercises.draws import one_hot, signed, sizes, yes_or_no
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def output_cases(rng: "Generator", loss: str, activation: str, given: tuple[str, ...]) -> list[Case]:
    """Return an output layer's values for one sample and for a batch; a student is given those that `given` names."""
    n, out = sizes(rng, 2, least=3)
    cases = []
    for title, rows in ("one sample", 1), (f"a batch of {n} samples", n):
        z = signed(rng, rows, out)
        a = kernels.activation_forward(activation, z)
        y = one_hot(rng, rows, out) if activation == "softmax" else yes_or_no(rng, rows, out)
        values = {"z": z, "a": a, "y": y, "grad_a": kernels.loss_gradient(loss, a, y)}
        hidden = {"loss": loss, "activation": activation} | {k: v for k, v in values.items() if k not in given}
        arguments = {name: values[name] for name in given}
        cases.append(Case(title, arguments, points=1 if rows == 1 else 2, hidden=hidden))
    return cases


def output_values(q: Quantities) -> dict[str, Any]:
    """Return all that is known of an output layer."""
    names = ("z", "a", "y", "grad_a", "loss", "activation")
    dsigma = derivative(q.activation, q.z)
    return {name: getattr(q, name) for name in names} | {"dsigma": dsigma}


def bce_sigmoid(z: Array, y: Array) -> Array:
    """Return phi of a last layer of sigmoid units under binary cross-entropy.

    z: (n, out), the layer's pre-activations
    y: (n, out), the ground truth
    returns phi: (n, out), with the factor 1/n of the batch's mean
    """
    a = 1 / (1 + np.exp(-z))
    phi: Array = (a - y) / len(y)
    return phi


BCE_SIGMOID = Exercise(
    name="bce_sigmoid",
    title="phi for binary cross-entropy and sigmoid",
    source="section 3.2.1",
    text=r"""
Put the gradient of binary cross-entropy and the derivative of sigmoid into equation 1:

$$\phi^J = \left(-\frac{y}{a^J} + \frac{1 - y}{1 - a^J}\right) \circ a^J (1 - a^J)$$

Simplify it on paper before you write code: the denominators cancel. The loss of a batch is the mean over its $n$
samples.
""",
    hints=(
        "Multiply out: $-y (1 - a) + (1 - y) a$. What is left?",
        "It is $a - y$. And where does the $\\frac{1}{n}$ of the batch's mean belong?",
        "`(a - y) / len(y)`, where a is sigmoid of z.",
    ),
    results=(Result("phi", "phi_last", output_values),),
    cases=lambda rng: output_cases(rng, "bce", "sigmoid", ("z", "y")),
    answer=bce_sigmoid,
)


def mse_sigmoid(z: Array, y: Array) -> Array:
    """Return phi of a last layer of sigmoid units under mean squared error.

    z: (n, out), the layer's pre-activations
    y: (n, out), the ground truth
    returns phi: (n, out), with the factor 1/n of the batch's mean
    """
    n, out = y.shape
    a = 1 / (1 + np.exp(-z))
    phi: Array = 2 * (a - y) / (n * out) * a * (1 - a)
    return phi


MSE_SIGMOID = Exercise(
    name="mse_sigmoid",
    title="phi for mean squared error and sigmoid",
    source="sections 3.1.1 and 3.2",
    text=r"""
Is $\phi^J = a^J - y$ for this pair too? Put both factors into equation 1 and see:

$$\phi^J = \nabla_{a^J} L \circ \sigma'(z^J) \qquad L = \frac{1}{K} \sum_i (y_i - a_i^J)^2 \qquad
\sigma'(z^J) = a^J (1 - a^J)$$

$K$ is the number of outputs. The loss of a batch is the mean over its $n$ samples.
""",
    hints=(
        "Nothing cancels here: both factors stay.",
        "The first factor is your gradient of `mse`: $\\frac{2}{n K} (a - y)$.",
        "`2 * (a - y) / (n * out) * a * (1 - a)`.",
    ),
    results=(Result("phi", "phi_last", output_values),),
    cases=lambda rng: output_cases(rng, "mse", "sigmoid", ("z", "y")),
    answer=mse_sigmoid,
)


def eq1_softmax(grad_a: Array, z: Array) -> Array:
    """Return phi of a last layer of softmax, for any loss.

    grad_a: (n, classes), the gradient of the loss with respect to the activations
    z: (n, classes), the layer's pre-activations
    returns phi: (n, classes)
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))
    a = e / e.sum(axis=1, keepdims=True)
    phi: Array = a * (grad_a - np.sum(a * grad_a, axis=1, keepdims=True))
    return phi


EQ1_SOFTMAX = Exercise(
    name="eq1_softmax",
    title="Equation 1 with softmax",
    source="section 3.3 and errata 7",
    text=r"""
Every $a_k$ of softmax depends on every $z_i$. In the place of the product with $\sigma'$ stands a sum over all $k$: a
product with the transposed Jacobian.

$$\phi_i = \sum_k \frac{\partial L}{\partial a_k} \frac{\partial a_k}{\partial z_i}
= a_i \Bigl(\frac{\partial L}{\partial a_i} - \sum_k a_k \frac{\partial L}{\partial a_k}\Bigr)$$

Here the loss is any loss: use the gradient that you are given.
""",
    hints=(
        "Compute a first. Then $\\sum_k a_k \\frac{\\partial L}{\\partial a_k}$ is one number for each sample.",
        "`np.sum(a * grad_a, axis=1, keepdims=True)` has shape (n, 1) and can be subtracted from each row.",
        "`a * (1 - a)` alone is the diagonal of the Jacobian, which is not enough.",
    ),
    results=(Result("phi", "phi_last", output_values),),
    cases=lambda rng: output_cases(rng, "mse", "softmax", ("grad_a", "z")),
    answer=eq1_softmax,
)


def cce_softmax(z: Array, y: Array) -> Array:
    """Return phi of a last layer of softmax under categorical cross-entropy.

    z: (n, classes), the layer's pre-activations
    y: (n, classes), the ground truth, in each row a single 1
    returns phi: (n, classes), with the factor 1/n of the batch's mean
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))
    a = e / e.sum(axis=1, keepdims=True)
    phi: Array = (a - y) / len(y)
    return phi


CCE_SOFTMAX = Exercise(
    name="cce_softmax",
    title="phi for categorical cross-entropy and softmax",
    source="section 3.3.1",
    text=r"""
Put $\frac{\partial L}{\partial a_k} = -\frac{y_k}{a_k}$ into equation 1 with softmax:

$$\phi_i = a_i \Bigl(-\frac{y_i}{a_i} + \sum_k y_k\Bigr)$$

$y$ has a single 1 in each row. Simplify before you write code. The loss of a batch is the mean over its $n$ samples.
""",
    hints=(
        "What is $\\sum_k y_k$ for one sample?",
        "It is 1, so that $\\phi^J = a - y$, and a factor $\\frac{1}{n}$ comes from the mean of the batch.",
    ),
    results=(Result("phi", "phi_last", output_values),),
    cases=lambda rng: output_cases(rng, "cce", "softmax", ("z", "y")),
    answer=cce_softmax,
)
