"""All mistakes by name."""

from __future__ import annotations

from mlpcore.diagnosis import of_arrays, of_derivatives, of_factors, of_others, of_steps
from mlpcore.diagnosis.mistakes import Mistake, mistake

FAULTS: dict[str, Mistake] = {
    row.name: row
    for row in (
        mistake(
            "raises", "the function ends with an error", "Run it by itself on small arrays and read the last line."
        ),
        mistake("returns-nothing", "the function returns None", "End it with return."),
        mistake(
            "wrong-arguments",
            "the function does not take what it is given",
            "Leave its name and its parameters as they were.",
        ),
        mistake("changes-input", "the function changes an array that it is given", "Work on a copy: x = x.copy()."),
        mistake(
            "wrong-type", "this is no array of real numbers", "Give numbers, in an array, a list or one by itself."
        ),
        mistake("wrong-shape", "the shape is wrong", "Write the shape of each factor beside it, and multiply those."),
        mistake(
            "not-finite",
            "there is a number that is not finite",
            "Look for a division by 0, log(0), or exp of a large number.",
        ),
    )
}
"""What is wrong with an answer before its numbers are looked at."""

_ROWS = (*of_derivatives.ROWS, *of_arrays.ROWS, *of_factors.ROWS, *of_steps.ROWS, *of_others.ROWS, *FAULTS.values())

MISTAKES: dict[str, Mistake] = {row.name: row.also_in(of_others.MORE.get(row.name, {})) for row in _ROWS}
"""All rows by name, those with formulas first."""
