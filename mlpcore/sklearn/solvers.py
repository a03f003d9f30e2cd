"""scikit-learn's solvers as mlpcore's optimizers and schedules, and when they are done."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import LBFGS, SGD, Adam, CustomOptimizer, InverseScaling, ReduceOnPlateau, Warmup
from mlpcore.callbacks import Callback, EarlyStopping
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import Rate, Schedule

if TYPE_CHECKING:
    from mlpcore.model import Sequential

_SMALLEST_RATE = 1e-6
_LEAST_CHANGE = 2.2e-9  # of the loss, relative: SciPy's ftol


def optimizer_for(estimator: Any, n: int, scale: float) -> Optimizer:  # noqa: ANN401
    """Return the optimizer that an estimator's parameters describe, for n samples.

    `scale`: by what the gradient is larger than scikit-learn's, which a learning rate makes up for.
    """
    solver, rate = estimator.solver, estimator.learning_rate_init
    if isinstance(solver, Optimizer):
        return copy.deepcopy(solver) if isinstance(solver, CustomOptimizer) else replace(solver)  # without a state
    if solver == "lbfgs":
        return LBFGS()
    if solver == "adam":
        return Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    rate = schedule = _divided(rate, scale)
    if estimator.learning_rate == "invscaling":  # the samples seen before an epoch, counted from 1
        schedule = InverseScaling(rate, estimator.power_t, every=1 / n, per="epoch")
    elif estimator.learning_rate == "adaptive":
        schedule = ReduceOnPlateau(
            rate, factor=0.2, patience=int(min(estimator.n_iter_no_change, 10**6)) + 1, min_delta=estimator.tol
        )
    nesterov = estimator.nesterovs_momentum and estimator.momentum > 0
    return SGD(schedule, momentum=estimator.momentum, nesterov=nesterov)


def _divided(rate: Rate, by: float) -> Any:  # noqa: ANN401  a Rate of the same kind
    """Return a learning rate, or what it follows from, divided by a number."""
    if by == 1:
        return rate
    if isinstance(rate, Warmup):
        return replace(rate, schedule=_divided(rate.schedule, by))
    if isinstance(rate, Schedule):
        least = {"minimum": rate.minimum / by} if hasattr(rate, "minimum") else {}
        return replace(rate, learning_rate=rate.learning_rate / by, **least)
    return partial(_quotient, rate, by) if callable(rate) else rate / by


def _quotient(function: Callable[[int], float], by: float, epoch: int) -> float:
    return function(epoch) / by


def is_lbfgs(solver: object) -> bool:
    """Tell whether a solver takes all rows as one batch."""
    return isinstance(solver, LBFGS) or (isinstance(solver, str) and solver == "lbfgs")


class NoChange(EarlyStopping):
    """Ends a training as scikit-learn does: compared with the best of all, be it better by less than tol."""

    _best_of_all = True

    @property
    def waited(self) -> int:
        """The epochs since one was better than the best by tol."""
        return 0 if self._state is None else int(self._state.progress[4])


class SmallRate(Callback):
    """Ends a training whose learning rate has become very small."""

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: dict[str, float]) -> bool:
        """Look at it."""
        return logs["learning_rate"] <= _SMALLEST_RATE


class Solved(Callback):
    """Ends L-BFGS where gradient or change of the loss is small (SciPy's gtol, ftol), or after max_fun evaluations."""

    def __init__(self, optimizer: Optimizer, tol: float, max_fun: int) -> None:
        assert isinstance(optimizer, LBFGS)
        self._optimizer, self._tol, self._max_fun = optimizer, tol, max_fun
        self._last = np.inf
        self._before = optimizer.evaluations
        self.converged = False

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: dict[str, float]) -> bool:
        """Compare with the last epoch."""
        loss, last = logs["loss"], self._last
        self._last = loss
        net = model._built()
        small = net.has_gradients and np.abs(net.grads).max(initial=0) <= self._tol
        still = np.isfinite(last) and last - loss <= _LEAST_CHANGE * max(abs(last), abs(loss), 1)
        self.converged = bool(small or still)
        return self.converged or self._optimizer.evaluations - self._before >= self._max_fun


class Verbose(Callback):
    """Prints what scikit-learn's MLP prints."""

    def __init__(self, shown: float, monitor: str) -> None:
        self._shown, self._monitor = shown, monitor

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: dict[str, float]) -> None:
        """Print a line."""
        print(f"Iteration {epoch + 1}, loss = {logs['loss'] * self._shown:.8f}")
        if f"val_{self._monitor}" in logs:
            print(f"Validation score: {logs[f'val_{self._monitor}']:f}")
