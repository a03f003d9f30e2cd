"""Section 2 as a whole: backward through two layers, the check by differences, and a step of the whole network."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import kernels
from mlpcore.diagnosis.values import derivative
from mlpcore.exercises.draws import signed, sizes, yes_or_no
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result
from mlpcore.exercises.tasks.steps_of_descent import plain_descent
from mlpcore.exercises.tasks.units import network_of
from mlpcore.layers import Dense
from mlpcore.model import Sequential

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def backward_pass(x: Array, z1: Array, a1: Array, w2: Array, z2: Array, a2: Array, y: Array) -> tuple[Array, ...]:
    """Return phi and the gradients of both layers.

    x: (n, in), the inputs
    z1, a1: (n, hidden), of the hidden layer, whose activation is tanh
    w2: (out, hidden), the weights of the last layer
    z2, a2: (n, out), of the last layer, whose activation is sigmoid
    y: (n, out), the ground truth
    returns phi2, grad_w2, grad_b2: (n, out), (out, hidden), (out,)
    returns phi1, grad_w1, grad_b1: (n, hidden), (hidden, in), (hidden,)
    """
    phi2 = (a2 - y) / len(y)
    grad_w2 = phi2.T @ a1
    grad_b2 = phi2.sum(axis=0)
    phi1 = (phi2 @ w2) * (1 - a1**2)
    grad_w1 = phi1.T @ x
    grad_b1 = phi1.sum(axis=0)
    return phi2, grad_w2, grad_b2, phi1, grad_w1, grad_b1


def _forward(given: dict[str, Any]) -> dict[str, Array]:
    """Return z and a of both layers, the engine's."""
    hidden, last = Dense(len(given["b1"]), "tanh"), Dense(len(given["b2"]), "sigmoid")
    model = Sequential([hidden, last], input_size=given["x"].shape[1], dtype="float64", seed=0)
    hidden.w, hidden.b, last.w, last.b = given["w1"], given["b1"], given["w2"], given["b2"]
    model.forward(given["x"])
    return {"z1": hidden.z.copy(), "a1": hidden.a.copy(), "z2": last.z.copy(), "a2": last.a.copy()}


def _network_cases(rng: "Generator", names: tuple[str, ...], extra: dict[str, float]) -> list[Case]:
    n, given = network_of(rng)
    out = len(given["b2"])
    cases = []
    for title, rows in ("one sample", 1), (f"a batch of {n} samples", n):
        values: dict[str, Any] = {**given, **extra, "x": given["x"][:rows].copy(), "y": yes_or_no(rng, rows, out)}
        values |= _forward(values)
        hidden = {name: value for name, value in values.items() if name not in names}
        cases.append(Case(title, {name: values[name] for name in names}, points=1 if rows == 1 else 2, hidden=hidden))
    return cases


def _phi2(q: Quantities) -> Array:
    return kernels.output_phi("bce", "sigmoid", q.z2, q.y)


def _last(q: Quantities) -> dict[str, Any]:
    """Return all that is known of the last layer, from its own phi downwards."""
    return {
        "x": q.a1,
        "z_before": q.z1,
        "x_network": q.x,
        "w": q.w2,
        "z": q.z2,
        "a": q.a2,
        "dsigma": derivative("sigmoid", q.z2),
        "grad_a": kernels.loss_gradient("bce", q.a2, q.y),
        "y": q.y,
        "loss": "bce",
        "activation": "sigmoid",
    }


def _hidden(q: Quantities) -> dict[str, Any]:
    """Return all that is known of the hidden layer, by what there is for phi of the last."""
    phi2 = q.phi2 if "phi2" in vars(q) else _phi2(q)
    last = _last(q)
    values = {
        "x": q.x,
        "x_network": q.x,
        "z": q.z1,
        "a": q.a1,
        "dsigma": derivative("tanh", q.z1),
        "grad_a": phi2 @ q.w2,
        "phi_next": phi2,
        "w_next": q.w2,
        "y": q.y,
        "loss": "bce",
        "activation": "tanh",
    }
    if "learning_rate" in vars(q):
        values["w_next_new"] = q.w2 - q.learning_rate * phi2.T @ q.a1
    return values | {f"{name}_next": last[name] for name in ("z", "a", "dsigma", "grad_a")}


def _step(q: Quantities, weight: Array, grad: Array) -> dict[str, Any]:
    return plain_descent(weight, grad, q.learning_rate) | {"activation": "tanh"}


BACKWARD_PASS = Exercise(
    name="backward_pass",
    title="A whole backward pass",
    source="section 2, equations 1 to 4",
    text=r"""
Two layers: tanh units, then sigmoid units under binary cross-entropy. Go from the last layer to the first:

$$\phi^2 = \nabla_{z^2} L \qquad \nabla_{w^2} L = \phi^2 (a^1)^T \qquad \nabla_{b^2} L = \phi^2$$

$$\phi^1 = (w^2)^T \phi^2 \circ \sigma'(z^1) \qquad \nabla_{w^1} L = \phi^1 (a^0)^T \qquad \nabla_{b^1} L = \phi^1$$

$a^0$ is the data, `x`. The loss is the mean over the $n$ samples, one a row.
Each result is judged by what you made of the ones before it: a mistake costs its points once.
""",
    hints=(
        "You have written all six lines in the exercises before this one. Which layer's a enters equation 3?",
        "Equation 3 takes the input of the layer: `a1` for the last layer, `x` for the first.",
        "For tanh $\\sigma'(z^1) = 1 - (a^1)^2$. For this pair of loss and activation $\\phi^2 = (a^2 - y) / n$.",
    ),
    results=(
        Result("phi2", "phi_last", _last, layer=2),
        Result("grad_w2", "grad_w", lambda q: {**_last(q), "phi": q.phi2}, layer=2),
        Result("grad_b2", "grad_b", lambda q: {**_last(q), "phi": q.phi2}, layer=2),
        Result("phi1", "phi_hidden", _hidden, layer=1),
        Result("grad_w1", "grad_w", lambda q: {**_hidden(q), "phi": q.phi1}, layer=1),
        Result("grad_b1", "grad_b", lambda q: {**_hidden(q), "phi": q.phi1}, layer=1),
    ),
    cases=lambda rng: _network_cases(rng, ("x", "z1", "a1", "w2", "z2", "a2", "y"), {}),
    answer=backward_pass,
)


def training_step(
    x: Array, y: Array, w1: Array, b1: Array, w2: Array, b2: Array, learning_rate: float
) -> tuple[Array, ...]:
    """Return phi of the hidden layer, and all weights and biases after one step of gradient descent.

    x: (n, in), the inputs
    y: (n, out), the ground truth
    w1, b1: (hidden, in) and (hidden,), the hidden layer, whose activation is tanh
    w2, b2: (out, hidden) and (out,), the last layer, whose activation is sigmoid
    learning_rate: eta, a number
    returns phi1: (n, hidden)
    returns w1_new, b1_new, w2_new, b2_new: shaped like w1, b1, w2 and b2
    """
    a1 = np.tanh(x @ w1.T + b1)
    a2 = 1 / (1 + np.exp(-(a1 @ w2.T + b2)))
    phi2 = (a2 - y) / len(y)
    phi1 = (phi2 @ w2) * (1 - a1**2)
    w1_new = w1 - learning_rate * phi1.T @ x
    b1_new = b1 - learning_rate * phi1.sum(axis=0)
    w2_new = w2 - learning_rate * phi2.T @ a1
    b2_new = b2 - learning_rate * phi2.sum(axis=0)
    return phi1, w1_new, b1_new, w2_new, b2_new


TRAINING_STEP = Exercise(
    name="training_step",
    title="One step of a whole network",
    source="sections 1.2 and 2",
    text=r"""
Forward, backward, and one step of gradient descent for the network of the last exercises, under binary cross-entropy:

$$w^j \leftarrow w^j - \eta\, \nabla_{w^j} L \qquad b^j \leftarrow b^j - \eta\, \nabla_{b^j} L$$

All gradients belong to the weights *before* the step. Return $\phi^1$ too, so that it can be judged by itself.
""",
    hints=(
        "Do all of the backward pass before you change any weight.",
        "Equation 2 for $\\phi^1$ needs $w^2$ as it was in the forward pass.",
        "Do not write `w2 -= ...`: that changes the array that you were given. Give the new ones new names.",
    ),
    results=(
        Result("phi1", "phi_hidden", _hidden, layer=1),
        Result("w1_new", "w_new", lambda q: _step(q, q.w1, q.phi1.T @ q.x), layer=1),
        Result("b1_new", "b_new", lambda q: _step(q, q.b1, q.phi1.sum(axis=0)), layer=1),
        Result("w2_new", "w_new", lambda q: _step(q, q.w2, _phi2(q).T @ q.a1), layer=2),
        Result("b2_new", "b_new", lambda q: _step(q, q.b2, _phi2(q).sum(axis=0)), layer=2),
    ),
    cases=lambda rng: _network_cases(
        rng, ("x", "y", "w1", "b1", "w2", "b2", "learning_rate"), {"learning_rate": float(rng.uniform(0.3, 0.9))}
    ),
    answer=training_step,
)


def gradient_check(f: Callable[[Array], float], w: Array, h: float) -> Array:
    """Return the numerical gradient of f at w, element by element.

    f: a function of an array like w; it returns one number
    w: (out, in)
    h: how far each element is moved up and down
    returns numeric: (out, in)
    """
    numeric = np.zeros_like(w)
    for index in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[index] += h
        down[index] -= h
        numeric[index] = (f(up) - f(down)) / (2 * h)
    return numeric


def _gradient_cases(rng: "Generator") -> list[Case]:
    n, inputs, out = sizes(rng, 3)
    x, y, b = signed(rng, n, inputs), yes_or_no(rng, n, out), signed(rng, out)

    def loss(w: Array) -> float:
        return kernels.output_loss("bce", "sigmoid", kernels.dense_forward(x, w, b), y)

    return [
        Case(title, {"f": loss, "w": signed(rng, out, inputs), "h": h}, hidden={"x": x, "y": y, "b": b})
        for title, h in (("a large h", float(rng.uniform(0.2, 0.4))), ("a small h", 1e-5))
    ]


GRADIENT_CHECK = Exercise(
    name="gradient_check",
    title="Gradient checking",
    source="what proves sections 2 and 3",
    text=r"""
A check of backpropagation that needs no theory: move one weight up and down by $h$ and see how the loss changes. The
central difference is nearer to the derivative than the difference to one side, by a factor of about $h$:

$$\frac{\partial L}{\partial w_{i,k}} \approx \frac{L(w_{i,k} + h) - L(w_{i,k} - h)}{2 h}$$

Move one weight at a time, and leave the others as they are.
""",
    hints=(
        "`for index in np.ndindex(w.shape):` goes through all elements; `w[index]` is one of them.",
        "Change a copy, `up = w.copy()`, so that w stays as it is.",
        "`(f(up) - f(down)) / (2 * h)`: the two points are 2 h apart.",
    ),
    results=(Result("numeric", "numeric", lambda q: vars(q)),),
    cases=_gradient_cases,
    answer=gradient_check,
)
