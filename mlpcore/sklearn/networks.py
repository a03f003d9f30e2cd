"""The networks that the estimators' parameters describe: hidden layers, and what comes out for a loss."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

from mlpcore import Dense, Dropout, catalogue, checks, targets
from mlpcore.engine import Choice
from mlpcore.imports import SKLEARN_NAMES
from mlpcore.layers import Activation, BatchNorm, Layer, LayerNorm, RMSNorm

_NORMALIZATIONS: dict[str, type[BatchNorm | LayerNorm | RMSNorm]] = {
    layer.kind: layer for layer in (BatchNorm, LayerNorm, RMSNorm)
}
_INITIALIZER = "glorot_uniform"  # as scikit-learn's, with every activation


class Head(NamedTuple):
    """The end of a network.

    Attributes
    ----------
    units : int
        How many outputs it has.
    activation : str
    loss : Choice
    scale : float
        By what the gradient of the loss is larger than scikit-learn's.
    """

    units: int
    activation: str
    loss: Choice
    scale: float = 1.0


def hidden_sizes(given: int | Sequence[int]) -> list[int]:
    """Return how many units each hidden layer has."""
    listed = [given] if isinstance(given, Integral) else list(given)  # type: ignore[arg-type]
    return [checks.whole_number(f"hidden_layer_sizes[{i}]", size, at_least=1) for i, size in enumerate(listed)]


def layers_of(
    sizes: Sequence[int], activation: object, normalization: str | None, dropout: float, head: Head, l2: float
) -> list[Layer]:
    """Return the layers of a network whose weights have the penalty `l2`."""
    listed = isinstance(activation, list) or (type(activation) is tuple and len(sizes) != 0)
    activations = list(activation) if listed else [activation] * len(sizes)  # type: ignore[call-overload]
    if len(activations) != len(sizes):
        raise ValueError(f"activation has {len(activations)} entries, expected {len(sizes)}, one a hidden layer")
    layers: list[Layer] = []
    for size, each in zip(sizes, activations, strict=True):
        layers += _hidden_layer(size, _named(each), normalization, l2)
        layers += [Dropout(dropout)] if dropout else []
    return [*layers, Dense(head.units, head.activation, l2=l2, kernel_initializer=_INITIALIZER)]


def _hidden_layer(units: int, activation: Any, normalization: str | None, l2: float) -> Iterable[Layer]:  # noqa: ANN401
    if normalization is None:
        return [Dense(units, activation, l2=l2, kernel_initializer=_INITIALIZER)]
    dense = Dense(units, l2=l2, kernel_initializer=_INITIALIZER)
    return [dense, _NORMALIZATIONS[normalization](), Activation(activation)]


def check_normalization(given: object) -> None:
    """Raise ValueError if it is no name of a layer that normalizes."""
    if not (given is None or (isinstance(given, str) and given in _NORMALIZATIONS)):
        names = ", ".join(map(repr, _NORMALIZATIONS))
        raise ValueError(f"normalization is {given!r}, expected one of {names}, or None")


def classifying_loss(given: object, *, multilabel: bool) -> Choice | None:
    """Return the loss that a classifier was given; None for scikit-learn's own."""
    if isinstance(given, str) and given == "log_loss":
        return None
    loss = checks.choice("losses", "loss", given)
    fitting = [name for name in catalogue.names("losses") if targets.has_answers(name)]
    if multilabel:
        fitting = [name for name in fitting if not targets.has_classes(name)]
    if catalogue.label(loss).partition("(")[0] not in fitting:
        what = "labels" if multilabel else "classes"
        raise ValueError(
            f"loss is {given!r}, expected one for y of {what}: 'log_loss', {', '.join(map(repr, fitting))}"
        )
    return loss


def regressing_loss(given: object) -> Choice:
    """Return the loss that a regressor was given, which is none of scikit-learn's."""
    loss = checks.choice("losses", "loss", given)
    if targets.has_answers(loss) or targets.is_paired(loss):
        raise ValueError(f"loss is {given!r}, expected 'squared_error', 'poisson' or one that compares numbers")
    return loss


def classifying_head(loss: Choice | None, classes: int, labels: int | None) -> Head:
    """Return the end of a network for so many classes, or so many labels each of which is a yes or no."""
    several = classes > 2
    if loss is None:
        loss = "cce" if several and labels is None else "bce"
    if targets.has_classes(loss):
        return Head(max(classes, 2), "softmax", loss)
    units = labels or (classes if several else 1)
    return Head(units, SKLEARN_NAMES["identity" if targets.has_signs(loss) else "logistic"], loss)


def scikit_learns_name(activation: str) -> str:
    """Return what scikit-learn calls an activation."""
    return {name: other for other, name in SKLEARN_NAMES.items()}.get(activation, activation)


def _named(activation: Any) -> Any:  # noqa: ANN401
    return SKLEARN_NAMES.get(activation, activation) if isinstance(activation, str) else activation
