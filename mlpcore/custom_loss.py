"""Losses written in Python: a student's own, in `fit` and `evaluate` beside those in C."""

from __future__ import annotations  # so that signatures show names

from abc import ABC, abstractmethod

from mlpcore.data import Array, fill


class CustomLoss(ABC):
    """Base class of losses written in Python.

    An object of a subclass stands where the name of a loss can: ``model.fit(X, y, CubicLoss())``, with every output
    activation. Its methods are called once a batch and know nothing of weights: the mean over the samples, with their
    weights, is taken by the engine. An exception ends the training and leaves the model as the last whole batch left
    it. `gradcheck.check_kernel` checks the gradient.

    Notes
    -----
    y is what `fit` was given, any finite numbers in the shape of the output: class indices are for "cce". There is no
    accuracy. Logarithms of an output that was rounded to 0 or 1 are the loss's own to avoid.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> class CubicLoss(mlpcore.CustomLoss):
    ...     def value(self, y_hat, y):
    ...         return (np.abs(y_hat - y) ** 3).sum(axis=1)
    ...
    ...     def gradient(self, y_hat, y):
    ...         return 3 * (y_hat - y) * np.abs(y_hat - y)
    >>> mlpcore.gradcheck.check_kernel(CubicLoss()).ok
    True
    >>> model = mlpcore.Sequential([mlpcore.Dense(1, kernel_initializer="zeros")], input_size=2)
    >>> model.evaluate([[1, 2], [3, 4]], [1, 2], CubicLoss())
    {'loss': 4.5}
    """

    @abstractmethod
    def value(self, y_hat: Array, y: Array) -> Array:
        """Return the loss of each sample, (n,), for the outputs and the ground truth, both (n, out) and read-only."""

    @abstractmethod
    def gradient(self, y_hat: Array, y: Array) -> Array:
        """Return the gradient of each sample's loss to its outputs, (n, out)."""

    def loss_step(self, value: Array, grad: Array | None, y_hat: Array, y: Array) -> None:
        """Fill value, and grad unless nobody needs it, for the engine."""
        fill(f"{type(self).__name__}.value returned", value, self.value(y_hat, y))
        if grad is not None:
            fill(f"{type(self).__name__}.gradient returned", grad, self.gradient(y_hat, y))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
