"""What both estimators have in common: parameters of scikit-learn's MLP, and the model that they make of them."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from mlpcore import Dense, Dropout, Sequential, checks
from mlpcore.callbacks import Callback, EarlyStopping
from mlpcore.imports import SKLEARN_NAMES
from mlpcore.optimizers import Optimizer
from mlpcore.sklearn.solvers import SmallRate, Solved, Verbose, optimizer_for
from mlpcore.training import TrainingWarning

Array = NDArray[Any]

_MOST_ROWS = 200  # of a batch, if its size is "auto"
_LEAST_VALIDATION = 2
_SOLVERS = ("lbfgs", "sgd", "adam")
_RATES = ("constant", "invscaling", "adaptive")


def is_stochastic(estimator: "MLP") -> bool:
    """Tell whether an estimator can be trained on rows that come in pieces."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers: solver is 'lbfgs'")
    return True


class MLP(BaseEstimator, ABC):
    """Base class: see `MLPClassifier` and `MLPRegressor` for the parameters."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int],
        activation: Any,  # noqa: ANN401  a name, an object with constants, or a list of them
        solver: str,
        alpha: float,
        batch_size: int | str,
        learning_rate: str,
        learning_rate_init: float,
        power_t: float,
        max_iter: int,
        shuffle: bool,
        random_state: Any,  # noqa: ANN401  whatever check_random_state takes
        tol: float,
        verbose: bool,
        warm_start: bool,
        momentum: float,
        nesterovs_momentum: bool,
        early_stopping: bool,
        validation_fraction: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        n_iter_no_change: int,
        max_fun: int,
        dropout: float,
        callbacks: Iterable[Callback],
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.callbacks = callbacks

    # ------------------------------------------------------------------------------------------------- what differs

    _monitor: str
    """The score that early stopping watches."""

    _shown: float
    """What scikit-learn's loss is of ours."""

    @abstractmethod
    def _targets(self, y: Array, *, partial: bool, classes: ArrayLike | None = None) -> Array:
        """Return y as the loss takes it, and remember what it stands for."""

    @abstractmethod
    def _head(self, y: Array) -> tuple[int, str, str, float]:
        """Return the units of the output, their activation, the loss, and by what its gradient is to be multiplied."""

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
        again = self.warm_start and hasattr(self, "_model")
        x, given, weight = self._data(X, y, sample_weight, reset=True)
        target = self._targets(given, partial=False)
        weight = self._weights(given, weight)
        if not again or not self._continues(x, target):
            self._make(x, target, weight)
            self._forget()
        self.n_iter_ = 0
        return self._train(x, target, weight, self.max_iter)

    def _partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, classes: ArrayLike | None = None
    ) -> Self:
        first = not hasattr(self, "_model")
        x, given, weight = self._data(X, y, sample_weight, reset=first)
        target = self._targets(given, partial=True, classes=classes)
        weight = self._weights(given, weight)
        if first:
            self._make(x, target, weight)
            self._forget()
        return self._train(x, target, weight, 1, partial=True)

    def _data(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, reset: bool
    ) -> tuple[Array, Array, Array | None]:
        """Return checked data, dense, float32 where X is float32 and float64 otherwise."""
        self._check_parameters()
        dtype = (np.float64, np.float32) if reset else self._model.dtype
        checked: tuple[Array, Array] = validate_data(
            self, X, y, accept_sparse=("csr", "csc"), multi_output=True, dtype=dtype, reset=reset
        )
        x, y_ = checked
        if y_.ndim == 2 and y_.shape[1] == 1:
            y_ = column_or_1d(y_, warn=True)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, dtype=x.dtype)
        return _dense(x), y_, weight

    def _check_parameters(self) -> None:
        for name, value, allowed in (("solver", self.solver, _SOLVERS), ("learning_rate", self.learning_rate, _RATES)):
            if value not in allowed:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, allowed))}")
        for name in ("max_iter", "n_iter_no_change", "max_fun"):
            value = getattr(self, name)
            if not (name == "n_iter_no_change" and value == np.inf):
                checks.whole_number(name, value, at_least=1)
        for name in ("alpha", "tol", "power_t"):
            checks.real_number(name, getattr(self, name), at_least=0)
        checks.real_number("validation_fraction", self.validation_fraction, at_least=0, below=1)
        for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping"):
            checks.flag(name, getattr(self, name))
        if self.batch_size != "auto":
            checks.whole_number("batch_size", self.batch_size, at_least=1)  # type: ignore[arg-type]

    @property
    def _hidden(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        listed = [sizes] if isinstance(sizes, Integral) else list(sizes)  # type: ignore[arg-type]
        return [checks.whole_number(f"hidden_layer_sizes[{i}]", size, at_least=1) for i, size in enumerate(listed)]

    def _rows_of_batch(self, n: int) -> int:
        if self.solver == "lbfgs":
            return n
        return min(_MOST_ROWS if self.batch_size == "auto" else int(self.batch_size), n)

    def _make(self, x: Array, target: Array, weight: Array | None) -> None:
        """Make the model and its optimizer."""
        units, sigma, loss, scale = self._head(target)
        hidden = self._hidden
        listed = isinstance(self.activation, list) or (
            isinstance(self.activation, tuple) and type(self.activation) is tuple and len(hidden) != 0
        )
        activations = list(self.activation) if listed else [self.activation] * len(hidden)
        if len(activations) != len(hidden):
            raise ValueError(f"activation has {len(activations)} entries, expected {len(hidden)}, one a hidden layer")
        total = self._rows_of_batch(len(x)) * (1.0 if weight is None else float(weight.mean()) or 1.0)
        l2 = self.alpha / total * scale  # as scikit-learn: alpha w / n beside the mean gradient of a batch of n
        layers: list[Any] = []
        for size, each in zip(hidden, activations, strict=True):
            layers.append(Dense(size, _named(each), l2=l2, kernel_initializer="glorot_uniform"))
            layers += [Dropout(self.dropout)] if self.dropout else []
        layers.append(Dense(units, sigma, l2=l2, kernel_initializer="glorot_uniform"))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._model = Sequential(layers, input_size=x.shape[1], dtype=x.dtype, seed=seed)
        self._loss = loss
        self._optimizer: Optimizer = optimizer_for(self, len(x), scale)
        self.out_activation_ = {name: other for other, name in SKLEARN_NAMES.items()}.get(sigma, sigma)
        self.n_outputs_, self.n_layers_ = units, len(hidden) + 2

    def _forget(self) -> None:
        """Begin to record."""
        self.n_iter_ = 0
        self.t_ = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_: float | None = None
        self.best_loss_: float | None = None

    def _continues(self, x: Array, target: Array) -> bool:
        """Tell whether the model that there is fits the data."""
        units, *_ = self._head(target)
        last = self._model.layers[-1]
        return isinstance(last, Dense) and (self._model.input_size, last.units) == (x.shape[1], units)

    def _train(self, x: Array, target: Array, weight: Array | None, epochs: int, *, partial: bool = False) -> Self:
        validation: tuple[Array, ...] | None = None
        if self.early_stopping and not partial and self.solver != "lbfgs":
            x, target, weight, validation = self._split(x, target, weight)
        callbacks = list(self.callbacks)
        stopping = self._stopping(validation is not None)
        if not partial:
            callbacks.append(stopping)
            callbacks += [SmallRate()] if self.solver == "sgd" and self.learning_rate == "adaptive" else []
        solved = Solved(self._optimizer, self.tol, self.max_fun) if self.solver == "lbfgs" else None
        callbacks += [solved] if solved is not None else []
        callbacks += [Verbose(self._shown, self._monitor)] if self.verbose else []
        options: dict[str, Any] = {}
        if self.solver != "lbfgs":
            options["batch_size"] = self._rows_of_batch(len(x))
            if self.batch_size != "auto" and int(self.batch_size) > len(x):
                text = f"batch_size is {self.batch_size}, more than the {len(x)} samples: it is clipped"
                warnings.warn(text, stacklevel=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # told below, in scikit-learn's words
            history = self._model.fit(
                x,
                target,
                self._loss,
                optimizer=self._optimizer,
                epochs=epochs,
                shuffle=self.shuffle,
                sample_weight=weight,
                validation_data=validation,
                metrics=self._metrics(),
                callbacks=callbacks,
                progress=False,
                **options,
            )
        self._record(history, len(x), validation is not None)
        ended_early = stopping.stopped or len(history["loss"]) < epochs
        if solved is not None:
            ended_early = solved.converged
        if not partial and not ended_early and self.max_iter == epochs:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=3,
            )
        if not np.isfinite(self._model._built().params).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        return self

    def _metrics(self) -> list[Any]:
        return []

    def _stopping(self, validated: bool) -> EarlyStopping:
        patience = self.max_iter + 1 if self.n_iter_no_change == np.inf else self.n_iter_no_change + 1
        if self.solver == "lbfgs" or (self.solver == "sgd" and self.learning_rate == "adaptive" and not validated):
            patience = 10**9  # ended by what the solver finds
        if validated:
            return EarlyStopping(f"val_{self._monitor}", patience, self.tol)
        return EarlyStopping("loss", patience, self.tol / self._shown, restore_best=False)

    def _split(
        self, x: Array, target: Array, weight: Array | None
    ) -> tuple[Array, Array, Array | None, tuple[Array, ...]]:
        """Set rows aside to validate with, of each class its share."""
        columns = [x, target] if weight is None else [x, target, weight]
        parts = train_test_split(
            *columns,
            random_state=check_random_state(self.random_state),
            test_size=self.validation_fraction,
            stratify=self._strata(target),
        )
        train, validation = parts[0::2], parts[1::2]
        if len(validation[0]) < _LEAST_VALIDATION:
            raise ValueError(
                f"The validation set is too small: {len(validation[0])} row of {len(x)}, expected at least "
                f"{_LEAST_VALIDATION}. Increase 'validation_fraction' or the size of your dataset."
            )
        return train[0], train[1], train[2] if weight is not None else None, tuple(validation)

    def _strata(self, target: Array) -> Array | None:
        """Return what the split keeps the shares of; None: nothing."""
        return None

    def _record(self, history: Any, n: int, validated: bool) -> None:  # noqa: ANN401  a History
        losses = [loss * self._shown for loss in history["loss"]]
        self.loss_curve_ += losses
        self.n_iter_ += len(losses)
        self.t_ += len(losses) * n
        self.loss_ = losses[-1] if losses else np.inf
        if validated and self.validation_scores_ is not None:
            self.validation_scores_ += history[f"val_{self._monitor}"]
            self.validation_loss_curve_ = [loss * self._shown for loss in history["val_loss"]]
            self.best_validation_score_ = max(self.validation_scores_)
        elif self.loss_curve_:
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


def _named(activation: Any) -> Any:  # noqa: ANN401
    return SKLEARN_NAMES.get(activation, activation) if isinstance(activation, str) else activation
