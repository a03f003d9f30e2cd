"""from_keras: models of Keras as models of mlpcore, from Keras itself, from its files, or from its JSON and weights."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import keras_files
from mlpcore.files import quoted
from mlpcore.keras_layers import ACTIVATIONS, LAYERS, LEFT_OUT, Part, is_shared, kind_of
from mlpcore.layers import Activation, Dense, Layer
from mlpcore.model import Sequential
from mlpcore.storage import StrPath

if TYPE_CHECKING:
    import keras

__all__ = ["from_keras"]

Array = NDArray[Any]

# Keras's names of arrays that have others here; all others are the same.
_ARRAYS = {"kernel": "w", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_variance"}
_DEEPEST = 50


def from_keras(
    model: "keras.Sequential | str | os.PathLike[str] | dict[str, Any]",
    weights: "Sequence[ArrayLike] | StrPath | None" = None,
) -> Sequential:
    """Return the model of a Sequential of Keras 3, whose layers are those that mlpcore has too.

    Parameters
    ----------
    model : keras.Sequential, str, path-like or dict
        The model itself; or, without Keras, the path of a ``.keras`` file, or what ``model.to_json()`` returned, as a
        string or parsed. Layers are Dense, Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax, Dropout, AlphaDropout,
        GaussianNoise, BatchNormalization, LayerNormalization, RMSNormalization, Flatten and Identity (which are left
        out) and Sequential in any nesting.
    weights : sequence of arrays, str or path-like, optional
        Only with JSON: what ``model.get_weights()`` returned, or the path of a ``.weights.h5`` file.

    Returns
    -------
    Sequential
        Of the weights' dtype. An activation behind a Dense without one is that of the `Dense`. Layers that are not
        trainable stay so; initializers, regularizers and constraints are not taken over. Where a normalization has no
        scale or no center, gamma is 1 or beta 0.

    Raises
    ------
    ImportError
        If a file of weights is to be read and there is no h5py: ``pip install 'mlpcore[keras]'``.
    TypeError
        If model or weights are none of these, or a layer or an activation is none of mlpcore's.
    ValueError
        If a layer has settings that its layer here does not have, the weights are not those of the model, or a file
        is damaged.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import mlpcore, numpy as np
    >>> dense = {"class_name": "Dense", "config": {"units": 2, "activation": "relu", "use_bias": True}}
    >>> config = {"class_name": "Sequential", "config": {"layers": [dense]}}
    >>> kernel, bias = np.array([[1.0, -1.0]], "float32"), np.array([0.5, 0.5], "float32")
    >>> mlpcore.from_keras(config, [kernel, bias]).predict([[2.0]])
    array([[2.5, 0. ]], dtype=float32)
    """
    config, source = _sources(model, weights)
    parts = list(_parts("layers", _layers_of("model", config), "layers"))
    if isinstance(source, list):
        read: Callable[[Part, int, str, tuple[int | None, ...]], Array] = _from_list(source, parts)
        arrays = _arrays_of(parts, read)
    else:
        with keras_files.WeightsFile(source) as file:
            arrays = _arrays_of(parts, lambda part, i, _, shape: file.array(f"{part.path}/vars/{i}", shape))
    first = next((each for own in arrays for each in own.values()), None)
    if first is None:
        raise ValueError("model has no weights: expected at least one Dense")
    _check_input_shape(config)
    made: list[tuple[Layer, dict[str, Array]]] = []
    for part, own in zip(parts, arrays, strict=True):
        sigma = ACTIVATIONS[part.kind](part) if part.kind in ACTIVATIONS else None
        if sigma is None:
            made.append((LAYERS[part.kind](part), own))
        elif made and isinstance(made[-1][0], Dense) and made[-1][0].activation == "linear":
            dense, numbers = made[-1]
            made[-1] = Dense(dense.units, sigma, use_bias=dense.use_bias, trainable=dense.trainable), numbers
        else:
            made.append((Activation(sigma), {}))
    ours = Sequential([layer for layer, _ in made], input_size=_input_size(parts, arrays), dtype=first.dtype.name)
    for layer, own in made:
        for name, values in own.items():
            setattr(layer, _ARRAYS.get(name, name), values.T if name == "kernel" else values)
    return ours


# --------------------------------------------------------------------------------------------- where a model comes from


def _sources(model: Any, weights: Any) -> tuple[dict[str, Any], list[Array] | StrPath | bytes]:  # noqa: ANN401
    """Return the configuration of the Sequential, and where its arrays are."""
    is_text = isinstance(model, str) and model.lstrip().startswith("{")
    if is_text or isinstance(model, dict):
        described = keras_files.parsed("model", model) if isinstance(model, str) else model
        if weights is None:
            raise TypeError(
                "weights is missing, expected what get_weights() returns, or the path of a .weights.h5 file"
            )
        if isinstance(weights, str | os.PathLike):
            return _sequential("model", described), os.fspath(weights)
        if isinstance(weights, np.ndarray) or not isinstance(weights, Sequence):
            raise TypeError(f"weights is {quoted(weights)}, expected a list of arrays, as get_weights() returns it")
        return _sequential("model", described), [np.asarray(each) for each in weights]
    if weights is not None:
        raise TypeError("weights is given, expected none: they belong to JSON, and come from the model itself here")
    if isinstance(model, str | os.PathLike):
        described, content = keras_files.read_archive(model)
        return _sequential("model", described), content
    if not all(hasattr(model, name) for name in ("get_config", "get_weights", "layers")):
        raise TypeError(f"model is {model!r}, expected a keras.Sequential, its JSON, or the path of a .keras file")
    config = model.get_config()
    if not isinstance(config, dict) or "layers" not in config or "input_layers" in config:
        raise TypeError(f"model is {model!r}, expected a keras.Sequential")
    if not model.built:
        raise ValueError(f"model is {model!r}, which is not built: give it a keras.Input, or let it see data first")
    return config, [np.asarray(each) for each in model.get_weights()]


def _sequential(place: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a serialized Sequential."""
    version = str(described.get("keras_version", "3"))
    if version.startswith(("1.", "2.")):
        raise ValueError(f"{place} is of Keras {version[:20]}, expected Keras 3: load it there, and save it again")
    if described.get("class_name") != "Sequential":
        raise TypeError(f"{place} is a {quoted(described.get('class_name'))}, expected a 'Sequential'")
    config = described.get("config")
    if not isinstance(config, dict):
        raise ValueError(f"{place} has config {quoted(config)}, expected a JSON object")
    return config


def _layers_of(place: str, config: dict[str, Any]) -> list[Any]:
    layers = config.get("layers")
    if not isinstance(layers, list):
        raise ValueError(f"{place} has layers {quoted(layers)}, expected a list")
    return layers


def _parts(place: str, entries: list[Any], path: str) -> Iterator[Part]:
    """Yield the layers in order, those of nested Sequentials in their place."""
    names: dict[str, int] = {}
    for j, entry in enumerate(entries):
        here = f"{place}[{j}]"
        config = entry.get("config") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(config, dict):
            raise ValueError(f"{here} is {quoted(entry)}, expected a layer with a class_name and a config")
        kind = kind_of(here, entry)
        name = _snake_case(kind)
        count = names[name] = names.get(name, -1) + 1
        own = f"{path}/{name}_{count}" if count else f"{path}/{name}"
        if kind == "Sequential":
            if here.count(".layers") > _DEEPEST:
                raise ValueError(f"model has more than {_DEEPEST} Sequentials inside each other")
            yield from _parts(f"{here}.layers", _layers_of(here, config), f"{own}/layers")
        elif kind not in LEFT_OUT:
            yield Part(here, kind, config, own)


def _snake_case(kind: str) -> str:
    """Return what Keras calls a class in a file of weights: PReLU is p_re_lu."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()


# ---------------------------------------------------------------------------------------------------------- the weights


def _arrays_of(
    parts: list[Part], read: Callable[[Part, int, str, tuple[int | None, ...]], Array]
) -> list[dict[str, Array]]:
    """Return the arrays of each part by name, each of the shape that those before it make necessary."""
    width: int | None = None
    found = []
    for part in parts:
        arrays: dict[str, Array] = {}
        for i, (name, shape) in enumerate(_shapes(part, width)):
            arrays[name] = array = read(part, i, name, shape)
            if array.dtype.name not in ("float32", "float64"):
                raise ValueError(f"{part.place}, {part.kind}: {name} is {array.dtype}, expected float32 or float64")
        if arrays:
            width = _width_behind(part, arrays, width)
        found.append(arrays)
    return found


def _shapes(part: Part, width: int | None) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    """Yield the name and shape of each array of a layer of so many inputs, in Keras's order."""
    config = part.config
    if part.kind == "Dense":
        yield "kernel", (width, part.get("units"))
        if config.get("use_bias", True):
            yield "bias", (part.get("units"),)
    elif part.kind in ("BatchNormalization", "LayerNormalization"):
        yield from (
            (name, (width,)) for name, asked in (("gamma", "scale"), ("beta", "center")) if config.get(asked, True)
        )
        if part.kind == "BatchNormalization":
            yield from ((name, (width,)) for name in ("moving_mean", "moving_variance"))
    elif part.kind == "RMSNormalization":
        yield "gamma", (width,)
    elif part.kind == "PReLU":
        yield "alpha", (1 if is_shared(part) else width,)


def _width_behind(part: Part, arrays: dict[str, Array], width: int | None) -> int | None:
    """Return how many outputs a layer with these arrays has, as far as they tell."""
    if part.kind == "PReLU" and is_shared(part):
        return width
    return int(next(iter(arrays.values())).shape[-1])


def _input_size(parts: list[Part], arrays: list[dict[str, Array]]) -> int:
    """Return how many inputs the first layer has that takes a certain number."""
    for part, own in zip(parts, arrays, strict=True):
        if own and not (part.kind == "PReLU" and is_shared(part)):
            return int(next(iter(own.values())).shape[0])
    raise ValueError("model takes any number of inputs: expected at least one Dense")


def _from_list(arrays: list[Array], parts: list[Part]) -> Callable[[Part, int, str, tuple[int | None, ...]], Array]:
    """Return what takes one array after the other from a list."""
    count = sum(1 for part in parts for _ in _shapes(part, None))
    if len(arrays) != count:
        raise ValueError(f"weights has {len(arrays)} arrays, expected {count}: those of get_weights() of this model")
    rest = iter(arrays)

    def read(part: Part, i: int, name: str, shape: tuple[int | None, ...]) -> Array:
        array = next(rest)
        keras_files.check_shape(f"{part.place}, {part.kind}: {name}", array.shape, shape)
        return array

    return read


def _check_input_shape(config: dict[str, Any]) -> None:
    """Raise ValueError if samples have several axes, unless they are flattened first."""
    entries = _layers_of("model", config)
    given = entries[0]["config"].get("batch_shape") or config.get("build_input_shape")
    if isinstance(given, list | tuple) and len(given) > 2 and _first_kind(entries) != "Flatten":
        raise ValueError(
            f"model takes samples of shape {quoted(given[1:])}, expected rows of numbers, or Flatten first"
        )


def _first_kind(entries: list[Any]) -> str | None:
    """Return the class of the first layer that does anything, also in a nested Sequential."""
    for entry in entries:
        inner = entry["config"].get("layers")
        kind = _first_kind(inner) if isinstance(inner, list) else entry["class_name"]
        if kind not in (None, "InputLayer", "Identity"):
            return str(kind)
    return None
