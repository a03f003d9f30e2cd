"""Rows that lie somewhere in order, more than should be made dense or be in memory at once."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import _core, checks, targets
from mlpcore.data import Array, finite_array
from mlpcore.engine import Choice
from mlpcore.streams.readers import Reader, Rows, reader_of
from mlpcore.streams.source import ROWS_MEASURED_AT_ONCE, Part, Source

BLOCK_BYTES = 2**25
"""About how large the X of a block is, in the type of the model."""
_ORDER_OF_BLOCKS = 2**32 - 1


def rows_of_block(columns: int, dtype: str, multiple_of: int) -> int:
    """Return how many rows a block has."""
    least = max(1, BLOCK_BYTES // (columns * np.dtype(dtype).itemsize))
    return -(-least // multiple_of) * multiple_of


def is_long(reader: Reader, dtype: str, multiple_of: int) -> bool:
    """Tell whether rows are more than a block; less are read at once."""
    shape = reader.shape
    return len(shape) == 2 and 0 not in shape and shape[0] > rows_of_block(shape[1], dtype, multiple_of)


class Targets(Protocol):
    """Rows of y as the engine reads them."""

    def read(self, rows: Rows) -> Array:
        """Return some rows."""

    def forget(self, rows: Rows) -> None:
        """Take notice that these rows are not needed for now."""


class _InMemory:
    """Rows of y that are there as they are needed."""

    def __init__(self, y: Array) -> None:
        self._y = y

    def read(self, rows: Rows) -> Array:
        return self._y[rows]

    def forget(self, rows: Rows) -> None:
        pass


class _Converted:
    """Rows of y that are read, checked and converted each time."""

    def __init__(self, reader: Reader, convert: Callable[[str, Array], Array]) -> None:
        self._reader, self._convert = reader, convert

    def read(self, rows: Rows) -> Array:
        where = f"[{rows.start}:{rows.stop}]" if isinstance(rows, slice) else ""
        return self._convert(where, self._reader.read(rows))

    def forget(self, rows: Rows) -> None:
        self._reader.forget(rows)


class RowSource(Source):
    """Rows of a mapped file or a sparse matrix. All of them have been looked at before it is there.

    Parameters
    ----------
    x : Reader
    y : Targets
    answers : str
    weight : ndarray of shape (n,), or None
        Of all rows.
    relative : bool
        Whether weights are relative to their mean.
    dtype : str
    batch_size : int
        Blocks have a multiple of so many rows.
    within : slice or ndarray of int, optional
        The rows that take part.
    """

    def __init__(
        self,
        x: Reader,
        y: Targets,
        answers: str,
        weight: Array | None,
        *,
        relative: bool,
        dtype: str,
        batch_size: int,
        within: Rows | None = None,
    ) -> None:
        self._x, self._y, self._weight, self._dtype = x, y, weight, dtype
        self._relative, self._batch_size = relative, batch_size
        self._within: Rows = slice(0, x.shape[0]) if within is None else within
        self.answers = answers
        self.columns = x.shape[1]
        self.shape_of_y = y.read(slice(0, 1)).shape[1:]
        self.rows = len(self._within) if isinstance(self._within, np.ndarray) else _length(self._within)
        self.batches = -(-self.rows // batch_size)
        own = self.weight
        self.mean_weight = 1.0 if own is None or not relative else float(own.mean(dtype=np.float64))

    @property
    def weight(self) -> Array | None:
        """The weights of the rows that take part."""
        return None if self._weight is None else self._weight[self._within]

    def _with(self, **changes: Any) -> Self:  # noqa: ANN401  # arguments of __init__
        own: dict[str, Any] = {
            "x": self._x,
            "y": self._y,
            "answers": self.answers,
            "weight": self._weight,
            "relative": self._relative,
            "dtype": self._dtype,
            "batch_size": self._batch_size,
            "within": self._within,
        }
        return type(self)(**(own | changes))

    def split(self, fraction: float) -> tuple[Self, Self]:
        """Return all rows but the last ones, and the last ones, which are `fraction` of all, rounded up."""
        assert self.rows is not None
        first = checks.rows_before(self.rows, fraction)
        return self._with(within=self._rows(0, first)), self._with(
            within=self._rows(first, self.rows), batch_size=ROWS_MEASURED_AT_ONCE
        )

    def without_zero_weights(self) -> Self:
        """Return the source without rows of weight 0."""
        weight = self.weight
        if weight is None or weight.all():
            return self
        kept = np.flatnonzero(weight)
        return self._with(within=self._absolute(kept))

    def weighted_by_class(self, class_weight: Any, loss: Choice, out: int) -> Self:  # noqa: ANN401  # a user's dict
        """Return the source with weights multiplied by the class's."""
        y = self._y.read(slice(0, self._x.shape[0]))
        rows = checks.Samples(np.empty((len(y), 0), self._dtype), y, self._weight)
        return self._with(weight=checks.weighted_by_class(rows, class_weight, loss, out).weight)

    def parts(self, seed: int | None = None, epoch: int = 0) -> Iterator[Part]:
        """Yield the parts of an epoch: blocks, or, where rows can be taken in any order, so many of them."""
        assert self.rows is not None
        size = rows_of_block(self.columns, self._dtype, self._batch_size)
        count = -(-self.rows // size)
        order: NDArray[np.intp] | None = None
        blocks = range(count)
        if seed is not None and self._x.by_blocks:
            blocks = _core.shuffled(seed, epoch, count, _ORDER_OF_BLOCKS).tolist()
        elif seed is not None:
            order = _core.shuffled(seed, epoch, self.rows)
        for i, block in enumerate(blocks):
            rows = self._rows(block * size, min((block + 1) * size, self.rows), order)
            if i + 1 < count:
                following = blocks[i + 1]
                self._x.expect(self._rows(following * size, min((following + 1) * size, self.rows), order))
            is_shuffled = seed is not None and self._x.by_blocks
            yield Part(self.samples(rows), i + 1 == count, block, is_shuffled, self._batch_size)
            self._x.forget(rows)
            self._y.forget(rows)

    def samples(self, rows: Rows) -> checks.Samples:
        """Return some rows as the engine reads them."""
        x = np.asarray(self._x.read(rows), self._dtype, order="C")
        return checks.Samples(x, self._y.read(rows), None if self._weight is None else self._weight[rows])

    def _rows(self, begin: int, end: int, order: NDArray[np.intp] | None = None) -> Rows:
        """Return the rows whose turns are begin ... end - 1."""
        if order is not None:
            return self._absolute(order[begin:end])
        if isinstance(self._within, np.ndarray):
            return self._within[begin:end]
        start = self._within.start
        return slice(start + begin, start + end)

    def _absolute(self, places: NDArray[np.intp]) -> Rows:
        return self._within[places] if isinstance(self._within, np.ndarray) else places + self._within.start


def _length(rows: slice) -> int:
    return int(rows.stop - rows.start)


# ---------------------------------------------------------------------------------------------------------- the checks


def source_of(
    name: str,
    x: Reader,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    loss: Choice,
    out: int,
    dtype: str,
    of: str,
    relative: bool,
    batch_size: int,
    check: Callable[[str, Array], None],
) -> RowSource:
    """Return rows as a source when every number has been looked at, a block at a time.

    `check` is called with each block of X and what it is called in an error.
    """
    n = x.shape[0]
    for rows in _blocks(x, dtype):
        where = f"{name}[{rows.start}:{rows.stop}]"
        check(where, finite_array(where, x.read(rows), dtype))
        x.forget(rows)
    weight = (
        None
        if sample_weight is None
        else checks.weights_of(f"sample_weight{of}", sample_weight, n, dtype, relative=relative)
    )
    reader = reader_of(f"y{of}", y)
    if reader is None or not reader.by_blocks or reader.shape[:1] != (n,):
        target = checks.targets_of(f"y{of}", y, loss, n, out, dtype)
        answers = targets.answers_of(loss, target)
        return RowSource(x, _InMemory(target), answers, weight, relative=relative, dtype=dtype, batch_size=batch_size)

    def convert(where: str, given: Array) -> Array:
        return checks.targets_of(f"y{of}{where}", given, loss, len(given), out, dtype)

    converted = _Converted(reader, convert)
    found = []
    for rows in _blocks(reader, dtype):
        found.append(targets.answers_of(loss, converted.read(rows)))
        converted.forget(rows)
    answers = targets.common_answers(found)
    return RowSource(x, converted, answers, weight, relative=relative, dtype=dtype, batch_size=batch_size)


def _blocks(reader: Reader, dtype: str) -> Iterator[slice]:
    size = rows_of_block(int(np.prod(reader.shape[1:], dtype=np.int64)), dtype, ROWS_MEASURED_AT_ONCE)
    for begin in range(0, reader.shape[0], size):
        yield slice(begin, min(begin + size, reader.shape[0]))


def blocks_of(reader: Reader, dtype: str) -> Iterator[Array]:
    """Yield all rows, a block at a time."""
    for rows in _blocks(reader, dtype):
        yield reader.read(rows)
        reader.forget(rows)
