"""A training, all of it checked before anything changes: data, weights, validation data, batch size, epochs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import checks, targets
from mlpcore.columns import check_feature_names, feature_names
from mlpcore.engine import Choice, MetricsState
from mlpcore.metrics import Metric, Metrics, metrics_of
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import FitLength

if TYPE_CHECKING:
    from mlpcore.model import Sequential

MOST_EPOCHS = 2**32 - 1  # the engine counts epochs in 32 bits
_MAX_BATCH = 2**63 - 1


@dataclass(frozen=True)
class Task:
    """A training, all of it checked: nothing in it can be refused any more."""

    train: checks.Samples
    validation: checks.Samples | None
    loss: Choice
    optimizer: Optimizer
    batch_size: int
    shuffle: bool
    mean_weight: float
    """What a sample's weight is relative to."""
    rule: str | None
    """The metric by which accuracies count."""
    metrics: Metrics
    """What else is measured."""
    feature_names: tuple[str, ...] | None
    """The names of the columns that are trained on, where they have names."""

    @property
    def columns(self) -> int:
        """How many numbers a row to train on has."""
        return int(self.train.x.shape[1])

    def length(self, epochs: int) -> FitLength:
        """Return how long a fit of so many epochs is."""
        return FitLength(self.optimizer._steps_of(epochs * math.ceil(len(self.train.x) / self.batch_size)), epochs)

    def measured(self, epochs: int) -> MetricsState | None:
        """Return what the engine needs to measure the metrics of so many epochs."""
        return self.metrics.state(len(self.train.y), self.train.y.dtype, epochs)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what the engine measures in each epoch."""
        return ("loss",) if self.rule is None else ("loss", "accuracy")


def samples_of(
    model: "Sequential",
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    loss: Choice,
    of: str = "",
    columns: int | None = None,
    names: tuple[str, ...] | None = None,
    relative: bool = True,
) -> checks.Samples:
    """Return rows for a model to learn from or to be measured on; `columns` and their names where they are known."""
    check_feature_names(f"X{of}", X, names or model._feature_names)
    samples = checks.samples_of(
        X,
        y,
        sample_weight,
        loss=loss,
        columns=columns or model.input_size,
        out=model._output_size,
        dtype=model.dtype,
        of=of,
        relative=relative,
    )
    model._check_input(f"X{of}", samples.x)
    return samples


def task_of(
    model: "Sequential",
    X: ArrayLike,
    y: ArrayLike,
    loss: Choice | None,
    optimizer: Optimizer,
    batch_size: int,
    shuffle: bool,
    sample_weight: ArrayLike | None,
    *,
    validation_data: Sequence[ArrayLike] | None = None,
    validation_split: float = 0.0,
    class_weight: Mapping[int, float] | None = None,
    metrics: Iterable[Metric] = (),
    relative: bool = True,
) -> Task:
    """Check the arguments of a training; the model and the optimizer stay as they are.

    `relative`: weights are relative to their mean. Otherwise they are taken as they are, and rows may all weigh 0.
    """
    loss = checks.given_loss(loss)
    optimizer._check_for(model)
    batch_size = checks.whole_number("batch_size", batch_size, at_least=1, at_most=_MAX_BATCH)
    shuffle = checks.flag("shuffle", shuffle)
    train = samples_of(model, X, y, sample_weight, loss, relative=relative)
    names = model._feature_names or feature_names(X)
    validation = None
    if checks.real_number("validation_split", validation_split, at_least=0, below=1) > 0:
        if validation_data is not None:
            raise ValueError("validation_data and validation_split are both given, expected one of them")
        train, validation = train.split(validation_split)
        for part, rows in (("training", train), ("validation", validation)):
            if rows.weight is not None and not rows.weight.any():
                raise ValueError(
                    f"sample_weight is 0 in every row of the {part} part that validation_split={validation_split} "
                    "leaves, expected at least one weight > 0 there: shuffle the rows first, or choose another fraction"
                )
    elif validation_data is not None:
        validation = _validation_of(model, validation_data, train.x.shape[1], names, loss)
    schedule = optimizer._schedule
    if schedule is not None and schedule._watches_validation and validation is None:
        raise ValueError(
            f"learning_rate is {schedule!r}, expected validation data in fit, whose loss it watches: give "
            "validation_data or validation_split, or monitor='loss'"
        )
    # One rule for both, so that their accuracies can be compared.
    ys = [part.y for part in (train, validation) if part is not None]
    rule = targets.accuracy_rule(loss, *ys)
    out = model._output_size(train.x.shape[1])
    measured = metrics_of(metrics, loss, out, *ys, has_accuracy=rule is not None)
    if class_weight is not None:
        train = checks.weighted_by_class(train, class_weight, loss, out)
    train = train.without_zero_weights()
    mean = 1.0 if train.weight is None or not relative else float(train.weight.mean(dtype=np.float64))
    batch_size = optimizer._check_batch(batch_size, len(train.x))
    return Task(train, validation, loss, optimizer, batch_size, shuffle, mean, rule, measured, names)


def _validation_of(
    model: "Sequential", data: Sequence[ArrayLike], columns: int, names: tuple[str, ...] | None, loss: Choice
) -> checks.Samples:
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        came = f"has length {len(data)}" if isinstance(data, tuple | list) else f"is of type {type(data).__name__}"
        raise ValueError(f"validation_data {came}, expected (X, y) or (X, y, sample_weight)")
    sample_weight = data[2] if len(data) == 3 else None
    return samples_of(model, data[0], data[1], sample_weight, loss, " of validation_data", columns, names)


def check_epochs(model: "Sequential", epochs: int) -> int:
    """Return how many epochs are asked for, if the model can count so many more."""
    epochs = checks.whole_number("epochs", epochs, at_least=1)
    if epochs > MOST_EPOCHS - model.epochs_trained:
        raise ValueError(
            f"epochs is {epochs} after {model.epochs_trained}, expected at most {MOST_EPOCHS} in all: "
            "set epochs_trained to 0 to count anew"
        )
    return epochs
