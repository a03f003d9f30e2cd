"""What a trace takes from the engine after a backward, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import catalogue, kernels, network
from mlpcore._core import Net
from mlpcore.custom_activation import CustomActivation
from mlpcore.engine import Choice, Step
from mlpcore.layers import Activation, Dense, Layer
from mlpcore.layers.layer import Place
from mlpcore.trace.layer import Array, Arrays, LayerTrace

if TYPE_CHECKING:
    from mlpcore.model import Sequential


def frozen(array: Array) -> Array:
    """Return a copy that cannot be written to."""
    copied = np.array(array)
    copied.flags.writeable = False
    return copied


def gradient_of(net: Net, i: int) -> Array | None:
    """Return the gradient to a value of the last batch, or None below the lowest layer with parameters."""
    try:
        return net.gradient(i)
    except RuntimeError:
        return None


class Taker:
    """Copies what one batch has left in the memory of a network.

    Parameters
    ----------
    twin : Sequential
        Every gradient of whose network has memory of its own, after a backward.
    training : bool
    moment : (int, int, int)
        The seed, the epoch and the batch, from which masks and noise follow.
    weight : ndarray or None
        Of the samples.
    single : bool
        Whether the batch is one sample that came as a vector.
    through_a : (ndarray, ndarray) or None
        grad_a and phi of the last layer where its activation is in the engine's head, which does without grad_a;
        None if there are none.
    state : ndarray
        The numbers beside the parameters before the batch.
    """

    def __init__(
        self,
        twin: Sequential,
        training: bool,
        moment: tuple[int, int, int],
        weight: Array | None,
        single: bool,
        through_a: tuple[Array, Array] | None,
        state: Array,
    ) -> None:
        self._twin, self._net = twin, twin._built()
        self._training, self._moment, self._weight, self._single = training, moment, weight, single
        self._through_a = through_a
        bound = twin._holder.bound
        assert bound is not None
        self._places, self._input_size = bound.places, bound.input_size
        self._steps = network.steps_of(twin.layers, bound.input_size)
        self._params, self._grads = self.named(self._net.params), self.named(self._net.grads)
        self._state = network.buffers(twin.layers, bound.input_size, state)

    def named(self, flat: Array) -> Arrays:
        """Return copies of what lies like the parameters, by paths such as layers.0.w."""
        named = network.tensors(self._twin.layers, self._input_size, flat)
        return Arrays({path: frozen(values) for path, values in named.items()})

    def shown(self, values: Array | None) -> Any:  # noqa: ANN401  # None gives None, an array an array
        """Return a copy; without the axis of samples for one that came as a vector."""
        return None if values is None else frozen(values[0] if self._single else values)

    def layers(self) -> tuple[LayerTrace, ...]:
        """Return all layers."""
        return self._of(self._twin.layers, "layers")

    def _of(self, layers: Iterable[Layer], path: str) -> tuple[LayerTrace, ...]:
        return tuple(self._layer(layer, j, f"{path}.{j - 1}") for j, layer in enumerate(layers, 1))

    def _layer(self, layer: Layer, j: int, path: str) -> LayerTrace:
        place = self._places[layer]
        x, a = self._net.value(place.first), self._net.value(place.last + 1)
        grad_a, grad_x = gradient_of(self._net, place.last + 1), gradient_of(self._net, place.first)
        if place.last + 1 == len(self._steps) and self._steps[-1].kind == "activation":
            grad_a = None if self._through_a is None else self._through_a[0]
        z, phi, sigma, dsigma = None, grad_x, None, None
        if isinstance(layer, Dense | Activation):
            at = place.first + isinstance(layer, Dense)
            z, phi, sigma = self._net.value(at), gradient_of(self._net, at), layer.activation
            dsigma = derivative(sigma, z, a)
        prefix = f"{path}."
        own = [name.removeprefix(prefix) for name in self._params if name.startswith(prefix)]
        own = [name for name in own if not name.startswith("layers.")]
        row = catalogue.FAMILIES["layers"].get(layer.kind)
        return LayerTrace(
            j=j,
            name=type(layer).__name__,
            expression=layer._expression(),
            kind=layer.kind,
            x=self.shown(x),
            a=self.shown(a),
            activation=sigma,
            z=self.shown(z),
            dsigma=self.shown(dsigma),
            grad_a=self.shown(grad_a),
            phi=self.shown(phi),
            grad_x=self.shown(grad_x),
            params=Arrays({name: self._params[prefix + name] for name in own}),
            grads=Arrays({name: self._grads[prefix + name] for name in own}),
            extras=Arrays(self._extras(layer, place, path, x)),
            layers=self._of(layer._inner(), f"{path}.layers"),
            formula="" if row is None else row.formula,
            derivative="" if row is None or row.derivative is None else row.derivative,
        )

    # ------------------------------------------------------------------------------------------ what is computed again

    def _extras(self, layer: Layer, place: Place, path: str, x: Array) -> dict[str, Array]:
        """Return what tells how a comes from x, where the engine keeps it no longer."""
        step = self._steps[place.first]
        match layer.kind:
            case "dropout" | "alpha_dropout":
                kept = self._alone(step, np.ones_like(x)).value(1) != self._alone(step, np.zeros_like(x)).value(1)
                return {"mask": self.shown(kept.astype(x.dtype))}
            case "gaussian_noise":
                return {"noise": self.shown(self._alone(step, np.zeros_like(x)).value(1))}
            case "layer_norm" | "rms_norm":
                return {"x_hat": self.shown(self._alone(step, x).value(1))}
            case "batch_norm":
                return self._batch_norm(layer, step, path, x)
        return {}

    def _batch_norm(self, layer: Layer, step: Step, path: str, x: Array) -> dict[str, Array]:
        """Return the mean and the variance that were taken, and x_hat.

        With a momentum of 0 the running means of a step are those of the batch.
        """
        running = [self._state[f"{path}.{name}"] for name in ("running_mean", "running_variance")]
        forgets = step._replace(constants=(0.0, layer.epsilon))
        net = self._alone(forgets, x, running, trainable=layer.trainable)
        mean, variance = net.buffers(0)
        return {"mean": frozen(mean), "variance": frozen(variance), "x_hat": self.shown(net.value(1))}

    def _alone(self, step: Step, x: Array, running: Iterable[Array] = (), trainable: bool = True) -> Net:
        """Return a network of one step after the forward of x, in which it drew what it drew in the batch.

        Its first parameters, which are factors, are 1, others 0.
        """
        net = Net(x.shape[1], [step], self._twin.dtype)
        if net.params.size:
            net.parameters(0)[0][...] = 1
            for i in range(len(net.segments())):
                net.set_segment(i, trainable, 1.0, 0.0, 0.0, 0.0)
        for buffer, values in zip(net.buffers(0), running, strict=False):
            buffer[...] = values
        net.forward(x, self._training, *self._moment, self._weight)
        return net


def derivative(sigma: Choice, z: Array, a: Array) -> Array:
    """Return sigma'(z), (n, out), or the Jacobians (n, out, out) of an activation of whole rows.

    It is what backward makes of a gradient of ones; the row k of a Jacobian, what it makes of a 1 at k alone.
    """
    ones = np.ones_like(a)
    if isinstance(sigma, CustomActivation):
        slopes = _backward(sigma, z, a, ones)
        even = ones * (np.arange(a.shape[1]) % 2 == 0)
        if all(np.array_equal(_backward(sigma, z, a, some), slopes * some) for some in (even, ones - even)):
            return slopes  # each a depends on its own z
    elif isinstance(sigma, str | tuple) and "per_row" not in catalogue.entry("activations", sigma).traits:
        return kernels.activation_backward(sigma, z, ones)
    jacobian = np.empty((*a.shape, a.shape[1]), a.dtype)
    for k in range(a.shape[1]):
        only = np.zeros_like(a)
        only[:, k] = 1
        jacobian[:, k, :] = _backward(sigma, z, a, only)
    return jacobian


def _backward(sigma: Choice, z: Array, a: Array, grad_a: Array) -> Array:
    if isinstance(sigma, CustomActivation):
        return np.asarray(sigma.backward(grad_a, z, a), a.dtype)
    return kernels.activation_backward(sigma, z, grad_a)
