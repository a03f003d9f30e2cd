"""What both estimators have in common: parameters of scikit-learn's MLP, and the model that they make of them."""

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from mlpcore import Dense, Sequential
from mlpcore.beginnings import require_length
from mlpcore.callbacks.callback import AnyCallback
from mlpcore.history import History
from mlpcore.metrics import Metric
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import Rate
from mlpcore.sklearn import networks
from mlpcore.sklearn.held_out import HeldOut, Rows
from mlpcore.sklearn.networks import Head
from mlpcore.sklearn.parameters import check_parameters, check_weights
from mlpcore.sklearn.solvers import NoChange, SmallRate, Solved, Verbose, is_lbfgs, optimizer_for
from mlpcore.sklearn.unchanged import as_before
from mlpcore.training import TrainingWarning

Array = NDArray[Any]

_MOST_ROWS = 200  # of a batch, if its size is "auto"
_LEAST_VALIDATION = 2


def is_stochastic(estimator: "MLP") -> bool:
    """Tell whether an estimator can be trained on rows that come in pieces."""
    if is_lbfgs(estimator.solver):
        raise AttributeError("partial_fit is only available for stochastic optimizers: solver is 'lbfgs'")
    return True


class MLP(BaseEstimator, ABC):
    """Base class: see `MLPClassifier` and `MLPRegressor` for the parameters, which their `__init__` lists."""

    loss: Any
    hidden_layer_sizes: int | Sequence[int]
    activation: Any
    solver: str | Optimizer
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: Rate
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: int
    max_fun: int
    dropout: float
    normalization: str | None
    metrics: Iterable[Metric]
    callbacks: Iterable[AnyCallback]
    dtype: str | None

    # ------------------------------------------------------------------------------------------ what is kept of a fit

    _model: Sequential
    _latest: Sequential | None
    """What `partial_fit` goes on with where early stopping keeps the best weights in `_model`."""
    _held_out: HeldOut | None
    """The rows that `partial_fit` has set aside."""

    # ------------------------------------------------------------------------------------------------- what differs

    _monitor: str
    """The score that early stopping watches."""

    _watched: tuple[str, ...] = ()
    """The same, if nothing else measures it."""

    _shown: float
    """What scikit-learn's loss is of ours."""

    @abstractmethod
    def _targets(self, y: Array, *, partial: bool, classes: ArrayLike | None = None) -> Array:
        """Return y as the loss takes it, and remember what it stands for."""

    @abstractmethod
    def _head(self, target: Array) -> Head:
        """Return the end of the network for such targets."""

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        """Return the weights of the rows."""
        return sample_weight

    # ------------------------------------------------------------------------------------------------------ training

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on the data.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, in)
        y : array_like of shape (n,) or (n, out)
        sample_weight : array_like of shape (n,), optional
            How much each row counts; >= 0.

        Returns
        -------
        The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data are not in their range.
        """
        with as_before(self):
            return self._fit(X, y, sample_weight)

    def _fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> Self:
        again = self.warm_start and hasattr(self, "_model")
        rows = self._rows(X, y, sample_weight, reset=True)
        if again and self._latest is not None:
            self._model, self._latest = self._latest, None
        if not again or not self._continues(rows):
            self._make(rows)
        self._held_out = None
        self.n_iter_ = 0
        return self._train(rows, self.max_iter)

    def _partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, classes: ArrayLike | None = None
    ) -> Self:
        with as_before(self):
            first = not hasattr(self, "_model")
            rows = self._rows(X, y, sample_weight, reset=first, partial=True, classes=classes)
            if first:
                self._make(rows)
            require_length(self._optimizer)
            return self._train(rows, 1, partial=True)

    def _rows(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        *,
        reset: bool,
        partial: bool = False,
        classes: ArrayLike | None = None,
    ) -> Rows:
        """Return checked data, dense, float32 where X is float32 and float64 otherwise, unless `dtype` says which."""
        check_parameters(self)
        dtype = self.dtype or ((np.float64, np.float32) if reset else self._model.dtype)
        checked: tuple[Array, Array] = validate_data(
            self, X, y, accept_sparse=("csr", "csc"), multi_output=True, dtype=dtype, reset=reset
        )
        x, given = checked
        if given.ndim == 2 and given.shape[1] == 1:
            given = column_or_1d(given, warn=True)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, dtype=x.dtype)
        check_weights(weight)
        target = self._targets(given, partial=partial, classes=classes)
        return Rows(_dense(x), target, self._weights(given, weight))

    def _rows_of_batch(self, n: int) -> int:
        if is_lbfgs(self.solver):
            return n
        return min(_MOST_ROWS if self.batch_size == "auto" else int(self.batch_size), n)

    def _make(self, rows: Rows) -> None:
        """Make the model and its optimizer, and begin to record."""
        x, target, weight = rows
        head, sizes = self._head(target), networks.hidden_sizes(self.hidden_layer_sizes)
        total = self._rows_of_batch(len(x)) * (1.0 if weight is None else float(weight.mean()) or 1.0)
        l2 = self.alpha / total * head.scale  # as scikit-learn: alpha w / n beside the mean gradient of a batch of n
        layers = networks.layers_of(sizes, self.activation, self.normalization, self.dropout, head, l2)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._optimizer = optimizer_for(self, len(x), head.scale)
        self._model = Sequential(layers, input_size=x.shape[1], dtype=x.dtype, seed=seed)
        self._loss = head.loss
        self._latest = self._held_out = None
        self._histories: list[History] = []
        self.out_activation_ = networks.scikit_learns_name(head.activation)
        self.n_outputs_, self.n_layers_ = head.units, len(sizes) + 2
        self.n_iter_ = self.t_ = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = [] if self._validates else None
        self.validation_loss_curve_: list[float] | None = [] if self._validates else None
        self.best_validation_score_: float | None = None
        self.best_loss_: float | None = None

    @property
    def _validates(self) -> bool:
        """Whether rows are set aside."""
        return self.early_stopping and not is_lbfgs(self.solver)

    def _continues(self, rows: Rows) -> bool:
        """Tell whether the model that there is fits the data."""
        last = self._model.layers[-1]
        units = self._head(rows.target).units
        return isinstance(last, Dense) and (self._model.input_size, last.units) == (rows.x.shape[1], units)

    def _train(self, rows: Rows, epochs: int, *, partial: bool = False) -> Self:
        validation = None
        if self._validates:
            rows, validation = self._set_aside(rows) if partial else self._split(rows)
        model = self._latest or self._model
        stopping = self._stopping(validation is not None)
        solved = Solved(self._optimizer, self.tol, self.max_fun) if is_lbfgs(self.solver) else None
        callbacks = [*self.callbacks]
        if not partial:
            callbacks.append(stopping)
            callbacks += [SmallRate()] if self.solver == "sgd" and self.learning_rate == "adaptive" else []
        callbacks += [solved] if solved is not None else []
        callbacks += [Verbose(self._shown, self._monitor)] if self.verbose else []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # told below, in scikit-learn's words
            history = model.fit(
                rows.x,
                rows.target,
                self._loss,
                optimizer=self._optimizer,
                epochs=epochs,
                batch_size=self._rows_of_batch(len(rows.x)),
                shuffle=self.shuffle,
                sample_weight=rows.weight,
                validation_data=None if validation is None else [each for each in validation if each is not None],
                metrics=self._measured(validated=validation is not None),
                callbacks=callbacks,
                progress=False,
            )
        self._record(history, len(rows.x), validated=validation is not None)
        if not partial:
            self._no_improvement_count = stopping.waited  # scikit-learn's name for it
            converged = solved.converged if solved is not None else stopping.stopped or len(history["loss"]) < epochs
            self._warn(len(rows.x), converged=converged)
        if not np.isfinite(model._built().params).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        if model is not self._model:
            self._keep_best(model, validation)
        return self

    def _warn(self, n: int, *, converged: bool) -> None:
        """Warn of what scikit-learn warns of."""
        given = 0 if self.batch_size == "auto" or is_lbfgs(self.solver) else int(self.batch_size)
        if given > n:
            text = f"batch_size is {self.batch_size}, more than the {n} samples: it is clipped"
            warnings.warn(text, stacklevel=5)
        if not converged:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _measured(self, *, validated: bool) -> list[Metric]:
        """Return the metrics of a training: those asked for, and what early stopping watches."""
        metrics = list(self.metrics)
        return metrics + [name for name in self._watched if validated and name not in metrics]

    def _stopping(self, validated: bool) -> NoChange:
        patience = self.max_iter + 1 if self.n_iter_no_change == np.inf else self.n_iter_no_change + 1
        adapts = self.solver == "sgd" and self.learning_rate == "adaptive" and not validated
        if is_lbfgs(self.solver) or adapts:
            patience = 10**9  # ended by what the solver finds
        if validated:
            return NoChange(f"val_{self._monitor}", patience, self.tol)
        return NoChange("loss", patience, self.tol / self._shown, restore_best=False)

    def _split(self, rows: Rows) -> tuple[Rows, Rows]:
        """Set rows aside to validate with, of each class its share."""
        x, target, weight = rows
        parts = train_test_split(
            *([x, target] if weight is None else [x, target, weight]),
            random_state=check_random_state(self.random_state),
            test_size=self.validation_fraction,
            stratify=self._strata(target),
        )
        nothing = [] if weight is not None else [None]
        train, validation = Rows(*parts[0::2], *nothing), Rows(*parts[1::2], *nothing)
        if len(validation.x) < _LEAST_VALIDATION:
            raise ValueError(
                f"The validation set is too small: {len(validation.x)} row of {len(x)}, expected at least "
                f"{_LEAST_VALIDATION}. Increase 'validation_fraction' or the size of your dataset."
            )
        return train, validation

    def _strata(self, target: Array) -> Array | None:
        """Return what the split keeps the shares of; None: nothing."""
        return None

    def _set_aside(self, rows: Rows) -> tuple[Rows, Rows | None]:
        """Set some rows of a call aside, and return the others and all that have been set aside by now."""
        if self._held_out is None:
            self._held_out = HeldOut(self.validation_fraction, self._model.seed)
        if self._latest is None:
            self._latest, self._optimizer = copy.deepcopy((self._model, self._optimizer))
        return self._held_out.split(rows), self._held_out.rows

    def _keep_best(self, latest: Sequential, validation: Rows | None) -> None:
        """Let the model have the latest weights, unless those that it has do better on what has been set aside."""
        if validation is not None:
            x, target, weight = validation
            own = self._model.evaluate(x, target, self._loss, sample_weight=weight, metrics=self._watched)
            assert self.validation_scores_ is not None
            last = self.validation_scores_[-1]
            self.best_validation_score_ = max(own[self._monitor], last)
            if own[self._monitor] >= last:
                return
        net = latest._built()
        self._model._built().restore(net.params, net.state)

    def _record(self, history: History, n: int, *, validated: bool) -> None:
        losses = [loss * self._shown for loss in history["loss"]]
        before, nothing = [np.nan] * len(self.loss_curve_), [np.nan] * len(losses)  # of epochs without validation
        self._histories.append(history)
        self.loss_curve_ += losses
        self.n_iter_ += len(losses)
        self.t_ += len(losses) * n
        self.loss_ = losses[-1] if losses else np.inf
        if self._validates:
            shown = [loss * self._shown for loss in history.get("val_loss", nothing)]
            self.validation_loss_curve_ = (self.validation_loss_curve_ or before) + shown
            scores = history.get(f"val_{self._monitor}", nothing)
            self.validation_scores_ = (self.validation_scores_ or before) + scores
        if validated:
            self.best_validation_score_ = np.nanmax(self.validation_scores_ or [np.nan])
        elif self.loss_curve_ and not self._validates:
            self.best_loss_ = min(self.loss_curve_)

    # --------------------------------------------------------------------------------------------------------- using

    def _output(self, X: ArrayLike) -> Array:
        """Return what the model says of some rows."""
        check_is_fitted(self, "n_iter_")
        x = validate_data(self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=False)
        return self._model.predict(np.asarray(_dense(x), self._model.dtype))

    @property
    def model_(self) -> Sequential:
        """The trained model."""
        check_is_fitted(self, "n_iter_")
        return self._model

    @property
    def history_(self) -> History:
        """What each epoch has measured: of all calls of `fit` and `partial_fit` since the weights were new."""
        check_is_fitted(self, "n_iter_")
        whole = History(self._histories[-1].rules)
        for each in self._histories:
            whole._extend(each)
        whole._store()
        return whole

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, (in, out) as scikit-learn has them: views."""
        return [np.asarray(layer.w).T for layer in self._fitted_layers()]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer: views."""
        return [np.asarray(layer.b) for layer in self._fitted_layers()]

    def _fitted_layers(self) -> list[Dense]:
        if not hasattr(self, "_model"):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return [layer for layer in self._model.layers if isinstance(layer, Dense)]

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(x: Any) -> Array:  # noqa: ANN401  an array or a sparse matrix
    return np.ascontiguousarray(x.toarray() if hasattr(x, "toarray") else x)
