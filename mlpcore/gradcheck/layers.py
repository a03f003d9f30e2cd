"""Any layer by itself: above one that sees the gradient to its input, below a loss with a given gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from mlpcore import network
from mlpcore.custom_loss import CustomLoss
from mlpcore.gradcheck.compare import Arrays
from mlpcore.gradcheck.differentiate import Array
from mlpcore.layers import CustomLayer, Layer
from mlpcore.lazy import random_generator
from mlpcore.model import Sequential


class _Below(CustomLayer):
    """Hands its input on, and keeps the gradient to it."""

    def build(self, input_size: int) -> tuple[int, dict[str, tuple[int, ...]]]:
        return input_size, {}

    def forward(self, x: Array, training: bool) -> Array:
        return x

    def backward(self, grad_y: Array, x: Array) -> Array:
        self.gradient = grad_y.copy()
        return grad_y


class _Weighted(CustomLoss):
    """The sum of y_hat * y: y is its gradient."""

    def value(self, y_hat: Array, y: Array) -> Array:
        total: Array = (y_hat * y).sum(axis=1)
        return total

    def gradient(self, y_hat: Array, y: Array) -> Array:
        return y


def layer_sides(
    layer: Layer, x: Array, training: bool, seed: int
) -> tuple[Callable[[], float], Arrays, Arrays, tuple[Array, Array]]:
    """Return the sum of upstream * y as a function of the arrays after it, their gradients, and (upstream, y).

    The arrays are the parameters of a float64 twin, by name, and x, unless the layer reads categories there.
    """
    twin = copy.deepcopy(layer)
    below = _Below()
    layers = [twin] if layer._reads_input else [below, twin]
    model = Sequential(layers, input_size=layer._engine()[1].input_size, dtype="float64")
    _copy_numbers(layer, twin)
    y = model.forward(x, training=training)
    upstream = random_generator(seed).normal(size=y.shape)
    model.backward(upstream * len(x), _Weighted())  # the loss is a mean over the samples
    net = model._built()
    held, analytic = (
        {name.removeprefix("layers.0."): array for name, array in network.tensors([twin], x.shape[1], flat).items()}
        for flat in (net.params, net.grads.copy())
    )
    if not layer._reads_input:
        held["x"], analytic["x"] = x, below.gradient
    return lambda: float(np.vdot(upstream, model.forward(x, training=training))), held, analytic, (upstream, y)


def _copy_numbers(source: Layer, twin: Layer) -> None:
    """Copy the numbers of a layer, and of those that it is made of, into its twin."""
    (net, place), (own, own_place) = source._engine(), twin._engine()

    def copy_all() -> None:
        for i in range(place.last - place.first + 1):
            for numbers in ("parameters", "buffers"):
                to, of = getattr(own, numbers)(own_place.first + i), getattr(net, numbers)(place.first + i)
                for mine, theirs in zip(to, of, strict=True):
                    mine[...] = theirs

    net.read(copy_all)
