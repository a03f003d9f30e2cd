"""to_sklearn: a model as a fitted estimator of scikit-learn."""

from __future__ import annotations  # so that signatures show names

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import extras
from mlpcore.export.given import require_model
from mlpcore.imports import SKLEARN_NAMES
from mlpcore.layers import AlphaDropout, Dense, Dropout, GaussianNoise
from mlpcore.model import Sequential

if TYPE_CHECKING:
    import sklearn.neural_network

__all__ = ["to_sklearn"]

Array = NDArray[Any]

_HIDDEN = ("identity", "logistic", "tanh", "relu")


def to_sklearn(
    model: Sequential, *, classes: ArrayLike | None = None
) -> sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor:
    """Return a model of dense layers as a fitted MLPClassifier or MLPRegressor of scikit-learn: see `from_sklearn`.

    The output tells which: "linear" makes a regressor, "exponential" one with loss "poisson"; "softmax" a classifier;
    "sigmoid" one of two classes or, with several units, of multi-label data. A softmax of two units becomes one sigmoid
    of z_1 - z_0, as scikit-learn has it.

    Parameters
    ----------
    model : Sequential
        With weights, of `Dense`; all hidden ones have the same activation, "linear", "sigmoid", "tanh" or "relu".
        `Dropout`, `AlphaDropout` and `GaussianNoise`, which do nothing in prediction, are left out.
    classes : array_like of shape (n_classes,), optional
        Of a classifier of one class a row: the label of each output, or of no and yes. Without it 0, 1, ...

    Returns
    -------
    MLPClassifier or MLPRegressor
        Of scikit-learn, with its own defaults for training on by ``partial_fit``. Weights are copies, of the model's
        dtype; names of columns come along.

    Raises
    ------
    ImportError
        If there is no scikit-learn.
    TypeError
        If model is no `Sequential`, or has a layer that scikit-learn has not.
    ValueError
        If an activation is none of scikit-learn's, hidden ones differ, or `classes` does not fit the output.
    RuntimeError
        If the model has no weights yet, or another thread is training it.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(8, "tanh"), mlpcore.Dense(3, "softmax")], input_size=2, seed=1)
    >>> theirs = mlpcore.to_sklearn(model, classes=["blue", "green", "red"])
    >>> theirs.predict_proba([[1.0, 2.0]]).shape, theirs.classes_
    ((1, 3), array(['blue', 'green', 'red'], dtype='<U5'))
    """
    require_model(model)
    networks = extras.require("sklearn.neural_network", "sklearn")
    layers = _dense_layers(model)
    hidden, output = _activations(layers)
    weights = model._read(lambda _: [(layer.w.T.copy(), _bias(layer)) for layer in layers])
    settings: dict[str, Any] = {"hidden_layer_sizes": tuple(layer.units for layer in layers[:-1]), "activation": hidden}
    settings["random_state"] = 0  # of the step that is thrown away: it draws nothing from NumPy's own generator
    out, x = layers[-1].units, np.zeros((1, weights[0][0].shape[0]), model.dtype)
    if output in ("identity", "exp"):
        if classes is not None:
            raise ValueError("classes is given, expected none: a linear or exponential output is one of numbers")
        settings |= {"loss": "poisson"} if output == "exp" else {}
        estimator = networks.MLPRegressor(**settings).partial_fit(x, np.zeros((1, out) if out > 1 else 1))
    elif output == "logistic" and out > 1:
        if classes is not None:
            raise ValueError(f"classes is given, expected none: {out} sigmoid units tell labels, which go together")
        estimator = networks.MLPClassifier(**settings).partial_fit(
            x, np.eye(out, dtype=int)[:1], classes=np.arange(out)
        )
    else:
        labels = _labels(classes, max(out, 2))
        if output == "softmax":
            weights[-1] = _in_order(*weights[-1], labels)
        elif np.any(labels[:-1] > labels[1:]):
            weights[-1] = -weights[-1][0], -weights[-1][1]  # the yes is the first in scikit-learn's order
        estimator = networks.MLPClassifier(**settings).partial_fit(x, labels[:1], classes=np.sort(labels))
    if model.feature_names_in_ is not None:
        estimator.feature_names_in_ = np.array(model.feature_names_in_, object)
    return _refilled(estimator, weights)


def _dense_layers(model: Sequential) -> list[Dense]:
    kept: list[Dense] = []
    for j, layer in enumerate(model.layers):
        if isinstance(layer, Dense):
            kept.append(layer)
        elif not isinstance(layer, Dropout | AlphaDropout | GaussianNoise):
            raise TypeError(
                f"layers.{j} is {layer._expression()}, expected Dense, Dropout, AlphaDropout or GaussianNoise: "
                "scikit-learn's MLP has dense layers only"
            )
    if not kept:
        raise TypeError(f"model is {model!r}, expected at least one Dense")
    return kept


def _activations(layers: list[Dense]) -> tuple[str, str]:
    """Return scikit-learn's names of the activations of the hidden layers and of the output."""
    theirs = {ours: name for name, ours in SKLEARN_NAMES.items()}
    names = [theirs.get(layer.activation, layer.activation) for layer in layers]  # type: ignore[arg-type]
    *hidden, output = names
    for layer, name in zip(layers, hidden, strict=False):
        if name not in _HIDDEN or name != hidden[0]:
            expected = f"one of {', '.join(SKLEARN_NAMES.get(each, each) for each in _HIDDEN)}, the same in each"
            raise ValueError(f"a hidden layer is {layer._expression()}, expected the activation {expected}")
    if output not in ("identity", "exp", "logistic", "softmax") or (output == "softmax" and layers[-1].units == 1):
        raise ValueError(
            f"the last layer is {layers[-1]._expression()}, expected the activation linear, exponential, sigmoid or, "
            "of two or more units, softmax"
        )
    return (hidden[0] if hidden else "relu"), output


def _bias(layer: Dense) -> Array:
    return np.zeros(layer.units, layer.w.dtype) if layer.b is None else layer.b.copy()


def _labels(classes: ArrayLike | None, count: int) -> Array:
    """Return the labels of the outputs, as many as there are."""
    labels = np.arange(count) if classes is None else np.asarray(classes)
    if labels.shape != (count,) or len(np.unique(labels)) != count:
        raise ValueError(f"classes is {classes!r}, expected {count} different labels: one an output")
    return labels


def _in_order(coefs: Array, intercepts: Array, labels: Array) -> tuple[Array, Array]:
    """Return the weights of a softmax with its units in the order of the labels; of two units the one of a sigmoid."""
    order = np.argsort(labels)
    coefs, intercepts = coefs[:, order], intercepts[order]
    return (coefs, intercepts) if len(order) > 2 else (np.diff(coefs), np.diff(intercepts))


def _refilled(estimator: Any, weights: list[tuple[Array, Array]]) -> Any:  # noqa: ANN401  one of scikit-learn's
    """Return an estimator that has taken one step, so that all its attributes are there, with other weights."""
    estimator.set_params(random_state=None)
    estimator.coefs_ = [coefs for coefs, _ in weights]
    estimator.intercepts_ = [intercepts for _, intercepts in weights]
    estimator.n_iter_ = estimator.t_ = 0
    estimator.loss_curve_ = []
    estimator.best_loss_ = np.inf
    estimator._no_improvement_count = 0
    del estimator.loss_, estimator._optimizer, estimator._random_state  # which begin anew
    return estimator
