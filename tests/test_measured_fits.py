"""Metrics inside `fit`: taken before each batch's update, weighted, for rows to train on and to validate with."""

import copy
import itertools
import math
import signal
import time

import numpy as np
import pytest
from everywhere import bits_everywhere, everywhere

import mlpcore
from mlpcore import LBFGS, SGD, Adam, Dense, Dropout, Sequential, TopKAccuracy, catalogue
from mlpcore.metrics import metrics_of

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(50, 4))
LABELS = (3 * RANDOM.uniform(size=50)).astype(int)
W = RANDOM.integers(1, 9, 50) / 4.0
ALL = [
    "categorical_accuracy", "binary_accuracy", TopKAccuracy(2), "balanced_accuracy", "precision_macro",
    "precision_micro", "recall_macro", "recall_micro", "f1_macro", "f1_micro", "log_loss", "roc_auc_ovr", "mae", "rmse",
    "r2",
]  # fmt: skip
NAMES = [catalogue.label(metric) for metric in ALL]


def classifier(dtype="float64", *layers):
    return Sequential([*layers, Dense(6, "tanh"), Dense(3, "softmax")], seed=3, dtype=dtype)


def fitted(model, metrics=ALL, y=LABELS, loss="cce", **options):
    options = {"optimizer": Adam(0.05), "batch_size": 16, "progress": False} | options
    return model.fit(X, y, loss, metrics=metrics, **options)


def spread(y, y_hat):
    return y_hat.max() - y_hat.min()


def last(history, names):
    return {name: history[name][-1] for name in names}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [1, 16, 50])
def test_metrics_of_weights_that_do_not_move_are_those_of_evaluate(dtype, batch_size):
    for weight in (None, W):
        model = classifier(dtype)
        history = fitted(
            model, [*ALL, spread], optimizer=SGD(0.0), batch_size=batch_size, epochs=2, sample_weight=weight
        )
        logs = model.evaluate(X, LABELS, "cce", sample_weight=weight, metrics=[*ALL, spread])
        for name in (*NAMES, "spread"):
            assert history[name] == pytest.approx([logs[name]] * 2, rel=1e-12), name


def test_they_are_taken_before_each_batch_s_update_and_count_weights():
    model, twin = classifier(), classifier()
    history = fitted(model, sample_weight=W, optimizer=SGD(0.5), shuffle=False)
    y_hat, y = np.empty((50, 3)), np.eye(3)[LABELS]
    for begin in range(0, 50, 16):
        rows = slice(begin, begin + 16)
        y_hat[rows] = twin.forward(X[rows], training=True)
        twin.backward(y[rows], "cce", sample_weight=W[rows])
        share = W[rows].sum() / (W.mean() * len(W[rows]))  # fit counts weights against the mean of all rows
        for layer in twin.layers:
            layer.w -= 0.5 * share * layer.grad_w
            layer.b -= 0.5 * share * layer.grad_b
    same = Sequential([mlpcore.Activation("linear")], input_size=3, dtype="float64")
    logs = same.evaluate(y_hat, y, "cce", sample_weight=W, metrics=ALL)
    for name in NAMES:
        assert history[name] == pytest.approx([logs[name]], rel=1e-9), name


def test_metrics_leave_the_training_as_it_is():
    plain, measured, callbacks = classifier("float32"), classifier("float32"), classifier("float32")
    fitted(plain, (), epochs=3)
    fitted(measured, epochs=3)
    fitted(callbacks, [*ALL, spread], epochs=3, callbacks=[lambda *_: None])
    for model in (measured, callbacks):
        assert model._built().params.tobytes() == plain._built().params.tobytes()
    assert measured.history["loss"] == plain.history["loss"]
    assert last(callbacks.history, NAMES) == last(measured.history, NAMES)


def test_the_keys_of_a_history_and_what_callbacks_get():
    seen = []
    model = classifier()
    history = fitted(
        model,
        ["accuracy", "mae", spread, "f1_macro"],
        optimizer=Adam(mlpcore.Cosine(0.1)),
        epochs=2,
        validation_split=0.2,
        callbacks=[lambda model, epoch, logs: seen.append(logs)],
    )
    keys = ["loss", "accuracy", "mae", "f1_macro", "learning_rate", "spread"]
    assert list(history) == [
        *keys,
        *(f"val_{name}" for name in keys if name not in ("learning_rate", "spread")),
        "val_spread",
    ]
    assert seen == [{name: history[name][i] for name in history} for i in range(2)]
    assert history.rules == {"accuracy": "categorical_accuracy", "val_accuracy": "categorical_accuracy"}
    assert dict(copy.deepcopy(history)) == dict(history)
    assert "f1_macro" in repr(history)


def test_validation_is_measured_after_each_epoch_with_its_own_weights():
    model = classifier()
    valid = (X[:20], LABELS[:20], W[:20])
    history = fitted(model, [*ALL, spread], validation_data=valid, epochs=2)
    logs = model.evaluate(*valid[:2], "cce", sample_weight=valid[2], metrics=[*ALL, spread])
    assert {f"val_{name}": value for name, value in logs.items()} == last(history, [f"val_{name}" for name in logs])


def test_classes_count_what_they_weigh_and_rows_of_weight_0_nothing():
    weights = np.where(np.arange(50) % 7 == 0, 0, W)
    by_class = {0: 3.0, 2: 0.25}
    product = weights * np.array([3.0, 1.0, 0.25])[LABELS]
    rows = []

    def remember(y, y_hat):
        rows.append(y.argmax(axis=1))
        return 0

    model = classifier()
    history = fitted(model, [*ALL, remember], optimizer=SGD(0.0), sample_weight=weights, class_weight=by_class)
    logs = model.evaluate(X, LABELS, "cce", sample_weight=product, metrics=ALL)
    for name in NAMES:
        assert history[name] == pytest.approx([logs[name]], rel=1e-12), name
    np.testing.assert_array_equal(rows[0], LABELS[weights > 0])


def test_history_has_the_same_bits_everywhere():
    def record():
        history = fitted(classifier("float32"), epochs=2, sample_weight=W, validation_split=0.3)
        return repr(dict(history))

    assert len(everywhere(record)) == 1
    assert len(bits_everywhere(lambda: (model := classifier(), fitted(model))[0])) == 1


@pytest.mark.parametrize("metrics", [["accuracy", "f1", "roc_auc", "mae", spread], ["f1"]])
def test_lbfgs_measures_where_an_iteration_begins(metrics):
    signs = np.where(X[:, 0] > X[:, 1], 1, -1)
    options = {"y": signs, "loss": "squared_hinge", "sample_weight": W, "batch_size": 32}
    model, plain, stepwise = (Sequential([Dense(3, "tanh"), Dense(1)], seed=2, dtype="float64") for _ in range(3))
    history = fitted(model, metrics, optimizer=LBFGS(), epochs=4, **options)
    assert history.rules == {"accuracy": "sign_accuracy"}
    fitted(plain, (), optimizer=LBFGS(), epochs=4, **options)
    assert plain._built().params.tobytes() == model._built().params.tobytes()
    optimizer = LBFGS()
    for epoch in range(4):
        logs = stepwise.evaluate(X, signs, "squared_hinge", sample_weight=W, metrics=metrics)
        assert {name: history[name][epoch] for name in logs} == pytest.approx(logs, rel=1e-12)
        fitted(stepwise, (), optimizer=optimizer, **options)


class Cubic(mlpcore.CustomLoss):
    def value(self, y_hat, y):
        return (np.abs(y_hat - y) ** 3).sum(axis=1)

    def gradient(self, y_hat, y):
        return 3 * (y_hat - y) * np.abs(y_hat - y)


class Own(mlpcore.CustomActivation):
    def value(self, z):
        return np.tanh(z)

    def derivative(self, z):
        return 1 - np.tanh(z) ** 2


def test_losses_and_activations_written_in_python_are_measured_too():
    y = np.eye(3)[LABELS]
    model = Sequential([Dense(4, "tanh"), Dense(3, "sigmoid")], seed=1)
    history = fitted(model, ["accuracy", "f1_macro", "log_loss", spread], y=y, loss=Cubic(), epochs=2)
    assert history.rules == {"accuracy": "categorical_accuracy"}
    assert list(history) == ["loss", "accuracy", "f1_macro", "log_loss", "spread"]
    assert all(math.isfinite(value) for values in history.values() for value in values)
    with pytest.raises(ValueError, match="numbers as y under loss 'Cubic"):
        fitted(model, ["accuracy"], y=y / 2, loss=Cubic())


def test_dropout_drops_in_metrics_of_training_as_in_its_loss():
    model = classifier("float64", Dropout(0.5))
    history = fitted(model, ["log_loss"], optimizer=SGD(0.0), epochs=3)
    assert history["log_loss"] == pytest.approx(history["loss"], rel=1e-12)
    assert len(set(history["log_loss"])) == 3


def test_partial_fit_measures_nothing_and_leaves_the_next_fit_alone():
    model = classifier()
    optimizer = Adam(0.01)
    for _ in range(2):
        model.partial_fit(X, LABELS, "cce", optimizer=optimizer)
    assert list(fitted(model, ["mae"], optimizer=optimizer)) == ["loss", "accuracy", "mae"]


# ------------------------------------------------------------------------------------------- what ends in the middle


def test_an_epoch_that_ctrl_c_ended_leaves_nothing_behind():
    def after(count):
        calls = itertools.count()

        def value(self, y_hat, y):
            if next(calls) == count:
                raise KeyboardInterrupt
            return Cubic.value(self, y_hat, y)

        return type("Stopping", (Cubic,), {"value": value})()

    y = np.eye(3)[LABELS]
    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        fitted(model, ["f1_macro", "roc_auc_ovr", "r2"], y=y, loss=after(6), optimizer=SGD(0.0), epochs=3)
    assert len(model.history.epoch) == 1  # four batches an epoch: the second one was under way
    history = fitted(model, ["f1_macro", "roc_auc_ovr", "r2"], y=y, loss=Cubic(), optimizer=SGD(0.0))
    logs = model.evaluate(X, y, Cubic(), metrics=["f1_macro", "roc_auc_ovr", "r2"])
    assert last(history, history) == pytest.approx(logs, rel=1e-12)


def test_an_epoch_that_is_resumed_counts_the_rows_from_there_on():
    model = classifier()
    model.predict(X)
    y = np.eye(3)[LABELS]
    metrics = metrics_of(ALL, "cce", 3, lambda: "classes", has_accuracy=False)
    state = metrics.state(50, "f8")
    settings = mlpcore.engine.TrainSettings(
        "cce", None, mlpcore.SGD(0.0)._claim(model, model._built().params), 16, False, 3, 1, 0.0,
        np.array([0, 2]), np.empty((1, 2)), None, True, None, None, state,
    )  # fmt: skip
    for shuffle in (False, True):
        model._built().train(X, y, W, settings._replace(shuffle=shuffle, cursor=np.array([0, 2])))
        if not shuffle:
            logs = model.evaluate(X[32:], LABELS[32:], "cce", sample_weight=W[32:], metrics=ALL)
            for name, found in zip(NAMES, state.values[0], strict=True):
                assert found == pytest.approx(logs[name], rel=1e-12), name
    assert np.isfinite(state.values).all()


def test_a_function_that_raises_ends_the_fit_after_a_whole_epoch():
    def broken(y, y_hat):
        raise ZeroDivisionError

    model = classifier()
    with pytest.raises(ZeroDivisionError):
        fitted(model, ["mae", broken], epochs=3)
    assert list(model.history) == ["loss", "accuracy", "mae"]
    assert model.epochs_trained == len(model.history.epoch) == 1


def test_a_function_may_fit_the_model_itself():
    def meddling(y, y_hat):
        model.partial_fit(X, LABELS, "cce", optimizer=SGD(0.01))
        fitted(model, (), optimizer=SGD(0.01))
        return 1

    model = classifier()
    history = fitted(model, [meddling], epochs=2, validation_split=0.2)
    assert model.history is history
    assert history["meddling"] == history["val_meddling"] == [1, 1]


def test_a_fit_whose_metrics_are_refused_changes_nothing():
    model = classifier()
    fitted(model)
    before, history, trained = model._built().params.copy(), model.history, model.epochs_trained
    optimizer = Adam()
    for metrics in (["mse"], "mae", [TopKAccuracy(9)], ["f1"]):
        with pytest.raises((TypeError, ValueError), match="metrics"):
            fitted(model, metrics, optimizer=optimizer)
    assert (model.history is history, model.epochs_trained) == (True, trained)
    np.testing.assert_array_equal(model._built().params, before)
    assert optimizer._steps == 0


def test_ctrl_c_ends_the_sorting_of_scores():
    n = 2_000_000
    x = np.random.default_rng(1).normal(size=(n, 1))
    model = Sequential([mlpcore.Activation("linear")], input_size=1, dtype="float64")
    began = time.monotonic()
    model.evaluate(x, x > 0, "mse", metrics=["mae"])
    alone = time.monotonic() - began
    sent = []

    def interrupt(number, frame):
        sent.append(time.monotonic())
        raise KeyboardInterrupt

    def evaluate_and_wait():
        model.evaluate(x, x > 0, "mse", metrics=["roc_auc"])
        time.sleep(alone + 1)  # on a machine where the evaluation was over in time

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, alone + 0.05)
        with pytest.raises(KeyboardInterrupt):
            evaluate_and_wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(sent) == 1
    assert 0 < model.evaluate(x[:100], x[:100] > 0, "mse", metrics=["roc_auc"])["roc_auc"] <= 1
