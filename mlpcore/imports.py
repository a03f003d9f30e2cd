"""Models of other libraries as models of mlpcore, with the same weights and predictions."""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import catalogue
from mlpcore.engine import Choice
from mlpcore.layers import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    PReLU,
    RMSNorm,
)
from mlpcore.model import Sequential

if TYPE_CHECKING:
    import sklearn.neural_network
    import torch

__all__ = ["from_sklearn", "from_torch"]

# scikit-learn's names of activations that have others here; all others are the same.
SKLEARN_NAMES = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}
# PyTorch's modules that no row of the catalogue is named like.
TORCH_NAMES = {"Identity": "linear"}


def from_sklearn(estimator: "sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor") -> Sequential:
    """Return the model of a fitted MLPClassifier or MLPRegressor of scikit-learn.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted; of ``sklearn.neural_network`` or of `mlpcore.sklearn`. Of a classifier the outputs are what its
        `predict_proba` gives: one for two classes.

    Returns
    -------
    Sequential
        With its dtype and the names of its columns. Of an estimator of `mlpcore.sklearn` a copy of its ``model_``.

    Raises
    ------
    TypeError
        If it is no such estimator, or not fitted.

    Examples
    --------
    >>> import mlpcore, numpy as np
    >>> from sklearn.neural_network import MLPRegressor
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> theirs = MLPRegressor(hidden_layer_sizes=8, solver="lbfgs", random_state=1).fit(X, X.ravel() ** 2)
    >>> bool(np.allclose(mlpcore.from_sklearn(theirs).predict(X).ravel(), theirs.predict(X)))
    True
    """
    own = getattr(estimator, "model_", None)
    if isinstance(own, Sequential):
        return copy.copy(own)
    if not all(hasattr(estimator, name) for name in ("coefs_", "intercepts_", "out_activation_", "activation")):
        raise TypeError(f"estimator is {estimator!r}, expected a fitted MLPClassifier or MLPRegressor of scikit-learn")
    last = len(estimator.coefs_) - 1
    layers: list[Layer] = []
    for j, coefs in enumerate(estimator.coefs_):
        sigma = estimator.out_activation_ if j == last else estimator.activation
        layers.append(Dense(coefs.shape[1], SKLEARN_NAMES.get(sigma, sigma)))
    first = estimator.coefs_[0]
    model = Sequential(layers, input_size=first.shape[0], dtype=first.dtype)
    for layer, coefs, intercepts in zip(layers, estimator.coefs_, estimator.intercepts_, strict=True):
        assert isinstance(layer, Dense)
        layer.w, layer.b = coefs.T, intercepts
    names = getattr(estimator, "feature_names_in_", None)
    model._feature_names = None if names is None else tuple(map(str, names))
    return model


def from_torch(module: "torch.nn.Module") -> Sequential:
    """Return the model of an nn.Sequential of PyTorch, whose layers are those that mlpcore has too.

    Parameters
    ----------
    module : torch.nn.Sequential or torch.nn.Linear
        Of Linear, activations, Dropout, AlphaDropout, BatchNorm1d, LayerNorm, RMSNorm, PReLU, Flatten (which is left
        out) and Sequential in any nesting.

    Returns
    -------
    Sequential
        With its dtype. An activation behind a Linear is that of the `Dense`.

    Raises
    ------
    TypeError
        If a module is none of these.
    ValueError
        If one has settings that its layer here does not have.
    """
    parts: list[tuple[str, Any, Choice | None]] = []  # where a module is, and the activation that belongs to it
    for place, each in _modules("module", module):
        sigma = _activation_of(place, each)
        if sigma is not None and parts and type(parts[-1][1]).__name__ == "Linear" and parts[-1][2] is None:
            parts[-1] = *parts[-1][:2], sigma
        elif type(each).__name__ != "Flatten":
            parts.append((place, each, sigma))
    numbers = [parameter.detach().cpu().numpy() for _, each, _ in parts for parameter in each.parameters()]
    if not numbers:
        raise ValueError(f"module is {module!r}, which has no weights: expected at least one Linear")
    made = [_layer_of(*part) for part in parts]
    input_size = next((width for _, each, _ in parts if (width := _width(each))), None)
    if input_size is None:
        raise ValueError(f"module is {module!r}, which takes any number of inputs: expected at least one Linear")
    model = Sequential([layer for layer, _ in made], input_size=input_size, dtype=numbers[0].dtype)
    for layer, arrays in made:
        for name, values in arrays.items():
            setattr(layer, name, values.detach().cpu().numpy())
    return model


def _modules(place: str, module: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  PyTorch is not imported
    """Yield the modules that compute, in order, each with where it is."""
    if not (hasattr(module, "named_children") and hasattr(module, "forward")):
        raise TypeError(f"{place} is {module!r}, expected a torch.nn.Sequential")
    if type(module).__name__ != "Sequential":
        yield place, module
        return
    for i, child in enumerate(module):  # named_children would leave out a module that comes twice
        yield from _modules(f"{place}[{i}]", child)


def _width(module: Any) -> int | None:  # noqa: ANN401
    """Return how many inputs a module takes; None if it takes any."""
    if hasattr(module, "normalized_shape"):
        return int(module.normalized_shape[-1])
    if hasattr(module, "num_parameters"):
        return int(module.num_parameters) if module.num_parameters > 1 else None
    return getattr(module, "in_features", getattr(module, "num_features", None))


def _activation_of(place: str, module: Any) -> Choice | None:  # noqa: ANN401
    """Return the activation that a module is, with its constants; None if it is none."""
    kind = type(module).__name__
    plain = {row.replace("_", ""): row for row in catalogue.names("activations")}
    name = TORCH_NAMES.get(kind, plain.get(kind.lower()))
    if name is None or kind == "Linear":  # which is named like the activation that does nothing
        return None
    if name == "gelu" and module.approximate == "tanh":
        return "gelu_tanh"
    fixed = {"beta": 1.0, "min_val": -1.0, "max_val": 1.0}  # what these are in mlpcore
    for setting, value in fixed.items():
        if name in ("softplus", "hard_tanh") and getattr(module, setting, value) != value:
            raise ValueError(f"{place} is {module!r}, expected {setting}={value:g}, which mlpcore has")
    if name in ("softmax", "log_softmax") and module.dim not in (1, -1):
        raise ValueError(f"{place} is {module!r}, expected dim=1, the units of a sample")
    constants = [getattr(module, attribute) for attribute in ("negative_slope", "alpha") if hasattr(module, attribute)]
    return (name, *map(float, constants)) if constants else name


def _layer_of(place: str, module: Any, sigma: Choice | None) -> tuple[Layer, dict[str, Any]]:  # noqa: ANN401
    """Return a module's layer, and its arrays by the names of the layer's attributes."""
    kind = type(module).__name__
    if kind == "Linear":
        arrays = {"w": module.weight} | ({} if module.bias is None else {"b": module.bias})
        return Dense(module.out_features, sigma, use_bias=module.bias is not None), arrays
    if sigma is not None:
        return Activation(sigma), {}
    if kind in ("Dropout", "AlphaDropout"):
        return (Dropout if kind == "Dropout" else AlphaDropout)(module.p), {}
    if kind == "PReLU":
        return PReLU(shared=module.num_parameters == 1), {"alpha": module.weight}
    if kind not in ("BatchNorm1d", "LayerNorm", "RMSNorm"):
        raise TypeError(
            f"{place} is {module!r}, expected Linear, an activation, Dropout, AlphaDropout, BatchNorm1d, LayerNorm, "
            "RMSNorm, PReLU, Flatten or Sequential"
        )
    if module.weight is None:
        raise ValueError(f"{place} is {module!r}, expected one with weights: affine=True, elementwise_affine=True")
    arrays = {"gamma": module.weight}
    if kind == "RMSNorm":
        return RMSNorm(epsilon=_epsilon(module)), arrays
    arrays["beta"] = module.bias
    if kind == "LayerNorm":
        return LayerNorm(epsilon=module.eps), arrays
    if module.running_mean is None or module.momentum is None:
        raise ValueError(f"{place} is {module!r}, expected track_running_stats=True and a momentum")
    arrays |= {"running_mean": module.running_mean, "running_variance": module.running_var}
    return BatchNorm(momentum=1 - module.momentum, epsilon=module.eps), arrays


def _epsilon(module: Any) -> float:  # noqa: ANN401
    """Return what an RMSNorm adds: without a number, the smallest step of its type at 1."""
    return float(np.finfo(module.weight.detach().cpu().numpy().dtype).eps) if module.eps is None else float(module.eps)
