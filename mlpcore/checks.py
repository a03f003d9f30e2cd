"""What callers hand in, checked where a sentence can still name it: the rows of `fit` and the numbers of a constructor.

The engine checks types and shapes again, whatever comes from here; what only this module checks is meaning, such as
that data to learn from is finite. A value is looked at before anything changes, so that a refused call changes nothing.
"""

import math
import operator
import sys
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpcore import losses

Array = NDArray[Any]


class Samples(NamedTuple):
    """Rows to learn from or to be measured on, in the memory order and dtype that the engine reads without a copy.

    Attributes
    ----------
    x : ndarray of shape (n, in)
    y : ndarray of shape (n, out)
    weight : ndarray of shape (n,), or None for equal weights
    """

    x: Array
    y: Array
    weight: Array | None

    def rows(self, which: slice | NDArray[np.bool_]) -> "Samples":
        """Return the samples of some rows."""
        return Samples(self.x[which], self.y[which], None if self.weight is None else self.weight[which])

    def split(self, fraction: float) -> "tuple[Samples, Samples]":
        """Return all rows but the last ones, and the last ones, which are `fraction` of all."""
        n = len(self.x)
        first = math.floor(n * (1 - fraction))
        if not 0 < first < n:
            raise ValueError(f"validation_split={fraction} splits {n} rows into {first} and {n - first}, expected >= 1")
        return self.rows(slice(None, first)), self.rows(slice(first, None))

    def counted(self) -> "Samples":
        """Return the rows that count: a row of weight 0 is no row, so that no batch can consist of nothing else."""
        if self.weight is None or self.weight.all():
            return self
        return self.rows(self.weight > 0)


def whole_number(name: str, value: SupportsIndex, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as an int, or raise an error that says what `name` may be."""
    allowed = f">= {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value}, expected an integer {allowed}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, expected an integer {allowed}") from None
    if number < at_least or (at_most is not None and number > at_most):
        raise ValueError(f"{name} is {number}, expected an integer {allowed}")
    return number


def real_number(name: str, value: float, *, at_least: float, below: float = math.inf) -> float:
    """Return `value` as a finite float in [at_least, below), or raise an error that says what `name` may be."""
    allowed = f"a finite number >= {at_least}" + ("" if below == math.inf else f" and < {below}")
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected {allowed}")
    number = float(value)
    if not at_least <= number < below:
        raise ValueError(f"{name} is {number}, expected {allowed}")
    return number


def flag(name: str, value: bool) -> bool:
    """Return `value` as a bool: a string or a number in its place is a mistake."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value!r}, expected True or False")
    return bool(value)


def seed_number(value: SupportsIndex) -> int:
    """Return `value` as a seed."""
    return whole_number("seed", value, at_least=0, at_most=2**64 - 1)


def dtype_name(value: DTypeLike) -> str:
    """Return the name of the type that all numbers of a network shall have."""
    try:
        name = np.dtype(value).name
    except TypeError:
        name = None
    if value is None or name not in ("float32", "float64"):
        raise ValueError(f"dtype is {value!r}, expected 'float32' or 'float64'")
    return str(name)


def callables(name: str, value: Iterable[Any]) -> list[Any]:
    """Return `value` as a list of callables."""
    if callable(value) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}, expected a list of callables")
    listed = list(value)
    for i, each in enumerate(listed):
        if not callable(each):
            raise TypeError(f"{name}[{i}] is {each!r}, expected a callable (model, epoch, logs)")
    return listed


def real_array(name: str, value: ArrayLike) -> Array:
    """Return `value` as an array of real numbers, of whatever dtype and shape it came in."""
    if _is_masked(value):
        raise ValueError(f"{name} has masked entries, expected a value in every place")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers of at most 64 bits")
    return array


def _is_masked(value: ArrayLike) -> bool:
    """Tell whether masked elements hide in `value`; where numpy.ma was never imported there are none.

    ``np.ma`` would import it, and an import inside a call can hang a process forked beside it.
    """
    is_masked = getattr(sys.modules.get("numpy.ma"), "is_masked", None)
    return is_masked is not None and bool(is_masked(value))


def finite_array(name: str, value: ArrayLike, dtype: DTypeLike) -> Array:
    """Return `value` as a C-contiguous array of `dtype`, or raise an error that names the first row not finite."""
    given = real_array(name, value)
    with np.errstate(over="ignore"):  # what overflows is refused below
        array = np.asarray(given, dtype=dtype, order="C")
    finite = np.isfinite(array)
    if not finite.all():
        first = np.unravel_index(np.argmin(finite), finite.shape)
        place = "".join(f", {axis} {i}" for axis, i in zip(("row", "column"), first, strict=False))
        raise ValueError(f"{name} has {given[first]}{place}: expected numbers that are finite in {array.dtype}")
    return array


def rows_of(name: str, value: ArrayLike, columns: int | None, dtype: DTypeLike) -> Array:
    """Return `value` as finite rows (n, columns) with n >= 1."""
    array = finite_array(name, value, dtype)
    if array.ndim != 2 or 0 in array.shape or columns not in (None, array.shape[1]):
        expected = "in" if columns is None else columns
        raise ValueError(f"{name} has shape {array.shape}, expected (n, {expected}) with one sample a row, n >= 1")
    return array


def weights_of(name: str, value: ArrayLike, n: int, dtype: DTypeLike) -> Array:
    """Return `value` as (n,) weights >= 0, not all of them 0."""
    array = finite_array(name, value, dtype)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}, expected ({n},): one weight a sample")
    if array.min() < 0:
        row = int(np.argmin(array))
        raise ValueError(f"{name} has {array[row]} at row {row}, expected weights >= 0")
    if not array.any():
        raise ValueError(f"{name} is 0 in every row, expected at least one weight > 0")
    return array


def weighted_by_class(samples: Samples, value: Mapping[int, float], loss: str) -> Samples:
    """Return the samples with weights multiplied by their class's; a class that `value` does not name weighs 1."""
    x, y, weight = samples
    out = y.shape[1]
    if loss == "cce":
        labels, classes = y.argmax(axis=1), out
    elif loss == "bce" and out == 1 and ((y == 0) | (y == 1)).all():
        labels, classes = y[:, 0].astype(np.intp), 2
    else:
        raise ValueError("class_weight needs classes: loss 'cce', or loss 'bce' with one output and y of 0 and 1")
    if not isinstance(value, Mapping):
        raise TypeError(f"class_weight is {value!r}, expected a dict such as {{0: 1.0, 1: 2.5}}")
    table = np.ones(classes, x.dtype)
    for label, class_weight in value.items():
        label = whole_number("a class of class_weight", label, at_least=0, at_most=classes - 1)
        table[label] = real_number(f"class_weight[{label}]", class_weight, at_least=0)
    product = table[labels] if weight is None else table[labels] * weight
    return Samples(x, y, weights_of("sample_weight * class_weight", product, len(x), x.dtype))


def samples_of(
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    loss: str,
    columns: int | None,
    out: int,
    dtype: str,
    of: str = "",
) -> Samples:
    """Return `X`, `y` and the weights as samples for a network of `columns` inputs (None: any) and `out` outputs."""
    x = rows_of(f"X{of}", X, columns, dtype)
    target = targets_of(f"y{of}", y, loss, len(x), out, dtype)
    weight = None if sample_weight is None else weights_of(f"sample_weight{of}", sample_weight, len(x), dtype)
    return Samples(x, target, weight)


def targets_of(name: str, value: ArrayLike, loss: str, n: int, out: int, dtype: DTypeLike) -> Array:
    """Return `value` as the rows y (n, out) that `loss` compares with a^J, class indices as rows of 0 and 1."""
    array = finite_array(name, value, dtype)
    if array.ndim > 0 and len(array) != n:
        raise ValueError(f"{name} has {len(array)} rows, expected {n}: as many as there are samples")
    if array.ndim == 1 and loss == "cce":
        return one_hot(name, array, out)
    if array.shape == (n,) and out == 1:
        array = array.reshape(n, 1)
    if array.shape != (n, out):
        one_axis = f"({n},) class indices or " if loss == "cce" else f"({n},) or " if out == 1 else ""
        raise ValueError(f"{name} has shape {array.shape}, expected {one_axis}({n}, {out})")
    lowest, highest = losses.target_range(loss)
    outside = (array < lowest) | (array > highest)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ValueError(
            f"{name} has {array[row, column]} at row {row}, column {column}, "
            f"expected values from {lowest} to {highest} for loss {loss!r}"
        )
    return array


def one_hot(name: str, labels: Array, out: int) -> Array:
    """Return class indices (n,) as rows (n, out) with a 1 in the place of the class."""
    wrong = (labels < 0) | (labels >= out) | (labels != np.floor(labels))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} has {labels[row]} at row {row}, expected a class index from 0 to {out - 1}")
    rows = np.zeros((len(labels), out), labels.dtype)
    rows[np.arange(len(labels)), labels.astype(np.intp)] = 1
    return rows
