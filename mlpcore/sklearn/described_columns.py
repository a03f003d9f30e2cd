"""Columns from the description in a file, which comes from anywhere: each entry is checked before it is believed."""

import itertools
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from mlpcore.files import quoted
from mlpcore.sklearn.preprocessing import PERIODS, Category, Column, Columns, Date, Embedded, LeftOut, Numeric


def columns_from(description: object) -> Columns:
    """Return what `Columns.described` described; ValueError if it describes nothing."""
    if not isinstance(description, list) or not description:
        raise ValueError(f"columns is {quoted(description)}, expected a list of at least one column")
    return Columns([_column_of(f"columns[{j}]", each) for j, each in enumerate(description)])


def _column_of(name: str, description: object) -> Column:
    """Return the column that a file describes; ValueError unless all of it is what `Column.described` gives."""
    kinds: dict[str, type[Column]] = {each.kind: each for each in (Numeric, Category, Embedded, Date, LeftOut)}
    kind = description.get("kind") if isinstance(description, dict) else None
    if not isinstance(description, dict) or not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{name} is {quoted(description)}, expected one of kind {', '.join(map(repr, kinds))}")
    expected = {"kind", *(each.name for each in fields(kinds[kind]))}
    if description.keys() != expected:
        raise ValueError(f"{name} has the entries {quoted(sorted(description))}, expected {sorted(expected)}")
    values = {key: _READ[key](f"{name}: {key}", value) for key, value in description.items() if key != "kind"}
    return kinds[kind](**values)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {quoted(value)}, expected a text")
    return value


def _number(name: str, value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError(f"{name} is {quoted(value)}, expected a finite number")
    return float(value)  # type: ignore[arg-type]


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {quoted(value)}, expected true or false")
    return value


def _edges(name: str, value: object) -> tuple[float, ...]:
    edges = tuple(_number(name, each) for each in value) if isinstance(value, list) else None
    if edges is None or len(edges) in (1, 2) or any(a >= b for a, b in itertools.pairwise(edges)):
        raise ValueError(f"{name} is {quoted(value)}, expected ascending numbers, three at least, or none")
    return edges


def _labels(name: str, value: object) -> tuple[str | None, ...]:
    labels = value if isinstance(value, list) else []
    if (
        len(labels) < 2
        or len(set(map(str, labels))) < len(labels)
        or not all(isinstance(each, str | None) for each in labels)
    ):
        raise ValueError(f"{name} is {quoted(value)}, expected two different labels or more")
    return tuple(labels)


def _periods(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each in PERIODS for each in value):
        raise ValueError(f"{name} is {quoted(value)}, expected some of {', '.join(map(repr, PERIODS))}")
    return tuple(value)


def _numeric(name: str, value: object) -> Numeric:
    column = _column_of(name, value)
    if not isinstance(column, Numeric):
        raise ValueError(f"{name} is {quoted(value)}, expected a column of numbers")
    return column


_READ: dict[str, Callable[[str, object], Any]] = {
    "name": _text,
    "median": _number,
    "factor": _number,
    "edges": _edges,
    "tells_missing": _flag,
    "labels": _labels,
    "seconds": _numeric,
    "periods": _periods,
    "reason": _text,
}
"""How a file's entry of a column is read."""
