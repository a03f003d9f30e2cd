"""Activations and losses as a check sees them, whether they come from the catalogue or are written in Python."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import kernels
from mlpcore.custom_activation import CustomActivation
from mlpcore.custom_loss import CustomLoss
from mlpcore.engine import Choice
from mlpcore.gradcheck.differentiate import Array


def activation_sides(sigma: Choice) -> tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]:
    """Return a(z) and phi(z, grad_a)."""
    if not isinstance(sigma, CustomActivation):
        return (
            lambda z: kernels.activation_forward(sigma, z),
            lambda z, grad_a: kernels.activation_backward(sigma, z, grad_a),
        )

    def forward(z: Array) -> Array:
        a = np.empty_like(z)
        sigma.forward_step(a, z, training=False)
        return a

    def backward(z: Array, grad_a: Array) -> Array:
        phi = np.empty_like(z)
        sigma.backward_step(phi, grad_a, z, forward(z))
        return phi

    return forward, backward


def loss_sides(
    loss: Choice, sample_weight: ArrayLike | None
) -> tuple[Callable[[Array, Array], float], Callable[[Array, Array], Array]]:
    """Return the loss of a batch, L(y_hat, y), and its gradient to y_hat."""
    if not isinstance(loss, CustomLoss):
        return (
            lambda y_hat, y: kernels.loss_value(loss, y_hat, y, sample_weight=sample_weight),
            lambda y_hat, y: kernels.loss_gradient(loss, y_hat, y, sample_weight=sample_weight),
        )

    def both(y_hat: Array, y: Array) -> tuple[float, Array]:
        value, grad = np.empty(len(y_hat)), np.empty_like(y_hat)
        loss.loss_step(value, grad, y_hat, y)
        weight = np.ones(len(value)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        share = weight / weight.sum()
        return float(share @ value), share[:, np.newaxis] * grad

    return lambda y_hat, y: both(y_hat, y)[0], lambda y_hat, y: both(y_hat, y)[1]
