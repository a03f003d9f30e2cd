"""Training: beside other threads, with weights and callbacks, and what it warns of."""

import contextlib
import copy
import pickle
import threading
import time
import warnings

import numpy as np
import pytest
from states import (
    FITS,
    QUIET,
    X,
    Y,
    classifier,
    frozen,
    regression,
    snapshot,
)

import mlpcore
from mlpcore import SGD, Adam, Dense, Sequential, TrainingWarning
from mlpcore._core import BusyError


def test_weights_of_a_partial_fit_are_taken_as_they_are():
    def step(times=1, **options):
        model, x, y = regression(dtype="float64")
        for _ in range(times):
            model.partial_fit(x, y, "mse", optimizer=SGD(0.1), **options)
        return model.layers[0].w - start

    start = regression(dtype="float64")[0].layers[0].w.copy()
    np.testing.assert_allclose(step(sample_weight=[3] * 10), 3 * step(), rtol=1e-12)
    with pytest.warns(TrainingWarning, match="infinite or nan"):
        step(2, sample_weight=[1e300] * 10)


# -------------------------------------------------------------------------------------------------- two threads at once


class Slow(mlpcore.CustomLayer):
    """Hands on what it is given, and lets a test come in while a batch is under way."""

    def __init__(self):
        super().__init__()
        self.inside, self.go_on, self.calls = threading.Event(), threading.Event(), 0

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name not in ("inside", "go_on")}

    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        self.calls += 1
        if training and self.calls == 3:
            self.inside.set()
            assert self.go_on.wait(30)
        return x

    def backward(self, grad_y, x):
        return grad_y


@pytest.fixture
def busy():
    """A model and its optimizer, which another thread trains, in the third batch of five; and what ends that."""
    slow = Slow()
    model, optimizer = Sequential([Dense(4, "tanh"), slow, Dense(3, "softmax")], seed=1), Adam()
    failures = []

    def fit():
        try:
            model.fit(X, Y, "cce", optimizer=optimizer, batch_size=2, **QUIET)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=fit)
    thread.start()
    assert slow.inside.wait(30)

    def finish():
        slow.go_on.set()
        thread.join()
        assert not failures, failures

    yield model, optimizer, finish
    slow.go_on.set()
    thread.join()


CALLS = {
    "fit": lambda model, own: model.fit(X, Y, "cce", optimizer=own, **QUIET),
    "fit, watched": lambda model, own: model.fit(
        X, Y, "cce", optimizer=own, validation_data=(X, Y), callbacks=[lambda *_: None], **QUIET
    ),
    "partial_fit": lambda model, own: model.partial_fit(X, Y, "cce", optimizer=own),
    "forward": lambda model, own: model.forward(X),
    "predict": lambda model, own: model.predict(X),
    "evaluate": lambda model, own: model.evaluate(X, Y, "cce"),
    "backward": lambda model, own: model.backward(Y, "cce"),
    "update": lambda model, own: model.update(own),
    "pickle": lambda model, own: pickle.dumps(model),
    "copy": lambda model, own: copy.copy(model),
    "deepcopy": lambda model, own: copy.deepcopy(model),
}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_beside_a_training_is_refused_and_changes_nothing(busy, call, shared):
    model, optimizer, finish = busy
    own = optimizer if shared else SGD(0.1)
    history, before = model.history, snapshot(model, own)
    with pytest.raises(RuntimeError, match="busy|no backward"):
        CALLS[call](model, own)
    assert model.history is history
    assert snapshot(model, own) == before
    finish()
    twin = Sequential([Dense(4, "tanh"), Slow(), Dense(3, "softmax")], seed=1)
    twin.layers[1].go_on.set()
    twin.fit(X, Y, "cce", batch_size=2, **QUIET)
    assert dict(history) == dict(twin.history)
    assert model._cursor.tolist() == [1, 0]
    assert optimizer._steps == 5
    np.testing.assert_array_equal(model._built().params, twin._built().params)


def test_an_optimizer_is_not_read_while_it_steps(busy):
    _, optimizer, finish = busy
    for read in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(BusyError, match="busy"):
            read(optimizer)
    finish()
    assert pickle.loads(pickle.dumps(optimizer))._steps == 5


def test_a_layer_that_asks_its_own_model_ends_the_training_at_a_whole_batch():
    class Asks(Slow):
        def forward(self, x, training):
            self.calls += 1
            if training and self.calls == 3:
                model.predict(X)
            return x

    model, optimizer = Sequential([Dense(3, "softmax"), Asks()], seed=1), SGD(0.1)
    with pytest.raises(BusyError):
        model.fit(X, Y, "cce", optimizer=optimizer, batch_size=2, **QUIET)
    assert (model._cursor.tolist(), optimizer._steps) == ([0, 2], 2)
    assert optimizer._owner is model._owner


@pytest.mark.parametrize("kind", ["model", "optimizer"])
def test_what_is_read_beside_many_short_trainings_is_one_moment_of_them(kind):
    """Weights, counter and history tell of the same step, and so do m, v and t, whoever trains between two looks."""
    model, x, y = regression()
    optimizer, stop, failures = Adam(), threading.Event(), []

    def train():
        try:
            while not stop.is_set():
                with contextlib.suppress(BusyError):  # the other thread reads
                    model.fit(x, y, "mse", optimizer=optimizer, batch_size=5, shuffle=False, **QUIET)
                time.sleep(0.0002)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    copies = []
    while model.epochs_trained < 100 and thread.is_alive():
        try:
            copies.append(pickle.loads(pickle.dumps(model if kind == "model" else optimizer)))
        except BusyError:
            continue
    stop.set()
    thread.join()
    assert not failures, failures
    twin, own, moments = regression()[0], Adam(), []
    for _ in range(model.epochs_trained + 1):
        moments.append((frozen(twin._built().params), frozen(own._state)))
        twin.fit(x, y, "mse", optimizer=own, batch_size=5, shuffle=False, **QUIET)
    for each in copies:
        if kind == "model":
            assert frozen(each._built().params) == moments[each.epochs_trained][0]
            begun = each.history is not None and "loss" in each.history  # or between the call and its first batch
            assert not begun or len(each.history["loss"]) == 1
        else:
            assert frozen(each._state) == moments[each._steps // 2][1]
    assert copies


def test_a_callback_may_fit_the_same_model():
    def again(model, epoch, logs):
        model.fit(X, Y, "cce", optimizer=optimizer, **QUIET)

    model, optimizer = classifier(), SGD(0.1)
    history = model.fit(X, Y, "cce", optimizer=optimizer, epochs=3, callbacks=[again], **QUIET)
    assert model.history is history
    assert (len(history["loss"]), model.epochs_trained) == (3, 6)


# ----------------------------------------------------------------------------------------------------- what is hopeless


def test_one_unit_with_softmax_cannot_learn():
    model = Sequential([Dense(1, "softmax")], seed=1)
    with pytest.warns(TrainingWarning, match="one unit with 'softmax'.*nothing can be learned.*sigmoid") as caught:
        model.fit(X, np.ones((10, 1)), "cce", epochs=3, **QUIET)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(TrainingWarning, match="nothing can be learned"):
        model.partial_fit(X, np.ones((10, 1)), "cce", optimizer=SGD())


@pytest.mark.parametrize("sigma", mlpcore.catalogue.names("activations"))
@pytest.mark.parametrize("loss", mlpcore.catalogue.names("losses"))
def test_outputs_that_are_no_probabilities_are_named(loss, sigma):
    units = 6 if loss == "gaussian_nll" else 3
    model, y = Sequential([Dense(3, "tanh"), Dense(units, sigma)], seed=1), np.eye(3)[Y]
    y = 2 * y - 1 if "signs" in mlpcore.catalogue.entry("losses", loss).traits else y
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, loss, optimizer=SGD(1e-6), epochs=2, callbacks=[lambda *_: None], **QUIET)
    hopeless = loss in ("bce", "cce", "focal") and sigma not in ("sigmoid", "hard_sigmoid", "softmax")
    hopeless = hopeless and (loss, sigma) != ("cce", "log_softmax")
    assert [loss in str(each.message) and sigma in str(each.message) for each in caught] == [True] * hopeless


@pytest.mark.parametrize("options", FITS)
def test_a_training_that_diverges_says_once_where(options):
    model, x, y = regression()
    options = {name: (x, y) if name == "validation_data" else value for name, value in FITS[options].items()}
    with pytest.warns(TrainingWarning) as caught:
        history = model.fit(x, y, "mse", optimizer=SGD(1e6), epochs=20, batch_size=5, shuffle=False, **options, **QUIET)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    first = int(np.argmin(np.isfinite(history["loss"])))
    message = str(caught[0].message)
    assert f"the loss became infinite or nan in epoch {first}, batch " in message
    assert "weights of layers.0 are infinite or nan" in message
    assert "learning rate" in message


def test_the_batch_of_a_divergence_is_the_first_whose_loss_is_not_finite():
    x, y = np.zeros((10, 1)), np.zeros((10, 1))
    y[7] = 3e38
    model = Sequential([Dense(1)], input_size=1, seed=1)
    with pytest.warns(TrainingWarning, match=r"in epoch 0, batch 3 \(both counted from 0\)"):
        model.fit(x, y, "mse", optimizer=SGD(0.0), batch_size=2, shuffle=False, **QUIET)


def test_weights_that_the_last_step_made_infinite_are_named_though_the_loss_was_finite():
    model = Sequential([Dense(2), Dense(1)], input_size=1, seed=1)
    with pytest.warns(TrainingWarning, match=r"finite loss; weights of layers\.[01] are infinite or nan"):
        history = model.fit([[1e10]], [[0.0]], "mse", optimizer=SGD(1e30), **QUIET)
    assert np.isfinite(history["loss"]).all()


def test_a_warning_that_is_an_error_comes_before_or_after_the_training():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Sequential([Dense(3, "tanh")], seed=1)
        before = snapshot(model)
        with pytest.raises(TrainingWarning):
            model.fit(X, Y, "cce", **QUIET)
        assert snapshot(model) == before
        model, x, y = regression()
        with pytest.raises(TrainingWarning):
            model.fit(x, y, "mse", optimizer=SGD(1e6), epochs=20, **QUIET)
        assert model.epochs_trained == 20 == len(model.history["loss"])
