"""The demo reaches its accuracy, and its command names missing packages."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mlpcore
from mlpcore import Sequential


@pytest.fixture(scope="module")
def demo():
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    from mlpcore import demo

    return demo


def test_digits_are_split_once_and_for_all(demo) -> None:
    training, test = demo.load()
    assert training.x.shape == (1437, 64)
    assert test.x.shape == (360, 64)
    assert test.y[:10].tolist() == [7, 9, 4, 7, 0, 2, 6, 1, 3, 1]
    assert np.bincount(test.y).tolist() == [31, 35, 39, 33, 44, 29, 40, 40, 28, 41]


def test_demo_reads_97_percent_and_leaves_model_and_picture(demo, tmp_path: Path, capsys) -> None:
    accuracy = demo.run(tmp_path / "new" / "folder")
    printed = capsys.readouterr().out
    assert accuracy >= 0.97
    assert f"test accuracy {accuracy:.4f}" in printed
    assert "agree" in printed
    assert "DISAGREE" not in printed

    model = Sequential.load(tmp_path / "new" / "folder" / "digits.safetensors")
    _, test = demo.load()
    assert model.evaluate(test.x, test.y, loss="cce")["accuracy"] == accuracy
    picture = (tmp_path / "new" / "folder" / "digits.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_picture_can_show_any_number_of_mistakes(demo) -> None:
    _, test = demo.load()
    history = {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}
    for wrong in (0, 1, demo.SHOWN + 1):
        read = np.eye(10)[np.where(np.arange(len(test.y)) < wrong, (test.y + 1) % 10, test.y)]
        demo.draw(history, test, read).canvas.draw()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mlpcore", *arguments], cwd="/", capture_output=True, text=True)


def test_no_command_prints_the_help() -> None:
    ran = command()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == command("--help").stdout
    assert "usage: python -m mlpcore" in ran.stdout
    assert "demo" in ran.stdout


def test_version_is_told() -> None:
    ran = command("--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"mlpcore {mlpcore.__version__}\n", "")


@pytest.mark.parametrize("wrong", ["nothing", "--nothing"])
def test_an_unknown_command_is_refused(wrong: str) -> None:
    ran = command(wrong)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert wrong in ran.stderr


def test_command_names_the_extra_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ImportError('no sklearn here')\n")
    ran = subprocess.run([sys.executable, "-m", "mlpcore", "demo"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "pip install 'mlpcore[demo]'" in ran.stderr
    assert "Traceback" not in ran.stderr
