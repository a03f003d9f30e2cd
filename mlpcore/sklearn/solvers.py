"""scikit-learn's solvers as mlpcore's optimizers and schedules, and when they are done."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import LBFGS, SGD, Adam, InverseScaling, ReduceOnPlateau
from mlpcore.callbacks import Callback
from mlpcore.optimizers import Optimizer

if TYPE_CHECKING:
    from mlpcore.model import Sequential

_SMALLEST_RATE = 1e-6
_LEAST_CHANGE = 2.2e-9  # of the loss, relative: SciPy's ftol


def optimizer_for(estimator: Any, n: int, scale: float) -> Optimizer:  # noqa: ANN401
    """Return the optimizer that an estimator's parameters describe, for n samples.

    `scale`: by what the gradient is larger than scikit-learn's, which a learning rate makes up for.
    """
    rate = estimator.learning_rate_init
    if estimator.solver == "lbfgs":
        return LBFGS()
    if estimator.solver == "adam":
        return Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    rate /= scale
    schedule: Any = rate
    if estimator.learning_rate == "invscaling":  # the samples seen before an epoch, counted from 1
        schedule = InverseScaling(rate, estimator.power_t, every=1 / n, per="epoch")
    elif estimator.learning_rate == "adaptive":
        schedule = ReduceOnPlateau(
            rate, factor=0.2, patience=int(min(estimator.n_iter_no_change, 10**6)) + 1, min_delta=estimator.tol
        )
    nesterov = estimator.nesterovs_momentum and estimator.momentum > 0
    return SGD(schedule, momentum=estimator.momentum, nesterov=nesterov)


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
