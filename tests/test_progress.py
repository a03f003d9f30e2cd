"""The progress bar may fail in any way: the training goes on, and its History is whole."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mlpcore import Adam, Dense, Sequential, progress

X, Y = [[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0]]

STDERR = {
    "None": "sys.stderr = None",
    "closed": "sys.stderr.close()",
    "closed below": "os.close(2)",
    "full": "os.dup2(os.open('/dev/full', os.O_WRONLY), 2)",
    "broken pipe": "ends = os.pipe(); os.dup2(ends[1], 2); os.close(ends[0]); os.close(ends[1])",
    "no file": "sys.stderr = object()",
    "None from the start": "os.close(2); os.execv(sys.executable, [sys.executable, '-c', TRAIN])",
}

TRAIN = """
import mlpcore
for callbacks in [], [lambda model, epoch, logs: None]:
    model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    history = model.fit([[0.0], [1.0]], [[0.0], [1.0]], loss="mse", epochs=3, callbacks=callbacks)
    print(history.epoch, len(history["loss"]), history is model.history, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the devices and descriptors of POSIX")
@pytest.mark.parametrize("how", STDERR)
def test_training_goes_on_whatever_stderr_is(how: str) -> None:
    code = f"import os, sys\nTRAIN = {TRAIN!r}\n{STDERR[how]}\n{TRAIN}"
    ran = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=60)
    assert ran.stdout == "[0, 1, 2] 3 True\n" * 2, ran.stderr
    assert ran.stderr == ""


class Bar:
    """Shows nothing, and fails in the call that `fails_in` names."""

    fails_in = ""
    error: type[BaseException] = RuntimeError

    def __init__(self, **options: Any) -> None:
        self.fail("made")

    def set_postfix(self, *values: Any, **options: Any) -> None:
        self.fail("set_postfix")

    def update(self) -> None:
        self.fail("update")

    def close(self) -> None:
        self.fail("close")

    def fail(self, call: str) -> None:
        if call == self.fails_in:
            raise self.error("the display has gone")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, type[BaseException]], None]:
    def install(call: str, error: type[BaseException]) -> None:
        broken = type("Broken", (Bar,), {"fails_in": call, "error": error})
        monkeypatch.setattr(progress, "_bar_class", lambda: broken)

    return install


def trained(callbacks: list[Any], **options: Any) -> tuple[list[float], bytes]:
    model = Sequential([Dense(2, "tanh"), Dense(1)], seed=1)
    history = model.fit(X, Y, loss="mse", optimizer=Adam(0.1), epochs=5, callbacks=callbacks, **options)
    assert model.epochs_trained == 5
    return history["loss"], model.layers[0].w.tobytes()


@pytest.mark.parametrize("callbacks", [[], [lambda model, epoch, logs: None]])
@pytest.mark.parametrize("error", [RuntimeError, OSError, ValueError, AttributeError, ImportError, MemoryError])
@pytest.mark.parametrize("call", ["made", "set_postfix", "update", "close"])
def test_a_display_that_fails_changes_nothing(failing, call, error, callbacks) -> None:
    failing(call, error)
    assert trained(callbacks) == trained(callbacks, progress=False)


@pytest.mark.parametrize("callbacks", [[], [lambda model, epoch, logs: None]])
@pytest.mark.parametrize("call", ["made", "set_postfix", "update", "close"])
def test_ctrl_c_passes(failing, call, callbacks) -> None:
    failing(call, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        trained(callbacks)


def test_what_a_callback_raises_passes(failing) -> None:
    failing("close", RuntimeError)
    with pytest.raises(ZeroDivisionError):
        trained([lambda model, epoch, logs: 1 / 0])


def test_the_bar_counts_the_epochs_and_shows_the_loss(capsys) -> None:
    losses, _ = trained([])
    shown = capsys.readouterr().err
    assert "100%" in shown
    assert "5/5" in shown
    assert f"loss={losses[-1]:.4f}" in shown
