"""Exercises of a course on backpropagation, with hints, partial credit, and a sentence about each mistake.

`exercise`  what an exercise is, and how a function is marked
`tasks`     the exercises
`mark`      what `check` returns
`calling`   calls a student's function, whatever it does
`limits`    a limit of time
`sources`   stubs and solutions as source text
`naming`    which mistake a wrong result comes from
`draws`     numbers to try functions on
`graders`   notebooks for nbgrader, test files for Otter

``docs/exercises.md`` tells a teacher how to use them.

Examples
--------
>>> import mlpcore
>>> exercises = mlpcore.exercises.all()
>>> len(exercises)
29
>>> eq3 = exercises["eq3"]
>>> print(eq3.hint(1))
Hint 1 of 3: The result has a row for each unit and a column for each input, like w: (out, in).
>>> def my_eq3(phi, x):
...     return x.T @ phi
>>> eq3.check(my_eq3, seed="ada").score
0.0
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mlpcore.exercises.exercise import Case, Exercise, Exercises, Text
from mlpcore.exercises.mark import Mark, Part
from mlpcore.exercises.naming import Result

__all__ = ["Case", "Exercise", "Exercises", "Mark", "Part", "Result", "Text", "all", "assignment", "otter_test"]

_exercises: list[Exercises] = []


def all() -> Exercises:  # noqa: A001  # mlpcore.exercises.all() reads as what it is
    """Return all exercises by name, in the order of a course; the same objects at each call.

    Returns
    -------
    Exercises

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.exercises.all()["sgd"]
    <Exercise sgd: Gradient descent>
    """
    if not _exercises:
        from mlpcore.exercises.tasks import IN_ORDER

        _exercises.append(Exercises(IN_ORDER))
    return _exercises[0]


def assignment(
    names: Iterable[str] | None = None,
    *,
    seed: int | str | None = 0,
    points: Mapping[str, float] | None = None,
    nbgrader: bool = False,
) -> dict[str, Any]:
    """Return a notebook of exercises: for each its statement, its stub, and a cell that marks it.

    Parameters
    ----------
    names : iterable of str, optional
        Which exercises, in which order; None for all.
    seed : int >= 0, str or None, default 0
        What the data are drawn with. None: each student writes a name or number into the first cell, which is the seed.
    points : mapping of str to float, optional
        What an exercise is worth; 1 for those that it does not name.
    nbgrader : bool, default False
        Make it a source notebook of nbgrader: with solutions, which ``nbgrader generate_assignment`` takes out, with
        locked statements and tests, and with partial credit.

    Returns
    -------
    dict
        The notebook in version 4.5 of the format, ready for ``json.dump``.

    Raises
    ------
    KeyError
        If there is no exercise of a name.
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import json, mlpcore
    >>> notebook = mlpcore.exercises.assignment(["eq1", "eq2"], seed=None, points={"eq2": 3}, nbgrader=True)
    >>> len(notebook["cells"])
    7
    >>> with open("lesson.ipynb", "w") as file:  # doctest: +SKIP
    ...     json.dump(notebook, file)
    """
    from mlpcore.exercises.graders import notebook_of

    return notebook_of(all(), names, seed, points or {}, nbgrader)


def otter_test(name: str, *, seed: int | str = 0, points: float = 1.0, hidden: bool = True) -> str:
    """Return the text of a test file for Otter-Grader: an OK test with a case for each part of the mark.

    Parameters
    ----------
    name : str
        The exercise's; the student's function has to have it too.
    seed : int >= 0 or str, default 0
        What the data are drawn with.
    points : float, default 1.0
        What the exercise is worth; its parts share them.
    hidden : bool, default True
        Whether students see the cases only after grading.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If there is no such exercise.
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import mlpcore
    >>> text = mlpcore.exercises.otter_test("eq4", points=4)
    >>> text.splitlines()[2]
    'OK_FORMAT = True'
    """
    from mlpcore.exercises.graders import otter_test_of

    return otter_test_of(all()[name], seed, points, hidden)
