"""What a source of samples is, and how the engine is led through its parts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mlpcore import checks
from mlpcore._core import Net
from mlpcore.engine import Choice, MetricsState, PartState, TrainSettings, sums_of_epoch

ROWS_MEASURED_AT_ONCE = 256
"""The engine measures so many rows at a time: parts of a multiple give the sums that all rows together would."""


class Part(NamedTuple):
    """Rows of an epoch that come one after the other.

    Attributes
    ----------
    samples : Samples
    is_last : bool
        Whether the epoch ends with them.
    block : int
        The number of the block that they are, from which the order of a shuffle follows.
    is_shuffled : bool
        Whether the engine is to shuffle them.
    batch_size : int
    """

    samples: checks.Samples
    is_last: bool
    block: int
    is_shuffled: bool
    batch_size: int


class Source(ABC):
    """Samples to learn from or to be measured on that are not all in memory at once.

    Attributes
    ----------
    columns : int
        How many numbers a row of X has.
    shape_of_y : tuple of int
        The shape of a row of y.
    answers : str
        What y tells, as `targets.answers_of` says.
    rows, batches : int or None
        How many an epoch has, where that is known.
    mean_weight : float
        What a sample's weight is relative to.
    """

    columns: int
    shape_of_y: tuple[int, ...]
    answers: str
    rows: int | None
    batches: int | None
    mean_weight: float

    @abstractmethod
    def parts(self, seed: int | None = None, epoch: int = 0) -> Iterator[Part]:
        """Yield the parts of an epoch, in the order that a shuffle draws from the two numbers; None: as they lie."""


def train_source(net: Net, source: Source, settings: TrainSettings, out: int) -> tuple[int, int]:
    """Do for one epoch of a source what `Net.train` does for arrays, and return what it returns."""
    count = 0 if settings.metrics is None else len(settings.metrics.choices)
    sums = sums_of_epoch(count, out)
    epoch, done, not_finite = int(settings.cursor[0]), 0, -1
    for part in source.parts(settings.seed if settings.shuffle else None, epoch):
        if done > 0 and settings.cursor.tolist() != [epoch, done]:
            raise RuntimeError("the model was trained by another call between two parts of an epoch")
        x, y, weight = part.samples
        own = settings._replace(
            batch_size=part.batch_size,
            shuffle=part.is_shuffled,
            resume=done > 0,
            part=PartState(part.block, part.is_last, sums),
        )
        batches, first = net.train(x, y, weight, own)
        if first >= 0 > not_finite:
            not_finite = done + first
        done += batches
        if settings.stop is not None and settings.stop[0]:
            break
    return done, not_finite


def measure_source(
    net: Net, source: Source, loss: Choice, rule: str | None, metrics: MetricsState | None, out: int
) -> tuple[float, float]:
    """Do for a source what `Net.loss` does for arrays, and return what it returns."""
    sums = sums_of_epoch(0 if metrics is None else len(metrics.choices), out)
    measured = np.nan, np.nan
    for part in source.parts():
        x, y, weight = part.samples
        measured = net.loss(x, y, loss, rule, weight, metrics, PartState(part.block, part.is_last, sums))
    return measured
