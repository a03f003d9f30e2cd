"""What is said of an answer that has been judged, as `verdict.Diagnosis`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mlpcore.diagnosis.answers import Fault
from mlpcore.diagnosis.equations import Equation
from mlpcore.diagnosis.table import FAULTS, MISTAKES
from mlpcore.diagnosis.values import Array
from mlpcore.diagnosis.verdict import Diagnosis, subject

Index = tuple[int, ...]


def right(equation: Equation, layer: int | None) -> Diagnosis:
    """Return what is said of a right answer."""
    return _diagnosis(equation, layer, f"{subject(equation.quantity, layer)} is right.", right=True)


def follows(equation: Equation, layer: int | None, own: str, first: Index | None) -> Diagnosis:
    """Return what is said of an answer that is right by the student's own arrays, which are wrong."""
    name = subject(equation.quantity, layer)
    sentence = f"{name} follows correctly from your {own}, which is wrong: no mistake was made here."
    return replace(_diagnosis(equation, layer, sentence, first=first, right=True), follows=True)


def fault(seen: Fault, equation: Equation, layer: int | None, first: Index | None = None) -> Diagnosis:
    """Return what is said of an answer that leaves nothing to compare."""
    row = FAULTS[seen.name]
    sentence = f"{subject(equation.quantity, layer)}: {row.what}: {seen.seen}. {row.do}"
    return _diagnosis(equation, layer, sentence, (seen.name,), first)


def mistakes(equation: Equation, layer: int | None, found: Sequence[str], first: Index | None) -> Diagnosis:
    """Return what is said of an answer that one mistake explains, or each of several."""
    name = subject(equation.quantity, layer)
    made = [[MISTAKES[each] for each in together.split(" + ")] for together in found]
    if len(found) > 1:
        told = "; or ".join(
            f"{' and '.join(row.what for row in rows)} ({each})" for rows, each in zip(made, found, strict=True)
        )
        sentence = f"{name} is wrong, by one of these, which cannot be told apart on this data: {told}."
        return _diagnosis(equation, layer, f"{sentence} {_is(equation)}", tuple(found), first)
    rows = made[0]
    where = "" if _is_made_in(equation, rows[0].name) else " in the phi that it was computed from"
    what = "; and ".join(row.what for row in rows)
    advice = " ".join(row.do for row in rows)
    return _diagnosis(equation, layer, f"{name} is wrong: {what}{where}. {_is(equation)} {advice}", tuple(found), first)


def narrowed(equation: Equation, seen: Diagnosis, common: Sequence[str], other: Diagnosis) -> Diagnosis:
    """Return what is said of a function of whose mistakes on one network only some explain it on another too."""
    if common:
        return mistakes(equation, None, common, seen.first_difference)
    if not seen.candidates or not other.candidates:
        return other if seen.candidates else seen
    sentence = (
        f"{seen.subject}: unknown mistake, which looks like {' or '.join(seen.candidates)} on one network and like "
        f"{' or '.join(other.candidates)} on another. {_is(equation)}"
    )
    return replace(seen, sentence=sentence, mistake=None, candidates=())


def on_square(seen: Diagnosis, square: Diagnosis) -> Diagnosis:
    """Return what is said of a function that ends with an error, but makes a known mistake where all sizes are one."""
    error = seen.sentence.split(": ", 2)[2].removesuffix(f" {FAULTS['raises'].do}")
    return replace(
        square, sentence=f"{square.sentence} Where sizes differ the function ends with {error}", first_difference=None
    )


def by_own(judged: Diagnosis, own: str) -> Diagnosis:
    """Return what is said of a mistake that shows in an answer by the student's own arrays, which are wrong too."""
    return replace(judged, sentence=f"{judged.sentence} (Judged by your {own}, which is wrong too.)")


def unknown(equation: Equation, layer: int | None, numbers: Array, expected: Array, allowed: Array) -> Diagnosis:
    """Return what is said of numbers that no known mistake gives."""
    first = first_difference(numbers, expected, allowed)
    assert first is not None
    differ = int(np.count_nonzero(np.abs(numbers - expected) > allowed))
    how_many = f"; {differ} of {numbers.size} numbers differ" if numbers.size > 1 else ""
    sentence = (
        f"{subject(equation.quantity, layer)}: unknown mistake, first differs{at(first)}: got {numbers[first]:.6g}, "
        f"expected {expected[first]:.6g}{how_many}{_factor(numbers, expected, allowed)}. {_is(equation)}"
    )
    return _diagnosis(equation, layer, sentence, first=first)


def wrong_shape(equation: Equation, layer: int | None, numbers: Array, expected: Array, allowed: Array) -> Diagnosis:
    """Return what is said of numbers in another shape."""
    seen = (
        f"it has shape {numbers.shape}, expected {expected.shape}: {equation.axes if expected.ndim else 'one number'}"
    )
    if numbers.size == expected.size:
        turned = numbers.T if numbers.ndim == 2 else numbers
        if turned.shape == expected.shape and (np.abs(turned - expected) <= allowed).all():
            seen += ". It is the transpose of what is right"
        elif (np.abs(numbers.reshape(expected.shape) - expected) <= allowed).all():
            seen += ". It holds the right numbers"
    return fault(Fault("wrong-shape", seen), equation, layer)


def first_difference(numbers: Array, expected: Array, allowed: Array) -> Index | None:
    """Return the index of the first number that is wrong; None if the shape is."""
    if numbers.shape != expected.shape:
        return None
    wrong = ~(np.abs(numbers - expected) <= allowed)  # nan is wrong
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def at(index: Index) -> str:
    """Return an index in words."""
    return f" at [{', '.join(map(str, index))}]" if index else ""


def _diagnosis(
    equation: Equation,
    layer: int | None,
    sentence: str,
    candidates: tuple[str, ...] = (),
    first: Index | None = None,
    *,
    right: bool = False,
) -> Diagnosis:
    return Diagnosis(
        right=right,
        sentence=sentence,
        mistake=candidates[0] if len(candidates) == 1 else None,
        candidates=candidates,
        first_difference=first,
        quantity=equation.quantity,
        layer=layer,
        equation=f"{equation.number}: {equation.symbols}",
    )


def _is_made_in(equation: Equation, name: str) -> bool:
    """Tell whether a mistake is made in this equation, and not in the phi that equations 3 and 4 are given."""
    row = MISTAKES[name]
    return not row.wrong or equation.name in row.wrong


def _is(equation: Equation) -> str:
    return f"{equation.number[0].upper()}{equation.number[1:]}: {equation.symbols}."


def _factor(numbers: Array, expected: Array, allowed: Array) -> str:
    """Return a remark if all numbers are off by one factor."""
    if not numbers.any():
        return ", all that came are 0" if numbers.size > 1 else ""
    if numbers.size < 2 or not expected.any():
        return ""
    place = np.unravel_index(int(np.abs(expected).argmax()), expected.shape)
    factor = float(numbers[place] / expected[place])
    same = (np.abs(numbers - factor * expected) <= (1 + abs(factor)) * allowed).all()
    return f", each is {factor:.6g} times what is expected" if same else ""
