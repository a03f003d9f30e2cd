"""Activations written in Python: a student's own sigma, in `fit` beside those in C."""

from __future__ import annotations  # so that signatures show names

from abc import ABC, abstractmethod

from mlpcore.data import Array, fill


class CustomActivation(ABC):
    """Base class of activations written in Python.

    An object of a subclass stands where the name of an activation can: ``Dense(8, Swish())``, ``Activation(Swish())``,
    hidden or as the output. Its methods are called once a batch. `gradcheck.check_kernel` checks the derivative.

    Notes
    -----
    The same object may serve several layers. It is copied and pickled with the model; a file cannot hold it.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> class Swish(mlpcore.CustomActivation):
    ...     def forward(self, z):
    ...         return z / (1 + np.exp(-z))
    ...
    ...     def backward(self, grad_a, z, a):
    ...         s = 1 / (1 + np.exp(-z))
    ...         return grad_a * (s + a * (1 - s))
    >>> mlpcore.gradcheck.check_kernel(Swish()).ok
    True
    >>> model = mlpcore.Sequential([mlpcore.Dense(8, Swish()), mlpcore.Dense(1)], seed=1)
    >>> history = model.fit([[1, 2, 3], [4, 5, 6]], [1, 2], "mse", epochs=5, progress=False)
    >>> model.layers[0]
    Dense(8, Swish(), kernel_initializer='glorot_uniform')  # arrays are views
    """

    @abstractmethod
    def forward(self, z: Array) -> Array:
        """Return a (n, out) for z (n, out), which is read-only and changes with the next batch."""

    @abstractmethod
    def backward(self, grad_a: Array, z: Array, a: Array) -> Array:
        """Return phi (n, out), the gradient to z, for the gradient to a.

        Where each a depends on its own z only, that is grad_a * sigma'(z). `a` is what `forward` returned for `z`; all
        three are read-only.
        """

    def forward_step(self, a: Array, z: Array, training: bool) -> None:
        """Fill a, for the engine."""
        fill(f"{type(self).__name__}.forward returned", a, self.forward(z))

    def backward_step(self, phi: Array | None, grad_a: Array, z: Array, a: Array) -> None:
        """Fill phi, unless nothing below needs it, for the engine."""
        if phi is not None:
            fill(f"{type(self).__name__}.backward returned", phi, self.backward(grad_a, z, a))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
