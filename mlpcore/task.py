"""A training, all of it checked before anything changes: data, weights, validation data, batch size, epochs."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

from numpy.typing import ArrayLike

from mlpcore import checks, network, targets
from mlpcore.columns import feature_names
from mlpcore.engine import Choice, MetricsState
from mlpcore.lbfgs import LBFGS
from mlpcore.metrics import Metric, Metrics, metrics_of
from mlpcore.optimizers import BATCH_SIZE, Optimizer
from mlpcore.samples import Given, answers_of, columns_of, samples_of, source_alone, state_of, validation_of
from mlpcore.schedules.schedule import FitLength
from mlpcore.streams.batches import Data, Validation
from mlpcore.streams.parquet import Parquet
from mlpcore.streams.rows import RowSource
from mlpcore.streams.source import Source

if TYPE_CHECKING:
    from mlpcore.model import Sequential

MOST_EPOCHS = 2**32 - 1  # the engine counts epochs in 32 bits
_MAX_BATCH = 2**63 - 1


class Task(NamedTuple):
    """A training, all of it checked: nothing in it can be refused any more."""

    train: Given
    validation: Given | None
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
        return columns_of(self.train)

    @property
    def rows(self) -> int | None:
        """How many rows an epoch has; None: it is not known."""
        return self.train.rows if isinstance(self.train, Source) else len(self.train.x)

    @property
    def shape_of_y(self) -> tuple[int, ...]:
        """The shape of a row of y."""
        return self.train.shape_of_y if isinstance(self.train, Source) else self.train.y.shape[1:]

    def length(self, epochs: int) -> FitLength:
        """Return how long a fit of so many epochs is."""
        if isinstance(self.train, Source):
            batches = self.train.batches or 0  # if it is not known, no schedule asks for it
        else:
            batches = math.ceil(len(self.train.x) / self.batch_size)
        return FitLength(self.optimizer._steps_of(epochs * batches), epochs)

    def measured(self, epochs: int) -> MetricsState | None:
        """Return what the engine needs to measure the metrics of so many epochs."""
        return state_of(self.metrics, self.train, epochs)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what the engine measures in each epoch."""
        return ("loss",) if self.rule is None else ("loss", "accuracy")


def task_of(
    model: "Sequential",
    X: Data,
    y: ArrayLike | None,
    loss: Choice | None,
    optimizer: Optimizer,
    batch_size: int,
    shuffle: bool,
    sample_weight: ArrayLike | None,
    *,
    validation_data: Validation | None = None,
    validation_split: float = 0.0,
    class_weight: Mapping[int, float] | None = None,
    metrics: Iterable[Metric] = (),
    relative: bool = True,
    epochs: int = 1,
) -> Task:
    """Check the arguments of a training; the model and the optimizer stay as they are.

    `relative`: weights are relative to their mean. Otherwise they are taken as they are, and rows may all weigh 0.
    """
    loss = checks.given_loss(loss)
    network.check_learning(model.layers)
    optimizer._check_for(model)
    batch_size = checks.whole_number("batch_size", batch_size, at_least=1, at_most=_MAX_BATCH)
    shuffle = checks.flag("shuffle", shuffle)
    fraction = checks.real_number("validation_split", validation_split, at_least=0, below=1)
    train: Given
    if y is None:
        others = {"sample_weight": sample_weight, "class_weight": class_weight, "validation_split": fraction or None}
        is_file = isinstance(X, Parquet)
        _check_alone(BATCH_SIZE if is_file else batch_size, others)
        train = source_alone(model, X, loss, epochs=epochs, batch_size=batch_size, is_learned=True)
    else:
        given = cast(ArrayLike, X)
        train = samples_of(model, given, y, sample_weight, loss, relative=relative, batch_size=batch_size)
    found = feature_names(X) if isinstance(train, checks.Samples | RowSource) else train.feature_names
    names = model._feature_names or found
    validation: Given | None = None
    if fraction > 0 and isinstance(train, checks.Samples | RowSource):
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
        validation = validation_of(model, validation_data, loss, columns_of(train), names, epochs)
    schedule = optimizer._schedule
    if schedule is not None and schedule._watches_validation and validation is None:
        raise ValueError(
            f"learning_rate is {schedule!r}, expected validation data in fit, whose loss it watches: give "
            "validation_data or validation_split, or monitor='loss'"
        )
    # One rule for both, so that their accuracies can be compared.
    parts = [part for part in (train, validation) if part is not None]

    def answers() -> str:
        return targets.common_answers(answers_of(part, loss) for part in parts)

    rule = targets.rule_of(answers(), targets.has_signs(loss)) if targets.has_answers(loss) else None
    out = model._output_size(columns_of(train))
    measured = metrics_of(metrics, loss, out, answers, has_accuracy=rule is not None)
    if any(isinstance(part, Source) for part in parts):
        measured.check_for_source()
    _check_for_source(optimizer, train)
    if isinstance(train, checks.Samples | RowSource):
        if class_weight is not None:
            train = train.weighted_by_class(class_weight, loss, out)
        train = train.without_zero_weights()
    mean = train.mean_weight if relative else 1.0
    if isinstance(train, checks.Samples):
        batch_size = optimizer._check_batch(batch_size, len(train.x))
    return Task(train, validation, loss, optimizer, batch_size, shuffle, mean, rule, measured, names)


def _check_alone(batch_size: int, others: Mapping[str, object]) -> None:
    """Raise ValueError for arguments that do not go with batches, which come one by one."""
    if batch_size != BATCH_SIZE:
        raise ValueError(f"batch_size is {batch_size}, but X yields batches, each of which is a step: leave it out")
    cures = {
        "sample_weight": "give it there, as in (X, y, sample_weight)",
        "class_weight": "give weights there, as in (X, y, sample_weight)",
        "validation_split": "give validation_data",
    }
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"{name} is given, but X stands for y and weights too: {cures[name]}")


def _check_for_source(optimizer: Optimizer, train: Given) -> None:
    """Raise ValueError if an optimizer needs to know more than a source tells, before anything changes."""
    if not isinstance(train, Source):
        return
    if isinstance(optimizer, LBFGS):
        raise ValueError(f"optimizer is {optimizer!r}, which takes all samples as one batch: give X and y in memory")
    schedule = optimizer._schedule
    if train.batches is None and schedule is not None and not schedule._per_epoch:
        schedule._require_length()


def check_epochs(model: "Sequential", epochs: int) -> int:
    """Return how many epochs are asked for, if the model can count so many more."""
    epochs = checks.whole_number("epochs", epochs, at_least=1)
    if epochs > MOST_EPOCHS - model.epochs_trained:
        raise ValueError(
            f"epochs is {epochs} after {model.epochs_trained}, expected at most {MOST_EPOCHS} in all: "
            "set epochs_trained to 0 to count anew"
        )
    return epochs
