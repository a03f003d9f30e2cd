"""Raw tables, whoever made them: arrays, lists of rows, frames of pandas and Polars, as named columns of values.

Neither pandas nor Polars is imported: their objects are known by the attributes that they have.
"""

import datetime
from collections.abc import Callable, Iterator
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MISSING = None
"""What stands for a value of a category that is not there."""


class Values(NamedTuple):
    """A column's values.

    Attributes
    ----------
    kind : {"numeric", "category", "date"}
    values : ndarray, shape (n,)
        Numbers in float64, nan where one is missing; of a category labels, str or None; of a date datetime64 in
        microseconds, NaT where one is missing.
    """

    kind: str
    values: Array


def names_of(table: Any) -> list[str] | None:  # noqa: ANN401  a frame of any library, or an array
    """Return a frame's names of its columns; None for what has none."""
    return [str(name) for name in table.columns] if hasattr(table, "columns") else None


def columns_of(table: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield the columns of a table, each as its library has it."""
    if hasattr(table, "iloc"):  # a name may come twice
        yield from (table.iloc[:, j] for j in range(table.shape[1]))
    elif hasattr(table, "columns"):
        yield from (table[name] for name in table.columns)
    else:
        yield from np.asarray(table).T


def values_of(column: Any) -> Values:  # noqa: ANN401
    """Return a column's values, of the kind that they tell by themselves."""
    dtype = column.dtype
    kind = str(getattr(dtype, "kind", ""))
    if not isinstance(dtype, np.dtype):
        if str(dtype) == "category":  # of pandas: labels, even if these are numbers
            return labels_of(np.asarray(column, object))
        if hasattr(column, "isna") and kind in ("i", "u", "f"):
            return Values("numeric", column.to_numpy(np.float64, na_value=np.nan))
        if hasattr(column, "isna") and kind == "M":
            return _dates(column.to_numpy("datetime64[us]"))
        column = np.asarray(column, object) if hasattr(column, "isna") else column.to_numpy()
        kind = column.dtype.kind
    array = np.asarray(column)
    if kind in "iuf":
        return Values("numeric", array.astype(np.float64))
    if kind == "m":
        seconds = array / np.timedelta64(1, "s")
        return Values("numeric", seconds)
    if kind == "M":
        return _dates(array)
    if kind == "c":
        raise ValueError("Complex data not supported: take the real and the imaginary part as two columns")
    return _of_objects(array) if kind == "O" else labels_of(array)


def numbers_of(column: Any) -> Array | None:  # noqa: ANN401
    """Return a column's values as numbers, texts that tell numbers too; None if some are none."""
    found = values_of(column)
    if found.kind == "numeric":
        return found.values
    if found.kind != "category":
        return None
    try:
        return np.array([np.nan if label is MISSING else float(label) for label in found.values], np.float64)
    except ValueError:
        return None


def dates_of(column: Any) -> Array | None:  # noqa: ANN401
    """Return a column's values as dates, texts in ISO 8601 too; None if some are none."""
    found = values_of(column)
    if found.kind == "date":
        return found.values
    if found.kind == "numeric":
        return None
    try:
        return np.array(found.values.tolist(), "datetime64[us]")
    except ValueError:
        return None


def first_refused(column: Any, convert: Callable[[str], object]) -> str:  # noqa: ANN401
    """Return in words which of a column's labels is the first that `convert` refuses with ValueError."""
    for row, label in enumerate(labels_of(column).values.tolist()):
        try:
            if label is not MISSING:
                convert(label)
        except ValueError:
            return f"{label!r} in row {row}"
    return f"values of type {column.dtype}"


def labels_of(column: Any) -> Values:  # noqa: ANN401
    """Return a column's values as labels: whole numbers without a point, other values as `str` writes them."""
    found = column if isinstance(column, np.ndarray) else np.asarray(column, object)
    labels = np.empty(len(found), object)
    labels[:] = [_label(value) for value in found.tolist()]
    return Values("category", labels)


def _label(value: object) -> str | None:
    if type(value) is str:
        return value
    if is_missing(value):
        return MISSING
    if isinstance(value, float) and value.is_integer():  # as an integer becomes in a column where some are missing
        return str(int(value))
    return str(value)


def is_missing(value: object) -> bool:
    """Tell whether a value of any library stands for one that is not there."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _of_objects(array: Array) -> Values:
    """Return objects as numbers or dates if all that are not missing are such, and as labels otherwise."""
    there = [value for value in array.tolist() if not is_missing(value)]
    types = {type(value) for value in there}
    if types and all(issubclass(each, Real) and not issubclass(each, bool) for each in types):
        return Values("numeric", np.array([np.nan if is_missing(v) else float(v) for v in array], np.float64))
    if types and all(issubclass(each, datetime.date) for each in types):
        dates = [None if is_missing(value) else _without_zone(value) for value in array]
        return _dates(np.array(dates, "datetime64[us]"))
    return labels_of(array)


def _without_zone(value: datetime.date) -> datetime.date:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


def _dates(array: Array) -> Values:
    return Values("date", array.astype("datetime64[us]"))
