"""EarlyStopping: when it ends a fit, what it restores, and that C and Python decide alike."""

from typing import Any

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam, BatchNorm, Dense, EarlyStopping, Sequential, TopKAccuracy, _core
from mlpcore.engine import StoppingState

RNG = np.random.default_rng(3)
X = RNG.normal(size=(90, 3))
Y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
OPTIONS: dict[str, Any] = {"loss": "bce", "batch_size": 16, "validation_split": 0.3, "progress": False}
VALIDATION = X[63:], Y[63:]


def model(dtype="float64"):
    return Sequential([Dense(24, "tanh"), BatchNorm(), Dense(1, "sigmoid")], seed=5, dtype=dtype)


def numbers_of(model):
    net = model._built()
    return net.params.copy(), net.state.copy()


def watched(numbers, patience, min_delta=0.0, larger=False, best_of_all=False):
    """What C decides: the place of the best number, and after how many the end came."""
    progress = np.array([np.nan, -1, 0, 0, 0])
    state = StoppingState(False, 0, larger, best_of_all, min_delta, float(patience), progress, None, None)
    for number in numbers:
        _core.watch_epoch(state, number)
        if progress[3]:
            break
    return int(progress[1]), int(progress[2]) if progress[3] else None


@pytest.mark.parametrize(
    ("numbers", "patience", "min_delta", "larger", "expected"),
    [
        ([3, 2, 1, 1, 1], 2, 0, False, (2, 5)),
        ([3, 2, 1, 1, 0.5], 3, 0, False, (4, None)),
        ([1, 2, 3], 1, 0, False, (0, 2)),
        ([1, 2, 3, 3, 2], 2, 0, True, (2, 5)),
        ([3, 2.9, 2.8, 2.7], 3, 0.5, False, (0, 4)),
        ([3, 2.9, 2.8, 2.4], 4, 0.5, False, (3, None)),
        ([np.nan, 3, np.nan, np.nan], 2, 0, False, (1, 4)),
        ([np.nan, np.nan, np.nan], 2, 0, False, (-1, 2)),
        ([np.inf, 5, 5], 2, 0, False, (1, None)),
    ],
)
def test_the_decision(numbers, patience, min_delta, larger, expected):
    assert watched(numbers, patience, min_delta, larger) == expected


@pytest.mark.parametrize(
    ("numbers", "patience", "min_delta", "larger", "expected"),
    [
        ([3, 2.9, 2.8, 2.7], 3, 0.5, False, (3, 4)),
        ([3, 2.9, 2.3, 2.2], 3, 0.5, False, (3, None)),
        ([1, 1.1, 0.9, 1.2], 3, 0.5, True, (3, 4)),
        ([3, 2, 1, 1, 1], 2, 0, False, (2, 5)),
        ([np.nan, 3, np.nan, np.nan], 2, 0, False, (1, 4)),
        ([np.nan, np.nan, np.nan], 2, 0, False, (-1, 2)),
    ],
)
def test_the_decision_where_the_best_is_the_best_of_all(numbers, patience, min_delta, larger, expected):
    assert watched(numbers, patience, min_delta, larger, best_of_all=True) == expected


def test_the_engine_refuses_what_it_cannot_restore():
    net = Sequential([Dense(2), BatchNorm()], input_size=3, seed=0)._built()
    before = net.params.copy(), net.state.copy()
    with pytest.raises(ValueError, match="restore: params has shape"):
        net.restore(np.zeros(3), net.state)
    with pytest.raises(ValueError, match="restore: state has shape"):
        net.restore(net.params, np.zeros(3))
    assert all(map(np.array_equal, before, (net.params, net.state)))
    net.restore(2 * before[0], before[1] + 1)
    assert np.array_equal(net.params, 2 * before[0])
    assert np.array_equal(net.state, before[1] + 1)
    with pytest.raises(RuntimeError, match="busy"):
        net.read(lambda: net.restore(*before))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("python", [False, True], ids=["in C", "with Python between epochs"])
def test_it_ends_patience_epochs_after_the_best_and_goes_back_to_it(dtype, python):
    stopping = EarlyStopping(patience=6)
    others = [lambda *_: None] if python else []
    stopped = model(dtype)
    history = stopped.fit(X, Y, epochs=3000, callbacks=[stopping, *others], **OPTIONS)
    losses = history["val_loss"]
    assert stopping.stopped
    assert stopping.best_epoch == int(np.argmin(losses)) == len(losses) - 7
    assert stopping.best == min(losses) == stopped.evaluate(*VALIDATION, loss="bce")["loss"]
    again = model(dtype)
    again.fit(X, Y, epochs=stopping.best_epoch + 1, **OPTIONS)
    for one, other in zip(numbers_of(stopped), numbers_of(again), strict=True):
        assert np.array_equal(one, other)


def test_without_restore_best_the_last_weights_stay():
    stopping, stopped, again = EarlyStopping(patience=4, restore_best=False), model(), model()
    history = stopped.fit(X, Y, epochs=3000, callbacks=[stopping], **OPTIONS)
    again.fit(X, Y, epochs=len(history["loss"]), **OPTIONS)
    assert np.array_equal(numbers_of(stopped)[0], numbers_of(again)[0])


def test_the_best_is_restored_when_the_last_epoch_comes_first():
    stopping, trained = EarlyStopping(patience=1000), model()
    history = trained.fit(X, Y, epochs=400, callbacks=[stopping], **OPTIONS)
    assert len(history["loss"]) == 400
    assert not stopping.stopped
    assert trained.evaluate(*VALIDATION, loss="bce")["loss"] == min(history["val_loss"])


@pytest.mark.parametrize(
    ("monitor", "metrics", "best_of"),
    [
        ("loss", [], np.nanargmin),
        ("val_accuracy", [], np.nanargmax),
        ("roc_auc", ["roc_auc", "log_loss"], np.nanargmax),
        ("val_log_loss", ["roc_auc", "log_loss"], np.nanargmin),
        ("val_f1", ["log_loss", "f1"], np.nanargmax),
    ],
)
@pytest.mark.parametrize("python", [False, True], ids=["in C", "with Python between epochs"])
def test_everything_that_is_recorded_can_be_watched(monitor, metrics, best_of, python):
    stopping = EarlyStopping(monitor, patience=8)
    others = [lambda *_: None] if python else []
    history = model().fit(X, Y, epochs=60, metrics=metrics, callbacks=[stopping, *others], **OPTIONS)
    assert stopping.best_epoch == int(best_of(history[monitor]))
    assert stopping.best == history[monitor][stopping.best_epoch]


def test_a_metric_with_a_constant_and_one_of_ones_own():
    def distance(y, y_hat):
        return float(np.abs(y - y_hat).mean())

    stopping = EarlyStopping("val_distance", patience=3, mode="min")
    history = model().fit(X, Y, epochs=300, metrics=[distance], callbacks=[stopping], **OPTIONS)
    assert stopping.best == min(history["val_distance"])
    classes = Sequential([Dense(3, "softmax")], seed=1)
    top = EarlyStopping("top_k_accuracy(2)", patience=2)
    labels = RNG.integers(0, 3, 90)
    history = classes.fit(X, labels, "cce", epochs=50, metrics=[TopKAccuracy(2)], callbacks=[top], progress=False)
    assert top.best == max(history["top_k_accuracy(2)"])


def test_two_of_them_lbfgs_and_schedules():
    first, second = EarlyStopping("loss", patience=50), EarlyStopping(patience=3)
    history = model().fit(X, Y, epochs=500, callbacks=[first, second], **OPTIONS)
    assert second.stopped
    assert not first.stopped
    assert len(history["loss"]) < 500
    lbfgs, small = EarlyStopping(patience=3), Sequential([Dense(9, "tanh"), Dense(1, "sigmoid")], seed=1)
    history = small.fit(
        X, Y, epochs=500, optimizer=mlpcore.LBFGS(), callbacks=[lbfgs], **(OPTIONS | {"batch_size": 63})
    )
    assert lbfgs.best == min(history["val_loss"])
    plateau = SGD(mlpcore.ReduceOnPlateau(0.5, patience=2, monitor="val_loss"))
    here, there = model(), model()
    in_c = here.fit(X, Y, epochs=40, optimizer=plateau, **OPTIONS)
    plateau = SGD(mlpcore.ReduceOnPlateau(0.5, patience=2, monitor="val_loss"))
    in_python = there.fit(X, Y, epochs=40, optimizer=plateau, callbacks=[lambda *_: None], **OPTIONS)
    assert dict(in_c) == dict(in_python)
    assert len(set(in_c["learning_rate"])) > 1


def test_a_second_fit_begins_anew():
    stopping, trained = EarlyStopping(patience=2), model()
    first = trained.fit(X, Y, epochs=500, callbacks=[stopping], **OPTIONS)
    second = trained.fit(X, Y, epochs=500, callbacks=[stopping], **OPTIONS)
    assert len(first["loss"]) < 500
    assert stopping.best == min(second["val_loss"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"monitor": 3}, TypeError, "monitor is 3, expected a name"),
        ({"patience": 0}, ValueError, "patience is 0, expected"),
        ({"patience": 1.5}, TypeError, "patience is 1.5, expected"),
        ({"min_delta": -1.0}, ValueError, "min_delta is -1"),
        ({"min_delta": float("nan")}, ValueError, "min_delta is nan"),
        ({"restore_best": 3}, TypeError, "restore_best is 3"),
        ({"mode": "auto"}, ValueError, "mode is 'auto', expected 'min', 'max', or None"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        EarlyStopping(**arguments)


def mine(y, y_hat):
    return 0.0


def test_what_fit_refuses_before_anything_changes():
    trained = model()
    options = OPTIONS | {"validation_split": 0.0}
    with pytest.raises(
        ValueError,
        match=r"monitor of callbacks\[0\] is 'val_loss', expected one of 'loss', 'accuracy': "
        "give validation_data",
    ):
        trained.fit(X, Y, callbacks=[EarlyStopping()], **options)
    with pytest.raises(ValueError, match="monitor of .* is 'val_mine', a function of your own: give mode"):
        trained.fit(X, Y, metrics=[mine], callbacks=[EarlyStopping("val_mine")], **OPTIONS)
    with pytest.raises(ValueError, match="use_ema=True: both say with which weights"):
        trained.fit(X, Y, optimizer=Adam(use_ema=True), callbacks=[EarlyStopping()], **OPTIONS)
    assert trained.history is None
    assert trained.input_size is None
