"""Arguments of `metrics`: functions in Python, refusals that name what is wrong, and what the engine itself refuses."""

import pickle

import numpy as np
import pytest

import mlpcore
from mlpcore import Activation, Sequential, TopKAccuracy, _core
from mlpcore.engine import MetricsState, Step


def measured(y_hat, y, loss, metrics, weight=None):
    """What `evaluate` gives for a model whose output is its input."""
    y_hat = np.asarray(y_hat, np.float64)
    y_hat = y_hat[:, np.newaxis] if y_hat.ndim == 1 else y_hat
    model = Sequential([Activation("linear")], input_size=y_hat.shape[1], dtype="float64")
    return model.evaluate(y_hat, y, loss, sample_weight=weight, metrics=metrics)


def three_classes(n):
    random = np.random.default_rng(1)
    return random.uniform(size=(n, 3)), np.eye(3)[random.integers(0, 3, n)], random.uniform(0.5, 2, n)


# -------------------------------------------------------------------------------------------------- functions in Python


def test_a_function_gets_all_rows_in_order_and_cannot_write_them():
    seen = []

    def largest_error(y, y_hat):
        seen.append((y, y_hat))
        return np.abs(y - y_hat).max()

    y_hat, y, w = three_classes(600)
    logs = measured(y_hat, y.argmax(axis=1), "cce", [largest_error], w)
    assert logs["largest_error"] == np.abs(y - y_hat).max()
    np.testing.assert_array_equal(seen[0][0], y)
    np.testing.assert_array_equal(seen[0][1], y_hat)
    for array in seen[0]:
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


@pytest.mark.parametrize(
    ("returned", "error"),
    [(None, TypeError), ("3", TypeError), (1j, TypeError), (np.ones(2), TypeError), ([1], TypeError)],
)
def test_a_function_has_to_return_a_number(returned, error):
    def strange(y, y_hat):
        return returned

    with pytest.raises(error, match="^strange, of metrics, returned .*, expected a number$"):
        measured([0.1], [0], "bce", [strange])


@pytest.mark.parametrize("returned", [1, True, np.float32(0.5), np.array(2.0), np.nan])
def test_any_number_will_do(returned):
    def plain(y, y_hat):
        return returned

    np.testing.assert_equal(measured([0.1], [0], "bce", [plain])["plain"], float(returned))


def test_an_object_that_can_be_called_is_named_by_its_class():
    class Bias:
        def __call__(self, y, y_hat):
            return (y_hat - y).mean()

    assert measured([0.5, 0.5], [0, 1], "mse", [Bias()])["Bias"] == 0


# ------------------------------------------------------------------------------------------------------------- refusals


def named(name):
    def function(y, y_hat):
        return 0.0

    function.__name__ = name
    return function


@pytest.mark.parametrize(
    ("metrics", "kind", "message"),
    [
        ("accuracy", TypeError, "metrics is 'accuracy', expected a list such as"),
        (TopKAccuracy(2), TypeError, r"metrics is TopKAccuracy\(k=2\), expected a list"),
        (len, TypeError, "metrics is <built-in function len>, expected a list"),
        (3, TypeError, "metrics is 3, expected a list"),
        (None, TypeError, "metrics is None, expected a list"),
        (["mae", "auc_roc"], ValueError, r"metrics\[1\] is 'auc_roc', expected one of 'categorical_accuracy', "),
        ([3], ValueError, r"metrics\[0\] is 3, expected one of"),
        ([TopKAccuracy], TypeError, r"metrics\[0\] is the class TopKAccuracy, expected an object: TopKAccuracy\(\)"),
        ([TopKAccuracy(4)], ValueError, r"metrics\[0\] has k = 4, expected at most 3, .* such as TopKAccuracy\(2\)"),
        (["top_k_accuracy"], ValueError, r"metrics\[0\] has k = 5, expected at most 3"),
        ([("top_k_accuracy", 2.5)], ValueError, "k is 2.5, expected an integer"),
        ([("top_k_accuracy", 0)], ValueError, r"k of metrics\[0\] 'top_k_accuracy' is 0.0, expected"),
        ([("mae", 2)], ValueError, "which has no constants"),
        (["precision"], ValueError, r"'precision', .* one class of 3 as y under loss 'cce': .* 'precision_macro'"),
        (["sign_accuracy"], ValueError, "'sign_accuracy', which does not go with one class of 3"),
        (["mae", "mae"], ValueError, r"metrics\[1\] is named 'mae', as metrics\[0\] is: give each metric once"),
        (["mae", "mean_absolute_error"], ValueError, r"metrics\[1\] is named 'mae'"),
        ([named("loss")], ValueError, r"metrics\[0\] is named 'loss', as the loss is"),
        ([named("accuracy")], ValueError, r"metrics\[0\] is named 'accuracy', as the accuracy is"),
        ([named("val_x")], ValueError, r"metrics\[0\] is named 'val_x', as a metric of validation data is"),
        ([lambda y, a: 0, lambda y, a: 1], ValueError, r"metrics\[1\] is named '<lambda>', as metrics\[0\] is"),
    ],
)
def test_metrics_that_cannot_be_measured_are_refused_by_name(metrics, kind, message):
    model = Sequential([mlpcore.Dense(3, "softmax")], seed=1)
    for call in (model.evaluate, lambda *a, **k: model.fit(*a, **k, progress=False)):
        with pytest.raises(kind, match=message):
            call([[1.0], [2.0]], [0, 1], "cce", metrics=metrics)
    assert model.history is None
    assert model.input_size is None


@pytest.mark.parametrize(
    ("loss", "y", "name", "message"),
    [
        ("mse", [0.5, 1.0], "accuracy", "numbers as y under loss 'mse': expected one of 'mae', 'rmse', 'r2'$"),
        ("mse", [0.5, 1.0], "log_loss", "numbers as y"),
        (
            "hinge",
            [1, -1],
            "log_loss",
            "a yes or no as y under loss 'hinge': expected one of 'sign_accuracy', 'accuracy'",
        ),
        ("hinge", [1, -1], "binary_accuracy", "a yes or no as y under loss 'hinge'"),
        ("bce", [0, 1], "top_k_accuracy", "a yes or no as y under loss 'bce'"),
        ("bce", [0, 1], "categorical_accuracy", "a yes or no as y"),
        ("bce", [[0, 1], [1, 1]], "f1", "2 times yes or no as y under loss 'bce'"),
        (mlpcore.Huber(2.0), [[0, 3], [1, 1]], "f1_macro", r"numbers as y under loss 'huber\(2.0\)'"),
    ],
)
def test_a_metric_that_y_says_nothing_of_is_refused(loss, y, name, message):
    model = Sequential([mlpcore.Dense(np.ndim(y))], seed=1)
    with pytest.raises(ValueError, match=message):
        model.evaluate([[1.0], [2.0]], y, loss, metrics=[name])


@pytest.mark.parametrize("k", [0, -1, 2**31, 1.0, "2", None, True])
def test_k_is_an_integer_from_1_on(k):
    with pytest.raises((TypeError, ValueError), match=r"^k is .*, expected an integer from 1 to 2147483647$"):
        TopKAccuracy(k)


def test_top_k_is_a_tuple_of_its_name_and_an_integer():
    metric = TopKAccuracy(3)
    assert (metric, metric.k, repr(metric)) == (("top_k_accuracy", 3), 3, "TopKAccuracy(k=3)")
    assert type(pickle.loads(pickle.dumps(metric)).k) is int
    y_hat, y = np.eye(6), np.eye(6)
    logs = measured(y_hat, y, "cce", [("top_k_accuracy", 3.0), TopKAccuracy(2), "top_k_categorical_accuracy"])
    assert list(logs) == ["loss", "accuracy", "top_k_accuracy(3)", "top_k_accuracy(2)", "top_k_accuracy"]


def test_the_engine_refuses_metrics_that_it_cannot_measure():
    net = _core.Net(2, [Step("activation", constants="linear")], "float64")
    x, y = np.zeros((3, 2)), np.eye(2)[[0, 1, 1]]
    room = np.empty((1, 1))
    good = MetricsState(("mae",), "classes", 0.5, room)
    net.loss(x, y, "mse", None, None, good)
    for changed, kind, message in (
        ({"choices": ["mae"]}, TypeError, "choices is"),
        ({"choices": ("auk",)}, ValueError, "choices is 'auk', expected one of"),
        ({"choices": (("top_k_accuracy", 0),)}, ValueError, "k"),
        ({"answers": "maybe"}, ValueError, "answers is 'maybe', expected one of 'binary'"),
        ({"yes_above": "high"}, TypeError, "yes_above"),
        ({"values": np.empty((2, 1))}, ValueError, "values has shape"),
        ({"values": np.empty((1, 1), np.float32)}, (TypeError, ValueError), "values"),
        ({"predictions": np.empty((2, 2))}, ValueError, "predictions has 2 rows, expected 3"),
        ({"predictions": np.empty((3, 1))}, ValueError, "predictions has shape"),
        ({"choices": ("roc_auc_ovr",)}, ValueError, "predictions has 0 rows, expected 3"),
        ({"predictions": np.empty((3, 2), np.float32)}, (TypeError, ValueError), "predictions"),
    ):
        with pytest.raises(kind, match=message):
            net.loss(x, y, "mse", None, None, good._replace(**changed))
    with pytest.raises(TypeError, match="metrics"):
        net.loss(x, y, "mse", None, None, 3)
    with pytest.raises(ValueError, match="metric is 'mae', by which no accuracy counts"):
        net.loss(x, y, "mse", "mae")
