"""What of a model is kept: its description and tensors in a file, its attributes in a pickle or a copy.

A file comes from anywhere: its description is checked here against the tensors that the file holds, before memory is
taken for anything that it names.
"""

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlpcore import checks, files, storage
from mlpcore._core import Net
from mlpcore.files import quoted
from mlpcore.layers import Dense

if TYPE_CHECKING:
    from mlpcore.model import Sequential

MAX_EPOCHS = 2**32 - 1  # the last number of an epoch with which the engine can begin

_LOOKED_AT_ONCE = 2**18


class Saved(NamedTuple):
    """A model as it came from a file."""

    layers: list[Dense]
    dtype: str
    seed: int
    epochs_trained: int
    net: Net


# --------------------------------------------------------------------------------------------------------- parameters


def snapshot(net: Net) -> NDArray[Any]:
    """Return a copy of all parameters, shape (P,): the one place that reads them to keep them."""
    return net.params.copy()


def _sizes_of(net: Net, layers: Sequence[Dense]) -> list[int]:
    """Return how wide the input and each layer are."""
    return [net.weights(0)[0].shape[1], *(layer.units for layer in layers)]


def _tensors(params: NDArray[Any], sizes: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Return views of all parameters (P,) by name, w as (out, in)."""
    named = {}
    end = 0
    for j, (inputs, units) in enumerate(pairwise(sizes)):
        begin, middle, end = end, end + inputs * units, end + (inputs + 1) * units
        named[f"layers.{j}.w"] = params[begin:middle].reshape(inputs, units).T
        named[f"layers.{j}.b"] = params[middle:end]
    return named


# --------------------------------------------------------------------------------------------------------------- files


def save(model: "Sequential", file: storage.StrPath | BinaryIO, net: Net) -> None:
    """Write a model, whose numbers are in `net`, to a file."""
    sizes = _sizes_of(net, model.layers)
    tensors = _tensors(snapshot(net), sizes)
    description = {
        "layers": [layer._config() for layer in model.layers],
        "input_size": sizes[0],
        "dtype": model.dtype,
        "seed": model.seed,
        "epochs_trained": model.epochs_trained,
    }
    header = files.header_of(description, tensors)
    storage.write_to(file, lambda stream: files.write(stream, header, tensors))


def load(file: storage.StrPath | BinaryIO) -> Saved:
    """Read what `save` wrote; OSError if it cannot be read, ValueError if it holds no model."""
    with storage.opened(file) as stream:
        try:
            reader = files.Reader(stream, whole=stream is not file)
            saved, sizes = _checked(reader.description, reader.tensors)
            reader.read_into(_tensors(saved.net.params, sizes))
        except OSError:  # among them the one that is a ValueError too: of a file that is not readable
            raise
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot load {storage.quoted_name(file)}: {error}") from None
        except MemoryError:
            raise MemoryError(f"cannot load {storage.quoted_name(file)}: no memory for its parameters") from None
    _warn_unless_finite(storage.quoted_name(file), saved.net.params, sizes)
    return saved


def _checked(description: dict[str, Any], tensors: dict[str, files.Tensor]) -> tuple[Saved, list[int]]:
    """Return the model, its parameters 0, and its sizes; raise TypeError or ValueError if nothing fits together."""
    expected = ["dtype", "epochs_trained", "input_size", "layers", "seed"]
    if sorted(description) != expected:
        raise ValueError(f"the description has the entries {quoted(sorted(description))}, expected {expected}")
    for name in ("dtype", "epochs_trained", "input_size", "seed"):
        _require_short(name, description[name])
    dtype = description["dtype"]
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype is {quoted(dtype)}, expected 'float32' or 'float64'")
    seed = checks.seed_number(description["seed"])
    epochs = checks.whole_number("epochs_trained", description["epochs_trained"], at_least=0, at_most=MAX_EPOCHS)
    input_size = checks.whole_number("input_size", description["input_size"], at_least=1)
    if not isinstance(description["layers"], list):
        raise TypeError(f"layers is {quoted(description['layers'])}, expected a list")
    layers = [_layer(j, layer) for j, layer in enumerate(description["layers"])]
    if not layers:
        raise ValueError("layers is empty, expected at least one layer")
    sizes = [input_size, *(layer.units for layer in layers)]
    _require_tensors(tensors, sizes, dtype)
    net = Net(sizes, [layer.activation for layer in layers], dtype)
    return Saved(layers, dtype, seed, epochs, net), sizes


def _layer(j: int, description: object) -> Dense:
    if not isinstance(description, dict) or description.get("kind") != "dense":
        raise ValueError(
            f"layers[{j}], {quoted(description)}, is no description of a layer, expected one of kind 'dense'"
        )
    expected = ["activation", "kernel_initializer", "kind", "units"]
    if sorted(description) != expected:
        raise ValueError(f"layers[{j}] has the entries {quoted(sorted(description))}, expected {expected}")
    for name, value in description.items():
        _require_short(name, value)
    return Dense._from_config(description)


def _require_short(name: str, value: object) -> None:
    """Raise ValueError for what is no name and no number, and what no message should repeat."""
    if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > 100):
        raise ValueError(f"{name} is {quoted(value)}, expected a number or a short name")


def _require_tensors(tensors: dict[str, files.Tensor], sizes: Sequence[int], dtype: str) -> None:
    """Raise ValueError unless a file's tensors are those of layers of these sizes."""
    expected: dict[str, tuple[int, ...]] = {}
    for j, (inputs, units) in enumerate(pairwise(sizes)):
        expected |= {f"layers.{j}.w": (units, inputs), f"layers.{j}.b": (units,)}
    if tensors.keys() != expected.keys():
        differing = min(tensors.keys() ^ expected.keys())
        raise ValueError(
            f"the tensors are {quoted(sorted(tensors))}, expected {quoted(sorted(expected))}: {quoted(differing)} is "
            + ("missing" if differing in expected else "too many")
        )
    for name, shape in expected.items():
        tensor = tensors[name]
        if tensor.shape != shape or tensor.dtype != dtype:
            raise ValueError(
                f"{name} has shape {quoted(tensor.shape)} and dtype {tensor.dtype}, expected {shape} and {dtype}"
            )


def _warn_unless_finite(file: str, params: NDArray[Any], sizes: Sequence[int]) -> None:
    begins = range(0, params.size, _LOOKED_AT_ONCE)
    if all(np.isfinite(params[begin : begin + _LOOKED_AT_ONCE]).all() for begin in begins):
        return
    name = next(name for name, tensor in _tensors(params, sizes).items() if not np.isfinite(tensor).all())
    warnings.warn(
        f"{file}: {name} holds numbers that are not finite, as a training leaves them that diverged: so will be what "
        "the model predicts",
        UserWarning,
        stacklevel=4,
    )


# -------------------------------------------------------------------------------------------------- pickles and copies


class Packed(NamedTuple):
    """A network as plain data, which a pickle can hold."""

    sizes: list[int]
    activations: list[str]
    params: NDArray[Any]

    @classmethod
    def of(cls, net: Net, layers: Sequence[Dense]) -> Self:
        """Return a network of these layers as plain data."""
        return cls(_sizes_of(net, layers), [layer.activation for layer in layers], snapshot(net))

    def net(self) -> Net:
        """Return a network like the one that was packed."""
        net = Net(self.sizes, self.activations, self.params.dtype.name)
        net.params[...] = self.params
        return net
