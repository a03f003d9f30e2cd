"""Checks of arguments that Python code makes before the engine sees them: data of `fit`, numbers of a constructor.

The engine checks types and shapes again, whatever comes from here; what only this module checks is meaning, such as
that data to learn from is finite. Values are checked before anything changes, so that a refused call changes nothing.
"""

import math
import operator
from collections.abc import Callable, Mapping
from numbers import Real
from typing import NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpcore import catalogue, targets
from mlpcore.catalogue import Hyper
from mlpcore.custom_activation import CustomActivation
from mlpcore.custom_loss import CustomLoss
from mlpcore.data import Array, column_names, finite_array, real_array
from mlpcore.engine import Choice


class Samples(NamedTuple):
    """Rows to learn from or to be measured on, in the memory order and dtype that the engine reads without a copy.

    Attributes
    ----------
    x : ndarray of shape (n, in)
    y : ndarray of shape (n, out), or (n,) for class indices
    weight : ndarray of shape (n,), or None for equal weights
    """

    x: Array
    y: Array
    weight: Array | None

    def rows(self, which: slice | NDArray[np.bool_ | np.integer]) -> "Samples":
        """Return the samples of some rows."""
        return Samples(self.x[which], self.y[which], None if self.weight is None else self.weight[which])

    def split(self, fraction: float) -> "tuple[Samples, Samples]":
        """Return all rows but the last ones, and the last ones, which are `fraction` of all, rounded up."""
        first = rows_before(len(self.x), fraction)
        return self.rows(slice(None, first)), self.rows(slice(first, None))

    @property
    def mean_weight(self) -> float:
        """The mean of the weights."""
        return 1.0 if self.weight is None else float(self.weight.mean(dtype=np.float64))

    def weighted_by_class(self, value: Mapping[int, float], loss: Choice, out: int) -> "Samples":
        """Return the samples with weights multiplied by their class's."""
        return weighted_by_class(self, value, loss, out)

    def without_zero_weights(self) -> "Samples":
        """Return the samples without rows of weight 0, so that no batch can have a total weight of 0."""
        if self.weight is None or self.weight.all():
            return self
        return self.rows(self.weight > 0)


def whole_number(name: str, value: SupportsIndex, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as an int, or raise an error that states the allowed values of `name`."""
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


def real_number(
    name: str, value: float, *, at_least: float = -math.inf, below: float = math.inf, above: float = -math.inf
) -> float:
    """Return `value` as a finite float in its range, or raise an error that states the allowed values of `name`."""
    allowed = "a finite number" + (f" > {above:g}" if above != -math.inf else f" >= {at_least:g}")
    allowed += "" if below == math.inf else f" and < {below:.10g}"
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected {allowed}")
    number = float(value)
    if not (at_least <= number < below and number > above):
        raise ValueError(f"{name} is {number}, expected {allowed}")
    return number


def hyper_value(hyper: Hyper, value: float, of: str = "") -> float:
    """Return a hyperparameter, a bool or a float in its range, or raise an error that says what it may be.

    `of` tells in the error what it belongs to.
    """
    if hyper.is_flag:
        return flag(hyper.name + of, value)  # type: ignore[arg-type]  # what is no bool is refused there
    return real_number(hyper.name + of, value, at_least=hyper.least, below=hyper.below)


def share_of(n: int, fraction: float) -> int:
    """Return how many of n a fraction is, rounded up: exactly k where the fraction is the float nearest to k / n."""
    if not isinstance(fraction, np.float16 | np.float32):  # these two are compared in their own precision
        fraction = float(fraction)
    nearest = round(n * float(fraction))
    if type(fraction)(nearest / n) == fraction:
        return nearest
    numerator, denominator = float(fraction).as_integer_ratio()
    return -(-n * numerator // denominator)


def rows_before(n: int, fraction: float) -> int:
    """Return how many of n rows come before the last ones, which are `fraction` of all, rounded up."""
    first = n - share_of(n, fraction)
    if not 0 < first < n:
        raise ValueError(
            f"validation_split={fraction} splits {n} rows into {first} and {n - first}, expected >= 1 in each: "
            "choose another fraction, or give validation_data"
        )
    return first


def flag(name: str, value: bool) -> bool:
    """Return `value` as a bool; strings and numbers are refused."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value!r}, expected True or False")
    return bool(value)


def require_held(name: str, value: float, dtype: DTypeLike) -> None:
    """Raise if the model's type takes a positive number for 0 or infinity."""
    info = np.finfo(dtype)
    smallest, largest = float(info.smallest_subnormal), float(info.max)
    if value and not smallest <= value <= largest:
        raise ValueError(
            f"{name} is {value}, which {info.dtype}, the model's type, takes for {0 if value < 1 else 'infinity'}: "
            f"expected a number from {smallest:.3g} to {largest:.3g}"
        )


def seed_number(value: SupportsIndex) -> int:
    """Return `value` as a seed."""
    return whole_number("seed", value, at_least=0, at_most=2**64 - 1)


def dtype_name(value: DTypeLike) -> str:
    """Return the name of the dtype of a network's numbers."""
    try:
        name = np.dtype(value).name
    except TypeError:
        name = None
    if value is None or name not in ("float32", "float64"):
        raise ValueError(f"dtype is {value!r}, expected 'float32' or 'float64'")
    return str(name)


def is_true(value: object) -> bool:
    """Tell whether a callback asks to stop: True does, and nothing else that Python takes for true."""
    return value is True or (isinstance(value, np.bool_) and bool(value))


def choice(family: str, argument: str, value: object) -> Choice:
    """Return what an argument chooses from a family of the catalogue: a name, or a function with constants.

    The name may be an alias. A function may come as a tuple of its name and constants, as model files have it;
    constants that are left out have their default values. An object that is written in Python is returned as it is.
    """
    custom = _WRITTEN_IN_PYTHON.get(family, ())
    if isinstance(value, custom):
        return value
    if isinstance(value, type) and issubclass(value, custom):
        raise TypeError(f"{argument} is the class {value.__name__}, expected an object: {value.__name__}()")
    given = tuple(value) if isinstance(value, tuple | list) and value else (value,)
    row = catalogue.resolve(family, argument, given[0])
    if len(given) - 1 > len(row.hypers):
        constants = ", ".join(hyper.name for hyper in row.hypers) or "which has no constants"
        raise ValueError(f"{argument} is {value!r}, expected at most {len(row.hypers)} after {row.name!r}: {constants}")
    if len(given) == 1:
        return row.name
    numbers = (*given[1:], *(hyper.default for hyper in row.hypers[len(given) - 1 :]))
    of = f" of {argument} {row.name!r}"
    constants_given = [hyper_value(hyper, number, of) for hyper, number in zip(row.hypers, numbers, strict=True)]
    made = catalogue.CLASSES.get((family, row.name))
    return (row.name, *constants_given) if made is None else made._of(constants_given)


_WRITTEN_IN_PYTHON: dict[str, type[CustomActivation] | type[CustomLoss]] = {
    "activations": CustomActivation,
    "losses": CustomLoss,
}


def given_loss(loss: Choice | None) -> Choice:
    """Return the loss that a call was given, by its short name."""
    if loss is None:
        raise TypeError(
            "loss is missing, expected 'mse' for numbers, 'bce' for yes or no, 'cce' for one class of several: "
            f"give it after y or as loss=, one of {', '.join(map(repr, catalogue.names('losses')))}"
        )
    return choice("losses", "loss", loss)


def rows_of(name: str, value: ArrayLike, columns: int | None, dtype: DTypeLike) -> Array:
    """Return `value` as finite rows (n, columns) with n >= 1."""
    given = batch_of(name, value, columns)
    return finite_array(name, given, dtype, columns=column_names(value))


def batch_of(name: str, value: ArrayLike, columns: int | None) -> Array:
    """Return `value` as rows (n, columns) of real numbers with n >= 1, which need not be finite."""
    array = real_array(name, value)
    check_rows(name, array, columns)
    return array


def check_rows(name: str, array: Array, columns: int | None) -> None:
    """Raise an error unless the array has shape (n, columns), or any (n, in) if `columns` is None."""
    shape = array.shape
    if len(shape) == 2 and 0 not in shape and (columns is None or shape[1] == columns):
        return
    expected = "in" if columns is None else columns
    raise ValueError(
        f"{name} has shape {shape}, expected (n, {expected}) with one sample a row, n >= 1"
        f"{_advice_on_shape(name, array, columns)}"
    )


def _advice_on_shape(name: str, array: Array, columns: int | None) -> str:
    """Return how rows can be made of an array that holds the right numbers in another shape, or nothing."""
    name = name.split()[0]  # "X", of "X of validation_data" too
    size = array.size
    one_sample = f"give {name}.reshape(1, -1)"
    if 0 < size <= 8 and array.dtype.kind in "biuf":
        one_sample = f"write [[{', '.join(str(number) for number in array.ravel().tolist())}]]"
    if array.ndim == 0 and columns in (None, 1):
        return f": {one_sample} for one sample of one number"
    if array.ndim == 1 and size > 0:
        if columns == 1:
            return f": give {name}.reshape(-1, 1) for samples of one number each"
        if columns is None:
            return f": {one_sample} for one sample, or {name}.reshape(-1, 1) for samples of one number each"
        if columns == size:
            return f": {one_sample} for one sample"
    if array.ndim == 2 and columns is not None and array.shape[0] == columns and size > 0:
        return f": {one_sample} for one sample" if array.shape[1] == 1 else f": give {name}.T, one sample a row"
    if array.ndim > 2 and size > 0 and columns in (None, size // len(array)):
        return f": give {name}.reshape(len({name}), -1) if its first axis counts samples"
    return ""


def weights_of(name: str, value: ArrayLike, n: int, dtype: DTypeLike, *, relative: bool = True) -> Array:
    """Return `value` as (n,) weights >= 0, none of them 0 only because `dtype` is too narrow.

    If only their ratios count (`relative`), not all of them may be 0.
    """
    if isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, expected one weight a sample; class_weight= weighs classes")
    given = real_array(name, value)
    array = finite_array(name, given, dtype)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}, expected ({n},): one weight a sample")
    if array.min() < 0:
        row = int(np.argmin(array))
        raise ValueError(f"{name} has {array[row]} at row {row}, expected weights >= 0")
    if not array.all():
        lost = (array == 0) & (given != 0)
        if lost.any():
            row = int(np.argmax(lost))
            raise ValueError(
                f"{name} has {given[row]}, row {row}: expected weights that {array.dtype} does not round to 0"
            )
    if not relative:
        return array
    if not array.any():
        raise ValueError(f"{name} is 0 in every row, expected at least one weight > 0")
    largest = float(array.max())
    if not 2.0**-400 < largest < 2.0**400:  # only their ratios count: sums of others could overflow, or lose digits
        array = np.ldexp(array, -math.frexp(largest)[1])
    return array


def weighted_by_class(samples: Samples, value: Mapping[int, float], loss: Choice, out: int) -> Samples:
    """Return the samples with weights multiplied by their class's; a class that `value` does not name weighs 1."""
    x, y, weight = samples
    if targets.has_classes(loss):
        labels, classes = (y.astype(np.intp) if y.ndim == 1 else y.argmax(axis=1)), out
    elif targets.is_binary(loss) and out == 1 and ((y == 0) | (y == 1)).all():
        labels, classes = y[:, 0].astype(np.intp), 2
    else:
        raise ValueError(
            "class_weight needs classes: loss 'cce', or loss 'bce' with one output and y of 0 and 1; the loss is "
            f"{loss!r} and the model has {out} output{'s' * (out > 1)}: sample_weight= weighs rows"
        )
    if not isinstance(value, Mapping):
        advice = "dict(enumerate(class_weight)) makes one of a list"
        if isinstance(value, str):
            advice = "dict(enumerate(len(y) / (K * np.bincount(y)))) gives all of K classes the same weight"
        raise TypeError(f"class_weight is {value!r}, expected a dict such as {{0: 1.0, 1: 2.5}}: {advice}")
    table = np.ones(classes, x.dtype)
    for label, class_weight in value.items():
        label = whole_number("a class of class_weight", label, at_least=0, at_most=classes - 1)
        number = real_number(f"class_weight[{label}]", class_weight, at_least=0)
        require_held(f"class_weight[{label}]", number, x.dtype)
        table[label] = number
    # In float64, where no product of float32 overflows or becomes 0.
    product = table[labels] if weight is None else table[labels].astype(np.float64) * weight
    return Samples(x, y, weights_of("sample_weight * class_weight", product, len(x), x.dtype))


def samples_of(
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    loss: Choice,
    columns: int | None,
    out: Callable[[int], int],
    dtype: str,
    of: str = "",
    relative: bool = True,
) -> Samples:
    """Return `X`, `y` and the weights as samples for a network of `columns` inputs (None: any).

    `out` returns how many outputs it has for so many inputs; `relative`: only the ratios of weights count.
    """
    x = rows_of(f"X{of}", X, columns, dtype)
    target = targets_of(f"y{of}", y, loss, len(x), out(x.shape[1]), dtype)
    weight = (
        None
        if sample_weight is None
        else weights_of(f"sample_weight{of}", sample_weight, len(x), dtype, relative=relative)
    )
    return Samples(x, target, weight)


def targets_of(name: str, value: ArrayLike, loss: Choice, n: int, out: int, dtype: DTypeLike) -> Array:
    """Return `value` as the rows y (n, out) that `loss` compares with a^J, or as class indices (n,) of two or more.

    Where two outputs belong to each number of y, y is (n, out / 2), and zeros, which nobody reads, fill the rows.
    """
    if targets.is_paired(loss):
        if out % 2 == 1:
            raise ValueError(
                f"the model has {out} outputs, expected an even number for loss {loss!r}: a mean for each column of "
                f"{name}, then the logarithm of a variance for each, such as Dense(2) for one column"
            )
        rows = _rows_of_targets(name, value, loss, n, out // 2, dtype)
        return np.hstack([rows, np.zeros_like(rows)])
    return _rows_of_targets(name, value, loss, n, out, dtype)


def _advice_on_range(y: Array, loss: Choice) -> str:
    """Return what to do about y outside of the range of a loss that takes a yes or no, or nothing."""
    if not targets.is_binary(loss):
        return ""
    if (np.abs(y) == 1).all():
        return ": give (y + 1) / 2 for y of -1 and 1"
    if y.shape[1] == 1 and (y == np.floor(y)).all() and y.min() >= 0:
        return ": class indices go with loss 'cce' and Dense(K, 'softmax') for K classes"
    return ""


def _rows_of_targets(name: str, value: ArrayLike, loss: Choice, n: int, out: int, dtype: DTypeLike) -> Array:
    given = real_array(name, value, labels=True)
    array = finite_array(name, given, dtype)
    if array.ndim > 0 and len(array) != n:
        raise ValueError(f"{name} has {len(array)} rows, expected {n}: as many as there are samples")
    if array.ndim == 1 and targets.has_classes(loss):
        return targets.class_indices(name, given, array, out)
    if array.shape == (n,) and out == 1:
        array = array.reshape(n, 1)
    if array.shape != (n, out):
        one_axis = f"({n},) class indices or " if targets.has_classes(loss) else f"({n},) or " if out == 1 else ""
        advice = ""
        if targets.has_classes(loss) and array.shape == (n, 1):
            advice = ": give class indices as one axis, y.ravel()"
        elif targets.is_paired(loss):
            advice = f": loss {loss!r} takes half as many columns as the model has outputs"
        elif array.ndim == 1:
            advice = f": class indices go with loss 'cce', one number a sample with Dense(1) and loss {loss!r}"
        elif array.ndim == 2:
            advice = f": a column for each of the model's {out} outputs"
        raise ValueError(f"{name} has shape {array.shape}, expected {one_axis}({n}, {out}){advice}")
    lowest, highest = targets.target_range(loss)
    exact = np.reshape(given, array.shape)  # as it was given: rounding may bring a value into the range
    outside = (exact < lowest) | (exact > highest)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ValueError(
            f"{name} has {float(exact[row, column])} at row {row}, column {column}, "
            f"expected values from {lowest:g} to {highest:g} for loss {loss!r}{_advice_on_range(exact, loss)}"
        )
    if targets.has_signs(loss) and not (np.abs(exact) == 1).all():
        row, column = np.argwhere(np.abs(exact) != 1)[0]
        raise ValueError(
            f"{name} has {float(exact[row, column])} at row {row}, column {column}, "
            f"expected 1 or -1 for loss {loss!r}: give 2 * y - 1 for y of 0 and 1"
        )
    return array
