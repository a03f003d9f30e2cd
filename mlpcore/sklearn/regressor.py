"""MLPRegressor: scikit-learn's, trained in C."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from mlpcore.callbacks.callback import AnyCallback
from mlpcore.data import Array
from mlpcore.imports import SKLEARN_NAMES
from mlpcore.metrics import Metric
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import Rate
from mlpcore.sklearn import networks
from mlpcore.sklearn.base import MLP, is_stochastic
from mlpcore.sklearn.networks import Head
from mlpcore.sklearn.parameters import check_numbers, keep


class MLPRegressor(RegressorMixin, MLP):
    """Multi-layer perceptron regressor with the parameters and attributes of scikit-learn's.

    The output is linear, with half the mean squared error as loss. See `MLPClassifier` for what both have in common;
    early stopping watches R2 here.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}, or a name or object of mlpcore's, default "squared_error"
        One that compares numbers, such as "mae" or ``Huber(0.5)``. With "poisson" the output activation is e^z, so that
        predictions are above 0.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter
        As in `MLPClassifier`.
    shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction
        As in `MLPClassifier`.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dropout, normalization, metrics, callbacks, dtype
        As in `MLPClassifier`.

    Attributes
    ----------
    loss_, best_loss_, loss_curve_, validation_scores_, validation_loss_curve_, best_validation_score_, history_
        As in `MLPClassifier`; the scores are R2.
    coefs_, intercepts_, n_iter_, t_, n_layers_, n_outputs_, n_features_in_, feature_names_in_, out_activation_
        As in `MLPClassifier`.
    model_ : mlpcore.Sequential
        The trained model.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpcore.sklearn import MLPRegressor
    >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
    >>> MLPRegressor(random_state=1, solver="lbfgs").fit(X, X.ravel() ** 2).score(X, X.ravel() ** 2) > 0.99
    True
    """

    _monitor, _watched = "r2", ("r2",)

    @property
    def _shown(self) -> float:  # type: ignore[override]
        return 0.5 if self.loss == "squared_error" else 1.0

    def __init__(
        self,
        loss: Any = "squared_error",  # noqa: ANN401
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",  # noqa: ANN401
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: Rate = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,  # noqa: ANN401
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        normalization: str | None = None,
        metrics: Iterable[Metric] = (),
        callbacks: Iterable[AnyCallback] = (),
        dtype: str | None = None,
    ) -> None:
        keep(self, locals())

    @available_if(is_stochastic)
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one epoch on some rows, keeping weights and the optimizer's state.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        The estimator itself.
        """
        return self._partial_fit(X, y, sample_weight)

    def _targets(self, y: Array, *, partial: bool, classes: ArrayLike | None = None) -> Array:
        check_numbers(y)
        self._is_column = y.ndim == 1
        target = y[:, np.newaxis] if self._is_column else y
        return np.asarray(target, np.float64)

    def _head(self, target: Array) -> Head:
        out = target.shape[1]
        if self.loss == "squared_error":
            return Head(out, SKLEARN_NAMES["identity"], "mse", 2 / out)
        if self.loss == "poisson":
            return Head(out, SKLEARN_NAMES["exp"], "poisson")
        return Head(out, SKLEARN_NAMES["identity"], networks.regressing_loss(self.loss))

    def predict(self, X: ArrayLike) -> Array:
        """Return the outputs, shape (n,) or (n, n_outputs)."""
        a = self._output(X)
        return a.ravel() if self._is_column else a
