"""A number as text.

A number that is written exactly with the digits asked for, or fewer, is written so: 0.5 is one half. One that is
rounded shows all of its digits: 0.5000 is a number near one half.
"""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral, Real

import numpy as np

from mlpcore import checks

DIGITS = 4
"""The significant digits that are shown unless others are asked for."""

_MOST_DIGITS = 17
_LARGEST_WHOLE = 10**6  # from here on a whole number is written with a power of 10
_LEAST_EXPONENT = -4  # as in Python's own format "g"


def checked_digits(digits: int | None) -> int | None:
    """Return `digits` if it is None or a whole number from 1 to 17."""
    return None if digits is None else checks.whole_number("digits", digits, at_least=1, at_most=_MOST_DIGITS)


def number(value: object, digits: int | None = DIGITS) -> str:
    """Return a number as text, with a point, and ``e`` before a power of 10.

    Parameters
    ----------
    value : int, float, Fraction or number of NumPy
        A float of NumPy is read in its own type: ``np.float32(0.1)`` is 0.1.
    digits : int or None, default 4
        Significant digits, from 1 to 17. None: as many as tell the number from its neighbours, so that reading the text
        gives the same number. Whole numbers and fractions are exact.

    Returns
    -------
    str
        What `float` reads, or ``p/q`` for a fraction.

    Raises
    ------
    TypeError, ValueError
        If it is no real number, or digits are out of range.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from mlpcore.typeset import number
    >>> number(2.0), number(0.25), number(2 / 3), number(-1.5e-7), number(Fraction(-3, 4))
    ('2', '0.25', '0.6667', '-1.5e-7', '-3/4')
    >>> number(2 / 3, digits=None)
    '0.6666666666666666'
    """
    digits = checked_digits(digits)
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, Fraction):
        return str(value)
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise TypeError(f"value is {value!r}, expected a real number")
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "-inf" if value < 0 else "inf"
    if float(value).is_integer() and abs(float(value)) < _LARGEST_WHOLE:
        return "-0" if digits is None and not value and math.copysign(1, value) < 0 else str(int(float(value)))
    exact, exponent = _shortest(value)
    if digits is None or len(exact) <= digits:
        return _placed(value, exact, exponent)
    mantissa, power = f"{abs(float(value)):.{digits - 1}e}".split("e")
    return _placed(value, mantissa.replace(".", ""), int(power))


def _shortest(value: Real) -> tuple[str, int]:
    """Return the shortest digits that tell a number of its type, and the power of 10 of the first."""
    text = np.format_float_scientific(value if isinstance(value, np.floating) else float(value), trim="-")
    mantissa, power = text.lstrip("-").split("e")
    return mantissa.replace(".", ""), int(power)


def _placed(value: Real, digits: str, exponent: int) -> str:
    """Return digits with the point in its place; `exponent` is the power of 10 of the first."""
    sign = "-" if value < 0 else ""
    count = len(digits)
    if _LEAST_EXPONENT <= exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if 0 <= exponent < count:
        whole, part = digits[: exponent + 1], digits[exponent + 1 :]
        return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
    mantissa = f"{digits[0]}.{digits[1:]}" if count > 1 else digits
    return f"{sign}{mantissa}e{exponent}"
