"""What a gradient check returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MOST_ARRAYS = 20  # that a printed report lists
MOST_KINKS = 5


@dataclass(frozen=True)
class Component:
    """One component of a gradient, seen both ways, and the relative error between them (see `check_function`)."""

    name: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float

    def __str__(self) -> str:
        return (
            f"{_label(self.name, self.index)}: analytic {self.analytic:.16g}, numeric {self.numeric:.16g}, "
            f"relative error {self.error:.1e}"
        )


@dataclass(frozen=True)
class Kink:
    """A component at which the function has a corner; the analytic value is ``left``, ``right`` or between them."""

    name: str
    index: tuple[int, ...]
    analytic: float
    left: float
    right: float

    def __str__(self) -> str:
        return (
            f"{_label(self.name, self.index)}: slope {self.left:.9g} on the left, {self.right:.9g} on the right, "
            f"analytic {self.analytic:.9g}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class ArrayReport:
    """What a check found in one array: its components as data.

    Row i of the five arrays is about one component, in the order in which they lie in memory.

    Attributes
    ----------
    name : str
        The array's name, such as ``layers[0].w``.
    total : int
        Number of components that the array has.
    which : ndarray of shape (count, axes)
        The indices of the components compared: ``w[tuple(report.which[i])]`` is number i.
    analytic, numeric, error : ndarray of shape (count,)
        Both values and the relative error between them, as in `Component`.
    kink : ndarray of bool, shape (count,)
        Whether the function has a corner there and the analytic value is a slope at it. It does not count as failed.
    tolerance : float
        Largest error that passes.
    factor : float or None
        If something failed and all components are off by one factor: analytic = factor * numeric. -1 is a wrong sign, 0
        a gradient that is 0 everywhere.
    """

    name: str
    total: int
    which: NDArray[np.intp]
    analytic: Numbers
    numeric: Numbers
    error: Numbers
    kink: NDArray[np.bool_]
    tolerance: float
    factor: float | None

    @property
    def count(self) -> int:
        """Number of components compared, those at a kink included."""
        return len(self.error)

    @property
    def failed(self) -> int:
        """How many of them are off by more than the tolerance."""
        return int(np.count_nonzero(self._counted() > self.tolerance))

    @property
    def worst(self) -> Component | None:
        """The component with the largest error; None if every one is a kink or there is none."""
        counted = self._counted()
        if not (counted >= 0).any():
            return None
        i = int(counted.argmax())
        index = tuple(int(k) for k in self.which[i])
        return Component(self.name, index, float(self.analytic[i]), float(self.numeric[i]), float(self.error[i]))

    def _counted(self) -> Numbers:
        """Return the errors, and -1 for a kink."""
        return np.where(self.kink, -1.0, self.error)

    def __repr__(self) -> str:
        found = f"{self.failed} of {self.count} components failed" if self.failed else f"{self.count} components agree"
        return f"{self.name}: {found}{_remark(self.factor)}"


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    subject : str
        What was checked.
    count : int
        Number of components compared, those at a kink included.
    failed : int
        How many of them are off by more than ``tolerance``.
    worst : Component or None
        The component with the largest relative error; None if every component is a kink or there is none.
    kinks : tuple of Kink
        Components at a corner of the function whose analytic value is a slope there.
    tolerance : float
        Largest relative error that passes.
    note : str
        What a reader of the numbers should know besides.
    total : int
        Number of components there are; more than ``count`` if only a sample was compared.
    factor : float or None
        If something failed and every component of all arrays is off by one factor: analytic = factor * numeric.
    arrays : dict of str to ArrayReport
        The same for each array by its name, with all components as data.

    Examples
    --------
    >>> import numpy as np
    >>> from mlpcore import gradcheck
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> report = gradcheck.check_function(lambda x: float(x @ x), {"x": x}, {"x": x})
    >>> report.failed, round(report.factor, 6)
    (3, 0.5)
    >>> report.arrays["x"].numeric.round(6)
    array([2., 4., 6.])
    """

    subject: str
    count: int
    failed: int
    worst: Component | None
    kinks: tuple[Kink, ...]
    tolerance: float
    note: str = ""
    total: int = field(kw_only=True)
    factor: float | None = field(default=None, kw_only=True)
    arrays: Mapping[str, ArrayReport] = field(default_factory=dict, kw_only=True, compare=False)

    @property
    def ok(self) -> bool:
        """Whether every component compared agrees."""
        return self.failed == 0

    def __str__(self) -> str:
        lines = [self._verdict(), *(f"  {word:<6} {text}" for word, text in self._remarks())]
        if len(self.arrays) > 1:
            lines += _table(self.arrays.values(), remarks=self.factor is None)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from mlpcore import html

        rows, left = _rows(self.arrays.values(), remarks=self.factor is None)
        table = [html.table(_HEAD, rows, numbers=(1, 2, 3))] if rows else []
        remarks = [html.line(f"{word}: {text}") for word, text in self._remarks()]
        return html.block(
            html.line(self._verdict(), strong=True), *table, *([html.line(left)] if left else []), *remarks
        )

    def _verdict(self) -> str:
        verdict = f"{self.count} components agree" if self.ok else f"{self.failed} of {self.count} components DISAGREE"
        return f"gradient check of {self.subject}: {verdict} (tolerance {self.tolerance:.0e})"

    def _remarks(self) -> Iterator[tuple[str, str]]:
        """Yield what there is to say beside the verdict, each with the word that stands before it."""
        if self.count < self.total:
            yield "sample", f"{self.count} of {self.total} components were checked"
        if self.note:
            yield "note", self.note
        if self.factor is not None:
            yield "factor", f"{_equation(self.factor)} everywhere"
        if self.worst is not None:
            yield "worst", str(self.worst)
        for kink in self.kinks[:MOST_KINKS]:
            yield "kink", str(kink)
        if len(self.kinks) > MOST_KINKS:
            yield "...", f"and {len(self.kinks) - MOST_KINKS} more kinks"


def common_factor(analytic: Numbers, numeric: Numbers, floor: Numbers, tolerance: float) -> float | None:
    """Return the factor, not 1, by which all components are off: analytic = factor * numeric; None if there is none.

    Where neither value is above ``floor`` a component says nothing. Unless the factor is 0 or -1, two have to agree.
    """
    tells = ~(np.maximum(np.abs(analytic), np.abs(numeric)) <= floor)  # nan does
    if not tells.any():
        return None
    analytic, numeric, floor = analytic[tells], numeric[tells], floor[tells]
    if not analytic.any():
        return 0.0
    surest = int(np.argmax(np.abs(numeric)))
    factor = float(analytic[surest] / numeric[surest]) if numeric[surest] else np.nan
    size = np.maximum(np.maximum(np.abs(analytic), np.abs(factor * numeric)), floor * max(1.0, abs(factor)))
    if not (np.abs(analytic - factor * numeric) <= 2 * tolerance * size).all():  # nan is not
        return None
    if abs(factor + 1) <= tolerance:
        return -1.0
    return factor if len(analytic) > 1 and abs(factor - 1) > tolerance else None


_HEAD = ("array", "components", "failed", "worst error", "")


def _rows(arrays: Iterable[ArrayReport], remarks: bool) -> tuple[list[tuple[str, str, str, str, str]], str]:
    """Return a row for each array, under the cells of _HEAD, and what is left out of too many.

    A row has how many components, how many failed, the worst error, what all are off by.
    """
    listed = list(arrays)
    if len(listed) > MOST_ARRAYS:  # those that failed are worth the lines
        shown = sorted(sorted(range(len(listed)), key=lambda i: listed[i].failed == 0)[:MOST_ARRAYS])
    else:
        shown = list(range(len(listed)))
    rows = []
    for array in (listed[i] for i in shown):
        count = f"{array.count}" if array.count == array.total else f"{array.count} of {array.total}"
        worst = "-" if array.worst is None else f"{array.worst.error:.1e}"
        rows.append((array.name, count, f"{array.failed}", worst, _remark(array.factor).strip() if remarks else ""))
    left = [array for i, array in enumerate(listed) if i not in set(shown)]
    more = f"... and {len(left)} more arrays, in which {sum(array.failed for array in left)} failed" if left else ""
    return rows, more


def _table(arrays: Iterable[ArrayReport], remarks: bool) -> list[str]:
    """Return a line for each array, aligned."""
    rows, left = _rows(arrays, remarks)
    widths = [max(len(row[k]) for row in (_HEAD, *rows)) for k in range(4)]
    lines = [
        f"  {name:<{widths[0]}}  {count:>{widths[1]}}  {failed:>{widths[2]}}  {worst:>{widths[3]}}  {remark}".rstrip()
        for name, count, failed, worst, remark in (_HEAD, *rows)
    ]
    return [*lines, f"  {left}"] if left else lines


def _remark(factor: float | None) -> str:
    return "" if factor is None else f"  {_equation(factor)} everywhere"


def _equation(factor: float) -> str:
    if factor == 0:
        return "analytic = 0"
    return "analytic = -numeric" if factor == -1 else f"analytic = {factor:.6g} x numeric"


def _label(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name
