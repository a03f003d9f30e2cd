"""The page that `train` writes: what was trained, how it went, and how good it is on rows that it has not seen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.base import is_classifier
from sklearn.inspection import permutation_importance

from mlpcore import html
from mlpcore.cli import measures
from mlpcore.cli.figures import svg
from mlpcore.cli.page import bars, figure, grid, page, section
from mlpcore.plot import CalibrationDisplay, HistoryDisplay, LossCurveDisplay, ResidualsDisplay
from mlpcore.plot.loss_curve import recorded

__all__ = ["Trained", "report"]

MOST_CLASSES = 20
"""Of a confusion matrix; of more classes those that are taken for each other are listed."""

_MOST_ROWS = 2000
"""Of held-out rows for importances, which take a prediction of all for each column and repetition."""

_MOST_POINTS = 600
_MOST_BARS = 25
_REPEATS = 5
_LEAST_IN_BIN = 20  # rows of a point of the calibration, which has 3 at least
_LARGE = 10_000


@dataclass(frozen=True)
class Trained:
    """What a report tells of.

    Attributes
    ----------
    title : str
    lines : sequence of str
        What was trained on what, for the head of the page.
    estimator : classifier or regressor
        Fitted.
    X, y : frame of shape (n, n_features), array_like of shape (n,)
        Rows that it has not seen.
    seed : int
        What random choices of the report follow from.
    parts : sequence of (str, str, str)
        Further sections: a title, a sentence or "", and HTML.
    """

    title: str
    lines: Sequence[str]
    estimator: Any
    X: Any
    y: Any
    seed: int
    parts: Sequence[tuple[str, str, str]] = ()


def report(trained: Trained) -> str:
    """Return the page.

    Parameters
    ----------
    trained : Trained

    Returns
    -------
    str
        HTML that needs no other file and no network.
    """
    own = _of_classes if is_classifier(trained.estimator) else _of_numbers
    sections = [_measures(trained), *_curves(trained), *own(trained), _importances(trained)]
    sections += [section(*part) for part in trained.parts]
    return page(trained.title, trained.lines, sections)


def _measures(trained: Trained) -> str:
    found = measures.measured(trained.estimator, trained.X, trained.y)
    rows = [(each.name, measures.shown(each.value), measures.shown(each.baseline)) for each in found]
    head = ("", "model", measures.baseline_of(trained.estimator))
    said = f"{len(trained.y):,} rows that training has not seen."
    return section("Metrics on held-out rows", said, html.block(html.table(head, rows, numbers=(1, 2))))


def _curves(trained: Trained) -> Iterator[str]:
    values: Mapping[str, Sequence[float]] = recorded(trained.estimator)
    loss = LossCurveDisplay(values)
    parts = [figure("the loss", svg(_drawing(loss), "loss", "the loss over the epochs"))]
    bases = {name.removeprefix("val_"): None for name in values if values[name]}
    for base in bases:
        if base not in ("loss", "learning_rate"):
            names = [name for name in (base, f"val_{base}") if values.get(name)]
            curve = HistoryDisplay({name: values[name] for name in names})
            parts.append(figure(base, svg(_drawing(curve), base, f"{base} over the epochs")))
    epochs = len(values["loss"])
    yield section("Training", f"{epochs:,} epoch{'' if epochs == 1 else 's'}.", *parts)


def _drawing(display: HistoryDisplay) -> Callable[[Any], None]:
    """Return a function that draws curves on axes, below a caption that stands outside."""

    def draw(ax: Any) -> None:  # noqa: ANN401
        display.plot(ax=ax)
        ax.set_title("")

    return draw


# ------------------------------------------------------------------------------------------------------ classification


def _of_classes(trained: Trained) -> Iterator[str]:
    estimator, truth = trained.estimator, np.asarray(trained.y)
    predicted = np.asarray(estimator.predict(trained.X))
    classes = np.unique(np.concatenate([np.asarray(estimator.classes_), truth]))
    counts = metrics.confusion_matrix(truth, predicted, labels=classes)
    if len(classes) <= MOST_CLASSES:
        shown = grid(classes.tolist(), counts.tolist(), rows="is", columns="taken for")
        yield section("Confusion matrix", "", shown, _by_class(classes, counts))
    else:
        yield section("Most frequent confusions", "", _confused(classes, counts), _by_class(classes, counts))
    if np.isin(truth, estimator.classes_).all() and len(estimator.classes_) > 1:
        bins = min(10, max(3, len(truth) // _LEAST_IN_BIN))
        options = {"n_bins": bins, "strategy": "quantile", "name": "model", "markersize": 4}
        picture = svg(
            lambda ax: CalibrationDisplay.from_estimator(estimator, trained.X, truth, ax=ax, **options),
            "calibration",
            "the share of right answers over the probability",
        )
        said = (
            f"Rows by their probability, in {bins} parts of equal size. Above the dotted line the model is right more "
            "often than it says, below it less often."
        )
        yield section("Calibration", said, picture)


def _by_class(classes: NDArray[Any], counts: NDArray[Any]) -> str:
    right, rows, taken = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    order = np.arange(len(classes)) if len(classes) <= MOST_CLASSES else np.argsort(-rows, kind="stable")[:MOST_CLASSES]
    shown = [(classes[i], f"{rows[i]:,}", _share(right[i], rows[i]), _share(right[i], taken[i])) for i in order]
    more = len(classes) - len(order)
    table = html.table(("class", "rows", "recall", "precision"), shown, numbers=(1, 2, 3))
    return html.block(table, html.line(f"and {more} more classes") if more else "")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _confused(classes: NDArray[Any], counts: NDArray[Any]) -> str:
    off = counts - np.diag(np.diag(counts))
    pairs = np.argsort(-off, axis=None, kind="stable")[:MOST_CLASSES]
    rows = [
        (classes[i], classes[k], f"{off[i, k]:,}", _share(off[i, k], counts[i].sum()))
        for i, k in zip(*np.unravel_index(pairs, off.shape), strict=True)
        if off[i, k]
    ]
    return html.block(html.table(("is", "taken for", "rows", "of its rows"), rows, numbers=(2, 3)))


# ---------------------------------------------------------------------------------------------------------- regression


def _of_numbers(trained: Trained) -> Iterator[str]:
    truth = np.asarray(trained.y, np.float64)
    predicted = np.asarray(trained.estimator.predict(trained.X), np.float64)
    chosen = np.random.default_rng(trained.seed).permutation(len(truth))[:_MOST_POINTS]
    display = ResidualsDisplay(y_true=truth[chosen], y_pred=predicted[chosen])

    def draw_truth(ax: Any) -> None:  # noqa: ANN401
        display.plot(ax, kind="actual_vs_predicted")
        ax.set(xlabel="predicted", ylabel="true")
        _whole_thousands(ax)

    def draw_residuals(ax: Any) -> None:  # noqa: ANN401
        display.plot(ax)
        ax.set(xlabel="predicted", ylabel="true - predicted")
        _whole_thousands(ax)

    of = f"{len(chosen):,} of the rows, drawn at random" if len(chosen) < len(truth) else "all of the rows"
    yield section(
        "Predictions and residuals",
        f"A point for each row: {of}.",
        figure("the truth over the prediction", svg(draw_truth, "truth", "the truth over the prediction")),
        figure("residuals", svg(draw_residuals, "residuals", "truth minus prediction over the prediction")),
    )


def _whole_thousands(ax: Any) -> None:  # noqa: ANN401
    """Part the thousands of large numbers."""
    for axis in (ax.xaxis, ax.yaxis):
        if max(map(abs, axis.get_view_interval())) >= _LARGE:
            axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


# --------------------------------------------------------------------------------------------------------- both of them


def _importances(trained: Trained) -> str:
    chosen = np.random.default_rng(trained.seed).permutation(len(trained.y))[:_MOST_ROWS]
    X, y = trained.X.iloc[chosen], np.asarray(trained.y)[chosen]
    found = permutation_importance(trained.estimator, X, y, n_repeats=_REPEATS, random_state=trained.seed)
    order = np.argsort(-found.importances_mean, kind="stable")[:_MOST_BARS]
    score = "accuracy" if is_classifier(trained.estimator) else "R2"
    rows = [
        (
            str(trained.X.columns[j]),
            float(found.importances_mean[j]),
            f"{found.importances_mean[j].round(4) + 0.0:.4f} ± {found.importances_std[j]:.4f}",
        )
        for j in order
    ]
    said = (
        f"How much {score} falls when a column is shuffled among the rows: mean and deviation of {_REPEATS} shuffles."
    )
    if len(order) < trained.X.shape[1]:
        said += f" The {len(order)} most important of {trained.X.shape[1]} columns."
    return section("Permutation importance", said, bars(rows))
