"""What an answer is judged by, and within which limits: the values around a layer, exact and moved by roundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpcore.diagnosis.equations import TEXTBOOK, Equation, Formula
from mlpcore.diagnosis.values import Array, Values

ROOM = 16.0  # times what roundings were seen to do
FLOOR = 16.0  # roundings of the largest number of an array, in each of its numbers


@dataclass(frozen=True)
class Case:
    """What an answer is judged by: the values around a layer, exact and moved by roundings.

    Attributes
    ----------
    equation : Equation
    values : Values
    moved : tuple of Values
    epsilon : float
        Of the type that the student computed in.
    layer : int or None
        Its number in the paper.
    tolerance : float or None
        The largest error that is right, relative to the largest number of the array; None: as roundings have it.
    """

    equation: Equation
    values: Values
    moved: tuple[Values, ...]
    epsilon: float
    layer: int | None = None
    tolerance: float | None = None

    def value_of(self, formula: Formula, values: Values | None = None) -> Array | None:
        """Return what a formula gives; None where it does not apply, or gives no finite numbers."""
        try:
            with np.errstate(all="ignore"):
                given = formula(self.values if values is None else values)
        except ValueError:  # shapes that do not fit: the mistake cannot be made here
            return None
        if isinstance(given, tuple):  # a step: the weights, and the optimizer's arrays
            given = given[0]
        if given is None:
            return None
        array = np.asarray(given, np.float64)
        return array if np.isfinite(array).all() else None

    def around(self, formula: Formula, value: Array) -> Array:
        """Return how far an answer may be from a formula's value: what roundings do to it, with room to spare."""
        largest = float(np.max(np.abs(value), initial=0.0))
        if self.tolerance is not None:
            return np.full(value.shape, self.tolerance * largest)
        spread = np.zeros(value.shape)
        for values in self.moved:
            other = self.value_of(formula, values)
            if other is not None and other.shape == value.shape:
                spread = np.maximum(spread, np.abs(other - value))
        return ROOM * spread + FLOOR * self.epsilon * largest

    def around_right(self, value: Array) -> Array:
        """Return the same for the equation itself, in the engine's form and in a student's."""
        allowed = self.around(self.equation.right, value)
        textbook = TEXTBOOK.get(self.equation.name)
        if textbook is None or self.tolerance is not None:
            return allowed
        return np.maximum(allowed, self.around(textbook, value))

    @property
    def expected(self) -> Array:
        """The right value."""
        value = self.value_of(self.equation.right)
        assert value is not None
        return value


def fitted(numbers: Array, value: Array) -> Array:
    """Return numbers in the shape of a value if they differ in nothing but an axis of one for the batch."""
    if value.ndim == 0 and numbers.size == 1:
        return numbers.reshape(())
    if value.ndim == 1 and numbers.shape == (1, len(value)):
        return numbers.reshape(-1)
    return numbers
