"""From what a student gives, an array or a function, to float64 numbers; or what keeps it from being any."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpcore.diagnosis.equations import Equation
from mlpcore.diagnosis.values import Array, Values

ALIASES = {
    "X": "x", "a_prev": "x", "a_before": "x", "inputs": "x", "W": "w", "weights": "w", "bias": "b", "biases": "b",
    "y_hat": "a", "y_pred": "a", "y_true": "y", "lr": "learning_rate", "eta": "learning_rate", "grad": "grad",
}  # fmt: skip
"""Other names that parameters of a student's function often have."""


@dataclass(frozen=True)
class Fault:
    """What leaves nothing to compare: the name in `table.FAULTS`, and what was seen."""

    name: str
    seen: str


@dataclass(frozen=True)
class Answer:
    """Numbers to compare, and the dtype that they came in."""

    numbers: Array
    dtype: np.dtype[Any]


def as_numbers(value: object) -> Answer | Fault:
    """Return any answer as float64 numbers."""
    if value is None:
        return Fault("returns-nothing", "the answer is None")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            given = np.asarray(value)
    except Exception as error:  # __array__ may be anybody's
        return Fault("wrong-type", f"{type(value).__name__} cannot be made an array: {_first_line(error)}")
    if given.dtype.kind == "b":
        return Fault("wrong-type", "the numbers are True and False")
    if given.dtype.kind == "c":
        return Fault("wrong-type", "the numbers are complex")
    if given.dtype.kind not in "iuf":
        return Fault("wrong-type", f"it is a {type(value).__name__} of {given.dtype} values")
    dtype = given.dtype if given.dtype.kind == "f" else np.dtype(np.float64)
    return Answer(given.astype(np.float64), dtype)


def called(function: Callable[..., object], equation: Equation, values: Values) -> object | Fault:
    """Call a student's function with copies of what it asks for; return what it returns, or what went wrong."""
    available = {name: getattr(values, name) for name in (*equation.inputs, *equation.also, "n")}
    available = {name: value for name, value in available.items() if value is not None}
    arguments = _arguments(function, equation, available)
    if isinstance(arguments, Fault):
        return arguments
    positional, named = arguments
    given = [*positional, *named.values()]
    before = copy.deepcopy(given)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(*positional, **named)
    except (Exception, SystemExit) as error:
        return Fault("raises", f"{type(error).__name__}: {_first_line(error)}")
    for name, each, old in zip([*equation.inputs[: len(positional)], *named], given, before, strict=True):
        if not _same(each, old):
            return Fault("changes-input", f"{name} is another array after the call")
    return result


def _arguments(
    function: Callable[..., object], equation: Equation, available: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]] | Fault:
    """Return what to call a function with: by name if it knows the names, else in the order of the equation."""

    def fresh(name: str) -> object:
        return copy.deepcopy(available[name])

    in_order = [name for name in equation.inputs if name in available]
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some that are written in C tell none
        return [fresh(name) for name in in_order], {}
    asked = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    known = {p.name: name for p in asked if (name := ALIASES.get(p.name, p.name)) in available}
    unknown = [p.name for p in asked if p.name not in known and p.default is p.empty]
    if not unknown and (known or not in_order):
        positional_only = [p.name for p in asked if p.kind is p.POSITIONAL_ONLY]
        return (
            [fresh(known[p]) for p in positional_only if p in known],
            {p: fresh(name) for p, name in known.items() if p not in positional_only},
        )
    places = {p.name: place for place, p in enumerate(asked)}
    in_place = all(in_order[places[p] : places[p] + 1] == [name] for p, name in known.items())
    if len(asked) != len(in_order) or not in_place:
        what = f"{', '.join(unknown)}; there are {', '.join(available)}" if known else f"{len(asked)} arguments"
        return Fault("wrong-arguments", f"it asks for {what}, and is given {len(in_order)}: {', '.join(in_order)}")
    return [fresh(name) for name in in_order], {}


def _same(one: object, other: object) -> bool:
    """Tell whether an argument is what it was: an array, a number, or a list of arrays."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return np.array_equal(one, other)  # type: ignore[arg-type]  # whatever a function has made of a list


def _first_line(error: BaseException) -> str:
    """Return what an error says, on one line and not too long."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    return said if len(said) <= 200 else said[:197] + "..."
