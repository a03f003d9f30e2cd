"""Epochs that the engine runs, and the tables in which it writes what it measures."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlpcore import checks
from mlpcore._core import Net
from mlpcore.callbacks.callback import Callbacks, Logs
from mlpcore.data import Array
from mlpcore.engine import (
    Choice,
    LBFGSState,
    MetricsState,
    OptimizerState,
    StoppingState,
    TrainSettings,
    ValidationState,
)
from mlpcore.history import History
from mlpcore.metrics import Metrics
from mlpcore.optimizers import Claimed
from mlpcore.progress import Advance
from mlpcore.samples import Given, state_of
from mlpcore.streams.source import measure_source, train_source
from mlpcore.task import Task

if TYPE_CHECKING:
    from mlpcore.model import Sequential


Place = tuple[int, int]
"""The number of an epoch, and of a batch in it, both counted from 0."""


class Between(NamedTuple):
    """What happens beside the training itself: who records, who is called, who can end it.

    Attributes
    ----------
    history : History
    calls : Callbacks
    stop : ndarray of int64, shape (1,), or None
        Not 0: the training is to end.
    validates : bool
        Whether the engine measures the samples to validate with.
    stopping : StoppingState or None
        What the engine watches.
    """

    history: History
    calls: Callbacks
    stop: Array | None = None
    validates: bool = False
    stopping: StoppingState | None = None

    @property
    def is_over(self) -> bool:
        """Whether the training is to end."""
        return (self.stopping is not None and self.stopping.stopped) or (self.stop is not None and bool(self.stop[0]))


class _Tables:
    """What the engine writes in some epochs: names and values (epochs, names), table by table."""

    def __init__(
        self, task: Task, state: Claimed, epochs: int, between: Between, measured: MetricsState | None
    ) -> None:
        self.measured = task.measured(epochs) if measured is None else measured
        self.scores = np.empty((epochs, 2), np.float64)
        self.rates: Array | None = None
        if isinstance(state, OptimizerState) and state.schedule is not None:
            self.rates = np.empty(epochs, np.float64)
        self.validation: ValidationState | None = None
        if between.validates and isinstance(task.validation, checks.Samples):
            x, y, weight = task.validation
            metrics = task.metrics.state(len(x), y.dtype, epochs)
            self.validation = ValidationState(x, y, weight, np.full((epochs, 2), math.nan), metrics)
            if metrics is not None:
                metrics.values[...] = math.nan
        self.all = list(self._all(task))

    def _all(self, task: Task) -> Iterable[tuple[tuple[str, ...], Array]]:
        names, metrics = task.names, tuple(task.metrics.choices)
        yield names, self.scores[:, : len(names)]
        if self.measured is not None:
            yield metrics, self.measured.values
        if self.rates is not None:
            yield ("learning_rate",), self.rates[:, np.newaxis]
        if self.validation is not None:
            yield tuple(f"val_{name}" for name in names), self.validation.scores[:, : len(names)]
            if self.validation.metrics is not None:
                yield tuple(f"val_{name}" for name in metrics), self.validation.metrics.values

    def logs(self, epoch: int) -> Logs:
        return {
            name: value for names, values in self.all for name, value in zip(names, values[epoch].tolist(), strict=True)
        }


def run_epochs(
    model: "Sequential",
    task: Task,
    state: Claimed,
    epochs: int,
    between: Between,
    advance: Advance | None = None,
    measured: MetricsState | None = None,
) -> Place | None:
    """Run epochs in the engine, which counts them in the model's cursor and writes what it measures as they end.

    Returns where the loss ceased to be finite, or None.
    """
    net, cursor, calls = model._built(), model._cursor, between.calls
    tables = _Tables(task, state, epochs, between, measured)
    before, first = int(cursor[0]), len(between.history.epoch)
    shown = 0

    def show(batches: int = 0, *, validated: int = 0 if tables.validation is None else 1) -> None:
        nonlocal shown
        while advance and shown < int(cursor[0]) - before - validated:  # the last epoch may be validated just now
            shown += 1
            advance(tables.logs(shown - 1))

    def end_batch(batch: int, loss: float) -> None:
        calls.end_batch(first + int(cursor[0]) - before, batch, {"loss": loss})

    between.history._follow(cursor, *tables.all)
    optimizer = state if isinstance(state, OptimizerState) else None
    settings = TrainSettings(
        loss=task.loss,
        metric=task.rule,
        optimizer=optimizer,
        batch_size=task.batch_size,
        shuffle=task.shuffle,
        seed=model.seed,
        epochs=epochs,
        mean_weight=task.mean_weight,
        cursor=cursor,
        scores=tables.scores,
        progress=show,
        resume=False,
        rates=tables.rates,
        lbfgs=state if isinstance(state, LBFGSState) else None,
        metrics=tables.measured if optimizer else None,
        validation=tables.validation,
        early_stopping=between.stopping,
        batch_end=end_batch if optimizer and calls.has("on_batch_end") else None,
        stop=between.stop,
    )
    train = task.train
    try:
        if isinstance(train, checks.Samples):
            _, batch = net.train(*train, settings)
        else:
            _, batch = train_source(net, train, settings, task.metrics.out)
    except KeyboardInterrupt:
        show()  # what was done by then
        raise
    show(validated=0)
    if batch < 0:
        return None
    if not isinstance(train, checks.Samples):
        return 0, batch
    epoch, batch = divmod(batch, math.ceil(len(train.x) / task.batch_size))
    return epoch, batch


def score(net: Net, given: Given, loss: Choice, rule: str | None, metrics: Metrics) -> Logs:
    """Measure a network; its own accuracy counts by the metric `rule`."""
    state = state_of(metrics, given)
    if isinstance(given, checks.Samples):
        value, accuracy = net.loss(given.x, given.y, loss, rule, given.weight, state)
    else:
        value, accuracy = measure_source(net, given, loss, rule, state, metrics.out)
    logs = {"loss": value} if rule is None else {"loss": value, "accuracy": accuracy}
    if state is not None:
        logs |= dict(zip(metrics.choices, state.values[0].tolist(), strict=True))
        logs |= metrics.call(given.y, state) if isinstance(given, checks.Samples) else {}
    return logs
