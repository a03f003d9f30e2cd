"""Compares analytic gradients with numerical slopes and tells a wrong value from a corner of the function."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore.gradcheck.differentiate import SUDDEN, Array, Function, Slope, Slopes, differentiate
from mlpcore.gradcheck.report import ArrayReport, Kink, Report, common_factor
from mlpcore.lazy import random_generator
from mlpcore.progress import progress_bar

Arrays = dict[str, Array]
Problems = list[tuple[Function, Arrays]]

QUIET = np.errstate(all="ignore")  # what overflows or is NaN ends up in the report
_NO_AXIS = np.empty((1, 0), np.intp)  # the index of the one component of a number
PATIENCE = 2.0  # seconds that a check takes before it shows a progress bar


class _Case(NamedTuple):
    """An array to differentiate in, the function that reads it, and which of its components are compared."""

    f: Function
    name: str
    array: Array
    analytic: Array  # flattened, as the indices are
    chosen: NDArray[np.intp]


@QUIET
def compare(
    problems: Problems,
    analytic: Arrays,
    tolerance: float,
    subject: str,
    note: str = "",
    *,
    terms: float = 0.0,
    max_components: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Report:
    """Compare ``analytic`` with the slopes of each function in the arrays beside it, which it reads.

    ``terms`` is the size of the terms that the function adds up, where that is known: they may cancel.
    """
    arrays = [(f, name, array) for f, held in problems for name, array in held.items()]
    chosen = _sample([array.size for _, _, array in arrays], max_components, seed)
    cases = [
        _Case(f, name, array, np.ravel(analytic[name]), which)
        for (f, name, array), which in zip(arrays, chosen, strict=True)
    ]
    count = sum(case.chosen.size for case in cases)
    with _bar_if_it_takes_long(count, progress) as advance:
        slopes = [_slopes(case, tolerance, advance) for case in cases]
    background = max(terms, _background(cases, slopes))

    compared = [_compare(case, found, background, tolerance) for case, found in zip(cases, slopes, strict=True)]
    reports = {each.array.name: each.array for each in compared}
    failed = sum(array.failed for array in reports.values())
    worst = max((array.worst for array in reports.values() if array.worst), key=lambda c: c.error, default=None)
    return Report(
        subject,
        count,
        failed,
        worst,
        tuple(kink for each in compared for kink in each.kinks),
        tolerance,
        note,
        total=sum(case.array.size for case in cases),
        factor=_factor(compared, tolerance) if failed else None,
        arrays=reports,
    )


class _Compared(NamedTuple):
    """What was found in one array, and the slopes below which its components say nothing."""

    array: ArrayReport
    kinks: list[Kink]
    floor: Array


def _compare(case: _Case, slopes: list[Slopes], background: float, tolerance: float) -> _Compared:
    """Compare the components of one array with their slopes."""
    which = np.stack(np.unravel_index(case.chosen, case.array.shape), axis=-1) if case.array.ndim else _NO_AXIS
    analytic = case.analytic[case.chosen]
    numeric, error, floor = np.empty((3, len(slopes)))
    is_kink = np.zeros(len(slopes), np.bool_)
    kinks = []
    for k, (i, slope) in enumerate(zip(case.chosen.tolist(), slopes, strict=True)):
        value = float(analytic[k])
        error[k] = _relative_error(value, slope.central, background, tolerance)
        if error[k] > tolerance:
            slope = _in_finer_steps(case, i, slope, background, tolerance)
            error[k] = _relative_error(value, slope.central, background, tolerance)
        numeric[k], floor[k] = slope.central.value, slope.central.floor(background, tolerance)
        kink = _kink(value, float(error[k]), slope, background, tolerance)
        if kink is not None:
            is_kink[k] = True
            kinks.append(Kink(case.name, tuple(which[k].tolist()), value, *kink))
    array = ArrayReport(case.name, case.array.size, which, analytic, numeric, error, is_kink, tolerance, None)
    compared = _Compared(array, kinks, floor)
    if array.failed:
        compared = compared._replace(array=replace(array, factor=_factor([compared], tolerance)))
    return compared


def _factor(compared: list[_Compared], tolerance: float) -> float | None:
    """Return the factor by which all components are off, those at a kink left out."""
    columns = [(each.array.analytic, each.array.numeric, each.floor) for each in compared]
    counted = ~np.concatenate([each.array.kink for each in compared])
    analytic, numeric, floor = (np.concatenate(column)[counted] for column in zip(*columns, strict=True))
    return common_factor(analytic, numeric, floor, tolerance)


def _sample(sizes: list[int], at_most: int | None, seed: int) -> list[NDArray[np.intp]]:
    """Return which components of each array to compare: all, or equal shares of ``at_most``.

    What a small array leaves of its share goes to the larger ones.
    """
    if at_most is None or sum(sizes) <= at_most:
        return [np.arange(size) for size in sizes]
    filled = sum(size > 0 for size in sizes)
    if at_most < filled:
        raise ValueError(f"max_components is {at_most}, expected at least {filled}: one of each array")
    rng = random_generator(seed)
    chosen = [np.arange(0)] * len(sizes)
    for done, which in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        share = min(sizes[which], at_most // (len(sizes) - done))
        chosen[which] = np.sort(rng.choice(sizes[which], share, replace=False))
        at_most -= share
    return chosen


def _slopes(case: _Case, tolerance: float, advance: Callable[[], None]) -> list[Slopes]:
    if not case.chosen.size:
        return []
    middle, scale = case.f(), _largest(case.array) or 1.0
    slopes = []
    for i in case.chosen.tolist():
        slopes.append(differentiate(case.f, middle, case.array, i, scale, tolerance))
        advance()
    return slopes


def _in_finer_steps(case: _Case, i: int, wide: Slopes, background: float, tolerance: float) -> Slopes:
    """Return the slope found within a component much smaller than 1 if it differs from the slope found around it.

    Between two corners that are close to each other, such as those of ReLU of several samples whose features are tiny,
    f has a slope that longer steps do not see.
    """
    x = abs(float(case.array.flat[i]))
    if not 0 < x < 1 or not wide.smooth:
        return wide
    scale = _largest(case.array)
    fine = differentiate(case.f, case.f(), case.array, i, scale, tolerance, least=x)
    differs = _relative_error(wide.central.value, fine.central, background, tolerance) > tolerance
    return fine if fine.smooth and differs else wide


def _background(cases: list[_Case], slopes: list[list[Slopes]]) -> float:
    """Return how large terms of f may be that cancel: their roundings do not show in the size of f.

    A term linear in a component is as large as the component times its slope. The smaller of both sides counts, so that
    neither a wild difference at a corner nor a wild gradient hides what is wrong elsewhere.
    """
    numeric = analytic = 0.0
    for case, found in zip(cases, slopes, strict=True):
        at = case.array.flat[case.chosen]
        numeric = max(numeric, _largest(at * np.array([slope.central.value for slope in found])))
        analytic = max(analytic, _largest(at * case.analytic[case.chosen]))
    return min(numeric, analytic)


def _relative_error(analytic: float, slope: Slope, background: float, tolerance: float) -> float:
    apart = abs(analytic - slope.value)
    if apart == 0 or not math.isfinite(apart):
        return 0.0 if apart == 0 else math.inf
    return apart / max(abs(analytic), abs(slope.value), slope.floor(background, tolerance))


def _kink(
    analytic: float, error: float, slopes: Slopes, background: float, tolerance: float
) -> tuple[float, float] | None:
    """Return the slopes on either side if they differ and ``analytic`` is right for a corner between them."""
    _, left, right, smooth = slopes
    if left is None or right is None or smooth is not (error <= tolerance):
        return None

    def agrees(value: float, side: Slope) -> bool:
        return _relative_error(value, side, background, tolerance) <= tolerance

    if agrees(left.value, right) or agrees(right.value, left):
        return None
    low, high = sorted((left.value, right.value))
    sure = max(left.doubt, right.doubt) <= SUDDEN * (high - low)
    right_here = agrees(analytic, left) or agrees(analytic, right) or (sure and low < analytic < high)
    return (left.value, right.value) if right_here else None


def _largest(array: Array) -> float:
    """Return the largest finite magnitude, 0 if there is none."""
    return float(np.max(np.abs(array), initial=0, where=np.isfinite(array)))


@contextmanager
def _bar_if_it_takes_long(count: int, shown: bool) -> Iterator[Callable[[], None]]:
    """Yield what to call after each of ``count`` components: after a while it shows a bar over those to come."""
    started = time.monotonic()
    done = 0
    bar: Callable[[dict[str, float]], None] | None = None
    with ExitStack() as stack:

        def advance() -> None:
            nonlocal done, bar
            done += 1
            if bar is not None:
                bar({})
            elif shown and time.monotonic() - started > PATIENCE:
                bar = stack.enter_context(progress_bar(count - done, True, unit="component"))

        yield advance
