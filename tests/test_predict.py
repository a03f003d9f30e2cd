"""`predict` and `evaluate` with a plain network: tables by name or by place, and every message."""

import numpy as np
import pandas as pd
import pytest
from command_line import Runner

import mlpcore

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(40, 2)), columns=["width", "height"])
AREA = FRAME["width"] * FRAME["height"]
KIND = (AREA > 0).astype(int)


@pytest.fixture
def run(capsys):
    return Runner(capsys)


def trained(tmp_path, X, y, layers, loss):
    model = mlpcore.Sequential(layers, seed=1)
    model.fit(X, y, loss, epochs=3, progress=False)
    model.save(tmp_path / "model.safetensors")
    return model, tmp_path / "model.safetensors"


@pytest.fixture
def named(tmp_path):
    return trained(tmp_path, FRAME, AREA, [mlpcore.Dense(4, "tanh"), mlpcore.Dense(1)], "mse")


@pytest.fixture
def nameless(tmp_path):
    layers = [mlpcore.Dense(4, "tanh"), mlpcore.Dense(2, "softmax")]
    return trained(tmp_path, FRAME.to_numpy(), KIND, layers, "cce")


def table(tmp_path, frame, name="data.csv"):
    frame.to_csv(tmp_path / name, index=False)
    return tmp_path / name


def test_columns_are_taken_by_name_and_others_are_no_trouble(run, tmp_path, named):
    model, file = named
    data = table(tmp_path, FRAME[["height"]].assign(colour="red", width=FRAME["width"]))
    ran = run("predict", file, data, "--output", tmp_path / "p.csv")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"{tmp_path / 'p.csv'}, 40 rows\n"
    written = pd.read_csv(tmp_path / "p.csv")
    assert written.columns.tolist() == ["output_0"]
    assert np.allclose(written["output_0"], model.predict(FRAME)[:, 0], rtol=1e-6)


def test_a_network_without_names_takes_columns_by_place(run, tmp_path, nameless):
    model, file = nameless
    ran = run("predict", file, table(tmp_path, FRAME), "--output", tmp_path / "p.csv")
    assert ran.status == 0
    assert np.allclose(pd.read_csv(tmp_path / "p.csv"), model.predict(FRAME), rtol=1e-6)


def test_evaluate_prints_what_evaluate_returns(run, tmp_path, named, nameless):
    model, file = nameless  # overwrote the other
    data = table(tmp_path, FRAME.assign(kind=KIND))
    ran = run("evaluate", file, data, "--target", "kind", "--loss", "cce")
    found = model.evaluate(FRAME.to_numpy(), KIND, "cce")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == f"{data}, 40 rows, target 'kind'"
    for name, value in found.items():
        assert f"{name:9} {value:10.6g}" in ran.out


def test_the_only_other_column_is_the_target(run, tmp_path, named):
    model, file = named
    ran = run("evaluate", file, table(tmp_path, FRAME.assign(area=AREA)), "--loss", "mse")
    assert "target 'area'" in ran.out
    assert f"{model.evaluate(FRAME, AREA, 'mse')['loss']:10.6g}" in ran.out


def test_wrong_uses_of_predict(run, tmp_path, named):
    _, file = named
    data, output = table(tmp_path, FRAME), tmp_path / "p.csv"
    renamed = table(tmp_path, FRAME.rename(columns={"width": "Width "}), "renamed.csv")
    texts = table(tmp_path, FRAME.assign(width="wide"), "texts.csv")
    gaps = table(tmp_path, FRAME.assign(width=np.nan), "gaps.csv")
    for arguments, message in [
        ((file, data), "the following arguments are required: --output"),
        ((file, data, "--output", tmp_path / "p.xlsx"), "p.xlsx ends with '.xlsx', expected .csv"),
        ((file, data, "--output", tmp_path / "no" / "p.csv"), "there is no folder"),
        ((tmp_path / "no.safetensors", data, "--output", output), "there is no file"),
        ((data, data, "--output", output), "not a complete safetensors file"),
        ((file, tmp_path / "no.csv", "--output", output), "there is no file"),
        (
            (file, renamed, "--output", output),
            "has no column 'width' (is it 'Width '?), on which the model was trained",
        ),
        (
            (file, texts, "--output", output),
            "texts.csv: X has dtype str, column 'width', expected real numbers",
        ),
        ((file, gaps, "--output", output), "gaps.csv: X has nan, row 0, column 0 ('width'): expected numbers"),
    ]:
        assert message in run.refused("predict", *arguments)
        assert not output.exists()


def test_wrong_uses_of_evaluate(run, tmp_path, nameless):
    _, file = nameless
    data = table(tmp_path, FRAME.assign(kind=KIND))
    for arguments, message in [
        ((file, data), "which column of"),
        ((file, data), "there are 'width', 'height', 'kind': give --target"),
        ((file, data, "--target", "kind"), "is a network without a name of its loss: give --loss"),
        ((file, data, "--target", "kind", "--loss", "nothing"), "loss is 'nothing', expected one of"),
        ((file, data, "--target", "knid", "--loss", "cce"), "has no column 'knid' (is it 'kind'?)"),
        ((file, table(tmp_path, FRAME.assign(kind=7), "seven.csv"), "--target", "kind", "--loss", "cce"), "y has 7"),
        ((file, table(tmp_path, FRAME.assign(kind=KIND, more=1), "more.csv"), "--target", "kind", "--loss", "cce"),
         "has 3 columns to predict from, 'width', 'height', 'more', expected 2"),
    ]:  # fmt: skip
        assert message in run.refused("evaluate", *arguments)


def test_a_choice_of_targets_is_left_to_the_user(run, tmp_path, named):
    data = table(tmp_path, FRAME.assign(area=AREA, kind=KIND))
    assert "'area', 'kind' may be it: give --target" in run.refused("evaluate", named[1], data, "--loss", "mse")
