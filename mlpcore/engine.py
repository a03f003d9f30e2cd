"""What the engine is told, as plain tuples that C reads item by item: steps of a network, an optimizer, a training."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore.custom_activation import CustomActivation
from mlpcore.custom_loss import CustomLoss

Choice = str | tuple[Any, ...] | CustomActivation | CustomLoss
"""What is chosen from the catalogue: the name of a row, or a tuple of it and its constants, as functions.py makes them;
or an object that is written in Python and stands where such a name can."""


class Step(NamedTuple):
    """One step of a network's plan.

    Attributes
    ----------
    kind : str
        A name of the family "layers" of the catalogue.
    layer : int
        The number of the layer that it belongs to: its random numbers follow from it.
    joined : bool
        For an activation: it belongs to the layer of the step before, whose gradient it shares memory with.
    units : int
        Width of the output of a dense or custom step.
    constants : str or tuple
        The activation; of other kinds the constants of the row, of which those left out have their standard values.
    custom : object or None
        The object whose ``forward_step`` and ``backward_step`` a custom step calls: a layer or an activation.
    shapes : tuple of (int, int)
        Rows and columns, in memory order, of the parameters of a custom step or the tables of an embedding.
    columns : tuple of int
        The columns of the input that the tables of an embedding are for, in ascending order.
    """

    kind: str
    layer: int = 0
    joined: bool = False
    units: int = 0
    constants: Choice = ()
    custom: Any = None
    shapes: tuple[tuple[int, int], ...] = ()
    columns: tuple[int, ...] = ()


class ScheduleState(NamedTuple):
    """A schedule of the learning rate, and how far it has come.

    Attributes
    ----------
    choice : str or tuple
        A name of the family "schedules" of the catalogue, with its constants.
    per_epoch : bool
        Whether its t counts epochs, not steps.
    warmup : int
        Steps over which the rate first rises to the schedule's.
    progress : ndarray of float64, shape (5,)
        The numbers of `mlpcore.schedules.schedule.new_progress`; written in place.
    """

    choice: Choice
    per_epoch: bool
    warmup: int
    progress: NDArray[Any]


class AccumulationState(NamedTuple):
    """Gradients of several batches, whose mean makes one step.

    Attributes
    ----------
    batches : int
        That make a step.
    sum : ndarray
        Of the gradients that wait, lying like the parameters; written in place.
    waiting : ndarray of int64, shape (1,)
        How many they are.
    """

    batches: int
    sum: NDArray[Any]
    waiting: NDArray[Any]


class AverageState(NamedTuple):
    """The exponential moving average of the parameters.

    Attributes
    ----------
    momentum : float
    overwrite_every : int
        After so many steps it takes the place of the parameters; 0: never.
    average : ndarray
        Lying like the parameters; written in place.
    steps : ndarray of int64, shape (1,)
        How many it has followed.
    """

    momentum: float
    overwrite_every: int
    average: NDArray[Any]
    steps: NDArray[Any]


class OptimizerState(NamedTuple):
    """An optimizer with the arrays that it keeps, each lying like the parameters.

    Attributes
    ----------
    name : str or object
        A name of the family "optimizers" of the catalogue, or an object whose ``update_step`` takes each step, and
        which keeps everything but t itself.
    hypers : tuple of float
        In the order of the catalogue.
    states : tuple of (ndarray or None)
        In the order of the catalogue; written in place.
    t : ndarray of int64, shape (1,)
        Counts the steps.
    clip_value, clip_norm : float or None
        The largest absolute value of a component of the gradient, and the largest norm of the whole; None: any.
    schedule : ScheduleState or None
        What the learning rate, the first of hypers, is the largest of; None: it stays as it is.
    accumulation : AccumulationState or None
        None: every batch makes a step.
    average : AverageState or None
        None: there is none.
    """

    name: Any
    hypers: tuple[float, ...]
    states: tuple[NDArray[Any] | None, ...]
    t: NDArray[Any]
    clip_value: float | None = None
    clip_norm: float | None = None
    schedule: ScheduleState | None = None
    accumulation: AccumulationState | None = None
    average: AverageState | None = None


class LBFGSState(NamedTuple):
    """L-BFGS with the numbers that it keeps, for P parameters; all arrays are written in place.

    Attributes
    ----------
    history_size : int
        How many pairs of s and y it keeps.
    t : ndarray of int64, shape (1,)
        Counts the iterations.
    numbers : ndarray of float64, shape (8,)
        Those of ``mlp_lbfgs_numbers`` in C.
    s, y : ndarray of float64, shape (history_size, P)
        Changes of the parameters and of the gradient.
    point, gradient : ndarray of float64, shape (P,)
        Where the next iteration begins.
    """

    history_size: int
    t: NDArray[Any]
    numbers: NDArray[Any]
    s: NDArray[Any]
    y: NDArray[Any]
    point: NDArray[Any]
    gradient: NDArray[Any]


class MetricsState(NamedTuple):
    """Metrics of the catalogue, and where the engine writes them.

    Attributes
    ----------
    choices : tuple of (str or tuple)
        Names of the family "metrics", with their constants.
    answers : str
        What y tells: "binary", a yes or no for the one output; "classes", one class a row; "labels", a yes or no for
        each output; "numbers", none of these.
    yes_above : float
        What parts yes from no, in y and in outputs.
    values : ndarray of float64, shape (epochs, number of choices)
        Where the values are written, those of an epoch when it is over.
    predictions : ndarray of shape (n, out), or None
        Where the outputs are written, a row for each sample in the order of the data; needed for areas under curves.
    """

    choices: tuple[Choice, ...]
    answers: str
    yes_above: float
    values: NDArray[Any]
    predictions: NDArray[Any] | None = None


class ValidationState(NamedTuple):
    """Samples that are measured after each epoch, and where the engine writes what it measures.

    Attributes
    ----------
    x, y, sample_weight : ndarray
        As `Net.train` takes them; no weights: None.
    scores : ndarray of float64, shape (epochs, 2)
        Where the loss and the accuracy are written.
    metrics : MetricsState or None
        What else is measured.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    sample_weight: NDArray[Any] | None
    scores: NDArray[Any]
    metrics: MetricsState | None


class StoppingState(NamedTuple):
    """A number that is watched, and what is kept of it from epoch to epoch.

    Attributes
    ----------
    of_validation : bool
        Whether it is measured on the samples to validate with, or on those to train on.
    column : int
        0 the loss, 1 the accuracy, 2, 3, ... the metrics.
    larger_is_better : bool
    best_of_all : bool
        Whether the best is the best of all numbers. Otherwise a new one must be better than it by min_delta.
    min_delta : float
        By how much a number must be better than the best for training to go on.
    patience : float
        After how many epochs without such a number training ends.
    progress : ndarray of float64, shape (5,)
        The best number, its epoch (-1: there is none yet), how many epochs have been watched, whether training is to
        end, and the epochs since a number was better by min_delta; written in place.
    params, state : ndarray or None
        Where the parameters of the best epoch, and the numbers beside them, are kept; None: they are not.
    """

    of_validation: bool
    column: int
    larger_is_better: bool
    best_of_all: bool
    min_delta: float
    patience: float
    progress: NDArray[Any]
    params: NDArray[Any] | None
    state: NDArray[Any] | None

    @property
    def best(self) -> float | None:
        """The best number so far."""
        return None if self.best_epoch is None else float(self.progress[0])

    @property
    def best_epoch(self) -> int | None:
        """Its epoch, counted from the first that was watched."""
        epoch = int(self.progress[1])
        return None if epoch < 0 else epoch

    @property
    def stopped(self) -> bool:
        """Whether training is to end."""
        return bool(self.progress[3])


class PartState(NamedTuple):
    """The samples are a part of an epoch: a block of its rows, with others before or after it.

    Attributes
    ----------
    block : int
        Its number, from which and from the number of the epoch the order of its rows follows.
    is_last : bool
        Whether the epoch ends with it.
    sums : ndarray of float64
        What the epoch has summed up by then, 0 at its beginning; written in place. See `sums_of_epoch`.
    """

    block: int
    is_last: bool
    sums: NDArray[Any]


def sums_of_epoch(metrics: int, out: int) -> NDArray[np.float64]:
    """Return the sums of an epoch that begins, for so many metrics and outputs, and not fewer than the engine needs."""
    return np.zeros(5 + metrics + 8 * (out + 1))


class TrainSettings(NamedTuple):
    """What `Net.train` is asked to do beside the data.

    Attributes
    ----------
    loss : str, tuple or object
    metric : str or None
        The rule by which an accuracy counts; None: none.
    optimizer : OptimizerState or None
        None if `lbfgs` is given.
    batch_size : int
    shuffle : bool
    seed : int
        What the order of an epoch's rows and the masks of dropout follow from, with the numbers of epoch and batch.
    epochs : int
    mean_weight : float
        What a sample's weight is relative to; 0: the mean weight of its batch.
    cursor : ndarray of int64, shape (2,)
        How far training has come: the number of the epoch that is under way, and how many batches of it are done.
        Training goes on from there, and writes here whenever Python may look and a batch was done.
    scores : ndarray of float64, shape (epochs, 2)
        Where the loss and the accuracy of each epoch are written when it is over.
    progress : callable or None
        Called with the number of batches done about every 50 ms; an exception ends training after the next batch.
    resume : bool
        Whether to begin with the batch that the cursor tells; otherwise with the first of that epoch.
    rates : ndarray of float64, shape (epochs,), or None
        Where the learning rate of each epoch's last step is written when it is over.
    lbfgs : LBFGSState or None
        Instead of an optimizer: each epoch is one iteration with all samples as one batch, in their order.
    metrics : MetricsState or None
        What else is measured, as the scores; not with `lbfgs`.
    validation : ValidationState or None
        Only where no part of the network is written in Python; not with `lbfgs`.
    early_stopping : StoppingState or None
        Ends training after an epoch; not with `lbfgs`.
    batch_end : callable or None
        Called after each batch with its number in the epoch and its loss, while the network is busy.
    stop : ndarray of int64, shape (1,), or None
        Training ends after the batch that is under way when this is no longer 0.
    part : PartState or None
        The samples are a part of one epoch; not with `lbfgs`, areas under curves, r2, or metrics of `predictions`. With
        `resume` the cursor counts on the batches of the parts before.
    """

    loss: Choice
    metric: str | None
    optimizer: OptimizerState | None
    batch_size: int
    shuffle: bool
    seed: int
    epochs: int
    mean_weight: float
    cursor: NDArray[Any]
    scores: NDArray[Any]
    progress: Callable[[int], object] | None
    resume: bool = True
    rates: NDArray[Any] | None = None
    lbfgs: LBFGSState | None = None
    metrics: MetricsState | None = None
    validation: ValidationState | None = None
    early_stopping: StoppingState | None = None
    batch_end: Callable[[int, float], object] | None = None
    stop: NDArray[Any] | None = None
    part: PartState | None = None
