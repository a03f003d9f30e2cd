"""TabularRegressor: raw tables in, numbers out."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from mlpcore import Quantile, Sequential, checks
from mlpcore.engine import Choice
from mlpcore.files import quoted
from mlpcore.sklearn.parameters import check_numbers, keep
from mlpcore.sklearn.preprocessing import Columns
from mlpcore.sklearn.tabular import Tabular
from mlpcore.sklearn.tabular_files import numbers
from mlpcore.sklearn.tabular_training import Rows, Settings, checked_settings, train_at_once

Array = NDArray[Any]

_ACTIVATION, _LEARNING_RATE = "mish", 0.03


class TabularRegressor(RegressorMixin, Tabular):
    """Regressor for raw tables: numbers, categories, booleans, dates and missing values, in the order they come.

    As `TabularClassifier`, which see, with the mean squared error of y that is centred and divided by its standard
    deviation.

    Parameters
    ----------
    interval : float, optional
        The share of true values that `predict_interval` is to hold, such as 0.9. It trains two networks more, for the
        quantiles at both ends.
    n_ensemble, hidden_layer_sizes, dropout, max_iter, batch_size, validation_fraction, verbose, random_state
        As in `TabularClassifier`.
    activation : str or object, optional
        None is "mish".
    learning_rate : float, optional
        None is 0.03.

    Attributes
    ----------
    columns_, column_report_, feature_importances_, models_, history_, n_iter_, n_features_in_, feature_names_in_
        As in `TabularClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from mlpcore.sklearn import TabularRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> TabularRegressor(n_ensemble=1, random_state=1).fit(X, y).score(X, y) > 0.4
    True
    """

    def __init__(
        self,
        *,
        interval: float | None = None,
        n_ensemble: int | None = None,
        hidden_layer_sizes: Sequence[int] = (256, 256, 256),
        activation: Choice | None = None,
        dropout: float = 0.15,
        learning_rate: float | None = None,
        max_iter: int | None = None,
        batch_size: int | None = None,
        validation_fraction: float = 0.2,
        verbose: bool = False,
        random_state: Any = None,  # noqa: ANN401  whatever check_random_state takes
    ) -> None:
        keep(self, locals())

    def _settings(self) -> Settings:
        if self.interval is not None:
            checks.real_number("interval", self.interval, above=0, below=1)
        return checked_settings(self, _ACTIVATION, _LEARNING_RATE, "linear", "mse")

    def _targets(self, y: Any, n: int) -> tuple[Array, Array | None]:  # noqa: ANN401
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        check_numbers(np.asarray(y))
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        check_consistent_length(y, np.empty(n))
        self._is_column = y.ndim == 1
        return y.reshape(n, -1), None

    def _learn_targets(self, target: Array, weight: Array | None) -> Array:
        self._mean = np.average(target, axis=0, weights=weight)
        spread = np.sqrt(np.average((target - self._mean) ** 2, axis=0, weights=weight))
        self._spread = np.where(spread > 0, spread, 1.0)
        return ((target - self._mean) / self._spread).astype(np.float32)

    @property
    def _units(self) -> int:
        return len(self._mean)

    def _train_more(self, rows: Rows, columns: Columns, settings: Settings, seed: int) -> None:
        self.interval_models_: list[Sequential] = []
        if self.interval is None:
            return
        ends = [replace(settings, loss=Quantile(at)) for at in ((1 - self.interval) / 2, (1 + self.interval) / 2)]
        trained = train_at_once(rows, columns, ends, [seed, seed])  # one seed: both hold the same rows out
        self.interval_models_ = [each.model for each in trained]
        held_out = rows.some(trained[0].held_out)
        lower, upper = self._ends(held_out.x)
        outside = np.sort(np.maximum(lower - held_out.target, held_out.target - upper), axis=0)
        place = math.ceil(self.interval * (len(outside) + 1)) - 1
        self._widening = outside[min(place, len(outside) - 1)]

    def _ends(self, x: Array) -> Array:
        """Return the lower and the upper quantile that the networks say, (2, n, units), in units of training."""
        ends = [model.predict(x) for model in self.interval_models_]
        return np.sort(np.asarray(ends, np.float64), axis=0)

    def _networks(self) -> list[Sequential]:
        return self.models_ + self.interval_models_

    def _take_networks(self, networks: list[Sequential]) -> None:
        ends = 0 if self.interval is None else 2
        self.interval_models_ = networks[len(networks) - ends :]
        super()._take_networks(networks[: len(networks) - ends])
        for model in self.interval_models_:
            self._check_network(model)

    def _learned(self) -> dict[str, Any]:
        learned = {"mean": self._mean.tolist(), "spread": self._spread.tolist(), "is_column": self._is_column}
        return learned | ({} if self.interval is None else {"widening": self._widening.tolist()})

    def _take_learned(self, learned: dict[str, Any]) -> None:
        expected = ["is_column", "mean", "spread"] + ([] if self.interval is None else ["widening"])
        if sorted(learned) != expected or not isinstance(learned["mean"], list) or not learned["mean"]:
            raise ValueError(f"learned is {quoted(learned)}, expected {', '.join(expected)}")
        units = len(learned["mean"])
        self._mean = numbers("mean", learned["mean"], units)
        self._spread = numbers("spread", learned["spread"], units)
        if self.interval is not None:
            self._widening = numbers("widening", learned["widening"], units)
        self._is_column = checks.flag("is_column", learned["is_column"])
        if self._is_column and units != 1:
            raise ValueError(f"is_column is true, expected one output, not {units}")

    def _loss_of(self, model: Sequential, x: Array, target: Array) -> float:
        return model.evaluate(x, target, "mse")["loss"]

    def predict(self, X: Any) -> Array:  # noqa: ANN401
        """Return the outputs, shape (n,) or (n, n_outputs).

        Parameters
        ----------
        X : frame, or array_like of shape (n, n_features_in_)
            Raw rows, with the columns of training.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        ValueError
            If columns are missing, added or in another order, or hold values of another kind.
        """
        y_hat = self._output(X) * self._spread + self._mean
        return y_hat[:, 0] if self._is_column else y_hat

    def predict_interval(self, X: Any) -> Array:  # noqa: ANN401
        """Return intervals that hold the share `interval` of true values, shape (n, 2), or (n, n_outputs, 2).

        Their ends are quantiles that two networks have learned, moved by what makes the share right on rows that these
        have not learned from (conformalized quantile regression: Romano, Patterson & Candès 2019).

        Parameters
        ----------
        X : frame, or array_like of shape (n, n_features_in_)
            As for `predict`.

        Returns
        -------
        ndarray of float64
            The lower end first.

        Raises
        ------
        ValueError
            As `predict` does, and if the estimator was not given an `interval`.
        """
        check_is_fitted(self, "models_")
        if not self.interval_models_:
            raise ValueError("interval is None, expected the share of true values, such as 0.9, given before fit")
        lower, upper = self._ends(self._transformed(X))
        ends = np.sort([lower - self._widening, upper + self._widening], axis=0) * self._spread + self._mean
        return np.moveaxis(ends, 0, -1)[:, 0] if self._is_column else np.moveaxis(ends, 0, -1)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
