"""Whatever interrupts a call, weights, counter, history and optimizer tell of the same step."""

import contextlib
import itertools
import linecache
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from states import (
    FITS,
    GOOD,
    MODELS,
    QUIET,
    X,
    Y,
    classifier,
    frozen,
    snapshot,
    stepped,
)

import mlpcore
from mlpcore import Adam, Dense, network, training
from mlpcore.layers.layer import beginning


class Interrupting:
    """Raises an error at the k-th line of mlpcore that is executed; tells whether there were so many."""

    def __init__(self, k, error=KeyboardInterrupt):
        self.left, self.error = k, error

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.called)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def called(self, frame, event, argument):
        return self.executed if PACKAGE in frame.f_code.co_filename else None

    def executed(self, frame, event, argument):
        # Where a lock is taken and given back, Python itself answers no signal.
        if event == "line" and linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip() != "with beginning:":
            self.left -= 1
            if self.left == 0:
                raise self.error
        return self.executed


PACKAGE = str(Path(mlpcore.__file__).parent)
EPOCHS = 2  # of a fit that is interrupted at each line; the time grows with their square


def interrupted_at_every_line(make, call):
    """Yield what `make` made and what it was before, for every line of mlpcore at which `call` can be interrupted."""
    for k in itertools.count(1):
        model, optimizer = make(), Adam()
        before = snapshot(model, optimizer)
        with contextlib.suppress(KeyboardInterrupt), Interrupting(k) as interrupting:
            call(model, optimizer)
        assert not beginning._is_owned()
        yield model, optimizer, before
        if interrupting.left > 0:
            return


@pytest.mark.parametrize(
    ("options", "make"),
    # Callbacks multiply the lines of a fit: they are interrupted with two of the models.
    [each for each in itertools.product(FITS, MODELS) if "callbacks" not in FITS[each[0]] or each[1] in MODELS[::3]],
)
def test_wherever_a_fit_is_interrupted_all_tell_of_the_same_step(options, make):
    options = {"loss": "cce", "batch_size": 4, **FITS[options], **QUIET}
    twin, own = make(), Adam()
    begun = twin.epochs_trained
    weights = {}
    for epoch in range(begun + 1, begun + EPOCHS + 1):
        twin.fit(X, Y, optimizer=own, **options)
        weights[epoch] = frozen(twin._built().params), own._steps
    counts = set()
    for model, optimizer, before in interrupted_at_every_line(
        make, lambda model, optimizer: model.fit(X, Y, optimizer=optimizer, epochs=EPOCHS, **options)
    ):
        epochs = model.epochs_trained
        counts.add(epochs - begun)
        if epochs == begun:
            assert snapshot(model, optimizer) == before
        else:
            assert (frozen(model._built().params), optimizer._steps) == weights[epochs]
            assert {len(values) for values in model.history.values()} == {epochs - begun}
            assert not np.isnan(model.history["loss"]).any()
            assert model._cursor[1] == 0
        if epochs < begun + EPOCHS:
            model.fit(X, Y, optimizer=optimizer, epochs=begun + EPOCHS - epochs, **options)
        assert (frozen(model._built().params), optimizer._steps) == weights[begun + EPOCHS]
    assert counts == ({0, EPOCHS} if "callbacks" not in options else {*range(EPOCHS + 1)})


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("method", ["partial_fit", "predict", "forward", "evaluate", "update"])
def test_wherever_another_call_is_interrupted_it_was_made_or_not(method, make):
    if method == "update" and make is not stepped:
        pytest.skip("there is nothing to update with")

    def call(model, optimizer):
        return getattr(model, method)(
            **GOOD[method] | ({"optimizer": optimizer} if "optimizer" in GOOD[method] else {})
        )

    twin, own = make(), Adam()
    call(twin, own)
    after = snapshot(twin, own)
    ends = set()
    for model, optimizer, before in interrupted_at_every_line(make, call):
        now = snapshot(model, optimizer)
        if now == before:
            ends.add("before")
            continue
        ends.add("after")
        for name in ("params", "has gradients", "cursor"):
            assert now[name] == after[name]
        assert optimizer._steps == own._steps
        assert (optimizer._owner is model._owner) == (own._owner is twin._owner)
        for _, layer in network.all_layers(model.layers):
            assert layer.input_size
    assert ends == {"before", "after"} or (ends == {"before"} and method in ("predict", "evaluate"))


@pytest.mark.parametrize("interrupted", [1, 2])
def test_an_epoch_whose_validation_is_interrupted_counts(interrupted):
    model, calls = classifier(), []

    def measure(y, y_hat):  # of the rows to train with and then of those to validate with
        calls.append(y)
        if len(calls) == 2 * interrupted:
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, "cce", epochs=3, validation_data=(X, Y), metrics=[measure], **QUIET)
    assert model.epochs_trained == interrupted == len(model.history.epoch) == len(model.history["loss"])
    if interrupted == 1:
        assert list(model.history) == ["loss", "accuracy"]
    else:
        assert np.isnan(model.history["val_loss"]).tolist() == [False, True]


@pytest.mark.parametrize("call", ["predict", "forward", "evaluate", "partial_fit", "fit"])
def test_where_memory_fails_a_first_call_was_not_made(call):
    testcapi = pytest.importorskip("_testcapi")
    failed = 0
    for k in range(2000):
        model, optimizer = classifier(), Adam()
        before = snapshot(model, optimizer)
        arguments = GOOD[call] | ({"optimizer": optimizer} if "optimizer" in GOOD[call] else {})
        error = None
        testcapi.set_nomemory(k, k + 1)
        try:
            getattr(model, call)(**arguments)
        except BaseException as caught:
            testcapi.remove_mem_hooks()
            error = caught
        testcapi.remove_mem_hooks()
        if error is None:
            if failed and k > failed + 400:
                break
        else:
            failed = k
            assert isinstance(error, MemoryError | SystemError), error  # SystemError: NumPy forgets to set its own
        if model.epochs_trained == 0 and call in ("partial_fit", "fit"):
            assert snapshot(model, optimizer) == before
        elif model.history is not None:
            assert len(model.history["loss"]) == model.epochs_trained == 1
        assert model.predict(X).shape == (10, 3)
        assert [layer.w.shape for layer in model.layers if isinstance(layer, Dense)] == [(8, 3), (3, 8)]
        assert pickle.loads(pickle.dumps(model)).epochs_trained == model.epochs_trained
    assert failed, "no allocation failed"


@pytest.mark.parametrize(
    ("done", "held"), [(0, ""), (1, ", and history holds that epoch"), (2, ", and history holds those epochs")]
)
def test_a_stopped_fit_says_what_there_is_and_a_notebook_shows_only_that(monkeypatch, done, held):
    def stop(*arguments, **options):
        if not done or arguments[1] == done - 1:
            raise KeyboardInterrupt

    model = classifier()
    if not done:
        monkeypatch.setattr(training, "run_epochs", stop)
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(X, Y, "cce", epochs=5, callbacks=[stop], **QUIET)
    message = f"fit was stopped after {done} of 5 epochs: the model is as its last whole batch left it{held}"
    assert str(caught.value) == message
    assert caught.value._render_traceback_() == [f"KeyboardInterrupt: {message}"]


def test_a_message_of_the_callers_own_stays():
    def stop(model, epoch, logs):
        raise KeyboardInterrupt("mine")

    with pytest.raises(KeyboardInterrupt, match=r"^mine$") as caught:
        classifier().fit(X, Y, "cce", epochs=5, callbacks=[stop], **QUIET)
    assert not hasattr(caught.value, "_render_traceback_")
