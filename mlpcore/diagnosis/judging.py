"""Whether an answer is right, and if not, which mistakes give exactly this answer.

Right is what equals the engine's value within the roundings that the answer's type, and that of the model, bring about
(`passes`). A mistake is named if the answer equals what the mistake computes, within the roundings of that, and if this
is something else than the right value on these data: what makes no difference here is never named.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from mlpcore.diagnosis import wording
from mlpcore.diagnosis.answers import Answer, Fault, as_numbers
from mlpcore.diagnosis.case import FLOOR, Case, fitted
from mlpcore.diagnosis.equations import TEXTBOOK, Formula
from mlpcore.diagnosis.table import MISTAKES
from mlpcore.diagnosis.values import Array, Values, through
from mlpcore.diagnosis.verdict import Diagnosis

APART = 8.0  # times both tolerances: how far a mistake's values have to be from the right ones to be told apart
VAGUE = 1e-2  # a tolerance that is a larger part of the largest number tells nothing
SCALES = ("sign", "factor-n", "divided-by-n", "factor-2", "missing-factor-2")
"""Mistakes that are often made together with another one."""


def judge(answer: object, case: Case) -> Diagnosis:
    """Judge one answer; whatever it is, no exception comes out of it."""
    equation, layer = case.equation, case.layer
    given = answer if isinstance(answer, Answer | Fault) else as_numbers(answer)
    if isinstance(given, Fault):
        return wording.fault(given, equation, layer)
    expected = case.expected
    numbers = fitted(given.numbers, expected)
    allowed = case.around_right(expected)
    if _equal(numbers, expected, allowed):
        return wording.right(equation, layer)
    first = wording.first_difference(numbers, expected, allowed)
    found = candidates(given, case, expected, allowed)
    if found:
        return wording.mistakes(equation, layer, found, first)
    if not np.isfinite(numbers).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        seen = Fault("not-finite", f"the number{wording.at(index)} is {numbers[index]}")
        return wording.fault(seen, equation, layer, first)
    said = wording.unknown if numbers.shape == expected.shape else wording.wrong_shape
    return said(equation, layer, numbers, expected, allowed)


def judge_by_own(given: Answer, by_right: Diagnosis, case: Case, from_wrong: Sequence[str]) -> Diagnosis:
    """Judge an answer that is wrong by the right inputs once more, by the student's own.

    Parameters
    ----------
    given : Answer
    by_right : Diagnosis
        What was said of it.
    case : Case
        With the student's own arrays.
    from_wrong : sequence of str
        Those of them that are wrong: phi^3.
    """
    own, first = " and ".join(from_wrong), by_right.first_difference
    expected = case.value_of(case.equation.right)
    if expected is None:
        return by_right
    allowed = case.around(case.equation.right, expected)
    for formula in (case.equation.right, TEXTBOOK.get(case.equation.name)):
        value = None if formula is None else case.value_of(formula)
        if formula is None or value is None:
            continue
        if _equal(fitted(given.numbers, value), value, case.around(formula, value)):
            return wording.follows(case.equation, case.layer, own, first)
    found = candidates(given, case, expected, allowed)
    by_right_alone = by_right.candidates and not any(" + " in name for name in by_right.candidates)
    if not found or (by_right_alone and all(" + " in name for name in found)):  # the simpler explanation counts
        return by_right
    return wording.by_own(wording.mistakes(case.equation, case.layer, found, first), own)


def _equal(numbers: Array, value: Array, allowed: Array) -> bool:
    return numbers.shape == value.shape and bool((np.abs(numbers - value) <= allowed).all())


def candidates(given: Answer, case: Case, expected: Array, allowed: Array) -> list[str]:
    """Return the names of all mistakes that give exactly this answer: single ones, else two made together."""
    numbers = given.numbers
    if not np.isfinite(numbers).all() or not numbers.any():
        return []

    def agrees(formula: Formula) -> bool:
        value = case.value_of(formula)
        if value is None or not value.any():
            return False
        compared = fitted(numbers, value)
        largest = float(np.abs(value).max())
        if compared.shape != value.shape or (np.abs(compared - value) > VAGUE * largest).any():
            return False
        around = case.around(formula, value)
        if float(around.max()) > VAGUE * largest or (np.abs(compared - value) > around).any():
            return False
        return value.shape != expected.shape or bool((np.abs(value - expected) > APART * (around + allowed)).any())

    for pairs in (_single(case.equation.name), _of_phi(case), _together(case)):
        found = list(dict.fromkeys(name for name, formula in pairs if agrees(formula)))
        if found:
            return found
    return ["updated-w"] if _updated(fitted(numbers, expected), case, expected, allowed) else []


def _single(equation: str) -> Iterator[tuple[str, Formula]]:
    for row in MISTAKES.values():
        for wrong in row.wrong.get(equation, ()):
            yield row.name, wrong.formula


def _of_phi(case: Case) -> Iterator[tuple[str, Formula]]:
    """Yield equations 3 and 4 with each mistake in the phi that they are given."""
    if case.equation.name not in ("grad_w", "grad_b"):
        return
    right = case.equation.right

    def with_phi(formula: Formula) -> Formula:
        def given(v: Values) -> Array | None:
            phi = formula(v)
            return None if phi is None or phi.shape != v.phi.shape else right(v.but(phi=phi))

        return given

    for name, formula in _single("phi_hidden" if case.values.w_next is not None else "phi_last"):
        yield name, with_phi(formula)


def _together(case: Case) -> Iterator[tuple[str, Formula]]:
    """Yield each mistake together with a factor."""
    equation = case.equation
    scales = [(name, MISTAKES[name].wrong[equation.name]) for name in SCALES if equation.name in MISTAKES[name].wrong]
    right = case.expected
    for (name, formula), (scale, wrong) in itertools.product(_single(equation.name), scales):
        if name in SCALES:
            continue
        scaled = case.value_of(wrong[0].formula)
        if scaled is None or not right.any():
            continue
        at = np.unravel_index(int(np.abs(right).argmax()), right.shape)
        factor = float(scaled[at] / right[at])
        yield f"{name} + {scale}", _times(formula, factor)


def _times(formula: Formula, factor: float) -> Formula:
    def scaled(v: Values) -> Array | None:
        value = formula(v)
        value = value[0] if isinstance(value, tuple) else value
        return None if value is None else factor * np.asarray(value)

    return scaled


def _updated(numbers: Array, case: Case, expected: Array, allowed: Array) -> bool:
    """Tell whether phi came from weights after a step of plain gradient descent, with whatever learning rate."""
    v = case.values
    if case.equation.name not in ("phi_hidden", "grad_a_hidden") or numbers.shape != expected.shape or v.a is None:
        return False
    change = v.phi_next @ (v.phi_next.T @ v.a)
    if case.equation.name == "phi_hidden":
        change = through(change, v.dsigma_at(v.z))
    size = float(np.vdot(change, change))
    if not size or np.count_nonzero(change) < 3:
        return False
    rate = float(np.vdot(change, expected - numbers)) / size
    left = np.abs(numbers - (expected - rate * change))
    return rate > 0 and bool((left <= allowed + rate * FLOOR * case.epsilon * np.abs(change).max()).all())
