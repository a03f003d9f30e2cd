"""How trainings end that are not to go on: divergence, model.stop() of another thread, Ctrl-C in a callback."""

import _thread
import threading

import numpy as np
import pytest
from wrong import X, assert_in_order, fit, model

from mlpcore import (
    SGD,
    Callback,
    Checkpoint,
    CSVLogger,
    Dense,
    EarlyStopping,
    LambdaCallback,
    TimeLimit,
    TrainingWarning,
)

# ----------------------------------------------------------------------------------------------------------- divergence

GROWING = {
    "plain": {},
    "validated": {"validation_split": 0.25},
    "stopped early": {"validation_split": 0.25, "callbacks": [EarlyStopping(patience=2)]},
    "with a callback": {"callbacks": [lambda *_: None]},
    "with a callback for batches": {"callbacks": [LambdaCallback(on_batch_end=lambda *_: None)]},
    "with a limit": {"epochs": 10**7, "callbacks": [TimeLimit(0.2)]},
}


def growing(*layers):
    """Arguments of fit with which weights grow from step to step."""
    return model(*layers, input_size=3), {"X": 10 * X, "y": 100 * X[:, :1] ** 2, "loss": "mse", "batch_size": 5}


@pytest.mark.parametrize("way", GROWING)
def test_divergence_is_told_with_epoch_batch_and_layer(way):
    trained, options = growing(Dense(4), Dense(1))
    options |= {"epochs": 9, "optimizer": SGD(10.0), "progress": False} | GROWING[way]
    with pytest.warns(TrainingWarning) as caught:
        trained.fit(**options)
    (warning,) = caught
    words = ["infinite or nan in epoch 0, batch ", "(both counted from 0)", "weights of layers.0 are infinite or nan"]
    assert_in_order(str(warning.message), [*words, "try a smaller learning rate, clip_norm=, or scaled inputs"])
    assert warning.filename == __file__


@pytest.mark.parametrize("others", [[], [lambda *_: None]], ids=["in C", "in Python"])
def test_divergence_after_the_best_epoch_tells_of_both(others):
    """The weights are back where they were best; the warning still says which layer broke, and when."""
    trained, options = growing(Dense(1))
    trained.fit(**options, optimizer=SGD(1e-6), progress=False)  # the next one counts epochs anew, as its history does
    stopping = EarlyStopping("loss", patience=100)
    options |= {"optimizer": SGD(0.02), "epochs": 60, "callbacks": [stopping, *others]}
    with pytest.warns(TrainingWarning) as caught:
        history = trained.fit(**options, progress=False)
    (warning,) = caught
    first = int(np.argmin(np.isfinite(history["loss"])))
    assert first > 0
    words = [
        f"in epoch {first}, batch ",
        "weights of layers.0 were then infinite or nan",
        "the model has the weights of",
    ]
    assert_in_order(str(warning.message), [*words, f"its best epoch, {stopping.best_epoch}: try a smaller"])
    assert all(np.isfinite(layer.w).all() for layer in trained.layers)


# ------------------------------------------------------------------------------------------------------ stop and Ctrl-C


class Log(Callback):
    def __init__(self):
        self.ended = 0

    def on_fit_end(self, model, history):
        self.ended += 1


ENDS = {
    "plain": {},
    "validated, stopping early": {
        "validation_split": 0.25,
        "callbacks": [EarlyStopping("val_accuracy", patience=10**9)],
    },
    "with callbacks": {"callbacks": [lambda *_: None, LambdaCallback(on_batch_end=lambda *_: None)]},
}


@pytest.mark.parametrize("way", ENDS)
def test_another_thread_ends_a_fit_with_whole_epochs_recorded(way):
    trained, log = model(), Log()
    options = {"epochs": 10**8, "batch_size": 7} | ENDS[way]
    options["callbacks"] = [*options.get("callbacks", []), log]
    started = threading.Event()
    options["callbacks"].append(LambdaCallback(on_fit_begin=lambda _: started.set()))

    def stop():
        started.wait()
        while trained.epochs_trained < 3:
            pass
        trained.stop()

    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    history = fit(trained, **options)
    thread.join()
    assert log.ended == 1
    assert len(history["loss"]) == trained.epochs_trained >= 3
    assert trained.predict(X).shape == (20, 3)


@pytest.mark.parametrize("way", ENDS)
def test_ctrl_c_ends_a_fit_with_callbacks_at_a_whole_batch(way):
    trained, log = model(), Log()
    options = {"epochs": 10**8, "batch_size": 7} | ENDS[way]
    ended = threading.Event()

    def press():
        while trained.epochs_trained < 3 and not ended.is_set():
            pass
        if not ended.is_set():
            _thread.interrupt_main()

    thread = threading.Thread(target=press)
    options["callbacks"] = [*options.get("callbacks", []), log, LambdaCallback(on_fit_begin=lambda _: thread.start())]
    try:
        with pytest.raises(KeyboardInterrupt, match="fit was stopped after [0-9,]+ of 100,000,000 epochs"):
            fit(trained, **options)
    finally:
        ended.set()
        thread.join()
    assert log.ended == 1
    assert len(trained.history["loss"]) == trained.epochs_trained >= 3
    history = fit(trained)
    assert len(history["loss"]) == 2


@pytest.mark.parametrize("method", ["on_epoch_begin", "on_batch_end", "on_epoch_end"])
def test_ctrl_c_within_a_callback_leaves_whole_epochs_and_ends_all_callbacks(method, tmp_path):
    trained, log, calls = model(), Log(), []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    callbacks = [log, Checkpoint(tmp_path / "m"), CSVLogger(tmp_path / "log"), LambdaCallback(**{method: interrupt})]
    with pytest.raises(KeyboardInterrupt, match="fit was stopped after [23] of 9 epochs"):
        fit(trained, epochs=9, callbacks=callbacks)
    assert log.ended == 1
    assert len(trained.history["loss"]) == trained.epochs_trained
    history = fit(trained, epochs=9, callbacks=[Checkpoint(tmp_path / "m")], resume="auto")
    assert len(history["loss"]) == 9
    straight = model()
    fit(straight, epochs=9)
    assert np.array_equal(straight.predict(X), trained.predict(X))
