"""Worksheets: the key is the engine's answer, and bad arguments are refused."""

from fractions import Fraction

import numpy as np
import pytest
import reading

import mlpcore
from mlpcore.worksheets.exact import LogSum


def floats(value):
    return np.array([floats(each) if isinstance(each, tuple) else float(each) for each in value])


def compare_with_the_engine(sheet):
    """All answers and the engine's in float64, to 1e-12."""
    model, answers = sheet.model(), sheet.answers
    model.forward(sheet.x)
    loss = model.backward(sheet.y, sheet.loss)

    def same(name, j, engine):
        np.testing.assert_allclose(floats(answers[name, j]), engine, rtol=1e-12, atol=1e-12, err_msg=f"{name} {j}")

    assert float(answers["loss", None]) == pytest.approx(loss, rel=1e-12)
    for j, layer in enumerate(model.layers, start=1):
        for name, engine in (("z", layer.z[0]), ("a", layer.a[0]), ("phi", layer.phi[0])):
            same(name, j, engine)
        same("grad_w", j, layer.grad_w)
        same("grad_b", j, layer.grad_b)
    model.update(mlpcore.SGD(sheet.learning_rate))
    for j, layer in enumerate(model.layers, start=1):
        same("new_w", j, layer.w)
        same("new_b", j, layer.b)
    model.forward(sheet.x)
    after = model.backward(sheet.y, sheet.loss)
    assert float(answers["new_loss", None]) == pytest.approx(after, rel=1e-12)
    assert after < loss


def test_the_keys_of_a_thousand_seeds_are_the_engines_answers():
    for seed in range(1000):
        compare_with_the_engine(mlpcore.worksheet(seed=seed))


@pytest.mark.parametrize("loss", ["mse", "bce", "cce"])
@pytest.mark.parametrize("activation", ["linear", "relu6", "hard_tanh", "hard_sigmoid", "sigmoid", "tanh"])
@pytest.mark.parametrize("numbers", ["integers", "fractions"])
def test_so_are_those_of_every_kind(loss, activation, numbers):
    for seed in range(3):
        compare_with_the_engine(
            mlpcore.worksheet([2, 3, 2], seed=seed, activation=activation, loss=loss, numbers=numbers)
        )


@pytest.mark.parametrize("notation", ["paper", "delta", "dz"])
def test_every_number_of_the_key_can_be_read_back(notation):
    sheet = mlpcore.worksheet(seed=11, notation=notation)
    asked = [answer for task in sheet.tasks for answer in task.answers]
    vectors = [answer for answer in asked if isinstance(answer.value, tuple)]
    arrays = {
        "markdown": reading.markdown_arrays(sheet.key.to_markdown()),
        "latex": reading.latex_arrays(sheet.key.to_latex()),
        "html": reading.html_arrays(sheet.key._repr_html_()),
    }
    for where, found in arrays.items():
        for answer in vectors:
            value = answer.value
            rows = [list(row) for row in value] if isinstance(value[0], tuple) else [[number] for number in value]
            assert any(_same(rows, each) for each in found), (where, answer.name, answer.layer)


def _same(rows, read):
    return [len(row) for row in rows] == [len(row) for row in read] and all(
        Fraction(a) == (b if isinstance(b, Fraction) else Fraction(str(b)))
        for row, others in zip(rows, read, strict=True)
        for a, b in zip(row, others, strict=True)
    )


def test_the_sheet_does_not_tell_what_it_asks_for():
    sheet = mlpcore.worksheet(seed=7)
    assert len(reading.latex_arrays(sheet.to_latex())) == 6  # a0, y, w and b of two layers
    assert sheet.to_markdown().count("?") == sum(len(task.answers) for task in sheet.tasks)
    assert "?" not in sheet.key.to_markdown()


def test_what_a_task_needs_is_given_and_what_would_answer_it_is_not():
    def given(ask):
        sheet = mlpcore.worksheet([2, 2, 1], seed=1, ask=ask)
        names = [equation.sides[0] for line in sheet.given for equation in line]
        return {(symbol.name, symbol.layer) for symbol in names if symbol.name not in ("w", "b", "y", "eta")}

    start = {("a", 0)}
    assert given(["forward"]) == start
    assert given([1]) == start | {("z", 2), ("a", 2)}
    assert given([2]) == start | {("z", 1), ("a", 1), ("phi", 2)}
    assert given([3]) == start | {("a", 1), ("phi", 1), ("phi", 2)}
    assert given(["step"]) == start | {(f"grad_{name}", j) for name in "wb" for j in (1, 2)}
    assert given([2, "step"]) == given([2])  # the gradients are phi^1
    parts = [task.part for task in mlpcore.worksheet(seed=1, ask=["step", 2]).tasks]
    assert parts == [2, 3, 4, "step"]


def test_a_network_without_a_hidden_layer_has_no_equation_2():
    sheet = mlpcore.worksheet([3, 1], seed=2, loss="bce")
    assert [task.part for task in sheet.tasks] == ["forward", "loss", 1, 3, 4, "step"]
    compare_with_the_engine(sheet)


def test_logarithms_are_written_as_such():
    sheet = mlpcore.worksheet([2, 2, 2], seed=3, activation="sigmoid", loss="cce")
    assert isinstance(sheet.answers["z", 1][0], LogSum)
    assert r"\operatorname{ln}" in sheet.to_latex()
    assert "e to the power of ln r" in str(sheet)
    assert repr(sheet) == "<Worksheet 3: a 2-2-2 network by hand>"


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ({"layers": 3}, TypeError, "layers is 3"),
    ({"layers": [2]}, ValueError, "layers has 1 numbers"),
    ({"layers": [2, 5, 1]}, ValueError, r"layers\[1\] is 5"),
    ({"layers": [2, 2.5, 1]}, TypeError, r"layers\[1\] is 2.5"),
    ({"seed": -1}, ValueError, "seed is -1"),
    ({"activation": "gelu"}, ValueError, "activation is 'gelu', expected one of 'linear'"),
    ({"activation": None}, ValueError, "activation is None"),
    ({"loss": "huber"}, ValueError, "loss is 'huber', expected one of 'mse', 'bce', 'cce'"),
    ({"loss": "no"}, ValueError, "loss is 'no'"),
    ({"loss": "cce"}, ValueError, "layers ends with 1 output"),
    ({"numbers": "floats"}, ValueError, "numbers is 'floats'"),
    ({"notation": "nielsen"}, ValueError, "notation is 'nielsen'"),
    ({"ask": 2}, TypeError, "ask is 2"),
    ({"ask": "forward"}, TypeError, "ask is 'forward'"),
    ({"ask": []}, ValueError, "ask is empty"),
    ({"ask": [5]}, ValueError, "ask has 5"),
    ({"ask": [True]}, ValueError, "ask has True"),
    ({"ask": [2], "layers": [2, 1]}, ValueError, "hidden layer"),
])  # fmt: skip
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        mlpcore.worksheet(**({"seed": 1} | arguments))


def test_the_long_name_of_a_loss_will_do():
    assert mlpcore.worksheet(seed=1, loss="mean_squared_error").loss == "mse"


def test_a_network_that_finds_no_short_numbers_says_so(monkeypatch):
    monkeypatch.setattr("mlpcore.worksheets.draw._ATTEMPTS", 0)
    with pytest.raises(ValueError, match="another seed"):
        mlpcore.worksheet(seed=1)
