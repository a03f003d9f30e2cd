"""How good predictions are, beside those of a constant answer."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore import extras

extras.require("sklearn", "cli")

from sklearn import metrics  # noqa: E402
from sklearn.base import is_classifier  # noqa: E402

__all__ = ["Measure", "baseline_of", "listed", "measured", "shown"]

Array = NDArray[Any]


class Measure(NamedTuple):
    """A number that says how good predictions are.

    Attributes
    ----------
    name : str
    value : float
    baseline : float
        What the best constant answer has.
    """

    name: str
    value: float
    baseline: float


def measured(estimator: Any, X: Any, y: Any) -> list[Measure]:  # noqa: ANN401
    """Return how good an estimator's predictions are.

    Parameters
    ----------
    estimator : classifier or regressor
        Fitted.
    X : frame of shape (n, n_features)
    y : array_like of shape (n,)

    Returns
    -------
    list of Measure
        The measures that take probabilities are left out where y has a class that the estimator does not know, and the
        area under the ROC curve also where y lacks one.
    """
    truth = np.asarray(y)
    if is_classifier(estimator):
        return _of_classes(truth, np.asarray(estimator.predict_proba(X)), np.asarray(estimator.classes_))
    return _of_numbers(truth.astype(np.float64), np.asarray(estimator.predict(X), np.float64))


def baseline_of(estimator: Any) -> str:  # noqa: ANN401
    """Return in words what the best constant answer is.

    Parameters
    ----------
    estimator : classifier or regressor

    Returns
    -------
    str
    """
    return "always the most frequent class" if is_classifier(estimator) else "always the mean"


def _of_classes(truth: Array, probability: Array, classes: Array) -> list[Measure]:
    predicted = classes[probability.argmax(axis=1)]
    known, counts = np.unique(truth, return_counts=True)
    constant = np.full(len(truth), known[counts.argmax()], truth.dtype)
    found = [
        Measure("accuracy", metrics.accuracy_score(truth, predicted), metrics.accuracy_score(truth, constant)),
        Measure("balanced accuracy", _recall(truth, predicted, known), 1 / len(known)),
        Measure("F1, mean over classes", _f1(truth, predicted, known), _f1(truth, constant, known)),
    ]
    if not np.isin(known, classes).all():
        return found
    shares = counts / counts.sum()
    loss = metrics.log_loss(truth, probability, labels=classes)
    found.append(Measure("log loss", loss, -float(np.sum(shares * np.log(shares)))))
    if len(known) == len(classes) > 1:
        scores = probability[:, 1] if len(classes) == 2 else probability / probability.sum(axis=1, keepdims=True)
        area = metrics.roc_auc_score(truth, scores, multi_class="ovr", labels=classes)
        found.append(Measure("area under the ROC curve", area, 0.5))
    return found


def _recall(truth: Array, predicted: Array, known: Array) -> float:
    return float(metrics.recall_score(truth, predicted, labels=known, average="macro", zero_division=0))


def _f1(truth: Array, predicted: Array, known: Array) -> float:
    return float(metrics.f1_score(truth, predicted, labels=known, average="macro", zero_division=0))


def _of_numbers(truth: Array, predicted: Array) -> list[Measure]:
    off, from_mean = truth - predicted, truth - truth.mean()
    total = float(np.sum(from_mean**2))
    r2 = 1 - float(np.sum(off**2)) / total if total else math.nan
    return [
        Measure("R2", r2, 0.0 if total else math.nan),
        Measure("root mean squared error", *(float(np.sqrt(np.mean(each**2))) for each in (off, from_mean))),
        Measure("mean absolute error", *(float(np.mean(np.abs(each))) for each in (off, from_mean))),
        Measure("median absolute error", *(float(np.median(np.abs(each))) for each in (off, from_mean))),
    ]


def listed(found: Sequence[Measure], baseline: str) -> list[str]:
    """Return measures as a table of text.

    Parameters
    ----------
    found : sequence of Measure
    baseline : str
        What `baseline_of` returns.

    Returns
    -------
    list of str
        Lines.
    """
    width = max(len(each.name) for each in found)
    head = f"{'':{width}}  {'model':>10}  {baseline}"
    return [head, *(f"{each.name:{width}}  {shown(each.value):>10}  {shown(each.baseline)}" for each in found)]


def shown(value: float) -> str:
    """Return a number with four digits that count, or all those before the point.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> from mlpcore.cli.measures import shown
    >>> shown(0.123456), shown(123456.7), shown(1e12)
    ('0.1235', '123,457', '1e+12')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
