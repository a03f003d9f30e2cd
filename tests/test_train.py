"""`train` from a raw table to a model, its predictions and its report; what it concludes, and every message."""

import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from command_line import Runner

pytest.importorskip("sklearn")

from sklearn.metrics import accuracy_score, r2_score

from mlpcore import sklearn as ours
from mlpcore import to_c
from mlpcore.cli.refusals import CommandError
from mlpcore.cli.train import MOST_WHOLE_NUMBERS, task_of

RNG = np.random.default_rng(0)
N = 240
CITY = RNG.choice(["Ulm", "Bonn", "Kiel"], N)
AREA = RNG.uniform(20, 200, N).round(1)
HOUSES = pd.DataFrame(
    {
        "city": CITY,
        "area": np.where(RNG.random(N) < 0.05, np.nan, AREA),
        "garden": RNG.random(N) < 0.5,
        "built": pd.to_datetime("1950-01-01") + pd.to_timedelta(RNG.integers(0, 20000, N), unit="D"),
        "country": "DE",
        "price": (AREA * (2000 + 900 * (CITY == "Bonn"))).round(),
    }
)
QUICK = "--epochs", 8, "--ensemble", 1


@pytest.fixture
def run(capsys):
    return Runner(capsys)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table to train on and another one, and a model of each task."""
    folder = tmp_path_factory.mktemp("train")
    HOUSES[:200].to_csv(folder / "houses.csv", index=False)
    HOUSES[200:].to_csv(folder / "new.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def prices(folder):
    command = [sys.executable, "-m", "mlpcore", "train", "houses.csv", "--target", "price", *map(str, QUICK)]
    command += ["--interval", "0.8", "--report", "report.html"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    return folder / "model.safetensors", ran.stdout


@pytest.fixture(scope="module")
def cities(folder):
    from mlpcore.cli import main

    output = folder / "cities.safetensors"
    assert (
        main(["train", str(folder / "houses.csv"), "--target", "city", "--output", str(output), *map(str, QUICK)]) == 0
    )
    return output


def test_a_regression_is_told_measured_and_saved(prices):
    model, out = prices
    assert "houses.csv: 200 rows, 5 columns beside the target\nregression of 'price': from " in out
    assert "trained on 160 rows in " in out
    assert "without 'country' (`info` says why)" in out
    assert "on 40 rows that were set aside:\n\n" in out
    assert "\nmodel   model.safetensors, " in out
    assert "\nreport  report.html, " in out
    assert isinstance(ours.load(model), ours.TabularRegressor)


def test_the_report_tells_of_the_training(folder, prices):
    text = (folder / "report.html").read_text()
    assert "<h1>price from houses.csv</h1>" in text
    titles = "Metrics on held-out rows", "Training", "Predictions and residuals", "Permutation importance"
    for title in (*titles, "Columns", "Networks", "Parameters"):
        assert f"<h2>{title}</h2>" in text
    r2 = next(line.split()[1] for line in prices[1].splitlines() if line.startswith("R2 "))
    assert f">{r2}<" in text


def test_predictions_are_those_of_the_estimator_with_their_interval(run, folder, prices):
    ran = run("predict", prices[0], folder / "new.csv", "--output", folder / "p.csv")
    assert (ran.status, ran.err) == (0, "")
    written = pd.read_csv(folder / "p.csv")
    assert written.columns.tolist() == ["prediction", "lower", "upper"]
    estimator, X = ours.load(prices[0]), HOUSES[200:].drop(columns="price")
    assert np.allclose(written["prediction"], estimator.predict(X))
    assert (written["lower"] <= written["upper"]).all()


def test_probabilities_of_classes_stand_beside_the_prediction(run, folder, cities):
    assert run("predict", cities, folder / "new.csv", "--output", folder / "c.csv").status == 0
    written = pd.read_csv(folder / "c.csv")
    assert written.columns.tolist() == ["prediction", "probability_Bonn", "probability_Kiel", "probability_Ulm"]
    assert np.allclose(written.iloc[:, 1:].sum(axis=1), 1, atol=1e-5)
    assert written["prediction"].isin(["Bonn", "Kiel", "Ulm"]).all()


def test_evaluate_finds_the_target_and_measures(run, folder, prices, cities):
    ran = run("evaluate", prices[0], folder / "new.csv")
    expected = r2_score(HOUSES["price"][200:], ours.load(prices[0]).predict(HOUSES[200:].drop(columns="price")))
    assert ran.out.startswith(f"{folder / 'new.csv'}, 40 rows, target 'price'\n")
    assert ["R2", f"{expected:.4g}", "0"] in [line.split() for line in ran.out.splitlines()]
    ran = run("evaluate", cities, folder / "new.csv")
    expected = accuracy_score(HOUSES["city"][200:], ours.load(cities).predict(HOUSES[200:].drop(columns="city")))
    assert ["accuracy", f"{expected:.4g}"] in [line.split()[:2] for line in ran.out.splitlines()]


def test_info_describes_both_kinds(run, prices, cities):
    ran = run("info", prices[0])
    assert "a TabularRegressor: 5 columns, 1 network\nintervals that hold 80% of true values\n" in ran.out
    assert "left out: all values are the same" in ran.out
    assert "a TabularClassifier: 5 columns, 1 network\nclasses: 'Bonn', 'Kiel', 'Ulm'\n" in run("info", cities).out


def test_the_same_seed_gives_the_same_file(run, folder, tmp_path):
    files = [tmp_path / f"{k}.safetensors" for k in range(3)]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        arguments = "--target", "price", "--output", file, "--seed", seed, "--epochs", 1, "--ensemble", 1
        assert run("train", folder / "houses.csv", *arguments).status == 0
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


def test_without_rows_set_aside_all_are_trained_on(run, folder, tmp_path):
    arguments = "--target", "price", "--holdout", 0, "--output", tmp_path / "m.safetensors", *QUICK
    ran = run("train", folder / "houses.csv", *arguments)
    assert ran.status == 0
    assert "trained on 200 rows" in ran.out
    assert "set aside" not in ran.out


def test_labels_that_training_had_not_are_counted_in_a_warning(run, folder, tmp_path, prices):
    odd = HOUSES[200:].copy()
    odd.iloc[:3, 0], odd.iloc[3, 0] = "Jena", "Gera"
    odd.to_csv(tmp_path / "odd.csv", index=False)
    ran = run("predict", prices[0], tmp_path / "odd.csv", "--output", tmp_path / "p.csv")
    assert ran.status == 0
    assert ran.err == (
        f"python -m mlpcore: warning: {tmp_path / 'odd.csv'}: column 'city' has 2 labels that training had not, "
        "in 4 rows: 'Gera', 'Jena'; they count as none of its labels\n"
    )


def test_classes_that_training_had_not_count_as_wrong(run, tmp_path, cities):
    odd = HOUSES[200:].copy()
    odd.iloc[:3, 0] = "Jena"
    odd.to_csv(tmp_path / "odd.csv", index=False)
    ran = run("evaluate", cities, tmp_path / "odd.csv")
    assert "3 rows of classes that training had not, 'Jena', which count as wrong" in ran.err
    assert "accuracy" in ran.out
    assert "log loss" not in ran.out


def test_a_trained_model_is_exported_whole_as_c_but_not_as_onnx(run, prices):
    ran = run("export", prices[0], "--to", "c")
    assert (ran.status, ran.err) == (0, "")
    assert prices[0].with_suffix(".c").read_text() == to_c(ours.load(prices[0]))
    assert "prepares columns, which --to onnx cannot hold: --to c writes it whole" in run.refused(
        "export", prices[0], "--to", "onnx"
    )


# ---------------------------------------------------------------------------------------------------- what is concluded


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", "a"], "classification"),
        ([True, False, True], "classification"),
        (pd.Categorical([1.5, 2.5, 1.5]), "classification"),
        ([0, 1, 1], "classification"),
        ([0.0, 1.0, 1.0], "classification"),
        (list(range(MOST_WHOLE_NUMBERS)), "classification"),
        (list(range(MOST_WHOLE_NUMBERS + 1)), "regression"),
        ([0.0, 1.0, 1.5], "regression"),
    ],
)
def test_the_task_follows_from_the_target(values, task):
    assert task_of(pd.Series(values)) == task


def test_a_date_is_no_target():
    with pytest.raises(CommandError, match="the target 'day' holds dates, expected numbers or classes"):
        task_of(pd.Series(pd.to_datetime(["2024-05-31"]), name="day"))


def test_whole_numbers_are_classes_unless_told_otherwise(run, tmp_path):
    frame = HOUSES.assign(rooms=RNG.integers(1, 5, N).astype(float))
    frame.to_csv(tmp_path / "rooms.csv", index=False)
    start = tmp_path / "rooms.csv", "--target", "rooms", "--output", tmp_path / "m.safetensors", *QUICK
    ran = run("train", *start)
    assert "classification of 'rooms': 4 classes, 1, 2, 3, 4 (--task regression predicts numbers)\n" in ran.out
    ran = run("train", *start, "--task", "regression")
    assert "regression of 'rooms': from 1 to 4\n" in ran.out
    ran = run("train", *start, "--task", "classification")
    assert "4 classes, 1, 2, 3, 4\n" in ran.out
    assert ours.load(tmp_path / "m.safetensors").classes_.tolist() == [1, 2, 3, 4]


def test_yes_and_no_are_classes_also_in_other_tables(run, folder, tmp_path):
    file = tmp_path / "m.safetensors"
    assert run("train", folder / "houses.csv", "--target", "garden", "--output", file, *QUICK).status == 0
    ran = run("evaluate", file, folder / "new.csv")
    assert (ran.status, ran.err) == (0, "")
    assert "area under the ROC curve" in ran.out


# ----------------------------------------------------------------------------------------------------------- wrong uses


def test_wrong_uses_of_train(run, folder, tmp_path):
    data = folder / "houses.csv"
    for name, frame in {
        "few": HOUSES[:8],
        "alone": HOUSES[["price"]],
        "gaps": HOUSES.assign(price=HOUSES["price"].where(HOUSES.index != 4)),
        "one": HOUSES.assign(kind="same"),
        "day": HOUSES,
        "empty": HOUSES[:0],
        "nothing": HOUSES[["country", "price"]],
        "infinite": HOUSES.assign(price=np.inf),
    }.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    for arguments, message in [
        ((data,), "the following arguments are required: --target"),
        ((tmp_path / "no.csv", "--target", "price"), "there is no file"),
        ((data, "--target", "prize"), "has no column 'prize' (is it 'price'?)"),
        ((tmp_path / "empty.csv", "--target", "price"), "empty.csv has no rows"),
        ((tmp_path / "few.csv", "--target", "price"), "few.csv has 8 rows, expected at least 10 to set some aside"),
        ((tmp_path / "alone.csv", "--target", "price"), "has no column but the target 'price'"),
        ((tmp_path / "gaps.csv", "--target", "price"), "has no value in 1 of 240 rows, the first in row 5"),
        ((tmp_path / "day.csv", "--target", "built"), "the target 'built' holds dates"),
        ((tmp_path / "infinite.csv", "--target", "price", "--task", "regression"), "the target holds infinity"),
        ((data, "--target", "city", "--task", "regression"), "the target 'city' holds "),
        ((data, "--target", "city", "--interval", 0.9), "--interval is for regression"),
        ((data, "--target", "price", "--interval", 1), "--interval is 1, expected a share between 0 and 1"),
        ((data, "--target", "price", "--holdout", 1), "--holdout is 1, expected a share from 0 to less than 1"),
        ((data, "--target", "price", "--holdout", 0, "--report", tmp_path / "r.html"), "--report needs rows that"),
        ((data, "--target", "price", "--epochs", 0), "--epochs is 0, expected at least 1"),
        ((data, "--target", "price", "--epochs", "many"), "argument --epochs: invalid int value: 'many'"),
        ((data, "--target", "price", "--ensemble", -1), "--ensemble is -1, expected at least 1"),
        ((data, "--target", "price", "--seed", -1), "--seed is -1, expected at least 0"),
        ((data, "--target", "price", "--task", "ranking"), "argument --task: invalid choice: 'ranking'"),
        ((data, "--target", "price", "--report", tmp_path / "no" / "r.html"), "there is no folder"),
        ((data, "--target", "price", "--output", tmp_path), "which is a folder"),
    ]:
        assert message in run.refused("train", *arguments, *(() if "--output" in arguments else ("--output", "/tmp/m")))


@pytest.mark.parametrize(
    ("name", "frame", "target", "message"),
    [
        ("one", HOUSES.assign(kind="same"), "kind", "y has one class, 'same', expected at least two"),
        ("nothing", HOUSES[["country", "price"]], "price", "X has no column that tells anything"),
    ],
)
def test_what_the_estimator_refuses_is_a_line_too(run, tmp_path, name, frame, target, message):
    frame.to_csv(tmp_path / "data.csv", index=False)
    ran = run("train", tmp_path / "data.csv", "--target", target, "--output", tmp_path / "m.safetensors")
    assert ran.status == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "m.safetensors").exists()


def test_wrong_uses_of_a_trained_model(run, folder, tmp_path, prices):
    model = prices[0]
    HOUSES[200:].drop(columns="area").to_csv(tmp_path / "less.csv", index=False)
    HOUSES[200:].rename(columns={"area": "Area"}).to_csv(tmp_path / "renamed.csv", index=False)
    HOUSES[200:].assign(area="large").to_csv(tmp_path / "texts.csv", index=False)
    HOUSES[200:].assign(price="dear").to_csv(tmp_path / "dear.csv", index=False)
    output = "--output", tmp_path / "p.csv"
    for arguments, message in [
        (("predict", model, tmp_path / "less.csv", *output), "less.csv has no column 'area'"),
        (("predict", model, tmp_path / "renamed.csv", *output), "has no column 'area' (is it 'Area'?), on which the"),
        (("predict", model, tmp_path / "texts.csv", *output), "column 'area' has 'large' in row 0, expected numbers"),
        (("evaluate", model, folder / "new.csv", "--loss", "mse"), "knows how it is measured: leave --loss out"),
        (("evaluate", model, tmp_path / "dear.csv", "--target", "price"), "holds 'dear', expected numbers"),
    ]:
        assert message in run.refused(*arguments)


def test_ctrl_c_ends_a_training_at_once(folder, tmp_path):
    command = [sys.executable, "-m", "mlpcore", "train", folder / "houses.csv", "--target", "price"]
    command += ["--output", tmp_path / "m.safetensors", "--epochs", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline(), process.stdout.readline()  # said just before the training
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        try:
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert time.monotonic() - begin < 5
    assert (process.returncode, err) == (130, "python -m mlpcore train: interrupted: no model was written\n")
    assert not (tmp_path / "m.safetensors").exists()
