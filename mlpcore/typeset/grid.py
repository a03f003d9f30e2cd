"""An array as rows of texts, as all renderings read it: large ones show their edges, and dots for what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore.typeset.numbers import number

_TAIL = 2  # the rows and columns that are shown after the dots


class Dots(Enum):
    """What stands for the numbers that are left out: in a row, in a column, in both."""

    ROW = "…"
    COLUMN = "⋮"
    BOTH = "⋱"


class Grid(NamedTuple):
    """The numbers of an array that are shown.

    Attributes
    ----------
    rows : list of list of (str or Dots)
    shape : (int, int)
        Of the whole array.
    is_whole : bool
        Whether all numbers are shown.
    """

    rows: list[list[str | Dots]]
    shape: tuple[int, int]
    is_whole: bool


def array_of(values: object) -> NDArray[Any]:
    """Return numbers as an array of at most two axes; lists become one of objects, which keeps fractions."""
    if isinstance(values, np.ndarray):
        array = values
    else:
        array = np.array(values, dtype=object)
        if any(isinstance(value, Sequence) for value in array.ravel().tolist()):
            raise ValueError(f"values is {values!r}, expected rows of one length")
    if array.ndim > 2 or array.size == 0:
        raise ValueError(f"values has shape {array.shape}, expected a number, a vector or a matrix")
    return array


def grid_of(array: NDArray[Any], digits: int | None, most: int) -> Grid:
    """Return a matrix as texts; of more than `most` rows or columns the first ones and the last two."""
    rows, columns = array.shape
    shown_rows, shown_columns = _shown(rows, most), _shown(columns, most)
    table: list[list[str | Dots]] = []
    for i in shown_rows:
        line: list[str | Dots] = []
        for k in shown_columns:
            if i is None or k is None:
                line.append(Dots.BOTH if i is k else Dots.COLUMN if i is None else Dots.ROW)
            else:
                line.append(number(array[i, k], digits))
        table.append(line)
    return Grid(table, (rows, columns), None not in shown_rows and None not in shown_columns)


def paddings(grid: Grid) -> list[list[str]]:
    """Return what each text lacks on its right for the points of a column to stand below one another.

    It is a text of the same width, such as ``.00``; nothing in a column with fractions or powers of 10.
    """
    columns = [_column_paddings([row[k] for row in grid.rows]) for k in range(len(grid.rows[0]))]
    return [list(row) for row in zip(*columns, strict=True)]


def _column_paddings(column: Sequence[str | Dots]) -> list[str]:
    tails = [_tail(cell) if isinstance(cell, str) else None for cell in column]
    if any(isinstance(cell, str) and any(sign in cell for sign in "e/n") for cell in column):  # 1e-5, 1/2, inf, nan
        return [""] * len(column)
    longest = max((tail for tail in tails if tail is not None), key=len, default="")
    model = "." + "0" * (len(longest) - 1) if longest else ""
    return ["" if tail is None else model[len(tail) :] for tail in tails]


def _tail(cell: str) -> str:
    _, point, digits = cell.partition(".")
    return point + digits


def _shown(count: int, most: int) -> list[int | None]:
    """Return the indices that are shown, with None where some are left out."""
    if count <= most:
        return list(range(count))
    head = most - _TAIL - 1
    return [*range(head), None, *range(count - _TAIL, count)]
