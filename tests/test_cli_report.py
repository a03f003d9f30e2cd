"""The page that a training leaves: whole, true, without the network, and safe from names that are HTML."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpcore.cli import figures, measures, page
from mlpcore.cli.report import MOST_CLASSES, Trained, report
from mlpcore.sklearn import MLPClassifier, MLPRegressor

OPTIONS = {"hidden_layer_sizes": (8,), "max_iter": 15, "random_state": 0, "early_stopping": True}
HOSTILE = "<script>alert('1')</script>&"

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


class Reader(HTMLParser):
    """Checks that tags are closed in order, and keeps tags, attributes and texts."""

    EMPTY = "meta", "path", "use", "rect", "image", "br"

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text.strip())


def classified(classes, names=None, n=400):
    X, y = make_classification(
        n, 6, n_informative=5, n_redundant=0, n_clusters_per_class=1, n_classes=classes, random_state=0
    )
    frame = pd.DataFrame(X, columns=[f"column {k}" for k in range(5)] + [HOSTILE])
    labels = np.array(names or [f"class {k}" for k in range(classes)], object)[y]
    model = make_pipeline(StandardScaler(), MLPClassifier(**OPTIONS)).fit(frame[: n // 2], labels[: n // 2])
    return Trained("A title", ["a line", HOSTILE], model, frame[n // 2 :], pd.Series(labels[n // 2 :]), 0)


@pytest.fixture(scope="module")
def three():
    return classified(3, ["ant", "bee", HOSTILE])


@pytest.fixture(scope="module")
def numbers():
    X, y = make_regression(300, 4, noise=5, random_state=0)
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = make_pipeline(StandardScaler(), MLPRegressor(**OPTIONS)).fit(frame[:150], y[:150])
    return Trained("Prices", [], model, frame[150:], y[150:], 0, [("Further", "", "<p>own</p>")])


@pytest.fixture(scope="module")
def page_of_three(three):
    return report(three)


def test_a_page_is_whole_and_asks_for_nothing(page_of_three, numbers):
    for text in (page_of_three, report(numbers)):
        read = Reader(text)
        assert read.tags.count("html") == read.tags.count("main") == 1
        assert not {"script", "link", "img", "iframe"} & set(read.tags)
        assert {value for name, value in read.attributes if name in ("href", "src", "xlink:href")} <= {
            f"#{value}" for name, value in read.attributes if name == "id"
        }
        urls = set(re.findall(r"https?://[^\s\"'<]+", text))
        assert urls <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
        assert "@import" not in text
        assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_no_name_becomes_markup(page_of_three):
    assert "<script>" not in page_of_three
    read = Reader(page_of_three)
    assert read.texts.count(HOSTILE) >= 4  # a line of the head, rows and columns of classes, an importance


def test_parts_of_pictures_have_names_of_their_own(page_of_three):
    pictures = re.findall(r"<svg.*?</svg>", page_of_three, re.S)
    assert len(pictures) >= 2
    ids = [set(re.findall(r'<(?:clipPath|path)[^>]* id="([^"]+)"', picture)) for picture in pictures]
    assert all(ids)
    assert sum(map(len, ids)) == len(set.union(*ids))


def test_pictures_have_the_colours_of_the_page_and_are_described(page_of_three):
    for picture in re.findall(r"<svg.*?</svg>", page_of_three, re.S):
        colours = set(re.findall(r"#[0-9a-f]{6}\b", picture))
        assert colours <= {"#b0b0b0", "#cccccc"}, colours  # of the grid and of a legend's frame, pale everywhere
        assert "var(--c0)" in picture
        assert re.match(r'<svg role="img" aria-label="[^"]{8,}"', picture)
    assert {f"--{name}:" for name in figures.COLOURS.values()} <= set(re.findall(r"--\w+:", page_of_three))


def test_the_numbers_are_scikit_learns(three, page_of_three):
    truth, probability = three.y.to_numpy(), three.estimator.predict_proba(three.X)
    predicted = three.estimator.predict(three.X)
    found = {each.name: each for each in measures.measured(three.estimator, three.X, three.y)}
    assert found["accuracy"].value == accuracy_score(truth, predicted)
    assert found["log loss"].value == log_loss(truth, probability, labels=three.estimator.classes_)
    assert found["area under the ROC curve"].value == pytest.approx(
        roc_auc_score(truth, probability, multi_class="ovr")
    )
    counts = pd.Series(truth).value_counts()
    assert found["accuracy"].baseline == counts.max() / len(truth)
    assert found["balanced accuracy"].baseline == 1 / 3
    read = Reader(page_of_three)
    for each in found.values():
        assert f"{each.value:.4g}" in read.texts
    matrix = confusion_matrix(truth, predicted, labels=three.estimator.classes_)
    cells = re.findall(r'<td class="(right|none|wrong)"[^>]*>([\d,]+)</td>', page_of_three)
    assert [int(count) for _, count in cells] == matrix.ravel().tolist()
    assert [kind for kind, _ in cells][::4] == ["right"] * 3


def test_the_numbers_of_a_regression(numbers):
    found = {each.name: each for each in measures.measured(numbers.estimator, numbers.X, numbers.y)}
    predicted = numbers.estimator.predict(numbers.X)
    assert found["R2"].value == pytest.approx(r2_score(numbers.y, predicted))
    assert found["R2"].baseline == 0
    assert found["root mean squared error"].baseline == pytest.approx(np.std(numbers.y))
    assert found["mean absolute error"].value == pytest.approx(np.abs(numbers.y - predicted).mean())
    text = report(numbers)
    assert "always the mean" in text
    pictures = re.findall(r'aria-label="([^"]+)"', text)
    assert {"the loss over the epochs", "the truth over the prediction"} <= set(pictures)
    assert "truth minus prediction over the prediction" in pictures
    assert '<h2>Further</h2><div class="scroll"><p>own</p></div>' in text


def test_the_most_important_column_stands_first(numbers):
    text = report(numbers)
    bars = re.findall(r"<span>([abcd])</span>", text)
    assert sorted(bars) == list("abcd")
    shares = [float(width) for width in re.findall(r'<i style="width:([\d.]+)%">', text)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 100


def test_the_same_training_gives_the_same_page(three, page_of_three):
    assert report(three) == page_of_three


def test_many_classes_are_listed_by_what_is_confused():
    trained = classified(MOST_CLASSES + 2, n=2200)
    text = report(trained)
    assert 'class="grid"' not in text
    assert "taken for" in text
    assert "and 2 more classes" in text


def test_classes_that_training_had_not_are_counted_as_wrong_and_leave_no_probability(three):
    truth = three.y.copy()
    truth.iloc[0] = "wasp"
    names = [each.name for each in measures.measured(three.estimator, three.X, truth)]
    assert names == ["accuracy", "balanced accuracy", "F1, mean over classes"]
    text = report(Trained("t", [], three.estimator, three.X, truth, 0))
    assert "wasp" in text
    assert "Calibration" not in text


def test_a_constant_truth_has_no_r2(numbers):
    found = measures.measured(numbers.estimator, numbers.X, np.ones(len(numbers.y)))
    assert np.isnan(found[0].value)


def test_measures_are_a_table_of_text():
    found = [measures.Measure("accuracy", 0.94321, 0.5), measures.Measure("loss", 123456.0, 1.0)]
    assert measures.listed(found, "always the mean") == [
        "               model  always the mean",
        "accuracy      0.9432  0.5",
        "loss         123,456  1",
    ]


def test_bars_of_nothing_and_of_negative_values_have_no_width():
    assert page.bars([("a", -1.0, "-1"), ("b", 0.0, "0")]).count('style="width:0.0%"') == 2


def test_figures_leave_no_figure_open_and_no_setting_changed():
    plt.get_backend()  # chosen at its first use
    before, settings = plt.get_fignums(), plt.rcParams.copy()
    figures.svg(lambda ax: ax.plot([1, 2]), "a", "a line")
    assert plt.get_fignums() == before
    assert plt.rcParams == settings
