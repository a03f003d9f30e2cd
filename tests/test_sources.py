"""Stubs and solutions are made from one function: the same head, and a body that is left out or not."""

import ast

import pytest

import mlpcore
from mlpcore.exercises.sources import Source

EXERCISES = mlpcore.exercises.all()


def doubled(x: float, by: int = 2) -> float:
    """Return x times a number.

    x: a number
    by: another one
    returns y: one number
    """
    # a comment of the solution
    return x * by


def test_source_of_a_function():
    source = Source(doubled)
    assert source.name == "doubled"
    assert source.parameters == ("x", "by")
    assert source.signature == "doubled(x, by)"
    assert source.summary == "Return x times a number."
    assert source.shapes == (("x", "a number"), ("by", "another one"), ("returns y", "one number"))
    assert source.head + source.body == source.solution
    assert source.body == "    # a comment of the solution\n    return x * by\n"
    assert "comment" not in source.stub


@pytest.mark.parametrize("name", EXERCISES)
def test_stub_and_solution_differ_in_the_body_only(name):
    stub, solution = (ast.parse(text).body[1] for text in (EXERCISES[name].stub, EXERCISES[name].solution()))
    assert ast.dump(stub.args) == ast.dump(solution.args)
    assert stub.name == solution.name == name
    assert ast.get_docstring(stub) == ast.get_docstring(solution)
    assert len(stub.body) == 2
    assert all(argument.annotation is None for argument in solution.args.args)
    assert max(map(len, EXERCISES[name].solution().splitlines())) <= 120


@pytest.mark.parametrize("name", EXERCISES)
def test_the_docstring_tells_of_every_parameter_and_every_result(name):
    source = Source(EXERCISES[name].answer)
    told = [each for names, _ in source.shapes for each in names.removeprefix("returns ").split(", ")]
    assert told == [*source.parameters, *(result.name for result in EXERCISES[name].results)]
