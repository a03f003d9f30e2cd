"""Judges one result of an exercise by `mlpcore.diagnosis`: right, or wrong by which mistake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcore.diagnosis import case
from mlpcore.diagnosis.answers import Fault, as_numbers
from mlpcore.diagnosis.equations import EQUATIONS, Formula
from mlpcore.diagnosis.others import OTHERS
from mlpcore.diagnosis.values import Values

__all__ = ["TOLERANCE", "Quantities", "Result", "case_of", "usable"]

Array = NDArray[np.float64]
TOLERANCE = 1e-6  # of the largest number of a result: float32 is near enough, no mistake is


class Quantities(SimpleNamespace):
    """The arguments of a case by their names, what else is known of it, and the results before the one asked for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # arrays, numbers and functions
        raise AttributeError(f"the case has no {name!r}")


@dataclass(frozen=True)
class Result:
    """Something that the function returns.

    Attributes
    ----------
    name : str
    equation : str
        What gives it: a name of `EQUATIONS` or `OTHERS` in `mlpcore.diagnosis`, whose right sides are the engine's.
    given : callable
        `Quantities` -> what the equation reads, by the names of `mlpcore.diagnosis.values`. Where an earlier result
        enters, a student's own is tried too, so that one mistake costs the points of one result.
    layer : int or None
        The layer that it belongs to, counted from 1.
    drop : int
        How many axes of length 1, for the batch, the equation has and the student's result has not.
    axes : str
        What the axes of the result are, if they are not the equation's.
    """

    name: str
    equation: str
    given: Callable[[Quantities], Mapping[str, Any]]
    layer: int | None = None
    drop: int = 0
    axes: str = ""


@dataclass(frozen=True)
class _Case(case.Case):
    """Values of which some may be missing: a mistake that needs them cannot have been made.

    `drop` is that of the result: all values come without these axes.
    """

    drop: int = 0

    def value_of(self, formula: Formula, values: Values | None = None) -> Array | None:
        try:
            value = super().value_of(formula, values)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError):
            return None
        if value is None or value.shape[: self.drop] != (1,) * self.drop:
            return value
        return np.asarray(value[(0,) * self.drop])


def case_of(result: Result, quantities: Quantities) -> case.Case:
    """Return what a result is judged by."""
    equation = (EQUATIONS | OTHERS)[result.equation]
    if result.layer is None:
        equation = replace(equation, quantity=result.name, axes=result.axes or equation.axes)
    values = Values({"activation": "linear", "loss": "mse", **result.given(quantities)})
    epsilon = float(np.finfo(np.float64).eps)
    return _Case(equation, values, (), epsilon, result.layer, TOLERANCE, drop=result.drop)


def usable(value: Any, expected: Array) -> Array:  # noqa: ANN401
    """Return a student's value for the results that follow from it; the right one if nothing can follow from it."""
    given = as_numbers(value)
    if isinstance(given, Fault) or given.numbers.shape != expected.shape or not np.isfinite(given.numbers).all():
        return expected
    return given.numbers
