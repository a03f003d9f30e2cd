"""The command line as a whole: statuses, one line for what is refused, Ctrl-C, warnings, pipes that close."""

import subprocess
import sys
import warnings

import pytest
from command_line import Runner

import mlpcore
from mlpcore import cli


@pytest.fixture
def run(capsys):
    return Runner(capsys)


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "mlpcore", *arguments], cwd="/", capture_output=True, text=True, **options
    )


@pytest.fixture
def saved(tmp_path):
    model = mlpcore.Sequential([mlpcore.Dense(4, "relu"), mlpcore.Dense(2, "softmax")], input_size=3, seed=1)
    model.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_no_command_prints_the_help(run):
    ran = run()
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == run("--help").out
    for name in ("info", "export", "demo"):
        assert f"\n    {name} " in ran.out


@pytest.mark.parametrize("name", [module.__name__.rpartition(".")[2] for module in cli.COMMANDS])
def test_every_command_has_a_help_that_explains_its_arguments(run, name):
    ran = run(name, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"usage: python -m mlpcore {name}" in ran.out


def test_a_refusal_is_a_line_and_status_2_outside_too():
    ran = command("info", "nowhere.safetensors")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "python -m mlpcore info: error: there is no file nowhere.safetensors\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "invalid choice: 'nothing'"),
        (["--nothing"], "unrecognized arguments: --nothing"),
        (["info"], "the following arguments are required: MODEL"),
        (["info", "a", "b"], "unrecognized arguments: b"),
        (["export", "a"], "the following arguments are required: --to"),
        (["export", "a", "--to", "word"], "argument --to: invalid choice: 'word'"),
        (["info", "/"], "/ is a folder, expected the file of a model"),
        (["info", "/nowhere/a.safetensors"], "there is no file /nowhere/a.safetensors"),
        (["info", "/dev/null"], "cannot load '/dev/null': not a complete safetensors file"),
        (["export", "a.safetensors", "--to", "c", "--output", "/nowhere/a.c"], "but there is no folder /nowhere"),
        (["export", "a.safetensors", "--to", "c", "--output", "/"], "--output is /, which is a folder"),
    ],
)
def test_wrong_uses(run, arguments, message):
    assert message in run.refused(*arguments)


@pytest.mark.parametrize(
    "problem", [OSError("disk\nfull"), ValueError("a\n  b"), MemoryError(), ImportError("no pandas")]
)
def test_errors_take_one_line_whatever_they_hold(run, monkeypatch, saved, problem):
    def fail(path):
        raise problem

    monkeypatch.setattr("mlpcore.cli.models.opened", fail)
    expected = " ".join(str(problem).split()) or "MemoryError"
    assert run.refused("info", saved) == f"python -m mlpcore info: error: {expected}\n"


def test_a_mistake_of_ours_is_not_hidden(monkeypatch, saved):
    def fail(path):
        raise KeyError("a bug")

    monkeypatch.setattr("mlpcore.cli.models.opened", fail)
    with pytest.raises(KeyError):
        cli.main(["info", str(saved)])


@pytest.mark.parametrize(("said", "line"), [("", "interrupted"), ("no model was written", "interrupted: no model was")])
def test_ctrl_c_ends_with_130_and_a_line(run, monkeypatch, saved, said, line):
    def stop(path):
        raise KeyboardInterrupt(said)

    monkeypatch.setattr("mlpcore.cli.models.opened", stop)
    ran = run("info", saved)
    assert (ran.status, ran.out) == (130, "")
    assert ran.err.startswith(f"python -m mlpcore info: {line}")
    assert ran.err.count("\n") == 1


def test_a_warning_is_a_line_and_warnings_are_shown_as_before_afterwards(run, saved):
    model = mlpcore.Sequential.load(saved)
    model.layers[0].w[0, 0] = float("nan")
    model.save(saved)
    before = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        ran = run("info", saved)
    assert ran.status == 0
    assert ran.err.startswith("python -m mlpcore: warning: ")
    assert "layers.0.w holds numbers that are not finite" in ran.err
    assert ran.err.count("\n") == 1
    assert warnings.showwarning is before


def test_a_pipe_that_closes_is_no_error(saved):
    line = f"{sys.executable} -m mlpcore info {saved} | true"
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd="/", capture_output=True, text=True)
    assert ran.stderr == ""


def test_info_describes_a_network(run, saved):
    ran = run("info", saved)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"{saved}, 744 bytes\na network: 3 inputs, float32, seed 1, 0 epochs trained\n\n")
    assert ran.out.endswith(f"{mlpcore.Sequential.load(saved).summary()}\n")


def test_info_tells_what_a_training_can_go_on_from(run, tmp_path):
    model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    checkpoint = mlpcore.Checkpoint(tmp_path / "model.safetensors")
    model.fit([[0.0], [1.0]], [0, 1], "mse", epochs=1, callbacks=[checkpoint], progress=False)
    ran = run("info", tmp_path / "model.safetensors")
    assert '1 epoch trained\na checkpoint: fit(..., resume="auto") goes on from it\n' in ran.out


def test_export_writes_beside_the_model_what_the_function_of_mlpcore_writes(run, saved):
    pytest.importorskip("onnx")
    ran = run("export", saved, "--to", "onnx")
    written = saved.with_suffix(".onnx")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"{written}, ")
    assert written.read_bytes() == mlpcore.to_onnx(mlpcore.Sequential.load(saved)).SerializeToString()
    other = saved.parent / "other.onnx"
    assert run("export", saved, "--to", "onnx", "--output", other).out.startswith(f"{other}, ")


def test_a_format_that_is_not_there_is_refused(run, saved, monkeypatch):
    monkeypatch.setattr("mlpcore.cli.export.FORMATS", {"onnx": "to_nothing"})
    assert "does not write onnx yet" in run.refused("export", saved, "--to", "onnx")
    assert not saved.with_suffix(".onnx").exists()
