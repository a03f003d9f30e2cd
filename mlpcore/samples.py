"""What a model learns from or is measured on, made of whatever was given: rows in memory, or a source of them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import checks, targets
from mlpcore.columns import check_feature_names
from mlpcore.data import is_sparse
from mlpcore.engine import Choice, MetricsState
from mlpcore.metrics import Metrics
from mlpcore.streams.batches import Batches, BatchSource, yields_batches
from mlpcore.streams.parquet import Parquet, ParquetSource
from mlpcore.streams.readers import Reader, reader_of
from mlpcore.streams.rows import RowSource, blocks_of, is_long, source_of
from mlpcore.streams.source import ROWS_MEASURED_AT_ONCE, Source

if TYPE_CHECKING:
    from mlpcore.stack import Stack

Given = checks.Samples | RowSource | BatchSource | ParquetSource


def columns_of(given: Given) -> int:
    """Return how many numbers a row has."""
    return given.columns if isinstance(given, Source) else int(given.x.shape[1])


def answers_of(given: Given, loss: Choice) -> str:
    """Return what y tells, as `targets.answers_of` says."""
    return given.answers if isinstance(given, Source) else targets.answers_of(loss, given.y)


def state_of(metrics: Metrics, given: Given, epochs: int = 1) -> MetricsState | None:
    """Return what the engine needs to measure metrics."""
    if isinstance(given, Source):  # none of these metrics needs to keep a row
        return metrics.state(0, np.float64, epochs)
    return metrics.state(len(given.x), given.y.dtype, epochs)


def samples_of(
    model: "Stack",
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    loss: Choice,
    of: str = "",
    *,
    columns: int | None = None,
    names: tuple[str, ...] | None = None,
    relative: bool = True,
    batch_size: int = ROWS_MEASURED_AT_ONCE,
) -> checks.Samples | RowSource:
    """Return rows for a model; `columns` and their names where they are known. `of` tells whose rows they are."""
    name = f"X{of}"
    check_feature_names(name, X, names or model._feature_names)
    columns = columns or model.input_size
    reader = reader_of(name, X)
    if reader is not None and is_long(reader, model.dtype, batch_size):
        checks.check_rows(name, _shape_alone(reader), columns)
        return source_of(
            name,
            reader,
            y,
            sample_weight,
            loss=loss,
            out=model._output_size(reader.shape[1]),
            dtype=model.dtype,
            of=of,
            relative=relative,
            batch_size=batch_size,
            check=model._check_input,
        )
    samples = checks.samples_of(
        cast(Any, X).toarray() if is_sparse(X) else X,
        y,
        sample_weight,
        loss=loss,
        columns=columns,
        out=model._output_size,
        dtype=model.dtype,
        of=of,
        relative=relative,
    )
    model._check_input(name, samples.x)
    return samples


def _shape_alone(reader: Reader) -> Any:  # noqa: ANN401  # an array of no size
    return np.broadcast_to(np.float32(0), reader.shape)


def source_alone(
    model: "Stack",
    given: object,
    loss: Choice,
    of: str = "",
    *,
    columns: int | None = None,
    names: tuple[str, ...] | None = None,
    epochs: int = 1,
    batch_size: int = ROWS_MEASURED_AT_ONCE,
    is_learned: bool = False,
) -> BatchSource | ParquetSource:
    """Return what stands for X and y together as a source for a model; `is_learned`: to train on, not to measure."""
    columns = columns or model.input_size
    names = names or model._feature_names
    if isinstance(given, Parquet):
        return ParquetSource(given, model, loss, of, names=names, columns=columns, relative=True, batch_size=batch_size)
    # The rows that are measured at once, and so the last digits of sums, must not depend on what is joined.
    return batches_of(model, given, loss, of, columns=columns, names=names, epochs=epochs, joins=is_learned)


def batches_of(
    model: "Stack",
    given: object,
    loss: Choice,
    of: str = "",
    *,
    columns: int | None = None,
    names: tuple[str, ...] | None = None,
    epochs: int = 1,
    joins: bool = False,
) -> BatchSource:
    """Return what yields batches, an iterable or a function that returns one, as a source for a model."""
    if not callable(given) and (hasattr(given, "__array__") or not isinstance(given, Iterable)):
        raise TypeError(
            f"y{of} is missing: X alone is expected to be an iterable of batches, (X, y) or (X, y, sample_weight), or "
            "a function that returns one"
        )

    def check(
        number: int, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None, like: BatchSource | None
    ) -> checks.Samples:
        samples = samples_of(
            model,
            x,
            y,
            weight,
            loss,
            f"{of} in batch {number}",
            columns=columns if like is None else like.columns,
            names=names if like is None else like.feature_names,
            relative=False,
            batch_size=_WHOLE,
        )
        assert isinstance(samples, checks.Samples)
        return samples

    return BatchSource(f"X{of}", given, check, lambda first: targets.answers_of(loss, first.y), epochs, joins)


_WHOLE = 2**62
"""No batch has so many rows: each is read at once."""


def validation_of(
    model: "Stack", data: object, loss: Choice, columns: int, names: tuple[str, ...] | None, epochs: int
) -> Given:
    """Return the rows to validate with."""
    of = " of validation_data"
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        sample_weight = data[2] if len(data) == 3 else None
        return samples_of(model, data[0], data[1], sample_weight, loss, of, columns=columns, names=names)
    is_source = callable(data) or isinstance(data, Parquet)
    if is_source or (isinstance(data, Iterable) and not isinstance(data, tuple | list | str | np.ndarray)):
        return source_alone(model, data, loss, of, columns=columns, names=names, epochs=epochs)
    came = f"has length {len(data)}" if isinstance(data, tuple | list) else f"is of type {type(data).__name__}"
    raise ValueError(
        f"validation_data {came}, expected (X, y) or (X, y, sample_weight), or a function that returns an iterable of "
        "such batches"
    )


def measured_of(model: "Stack", X: object, y: ArrayLike | None, sample_weight: ArrayLike | None, loss: Choice) -> Given:
    """Return the rows to evaluate a model on."""
    if y is not None:
        return samples_of(model, cast(ArrayLike, X), y, sample_weight, loss)
    if sample_weight is not None:
        raise ValueError("sample_weight is given beside batches, expected it in them: (X, y, sample_weight)")
    return source_alone(model, X, loss)


def parts_of(X: object, dtype: str, names: tuple[str, ...] | None) -> Iterator[ArrayLike] | None:
    """Return what X has to be taken in, one after the other; None: it is taken at once as it is."""
    if isinstance(X, Parquet):
        features = X.features_for("X", names)
        return (X.rows("X", group, features, dtype) for group in X.groups())
    if yields_batches(X):
        return _parts_of_batches(cast(Batches, X))
    reader = reader_of("X", X)
    if reader is None:
        return None
    if is_long(reader, dtype, ROWS_MEASURED_AT_ONCE):
        return blocks_of(reader, dtype)
    return iter([cast(Any, X).toarray()]) if is_sparse(X) else None


def _parts_of_batches(given: Batches) -> Iterator[ArrayLike]:
    """Yield X of batches, which may be X alone or tuples that begin with it."""
    number = -1
    for number, batch in enumerate(given() if not isinstance(given, Iterable) else given):  # noqa: B007
        has_more = isinstance(batch, tuple) or (isinstance(batch, list) and hasattr(batch[0], "shape"))
        yield batch[0] if has_more else batch
    if number < 0:
        raise ValueError("X yields no batch, expected at least one")
