"""The numerical slope of a function in one component, with steps that suit the component.

The component is moved up and down by h, which begins at a quarter of its size and shrinks by 4 from row to row, and the
central differences are extrapolated to h = 0 (Richardson; the table is Ridders'): the estimate kept is the one its
neighbours in the table agree with best.

A step may be too long: it leaves the domain, crosses a corner, or is long beside the curvature of f. The slopes to the
left and to the right of the component show that. Where f is smooth they approach each other in proportion to h. Rows
in which they do not are no evidence, and the table begins anew below them. At a corner, such as ReLU's at 0, they never
approach each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[], float]

EPSILON = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)  # smaller numbers have fewer digits, or are taken for 0
RATIO = 4.0
NEAR = 2.0**-18  # a corner nearer than this part of the component's size counts as a corner at the component
LAST = 2.0**-51  # the smallest step as a part of the component: a few roundings of it
COLUMNS = 8  # of the table: more would agree to all digits or never
NOISE = 16.0  # roundings of f, in units of eps times the size of f, that a difference is taken to carry
SUDDEN = 1e-3  # slopes that come closer by this factor within two steps have come from either side of a corner


@dataclass(frozen=True)
class Slope:
    """A numerical slope and what is known of its accuracy."""

    value: float = math.nan
    doubt: float = math.inf  # how far the neighbours in Ridders' table are from the value
    noise: float = math.inf  # what one rounding of f does to it
    step: float = math.inf  # smallest step it rests on

    def floor(self, background: float, tolerance: float) -> float:
        """Return the slope below which the rounding of f alone is more than ``tolerance`` of it."""
        return NOISE * (self.noise + EPSILON * background / self.step) / tolerance


class Slopes(NamedTuple):
    """The slope in a component and, if a corner is near or may be near, those on either side of it.

    ``smooth`` says that steps too short to reach a corner found one slope, ``central``. Otherwise ``central`` is only
    the mean of what there is on either side.
    """

    central: Slope
    left: Slope | None = None
    right: Slope | None = None
    smooth: bool = True


class Extrapolation:
    """Ridders' table: difference quotients for shrinking steps, extrapolated to step 0.

    Parameters
    ----------
    order : int
        Powers of h by which the error of a quotient grows: 2 for h², h⁴, ... (central), 1 for h, h², ... (one-sided).
    """

    def __init__(self, order: int) -> None:
        self.order = order
        self.row: list[float] = []
        self.best = Slope()

    def add(self, quotient: float, rounding: float, step: float) -> None:
        """Take in the quotient for the next smaller step; one rounding of f changes it by ``rounding``."""
        above, self.row = self.row, [quotient]
        for column, coarse in enumerate(above[: COLUMNS - 1], start=1):
            before = self.row[-1]
            value = before + (before - coarse) / (RATIO ** (self.order * column) - 1)
            self.row.append(value)
            doubt = max(abs(value - before), abs(value - coarse), rounding)
            if doubt < self.best.doubt:
                self.best = Slope(value, doubt, rounding, step)


@dataclass(frozen=True)
class Difference:
    """The function with one component moved up and down by about ``step``, as slopes."""

    step: float
    left: float
    right: float
    central: float
    rounding: float  # what one rounding of f does to ``central``; twice as much to the others

    @property
    def bend(self) -> float:
        """How far the slopes on either side are apart."""
        return abs(self.right - self.left)

    def smooth_after(self, longer: Difference | None, tolerance: float) -> bool:
        """Whether the slopes on either side approach each other, or are one but for rounding."""
        if not math.isfinite(self.bend) or not math.isfinite(self.central):
            return False
        if self.bend <= max(NOISE * self.rounding, tolerance * abs(self.central)):
            return True
        return longer is not None and self.bend <= longer.bend / 2


def differentiate(
    f: Function, middle: float, array: Array, i: int, scale: float, tolerance: float, *, least: float = 1.0
) -> Slopes:
    """Return the slope of f in component ``i`` of ``array``, which f reads.

    Parameters
    ----------
    f : callable
        The function. Where it raises ValueError or ArithmeticError it has no value.
    middle : float
        f as the array is.
    array : ndarray
        Changed meanwhile, and as before afterwards.
    i : int
        Index into the flattened array.
    scale : float
        Largest magnitude in the array: how near a corner is to a component of 0 is judged by it.
    tolerance : float
        Relative error that the caller is after: the steps end where the table agrees to a hundredth of it.
    least : float, default 1.0
        The first step is a quarter of the component, or of this if the component is smaller.
    """
    x = abs(float(array.flat[i]))
    if not math.isfinite(middle):
        return Slopes(Slope())
    near = NEAR * max(x, min(1.0, scale))
    table = Extrapolation(order=2)
    taken: list[Difference] = []
    settled = False
    for h in _steps(x, least):
        difference = _difference(f, middle, array, i, h)
        rounding = difference.rounding
        if not difference.smooth_after(taken[-1] if taken else None, tolerance):
            table = Extrapolation(order=2)
        taken.append(difference)
        if math.isfinite(difference.central):
            table.add(difference.central, rounding, difference.step)
        best = table.best
        settled = best.doubt <= max(tolerance / 100 * abs(best.value), 2 * rounding)
        hopeless = h < near and len(table.row) < 2 and NOISE * rounding > difference.bend / 10
        if settled or hopeless:  # a corner, or as good as the rounding of f
            break

    # Steps may end because rounding hides what the neighbours in the table disagree about: that much is not known.
    central = replace(table.best, noise=max(table.best.noise, table.best.doubt / NOISE))
    if settled and not (h < near and _crossed_a_corner(taken)):
        return Slopes(central)
    wide = [difference for difference in taken if difference.step >= near]
    left = _extrapolated(1, [(d.left, 2 * d.rounding, d.step) for d in wide])
    right = _extrapolated(1, [(d.right, 2 * d.rounding, d.step) for d in wide])
    if not settled:
        return Slopes(_extrapolated(2, [(d.central, d.rounding, d.step) for d in wide]), left, right, smooth=False)
    if max(left.doubt, right.doubt) > SUDDEN * abs(right.value - left.value):
        return Slopes(central)
    # One of the sides ends at the corner; the other, where f is as it is at the component, is known more accurately.
    side = left if abs(left.value - central.value) < abs(right.value - central.value) else right
    same = abs(side.value - central.value) <= NOISE * central.noise
    return Slopes(side if same else central, left, right)


def _steps(x: float, least: float) -> Iterator[float]:
    """Return powers of 2, so that x + h and x - h are exact: from a quarter of x or ``least`` down."""
    h = 2.0 ** (math.frexp(max(least, x))[1] - 3)
    last = LAST * (x or 1.0)
    while h >= last and h > 0:
        yield h
        h /= RATIO


def _difference(f: Function, middle: float, array: Array, i: int, h: float) -> Difference:
    """Return the slopes of f on either side of component ``i`` and across it."""
    x = float(array.flat[i])
    high, low = x + h, x - h
    try:
        array.flat[i] = high
        f_high = _value(f)
        array.flat[i] = low
        f_low = _value(f)
    finally:
        array.flat[i] = x
    return Difference(
        step=h,
        left=(middle - f_low) / (x - low),
        right=(f_high - middle) / (high - x),
        central=(f_high - f_low) / (high - low),
        rounding=max(EPSILON * max(abs(f_high), abs(f_low)), TINY) / (high - low),
    )


def _value(f: Function) -> float:
    """Return f, or NaN where it refuses its arguments: ``math.log(-1.0)`` raises, ``numpy.log(-1.0)`` is NaN."""
    try:
        return f()
    except (ValueError, ArithmeticError):
        return math.nan


def _crossed_a_corner(taken: list[Difference]) -> bool:
    """Whether the slopes on either side suddenly became one: the steps before reached across a corner."""
    return any(
        later.bend <= max(SUDDEN * earlier.bend, min(NOISE * later.rounding, earlier.bend / 64))
        for earlier, later in zip(taken, taken[2:], strict=False)
    )


def _extrapolated(order: int, quotients: list[tuple[float, float, float]]) -> Slope:
    table = Extrapolation(order)
    for quotient, rounding, step in quotients:
        table.add(quotient, rounding, step)
    return table.best
