"""What `fit` makes of weights and answers: how much a row counts, and what counts as right."""

import os
import signal
import threading
import time

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Dense, Sequential, kernels

X = np.array([[0.5, -1.0], [1.5, 0.25], [-0.5, 2.0], [2.0, 1.0], [-1.0, -0.5], [0.25, 0.75]])
NUMBERS = X @ [[1.0], [-2.0]]
WEIGHT = np.array([1.0, 3.0, 0.5, 2.0, 4.0, 1.5])
OPTIONS = {"shuffle": False, "progress": False}


def model(dtype="float64", sigma="linear", units=1):
    return Sequential([Dense(units, sigma)], input_size=2, dtype=dtype, seed=3)


def flat(of):
    return np.concatenate([np.ravel(part) for layer in of.layers for part in (layer.w, layer.b)])


# ------------------------------------------------------------------------------------------------ how much a row counts


@pytest.mark.parametrize("batch_size", [1, 2, 4, 6])
def test_in_fit_a_weight_is_relative_to_the_mean_weight_of_all_rows_trained_on(batch_size):
    fitted, w, b = model(), *(part.copy() for part in (model().layers[0].w, model().layers[0].b))
    fitted.fit(X, NUMBERS, "mse", optimizer=SGD(0.1), batch_size=batch_size, sample_weight=WEIGHT, **OPTIONS)
    for start in range(0, 6, batch_size):
        rows = slice(start, start + batch_size)
        miss = X[rows] @ w.T + b - NUMBERS[rows]
        phi = 2 * miss * WEIGHT[rows, None] / (WEIGHT.mean() * len(miss))
        w, b = w - 0.1 * phi.T @ X[rows], b - 0.1 * phi.sum(axis=0)
    np.testing.assert_allclose(flat(fitted), [*w.ravel(), *b], rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_in_partial_fit_weights_are_taken_as_they_are(batch_size):
    fitted, w, b = model(), *(part.copy() for part in (model().layers[0].w, model().layers[0].b))
    fitted.partial_fit(
        X, NUMBERS, "mse", optimizer=SGD(0.1), batch_size=batch_size, sample_weight=WEIGHT, shuffle=False
    )
    for start in range(0, 6, batch_size):
        rows = slice(start, start + batch_size)
        miss = X[rows] @ w.T + b - NUMBERS[rows]
        phi = 2 * miss * WEIGHT[rows, None] / len(miss)
        w, b = w - 0.1 * phi.T @ X[rows], b - 0.1 * phi.sum(axis=0)
    np.testing.assert_allclose(flat(fitted), [*w.ravel(), *b], rtol=1e-12)


@pytest.mark.parametrize("train", ["fit", "partial_fit"])
def test_rows_of_weight_0_are_left_out(train):
    weight = np.array([1.0, 0, 1, 0, 1, 1])
    options = {"loss": "mse", "optimizer": SGD(0.1), "batch_size": 2, "shuffle": False}
    for one, rows, given in ((whole := model(), slice(None), weight), (part := model(), weight > 0, None)):
        options["optimizer"] = SGD(0.1)
        extra = {"progress": False} if train == "fit" else {}
        getattr(one, train)(X[rows], NUMBERS[rows], sample_weight=given, **options, **extra)
    np.testing.assert_allclose(flat(whole), flat(part), rtol=1e-15)


def test_class_weight_counts_with_one_row_a_batch():
    """The issue's case: relative to its own batch alone, a weight would change nothing."""
    labels = [0, 1, 0, 1, 0, 0]
    trained = {}
    for name, class_weight in (("none", None), ("heavy", {1: 100})):
        trained[name] = model(sigma="softmax", units=2)
        options = OPTIONS | {"optimizer": SGD(0.05), "batch_size": 1, "class_weight": class_weight}
        trained[name].fit(X, labels, "cce", **options)
    assert (flat(trained["none"]) != flat(trained["heavy"])).all()
    by_row = model(sigma="softmax", units=2)
    weight = np.where(labels, 100.0, 1.0)
    by_row.fit(X, labels, "cce", optimizer=SGD(0.05), batch_size=1, sample_weight=weight, **OPTIONS)
    np.testing.assert_array_equal(flat(by_row), flat(trained["heavy"]))


def test_only_ratios_of_weights_matter_to_fit():
    one, other = model(), model()
    one.fit(X, NUMBERS, "mse", optimizer=SGD(0.1), batch_size=2, sample_weight=WEIGHT, **OPTIONS)
    other.fit(X, NUMBERS, "mse", optimizer=SGD(0.1), batch_size=2, sample_weight=WEIGHT * 1024, **OPTIONS)
    np.testing.assert_array_equal(flat(one), flat(other))


def test_the_example_of_the_decision_page():
    """docs/decisions/sample-weights.md: four rows in two batches."""
    weight = np.array([1.0, 1.0, 1.0, 5.0])
    fitted = Sequential([Dense(1, kernel_initializer="zeros")], input_size=1, dtype="float64")
    y = np.array([1.0, 1.0, 1.0, 1.0])
    seen = []
    fitted.fit(np.ones((4, 1)), y, "mse", optimizer=SGD(0.1), batch_size=2, sample_weight=weight, epochs=1,
               callbacks=[lambda model, epoch, logs: seen.append(model.layers[0].w.copy())], **OPTIONS)  # fmt: skip
    # Batch 1: w = b = 0, miss -1 in both rows, phi = 2 (-1) 1 / (2 * 2) = -0.5 each: w = b = 0.1 * 1 = 0.1
    # Batch 2: miss 0.2 - 1 = -0.8; phi = 2 (-0.8) 1 / 4 = -0.4 and 2 (-0.8) 5 / 4 = -2: w = b = 0.1 + 0.1 * 2.4 = 0.34
    np.testing.assert_allclose(seen[0], [[0.34]], rtol=1e-14)


# --------------------------------------------------------------------------------------------------------- huge weights


@pytest.mark.parametrize("weight", [[4e307] * 4, [1e-300] * 4, [4e307, 2e307, 4e307, 2e307]])
def test_weights_of_any_size_give_the_mean_of_the_losses(weight):
    x, y = X[:4], NUMBERS[:4]
    one = model()
    losses = (one.predict(x) - y).ravel() ** 2
    expected = np.average(losses, weights=np.array(weight) / max(weight))
    assert one.evaluate(x, y, "mse", sample_weight=weight)["loss"] == pytest.approx(expected, rel=1e-14)
    assert kernels.loss_value("mse", one.predict(x), y, sample_weight=weight) == pytest.approx(expected, rel=1e-14)
    one.forward(x)
    assert one.backward(y, loss="mse", sample_weight=weight) == pytest.approx(expected, rel=1e-14)
    small = model()
    small.forward(x)
    small.backward(y, loss="mse", sample_weight=np.array(weight) / max(weight))
    np.testing.assert_allclose(one.layers[0].grad_w, small.layers[0].grad_w, rtol=1e-14)
    options = OPTIONS | {"optimizer": SGD(0.1), "batch_size": 4, "sample_weight": weight}
    assert one.fit(x, y, "mse", **options)["loss"] == [pytest.approx(expected, rel=1e-14)]
    assert np.isfinite(flat(one)).all()


@pytest.mark.parametrize("weight", [1e39, 1e-60])
def test_weights_that_float32_cannot_hold_are_refused(weight):
    one = model("float32")
    before = flat(one)
    for use in (
        lambda: one.fit(X, NUMBERS, "mse", sample_weight=[1.0] * 5 + [weight], progress=False),
        lambda: one.evaluate(X, NUMBERS, "mse", sample_weight=[1.0] * 5 + [weight]),
    ):
        with pytest.raises(ValueError, match=f"sample_weight has {weight!r}.*, row 5".replace("+", r"\+")):
            use()
    np.testing.assert_array_equal(flat(one), before)


@pytest.mark.parametrize("weight", [1e39, 1e-60])
def test_class_weights_that_float32_cannot_hold_are_refused(weight):
    one = model("float32", "softmax", 2)
    before, labels = flat(one), [0, 1, 0, 1, 0, 0]
    with pytest.raises(ValueError, match=rf"class_weight\[1\] is {weight!r}, which float32".replace("+", r"\+")):
        one.fit(X, labels, "cce", class_weight={1: weight}, progress=False)
    with pytest.raises(ValueError, match=r"sample_weight \* class_weight has .*e-\d\d, row 1: .* does not round to 0"):
        one.fit(X, labels, "cce", class_weight={1: 1e-30}, sample_weight=[1.0] + [1e-30] * 5, progress=False)
    np.testing.assert_array_equal(flat(one), before)
    one.fit(X, labels, "cce", class_weight={1: 0}, progress=False)


# ------------------------------------------------------------------------------------------------------ what is right


def test_accuracy_is_weighted_like_the_loss_everywhere():
    """The issue's case: only the first two rows count, and both are right."""
    one = Sequential([Dense(2, "softmax")], input_size=2, dtype="float64", seed=0)
    one.layers[0].w[...] = [[50.0, 0.0], [0.0, 50.0]]
    x, y, weight = np.eye(2)[[0, 1, 0, 1]], [0, 1, 1, 0], [1, 1, 0, 0]
    assert one.evaluate(x, y, "cce", sample_weight=weight)["accuracy"] == 1.0
    assert one.evaluate(x, y, "cce", sample_weight=[3, 1, 2, 2])["accuracy"] == 0.5
    for batch_size in (1, 3, 4):
        history = one.fit(x, y, "cce", optimizer=SGD(0.0), batch_size=batch_size, sample_weight=[3, 1, 2, 2],
                          validation_data=(x, y, [3, 1, 2, 2]), progress=False)  # fmt: skip
        assert history["accuracy"] == history["val_accuracy"] == [0.5]
        np.testing.assert_allclose(history["loss"], history["val_loss"], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("loss", "units", "sigma"), [("cce", 3, "softmax"), ("bce", 1, "sigmoid"), ("bce", 3, "sigmoid")]
)
def test_outputs_that_are_nan_are_never_right(loss, units, sigma, dtype):
    one = model(dtype, sigma, units)
    one.layers[0].w[...] = np.nan
    y = np.eye(units)[np.arange(6) % units] if units > 1 else np.arange(6) % 2
    assert one.evaluate(X, y, loss)["accuracy"] == 0.0
    with pytest.warns(mlpcore.TrainingWarning):
        assert one.fit(X, y, loss, progress=False)["accuracy"] == [0.0]


def test_a_row_of_zeros_has_no_class():
    one = model(sigma="softmax", units=3)
    y = np.eye(3)[one.predict(X).argmax(axis=1)]
    assert one.evaluate(X, y, "cce")["accuracy"] == 1.0
    y[:3] = 0
    assert one.evaluate(X, y, "cce")["accuracy"] == 0.5


def test_bce_with_one_hot_rows_asks_for_the_largest_output():
    """A net that always says none of ten would be right in 9 of 10 answers, and in no row."""
    none = Sequential([Dense(10, "sigmoid", kernel_initializer="zeros")], input_size=2, dtype="float64")
    none.layers[0].b[...] = -5
    none.layers[0].b[9] = -4
    y = np.eye(10)[[0, 1, 2, 3, 4, 9]]
    assert none.evaluate(X, y, "bce")["accuracy"] == pytest.approx(1 / 6)
    several = y.copy()
    several[0, 5] = 1
    assert none.evaluate(X, several, "bce")["accuracy"] == pytest.approx(1 - 7 / 60)
    options = OPTIONS | {"optimizer": SGD(0.0)}
    history = none.fit(X, y, "bce", validation_data=(X, several), **options)
    assert history.rules == {"accuracy": "binary_accuracy", "val_accuracy": "binary_accuracy"}
    assert history["accuracy"] == [pytest.approx(1 - 6 / 60)]
    assert history["val_accuracy"] == [pytest.approx(1 - 7 / 60)]
    assert model().fit(X, NUMBERS, "mse", **OPTIONS).rules == {}


# ----------------------------------------------------------------------------------------- a child beside a training


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_forked_beside_a_training_can_use_the_model():
    one = Sequential([Dense(64, "tanh"), Dense(1)], input_size=2, seed=1)
    x, y = np.tile(X, (2000, 1)), np.tile(NUMBERS, (2000, 1))
    stop = threading.Event()
    options = {"optimizer": SGD(1e-4), "epochs": 10**6, "progress": False}
    thread = threading.Thread(
        target=lambda: one.fit(x, y, "mse", callbacks=[lambda model, epoch, logs: stop.is_set()], **options)
    )
    thread.start()
    codes = []
    try:
        while not one.epochs_trained:
            time.sleep(0.001)
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                try:
                    one.predict(X)
                    one.fit(X, NUMBERS, "mse", optimizer=SGD(1e-4), progress=False)
                    os._exit(0)
                except BaseException:
                    os._exit(1)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            time.sleep(0.003)
    finally:
        stop.set()
        thread.join()
    assert codes == [0] * 20
