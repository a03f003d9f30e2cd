"""Notebooks and test files for graders, run as the graders run them."""

import doctest
import json

import numpy as np
import pytest

import mlpcore

EXERCISES = mlpcore.exercises.all()


def eq2(phi_next, w_next, z):
    a = 1 / (1 + np.exp(-z))
    return phi_next @ w_next * a * (1 - a)


def eq4(phi):
    return phi[0]


def code_of(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def last_value(source, namespace):
    """Return what a cell shows: the value of its last line."""
    *lines, last = source.strip().splitlines()
    exec("\n".join(lines), namespace)
    return eval(last, namespace)


def test_nbgrader_cells_give_points_as_a_number(capsys):
    notebook = mlpcore.exercises.assignment(["eq2", "eq4"], seed="term", points={"eq2": 4}, nbgrader=True)
    namespace = {}
    setup, *cells = code_of(notebook)
    exec(setup, namespace)
    namespace |= {"eq2": eq2, "eq4": eq4}
    assert repr(last_value(cells[1], namespace)) == "4.0"
    assert 0 < last_value(cells[3], namespace) < 1
    assert "only one sample" in capsys.readouterr().out


def test_nbgrader_metadata():
    notebook = mlpcore.exercises.assignment(["eq2"], points={"eq2": 4}, nbgrader=True)
    told = [cell["metadata"]["nbgrader"] for cell in notebook["cells"]]
    assert [each["grade_id"] for each in told] == ["setup", "eq2-statement", "eq2", "eq2-test"]
    assert [each["solution"] for each in told] == [False, False, True, False]
    assert [each["locked"] for each in told] == [True, True, False, True]
    assert [each["grade"] for each in told] == [False, False, False, True]
    assert [each.get("points") for each in told] == [None, None, None, 4]
    assert {each["schema_version"] for each in told} == {3}


def test_nbgrader_solution_stands_between_its_marks():
    cell = code_of(mlpcore.exercises.assignment(["adam_step"], nbgrader=True))[1]
    kept, rest = cell.split("    ### BEGIN SOLUTION\n")
    solution, end = rest.split("    ### END SOLUTION")
    assert kept.rstrip().endswith('"""')
    assert "m_hat" in solution
    assert end.strip() == ""
    namespace = {}
    exec(cell, namespace)
    assert EXERCISES["adam_step"].check(namespace["adam_step"]).score == 1.0


def test_notebook_without_a_grader_has_stubs_and_the_students_seed():
    notebook = mlpcore.exercises.assignment(seed=None)
    setup, stub, check, *rest = code_of(notebook)
    assert len(rest) == 2 * len(EXERCISES) - 2
    assert "BEGIN SOLUTION" not in json.dumps(notebook)
    assert notebook["cells"][0]["metadata"] == {}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    namespace = {}
    exec(setup.replace('""', '"ada"'), namespace)
    exec(stub, namespace)
    mark = eval(check, namespace)
    assert (mark.seed, mark.score) == ("ada", 0.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"names": "eq2"}, TypeError, r"expected a list of names: \['eq2'\]"),
        ({"names": ["eq5"]}, KeyError, "no exercise is called 'eq5'"),
        ({"names": []}, ValueError, "names is empty"),
        ({"names": ["eq2", "eq2"]}, ValueError, "twice"),
        ({"names": ["eq2"], "points": {"eq3": 1}}, ValueError, "points has 'eq3'"),
        ({"names": ["eq2"], "points": {"eq2": -1}}, ValueError, r"points\['eq2'\] is -1"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"nbgrader": 1}, TypeError, "nbgrader is 1"),
    ],
)
def test_arguments_of_assignment(arguments, error, message):
    with pytest.raises(error, match=message):
        mlpcore.exercises.assignment(**arguments)


def otter(text, **functions):
    """Return the points that Otter gives, which runs each case as a doctest, and those there are."""
    namespace = {}
    exec(text, namespace)
    assert namespace["OK_FORMAT"] is True
    (suite,) = namespace["test"]["suites"]
    got = of = 0.0
    for case in suite["cases"]:
        test = doctest.DocTestParser().get_doctest(case["code"], dict(functions), "case", None, None)
        runner = doctest.DocTestRunner(verbose=False)
        runner.run(test, out=lambda text: None)
        got, of = got + case["points"] * (runner.failures == 0), of + case["points"]
    return got, of


def test_otter_cases_are_the_parts():
    got, of = otter(mlpcore.exercises.otter_test("eq2", seed="term", points=4), eq2=eq2)
    assert got == of == pytest.approx(4)
    got, of = otter(mlpcore.exercises.otter_test("eq4", points=2), eq4=eq4)
    assert (got, of) == (1.0, 2.0)
    assert "'hidden': False" in mlpcore.exercises.otter_test("eq4", hidden=False)


def test_arguments_of_otter_test():
    with pytest.raises(KeyError, match="no exercise is called 'eq5'"):
        mlpcore.exercises.otter_test("eq5")
    with pytest.raises(ValueError, match="points is -1"):
        mlpcore.exercises.otter_test("eq4", points=-1)
    with pytest.raises(TypeError, match="hidden is 2"):
        mlpcore.exercises.otter_test("eq4", hidden=2)
