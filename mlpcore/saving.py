"""What of a model is kept: its description and tensors in a file, its attributes in a pickle or a copy.

A file comes from anywhere: its description is checked here against the tensors that the file holds, before memory is
taken for anything that it names.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlpcore import checks, files, network, storage
from mlpcore._core import Net
from mlpcore.engine import Step
from mlpcore.files import quoted
from mlpcore.layers import KINDS, Layer
from mlpcore.layers.layer import Bound, Place
from mlpcore.task import MOST_EPOCHS
from mlpcore.training import TrainingWarning

if TYPE_CHECKING:
    from mlpcore.stack import Stack

_LOOKED_AT_ONCE = 2**18


class Saved(NamedTuple):
    """A model as it came from a file."""

    layers: list[Layer]
    dtype: str
    seed: int
    epochs_trained: int
    feature_names: tuple[str, ...] | None
    bound: Bound


# --------------------------------------------------------------------------------------------------------- parameters


def snapshot(net: Net) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return copies of all parameters and of the numbers beside them: the one place that reads them to keep them.

    BusyError, a RuntimeError, if another thread is changing them.
    """
    return net.read(lambda: (net.snapshot(), net.state.copy()))


def _tensors(
    layers: Sequence[Layer], input_size: int, params: NDArray[Any], state: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Return views by name of all that a file holds."""
    return network.tensors(layers, input_size, params) | network.buffers(layers, input_size, state)


# --------------------------------------------------------------------------------------------------------------- files


Training = tuple[dict[str, Any], dict[str, NDArray[Any]]]
"""What a file holds of a training beside the model, for `mlpcore.checkpoints`: a description, and arrays by name."""

_TRAINING, _NAMES = "training", "feature_names"
ESTIMATOR = "estimator"
"""The entry of a description that only the file of an estimator has."""


def described(model: "Stack") -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what a file says of a model, which has weights, and its tensors by name."""
    net, input_size = model._built(), model.input_size
    assert input_size is not None
    layers = [layer._config() for layer in model.layers]
    params, state, epochs_trained = net.read(lambda: (*snapshot(net), model.epochs_trained))
    tensors = _tensors(model.layers, input_size, params, state)
    description = {
        "layers": layers,
        "input_size": input_size,
        "dtype": model.dtype,
        "seed": model.seed,
        "epochs_trained": epochs_trained,
    }
    if model.feature_names_in_ is not None:
        description[_NAMES] = model.feature_names_in_
    return description, tensors


def save(model: "Stack", file: storage.StrPath | BinaryIO, training: Training | None = None) -> None:
    """Write a model, which has weights, to a file."""
    description, tensors = described(model)
    if training is not None:
        description[_TRAINING] = training[0]
        tensors |= training[1]
    write(file, description, tensors)


def write(file: storage.StrPath | BinaryIO, description: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
    """Write a file of a description and tensors."""
    header = files.header_of(description, tensors)
    storage.write_to(file, lambda stream: files.write(stream, header, tensors))


def load(file: storage.StrPath | BinaryIO) -> Saved:
    """Read the model that `save` wrote; OSError if it cannot be read, ValueError if it holds no model."""
    saved = load_training(file)[0]
    _warn_unless_finite(storage.quoted_name(file), saved)
    return saved


def load_training(
    file: storage.StrPath | BinaryIO,
) -> tuple[Saved, dict[str, Any] | None, dict[str, NDArray[Any]]]:
    """Read all that `save` wrote; of a training, whose meaning is unchecked, None where there is none."""
    with reading(file) as reader:
        training = reader.description.pop(_TRAINING, None)
        if training is not None and not isinstance(training, dict):
            raise ValueError(f"{_TRAINING} is {quoted(training)}, expected a JSON object")
        extra = {name: each for name, each in reader.tensors.items() if name.startswith(f"{_TRAINING}.")}
        own = {name: each for name, each in reader.tensors.items() if training is None or name not in extra}
        saved = checked(reader.description, own)
        tensors = tensors_of(saved)
        arrays = {name: _room(name, extra[name]) for name in extra.keys() - own.keys()}
        reader.read_into(tensors | arrays)
    return saved, training, arrays


@contextmanager
def reading(file: storage.StrPath | BinaryIO) -> Iterator[files.Reader]:
    """Open a file of ours and read its header; what is found wrong with it is told with the file's name."""
    with storage.opened(file) as stream:
        try:
            yield files.Reader(stream, whole=stream is not file)
        except OSError:  # among them the one that is a ValueError too: of a file that is not readable
            raise
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot load {storage.quoted_name(file)}: {error}") from None
        except MemoryError:
            raise MemoryError(f"cannot load {storage.quoted_name(file)}: no memory for its parameters") from None


def _room(name: str, tensor: files.Tensor) -> NDArray[Any]:
    """Return an array for a tensor of a training, whose bytes are in the file."""
    if len(tensor.shape) not in (1, 2) or tensor.dtype not in ("float32", "float64", "int64"):
        raise ValueError(
            f"{quoted(name)} has shape {quoted(tensor.shape)} and dtype {tensor.dtype}, expected one or two axes of "
            "float32, float64 or int64"
        )
    return np.empty(tensor.shape, tensor.dtype)


def checked(description: dict[str, Any], tensors: dict[str, files.Tensor]) -> Saved:
    """Return the model, its parameters 0; raise TypeError or ValueError if nothing fits together."""
    if ESTIMATOR in description:
        raise ValueError("it holds an estimator, expected a model: mlpcore.sklearn.load reads it")
    expected = ["dtype", "epochs_trained", "input_size", "layers", "seed"]
    if sorted(description.keys() - {_NAMES}) != expected:
        raise ValueError(f"the description has the entries {quoted(sorted(description))}, expected {expected}")
    for name in ("dtype", "epochs_trained", "input_size", "seed"):
        _require_short(name, description[name])
    dtype = description["dtype"]
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype is {quoted(dtype)}, expected 'float32' or 'float64'")
    seed = checks.seed_number(description["seed"])
    epochs = checks.whole_number("epochs_trained", description["epochs_trained"], at_least=0, at_most=MOST_EPOCHS)
    input_size = checks.whole_number("input_size", description["input_size"], at_least=1)
    names = _feature_names_of(description.get(_NAMES), input_size)
    layers = _layers_of("layers", description["layers"])
    _require_tensors(tensors, layers, input_size, dtype)
    return Saved(layers, dtype, seed, epochs, names, network.make(layers, input_size, dtype))


def _feature_names_of(value: object, input_size: int) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != input_size or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{_NAMES} is {quoted(value)}, expected {input_size} texts")
    return tuple(value)


def _layers_of(name: str, descriptions: object) -> list[Layer]:
    if not isinstance(descriptions, list):
        raise TypeError(f"{name} is {quoted(descriptions)}, expected a list")
    if not descriptions:
        raise ValueError(f"{name} is empty, expected at least one layer")
    return [_layer(f"{name}[{j}]", description) for j, description in enumerate(descriptions)]


def _layer(name: str, description: object) -> Layer:
    kind = description.get("kind") if isinstance(description, dict) else None
    if not isinstance(description, dict) or not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(
            f"{name}, {quoted(description)}, is no description of a layer, expected one of kind "
            f"{', '.join(map(repr, KINDS))}"
        )
    required = {"kind", *KINDS[kind].required_settings}
    if not required <= description.keys() <= required | set(KINDS[kind].optional_settings):
        raise ValueError(f"{name} has the entries {quoted(sorted(description))}, expected {sorted(required)}")
    return KINDS[kind]._from_config({key: _value(name, key, value) for key, value in description.items()})


def _value(name: str, key: str, value: object) -> object:
    """Return a setting of a layer: a number, a short name, or the layers that it is made of."""
    if key == "layers":
        return _layers_of(f"{name}.layers", value)
    if key == "columns":
        return _columns_of(f"{name}: {key}", value)
    chosen = key == "activation" or key.endswith("initializer")
    numbers = isinstance(value, list) and chosen and len(value) < 10  # a name and its constants
    for each in value if numbers else [value]:  # type: ignore[attr-defined]  # a list
        _require_short(f"{name}: {key}", each)
    return value


def _columns_of(name: str, value: object) -> dict[Any, tuple[Any, Any]]:
    """Return the tables of an embedding, which a file lists as (column, categories, numbers)."""
    columns: dict[Any, tuple[Any, Any]] = {}
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, list) or len(entry) != 3 or not all(type(each) is int for each in entry):
            raise ValueError(f"{name} has {quoted(entry)}, expected three integers")
        if entry[0] in columns:
            raise ValueError(f"{name} has column {entry[0]} twice")
        columns[entry[0]] = entry[1], entry[2]
    return columns


def _require_short(name: str, value: object) -> None:
    """Raise ValueError for what is no name and no number, and what no message should repeat."""
    if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > 100):
        raise ValueError(f"{name} is {quoted(value)}, expected a number or a short name")


def _require_tensors(tensors: dict[str, files.Tensor], layers: Sequence[Layer], input_size: int, dtype: str) -> None:
    """Raise ValueError unless a file's tensors are those of these layers."""
    shapes = *network.tensor_shapes(layers, input_size), *network.buffer_shapes(layers, input_size)
    expected = {name: shape for name, shape, _ in shapes}
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


def tensors_of(saved: Saved) -> dict[str, NDArray[Any]]:
    """Return views of what a model from a file holds."""
    net = saved.bound.net
    return _tensors(saved.layers, saved.bound.input_size, net.params, net.state)


def _warn_unless_finite(file: str, saved: Saved) -> None:
    flat = saved.bound.net.params, saved.bound.net.state
    parts = (each[begin : begin + _LOOKED_AT_ONCE] for each in flat for begin in range(0, each.size, _LOOKED_AT_ONCE))
    if all(np.isfinite(part).all() for part in parts):
        return
    name = next(name for name, tensor in tensors_of(saved).items() if not np.isfinite(tensor).all())
    warnings.warn(
        f"{file}: {name} holds numbers that are not finite, as a training leaves them that diverged: so will be what "
        "the model predicts",
        TrainingWarning,
        stacklevel=4,
    )


# -------------------------------------------------------------------------------------------------- pickles and copies


class Packed(NamedTuple):
    """A network as plain data, which a pickle can hold."""

    input_size: int
    dtype: str
    steps: list[Step]
    places: list[tuple[Layer, Place]]
    settings: list[tuple[bool, float, float, float, float]]
    params: NDArray[Any]
    state: NDArray[Any]

    @classmethod
    def of(cls, bound: Bound, layers: Sequence[Layer]) -> Self:
        """Return the network of these layers, which lie like those of `bound`, as plain data."""
        params, state = snapshot(bound.net)
        steps = network.steps_of(layers, bound.input_size)
        places = list(network.places(layers, bound.input_size).items())
        return cls(bound.input_size, params.dtype.name, steps, places, bound.net.segments(), params, state)

    def bound(self) -> Bound:
        """Return a network like the one that was packed."""
        net = Net(self.input_size, self.steps, self.dtype)
        for i, settings in enumerate(self.settings):
            net.set_segment(i, *settings)
        net.params[...] = self.params
        net.state[...] = self.state
        return Bound(net, self.input_size, dict(self.places))
