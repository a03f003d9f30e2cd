"""Displays of predictions: scikit-learn's numbers, in colours that can be seen on light and dark backgrounds."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb
from sklearn.calibration import calibration_curve
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlpcore.plot import CalibrationDisplay, ConfusionMatrixDisplay, PartialDependenceDisplay, ResidualsDisplay
from mlpcore.sklearn import MLPClassifier, MLPRegressor

OPTIONS = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}
DARK = "dark_background"

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def classified(classes):
    X, y = make_classification(300, 6, n_informative=4, n_classes=classes, random_state=0)
    names = np.array(["ant", "bee", "cat"])[y]
    return MLPClassifier(**OPTIONS).fit(X, names), X, names


@pytest.fixture(scope="module")
def three():
    return classified(3)


@pytest.fixture(scope="module")
def two():
    return classified(2)


@pytest.fixture(scope="module")
def regression():
    X, y = make_regression(200, 3, random_state=0)
    frame = pd.DataFrame(X, columns=["width", "height", "kind"])
    frame["kind"] = np.where(frame["kind"] > 0, "new", "old")
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), remainder=StandardScaler())
    return make_pipeline(columns, MLPRegressor(**OPTIONS)).fit(frame, y / y.std()), frame, y / y.std()


def contrast(one, other):
    """Return the ratio of two colours' luminances, by WCAG."""

    def luminance(colour):
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_matrix_has_scikit_learns_counts(three):
    model, X, y = three
    display = ConfusionMatrixDisplay.from_estimator(model, X, y)
    assert display.confusion_matrix.tolist() == confusion_matrix(y, model.predict(X)).tolist()
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["ant", "bee", "cat"]
    assert isinstance(display, ConfusionMatrixDisplay)
    assert ConfusionMatrixDisplay.from_estimator(model, X, y, normalize="true").confusion_matrix.max() <= 1


@pytest.mark.parametrize("style", ["default", DARK])
def test_empty_cells_have_the_colour_of_the_background_and_every_count_can_be_read(style):
    with plt.style.context(style):
        display = ConfusionMatrixDisplay.from_predictions([0, 0, 1, 1, 2], [0, 0, 1, 0, 2])
        ground = display.ax_.get_facecolor()
        assert np.allclose(display.im_.cmap(0.0)[:3], to_rgb(ground), atol=0.01)
        for (i, k), text in np.ndenumerate(display.text_):
            cell = display.im_.cmap(display.im_.norm(display.confusion_matrix[i, k]))
            assert contrast(text.get_color()[:3], cell[:3]) > 2, (i, k)


def test_colours_of_the_matrix_can_be_chosen(three):
    assert ConfusionMatrixDisplay.from_estimator(*three, cmap="Greens").im_.cmap.name == "Greens"


def test_calibration_of_two_classes_is_scikit_learns(two):
    model, X, y = two
    display = CalibrationDisplay.from_estimator(model, X, y, n_bins=4)
    expected = calibration_curve(y, model.predict_proba(X)[:, 1], n_bins=4, pos_label="bee")
    assert np.array_equal([display.prob_true, display.prob_pred], expected)
    assert "bee" in display.ax_.get_xlabel()


def test_calibration_of_more_classes_compares_the_predicted_class_with_how_often_it_was_right(three):
    model, X, y = three
    display = CalibrationDisplay.from_estimator(model, X, y, n_bins=4)
    probability = model.predict_proba(X).max(axis=1)
    expected = calibration_curve(model.predict(X) == y, probability, n_bins=4)
    assert np.array_equal([display.prob_true, display.prob_pred], expected)
    assert display.ax_.get_xlabel() == "mean probability of the predicted class"


def test_residuals_are_truth_minus_prediction(regression):
    model, X, y = regression
    display = ResidualsDisplay.from_estimator(model, X, y, subsample=None)
    points = np.asarray(display.scatter_.get_offsets())
    assert np.allclose(points, np.column_stack([model.predict(X), y - model.predict(X)]))
    other = ResidualsDisplay.from_estimator(model, X, y, kind="actual_vs_predicted", subsample=None)
    assert np.allclose(np.asarray(other.scatter_.get_offsets())[:, 1], y)
    assert other.ax_.get_ylabel() == "Actual values"


def test_partial_dependence_draws_a_bar_for_each_category_of_a_frame(regression):
    model, X, _ = regression
    display = PartialDependenceDisplay.from_estimator(model, X, ["width", "kind"])
    curve, bars = display.axes_.ravel()
    assert len(bars.patches) == 2
    assert len(curve.get_lines()) == 1
    numbers = PartialDependenceDisplay.from_estimator(model, X, ["width"], categorical_features=["kind"])
    assert numbers.bars_.ravel()[0] is None


def test_partial_dependence_takes_whole_numbers_as_numbers():
    X, y = make_regression(100, 2, random_state=0)
    frame = pd.DataFrame(X * 3, columns=["rooms", "floors"]).round().astype({"rooms": int})
    model = MLPRegressor(**OPTIONS).fit(frame, y)
    display = PartialDependenceDisplay.from_estimator(model, frame, ["rooms"], grid_resolution=5)
    assert len(display.axes_[0, 0].get_lines()[0].get_xdata()) == 5
    assert frame["rooms"].dtype.kind == "i"


def test_partial_dependence_leaves_out_rows_without_a_value():
    X, y = make_regression(100, 2, random_state=0)
    frame = pd.DataFrame(X, columns=["rooms", "area"])
    model = MLPRegressor(**OPTIONS).fit(frame, y)
    frame.loc[:9, "rooms"] = np.nan
    for features in (["rooms"], [0], [("rooms", "area")]):
        display = PartialDependenceDisplay.from_estimator(model, frame, features, grid_resolution=5)
        expected = PartialDependenceDisplay.from_estimator(model, frame[10:], features, grid_resolution=5)
        assert np.isfinite(display.pd_results[0]["average"]).all()
        assert np.array_equal(display.pd_results[0]["average"], expected.pd_results[0]["average"])


def test_partial_dependence_names_the_bars_of_yes_and_no():
    X, y = make_regression(100, 2, random_state=0)
    frame = pd.DataFrame(X, columns=["rooms", "garden"])
    frame["garden"] = frame["garden"] > 0
    model = MLPRegressor(**OPTIONS).fit(frame, y)
    display = PartialDependenceDisplay.from_estimator(model, frame, ["rooms", "garden"])
    assert [label.get_text() for label in display.axes_.ravel()[1].get_xticklabels()] == ["False", "True"]
    assert len(display.axes_.ravel()[1].patches) == 2


@pytest.mark.parametrize("style", ["default", DARK])
def test_every_line_can_be_seen(style, three, regression):
    with plt.style.context(style):
        axes = [
            CalibrationDisplay.from_estimator(*three).ax_,
            ResidualsDisplay.from_estimator(*regression).ax_,
            PartialDependenceDisplay.from_estimator(*regression[:2], ["width"]).axes_[0, 0],
        ]
        for ax in axes:
            ground = ax.get_facecolor()
            legend = ax.get_legend()
            drawn = [*ax.get_lines(), *(legend.get_lines() if legend else ())]
            colours = [line.get_color() for line in drawn]
            colours += [each for group in ax.collections for each in [*group.get_edgecolor(), *group.get_facecolor()]]
            assert colours
            assert min(contrast(colour[:3] if len(colour) == 4 else colour, ground) for colour in colours) > 2.5


def test_all_draw_where_they_are_told(three, regression):
    for kind, arguments in (
        (ConfusionMatrixDisplay, three),
        (CalibrationDisplay, three),
        (ResidualsDisplay, regression),
    ):
        _, ax = plt.subplots()
        display = kind.from_estimator(*arguments, ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        with pytest.raises(TypeError, match="ax is 'here', expected the axes of a figure"):
            kind.from_estimator(*arguments, ax="here")


def test_an_estimator_without_probabilities_is_refused(regression):
    with pytest.raises(ValueError, match="classifier"):
        CalibrationDisplay.from_estimator(*regression)
