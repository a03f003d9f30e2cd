"""The loss of an estimator's training: where it is found, and what is drawn of it."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

import matplotlib.pyplot as plt
import sklearn.neural_network
from sklearn.datasets import make_moons
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpcore import History
from mlpcore.plot import HistoryDisplay, LossCurveDisplay
from mlpcore.sklearn import MLPClassifier

X, y = make_moons(200, noise=0.2, random_state=0)
OPTIONS = {"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0, "tol": 0.0, "n_iter_no_change": 100}

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def lines(display):
    return {line.get_label(): list(line.get_ydata()) for line in display.ax_.get_lines()}


def test_both_losses_of_an_estimator_are_drawn_and_its_best_epoch():
    model = MLPClassifier(early_stopping=True, **OPTIONS).fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    drawn = lines(display)
    assert drawn["training"] == model.loss_curve_
    assert drawn["validation"] == model.validation_loss_curve_
    assert display.best_epoch == int(np.argmin(model.validation_loss_curve_))
    best = min(model.validation_loss_curve_)
    assert drawn[f"best: {best:.4g} after epoch {display.best_epoch}"] == [best]


@pytest.mark.parametrize("kind", [MLPClassifier, sklearn.neural_network.MLPClassifier])
def test_pipelines_searches_and_scikit_learns_own_have_a_curve(kind):
    pipeline = make_pipeline(StandardScaler(), kind(**OPTIONS))
    search = GridSearchCV(pipeline, {f"{kind.__name__.lower()}__alpha": [0.1, 0.01]}, cv=2).fit(X, y)
    expected = list(search.best_estimator_[-1].loss_curve_)
    for estimator in (search, search.best_estimator_, search.best_estimator_[-1]):
        display = LossCurveDisplay.from_estimator(estimator)
        assert list(lines(display).values()) == [expected]
        assert display.best_epoch is None


def test_a_history_is_taken_first_and_only_its_losses_are_drawn():
    history = History()
    history.append({"loss": 0.7, "accuracy": 0.5, "val_loss": 0.8, "val_accuracy": 0.4})

    class Tabular:
        history_ = history
        loss_curve_ = (1.0, 2.0)

    display = LossCurveDisplay.from_estimator(Tabular())
    assert [ax.get_title() for ax in display.axes_] == ["loss"]
    assert lines(display)["validation"] == [0.8]
    assert isinstance(display, HistoryDisplay)
    assert len(LossCurveDisplay.from_history(history, ["accuracy"]).ax_.get_lines()) == 1


def test_a_validation_that_is_all_nan_has_no_best_epoch():
    assert LossCurveDisplay.from_history({"loss": [1.0], "val_loss": [float("nan")]}).best_epoch is None


def test_it_draws_where_it_is_told():
    _, ax = plt.subplots()
    display = LossCurveDisplay.from_history({"loss": [1.0, 0.5]}, log=True, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LossCurveDisplay.from_estimator(MLPClassifier()), TypeError, "has neither history_ nor loss_curve_"),
        (lambda: LossCurveDisplay.from_estimator(StandardScaler()), TypeError, "expected one of mlpcore.sklearn"),
        (lambda: LossCurveDisplay.from_history({}), ValueError, "history has no epochs"),
        (lambda: LossCurveDisplay.from_history({"loss": [1.0]}, ax=1), TypeError, "ax is 1, expected the axes"),
    ],
)
def test_what_has_no_curve_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
