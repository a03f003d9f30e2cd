"""Rows that lie in a file or in a sparse matrix, read a block at a time."""

import mmap
from contextlib import suppress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpcore.data import Array, is_sparse, real_array

Rows = slice | NDArray[np.intp]


class Reader(Protocol):
    """Rows that are read a block at a time.

    Attributes
    ----------
    shape : tuple of int
    by_blocks : bool
        Whether rows should be read as they lie, a shuffle being one of blocks and of the rows in each.
    """

    shape: tuple[int, ...]
    by_blocks: bool

    def read(self, rows: Rows) -> Array:
        """Return some rows as an array, which may be a view."""

    def expect(self, rows: Rows) -> None:
        """Take notice that these rows will be read next."""

    def forget(self, rows: Rows) -> None:
        """Take notice that these rows are not needed for now."""


def reader_of(name: str, value: Any) -> Reader | None:  # noqa: ANN401  # whatever a user gives
    """Return what reads a mapped array or a sparse matrix; None for what lies in memory as it is."""
    if isinstance(value, np.ndarray):
        mapped = _mapped(value)
        return None if mapped is None or value.ndim == 0 else Mapped(name, value, mapped)
    return Sparse(name, value) if is_sparse(value) else None


def _mapped(array: Array) -> np.memmap[Any, Any] | None:
    """Return the mapped file that an array is a view of."""
    base: object = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    return base if isinstance(base, np.memmap) else None


class Mapped:
    """Rows of a mapped file. What was read is taken out of the process's memory; the system keeps it while it can."""

    by_blocks = True

    def __init__(self, name: str, array: Array, mapped: "np.memmap[Any, Any]") -> None:
        real_array(name, np.asarray(array[:1]))
        self.shape = array.shape
        self._array = np.asarray(array)
        # A private map may hold changes that exist nowhere else.
        self._map = None if mapped.mode == "c" else getattr(mapped, "_mmap", None)
        self._start = 0
        if self._map is not None:
            self._start = np.frombuffer(self._map, np.uint8).__array_interface__["data"][0]

    def read(self, rows: Rows) -> Array:
        """Return some rows, a view where they lie together."""
        return self._array[rows]

    def expect(self, rows: Rows) -> None:
        """Let the system read rows from the disk while others are worked on."""
        self._advise("MADV_WILLNEED", rows)

    def forget(self, rows: Rows) -> None:
        """Take rows out of the process's memory."""
        self._advise("MADV_DONTNEED", rows)

    def _advise(self, advice: str, rows: Rows) -> None:
        if self._map is None or not hasattr(mmap, advice) or not isinstance(rows, slice):
            return
        low, high = np.lib.array_utils.byte_bounds(self._array[rows])
        page = mmap.ALLOCATIONGRANULARITY
        begin = (low - self._start) // page * page
        with suppress(OSError, ValueError):  # advice that is not followed changes no result
            self._map.madvise(getattr(mmap, advice), begin, min(high - self._start, len(self._map)) - begin)


class Sparse:
    """Rows of a sparse matrix of SciPy, which are made dense as they are read."""

    by_blocks = False

    def __init__(self, name: str, matrix: Any) -> None:  # noqa: ANN401  # SciPy need not be installed
        real_array(name, np.empty(0, matrix.dtype))
        self.shape = matrix.shape
        self._matrix = matrix.tocsr() if len(matrix.shape) == 2 else matrix

    def read(self, rows: Rows) -> Array:
        """Return some rows, dense."""
        return np.asarray(self._matrix[rows].toarray())

    def expect(self, rows: Rows) -> None:
        """Do nothing: all is in memory."""

    def forget(self, rows: Rows) -> None:
        """Do nothing."""
