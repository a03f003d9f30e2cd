"""What both tabular estimators have in common: raw rows in, several networks trained at once, and what they tell."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, validate_data

from mlpcore import History, Sequential, checks
from mlpcore.engine import Choice
from mlpcore.sklearn import frames, tabular_files
from mlpcore.sklearn.column_report import ColumnReport
from mlpcore.sklearn.preprocessing import Columns
from mlpcore.sklearn.tabular_training import Rows, Settings, networks_for, optional_number, train_at_once
from mlpcore.sklearn.unchanged import as_before
from mlpcore.storage import StrPath

Array = NDArray[Any]

_MOST_HELD_OUT = 1000  # rows that importances are measured on
_LEAST_ROWS = 2
_SHUFFLES = 5


class Tabular(BaseEstimator, ABC):
    """Base class: see `TabularClassifier` and `TabularRegressor` for the parameters."""

    n_ensemble: int | None
    hidden_layer_sizes: Sequence[int]
    activation: Choice | None
    dropout: float
    learning_rate: float | None
    max_iter: int | None
    batch_size: int | None
    validation_fraction: float
    verbose: bool
    random_state: Any

    # ------------------------------------------------------------------------------------------------- what differs

    @abstractmethod
    def _settings(self) -> Settings:
        """Return the settings that the parameters give, each checked."""

    @abstractmethod
    def _targets(self, y: Any, n: int) -> tuple[Array, Array | None]:  # noqa: ANN401
        """Return y, checked, and weights of its rows, if it gives them any."""

    @abstractmethod
    def _learn_targets(self, target: Array, weight: Array | None) -> Array:
        """Return what `_targets` gave as the loss takes it; remember what it stands for."""

    @property
    @abstractmethod
    def _units(self) -> int:
        """How many outputs there are."""

    def _train_more(self, rows: Rows, columns: Columns, settings: Settings, seed: int) -> None:
        """Train what a subclass needs beside the networks."""

    @abstractmethod
    def _loss_of(self, model: Sequential, x: Array, target: Array) -> float:
        """Return the loss of a network on rows."""

    @abstractmethod
    def _learned(self) -> dict[str, Any]:
        """Return what a file says beside networks and columns, of `_learn_targets`."""

    @abstractmethod
    def _take_learned(self, learned: dict[str, Any]) -> None:
        """Take what a file says; ValueError if it is not what `_learned` gives."""

    # ------------------------------------------------------------------------------------------------------ training

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: ANN401
        """Learn what the columns hold, and train the networks.

        Parameters
        ----------
        X : frame of pandas or Polars, or array_like of shape (n, columns)
            Raw: numbers, texts, categories, booleans, dates and missing values.
        y : array_like of shape (n,)
            A `TabularRegressor` takes (n, outputs) too.
        sample_weight : array_like of shape (n,), optional
            How much each row counts; >= 0.

        Returns
        -------
        The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data are not in their range, or no column tells anything.
        """
        with as_before(self):
            return self._fit(X, y, sample_weight)

    def _fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Self:  # noqa: ANN401
        settings = self._settings()
        n_ensemble = optional_number("n_ensemble", self.n_ensemble)
        verbose = checks.flag("verbose", self.verbose)
        names, table = self._table(X, reset=True)
        n = len(table[0])
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, np.empty((n, 1)), dtype=np.float64, ensure_non_negative=True)
        target, own_weight = self._targets(y, n)
        if n < _LEAST_ROWS:
            raise ValueError(f"X has n_samples={n}, expected at least {_LEAST_ROWS} rows to learn from")
        if own_weight is not None:
            weight = own_weight if weight is None else own_weight * weight
        if weight is not None and not weight.all():
            counts = weight > 0
            if not counts.any():
                raise ValueError("class_weight and sample_weight make all rows weigh 0, expected one weight > 0")
            table, target, weight = [_rows(column, counts) for column in table], target[counts], weight[counts]
        columns = Columns.learned(names, table, weight)
        if columns.width == 0:
            reasons = "; ".join(f"{each.name!r} is {each.done}" for each in columns.columns[:5])
            raise ValueError(f"X has no column that tells anything, expected at least one: {reasons}")
        rows = Rows(columns.transform(table), self._learn_targets(target, weight), weight, self._units)
        n_ensemble = n_ensemble or networks_for(len(rows.x))
        *seeds, last = map(int, check_random_state(self.random_state).randint(2**31 - 1, size=n_ensemble + 1))
        trained = train_at_once(rows, columns, [settings] * n_ensemble, seeds, verbose)
        self.columns_ = columns
        self.models_ = [each.model for each in trained]
        self.history_: History = trained[0].history
        self.n_iter_ = len(self.history_["loss"])
        self._held_out = [rows.some(each.held_out[:_MOST_HELD_OUT]) for each in trained]
        self._importances: Array | None = None
        self._train_more(rows, columns, settings, last)
        return self

    def _table(self, X: Any, *, reset: bool) -> tuple[list[str], list[Any]]:  # noqa: ANN401
        """Return the names and the columns of raw rows, checked against those of training."""
        if frames.names_of(X) is None:
            if isinstance(X, list | tuple):
                X = np.array(X, object)  # rows of numbers and texts would all become texts
            X = check_array(X, dtype=None, ensure_all_finite=False, estimator=self)
            _refuse_infinity(X)
        elif len(X) == 0 or len(X.columns) == 0:
            what = "0 sample(s)" if len(X.columns) else "0 feature(s)"
            raise ValueError(
                f"Found a frame with {what} (shape=({len(X)}, {len(X.columns)})) while a minimum of 1 is required."
            )
        validate_data(self, X, reset=reset, skip_check_array=True)
        names = frames.names_of(X) or [f"x{j}" for j in range(X.shape[1])]
        return names, list(frames.columns_of(X))

    # --------------------------------------------------------------------------------------------------------- using

    def _output(self, X: Any) -> Array:  # noqa: ANN401
        """Return the mean of what the networks say of raw rows, (n, units)."""
        check_is_fitted(self, "models_")
        x = self._transformed(X)
        return mean_output([model.predict(x) for model in self.models_])

    def _transformed(self, X: Any) -> Array:  # noqa: ANN401
        """Return raw rows as the networks take them."""
        return self.columns_.transform(self._table(X, reset=False)[1])

    @property
    def column_report_(self) -> ColumnReport:
        """What was done with each column: a table as text in a terminal, as HTML in a notebook."""
        check_is_fitted(self, "models_")
        return ColumnReport(self.columns_)

    @property
    def feature_importances_(self) -> Array:
        """How much the loss grows if a column is shuffled, (columns,): permutation importance (Breiman 2001).

        Each network is measured on at most 1,000 rows that it has not learned from, or, if none was held out, has; the
        mean over the networks and five shuffles of each column. 0 for a column that was left out.
        """
        check_is_fitted(self, "models_")
        if self._importances is None:
            if not hasattr(self, "_held_out"):
                raise AttributeError("the file says nothing of feature_importances_: read them before you save")
            self._importances = self._measured_importances()
        return self._importances

    def _measured_importances(self) -> Array:
        random = np.random.default_rng(0)
        importances = np.zeros(len(self.columns_.columns))
        for model, held_out in zip(self.models_, self._held_out, strict=True):
            x, target = held_out.x, held_out.target
            before = self._loss_of(model, x, target)
            for j, place in enumerate(self.columns_.places):
                if place.start == place.stop:
                    continue
                shuffled = np.concatenate([x] * _SHUFFLES)
                order = np.concatenate([random.permutation(len(x)) for _ in range(_SHUFFLES)])
                shuffled[:, place] = x[order, place]
                importances[j] += self._loss_of(model, shuffled, np.concatenate([target] * _SHUFFLES)) - before
        return importances / len(self.models_)

    def save(self, file: StrPath | BinaryIO) -> None:
        """Write the estimator to a safetensors file: networks, preprocessing and parameters. No pickle is in it.

        Parameters
        ----------
        file : str, path-like or binary file object
            As for `Sequential.save`. `mlpcore.sklearn.load` reads it.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        TypeError
            If a parameter or a class is nothing that JSON can express.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self, "models_")
        tabular_files.save(self, file)

    def _networks(self) -> list[Sequential]:
        """Return all networks."""
        return self.models_

    def _take_networks(self, networks: list[Sequential]) -> None:
        """Take networks from a file; ValueError if they do not fit the columns and the targets."""
        if not networks:
            raise ValueError("networks is empty, expected at least one")
        for model in networks:
            self._check_network(model)
        self.models_ = networks

    def _check_network(self, model: Sequential) -> None:
        sizes = self.columns_.width, self._units
        assert model.input_size is not None
        found = model.input_size, model._output_size(model.input_size)
        if found != sizes:
            raise ValueError(
                f"a network has {found[0]} inputs and {found[1]} outputs, expected {sizes[0]} and {sizes[1]} for these "
                "columns and targets"
            )

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def mean_output(outputs: Sequence[Array]) -> Array:
    """Return the mean of what several networks say, added up in their order."""
    total = np.zeros_like(outputs[0])
    for each in outputs:
        total += each
    return total / len(outputs)


def _rows(column: Any, there: Array) -> Any:  # noqa: ANN401  a column of any library
    return column[there] if isinstance(column, np.ndarray) or hasattr(column, "iloc") else column.filter(there)


def _refuse_infinity(X: Array) -> None:
    if X.dtype.kind == "f" and np.isinf(X).any():
        raise ValueError("X contains infinity or a value too large: expected finite or missing values")
