"""Every exercise: its solution scores full marks, its stub none, and each mistake of the catalogue less, by name."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlpcore
from mlpcore.diagnosis.table import FAULTS, MISTAKES
from mlpcore.exercises import Mark
from mlpcore.exercises.naming import Quantities, case_of, usable

EXERCISES = mlpcore.exercises.all()
SEEDS = [0, 1, 2, 3, 4, 5, 6, 7, 2**40, "", "ada", "s1234567", "Zoë"]
# The most points a mistake may leave: it must show on more than the smallest data.
MOST = 0.9


def run(source: str, name: str) -> Callable[..., Any]:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace[name]


def forms(name: str) -> Iterator[tuple[int, str, Any]]:
    """Yield every form of every mistake that is made in one of an exercise's results."""
    for k, result in enumerate(EXERCISES[name].results):
        for mistake in MISTAKES.values():
            for wrong in mistake.wrong.get(result.equation, ()):
                yield k, mistake.name, wrong


def mistaken(name: str, seed: int | str, k: int, formula: Any) -> Callable[..., Any] | None:
    """Return a function with a mistake in result k, which goes on with it; None if it makes no difference."""
    exercise, returned, differs = EXERCISES[name], [], False
    for case in exercise.data(seed):
        quantities, values = Quantities(**case.arguments, **case.hidden), []
        for i, result in enumerate(exercise.results):
            judged = case_of(result, quantities)
            value = right = judged.expected
            if i == k:
                wrong = judged.value_of(formula)
                value = right if wrong is None else wrong
                differs |= value.shape != right.shape or bool(np.abs(value - right).max() > 1e-6 * np.abs(right).max())
            values.append(value)
            setattr(quantities, result.name, usable(value, right))
        returned.append(tuple(values) if len(values) > 1 else values[0])
    calls = iter(returned)
    return (lambda *arguments: next(calls)) if differs else None


@pytest.mark.parametrize("name", EXERCISES)
def test_solution_scores_full_marks(name):
    function = run(EXERCISES[name].solution(), name)
    for seed in SEEDS:
        mark = EXERCISES[name].check(function, seed=seed)
        assert mark.score == 1.0, mark
        assert mark.sentences == (), mark


@pytest.mark.parametrize("name", EXERCISES)
def test_solution_in_float32_scores_full_marks(name):
    function = run(EXERCISES[name].solution(), name)

    def single(*arguments: Any) -> Any:
        given = [np.float32(each) if isinstance(each, np.ndarray) else each for each in arguments]
        answer = function(*given)
        return tuple(map(np.float32, answer)) if isinstance(answer, tuple) else np.float32(answer)

    if name not in ("gradient_check", "softmax"):  # h is lost there in float32, and so are digits of 1000
        assert EXERCISES[name].check(single, seed=1).score == 1.0


@pytest.mark.parametrize("name", EXERCISES)
def test_stub_scores_nothing(name):
    for source in (EXERCISES[name].stub, EXERCISES[name].stub.replace("raise NotImplementedError", "pass")):
        mark = EXERCISES[name].check(run(source, name), seed=1)
        assert mark.score == 0.0
        assert len(mark.sentences) == 1


@cache
def marks_of_mistakes(name: str) -> list[tuple[int, str, Mark]]:
    """Return the result, the mistake, and the mark of every form of every mistake that makes a difference."""
    found = []
    for number, (k, mistake, wrong) in enumerate(forms(name)):
        seed = number % 5
        function = mistaken(name, seed, k, wrong.formula)
        if function is not None:
            found.append((k, mistake, EXERCISES[name].check(function, seed=seed)))
    return found


@pytest.mark.parametrize("name", EXERCISES)
def test_every_mistake_of_the_catalogue_costs_points_and_is_named(name):
    for _, mistake, mark in marks_of_mistakes(name):
        told = {known for part in mark.parts if part.mistake for known in part.mistake.split(" or ")}
        assert mark.score <= MOST, f"{mistake}\n{mark}"
        assert mistake in told, f"{mistake}\n{mark}"
    assert len({mistake for _, mistake, _ in marks_of_mistakes(name)}) >= 3


def test_a_mistake_is_told_from_all_others_nearly_always():
    told = [mistake in mark.mistakes for name in EXERCISES for _, mistake, mark in marks_of_mistakes(name)]
    assert len(told) > 400
    assert np.mean(told) > 0.98


@pytest.mark.parametrize("name", [name for name in EXERCISES if len(EXERCISES[name].results) > 1])
def test_one_mistake_costs_the_points_of_one_result(name):
    for k, mistake, mark in marks_of_mistakes(name):
        lost = {part.name.split(",")[0] for part in mark.parts if not part.ok}
        assert lost == {EXERCISES[name].results[k].name}, f"{mistake}\n{mark}"


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_that_no_mistake_explains_is_named_unknown(name):
    function = run(EXERCISES[name].solution(), name)
    rng = np.random.default_rng(8)

    def corrupted(*arguments: Any) -> Any:
        answer = function(*arguments)
        noise = [each * rng.uniform(1.1, 1.7, np.shape(each)) + 0.05 for each in listed(answer)]
        return tuple(noise) if isinstance(answer, tuple) else noise[0]

    mark = EXERCISES[name].check(corrupted, seed=2)
    assert mark.mistakes == ()
    assert mark.score == 0.0
    assert all("unknown mistake" in sentence for sentence in mark.sentences)
    assert len(mark.sentences) <= len(EXERCISES[name].results)


def listed(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, tuple) else [answer]


@pytest.mark.parametrize("name", EXERCISES)
def test_what_a_student_reads(name):
    exercise = EXERCISES[name]
    parameters = exercise.stub.split("(", 1)[1].split(")", 1)[0].split(", ")
    for parameter in parameters:
        assert f"`{parameter}`" in exercise.statement
    for result in exercise.results:
        assert f"`{result.name}`" in exercise.statement
    assert exercise.statement.count("$") % 2 == 0
    assert exercise.statement._repr_markdown_() == str(exercise.statement)
    assert f"Write `{name}(" in exercise.statement
    assert len(exercise.hints) >= 2
    assert all(hint.endswith((".", "?")) for hint in exercise.hints)
    assert "NDArray" not in exercise.solution()
    assert "Array" not in exercise.stub


def test_course_has_an_order_and_every_equation_of_the_paper():
    assert list(EXERCISES)[:2] == ["neuron", "pre_activation"]
    assert {"eq1", "eq2", "eq3", "eq4"} <= set(EXERCISES)
    assert 25 <= len(EXERCISES) <= 30
    assert mlpcore.exercises.all() is EXERCISES


def test_hints_come_one_at_a_time_and_end():
    exercise = EXERCISES["eq2"]
    exercise._told[0] = 0
    given = [exercise.hint() for _ in exercise.hints]
    assert [str(hint).split(":")[0] for hint in given] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
    assert exercise.hint().startswith("There are no more hints")
    assert exercise.hint(2) == given[1]
    for wrong in (0, 4):
        with pytest.raises(ValueError, match="number is .*, expected an integer from 1 to 3"):
            exercise.hint(wrong)


def test_seeds_give_each_student_data_of_their_own():
    def data(seed: int | str) -> np.ndarray:
        return np.concatenate(
            [value.ravel() for case in EXERCISES["eq2"].data(seed) for value in case.arguments.values()]
        )

    assert np.array_equal(data("ada"), data("ada"))
    assert data("ada").tolist() != data("grace").tolist()
    assert data(1).tolist() != data("1").tolist()
    first = [EXERCISES[name].data(1)[0].arguments["z"].ravel()[0] for name in ("relu", "sigmoid", "tanh")]
    assert len(set(first)) == 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"function": np.zeros(2)}, TypeError, r"check\(eq4\), without parentheses"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"seed": 1.5}, TypeError, "seed is 1.5"),
        ({"seed": None}, TypeError, "seed is None"),
        ({"seconds": 0}, ValueError, "seconds is 0"),
    ],
)
def test_arguments_of_check(arguments, error, message):
    given = {"function": lambda phi: phi.sum(axis=0)} | arguments
    with pytest.raises(error, match=message):
        EXERCISES["eq4"].check(given.pop("function"), **given)


def test_unknown_name_lists_the_names():
    with pytest.raises(KeyError, match="no exercise is called 'eq5', expected one of 'neuron'"):
        EXERCISES["eq5"]


def test_parts_are_those_of_a_mark():
    for name, exercise in EXERCISES.items():
        parts = exercise.check(run(exercise.solution(), name), seed=4).parts
        assert exercise.parts(4) == parts


def test_every_fault_that_is_told_is_in_the_catalogue():
    assert {"raises", "returns-nothing", "wrong-arguments", "changes-input", "wrong-type"} <= set(FAULTS)


def network(given):
    hidden, last = mlpcore.Dense(len(given["b1"]), "tanh"), mlpcore.Dense(len(given["b2"]), "sigmoid")
    model = mlpcore.Sequential([hidden, last], input_size=given["x"].shape[1], dtype="float64")
    hidden.w, hidden.b, last.w, last.b = (given[name] for name in ("w1", "b1", "w2", "b2"))
    model.forward(given["x"])
    model.backward(given["y"], loss="bce")
    return model, hidden, last


def test_right_answers_for_a_network_are_those_of_the_engine():
    for name, seed in (("backward_pass", 3), ("training_step", "ada")):
        for case in EXERCISES[name].data(seed):
            quantities, right = Quantities(**case.arguments, **case.hidden), {}
            for result in EXERCISES[name].results:
                right[result.name] = case_of(result, quantities).expected
                setattr(quantities, result.name, right[result.name])
            model, hidden, last = network({**case.arguments, **case.hidden})
            engine = {"phi2": last.phi, "grad_w2": last.grad_w, "grad_b2": last.grad_b}
            engine |= {"phi1": hidden.phi.copy(), "grad_w1": hidden.grad_w, "grad_b1": hidden.grad_b}
            if name == "training_step":
                model.update(mlpcore.SGD(case.arguments["learning_rate"]))
                engine |= {"w1_new": hidden.w, "b1_new": hidden.b, "w2_new": last.w, "b2_new": last.b}
            for result, value in right.items():
                np.testing.assert_allclose(value, engine[result], rtol=1e-12, atol=1e-14)


def test_table_of_the_docs_is_theirs():
    page = Path(__file__).parent.parent / "docs" / "exercises.md"
    if not page.exists():
        pytest.skip("the tests do not lie in a checkout")
    assert EXERCISES.to_markdown() in page.read_text(encoding="utf-8"), "put exercises.to_markdown() there"
