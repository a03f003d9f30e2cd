"""The bar of a notebook: few drawings, escaped, and one line of text when it is over, however it ends."""

import itertools
import sys
import types

import pytest
from test_html import Read

import mlpcore
from mlpcore import notebook_bar

X, Y = [[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0]]


class Kernel:
    """What IPython is to us: it keeps what was displayed, and what that was replaced by."""

    def __init__(self, kernel=True):
        self.displays = []
        self.kernel = object() if kernel else None

    def display(self, bundle, *, raw, display_id):
        assert raw
        assert display_id
        shown = [bundle]
        self.displays.append(shown)
        return types.SimpleNamespace(update=lambda bundle, raw: shown.append(bundle))


@pytest.fixture
def install(monkeypatch):
    def install(kernel):
        ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
        ipython.get_ipython, display.display = (lambda: kernel), kernel and kernel.display
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        return kernel

    return install


@pytest.fixture
def clock(monkeypatch):
    """Time goes on by a second with every look at it: at the beginning, at an update, when it draws."""
    monkeypatch.setattr(notebook_bar.time, "monotonic", itertools.count().__next__)


def fit(**options):
    model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    return model.fit(X, Y, "mse", **options), model


def seen(bundle):
    """Return what a browser and a terminal show of one drawing; the text is the same."""
    read = Read(bundle["text/html"])
    assert "".join(read.text) == bundle["text/plain"]
    assert set(read.tags) <= {"div", "progress", "span"}
    return bundle["text/plain"], "progress" in read.tags


def test_a_notebook_gets_the_bar_and_nothing_on_stderr(install, capsys):
    kernel = install(Kernel())
    history, _ = fit(epochs=3)
    ((*_, last),) = kernel.displays
    text, bar = seen(last)
    assert text.startswith("3 epochs in 0.0 s: loss ")
    assert text.endswith(f"{history['loss'][-1]:.4f}")
    assert not bar
    assert capsys.readouterr().err == ""


def test_others_get_that_of_the_terminal(install, capsys):
    for kernel in None, Kernel(kernel=False):
        install(kernel)
        fit(epochs=3)
        assert "3/3" in capsys.readouterr().err
        assert kernel is None or kernel.displays == []


def test_it_tells_what_was_done_and_how_long_it_will_take(install, clock):
    kernel = install(Kernel())
    fit(epochs=2, callbacks=[lambda model, epoch, logs: None])
    (drawings,) = kernel.displays
    texts = [seen(each) for each in drawings]
    assert texts[0] == ("0 of 2 epochs", True)
    assert texts[1][0].startswith("1 of 2 epochs, 3.0 s left: loss 0.")
    assert texts[1][1]
    assert texts[-1][0].startswith("2 epochs in ")


def test_many_epochs_are_drawn_ten_times_a_second_at_most(install, monkeypatch):
    kernel, ticks = install(Kernel()), itertools.count()
    monkeypatch.setattr(notebook_bar.time, "monotonic", lambda: next(ticks) / 1000)
    fit(epochs=1000, batch_size=3)
    (drawings,) = kernel.displays
    assert 2 < len(drawings) <= 15


@pytest.mark.parametrize(("stop", "left"), [(KeyboardInterrupt, "2 of 5 epochs in "), (None, "2 of 5 epochs in ")])
def test_a_training_that_ends_early_says_so(install, stop, left):
    def callback(model, epoch, logs):
        if epoch == 1:
            if stop:
                raise stop
            return True
        return False

    kernel = install(Kernel())
    if stop:
        with pytest.raises(stop):
            fit(epochs=5, callbacks=[callback])
    else:
        fit(epochs=5, callbacks=[callback])
    assert seen(kernel.displays[0][-1])[0].startswith(left)


def test_names_are_escaped(install):
    def measure(y, y_hat):
        return 1.0

    measure.__name__ = "<b>x</b>"
    kernel = install(Kernel())
    fit(metrics=[measure])
    assert "1 epoch in 0.0 s: loss " in seen(kernel.displays[0][-1])[0]
    assert "<b>" not in kernel.displays[0][-1]["text/html"]


@pytest.mark.parametrize("broken", ["display", "update"])
def test_a_display_that_fails_stops_nothing(install, broken):
    kernel = install(Kernel())

    def fail(*_, **__):
        raise RuntimeError("the notebook has gone")

    if broken == "display":
        sys.modules["IPython.display"].display = fail
    else:
        sys.modules["IPython.display"].display = lambda *_, **__: types.SimpleNamespace(update=fail)
    history, _ = fit(epochs=3)
    assert history.epoch == [0, 1, 2]
    assert kernel.displays == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (119.7, "2 min 0 s"),
        (3599.6, "1 h 0 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_durations_are_read_at_a_glance(seconds, text):
    assert notebook_bar._duration(seconds) == text
