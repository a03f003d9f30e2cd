"""How the columns of a raw table become numbers that a network learns well from.

A number becomes its distance from the median in quartile distances, clipped smoothly (Holzmüller, Grinsztajn &
Steinwart 2024), and beside it a number for each interval between its quantiles: how much of the interval lies below it
(Gorishniy, Rubachev & Babenko 2022). A category becomes a column for each of its labels, or -1 and 1 if it has two; one
with many labels an index for an `Embedding`. What was learned is numbers and texts: `Columns.described` gives them to a
file, and `mlpcore.sklearn.described_columns` reads them.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mlpcore.sklearn.frames import MISSING, dates_of, first_refused, labels_of, numbers_of, values_of

Array = NDArray[Any]

CLIP = 3.0
"""The bound of scaled numbers z: z / sqrt(1 + (z / CLIP)^2)."""

FEW_INTERVALS, MANY_INTERVALS, MANY_ROWS = 8, 16, 2048
"""In how many intervals between quantiles a number's place is told: in many, if there are many rows."""

MOST_ONE_HOT = 40
"""Of a category with more labels than this, numbers are learned."""

_MOST_LABELS = 0.5
"""A category with more labels than this share of the rows tells rows apart, and not kinds of rows."""

INTERVAL_SIZE = 0.3
"""The size of what tells a place in an interval: these numbers are many, and would outweigh the number itself."""

_LARGE, _FAR = 1e300, 1e9
"""No number counts as larger than the first, and no scaled one, so that no difference and no square overflows."""

PERIODS = {"year": 365.2425 * 86400.0, "week": 7 * 86400.0, "day": 86400.0}
"""What dates come back to, in seconds."""


@dataclass(frozen=True)
class Column:
    """A column of a table, and the numbers that it becomes.

    Attributes
    ----------
    name : str
    """

    name: str

    kind: ClassVar[str]

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        raise NotImplementedError

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        raise NotImplementedError

    def transform(self, column: Any) -> Array:  # noqa: ANN401  a column of any library
        """Return the numbers of a column's values, (n, width); ValueError if they are of another kind."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """Return what JSON can express."""
        return {"kind": self.kind} | {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True)
class LeftOut(Column):
    """A column that tells nothing.

    Attributes
    ----------
    reason : str
    """

    reason: str

    kind = "left out"

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return 0

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        return f"left out: {self.reason}"

    def transform(self, column: Any) -> Array:  # noqa: ANN401
        """Return no numbers, (n, 0)."""
        return np.empty((len(column), 0))


@dataclass(frozen=True)
class Numeric(Column):
    """Numbers x: (x - median) factor, clipped smoothly, and 0.3 (2 t - 1) for each interval, of which x covers t.

    A missing number is in the place of the median, and told by a column of its own, 1 where it is missing, if training
    had some.

    Attributes
    ----------
    median, factor : float
    edges : tuple of float
        Ascending: the bounds of the intervals. None if there are fewer than two intervals.
    tells_missing : bool
    """

    median: float
    factor: float
    edges: tuple[float, ...]
    tells_missing: bool

    kind = "numeric"

    @classmethod
    def learned(cls, name: str, values: Array, weight: Array | None) -> Column:
        """Look at values in float64, nan where missing."""
        known = ~np.isnan(values)
        there = values[known]
        if there.size == 0:
            return LeftOut(name, "all values are missing")
        if np.isinf(there).any():
            raise ValueError(f"column {name!r} contains infinity, expected finite or missing values")
        there = np.clip(there, -_LARGE, _LARGE)
        missing = there.size < values.size
        lowest, highest = float(there.min()), float(there.max())
        if lowest == highest and not missing:
            return LeftOut(name, "all values are the same")
        share = None if weight is None else weight[known]
        lower, median, upper = _quantiles(there, (0.25, 0.5, 0.75), share)
        spread = upper - lower if upper > lower else (highest - lowest) / 2
        factor = 1 / spread if spread > 0 and math.isfinite(1 / spread) else 0.0
        intervals = MANY_INTERVALS if values.size >= MANY_ROWS else FEW_INTERVALS
        edges = tuple(sorted(set(_quantiles(there, np.linspace(0, 1, intervals + 1), share))))
        return cls(name, median, factor, edges if len(edges) > 2 else (), missing)

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return 1 + max(0, len(self.edges) - 1) + self.tells_missing

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        parts = [f"(x - {self.median:.4g}) * {self.factor:.3g}, clipped to ±{CLIP:g}"]
        parts += [f"its place in {len(self.edges) - 1} intervals"] if self.edges else []
        parts += ["whether it is missing"] if self.tells_missing else []
        return "; ".join(parts)

    def transform(self, column: Any) -> Array:  # noqa: ANN401
        """Return the numbers of a column's values, (n, width); ValueError if they are no numbers, or infinite."""
        x = numbers_of(column)
        if x is None:
            found = first_refused(column, float)
            raise ValueError(f"column {self.name!r} has {found}, expected numbers as in training")
        if np.isinf(x).any():
            raise ValueError(f"column {self.name!r} contains infinity, expected finite or missing values")
        missing = np.isnan(x)
        x = np.clip(np.where(missing, self.median, x), -_LARGE, _LARGE)
        z = np.clip((x - self.median) * self.factor, -_FAR, _FAR)
        numbers = [z / np.sqrt(1 + (z / CLIP) ** 2)]
        for begin, end in zip(self.edges, self.edges[1:], strict=False):
            numbers.append(INTERVAL_SIZE * (2 * (np.clip(x, begin, end) - begin) / (end - begin) - 1))
        return np.column_stack([*numbers, missing] if self.tells_missing else numbers)


def _quantiles(values: Array, at: Sequence[float] | Array, weight: Array | None) -> list[float]:
    """Return values below which the shares `at` of the weight lie: a weight of 2 is that of two rows."""
    return np.quantile(values, at, weights=weight, method="inverted_cdf").tolist()


@dataclass(frozen=True)
class Category(Column):
    """Labels: a column for each, 1 where the value is it; or one column, -1 and 1, if there are two.

    A label that training had not is 0 in all of them, and so is a missing value unless training had some.

    Attributes
    ----------
    labels : tuple of str or None
        In order; None stands for a missing value.
    """

    labels: tuple[str | None, ...]

    kind = "category"

    @classmethod
    def learned(cls, name: str, values: Array, weight: Array | None) -> Column:
        """Look at labels."""
        labels = tuple(sorted(set(values.tolist()), key=lambda label: (label is MISSING, label or "")))
        if len(labels) == 1:
            return LeftOut(name, f"all values are {'missing' if labels[0] is MISSING else 'the same'}")
        if len(labels) > max(MOST_ONE_HOT, _MOST_LABELS * len(values)):
            return LeftOut(name, f"{len(labels)} labels in {len(values)} rows: nearly every row has its own")
        return (Embedded if len(labels) > MOST_ONE_HOT else cls)(name, labels)

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        shown = [("missing" if label is MISSING else label) for label in self.labels]
        if len(shown) == 2:
            return f"-1 for {shown[0]}, 1 for {shown[1]}"
        return f"one column each for {', '.join(shown[:6])}{', ...' if len(shown) > 6 else ''}"

    def indices(self, column: Any) -> Array:  # noqa: ANN401
        """Return the place of each value among the labels; -1: training had it not."""
        places = {label: i for i, label in enumerate(self.labels)}
        return np.array([places.get(label, -1) for label in labels_of(column).values.tolist()], np.intp)

    def transform(self, column: Any) -> Array:  # noqa: ANN401
        """Return the numbers of a column's values, (n, width)."""
        index = self.indices(column)
        if len(self.labels) == 2:
            return np.where(index < 0, 0.0, 2.0 * index - 1)[:, np.newaxis]
        return (index[:, np.newaxis] == np.arange(len(self.labels))).astype(np.float64)

    def unseen(self, column: Any) -> list[str]:  # noqa: ANN401
        """Return the labels, in order, that training had not."""
        known = set(self.labels)
        return sorted({str(label) for label in labels_of(column).values.tolist() if label not in known})


@dataclass(frozen=True)
class Embedded(Category):
    """Many labels: the place of a value among them, counted from 1, for an `Embedding`; 0 if training had it not."""

    kind = "embedded"

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return 1

    @property
    def categories(self) -> int:
        """How many rows its table has."""
        return len(self.labels) + 1

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        return f"an embedding of {len(self.labels)} labels"

    def transform(self, column: Any) -> Array:  # noqa: ANN401
        """Return the numbers of a column's values, (n, width)."""
        return (self.indices(column) + 1.0)[:, np.newaxis]


@dataclass(frozen=True)
class Date(Column):
    """Dates: the seconds since 1970 as a `Numeric`, and sine and cosine of the place in each period that they span.

    Attributes
    ----------
    seconds : Numeric
    periods : tuple of str
        Of "year", "week" and "day".
    """

    seconds: Numeric
    periods: tuple[str, ...]

    kind = "date"

    @classmethod
    def learned(cls, name: str, values: Array, weight: Array | None) -> Column:
        """Look at datetime64 in microseconds."""
        seconds = _seconds(values)
        scaled = Numeric.learned(name, seconds, weight)
        if not isinstance(scaled, Numeric):
            return scaled
        span = float(np.nanmax(seconds) - np.nanmin(seconds))
        there = seconds[~np.isnan(seconds)]
        periods = [each for each, length in PERIODS.items() if span >= length and np.ptp(there % length) > 0]
        return cls(name, scaled, tuple(periods))

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return self.seconds.width + 2 * len(self.periods)

    @property
    def done(self) -> str:
        """What is done with it, in words."""
        waves = "".join(f", sine and cosine of the {each}" for each in self.periods)
        return f"{self.seconds.done} of seconds since 1970{waves}"

    def transform(self, column: Any) -> Array:  # noqa: ANN401
        """Return the numbers of a column's values, (n, width)."""
        dates = dates_of(column)
        if dates is None:
            found = first_refused(column, np.datetime64)
            raise ValueError(f"column {self.name!r} has {found}, expected dates as in training")
        seconds = _seconds(dates)
        parts = [self.seconds.transform(seconds)]
        for each in self.periods:
            angle = 2 * np.pi / PERIODS[each] * np.where(np.isnan(seconds), 0.0, seconds)
            parts += [np.where(np.isnan(seconds), 0.0, wave(angle))[:, np.newaxis] for wave in (np.sin, np.cos)]
        return np.concatenate(parts, axis=1)

    def described(self) -> dict[str, Any]:
        """Return what JSON can express."""
        return super().described() | {"seconds": self.seconds.described()}


def _seconds(dates: Array) -> Array:
    return np.where(np.isnat(dates), np.nan, dates.astype("datetime64[us]").astype(np.int64) / 1e6)


_LEARNED: dict[str, Callable[[str, Array, Array | None], Column]] = {
    "numeric": Numeric.learned,
    "category": Category.learned,
    "date": Date.learned,
}


class Columns:
    """The columns of a table, in its order, and what each becomes.

    Parameters
    ----------
    columns : sequence of Column

    Attributes
    ----------
    columns : tuple of Column
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)

    @classmethod
    def learned(cls, names: Sequence[str], columns: Iterable[Any], weight: Array | None = None) -> Self:
        """Look at the columns of a table, whose rows count by weights >= 0; ValueError if one holds infinity."""
        found = []
        for name, column in zip(names, columns, strict=True):
            values = values_of(column)
            found.append(_LEARNED[values.kind](name, values.values, weight))
        return cls(found)

    @property
    def width(self) -> int:
        """How many numbers a row becomes."""
        return sum(column.width for column in self.columns)

    @property
    def embedded(self) -> dict[int, int]:
        """Which of these numbers are indices, and how many categories each has."""
        starts = np.cumsum([0, *(column.width for column in self.columns)])
        return {
            int(start): column.categories
            for start, column in zip(starts, self.columns, strict=False)
            if isinstance(column, Embedded)
        }

    @property
    def places(self) -> list[slice]:
        """Where the numbers of each column are."""
        ends = np.cumsum([column.width for column in self.columns]).tolist()
        return [slice(end - column.width, end) for end, column in zip(ends, self.columns, strict=True)]

    def transform(self, columns: Sequence[Any]) -> NDArray[np.float32]:
        """Return the numbers of the columns of a table, (n, width)."""
        n = len(columns[0])
        numbers = np.zeros((n, self.width), np.float32)
        for place, known, column in zip(self.places, self.columns, columns, strict=True):
            numbers[:, place] = known.transform(column)
        return numbers

    def described(self) -> list[dict[str, Any]]:
        """Return what JSON can express."""
        return [column.described() for column in self.columns]
