"""Whatever holds numbers, as an array: lists, NumPy arrays, frames and columns of pandas and Polars.

What holds something else is refused with the place of the first value that is no number, and with what to do about it.
Neither pandas nor SciPy is imported: their objects are known by the attributes that they have.
"""

import sys
from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpcore import _core

Array = NDArray[Any]

_CURES = {
    "c": "take the real and the imaginary part as two columns",
    "M": "subtract a start and divide by a unit, as in (t - t.min()) / np.timedelta64(1, 'D')",
    "m": "divide by a unit, as in t / np.timedelta64(1, 's')",
}
_FIELDS_CURE = "numpy.lib.recfunctions.structured_to_unstructured makes columns of fields"
_TEXT_CURE = "encode text as numbers, one column for each category as pandas.get_dummies does, or leave it out"
_LABELS_CURE = "classes, y = np.unique(y, return_inverse=True) makes class indices of labels, for loss 'cce'"
_GAPS_CURE = "fill the gaps or leave these rows out, as fillna and dropna do in pandas"
_SCALE_CURE = "divide by a unit, or make the model with dtype='float64'"


class _Frame(Protocol):
    """What the frames of pandas and Polars have in common."""

    shape: tuple[int, int]
    columns: Sequence[Any]
    dtypes: Sequence[Any]

    def __getitem__(self, label: Any, /) -> "_Column": ...  # noqa: ANN401


class _Column(Protocol):
    """What their columns have in common, but that missing values are told by `isna` in pandas, `is_null` in Polars."""

    dtype: object

    def __array__(self) -> Array: ...
    def isna(self) -> ArrayLike: ...
    def is_null(self) -> ArrayLike: ...


def fill(name: str, view: Array, values: object) -> None:
    """Copy the answer of code that a user wrote, real numbers in exactly the view's shape, into the view.

    `name` is what an error begins with, such as "Scale.forward returned".
    """
    array = np.asarray(values)
    if array.shape != view.shape:
        raise ValueError(f"{name} shape {array.shape}, expected {view.shape}")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} an array of {array.dtype}, expected real numbers")
    view[...] = array


def real_array(name: str, value: ArrayLike, *, labels: bool = False) -> Array:
    """Return `value` as an array of real numbers, of whatever dtype and shape it came in.

    Columns of a frame, and objects that all are real numbers, are brought to one dtype. `labels` tells that the values
    say what is right (y), for the advice that an error gives.
    """
    if type(value) is np.ndarray and _is_plain(value.dtype):  # nothing to do: most calls
        return value
    if is_sparse(value):
        raise TypeError(
            f"{name} is a sparse {type(value).__name__}, expected a number in every place: "
            f"give {name.split()[0]}.toarray()"
        )
    if _is_frame(value) and not all(_is_plain(dtype) for dtype in value.dtypes):
        return _from_frame(name, value, labels)
    if _may_have_gaps(value):
        return _from_column(name, value, "", labels)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from None
    if _core.holds_masked(value, array.ndim):
        raise ValueError(f"{name} has masked entries, expected a value in every place: {_GAPS_CURE}")
    return _numbers(name, array, labels)


def column_names(value: object) -> list[Any] | None:
    """Return the names of the columns of a frame, or of a table of Arrow; None for what is neither."""
    if hasattr(value, "column_names") and hasattr(value, "schema"):
        return list(value.column_names)
    return list(value.columns) if _is_frame(value) else None


def finite_array(name: str, value: ArrayLike, dtype: DTypeLike, *, columns: Sequence[Any] | None = None) -> Array:
    """Return `value` as a C-contiguous array of `dtype`, or raise an error that names the first row not finite.

    `columns` names the columns in the message.
    """
    given = real_array(name, value)
    if given.dtype == dtype and given.flags.c_contiguous:
        array = given
    else:
        with np.errstate(over="ignore"):  # what overflows is refused below
            array = np.asarray(given, dtype=dtype, order="C")
    if not _core.all_finite(array):
        finite = np.isfinite(array)
        first = np.unravel_index(np.argmin(finite), finite.shape)
        column = "" if columns is None else f" ({columns[int(first[1])]!r})"
        advice = _GAPS_CURE if np.isnan(given[first]) else "" if np.isinf(given[first]) else _SCALE_CURE
        raise ValueError(
            f"{name} has {given[first]}{_place(first)}{column}: expected numbers that are finite in {array.dtype}"
            f"{advice and ': '}{advice}"
        )
    return array


def is_sparse(value: object) -> bool:
    """Tell whether this is a sparse matrix of SciPy."""
    return hasattr(value, "toarray") and hasattr(value, "nnz")


def _is_frame(value: object) -> TypeGuard[_Frame]:
    return hasattr(value, "columns") and hasattr(value, "dtypes") and not isinstance(value, np.ndarray)


def _may_have_gaps(value: object) -> TypeGuard[_Column]:
    """Tell whether this is a column of pandas or Polars that marks missing values by something else than NaN."""
    marks = hasattr(value, "isna") or hasattr(value, "is_null")
    return marks and not _is_frame(value) and not _is_plain(getattr(value, "dtype", None))


def _is_plain(dtype: object) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf" and dtype.itemsize <= 8


def _from_frame(name: str, frame: _Frame, labels: bool) -> Array:
    """Return the columns side by side, in the dtype that holds them all."""
    columns = [_from_column(name, column, f", column {label!r}", labels) for label, column in _columns(frame)]
    return np.stack(columns, axis=1) if columns else np.empty(frame.shape)


def _columns(frame: _Frame) -> Iterator[tuple[Any, _Column]]:
    for i, label in enumerate(frame.columns):  # by position in pandas, where two may have the same label
        yield label, frame.iloc[:, i] if hasattr(frame, "iloc") else frame[label]


def _from_column(name: str, column: _Column, where: str, labels: bool) -> Array:
    if not _is_plain(column.dtype):  # elsewhere NaN marks a gap, which is a number for those who allow it
        gaps = np.asarray(column.isna() if hasattr(column, "isna") else column.is_null(), np.bool_)
        if gaps.any():
            row = int(np.argmax(gaps))
            raise ValueError(f"{name} has no value{_place((row,))}{where}, expected one in every place: {_GAPS_CURE}")
    return _numbers(name, np.asarray(column), labels, where, column.dtype)


def _numbers(name: str, array: Array, labels: bool, where: str = "", dtype: object = None) -> Array:
    """Return an array of real numbers as it is, one of objects that all are real numbers in float64."""
    if _is_plain(array.dtype):
        return array
    kind = array.dtype.kind
    wrong = (
        f"{name} has dtype {array.dtype if dtype is None else dtype}{where}, expected real numbers of at most 64 bits"
    )
    if kind == "O":
        return _from_objects(wrong, array, labels)
    if kind in "UST":
        advice = _advice_on(array.flat[0] if array.size else "", labels)
    else:
        advice = _FIELDS_CURE if array.dtype.names else _CURES.get(kind, "convert with .astype(float)")
    raise TypeError(f"{wrong}: {advice}")


def _from_objects(wrong: str, array: Array, labels: bool) -> Array:
    """Return objects that all are real numbers in float64; `wrong` begins the error that others are refused with."""
    if array.ndim == 0:
        raise TypeError(f"{wrong}: it is {_described(array.item())}, give rows of numbers")
    others = {each for each in set(map(type, array.flat)) if not _is_number(each)}
    if others:
        index, value = next((index, value) for index, value in np.ndenumerate(array) if type(value) in others)
        raise TypeError(f"{wrong}, not {_short(value)}{_place(index)}: {_advice_on(value, labels)}")
    try:
        return array.astype(np.float64)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{wrong}: {error}") from None


def _is_number(kind: type) -> bool:
    # NumPy counts its timedelta64 among the integers.
    numbers: tuple[type, ...] = (Real, np.bool_)
    if "decimal" in sys.modules:  # unless it is imported, nothing is a Decimal
        numbers = (*numbers, sys.modules["decimal"].Decimal)
    return issubclass(kind, numbers) and not issubclass(kind, np.timedelta64)


def _advice_on(value: object, labels: bool) -> str:
    """Return what to do about a value that is no real number."""
    if isinstance(value, str | bytes):
        try:
            float(value)
        except ValueError:
            return _LABELS_CURE if labels else _TEXT_CURE
        return "convert numbers that are written as text with .astype(float)"
    if isinstance(value, complex):
        return _CURES["c"]
    if hasattr(value, "year"):
        return _CURES["M"]
    if isinstance(value, np.timedelta64):
        return _CURES["m"]
    if value is None or type(value).__name__ == "NAType":
        return _GAPS_CURE
    return f"{_described(value)} is no number"


def _place(index: tuple[Any, ...]) -> str:
    return "".join(f", {axis} {i}" for axis, i in zip(("row", "column"), index, strict=False))


def _described(value: object) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
