"""Layers without weights of the paper's kind: dropout, and batch norm forward and backward."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import kernels
from mlpcore.exercises.draws import signed, sizes
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Result
from mlpcore.layers import BatchNorm, Dense, Dropout, Layer
from mlpcore.model import Sequential

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def _backward(layer: Layer, x: Array, target: Array, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return y, grad_y and grad_x of a layer in training, whose loss is the mean squared error to a target.

    Below it stands a dense layer that hands x on; its phi is the gradient to what it hands on.
    """
    below = Dense(x.shape[1])
    model = Sequential([below, layer], input_size=x.shape[1], dtype="float64", seed=seed)
    below.w, below.b = np.eye(x.shape[1]), np.zeros(x.shape[1])
    y = model.forward(x, training=True)
    model.backward(target, loss="mse")
    return y, kernels.loss_gradient("mse", y, target), below.phi.copy()


def dropout(x: Array, mask: Array, rate: float, grad_y: Array) -> tuple[Array, Array]:
    """Return the output of dropout in training, and the gradient with respect to its input.

    x: (n, out), what the layer is given
    mask: (n, out), 1 where a number is kept and 0 where it is dropped
    rate: the probability that a number is dropped
    grad_y: (n, out), the gradient of the loss with respect to the output
    returns y, grad_x: (n, out) each
    """
    y = mask * x / (1 - rate)
    grad_x = mask * grad_y / (1 - rate)
    return y, grad_x


def _dropout_cases(rng: "Generator") -> list[Case]:
    n, out = sizes(rng, 2, least=4)
    cases = []
    for title, rows in ("one sample", 1), (f"a batch of {n} samples", n):
        x, target = signed(rng, rows, out), 5 * signed(rng, rows, out)
        rate, mask = float(rng.uniform(0.3, 0.6)), np.zeros(1)
        while mask.all() or not mask.any():  # the engine's mask, unless it keeps all or nothing
            y, grad_y, grad_x = _backward(Dropout(rate), x, target, seed=int(rng.integers(2**32)))
            mask = (y != 0).astype(np.float64)
        given = {"x": x, "mask": mask, "rate": rate, "grad_y": grad_y}
        cases.append(Case(title, given, points=1 if rows == 1 else 2, hidden={"right_y": y, "right_grad_x": grad_x}))
    return cases


DROPOUT = Exercise(
    name="dropout",
    title="Dropout, forward and backward",
    source="Srivastava et al. 2014",
    text=r"""
In training, dropout sets each number of its input to 0 with probability $r$, the rate, and divides the others by
$1 - r$: so the mean stays as it is, and nothing has to change in prediction. With a mask of ones and zeros:

$$y = \frac{\mathrm{mask} \circ x}{1 - r} \qquad
\nabla_x L = \nabla_y L \circ \frac{\partial y}{\partial x}$$

The mask is the same forward and backward. Derive $\partial y / \partial x$ yourself.
""",
    hints=(
        "$y$ is $x$ times a constant, which differs from number to number. What is the derivative of $c\\,x$?",
        "Backward does to `grad_y` what forward does to `x`: the same mask, the same factor.",
    ),
    results=(
        Result("y", "dropout", lambda q: vars(q)),
        Result("grad_x", "dropout_grad_x", lambda q: vars(q)),
    ),
    cases=_dropout_cases,
    answer=dropout,
)


def batch_norm(x: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, Array]:
    """Return the normalised numbers of a batch, and the output of batch norm in training.

    x: (n, out)
    gamma, beta: (out,) each, the learned factor and shift of each column
    epsilon: a small number
    returns x_hat, y: (n, out) each
    """
    mean = x.mean(axis=0)
    variance = np.mean((x - mean) ** 2, axis=0)
    x_hat = (x - mean) / np.sqrt(variance + epsilon)
    y = gamma * x_hat + beta
    return x_hat, y


def _norm_values(rng: "Generator", n: int, out: int) -> dict[str, Any]:
    return {
        "x": 3 * signed(rng, n, out) + signed(rng, out),
        "gamma": signed(rng, out),
        "beta": signed(rng, out),
        "epsilon": float(rng.uniform(0.2, 0.5)),
    }


def _batch_norm_cases(rng: "Generator") -> list[Case]:
    n, out = sizes(rng, 2, least=3)
    cases = []
    for title, columns in ("a batch with one column", 1), (f"a batch of {n} samples", out):
        given = _norm_values(rng, n, columns)
        right = _normalised(given["x"], np.ones(columns), np.zeros(columns), given["epsilon"])
        cases.append(Case(title, given, points=1 if columns == 1 else 2, hidden={"right_x_hat": right}))
    return cases


def _normalised(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    layer = BatchNorm(epsilon=epsilon)
    model = Sequential([layer], input_size=x.shape[1], dtype="float64", seed=0)
    layer.gamma, layer.beta = gamma, beta
    return np.array(model.forward(x, training=True))


BATCH_NORM = Exercise(
    name="batch_norm",
    title="Batch norm, forward",
    source="Ioffe & Szegedy 2015",
    text=r"""
Each column of a batch gets mean 0 and variance 1, then a learned factor and shift. For column $k$, over the samples
$s$:

$$\mu_k = \frac{1}{n} \sum_s x_{s,k} \qquad v_k = \frac{1}{n} \sum_s (x_{s,k} - \mu_k)^2$$

$$\hat x_{s,k} = \frac{x_{s,k} - \mu_k}{\sqrt{v_k + \epsilon}} \qquad y_{s,k} = \gamma_k\, \hat x_{s,k} + \beta_k$$
""",
    hints=(
        "The means are over the samples, `axis=0`: one number for each column.",
        "The variance is the mean of the squares, divided by n and not by n - 1: `x.var(axis=0)` does that.",
        "ε is under the root here, unlike in Adam.",
    ),
    results=(
        Result("x_hat", "x_hat", lambda q: vars(q)),
        Result("y", "batch_norm", lambda q: vars(q)),
    ),
    cases=_batch_norm_cases,
    answer=batch_norm,
)


def batch_norm_backward(
    grad_y: Array, x_hat: Array, gamma: Array, variance: Array, epsilon: float
) -> tuple[Array, ...]:
    """Return the gradients of batch norm in training.

    grad_y: (n, out), the gradient of the loss with respect to y
    x_hat: (n, out), the normalised numbers of forward
    gamma: (out,)
    variance: (out,), of each column in forward
    epsilon: a small number
    returns grad_beta, grad_gamma: (out,) each
    returns grad_x: (n, out)
    """
    n = len(grad_y)
    grad_beta = grad_y.sum(axis=0)
    grad_gamma = np.sum(grad_y * x_hat, axis=0)
    grad_x = gamma / np.sqrt(variance + epsilon) * (grad_y - (grad_beta + x_hat * grad_gamma) / n)
    return grad_beta, grad_gamma, grad_x


def _batch_norm_backward_cases(rng: "Generator") -> list[Case]:
    few, many, out = (*sizes(rng, 2, least=4), int(rng.integers(2, 4)))
    cases = []
    for title, n, columns in ("a batch with one column", few, 1), (f"a batch of {many} samples", many, out):
        given = _norm_values(rng, n, columns)
        layer = BatchNorm(epsilon=given["epsilon"])
        target = 5 * signed(rng, n, columns)
        x_hat = _normalised(given["x"], np.ones(columns), np.zeros(columns), given["epsilon"])
        model = Sequential([below := Dense(columns), layer], input_size=columns, dtype="float64", seed=0)
        below.w, below.b = np.eye(columns), np.zeros(columns)
        layer.gamma, layer.beta = given["gamma"], given["beta"]
        y = model.forward(given["x"], training=True)
        model.backward(target, loss="mse")
        right = {"grad_beta": layer.grad_beta, "grad_gamma": layer.grad_gamma, "grad_x": below.phi}
        arguments = {
            "grad_y": kernels.loss_gradient("mse", y, target),
            "x_hat": x_hat,
            "gamma": given["gamma"],
            "variance": given["x"].var(axis=0),
            "epsilon": given["epsilon"],
        }
        hidden = {f"right_{name}": np.array(value) for name, value in right.items()}
        cases.append(Case(title, arguments, points=1 if columns == 1 else 2, hidden=hidden))
    return cases


BATCH_NORM_BACKWARD = Exercise(
    name="batch_norm_backward",
    title="Batch norm, backward",
    source="Ioffe & Szegedy 2015",
    text=r"""
Mean and variance depend on every sample of the batch, so each $x_{s,k}$ reaches the loss through all $y$ of its column:

$$\nabla_{\beta_k} L = \sum_s \nabla_{y_{s,k}} L \qquad \nabla_{\gamma_k} L = \sum_s \nabla_{y_{s,k}} L\; \hat x_{s,k}$$

$$\nabla_{x_{s,k}} L = \frac{\gamma_k}{\sqrt{v_k + \epsilon}}
\Bigl(\nabla_{y_{s,k}} L - \frac{1}{n} \bigl(\nabla_{\beta_k} L + \hat x_{s,k}\, \nabla_{\gamma_k} L\bigr)\Bigr)$$
""",
    hints=(
        "The first two are sums over the samples, `axis=0`.",
        "The third uses both of them: arrays of shape (out,), which NumPy repeats for each row.",
        "The bracket is `grad_y - (grad_beta + x_hat * grad_gamma) / n`.",
    ),
    results=(
        Result("grad_beta", "grad_beta", lambda q: vars(q)),
        Result("grad_gamma", "grad_gamma", lambda q: vars(q)),
        Result("grad_x", "batch_norm_grad_x", lambda q: vars(q)),
    ),
    cases=_batch_norm_backward_cases,
    answer=batch_norm_backward,
)
