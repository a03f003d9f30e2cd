"""What each loss takes for y, and by which metric an accuracy counts under it.

A batch's loss is the weighted mean of its samples' losses, whose formulas ``mlpcore.catalogue.FAMILIES["losses"]`` and
docs/catalogue.md tell. A loss is a name, or an object such as those of losses.py. One that is written in Python takes
any y, and knows no right or wrong.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue
from mlpcore.data import Array
from mlpcore.engine import Choice

_EXACT_IN_FLOAT32 = 2**24
"""All whole numbers up to it are numbers of float32."""


def target_range(loss: Choice) -> tuple[float, float]:
    """Return the lowest and the highest value that y may have under `loss`."""
    row = _row(loss)
    return (-np.inf, np.inf) if row is None else (row.least, row.most)


def has_classes(loss: Choice) -> bool:
    """Tell whether a row of y has one class under `loss`, so that y may also be class indices."""
    return _has_trait("classes", loss)


def is_binary(loss: Choice) -> bool:
    """Tell whether y is a yes or no for each output under `loss`, 1 or 0."""
    return _has_trait("binary", loss)


def has_signs(loss: Choice) -> bool:
    """Tell whether y is a yes or no for each output under `loss`, 1 or -1."""
    return _has_trait("signs", loss)


def has_answers(loss: Choice) -> bool:
    """Tell whether an output can be right or wrong under `loss`."""
    return has_classes(loss) or is_binary(loss) or has_signs(loss)


def is_paired(loss: Choice) -> bool:
    """Tell whether two outputs belong to each number of y under `loss`: all first ones, then all second ones."""
    return _has_trait("paired", loss)


def is_from_z(loss: Choice, sigma: str | tuple[Any, ...]) -> bool:
    """Tell whether the pair of `loss` and the output activation is computed from z, and not through a."""
    row = _row(loss)
    name = catalogue.entry("activations", sigma).name
    return row is not None and f"{name}_{row.name}" in catalogue.FAMILIES["pairs"]


def _has_trait(trait: str, loss: Choice) -> bool:
    row = _row(loss)
    return row is not None and trait in row.traits


def _row(loss: Choice) -> catalogue.Entry | None:
    """Return the row of a loss; None for one that is written in Python."""
    return catalogue.entry("losses", loss) if isinstance(loss, str | tuple) else None


def accuracy_rule(loss: Choice, *ys: NDArray[np.floating]) -> str | None:
    """Return the metric by which accuracies on all of `ys` count under `loss`; None if nothing is right or wrong.

    One output is right if it is on the same side of 1/2 as y, or of 0 where y is 1 or -1. With classes it is the
    largest output that counts, and so it is with yes or no if every row of y is one-hot; otherwise each output is right
    or wrong by itself.
    """
    if not has_answers(loss):
        return None
    return rule_of(answers_of(loss, *ys), has_signs(loss))


def rule_of(answers: str, signs: bool) -> str:
    """Return the metric by which an accuracy counts where y tells `answers`, as 1 or -1 if `signs`."""
    by_output = "sign_accuracy" if signs else "binary_accuracy"
    return "categorical_accuracy" if answers == "classes" else by_output


def answers_of(loss: Choice, *ys: NDArray[np.floating]) -> str:
    """Return what all of `ys` tell under `loss`.

    "binary": a yes or no for the one output; "classes": one class a row; "labels": a yes or no for each of several
    outputs; "numbers": none of these. Under a loss for yes or no, or for classes, y may also be something between.
    """
    if is_paired(loss):
        return "numbers"
    one_output = ys[0].shape[1:] == (1,)
    if has_classes(loss) or (one_output and is_binary(loss)):
        return "binary" if one_output else "classes"
    no = -1 if has_signs(loss) else 0
    if not all(((y == no) | (y == 1)).all() for y in ys):
        return "labels" if is_binary(loss) else "numbers"
    if one_output:
        return "binary"
    return "classes" if all(((y == 1).sum(axis=1) == 1).all() for y in ys) else "labels"


def common_answers(answers: Iterable[str]) -> str:
    """Return what y tells of which parts tell these: what `answers_of` says of all parts together."""
    return min(answers, key=("numbers", "labels", "classes", "binary").index)


def class_indices(name: str, given: Array, labels: Array, out: int) -> Array:
    """Return labels, as they were given and in the model's type, if all are indices of an output."""
    wrong = (given < 0) | (given >= out) | (given != np.floor(given))
    if wrong.any():
        row = int(np.argmax(wrong))
        advice = "classes, y = np.unique(y, return_inverse=True) makes class indices of labels"
        if out == 1:
            advice = "with one output use loss 'bce' and 'sigmoid', or two outputs with 'softmax'"
        label = float(given[row])
        raise ValueError(f"{name} has {label} at row {row}, expected a class index from 0 to {out - 1}: {advice}")
    if out > _EXACT_IN_FLOAT32 and (labels != given).any():
        row = int(np.argmax(labels != given))
        raise ValueError(
            f"{name} has {given[row]} at row {row}, which {labels.dtype} rounds, expected a class index up to "
            f"{_EXACT_IN_FLOAT32}: use dtype='float64'"
        )
    return one_hot(labels, out) if out == 1 else labels


def one_hot(labels: Array, out: int) -> Array:
    """Return class indices (n,) as rows (n, out) with a 1 in the place of the class."""
    rows = np.zeros((len(labels), out), labels.dtype)
    rows[np.arange(len(labels)), labels.astype(np.intp)] = 1
    return rows
