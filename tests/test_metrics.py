"""Metrics of `evaluate`: every one against its definition in NumPy, exactly where it can be, and at its edges."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from everywhere import everywhere

import mlpcore
from mlpcore import Activation, Sequential, TopKAccuracy, catalogue

LOSSES = {"binary": "bce", "classes": "cce", "labels": "bce", "signs": "hinge"}


def identity(out, dtype="float64"):
    """A model whose output is its input."""
    return Sequential([Activation("linear")], input_size=out, dtype=dtype)


def measured(y_hat, y, loss, metrics, weight=None, dtype="float64"):
    y_hat = np.asarray(y_hat, dtype)
    y_hat = y_hat[:, np.newaxis] if y_hat.ndim == 1 else y_hat
    return identity(y_hat.shape[1], dtype).evaluate(y_hat, y, loss, sample_weight=weight, metrics=metrics)


def value(y_hat, y, loss, metric, weight=None):
    logs = measured(y_hat, y, loss, [metric], weight)
    return logs[catalogue.label(metric)]


# ------------------------------------------------------------------------------------------------- definitions, by rows


def yes(scores, signs=False):
    return scores > (0 if signs else 0.5)


def answers(kind, y_hat, y):
    """(classes, n) twice: which class or label each row is taken for, and should be."""
    if kind in ("binary", "signs"):
        both = yes(y_hat[:, 0], kind == "signs"), yes(y[:, 0], kind == "signs")
        return [np.stack([~one, one]) for one in both]
    if kind == "classes":
        return [np.arange(y.shape[1])[:, np.newaxis] == each.argmax(axis=1) for each in (y_hat, y)]
    return [yes(each).T for each in (y_hat, y)]


def ratio(part, whole):
    return part / whole if whole else Fraction(0)


def counts(kind, y_hat, y, weight):
    """(right, predicted, actual) for each class, as exact sums."""
    w = [Fraction(float(each)) for each in weight]
    predicted, actual = answers(kind, y_hat, y)
    return [
        tuple(sum(itertools.compress(w, rows), Fraction(0)) for rows in (p & a, p, a))
        for p, a in zip(predicted, actual, strict=True)
    ]


SHARES = {
    "precision": lambda right, predicted, actual: ratio(right, predicted),
    "recall": lambda right, predicted, actual: ratio(right, actual),
    "f1": lambda right, predicted, actual: ratio(2 * right, predicted + actual),
}


def expected_share(name, kind, y_hat, y, weight):
    share, _, average = name.partition("_")
    of = counts(kind, y_hat, y, weight)
    if average == "micro":
        return SHARES[share](*map(sum, zip(*of, strict=True)))
    if average == "macro":
        occurring = [each for each in of if kind == "labels" or each[1] or each[2]]
        return sum((SHARES[share](*each) for each in occurring), Fraction(0)) / len(occurring)
    return SHARES[share](*of[1])


def expected_balanced(kind, y_hat, y, weight):
    recalls = [right / actual for right, _, actual in counts(kind, y_hat, y, weight) if actual]
    return sum(recalls, Fraction(0)) / len(recalls)


def expected_area(scores, positive, weight):
    """Every yes with every no: of larger score, or equal to it."""
    w = [Fraction(float(each)) for each in weight]
    won = total = Fraction(0)
    for i, j in itertools.product(np.flatnonzero(positive), np.flatnonzero(~positive)):
        won += w[i] * w[j] * (Fraction(int(scores[i] > scores[j])) + Fraction(int(scores[i] == scores[j])) / 2)
        total += w[i] * w[j]
    return won / total if total else math.nan


def expected_areas(kind, y_hat, y, weight):
    rows = answers(kind, y_hat, y)[1][-y.shape[1] :]
    return [expected_area(y_hat[:, k], rows[k], weight) for k in range(y.shape[1])]


def expected_top_k(k, y_hat, y, weight):
    places = np.argsort(-y_hat, axis=1, kind="stable")[:, :k]
    right = (places == y.argmax(axis=1)[:, np.newaxis]).any(axis=1)
    return np.average(right, weights=weight)


def expected_numbers(name, y_hat, y, weight):
    error = y_hat - y
    if name == "mae":
        return np.average(np.abs(error), axis=0, weights=weight).mean()
    if name == "rmse":
        return math.sqrt(np.average(error**2, axis=0, weights=weight).mean())
    mean = np.average(y, axis=0, weights=weight)
    return (1 - (weight @ error**2) / (weight @ (y - mean) ** 2)).mean()


def expected_log_loss(kind, y_hat, y, weight):
    if kind == "classes":
        return np.average(-np.log((y_hat * y).sum(axis=1)), weights=weight)
    terms = -np.where(y > 0.5, np.log(y_hat), np.log(1 - y_hat))
    return np.average(terms.sum(axis=1), weights=weight)


def expected(name, kind, y_hat, y, weight):
    if name in ("mae", "rmse", "r2"):
        return expected_numbers(name, y_hat, y, weight)
    if name in ("accuracy", "categorical_accuracy") and kind == "classes":
        return expected_top_k(1, y_hat, y, weight)
    if name in ("accuracy", "binary_accuracy", "sign_accuracy"):
        signs = kind == "signs"
        return np.average((yes(y_hat, signs) == yes(y, signs)).mean(axis=1), weights=weight)
    if name == "top_k_accuracy":
        return expected_top_k(5, y_hat, y, weight)
    if name == "balanced_accuracy":
        return float(expected_balanced(kind, y_hat, y, weight))
    if name == "log_loss":
        return expected_log_loss(kind, y_hat, y, weight)
    if name.startswith("roc_auc"):
        return float(np.mean([float(area) for area in expected_areas(kind, y_hat, y, weight)]))
    return float(expected_share(name, kind, y_hat, y, weight))


# ------------------------------------------------------------------------------------------------------- random answers


def drawn(kind, out, seed, n=40, classes=None):
    """Outputs with many ties, y, and weights."""
    random = np.random.default_rng(seed)
    y_hat = random.integers(1, 9, (n, out)) / 10
    w = random.integers(1, 8, n) / 4
    if kind == "classes":
        y_hat = y_hat / y_hat.sum(axis=1, keepdims=True)
        return y_hat, np.eye(out)[random.integers(0, classes or out, n)], w
    y = random.integers(0, 2, (n, out)).astype(float)
    return (2 * y_hat - 0.9, 2 * y - 1, w) if kind == "signs" else (y_hat, y, w)


@pytest.mark.parametrize(("kind", "out"), [("binary", 1), ("classes", 3), ("classes", 7), ("labels", 3), ("signs", 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_metric_that_goes_with_y_is_what_its_definition_says(kind, out, weighted):
    y_hat, y, w = drawn(kind, out, seed=out)
    given = w if weighted else None
    names = []
    for name in catalogue.names("metrics"):
        try:
            found = value(y_hat, y, LOSSES[kind], name, given)
        except ValueError as error:
            assert "does not go with" in str(error) or "the number of outputs" in str(error)  # noqa: PT017
            continue
        names.append(name)
        want = expected(name, kind, y_hat, y, w if weighted else np.ones(len(y)))
        assert found == pytest.approx(want, rel=1e-14, abs=1e-15), name
    assert {"accuracy", "f1_macro", "recall_micro", "precision_micro", "roc_auc_ovr", "mae", "rmse", "r2"} <= set(names)
    assert ("top_k_accuracy" in names) == (out == 7)
    assert ("precision" in names) == (out == 1)
    assert ("log_loss" in names) == (kind != "signs")
    assert ("balanced_accuracy" in names) == (kind != "labels")


def test_class_indices_are_measured_as_their_rows():
    y_hat, y, w = drawn("classes", 3, seed=9, n=600)
    names = [name for name in catalogue.names("metrics") if value_or_none(y_hat, y, name) is not None]
    assert measured(y_hat, y.argmax(axis=1), "cce", names, w) == measured(y_hat, y, "cce", names, w)


def test_the_second_of_two_classes_is_the_yes_of_metrics_for_one():
    y_hat, y, w = drawn("classes", 2, seed=2)
    for name in ("precision", "recall", "f1", "roc_auc"):
        both = value(y_hat, y, "cce", name, w)
        assert both == value(y_hat[:, 1], y[:, 1], "bce", name, w), name


def test_a_class_that_does_not_occur_in_y_counts_where_it_is_predicted():
    y_hat, y, w = drawn("classes", 4, seed=5, classes=3)
    assert (y_hat.argmax(axis=1) == 3).any()
    for name in ("precision_macro", "recall_macro", "f1_macro", "balanced_accuracy"):
        assert value(y_hat, y, "cce", name, w) == pytest.approx(expected(name, "classes", y_hat, y, w), rel=1e-14)
    seldom = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert value(seldom, [0, 1], "cce", "f1_macro") == 1  # class 2 is nowhere
    assert math.isnan(value(y_hat, y, "cce", "roc_auc_ovr"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_areas_under_curves_of_many_scores_are_exact(dtype):
    random = np.random.default_rng(4)
    scores = np.concatenate([random.normal(size=300), random.integers(-2, 3, 100), [0.0, -0.0, 1e-40, -1e-40]])
    scores = scores.astype(dtype)
    positive = random.integers(0, 2, len(scores)) == 1
    w = random.integers(1, 9, len(scores)).astype(float)
    found = measured(scores, positive, "mse", ["roc_auc"], w, dtype)["roc_auc"]
    assert found == float(expected_area(scores, positive, w))


def test_top_k_takes_the_first_of_equal_outputs():
    same = np.full((4, 4), 0.25)
    classes = [0, 1, 2, 3]
    for k in range(1, 5):
        assert value(same, classes, "cce", TopKAccuracy(k)) == k / 4
    y_hat, y, w = drawn("classes", 6, seed=1)
    for k in range(1, 7):
        assert value(y_hat, y, "cce", TopKAccuracy(k), w) == pytest.approx(expected_top_k(k, y_hat, y, w), rel=1e-14)
    assert value(y_hat, y, "cce", TopKAccuracy(1), w) == value(y_hat, y, "cce", "categorical_accuracy", w)


# ---------------------------------------------------------------------------------------------------------------- edges


def test_without_a_yes_ratios_are_0_and_areas_are_nan():
    none = measured(
        [0.1, 0.2], [0, 0], "bce", ["precision", "recall", "f1", "f1_macro", "roc_auc", "balanced_accuracy"]
    )
    assert [none[name] for name in ("precision", "recall", "f1")] == [0, 0, 0]
    assert none["f1_macro"] == none["balanced_accuracy"] == 1
    assert math.isnan(none["roc_auc"])
    labels = measured([[0.1, 0.2]], [[0, 0]], "bce", ["precision_micro", "recall_macro", "f1_macro", "roc_auc_ovr"])
    assert [labels[name] for name in ("precision_micro", "recall_macro", "f1_macro")] == [0, 0, 0]
    assert math.isnan(labels["roc_auc_ovr"])


def test_r2_of_a_constant_y_is_1_if_it_is_met_and_else_0_and_nan_for_one_row():
    assert value([3.0, 3.0], [3, 3], "mse", "r2") == 1
    assert value([3.0, 3.5], [3, 3], "mse", "r2") == 0
    assert value([[3.0, 1.0], [3.0, 2.0]], [[3, 1], [3, 2]], "mse", "r2") == 1
    assert math.isnan(value([3.0], [3], "mse", "r2"))
    far = np.array([1e8, 1e8 + 1, 1e8 + 2])  # sums of squares would have lost it
    assert value(far, [far[0], far[1], far[2] + 1], "mse", "r2") == pytest.approx(1 - 1 / (14 / 3), rel=1e-7)


def test_outputs_that_are_nan_are_never_right():
    model = Sequential([mlpcore.Dense(3, kernel_initializer="ones")], input_size=1, dtype="float64")
    model.layers[0].w[1] = np.nan
    names = ["accuracy", "f1_macro", "recall_micro", "precision_micro", "balanced_accuracy", "roc_auc_ovr", "mae", "r2"]
    logs = model.evaluate([[1], [2]], np.eye(3)[[0, 1]], "mse", metrics=[*names, TopKAccuracy(3)])
    assert [logs[name] for name in (*names[:5], "top_k_accuracy(3)")] == [0] * 6
    assert all(math.isnan(logs[name]) for name in names[5:])
    one = Sequential([mlpcore.Dense(1)], input_size=1)
    one.layers[0].b[:] = np.nan
    found = one.evaluate([[1], [2]], [0, 1], "mse", metrics=["accuracy", "recall", "precision_micro", "roc_auc"])
    assert [found[name] for name in ("accuracy", "recall", "precision_micro")] == [0, 0, 0]
    assert math.isnan(found["roc_auc"])


def test_a_row_of_y_without_a_class_is_never_right():
    y = np.array([[0, 0, 0], [0, 1, 0]])
    logs = measured([[0.8, 0.1, 0.1]] * 2, y, "cce", ["recall_micro", "precision_micro", TopKAccuracy(3), "f1_macro"])
    assert (logs["recall_micro"], logs["precision_micro"], logs["top_k_accuracy(3)"]) == (0, 0, 0.5)


def test_log_loss_is_the_loss_of_the_same_y():
    y_hat, y, w = drawn("classes", 4, seed=3)
    logs = measured(y_hat, y, "cce", ["log_loss"], w)
    assert logs["log_loss"] == pytest.approx(logs["loss"], rel=1e-15)
    assert value(y_hat, y, "mse", "log_loss", w) == logs["log_loss"]  # whatever is trained
    certain = Sequential([mlpcore.Dense(1, "sigmoid")], input_size=1)
    certain.layers[0].w[:] = 1000
    assert certain.evaluate([[-1.0]], [1], "mse", metrics=["log_loss"])["log_loss"] == 1000  # from z, never infinite


def test_soft_y_of_a_loss_for_probabilities_is_a_yes_above_one_half():
    logs = measured([0.9, 0.2, 0.7], [0.8, 0.4, 0.1], "bce", ["accuracy", "precision", "recall"])
    assert (logs["accuracy"], logs["precision"], logs["recall"]) == (2 / 3, 0.5, 1)


def test_many_rows_are_taken_a_few_at_a_time():
    y_hat, y, w = drawn("classes", 3, seed=6, n=1000)
    for name in ("f1_macro", "recall_micro", "balanced_accuracy", "mae", "r2", "log_loss"):
        assert value(y_hat, y, "cce", name, w) == pytest.approx(expected(name, "classes", y_hat, y, w), rel=1e-13), name


def test_values_have_the_same_bits_on_every_instruction_set_and_with_every_number_of_threads():
    y_hat, y, w = drawn("classes", 7, seed=8, n=700)
    names = [name for name in catalogue.names("metrics") if value_or_none(y_hat, y, name) is not None]
    assert len(names) > 12
    for dtype in ("float32", "float64"):
        values = everywhere(
            lambda dtype=dtype: np.array(list(measured(y_hat, y, "cce", names, w, dtype).values())).tobytes()
        )
        assert len(values) == 1


def value_or_none(y_hat, y, name):
    try:
        return value(y_hat, y, "cce", name)
    except ValueError:
        return None
