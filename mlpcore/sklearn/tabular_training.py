"""How one network is trained on a table: RealMLP-TD-S (Holzmüller, Grinsztajn & Steinwart 2024), with our own changes.

Of the paper are the learned scale of each column, the three wide layers with standard normal weights over
sqrt(in) and Adam's rates that go with them, the schedule coslog, label smoothing, and that the best epoch is kept.
docs/tabular.md says what is changed, and what that was measured on.
"""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from mlpcore import (
    Adam,
    CosLog,
    Dense,
    Dropout,
    EarlyStopping,
    Embedding,
    History,
    Normal,
    Scale,
    Sequential,
    checks,
    threads,
)
from mlpcore.engine import Choice
from mlpcore.progress import progress_bar
from mlpcore.sklearn.preprocessing import Columns

Array = NDArray[Any]

EMBEDDED = 8
"""How many numbers stand for a category that has many labels."""

_SCALE_FACTOR, _BIAS_FACTOR = 6.0, 0.1  # of the learning rate
_BETA2 = 0.95
_STEPS = 1250
_FEWEST_EPOCHS, _MOST_EPOCHS = 24, 64
_FEW_ROWS, _FOR_FEW, _FOR_MANY = 1024, 8, 2
LEAST_ROWS = 64
"""With fewer rows than this none is held out, each batch has them all, no unit is dropped, and numbers are float64.

So a weight of 2 is the same as two equal rows, which scikit-learn asks of an estimator.
"""
_MOMENT = 0.05  # seconds
_ANY_NUMBER_OF_EPOCHS = 2**31


@dataclass(frozen=True)
class Settings:
    """What a training is told beside the data.

    Attributes
    ----------
    hidden : tuple of int
        Units of each hidden layer.
    activation : str or object
    dropout, learning_rate, validation_fraction : float
    epochs, batch_size : int or None
        None: by the number of rows.
    head : str
        The activation of the outputs.
    loss : str or object
    """

    hidden: tuple[int, ...]
    activation: Choice
    dropout: float
    learning_rate: float
    validation_fraction: float
    epochs: int | None
    batch_size: int | None
    head: str
    loss: Choice


class Trained(NamedTuple):
    """A trained network, its history, and which rows it has not learned from; all, if none was held out."""

    model: Sequential
    history: History
    held_out: Array


def rows_of_batch(settings: Settings, n: int) -> int:
    """Return how many rows a batch has."""
    if settings.batch_size is not None:
        return min(settings.batch_size, n)
    if n < LEAST_ROWS:
        return n
    return 64 if n < 2048 else 128 if n < 8192 else 256


def epochs_of(settings: Settings, n: int) -> int:
    """Return how many epochs a training has."""
    if settings.epochs is not None:
        return settings.epochs
    steps = math.ceil(n / rows_of_batch(settings, n))
    return min(max(_STEPS // steps, _FEWEST_EPOCHS), _MOST_EPOCHS)


def networks_for(n: int) -> int:
    """Return how many networks an ensemble for n rows has: of few rows they differ more, and take less time."""
    return _FOR_FEW if n < _FEW_ROWS else _FOR_MANY


def network_of(columns: Columns, units: int, settings: Settings, seed: int, dtype: str = "float32") -> Sequential:
    """Return the network, with its first weights."""
    width = columns.width + (EMBEDDED - 1) * len(columns.embedded)
    layers: list[Any] = []
    if columns.embedded:
        tables = {place: (count, EMBEDDED) for place, count in columns.embedded.items()}
        layers.append(Embedding(tables, initializer=Normal(stddev=1.0)))
    layers.append(Scale(learning_rate_factor=_SCALE_FACTOR))
    for size in settings.hidden:
        layers.append(_dense(size, width, settings.activation, Normal(stddev=1 / math.sqrt(width)), Normal(stddev=1.0)))
        layers += [Dropout(settings.dropout)] if settings.dropout else []
        width = size
    layers.append(_dense(units, width, settings.head, "zeros", "zeros"))
    model = Sequential(layers, input_size=columns.width, dtype=dtype, seed=seed)
    if columns.embedded:
        for table in layers[0].tables.values():
            table[0] = 0  # of labels that training has not: nothing will change it
    return model


def _dense(units: int, width: int, activation: Choice, w: Choice, b: Choice) -> Dense:
    """Return a layer whose steps are those of weights that are divided by sqrt(in) (Jacot et al. 2018)."""
    return Dense(
        units,
        activation,
        kernel_initializer=w,
        bias_initializer=b,
        learning_rate_factor=1 / math.sqrt(width),
        bias_learning_rate_factor=_BIAS_FACTOR,
    )


class Rows(NamedTuple):
    """What is learned from: x (n, width), class indices (n,) or numbers (n, units), weights, and how many outputs."""

    x: Array
    target: Array
    weight: Array | None
    units: int

    def some(self, which: Array) -> Self:
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[which]
        return self._replace(x=self.x[which], target=self.target[which], weight=weight)

    @property
    def samples(self) -> tuple[Array, ...]:
        """What `Sequential.fit` takes as validation_data."""
        return (self.x, self.target) if self.weight is None else (self.x, self.target, self.weight)


def train_at_once(
    rows: Rows, columns: Columns, settings: Sequence[Settings], seeds: Sequence[int], verbose: bool = False
) -> list[Trained]:
    """Train a network for each seed, as many at once as there are threads; how many changes no bit of them.

    Ctrl-C, or an error in one of them, ends all.
    """
    at_once = min(len(seeds), threads.get_num_threads())
    trained = []
    models: list[Sequential] = []
    with progress_bar(len(seeds), verbose, "network") as advance, ThreadPoolExecutor(at_once) as pool:
        jobs = [pool.submit(train, rows, columns, *each, models) for each in zip(settings, seeds, strict=True)]
        try:
            for job in jobs:
                trained.append(job.result())
                if advance:
                    advance({name: values[-1] for name, values in trained[-1].history.items()})
        except BaseException:  # the pool would wait for those that nobody asks for any more
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(job.done() for job in jobs):  # one may be just about to begin
                for model in models:
                    model.stop()
                wait(jobs, _MOMENT)
            raise
    return trained


def train(
    rows: Rows, columns: Columns, settings: Settings, seed: int, models: list[Sequential] | None = None
) -> Trained:
    """Train a network on rows, of which it holds some out to choose its best epoch by; show it in `models` before."""
    few = len(rows.x) < LEAST_ROWS
    if few:
        settings = replace(settings, dropout=0.0)
    model = network_of(columns, rows.units, settings, seed, "float64" if few else "float32")
    if models is not None:
        models.append(model)
    learned, held_out = _split(rows.target, settings.validation_fraction, seed)
    some = rows.some(learned)
    n = len(learned)
    history = model.fit(
        some.x,
        some.target,
        settings.loss,
        sample_weight=some.weight,
        optimizer=Adam(CosLog(settings.learning_rate), beta2=_BETA2),
        epochs=epochs_of(settings, n),
        batch_size=rows_of_batch(settings, n),
        validation_data=rows.some(held_out).samples if held_out.size else None,
        callbacks=[EarlyStopping("val_loss", patience=_ANY_NUMBER_OF_EPOCHS)] if held_out.size else [],
        progress=False,
    )
    return Trained(model, history, held_out if held_out.size else learned)


def _split(target: Array, fraction: float, seed: int) -> tuple[Array, Array]:
    """Return the rows to learn from and those to hold out, of each class its share where that is a row at least."""
    rows = np.arange(len(target))
    if len(target) < LEAST_ROWS or fraction == 0:
        return rows, rows[:0]
    strata = None
    if target.ndim == 1:
        counts = np.bincount(target)
        if counts.min() > 1 and min(fraction, 1 - fraction) * len(target) >= len(counts):
            strata = target
    learned, held_out = train_test_split(rows, test_size=fraction, random_state=seed, stratify=strata)
    return learned, held_out


def checked_settings(estimator: Any, activation: Choice, learning_rate: float, head: str, loss: Choice) -> Settings:  # noqa: ANN401
    """Return the settings that an estimator's parameters give; `activation` and `learning_rate` stand for None."""
    sizes = estimator.hidden_layer_sizes
    if isinstance(sizes, int | np.integer) or not isinstance(sizes, Iterable):
        raise TypeError(f"hidden_layer_sizes is {sizes!r}, expected a sequence of integers, such as (256, 256, 256)")
    rate = estimator.learning_rate
    own = estimator.activation
    return Settings(
        tuple(checks.whole_number(f"hidden_layer_sizes[{i}]", size, at_least=1) for i, size in enumerate(sizes)),
        activation if own is None else own,
        checks.real_number("dropout", estimator.dropout, at_least=0, below=1),
        learning_rate if rate is None else checks.real_number("learning_rate", rate, above=0),
        checks.real_number("validation_fraction", estimator.validation_fraction, at_least=0, below=1),
        optional_number("max_iter", estimator.max_iter),
        optional_number("batch_size", estimator.batch_size),
        head,
        loss,
    )


def optional_number(name: str, value: int | None) -> int | None:
    """Return a whole number >= 1, or None for None; an error calls it `name`."""
    return None if value is None else checks.whole_number(name, value, at_least=1)
