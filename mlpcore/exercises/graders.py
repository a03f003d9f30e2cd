"""Exercises for graders: a notebook for nbgrader or for students by themselves, and test files for Otter."""

from collections.abc import Iterable, Mapping
from pprint import pformat
from typing import Any

from mlpcore.checks import flag, real_number
from mlpcore.exercises.exercise import Exercise, Exercises, seed_number

__all__ = ["notebook_of", "otter_test_of"]

Cell = dict[str, Any]


def notebook_of(
    exercises: Exercises,
    names: Iterable[str] | None,
    seed: int | str | None,
    points: Mapping[str, float],
    nbgrader: bool,
) -> dict[str, Any]:
    """Return a notebook, as `mlpcore.exercises.assignment` describes it."""
    if isinstance(names, str):
        raise TypeError(f"names is {names!r}, expected a list of names: [{names!r}]")
    chosen = [exercises[name] for name in (exercises if names is None else names)]
    if not chosen:
        raise ValueError("names is empty, expected at least one exercise")
    if len(set(chosen)) < len(chosen):
        raise ValueError("names has an exercise twice, expected each once")
    unknown = sorted(set(points) - {each.name for each in chosen})
    if unknown:
        raise ValueError(f"points has {unknown[0]!r}, which is not among the exercises of the notebook")
    if seed is not None:
        seed_number(seed)
    flag("nbgrader", nbgrader)
    cells = [_setup(seed, nbgrader)]
    for each in chosen:
        worth = real_number(f"points[{each.name!r}]", points.get(each.name, 1.0), at_least=0)
        cells += _cells(each, "student" if seed is None else repr(seed), worth, nbgrader)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": python}, "nbformat": 4, "nbformat_minor": 5}


def _setup(seed: int | str | None, nbgrader: bool) -> Cell:
    lines = ["import numpy as np", "import mlpcore"]
    if seed is None:
        lines += ["", 'student = ""  # your name or number']
        return _code("\n".join(lines), {})
    return _code("\n".join(lines), _nbgrader("setup", locked=True) if nbgrader else {})


def _cells(exercise: Exercise, seed: str, points: float, nbgrader: bool) -> list[Cell]:
    """Return the statement, the stub, and the cell that marks it."""
    found = f"mlpcore.exercises.all()[{exercise.name!r}]"
    told = f"{exercise.statement}\n`{found}.hint()` gives a hint, and the next one each time.\n"
    check = f"{found}.check({exercise.name}, seed={seed})"
    if not nbgrader:
        return [_markdown(told, {}), _code(exercise.stub, {}), _code(check, {})]
    name = exercise.name
    graded = f"mark = {check}\nprint(mark)\nmark.points({points:g})"
    return [
        _markdown(told, _nbgrader(f"{name}-statement", locked=True)),
        _code(exercise.solution_between("### BEGIN SOLUTION", "### END SOLUTION"), _nbgrader(name, solution=True)),
        _code(graded, _nbgrader(f"{name}-test", locked=True, points=points)),
    ]


def _nbgrader(identity: str, *, locked: bool = False, solution: bool = False, points: float | None = None) -> Cell:
    graded = {} if points is None else {"points": points}
    told = {"grade": points is not None, "grade_id": identity, "locked": locked, "solution": solution, "task": False}
    return {"nbgrader": told | graded | {"schema_version": 3}}


def _code(source: str, metadata: Cell) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source.strip().splitlines(keepends=True),
    }


def _markdown(source: str, metadata: Cell) -> Cell:
    return {"cell_type": "markdown", "metadata": metadata, "source": source.strip().splitlines(keepends=True)}


def otter_test_of(exercise: Exercise, seed: int | str, points: float, hidden: bool) -> str:
    """Return the text of a test file, as `mlpcore.exercises.otter_test` describes it."""
    real_number("points", points, at_least=0)
    flag("hidden", hidden)
    parts = exercise.parts(seed)
    total = sum(part.points for part in parts)
    cases = []
    for number, part in enumerate(parts):
        code = (
            ">>> import mlpcore\n"
            f">>> mark = mlpcore.exercises.all()[{exercise.name!r}].check({exercise.name}, seed={seed!r})\n"
            f">>> mark.parts[{number}].ok or mark.parts[{number}].sentence\n"
            "True\n"
        )
        cases.append({"name": part.name, "code": code, "points": points * part.points / total, "hidden": hidden})
    suite = {"cases": cases, "scored": True, "type": "doctest"}
    test = pformat({"name": exercise.name, "suites": [suite]}, sort_dicts=False, width=110)
    about = f"Tests of the exercise {exercise.name} of mlpcore: {exercise.title}."
    return f'"""{about}"""\n\nOK_FORMAT = True\n\ntest = {test}\n'
