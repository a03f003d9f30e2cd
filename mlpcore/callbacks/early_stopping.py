"""Early stopping: a training ends when what it is measured by has stopped getting better."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlpcore import _core, catalogue, checks
from mlpcore.callbacks.callback import Callback, Logs
from mlpcore.engine import StoppingState

if TYPE_CHECKING:
    from mlpcore.model import Sequential

_SCORES = ("loss", "accuracy")


class EarlyStopping(Callback):
    """End `fit` when a number has not become better for some epochs, and go back to the best one.

    After each epoch: a number better than best ± min_delta is the new best; training ends after `patience` epochs
    without one. A number that is nan is never the best. `fit` decides this in C between two epochs, without running
    Python, if no other callback wants to be called then.

    Parameters
    ----------
    monitor : str, default "val_loss"
        What is watched: a name that `History` records.
    patience : int, default 10
        >= 1.
    min_delta : float, default 0.0
        >= 0.
    restore_best : bool, default True
        Whether the model has the weights of its best epoch when `fit` ends, those of `BatchNorm`'s means included. Not
        after an error or Ctrl-C, which leave the last weights.
    mode : {"min", "max"}, optional
        Whether smaller or larger is better. Needed for a metric that is a function of your own; of all others it is
        known.

    Attributes
    ----------
    best : float or None
        The best number of the last `fit`.
    best_epoch : int or None
        Its epoch, counted from 0.
    stopped : bool
        Whether the last `fit` was ended by this.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range. In `fit`: if nothing of the name `monitor` is recorded.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> stopping = mlpcore.EarlyStopping("loss", patience=2, min_delta=0.01)
    >>> X, y = [[0.0], [1.0]], [[1.0], [2.0]]
    >>> history = model.fit(
    ...     X, y, "mse", optimizer=mlpcore.SGD(0.3), epochs=1000, callbacks=[stopping], progress=False
    ... )
    >>> len(history["loss"]) == stopping.best_epoch + 3, stopping.stopped
    (True, True)
    """

    _best_of_all: ClassVar[bool] = False
    """Whether the best epoch is the best of all, be it by less than min_delta."""

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        *,
        mode: str | None = None,
    ) -> None:
        if not isinstance(monitor, str):
            advice = f": patience={monitor!r}" if isinstance(monitor, int) else ""
            raise TypeError(f"monitor is {monitor!r}, expected a name such as 'val_loss'{advice}")
        if mode not in (None, "min", "max"):
            raise ValueError(f"mode is {mode!r}, expected 'min', 'max', or None where it is known which is better")
        self.monitor, self.mode = monitor, mode
        self.patience = checks.whole_number("patience", patience, at_least=1)
        self.min_delta = checks.real_number("min_delta", min_delta, at_least=0)
        self.restore_best = checks.flag("restore_best", restore_best)
        self._state: StoppingState | None = None

    def __repr__(self) -> str:
        mode = "" if self.mode is None else f", mode={self.mode!r}"
        return (
            f"EarlyStopping({self.monitor!r}, patience={self.patience}, min_delta={self.min_delta!r}, "
            f"restore_best={self.restore_best}{mode})"
        )

    @property
    def best(self) -> float | None:
        """The best number of the last `fit`."""
        return None if self._state is None else self._state.best

    @property
    def best_epoch(self) -> int | None:
        """Its epoch, counted from 0."""
        return None if self._state is None else self._state.best_epoch

    @property
    def stopped(self) -> bool:
        """Whether the last `fit` was ended by this."""
        return self._state is not None and self._state.stopped

    def _check(self, recorded: list[str], argument: str) -> bool:
        """Return whether larger is better; ValueError if nothing of the name is among what will be recorded."""
        if self.monitor not in recorded:
            hint = catalogue.did_you_mean(self.monitor, recorded)
            if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in recorded):
                hint = ": give validation_data or validation_split, or early_stopping=True to an estimator"
            names = ", ".join(map(repr, recorded))
            raise ValueError(f"monitor of {argument} is {self.monitor!r}, expected one of {names}{hint}")
        if self.mode is not None:
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name in ("loss", "learning_rate"):
            return False
        row = catalogue.FAMILIES["metrics"].get(name.partition("(")[0])
        if row is None:
            raise ValueError(
                f"monitor of {argument} is {self.monitor!r}, a function of your own: give mode, 'min' or 'max'"
            )
        return "smaller_is_better" not in row.traits

    def _begin(self, model: "Sequential", larger_is_better: bool, metrics: list[str]) -> StoppingState:
        """Forget the last `fit`, and return what the engine needs; `metrics` are those that it measures, in order."""
        net = model._built()
        name = self.monitor.removeprefix("val_")
        columns = [*_SCORES, *metrics]
        self._state = StoppingState(
            name != self.monitor,
            columns.index(name) if name in columns else 0,
            larger_is_better,
            self._best_of_all,
            float(self.min_delta),
            float(self.patience),
            np.array([math.nan, -1, 0, 0, 0], np.float64),
            np.empty_like(net.params) if self.restore_best else None,
            np.empty_like(net.state) if self.restore_best else None,
        )
        return self._state

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: Logs) -> bool:
        """Decide as the engine does where no Python runs between epochs."""
        state = self._state
        assert state is not None
        if _core.watch_epoch(state, logs.get(self.monitor, math.nan)) and state.params is not None:
            net = model._built()

            def keep() -> None:
                state.params[...], state.state[...] = net.params, net.state  # type: ignore[index]

            net.read(keep)
        return self.stopped

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """Return by name what a training that goes on needs: written in place then."""
        state = self._state
        if state is None:
            return {}
        kept = {"progress": state.progress, "params": state.params, "state": state.state}
        return {name: values for name, values in kept.items() if values is not None}

    def _restore(self, model: "Sequential") -> bool:
        """Give the model the weights of the best epoch, if there was one; return whether it has them."""
        state = self._state
        if state is None or state.params is None or self.best_epoch is None:
            return False
        model._built().restore(state.params, state.state)
        self._state = state._replace(params=None, state=None)
        return True
