"""``train``: a model for a table, and how good it is on rows that were set aside."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpcore import extras
from mlpcore.cli import tables
from mlpcore.cli.commands import Commands, command, require_folder, size_of
from mlpcore.cli.refusals import CommandError

if TYPE_CHECKING:
    import pandas

__all__ = ["add_to", "task_of"]

CLASSIFICATION, REGRESSION = "classification", "regression"
MOST_WHOLE_NUMBERS = 20
"""Whole numbers of at most so many values are taken for classes."""

_LEAST_ROWS = 10


class Parts(NamedTuple):
    """Rows to train on, and rows that are set aside."""

    X: "pandas.DataFrame"
    y: Any
    X_held_out: "pandas.DataFrame"
    y_held_out: Any


def add_to(commands: Commands) -> None:
    """Add the command to the parser.

    Parameters
    ----------
    commands : Commands
    """
    parser = command(commands, "train", "train a model on a table, and measure it on rows that are set aside", run)
    parser.add_argument("data", type=Path, metavar="DATA", help="CSV or Parquet, as it is: numbers, texts, dates, gaps")
    parser.add_argument("--target", metavar="COLUMN", required=True, help="the column that is to be predicted")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("model.safetensors"),
        metavar="FILE",
        help="where the model is written (default: %(default)s)",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="where a page about it is written, such as report.html"
    )
    parser.add_argument(
        "--task",
        choices=("auto", CLASSIFICATION, REGRESSION),
        default="auto",
        help="auto: classification of texts, of yes and no, and of whole numbers with few values",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all random choices (default: %(default)s)")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: by the number of rows")
    parser.add_argument("--ensemble", type=int, metavar="N", help="networks whose mean is the prediction")
    parser.add_argument(
        "--interval",
        type=float,
        metavar="SHARE",
        help="regression: predict intervals that hold this share, such as 0.9",
    )
    parser.add_argument(
        "--holdout",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="of the rows, set aside to measure on; 0: train on all (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With all that `add_to` adds.
    """
    _check(options)
    frame = tables.read(options.data)
    X, y = tables.target_of(frame, options.target, options.data)
    if not X.shape[1]:
        raise CommandError(f"{options.data} has no column but the target {options.target!r}")
    task = task_of(y) if options.task == "auto" else options.task
    y = _target(y, task)
    parts = _parts(X, y, task, options)
    estimator = _estimator(task, options)
    print(f"{options.data}: {len(frame):,} rows, {X.shape[1]:,} columns beside the target")
    print(_said_of(task, y, options), flush=True)
    begin = time.perf_counter()
    try:
        estimator.fit(parts.X, parts.y)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("no model was written") from None
    trained = f"trained on {len(parts.y):,} rows in {time.perf_counter() - begin:.1f} s"
    left_out = [row[0] for row in estimator.column_report_.rows if row[1] == "left out"]
    print(trained + (f", without {tables.listed(left_out)} (`info` says why)" if left_out else ""))
    estimator.save(options.output)
    if len(parts.y_held_out):
        from mlpcore.cli import measures

        found = measures.measured(estimator, parts.X_held_out, parts.y_held_out)
        lines = measures.listed(found, measures.baseline_of(estimator))
        print(f"on {len(parts.y_held_out):,} rows that were set aside:", "", *lines, sep="\n")
    print(f"\nmodel   {options.output}, {size_of(options.output)}")
    if options.report is not None:
        _write_report(options, estimator, parts, task, trained)
        print(f"report  {options.report}, {size_of(options.report)}")


def _check(options: argparse.Namespace) -> None:
    """Raise CommandError before any work for what would fail after it."""
    require_folder(options.output, "--output")
    if options.report is not None:
        require_folder(options.report, "--report")
        extras.require("matplotlib", "cli")
        if options.holdout == 0:
            raise CommandError("--report needs rows that training has not seen: give --holdout another share than 0")
    for name, least in (("seed", 0), ("epochs", 1), ("ensemble", 1)):
        value = getattr(options, name)
        if value is not None and not least <= value < 2**32:
            raise CommandError(f"--{name} is {value}, expected at least {least}, and less than 2^32")
    if not 0 <= options.holdout < 1:
        raise CommandError(f"--holdout is {options.holdout:g}, expected a share from 0 to less than 1")
    if options.interval is not None and not 0 < options.interval < 1:
        raise CommandError(f"--interval is {options.interval:g}, expected a share between 0 and 1")


def task_of(y: "pandas.Series[Any]") -> str:
    """Return whether a target's values are classes or numbers.

    Parameters
    ----------
    y : Series
        Without missing values.

    Returns
    -------
    {"classification", "regression"}

    Raises
    ------
    CommandError
        If they are dates.
    """
    kind = getattr(y.dtype, "kind", "O")
    if kind in "mM":
        raise CommandError(f"the target {y.name!r} holds dates, expected numbers or classes")
    if kind not in "iuf":
        return CLASSIFICATION
    values = y.unique()
    few = len(values) <= MOST_WHOLE_NUMBERS
    return CLASSIFICATION if few and (np.asarray(values, np.float64) % 1 == 0).all() else REGRESSION


def _target(y: "pandas.Series[Any]", task: str) -> Any:  # noqa: ANN401
    """Return the target as the estimator takes it: numbers, or labels that a file can hold."""
    kind = getattr(y.dtype, "kind", "O")
    if task == REGRESSION:
        if kind not in "iufb":
            raise CommandError(f"the target {y.name!r} holds {y.iloc[0]!r}, expected numbers for --task {REGRESSION}")
        y = y.to_numpy(np.float64)
        if not np.isfinite(y).all():
            raise CommandError("the target holds infinity, expected finite numbers")
        return y
    if kind in "iuf":
        return y.to_numpy(np.int64 if (y % 1 == 0).all() else np.float64)
    return np.asarray(y.astype(str), object)


def _parts(X: "pandas.DataFrame", y: Any, task: str, options: argparse.Namespace) -> Parts:  # noqa: ANN401
    """Set rows aside, of each class its share where that can be."""
    if options.holdout == 0:
        return Parts(X, y, X[:0], y[:0])
    if len(y) < _LEAST_ROWS:
        raise CommandError(
            f"{options.data} has {len(y)} rows, expected at least {_LEAST_ROWS} to set some aside, or --holdout 0"
        )
    extras.require("sklearn", "cli")
    from sklearn.model_selection import train_test_split

    strata = None
    if task == CLASSIFICATION:
        counts = np.unique(y, return_counts=True)[1]
        if counts.min() > 1 and len(counts) <= min(options.holdout, 1 - options.holdout) * len(y):
            strata = y
    chosen = train_test_split(X, y, test_size=options.holdout, random_state=options.seed, stratify=strata)
    return Parts(chosen[0], chosen[2], chosen[1], chosen[3])


def _estimator(task: str, options: argparse.Namespace) -> Any:  # noqa: ANN401
    extras.require("sklearn", "cli")
    from mlpcore.sklearn import TabularClassifier, TabularRegressor

    given = {"max_iter": options.epochs, "n_ensemble": options.ensemble, "interval": options.interval}
    chosen = {name: value for name, value in given.items() if value is not None}
    if task == CLASSIFICATION and options.interval is not None:
        raise CommandError("--interval is for regression: of a class there is a probability")
    kind = TabularClassifier if task == CLASSIFICATION else TabularRegressor
    return kind(random_state=options.seed, verbose=sys.stderr.isatty(), **chosen)


def _said_of(task: str, y: Any, options: argparse.Namespace) -> str:  # noqa: ANN401
    """Return what is trained, and, of numbers that were taken for classes, how to predict numbers."""
    from mlpcore.cli import measures

    if task == CLASSIFICATION:
        classes = np.unique(y).tolist()
        text = f"classification of {options.target!r}: {len(classes)} classes, {tables.listed(classes)}"
        return (
            f"{text} (--task {REGRESSION} predicts numbers)" if options.task == "auto" and y.dtype.kind != "O" else text
        )
    return f"regression of {options.target!r}: from {measures.shown(y.min())} to {measures.shown(y.max())}"


def _write_report(options: argparse.Namespace, estimator: Any, parts: Parts, task: str, trained: str) -> None:  # noqa: ANN401
    from mlpcore import show_versions
    from mlpcore.cli.report import Trained, report

    system = show_versions.versions()["system"]
    said = f"{task} of {options.target!r}, {trained}, {len(parts.y_held_out):,} rows set aside, seed {options.seed}"
    lines = [said, f"{options.output}, mlpcore {system['mlpcore']}, python {system['python']}"]
    settings = {name: value for name, value in estimator.get_params().items() if name != "verbose"}
    networks = len(estimator.models_)
    several = f"{networks} networks of this kind, whose mean is the prediction." if networks > 1 else ""
    sections = [
        ("Columns", "", f'<div class="words">{estimator.column_report_._repr_html_()}</div>'),
        ("Networks", several, estimator.models_[0]._repr_html_()),
        ("Parameters", "", _table(settings)),
    ]
    told = Trained(
        f"{options.target} from {options.data.name}",
        lines,
        estimator,
        parts.X_held_out,
        parts.y_held_out,
        options.seed,
        sections,
    )
    options.report.write_text(report(told), encoding="utf-8")


def _table(values: dict[str, Any]) -> str:
    from mlpcore import html

    return html.block(html.table(("parameter", "value"), [(name, repr(value)) for name, value in values.items()]))
