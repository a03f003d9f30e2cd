"""The operations of the paper, one function each, on NumPy arrays: what the engine itself is made of.

=========================  ============================================================================
`dense_forward`            z = x wᵀ + b (section 1.2)
`dense_backward`           grad_x = phi w, grad_w = phiᵀ x, grad_b = sum of phi (eq. 2 without sigma', 3, 4)
`activation_forward`       a = sigma(z) (section 3)
`activation_backward`      phi = grad_a through sigma'(z) (eq. 1 and 2)
`loss_value`               the loss of a batch, from y_hat = a^J (section 3)
`loss_gradient`            its gradient with respect to y_hat (section 3)
`output_loss`              the loss of a batch, from z^J: finite, and not rounded through a^J
`output_phi`               phi^J, its gradient with respect to z^J (eq. 1)
`sgd_step`, `adam_step`    one step of an optimizer, in place
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

from mlpcore._core import (
    activation_backward,
    activation_forward,
    adam_step,
    dense_backward,
    dense_forward,
    loss_gradient,
    loss_value,
    output_loss,
    output_phi,
    sgd_step,
)

__all__ = [
    "activation_backward",
    "activation_forward",
    "adam_step",
    "dense_backward",
    "dense_forward",
    "loss_gradient",
    "loss_value",
    "output_loss",
    "output_phi",
    "sgd_step",
]
