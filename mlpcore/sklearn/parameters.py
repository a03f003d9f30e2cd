"""The parameters of estimators: kept as they are given, and checked by `fit`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from mlpcore import checks
from mlpcore.callbacks.callback import as_callbacks
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import schedule_of
from mlpcore.sklearn.frames import is_missing
from mlpcore.sklearn.networks import check_normalization

if TYPE_CHECKING:
    from mlpcore.sklearn.base import MLP

_SOLVERS = ("lbfgs", "sgd", "adam")
_RATES = ("constant", "invscaling", "adaptive")


def keep(estimator: BaseEstimator, given: dict[str, Any]) -> None:
    """Keep the parameters of an estimator, which are among the local variables of its `__init__`, as they are."""
    for name in estimator._get_param_names():
        setattr(estimator, name, given[name])


def check_parameters(estimator: "MLP") -> None:
    """Raise TypeError or ValueError for a parameter that is not in its range; layers and losses check their own."""
    if not isinstance(estimator.solver, Optimizer):
        _check_name("solver", estimator.solver, _SOLVERS, ", or an optimizer such as mlpcore.AdamW(0.001)")
    _check_name("learning_rate", estimator.learning_rate, _RATES)
    for name in ("max_iter", "n_iter_no_change", "max_fun"):
        value = getattr(estimator, name)
        if not (name == "n_iter_no_change" and value == np.inf):
            checks.whole_number(name, value, at_least=1)
    for name in ("alpha", "tol", "power_t"):
        checks.real_number(name, getattr(estimator, name), at_least=0)
    checks.real_number("validation_fraction", estimator.validation_fraction, at_least=0, below=1)
    for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping"):
        checks.flag(name, getattr(estimator, name))
    checks.real_number("dropout", estimator.dropout, at_least=0, below=1)
    as_callbacks(estimator.callbacks)
    if estimator.batch_size != "auto":
        checks.whole_number("batch_size", estimator.batch_size, at_least=1)  # type: ignore[arg-type]
    check_normalization(estimator.normalization)
    if estimator.dtype is not None:
        checks.dtype_name(estimator.dtype)
    _check_solver(estimator)


def check_weights(weight: NDArray[Any] | None) -> None:
    """Raise ValueError for weights of rows below 0."""
    if weight is not None and weight.min() < 0:
        row = int(weight.argmin())
        raise ValueError(f"sample_weight has {weight[row]} at row {row}, expected weights >= 0")


def check_labels(y: NDArray[Any]) -> None:
    """Raise ValueError unless all labels are there and can be put in order."""
    if y.dtype != object:
        return
    kinds: dict[str, Any] = {}
    for row, label in enumerate(y.ravel().tolist()):
        if is_missing(label):
            raise ValueError(f"y has {label!r} in row {row}, expected a label in each: leave out rows that have none")
        kinds.setdefault("text" if isinstance(label, str) else "numbers", label)
    if len(kinds) > 1:
        raise ValueError(
            f"y has {kinds['text']!r} and {kinds['numbers']!r}, expected labels of one type: try y.astype(str)"
        )


def check_numbers(y: NDArray[Any]) -> None:
    """Raise ValueError if a regressor cannot read some values as numbers."""
    if y.dtype.kind not in "OUS":
        return
    for place, value in np.ndenumerate(y):
        try:
            float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"y has {str(value)!r} in row {place[0]}, expected numbers: labels are for a classifier"
            ) from None


def _check_name(name: str, value: object, allowed: Sequence[str], others: str = "") -> None:
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, allowed))}{others}")


def _check_solver(estimator: "MLP") -> None:
    """Raise ValueError for an optimizer, or a schedule, that does not go with the other parameters."""
    solver = estimator.solver
    own = isinstance(solver, Optimizer)
    argument, given = ("solver", solver) if own else ("learning_rate_init", estimator.learning_rate_init)
    schedule = schedule_of(getattr(solver, "learning_rate", None) if own else given)
    if schedule is None and not own:
        checks.real_number(argument, given, at_least=0)  # type: ignore[arg-type]
    if schedule is not None and schedule._watches_validation and not estimator.early_stopping:
        raise ValueError(
            f"{argument} is {given!r}, which watches the loss of rows that are set aside, expected early_stopping=True "
            "with it, or monitor='loss' in it"
        )
    if schedule is not None and not own and estimator.learning_rate != "constant":
        raise ValueError(
            f"learning_rate is {estimator.learning_rate!r}, expected 'constant', since learning_rate_init is {given!r}"
        )
    if getattr(solver, "use_ema", False) and estimator.early_stopping:
        raise ValueError(
            f"solver is {solver!r} and early_stopping is True, expected one of them only: both say with which weights "
            "fit ends"
        )
