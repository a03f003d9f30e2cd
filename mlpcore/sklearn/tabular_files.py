"""Files of the tabular estimators: safetensors as a model's, with the preprocessing and the parameters as JSON.

A file comes from anywhere: what it says is checked before it is believed, as `mlpcore.saving` does.
"""

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mlpcore import Sequential, saving
from mlpcore.files import quoted
from mlpcore.functions import Function
from mlpcore.sklearn.described_columns import columns_from
from mlpcore.storage import StrPath

if TYPE_CHECKING:
    from mlpcore.sklearn.tabular import Tabular

_ENTRIES = {"class", "params", "columns", "feature_names", "importances", "networks", "learned"}


def save(estimator: "Tabular", file: StrPath | BinaryIO) -> None:
    """Write a fitted estimator; TypeError if a parameter or a class is nothing that JSON can express."""
    networks: list[dict[str, Any]] = []
    tensors: dict[str, NDArray[Any]] = {}
    for i, model in enumerate(estimator._networks()):
        description, own = saving.described(model)
        networks.append(description)
        tensors |= {f"networks.{i}.{name}": tensor for name, tensor in own.items()}
    importances = estimator._importances
    description = {
        "class": type(estimator).__name__,
        "params": {name: _plain(name, value) for name, value in estimator.get_params(deep=False).items()},
        "columns": estimator.columns_.described(),
        "feature_names": list(estimator.feature_names_in_) if hasattr(estimator, "feature_names_in_") else None,
        "importances": None if importances is None else importances.tolist(),
        "networks": networks,
        "learned": estimator._learned(),
    }
    saving.write(file, {saving.ESTIMATOR: description}, tensors)


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401
    """Return a parameter as JSON has it."""
    if name == "random_state" and not isinstance(value, int):
        return None  # the file says nothing of a generator, whose numbers have been drawn
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Function):
        return list(value)
    if isinstance(value, dict):
        return {"pairs": [[_plain(name, key), _plain(name, each)] for key, each in value.items()]}
    if isinstance(value, list | tuple):
        return [_plain(name, each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name} is {value!r}, expected what a file can hold: a number, a text, or a list of them")


def load(file: StrPath | BinaryIO) -> Any:  # noqa: ANN401  either estimator
    """Read a tabular estimator that `save` wrote. Nothing in a file is ever executed.

    Parameters
    ----------
    file : str, path-like or binary file object

    Returns
    -------
    TabularClassifier or TabularRegressor
        Fitted: it predicts the same bits as the one saved. Its `history_` is not kept, and its
        `feature_importances_` only if they were read before `save`.

    Raises
    ------
    OSError
        If there is no such file or it cannot be read.
    TypeError
        If file is neither a path nor a binary file object.
    ValueError
        If it holds no tabular estimator, is damaged, or was written by a newer mlpcore.
    MemoryError
        If there is no memory for its networks.

    Examples
    --------
    >>> import io
    >>> from sklearn.datasets import load_iris
    >>> from mlpcore.sklearn import TabularClassifier, load
    >>> X, y = load_iris(return_X_y=True)
    >>> estimator, file = TabularClassifier(max_iter=2).fit(X, y), io.BytesIO()
    >>> estimator.save(file)
    >>> bool((load(io.BytesIO(file.getvalue())).predict(X) == estimator.predict(X)).all())
    True
    """
    with saving.reading(file) as reader:
        description = reader.description.get(saving.ESTIMATOR)
        if not isinstance(description, dict) or description.keys() != _ENTRIES or len(reader.description) != 1:
            raise ValueError("it holds no estimator; if it holds a model, Sequential.load reads it")
        estimator = _estimator_of(description)
        saved = []
        arrays: dict[str, NDArray[Any]] = {}
        networks = _list("networks", description["networks"])
        tensors = dict(reader.tensors)
        for i, each in enumerate(networks):
            prefix = f"networks.{i}."
            own = {name: tensors.pop(name) for name in reader.tensors if name.startswith(prefix)}
            if not isinstance(each, dict):
                raise ValueError(f"network {i} is {quoted(each)}, expected a JSON object")
            saved.append(saving.checked(each, {name.removeprefix(prefix): tensor for name, tensor in own.items()}))
            arrays |= {prefix + name: array for name, array in saving.tensors_of(saved[-1]).items()}
        if tensors:
            raise ValueError(f"the tensor {quoted(next(iter(tensors)))} belongs to none of {len(networks)} networks")
        estimator._take_networks([Sequential._of(each) for each in saved])
        reader.read_into(arrays)
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds numbers that are not finite")
    return estimator


def _estimator_of(description: dict[str, Any]) -> "Tabular":
    """Return the estimator without its networks."""
    from mlpcore.sklearn.tabular_classifier import TabularClassifier
    from mlpcore.sklearn.tabular_regressor import TabularRegressor

    classes: dict[object, type[Tabular]] = {each.__name__: each for each in (TabularClassifier, TabularRegressor)}
    name = description["class"]
    if not isinstance(name, str) or name not in classes:
        raise ValueError(f"class is {quoted(name)}, expected one of {', '.join(map(repr, classes))}")
    estimator = classes[name]()
    params = description["params"]
    if not isinstance(params, dict) or params.keys() != estimator.get_params(deep=False).keys():
        raise ValueError(f"params is {quoted(params)}, expected those of {name}")
    estimator.set_params(**{key: _value(value) for key, value in params.items()})
    estimator._settings()
    estimator.columns_ = columns_from(description["columns"])
    count = len(estimator.columns_.columns)
    estimator.n_features_in_ = count
    names = description["feature_names"]
    if names is not None:
        if len(_list("feature_names", names)) != count or not all(isinstance(each, str) for each in names):
            raise ValueError(f"feature_names is {quoted(names)}, expected {count} texts")
        estimator.feature_names_in_ = np.array(names, object)
    importances = description["importances"]
    if importances is not None:
        importances = numbers("importances", importances, count)
    estimator._importances = importances
    learned = description["learned"]
    if not isinstance(learned, dict):
        raise ValueError(f"learned is {quoted(learned)}, expected a JSON object")
    estimator._take_learned(learned)
    return estimator


def _value(value: Any) -> Any:  # noqa: ANN401
    """Return a parameter from what JSON has."""
    if isinstance(value, dict):
        pairs = _list("pairs", value.get("pairs"))
        if not all(
            isinstance(each, list) and len(each) == 2 and isinstance(each[0], str | int | float) for each in pairs
        ):
            raise ValueError(f"a parameter is {quoted(value)}, expected pairs of a class and a weight")
        return dict(map(tuple, pairs))
    return tuple(value) if isinstance(value, list) else value


def numbers(name: str, value: object, count: int) -> NDArray[np.float64]:
    """Return a list of finite numbers as an array; ValueError if it is none, or not of that length."""
    listed = _list(name, value)
    if len(listed) != count or not all(type(each) in (int, float) and np.isfinite(each) for each in listed):
        raise ValueError(f"{name} is {quoted(value)}, expected {count} finite numbers")
    return np.array(listed, np.float64)


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is {quoted(value)}, expected a list")
    return value
