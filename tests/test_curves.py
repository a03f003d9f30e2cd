"""Curves of a history: what was recorded, in its own axes or in those given, after a training and while it runs."""

import base64
import sys
import types

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt

import mlpcore
from mlpcore.plot import HistoryDisplay, LiveHistory, curves

X = np.linspace(-1, 1, 16).reshape(16, 1)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def fit(epochs=4, **options):
    model = mlpcore.Sequential([mlpcore.Dense(1, "sigmoid")], seed=1)
    return model.fit(X, X[:, 0] > 0, "bce", epochs=epochs, validation_split=0.25, progress=False, **options)


def lines(ax):
    return {line.get_label(): line.get_ydata().tolist() for line in ax.get_lines()}


def test_everything_recorded_is_drawn_once():
    history = fit(optimizer=mlpcore.SGD(mlpcore.Cosine(0.1)))
    display = history.plot()
    assert isinstance(display, HistoryDisplay)
    assert [ax.get_title() for ax in display.axes_] == ["loss", "accuracy", "learning rate"]
    assert display.ax_ is display.axes_[0]
    assert display.ax_.figure is display.figure_
    for ax, name in zip(display.axes_[:2], ("loss", "accuracy"), strict=True):
        assert lines(ax) == {"training": history[name], "validation": history[f"val_{name}"]}
    assert list(lines(display.axes_[2]).values()) == [history["learning_rate"]]
    assert display.axes_[2].get_legend() is None


def test_given_axes_get_the_losses_or_what_is_named():
    history = fit()
    _, ax = plt.subplots()
    assert history.plot(ax=ax).ax_ is ax
    assert lines(ax) == {"training": history["loss"], "validation": history["val_loss"]}
    _, ax = plt.subplots()
    history.plot(["loss", "val_accuracy"], ax=ax)
    assert lines(ax) == {"loss": history["loss"], "val_accuracy": history["val_accuracy"]}
    assert len({line.get_color() for line in ax.get_lines()}) == 2
    assert list(lines(history.plot("accuracy").ax_).values()) == [history["accuracy"]]


@pytest.mark.parametrize(
    ("losses", "log", "scale"),
    [
        ([1.0, 0.01], None, "log"),
        ([1.0, 0.5], None, "linear"),
        ([1.0, 0.5], True, "log"),
        ([1.0, 0.01], False, "linear"),
        ([1.0, -0.01], None, "linear"),
        ([1.0, np.nan], None, "linear"),
        ([np.nan, np.nan], None, "linear"),
    ],
)
def test_losses_that_span_much_are_drawn_logarithmically(losses, log, scale):
    assert HistoryDisplay.from_history({"loss": losses}, log=log).ax_.get_yscale() == scale


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: HistoryDisplay.from_history([1.0]), TypeError, r"history is \[1.0\], expected a History"),
        (lambda: mlpcore.History().plot(), ValueError, "history has no epochs"),
        (lambda: fit().plot(["lost"]), ValueError, r"names is \['lost'\], expected some of 'loss', "),
        (lambda: fit().plot([]), ValueError, r"names is \[\]"),
        (lambda: fit().plot(log=1), TypeError, "log is 1, expected True or False"),
        (lambda: fit().plot(ax="here"), TypeError, "ax is 'here'"),
        (lambda: LiveHistory(log="yes"), TypeError, "log is 'yes'"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_live_picture_is_one_figure_that_ends_with_the_last_epoch(monkeypatch):
    monkeypatch.setattr(curves, "_SHARE_OF_TIME", 1e-9)  # it draws the first epoch, and has no time for others
    with LiveHistory() as live:
        history = fit(epochs=6, callbacks=[live])
        assert live.drawn == 1
        figure = live.figure_
        assert len(lines(figure.axes[0])["training"]) == 1
    assert live.drawn == 2
    assert live.figure_ is figure
    assert lines(figure.axes[0])["training"] == history["loss"]
    live.draw()
    assert live.drawn == 2  # nothing new


def test_in_a_notebook_a_live_picture_replaces_the_one_before(monkeypatch):
    shown = []
    display = types.ModuleType("IPython.display")
    handle = types.SimpleNamespace(update=lambda bundle, raw: shown.append(bundle))
    display.display = lambda bundle, raw, display_id: shown.append(bundle) or handle
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with LiveHistory("loss") as live:
        fit(epochs=2, callbacks=[live])
    assert len(shown) == live.drawn >= 1
    assert all(base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG") for bundle in shown)
    assert plt.get_fignums() == []  # or the notebook would show it once more
