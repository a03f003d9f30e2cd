"""From layers to the engine's network: the steps of all layers, their places in it, their parameters by name."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from mlpcore._core import Net
from mlpcore.engine import Step
from mlpcore.layers.dense import Dense
from mlpcore.layers.layer import Bound, Layer, Place
from mlpcore.layers.trained import TrainedLayer

Array = NDArray[Any]
NamedShape = tuple[str, tuple[int, ...], Layer]


def claim_layers(layers: Iterable[Layer], *, of_model: bool) -> tuple[Layer, ...]:
    """Return `layers` as a tuple, after making sure that no model has one of them yet; does not change them.

    `of_model` tells that they are those of a model, whose first layer reads the input, and not those of a layer.
    """
    if isinstance(layers, Layer) or not isinstance(layers, Iterable):
        raise TypeError(f"layers is {layers!r}, expected a list of layers")
    free = tuple(layers)
    if not free:
        raise ValueError("layers is empty, expected at least one layer")
    seen = set()
    for j, layer in enumerate(free):
        if not isinstance(layer, Layer):
            raise TypeError(f"layers[{j}] is {layer!r}, expected a layer such as mlpcore.Dense(10)")
        if layer._has_model or id(layer) in seen:
            raise ValueError(f"layers[{j}], {layer._expression()}, already belongs to a model: make a new layer")
        if layer._reads_input and not (of_model and j == 0):
            raise ValueError(f"layers[{j}], {layer._expression()}, is expected to be the first layer of a model")
        seen.add(id(layer))
    return free


def all_layers(layers: Iterable[Layer], path: str = "layers") -> Iterator[tuple[str, Layer]]:
    """Yield every layer with its path, such as layers.0 or layers.2.layers.1, each before those that it is made of."""
    for j, layer in enumerate(layers):
        yield f"{path}.{j}", layer
        yield from all_layers(layer._inner(), f"{path}.{j}.layers")


def check_learning(layers: Sequence[Layer]) -> None:
    """Raise ValueError if all layers that have parameters are frozen, or learn at a rate of 0."""
    if any(layer._may_learn for _, layer in all_layers(layers)):
        return
    frozen = [path for path, layer in all_layers(layers) if isinstance(layer, TrainedLayer)]
    if frozen:
        raise ValueError(
            "trainable is False, or learning_rate_factor 0, in every layer that has parameters, "
            f"{', '.join(frozen[:5])}{', ...' if len(frozen) > 5 else ''}, expected at least one that learns: set "
            "layer.trainable = True, or measure the model with evaluate"
        )


def output_size(layers: Iterable[Layer], input_size: int) -> int:
    """Return the width of the output; raise ValueError, which names the layer, if the layers do not fit together."""
    return _output_size(enumerate(layers), input_size)


def check_widths(layers: Sequence[Layer]) -> None:
    """Raise ValueError, which names the layer, if layers do not fit together whatever the input will be."""
    numbered = iter(enumerate(layers))
    for _, layer in numbered:
        if isinstance(layer, Dense):
            _output_size(numbered, layer.units)


def _output_size(numbered: Iterable[tuple[int, Layer]], width: int) -> int:
    for j, layer in numbered:
        try:
            width = layer._output_size(width)
        except ValueError as error:
            raise ValueError(f"layers[{j}] {error}") from None
    return width


def steps_of(layers: Iterable[Layer], input_size: int, number: int = 0) -> list[Step]:
    """Return the steps of all layers, the first of which is layer `number` of the network."""
    steps = []
    for layer in layers:
        steps += layer._steps(number, input_size)
        number += 1 + sum(1 for _ in all_layers(layer._inner()))
        input_size = layer._output_size(input_size)
    return steps


def places(layers: Iterable[Layer], input_size: int, first: int = 0) -> dict[Layer, Place]:
    """Return where every layer is in a network in which the first of these begins with step `first`."""
    found: dict[Layer, Place] = {}
    for layer in layers:
        last = first + len(layer._steps(0, input_size)) - 1
        found[layer] = Place(first, last, input_size)
        if layer._inner():
            found |= places(layer._inner(), input_size, first + 1)
        first, input_size = last + 1, layer._output_size(input_size)
    return found


def make(layers: Sequence[Layer], input_size: int, dtype: str) -> Bound:
    """Return a network of these layers whose parameters are 0; the layers stay as they are."""
    output_size(layers, input_size)
    net = Net(input_size, steps_of(layers, input_size), dtype)
    bound = Bound(net, input_size, places(layers, input_size))
    for layer, place in bound.places.items():
        layer._set_segments(net, place)
    return bound


def initialize(bound: Bound, seed: int) -> None:
    """Draw the first weights of all layers."""
    for layer, place in bound.places.items():
        layer._initialize(bound.net, place, seed)


def tensors(layers: Iterable[Layer], input_size: int, flat: Array) -> dict[str, Array]:
    """Return views of all parameters by name, such as layers.0.w, from the flat buffer that holds them."""
    return _views(tensor_shapes(layers, input_size), flat)


def buffers(layers: Iterable[Layer], input_size: int, flat: Array) -> dict[str, Array]:
    """Return views of all numbers beside the parameters, such as layers.0.running_mean, likewise."""
    return _views(buffer_shapes(layers, input_size), flat)


def _views(shapes: Iterable[NamedShape], flat: Array) -> dict[str, Array]:
    named = {}
    end = 0
    for name, shape, layer in shapes:
        begin, end = end, end + math.prod(shape)
        named[name] = layer._tensor_view(name, flat[begin:end], shape)
    return named


def tensor_shapes(layers: Iterable[Layer], input_size: int, path: str = "layers") -> Iterator[NamedShape]:
    """Yield the name and shape of every parameter, in the order in which they lie, with its layer."""
    for at, layer, width in _with_inputs(layers, input_size, path):
        for name, shape in layer._tensor_shapes(width).items():
            yield f"{at}.{name}", shape, layer


def buffer_shapes(layers: Iterable[Layer], input_size: int, path: str = "layers") -> Iterator[NamedShape]:
    """Yield those of the numbers beside the parameters."""
    for at, layer, width in _with_inputs(layers, input_size, path):
        for name, shape in layer._buffer_shapes(width).items():
            yield f"{at}.{name}", shape, layer


def _with_inputs(layers: Iterable[Layer], input_size: int, path: str) -> Iterator[tuple[str, Layer, int]]:
    """Yield every layer with its path and its number of inputs, in the order in which parameters lie."""
    for j, layer in enumerate(layers):
        yield f"{path}.{j}", layer, input_size
        yield from _with_inputs(layer._inner(), input_size, f"{path}.{j}.layers")
        input_size = layer._output_size(input_size)
