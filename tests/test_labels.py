"""Class indices as y: the same bits as with rows of 0 and 1, and never more memory than one batch of those."""

import threading
import tracemalloc

import everywhere
import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam, Dense, Sequential, _core

QUIET = {"progress": False}
CLASSES = 5


def data(n=57, dtype="float64"):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 4)).astype(dtype), rng.integers(0, CLASSES, n), rng.uniform(0.5, 2, n)


def model(sigma="softmax", dtype="float32", **options):
    return Sequential([Dense(6, "tanh"), Dense(CLASSES, sigma)], input_size=4, seed=1, dtype=dtype, **options)


def both(of, labels):
    """What `of(y)` gives for class indices and for rows of 0 and 1."""
    return of(labels), of(np.eye(CLASSES)[labels])


LOSSES = ["cce", mlpcore.CategoricalCrossentropy(label_smoothing=0.2)]
FITS = {
    "batches": {"batch_size": 8},
    "one row": {"batch_size": 1},
    "in order": {"batch_size": 10, "shuffle": False},
    "one batch": {"batch_size": 100},
    "validation": {"batch_size": 16, "validation_split": 0.3},
    "callback": {"batch_size": 16, "callbacks": [lambda *_: None]},
    "class_weight": {"class_weight": {0: 3.0, 4: 0.0}},
    "lbfgs": {"optimizer": mlpcore.LBFGS},
}


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("sigma", ["softmax", "log_softmax", "sigmoid", "linear"])
def test_a_step_by_hand_has_the_same_bits(sigma, loss):
    x, labels, weight = data()

    def of(y):
        each = model(sigma)
        each.forward(x)
        value = each.backward(y, loss, sample_weight=weight)
        return value, [layer.phi.tobytes() for layer in each.layers], each._built().grads.tobytes()

    first, second = both(of, labels)
    assert first == second


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.filterwarnings("ignore::mlpcore.TrainingWarning")
def test_a_fit_has_the_same_bits_and_the_same_history(fit, dtype, weighted):
    x, labels, weight = data()
    options = dict(FITS[fit])
    made = options.pop("optimizer", lambda: Adam(0.01))

    def of(y):
        each = model(dtype=dtype)
        history = each.fit(
            x, y, LOSSES[1], optimizer=made(), epochs=3, sample_weight=weight if weighted else None, **options, **QUIET
        )
        return each._built().params.tobytes(), dict(history), history.rules, each.evaluate(x, y, "cce")

    first, second = both(of, labels)
    assert first == second
    assert first[2]["accuracy"] == "categorical_accuracy"


def test_labels_give_the_same_bits_everywhere():
    x, labels, _ = data()

    def trained():
        each = model()
        each.fit(x, labels, LOSSES[1], optimizer=SGD(0.1), epochs=2, batch_size=20, **QUIET)
        return each

    assert len(everywhere.bits_everywhere(trained)) == 1


def test_partial_fit_and_gradcheck_take_labels():
    x, labels, _ = data()
    first, second = both(lambda y: model().partial_fit(x, y, "cce", optimizer=SGD(0.1))._built().params, labels)
    assert np.array_equal(first, second)
    for loss in LOSSES:
        report = mlpcore.gradcheck.check_model(model(dtype="float64"), x[:9], labels[:9], loss)
        assert report.ok, report


def test_labels_are_never_expanded_in_memory():
    n, classes = 20_000, 1_000
    x, labels = np.ones((n, 1), np.float32), np.arange(n) % classes
    each = Sequential([Dense(classes, "softmax")], input_size=1, seed=1)
    tracemalloc.start()
    try:
        before = _core.allocation_count()
        each.fit(x, labels, "cce", optimizer=SGD(0.1), batch_size=64, class_weight={1: 2.0}, **QUIET)
        each.evaluate(x, labels, "cce")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 40 * n < n * classes  # some copies of one number a row, in bytes
    assert _core.allocation_count() >= before


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("label", "error"),
    [
        (5, "has 5.0 at row 1"),
        (-1, "has -1.0 at row 1"),
        (1.5, "has 1.5 at row 1"),
        (np.nan, "nan, row 1"),
        (np.inf, "inf"),
    ],
)
def test_a_wrong_label_is_named_before_anything_changes(label, error):
    x, labels, _ = data(4)
    wrong = labels.astype(np.float64)
    wrong[1] = label
    each = model()
    each.forward(x)
    before = each._built().params.tobytes()
    for call in (
        lambda: each.fit(x, wrong, "cce", **QUIET),
        lambda: each.fit(x, labels, "cce", validation_data=(x, wrong), **QUIET),
        lambda: each.partial_fit(x, wrong, "cce", optimizer=SGD(0.1)),
        lambda: each.evaluate(x, wrong, "cce"),
        lambda: each.backward(wrong, "cce"),
    ):
        with pytest.raises(ValueError, match=error):
            call()
    assert (each._built().params.tobytes(), each.epochs_trained) == (before, 0)


@pytest.mark.parametrize("bad", [[0, 5, 1], [0, -1, 1], [0, 0.5, 1], [0, np.nan, 1]])
def test_the_engine_refuses_wrong_labels_too(bad):
    net = model()._built()
    x = np.ones((3, 4), np.float32)
    net.forward(x)
    with pytest.raises(ValueError, match=r"loss: y has .* at row 1, expected a class index from 0 to 4"):
        net.loss(x, np.array(bad), "cce", None)
    with pytest.raises(ValueError, match=r"backward: y has .* at row 1, expected a class index from 0 to 4"):
        net.backward(np.array(bad), "cce")


@pytest.mark.parametrize("loss", ["mse", "bce", "focal"])
def test_labels_are_for_losses_with_classes(loss):
    net = model()._built()
    x = np.ones((3, 4), np.float32)
    net.forward(x)
    for call in (lambda: net.loss(x, np.zeros(3), loss, None), lambda: net.backward(np.zeros(3), loss)):
        with pytest.raises(ValueError, match=r"y has shape \(3,\), expected \(3, 5\)"):
            call()
    with pytest.raises(ValueError, match=r"y has shape \(2,\), expected"):
        net.backward(np.zeros(2), "cce")


def test_labels_that_another_thread_spoils_during_a_fit_harm_nothing_else():
    """The engine reads them where they lie; what is no index of a class then has none."""
    each = model()
    x, labels = np.ones((64, 4), np.float32), np.zeros(64, np.float32)
    stop = threading.Event()

    def spoil():
        while not stop.is_set():
            for label in (1e30, -1e30, np.nan, 7.0, 0.0):
                labels[:] = label

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        for _ in range(5):
            labels[:] = 0
            try:
                each.fit(x, labels, "cce", optimizer=SGD(1e-3), epochs=20, **QUIET)
            except ValueError:  # spoiled before it was checked
                continue
    finally:
        stop.set()
        thread.join()
    assert np.isfinite(each.predict(x)).all()
