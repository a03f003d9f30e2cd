"""Tabular estimators from files, as the commands use them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import extras
from mlpcore.cli import measures, tables
from mlpcore.cli.refusals import CommandError

extras.require("sklearn", "cli")

from sklearn.base import is_classifier  # noqa: E402

from mlpcore.sklearn import load  # noqa: E402
from mlpcore.sklearn.preprocessing import Category  # noqa: E402

if TYPE_CHECKING:
    import pandas

__all__ = ["Estimator", "counted"]


class Estimator:
    """A `TabularClassifier` or `TabularRegressor`.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    path : Path
    estimator : TabularClassifier or TabularRegressor
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.estimator = load(path)

    @property
    def whole(self) -> Any:  # noqa: ANN401
        """What the functions take that write it in other formats."""
        return self.estimator

    @property
    def columns(self) -> list[str]:
        """The names of the columns that it was trained on; x0, x1, ... if that was an array."""
        return [column.name for column in self.estimator.columns_.columns]

    def described(self) -> list[str]:
        """Return what `info` prints.

        Returns
        -------
        list of str
            Lines.
        """
        found = self.estimator
        models = found.models_
        lines = [f"a {type(found).__name__}: {counted(len(self.columns), 'column')}, {counted(len(models), 'network')}"]
        if is_classifier(found):
            lines.append(f"classes: {tables.listed(found.classes_.tolist())}")
        if getattr(found, "interval", None) is not None:
            lines.append(f"intervals that hold {found.interval:.0%} of true values")
        return [*lines, "", *repr(found.column_report_).splitlines(), "", *models[0].summary().splitlines()]

    def predicted(self, frame: "pandas.DataFrame", path: Path) -> "pandas.DataFrame":
        """Return what it predicts.

        Parameters
        ----------
        frame : DataFrame
        path : Path
            Where the table comes from, for messages.

        Returns
        -------
        DataFrame
            The column "prediction"; of a classifier beside it the probability of each class, of a regressor that knows
            intervals their ends, "lower" and "upper".

        Raises
        ------
        CommandError
            If columns are missing.
        ValueError
            If they hold values of another kind than in training.
        """
        X = self._inputs(frame, path)
        if is_classifier(self.estimator):
            probability = self.estimator.predict_proba(X)
            classes = self.estimator.classes_
            found = {"prediction": classes[probability.argmax(axis=1)]}
            found |= {f"probability_{label}": probability[:, k] for k, label in enumerate(classes.tolist())}
            return type(frame)(found)
        found = {"prediction": self.estimator.predict(X)}
        if self.estimator.interval is not None:
            found["lower"], found["upper"] = self.estimator.predict_interval(X).T
        return type(frame)(found)

    def evaluated(self, frame: "pandas.DataFrame", path: Path, target: str, loss: str | None) -> list[str]:
        """Return how good its predictions are.

        Parameters
        ----------
        frame : DataFrame
        path : Path
            Where the table comes from, for messages.
        target : str
        loss : str or None
            Only of plain networks.

        Returns
        -------
        list of str
            Lines.

        Raises
        ------
        CommandError
            If there is a loss, or data do not suit the model.
        ValueError
            If columns hold values of another kind than in training.
        """
        if loss is not None:
            raise CommandError(f"{self.path} knows how it is measured: leave --loss out, which is for plain networks")
        X, y = tables.target_of(frame, target, path)
        X = self._inputs(X, path)
        if is_classifier(self.estimator):
            y = _as_classes(y, self.estimator.classes_)
            unknown = ~np.isin(y, self.estimator.classes_)
            if unknown.any():
                tables.warn(
                    f"{path}: {counted(int(unknown.sum()), 'row')} of classes that training had not, "
                    f"{tables.listed(np.unique(y[unknown]).tolist())}, which count as wrong"
                )
        elif y.dtype.kind not in "biuf":
            raise CommandError(f"the target {target!r} of {path} holds {y.iloc[0]!r}, expected numbers")
        found = measures.measured(self.estimator, X, y)
        return measures.listed(found, measures.baseline_of(self.estimator))

    def _inputs(self, frame: "pandas.DataFrame", path: Path) -> "pandas.DataFrame":
        """Return the columns that it was trained on, after a line about labels that training had not."""
        if not hasattr(self.estimator, "feature_names_in_"):
            raise CommandError(f"{self.path} was trained without names of columns, expected a model of `train`")
        X = tables.features_of(frame, self.columns, path)
        for column in self.estimator.columns_.columns:
            if isinstance(column, Category):
                unseen = column.unseen(X[column.name])
                rows = int((column.indices(X[column.name]) < 0).sum())
                if unseen:
                    tables.warn(
                        f"{path}: column {column.name!r} has {counted(len(unseen), 'label')} that training had not, in "
                        f"{counted(rows, 'row')}: {tables.listed(unseen)}; they count as none of its labels"
                    )
        return X


def _as_classes(y: Any, classes: Any) -> Any:  # noqa: ANN401
    """Return labels as those of training are: as text where these are."""
    return np.asarray(y.astype(str), object) if classes.dtype.kind in "OU" else np.asarray(y)


def counted(count: int, what: str) -> str:
    """Return a number of things in words.

    Parameters
    ----------
    count : int
    what : str
        One of them.

    Returns
    -------
    str
        Such as "1 row", "1,234 rows".
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
