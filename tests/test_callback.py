"""Callback: which methods fit calls when, with what, and what becomes of an error in one."""

from typing import Any

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Callback, CustomLoss, Dense, LambdaCallback, Sequential

X = np.linspace(-1, 1, 24).reshape(12, 2)
Y = np.tile([0, 1, 1], 4)
OPTIONS: dict[str, Any] = {"loss": "cce", "batch_size": 5, "progress": False}


def model(seed=1):
    return Sequential([Dense(4, "tanh"), Dense(2, "softmax")], seed=seed, dtype="float64")


class Recorder(Callback):
    """Writes down every call."""

    def __init__(self):
        self.calls = []

    def on_fit_begin(self, model):
        self.calls.append(("fit begins", model.input_size))

    def on_epoch_begin(self, model, epoch):
        self.calls.append(("epoch begins", epoch))

    def on_batch_end(self, model, epoch, batch, logs):
        self.calls.append(("batch", epoch, batch, logs))

    def on_epoch_end(self, model, epoch, logs):
        self.calls.append(("epoch ends", epoch, logs))

    def on_fit_end(self, model, history):
        self.calls.append(("fit ends", history))


def test_every_method_is_called_in_order_with_what_history_records():
    recorder = Recorder()
    history = model().fit(X, Y, epochs=2, validation_data=(X, Y), metrics=["log_loss"], callbacks=[recorder], **OPTIONS)
    kinds = [call[0] for call in recorder.calls]
    epoch = ["epoch begins", "batch", "batch", "batch", "epoch ends"]
    assert kinds == ["fit begins", *epoch, *epoch, "fit ends"]
    assert recorder.calls[0] == ("fit begins", 2)
    batches = [call[1:3] for call in recorder.calls if call[0] == "batch"]
    assert batches == [(e, b) for e in (0, 1) for b in range(3)]
    ends = [call[2] for call in recorder.calls if call[0] == "epoch ends"]
    assert ends == [{name: history[name][e] for name in history} for e in (0, 1)]
    assert recorder.calls[-1][1] is history


def test_the_loss_of_a_batch_is_that_before_its_update():
    recorder = Recorder()
    model().fit(X, Y, epochs=1, shuffle=False, callbacks=[recorder], **OPTIONS)
    by_hand, optimizer, losses = model(), mlpcore.Adam(), []
    for begin in 0, 5, 10:
        by_hand.forward(X[begin : begin + 5], training=True)
        losses.append(by_hand.backward(Y[begin : begin + 5], loss="cce"))
        by_hand.update(optimizer)
    assert [call[3]["loss"] for call in recorder.calls if call[0] == "batch"] == losses


@pytest.mark.parametrize("options", [{}, {"validation_data": (X, Y)}, {"metrics": ["roc_auc"]}], ids=str)
def test_callbacks_change_no_bit(options):
    plain, watched = model(), model()
    without = plain.fit(X, Y, epochs=3, **options, **OPTIONS)
    with_them = watched.fit(X, Y, epochs=3, callbacks=[Recorder(), lambda *_: None], **options, **OPTIONS)
    assert dict(without) == dict(with_them)
    assert list(without) == list(with_them)
    for layer, other in zip(plain.layers, watched.layers, strict=True):
        assert np.array_equal(layer.w, other.w)
        assert np.array_equal(layer.b, other.b)


def test_an_epoch_end_that_returns_true_ends_the_fit():
    recorder = Recorder()
    stop = LambdaCallback(on_epoch_end=lambda model, epoch, logs: epoch == 1)
    history = model().fit(X, Y, epochs=9, callbacks=[stop, recorder], **OPTIONS)
    assert len(history["loss"]) == 2
    assert [call[1] for call in recorder.calls if call[0] == "epoch ends"] == [0, 1]


@pytest.mark.parametrize("method", ["on_fit_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end", "on_fit_end"])
def test_an_error_in_a_method_ends_the_call_and_the_others_learn_of_its_end(method):
    recorder = Recorder()

    def fail(*_):
        raise ZeroDivisionError(method)

    trained = model()
    with pytest.raises(ZeroDivisionError, match=method):
        trained.fit(X, Y, epochs=2, callbacks=[recorder, LambdaCallback(**{method: fail})], **OPTIONS)
    assert recorder.calls[-1][0] == "fit ends"
    epochs = {"on_epoch_end": 1, "on_fit_end": 2}.get(method, 0)
    assert len(trained.history.epoch if trained.history is not None else []) == epochs
    trained.fit(X, Y, epochs=1, **OPTIONS)  # still usable


def test_a_callback_may_use_the_model_between_epochs_but_not_while_it_is_busy():
    used = []
    predict = LambdaCallback(on_epoch_end=lambda model, epoch, logs: used.append(model.predict(X).shape))
    model().fit(X, Y, epochs=2, callbacks=[predict], **OPTIONS)
    assert used == [(12, 2)] * 2
    with pytest.raises(RuntimeError):
        model().fit(X, Y, callbacks=[LambdaCallback(on_batch_end=lambda model, *_: model.fit(X, Y, "cce"))], **OPTIONS)


def test_methods_see_batches_of_lbfgs_and_custom_losses():
    class Squares(CustomLoss):
        def value(self, y_hat, y):
            return ((y_hat - y) ** 2).sum(axis=1)

        def gradient(self, y_hat, y):
            return 2 * (y_hat - y)

    for loss, optimizer in (("cce", mlpcore.LBFGS()), (Squares(), SGD(0.1))):
        recorder = Recorder()
        history = model().fit(
            X, np.eye(2)[Y], loss, optimizer=optimizer, epochs=2, batch_size=12, callbacks=[recorder], progress=False
        )
        losses = [call[3]["loss"] for call in recorder.calls if call[0] == "batch"]
        assert losses == pytest.approx(history["loss"], rel=1e-12)


def test_stop_ends_at_a_whole_batch_and_what_came_before_is_kept():
    stopped = model()

    def stop(model, epoch, batch, logs):
        if (epoch, batch) == (2, 1):
            model.stop()

    history = stopped.fit(X, Y, epochs=50, callbacks=[LambdaCallback(on_batch_end=stop)], **OPTIONS)
    assert len(history["loss"]) == 2
    assert stopped.epochs_trained == 2
    # The fit that comes is not concerned, nor is one beside it.
    assert len(stopped.fit(X, Y, epochs=3, **OPTIONS)["loss"]) == 3


def test_stop_between_epochs_and_without_a_fit():
    idle = model()
    idle.stop()
    ends = LambdaCallback(on_epoch_end=lambda model, epoch, logs: model.stop())
    assert len(idle.fit(X, Y, epochs=5, callbacks=[ends], **OPTIONS)["loss"]) == 1


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (Recorder(), "callbacks is .*, expected a list of callables or Callback objects"),
        ([Recorder], r"callbacks\[0\] is the class Recorder, expected an object: Recorder"),
        ([Recorder(), 3], r"callbacks\[1\] is 3, expected a Callback or a callable"),
    ],
)
def test_what_is_no_callback_is_refused(callbacks, message):
    with pytest.raises(TypeError, match=message):
        model().fit(X, Y, callbacks=callbacks, **OPTIONS)
    with pytest.raises(TypeError, match="on_epoch_end is 'x', expected a callable"):
        LambdaCallback(on_epoch_end="x")
