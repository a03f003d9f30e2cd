"""The operations of the paper as functions of NumPy arrays; the engine computes with the same kernels.

=========================  ============================================================================
`dense_forward`            z = x wᵀ + b (section 1.2)
`dense_backward`           grad_x = phi w, grad_w = phiᵀ x, grad_b = sum of phi (eq. 2 without sigma', 3, 4)
`activation_forward`       a = sigma(z) (section 3)
`activation_backward`      phi = grad_a through sigma'(z) (eq. 1 and 2)
`loss_value`               the loss of a batch, from y_hat = a^J (section 3)
`loss_gradient`            its gradient with respect to y_hat (section 3)
`output_loss`              the loss of a batch, from z^J: finite, and not rounded through a^J
`output_phi`               phi^J, its gradient with respect to z^J (eq. 1)
`sgd_step`, `adam_step`    and such a function for every optimizer of the catalogue: one step, in place
=========================  ============================================================================

Shapes: x is (n, in), w (out, in), b (out,), and z, a, phi, y are (n, out): one sample a row. A call computes in
float32 if every array casts safely to float32, else in float64; if an array is given to be written into (`out`, the
weights of an optimizer), then in its dtype. Inputs may be whatever NumPy makes an array of real numbers of. They are
copied only where their memory is not as a kernel needs it, and never changed.

Examples
--------
A network of one layer, its loss, and a step of gradient descent:

>>> import numpy as np
>>> from mlpcore import kernels
>>> x, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0], [0.0]])
>>> w, b = np.zeros((1, 2)), np.zeros(1)
>>> z = kernels.dense_forward(x, w, b)
>>> round(kernels.output_loss("bce", "sigmoid", z, y), 4)
0.6931
>>> phi = kernels.output_phi("bce", "sigmoid", z, y)
>>> grad_x, grad_w, grad_b = kernels.dense_backward(phi, x, w)
>>> kernels.sgd_step(w, grad_w, learning_rate=1.0)
>>> w
array([[-0.25,  0.25]])
"""

from typing import Any

from numpy.typing import ArrayLike, NDArray

from mlpcore import _core
from mlpcore.documenting import documents
from mlpcore.engine import Choice
from mlpcore.optimizer_steps import (
    adadelta_step,
    adagrad_step,
    adam_step,
    adamw_step,
    amsgrad_step,
    lion_step,
    nadam_step,
    radam_step,
    rmsprop_step,
    rprop_step,
    sgd_step,
)

__all__ = [
    "activation_backward",
    "activation_forward",
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamw_step",
    "amsgrad_step",
    "dense_backward",
    "dense_forward",
    "lion_step",
    "loss_gradient",
    "loss_value",
    "nadam_step",
    "output_loss",
    "output_phi",
    "radam_step",
    "rmsprop_step",
    "rprop_step",
    "sgd_step",
]

Array = NDArray[Any]


@documents(_core.dense_forward)
def dense_forward(x: ArrayLike, w: ArrayLike, b: ArrayLike, *, out: Array | None = None) -> Array:
    """Compute the linear part of a dense layer: ``z = x @ w.T + b``, z^j = w^j a^{j-1} + b^j for each sample.

    Parameters
    ----------
    x : array_like, shape (n, in)
        The layer's input a^{j-1}, one sample a row.
    w : array_like, shape (out, in)
        Row i holds the weights of unit i. Used without a copy where ``w.T`` is C-contiguous.
    b : array_like, shape (out,)
    out : ndarray, shape (n, out), optional
        Where z is written; C-contiguous, and apart from x, w and b in memory.

    Returns
    -------
    z : ndarray, shape (n, out)
        `out` if it was given. float32 if x, w and b cast safely to it, else float64.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If shapes disagree, or `out` cannot be written in place or overlaps an input.
    """


@documents(_core.dense_backward)
def dense_backward(phi: ArrayLike, x: ArrayLike, w: ArrayLike) -> tuple[Array, Array, Array]:
    """Compute the gradients of a dense layer's linear part from phi, the gradient of the loss with respect to z.

    Parameters
    ----------
    phi : array_like, shape (n, out)
    x : array_like, shape (n, in)
        The input of the layer's forward.
    w : array_like, shape (out, in)
        Used without a copy where ``w.T`` is C-contiguous.

    Returns
    -------
    grad_x : ndarray, shape (n, in)
        ``phi @ w``: eq. 2 up to sigma', which `activation_backward` of the layer below applies.
    grad_w : ndarray, shape (out, in)
        ``phi.T @ x``: eq. 3, summed over the batch. Its transpose is C-contiguous.
    grad_b : ndarray, shape (out,)
        ``phi.sum(axis=0)``: eq. 4, summed over the batch.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers.
    ValueError
        If shapes disagree.
    """


@documents(_core.activation_forward)
def activation_forward(name: Choice | None, z: ArrayLike, *, out: Array | None = None) -> Array:
    """Compute ``a = sigma(z)`` (section 3).

    Parameters
    ----------
    name : {activations} or None
        sigma; None is 'linear'.
    z : array_like, shape (n, out)
    out : ndarray, shape (n, out), optional
        Where a is written; C-contiguous. It may be `z` itself.

    Returns
    -------
    a : ndarray, shape (n, out)
        `out` if it was given. float32 if z casts safely to it, else float64.

    Raises
    ------
    TypeError
        If `z` is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If the name is unknown, shapes disagree, or `out` cannot be written in place or overlaps part of `z`.
    """


@documents(_core.activation_backward)
def activation_backward(name: Choice | None, z: ArrayLike, grad_a: ArrayLike, *, out: Array | None = None) -> Array:
    """phi, the gradient of the loss with respect to z, from the gradient with respect to ``a = sigma(z)``.

    ``phi = grad_a * sigma'(z)`` (eq. 1 and 2), for softmax through the Jacobian of the row. ReLU's sigma'(0) is 0.

    Parameters
    ----------
    name : {activations} or None
        sigma; None is 'linear'.
    z : array_like, shape (n, out)
    grad_a : array_like, shape (n, out)
    out : ndarray, shape (n, out), optional
        Where phi is written; C-contiguous. It may be `z` or `grad_a` itself.

    Returns
    -------
    phi : ndarray, shape (n, out)
        `out` if it was given. float32 if z and grad_a cast safely to it, else float64.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If the name is unknown, shapes disagree, or `out` cannot be written in place or overlaps part of an input.
    """


@documents(_core.loss_value)
def loss_value(name: Choice, y_hat: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Compute the loss of a batch from the network's output: the weighted mean over the samples.

    Per sample: MSE is the mean over the outputs of ``(y_hat - y)**2``; BCE the sum over the outputs of
    ``-y*log(y_hat) - (1-y)*log(1-y_hat)``; CCE the sum over the classes of ``-y*log(y_hat)`` (section 3).
    Logarithms are cut off at the smallest normal and at the largest number, so that they are finite.

    Parameters
    ----------
    name : {losses}
        Or in full: {aliases of losses}.
    y_hat : array_like, shape (n, out)
        The network's output a^J.
    y : array_like, shape (n, out)
        The ground truth; of "gaussian_nll" its first half, and the other is not read.
    sample_weight : array_like, shape (n,), optional
        Finite, none negative, not all 0. The batch's loss is the mean of the samples' losses with these weights.

    Returns
    -------
    loss : float

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If a name is unknown, shapes disagree, there is no sample, weights are unusable, or `out` cannot be written
        in place or overlaps an input.
    """


@documents(_core.loss_gradient)
def loss_gradient(
    name: Choice, y_hat: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None, out: Array | None = None
) -> Array:
    """Compute the gradient of `loss_value` with respect to y_hat, the factor 1/n of the mean included (section 3).

    Where a logarithm is cut off (see `loss_value`), the gradient is 0.

    Parameters
    ----------
    name : {losses}
        Or in full: {aliases of losses}.
    y_hat : array_like, shape (n, out)
        The network's output a^J.
    y : array_like, shape (n, out)
        The ground truth.
    sample_weight : array_like, shape (n,), optional
        Finite, none negative, not all 0. The batch's loss is the mean of the samples' losses with these weights.
    out : ndarray, shape (n, out), optional
        Where the gradient is written; C-contiguous. It may be `y_hat` itself.

    Returns
    -------
    grad_a : ndarray, shape (n, out)
        `out` if it was given. float32 if every argument casts safely to it, else float64.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If a name is unknown, shapes disagree, there is no sample, weights are unusable, or `out` cannot be written
        in place or overlaps an input.
    """


@documents(_core.output_loss)
def output_loss(
    loss: Choice, activation: Choice | None, z: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Compute the loss of a batch from the last layer's z: `loss_value` of ``sigma(z)``, without its rounding.

    Sigmoid and softmax with a cross-entropy never form the rounded a: finite for every finite z.

    Parameters
    ----------
    loss : {losses}
        Or in full: {aliases of losses}.
    activation : {activations} or None
        sigma of the last layer; None is 'linear'.
    z : array_like, shape (n, out)
    y : array_like, shape (n, out)
        The ground truth.
    sample_weight : array_like, shape (n,), optional
        Finite, none negative, not all 0. The batch's loss is the mean of the samples' losses with these weights.

    Returns
    -------
    loss : float

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If a name is unknown, shapes disagree, there is no sample, weights are unusable, or `out` cannot be written
        in place or overlaps an input.
    """


@documents(_core.output_phi)
def output_phi(
    loss: Choice,
    activation: Choice | None,
    z: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    out: Array | None = None,
) -> Array:
    """phi^J, the gradient of `output_loss` with respect to the last layer's z (eq. 1), for every pair of names.

    ``(a - y) / n`` where that is the pair's derivative, and the pair's own elsewhere: softmax with MSE, for instance,
    goes through the Jacobian of softmax.

    Parameters
    ----------
    loss : {losses}
        Or in full: {aliases of losses}.
    activation : {activations} or None
        sigma of the last layer; None is 'linear'.
    z : array_like, shape (n, out)
    y : array_like, shape (n, out)
        The ground truth; for CCE a row may be one-hot or not.
    sample_weight : array_like, shape (n,), optional
        Finite, none negative, not all 0. The batch's loss is the mean of the samples' losses with these weights.
    out : ndarray, shape (n, out), optional
        Where phi is written; C-contiguous, and apart from the inputs in memory.

    Returns
    -------
    phi : ndarray, shape (n, out)
        `out` if it was given. float32 if every argument casts safely to it, else float64.

    Raises
    ------
    TypeError
        If an argument is no array of real numbers, or `out` is neither float32 nor float64.
    ValueError
        If a name is unknown, shapes disagree, there is no sample, weights are unusable, or `out` cannot be written
        in place or overlaps an input.
    """
