"""Section 1.2: one unit, a layer, and a network forward."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore.exercises.draws import signed, sizes
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def neuron(x: Array, w: Array, b: float) -> tuple[Any, Any]:
    """Return the pre-activation and the activation of one sigmoid unit.

    x: (in,), the unit's inputs
    w: (in,), a weight for each input
    b: the bias, one number
    returns z, a: one number each
    """
    z = np.sum(w * x) + b
    a = 1 / (1 + np.exp(-z))
    return z, a


def _neuron_cases(rng: "Generator") -> list[Case]:
    cases = []
    for title, size, sign in ("one input", 1, 1), ("several inputs", int(rng.integers(3, 7)), -1):
        w, x = signed(rng, size), signed(rng, size)
        b = sign * float(rng.uniform(0.2, 2.0)) - float(w @ x)  # z has this sign
        cases.append(Case(title, {"x": x, "w": w, "b": b}, points=1 if size == 1 else 2))
    return cases


def _unit(q: Quantities) -> dict[str, Array]:
    """Return one unit and one sample as a layer and a batch."""
    return {"x": q.x[np.newaxis], "w": q.w[np.newaxis], "b": np.array([q.b])}


NEURON = Exercise(
    name="neuron",
    title="One neuron",
    source="section 1.2",
    text=r"""
A unit multiplies each of its inputs by a weight, adds up the products and a bias, and applies an activation $\sigma$:

$$z = \sum_k w_k x_k + b \qquad a = \sigma(z)$$

Here $\sigma$ is the sigmoid, $\sigma(z) = \frac{1}{1 + e^{-z}}$.
""",
    hints=(
        "`w * x` multiplies element by element. What is missing to get one number?",
        "`np.sum(w * x)` or `w @ x` is the sum of the products. The bias is added once, after the sum.",
        "`np.exp(-z)` is $e^{-z}$. Return both numbers: `return z, a`.",
    ),
    results=(
        Result("z", "z", lambda q: {**_unit(q), "activation": "sigmoid"}, drop=2),
        Result("a", "a", lambda q: {**_unit(q), "z": np.array([[q.z]]), "activation": "sigmoid"}, drop=2),
    ),
    cases=_neuron_cases,
    answer=neuron,
)


def pre_activation(x: Array, w: Array, b: Array) -> Array:
    """Return the pre-activations of a layer for a batch.

    x: (n, in), one sample a row
    w: (out, in), row i holds the weights of unit i
    b: (out,)
    returns z: (n, out)
    """
    return x @ w.T + b


def _layer_cases(rng: "Generator") -> list[Case]:
    n, inputs, out = sizes(rng, 3)
    w, b = signed(rng, out, inputs), signed(rng, out)
    return [
        Case("one sample", {"x": signed(rng, 1, inputs), "w": w, "b": b}, points=1),
        Case(f"a batch of {n} samples", {"x": signed(rng, n, inputs), "w": w, "b": b}),
    ]


PRE_ACTIVATION = Exercise(
    name="pre_activation",
    title="The pre-activations of a layer",
    source="section 1.2",
    text=r"""
The paper writes one sample as a column: $z^j = w^j a^{j-1} + b^j$. In code the samples are the rows of a matrix
$X = a^{j-1}$, and the equation is transposed:

$$Z = X\,W^T + b$$

$b$ is added to each row.
""",
    hints=(
        "What are the shapes of `x` and `w`? Which two sizes have to meet in the product?",
        "`w.T` has shape (in, out), so `x @ w.T` has shape (n, out).",
        "NumPy adds an array of shape (out,) to each row of an (n, out) array: `x @ w.T + b`.",
    ),
    results=(Result("z", "z", lambda q: {"x": q.x, "w": q.w, "b": q.b, "activation": "sigmoid"}),),
    cases=_layer_cases,
    answer=pre_activation,
)


def forward_pass(x: Array, w1: Array, b1: Array, w2: Array, b2: Array) -> tuple[Array, ...]:
    """Return all pre-activations and activations of a network of two layers.

    x: (n, in), the inputs, a^0
    w1, b1: (hidden, in) and (hidden,), the hidden layer, whose activation is tanh
    w2, b2: (out, hidden) and (out,), the last layer, whose activation is sigmoid
    returns z1, a1, z2, a2: (n, hidden) twice, then (n, out) twice
    """
    z1 = x @ w1.T + b1
    a1 = np.tanh(z1)
    z2 = a1 @ w2.T + b2
    a2 = 1 / (1 + np.exp(-z2))
    return z1, a1, z2, a2


def network_of(rng: "Generator") -> tuple[int, dict[str, Array]]:
    """Return a number of samples, and the data and weights of a network of two layers."""
    n, inputs, hidden, out = sizes(rng, 4, least=3)
    return n, {
        "x": signed(rng, n, inputs),
        "w1": signed(rng, hidden, inputs) / 2,
        "b1": signed(rng, hidden) / 2,
        "w2": signed(rng, out, hidden) / 2,
        "b2": signed(rng, out) / 2,
    }


def _forward_cases(rng: "Generator") -> list[Case]:
    n, given = network_of(rng)
    return [
        Case("one sample", given | {"x": given["x"][:1].copy()}, points=1),
        Case(f"a batch of {n} samples", given),
    ]


def _layer(x: Array, w: Array, b: Array, activation: str) -> dict[str, Any]:
    return {"x": x, "w": w, "b": b, "activation": activation}


FORWARD_PASS = Exercise(
    name="forward_pass",
    title="A whole forward pass",
    source="section 1.2",
    text=r"""
Two layers. The activations of the first are the inputs of the second:

$$z^1 = w^1 a^0 + b^1 \qquad a^1 = \tanh(z^1) \qquad z^2 = w^2 a^1 + b^2 \qquad a^2 = \sigma(z^2)$$

$a^0$ is the data and $\sigma$ the sigmoid. Backpropagation needs all four results, so return them all.
Each is judged by what you made of the one before it: a mistake in $z^1$ does not cost the points of $a^1$.
""",
    hints=(
        "Each layer does what `pre_activation` does, and then its activation.",
        "`np.tanh` works element by element. The input of the second layer is `a1`, not `x` and not `z1`.",
        "The last line is `return z1, a1, z2, a2`.",
    ),
    results=(
        Result("z1", "z", lambda q: _layer(q.x, q.w1, q.b1, "tanh"), layer=1),
        Result("a1", "a", lambda q: {**_layer(q.x, q.w1, q.b1, "tanh"), "z": q.z1}, layer=1),
        Result(
            "z2",
            "z",
            lambda q: {**_layer(q.a1, q.w2, q.b2, "sigmoid"), "z_before": q.z1, "x_network": q.x},
            layer=2,
        ),
        Result("a2", "a", lambda q: {**_layer(q.a1, q.w2, q.b2, "sigmoid"), "z": q.z2}, layer=2),
    ),
    cases=_forward_cases,
    answer=forward_pass,
)
