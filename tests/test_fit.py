"""fit and partial_fit: epochs, their order and batches, weights of samples, validation, callbacks, and Ctrl-C."""

import os
import signal
import threading
import time

import nets
import numpy as np
import pytest
from fits import classifier, data, fitted, params

from mlpcore import SGD, Adam, Dense, Sequential

# -------------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("optimizer", [SGD, lambda: SGD(0.1, momentum=0.9), lambda: SGD(0.1, 0.9, True), Adam])
def test_n_epochs_are_n_fits_of_one_epoch_and_n_partial_fits(optimizer, shuffle):
    at_once = fitted(optimizer=optimizer(), epochs=5, shuffle=shuffle)

    model, own = classifier(), optimizer()
    for _ in range(5):
        one_by_one = fitted(model, optimizer=own, shuffle=shuffle)
    np.testing.assert_array_equal(at_once, one_by_one)

    model, own = classifier(), optimizer()
    for _ in range(5):
        assert model.partial_fit(*data(), loss="cce", optimizer=own, batch_size=8, shuffle=shuffle) is model
    np.testing.assert_array_equal(at_once, params(model))
    assert model.epochs_trained == 5


def test_same_seed_same_weights():
    np.testing.assert_array_equal(fitted(epochs=3), fitted(epochs=3))
    assert (fitted(epochs=3) != fitted(classifier(seed=2), epochs=3)).any()


def test_a_drawn_seed_is_shown_and_repeats_the_training():
    model = classifier(seed=None)
    drawn = fitted(model, epochs=2)
    np.testing.assert_array_equal(drawn, fitted(classifier(seed=model.seed), epochs=2))
    assert len({classifier(seed=None).seed for _ in range(10)}) > 1


def test_shuffling_takes_another_order_each_epoch_and_every_row_once():
    x, y = np.eye(6), np.ones((6, 1))

    def orders(shuffle):
        """The rows in the order of each of 5 epochs: the later a row, the less is left for its weight to learn."""
        model = Sequential([Dense(1, kernel_initializer="zeros")], seed=3)
        model.forward(x)
        taken = []
        for _ in range(5):
            model.layers[0].w, model.layers[0].b = np.zeros((1, 6)), [0]
            model.fit(x, y, loss="mse", optimizer=SGD(0.1), batch_size=1, shuffle=shuffle, progress=False)
            taken.append(tuple(np.argsort(-model.layers[0].w[0])))
        return taken

    assert orders(False) == [tuple(range(6))] * 5
    assert len(set(orders(True))) > 1
    assert all(sorted(order) == list(range(6)) for order in orders(True))


def test_without_shuffling_order_matters_and_with_it_the_seed():
    x, y = data()
    assert (fitted(x=x, y=y, shuffle=False) != fitted(x=x[::-1], y=y[::-1], shuffle=False)).any()
    np.testing.assert_array_equal(fitted(shuffle=False, batch_size=1000), fitted(shuffle=False, batch_size=50))


@pytest.mark.parametrize("batch_size", [1, 7, 8, 49, 50, 51, 10**9])
def test_batches_need_not_divide_the_data(batch_size):
    x, y = data()
    model, by_hand, own = classifier(), classifier(), SGD(0.1)
    history = model.fit(x, y, loss="cce", optimizer=SGD(0.1), batch_size=batch_size, shuffle=False, progress=False)
    losses = []
    for start in range(0, len(x), batch_size):
        batch = slice(start, start + batch_size)
        by_hand.forward(x[batch])
        losses += [by_hand.backward(y[batch], loss="cce")] * len(x[batch])
        by_hand.update(own)
    np.testing.assert_array_equal(params(model), params(by_hand))
    np.testing.assert_allclose(history["loss"], [np.mean(losses)], rtol=1e-12)


def test_one_sample_one_input_one_unit():
    model = Sequential([Dense(1)], input_size=1, dtype="float64")
    model.layers[0].w, model.layers[0].b = [[3.0]], [1.0]
    history = model.fit([[2.0]], [6.0], loss="mse", optimizer=SGD(0.25), progress=False)
    assert history["loss"] == [1.0]  # (3 * 2 + 1 - 6)^2
    assert (model.layers[0].w.item(), model.layers[0].b.item()) == (3 - 0.25 * 2 * 2, 1 - 0.25 * 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whatever_layout_the_data_has_the_result_is_the_same(dtype):
    x, y = data()
    x = x.astype(np.float32)
    expected = fitted(classifier(dtype=dtype), x, y)
    wide = np.repeat(x, 2, axis=1)
    for other in (x.tolist(), np.asfortranarray(x), wide[:, ::2], x[::-1][::-1], x.astype(">f4"), x.astype(np.float64)):
        np.testing.assert_array_equal(fitted(classifier(dtype=dtype), other, y.astype(np.uint8)), expected)
    np.testing.assert_array_equal(fitted(classifier(dtype=dtype), x, np.eye(3)[y]), expected)


def test_training_does_not_touch_the_data():
    x, y = data()
    was_x, was_y = x.copy(), y.copy()
    x.flags.writeable = y.flags.writeable = False
    fitted(classifier(dtype="float64"), x, y)
    np.testing.assert_array_equal(x, was_x)
    np.testing.assert_array_equal(y, was_y)


# -------------------------------------------------------------------------------------------------------------- weights


def test_weights_of_samples_scale_their_gradients():
    x, y = data(4)
    model, plain = classifier(dtype="float64"), classifier(dtype="float64")
    model.forward(x)
    loss = model.backward(y, loss="cce", sample_weight=[3, 0, 1, 0])
    plain.forward(x[[0, 0, 0, 2]])
    np.testing.assert_allclose(loss, plain.backward(y[[0, 0, 0, 2]], loss="cce"), rtol=1e-14)
    np.testing.assert_allclose(model.layers[0].grad_w, plain.layers[0].grad_w, rtol=1e-12)


def test_a_row_of_weight_0_is_no_row():
    x, y = data()
    weight = np.arange(50) % 3
    kept = weight > 0
    np.testing.assert_array_equal(
        fitted(sample_weight=weight, batch_size=2),
        fitted(None, x[kept], y[kept], sample_weight=weight[kept], batch_size=2),
    )
    one = np.where(np.arange(50) == 17, 2.0, 0.0)
    np.testing.assert_array_equal(fitted(sample_weight=one), fitted(None, x[17:18], y[17:18]))


def test_class_weights_are_sample_weights_by_class():
    x, y = data()
    weight = np.array([1, 2.5, 0.5])[y]
    by_sample = fitted(sample_weight=weight)
    np.testing.assert_array_equal(fitted(class_weight={1: 2.5, 2: 0.5}), by_sample)
    np.testing.assert_array_equal(fitted(None, x, np.eye(3)[y], class_weight={1: 2.5, 2: 0.5}), by_sample)
    np.testing.assert_array_equal(fitted(class_weight={1: 2.5, 2: 0.5}, sample_weight=np.full(50, 2.0)), by_sample)

    def binary(**options):
        return fitted(Sequential([Dense(1, "sigmoid")], seed=1), x, y == 1, loss="bce", **options)

    model = classifier()
    fitted(model, class_weight={1: 2.5}, validation_split=0.2)
    now = model.evaluate(x[40:], y[40:], loss="cce")  # not weighed
    assert now == {name: model.history[f"val_{name}"][-1] for name in ("loss", "accuracy")}

    np.testing.assert_array_equal(binary(class_weight={0: 0.25}), binary(sample_weight=np.where(y == 1, 1, 0.25)))


# -------------------------------------------------------------------------------------------------- history, validation


def test_history_holds_what_was_measured():
    x, y = data()
    model = classifier()
    history = model.fit(x, y, loss="cce", epochs=4, validation_data=(x[:9], y[:9]), progress=False)
    assert model.history is history
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.epoch == [0, 1, 2, 3]
    assert all(len(values) == 4 for values in history.values())
    now = model.evaluate(x[:9], y[:9], loss="cce")
    assert now == {"loss": history["val_loss"][-1], "accuracy": history["val_accuracy"][-1]}
    assert "4 epochs: loss " in repr(history)


def test_losses_without_right_and_wrong_have_no_accuracy():
    x, _ = data()
    model = Sequential([Dense(1)], seed=1)
    history = model.fit(x, x[:, 0], loss="mse", validation_split=0.2, progress=False)
    assert list(history) == ["loss", "val_loss"]
    assert list(model.evaluate(x, x[:, 0], loss="mean_squared_error")) == ["loss"]


def test_validation_split_takes_the_last_rows():
    x, y = data()
    weight = 1.0 + np.arange(50) % 3
    apart, split = classifier(), classifier()
    options = {"loss": "cce", "optimizer": "sgd", "epochs": 2, "progress": False}
    apart.fit(x[:40], y[:40], sample_weight=weight[:40], validation_data=(x[40:], y[40:], weight[40:]), **options)
    split.fit(x, y, sample_weight=weight, validation_split=0.2, **options)
    np.testing.assert_array_equal(params(apart), params(split))
    assert dict(apart.history) == dict(split.history)


# ------------------------------------------------------------------------------------------------ callbacks, interrupts


def test_callbacks_see_each_epoch_and_may_end_the_training():
    seen = []

    def watch(model, epoch, logs):
        seen.append((epoch, model.epochs_trained, logs["loss"]))
        logs.clear()

    model = classifier()
    fitted(model, epochs=9, callbacks=[watch, lambda model, epoch, logs: epoch == 2])
    assert [entry[:2] for entry in seen] == [(0, 1), (1, 2), (2, 3)]
    assert [entry[2] for entry in seen] == model.history["loss"]


def test_an_error_in_a_callback_keeps_the_history():
    def fail(model, epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        fitted(model, epochs=9, callbacks=[fail])
    assert model.history.epoch == [0, 1]
    model.history = None
    np.testing.assert_array_equal(fitted(model, epochs=1), fitted(epochs=3))


def test_an_error_while_watching_an_epoch_leaves_whole_batches():
    n, batch = 4_000_000, 40
    x, labels = (np.tile(part, (n // 1000,) + (1,) * (part.ndim - 1)) for part in data(1000))
    y = np.eye(3, dtype="f4")[labels]
    model, twin, own = classifier(input_size=3), classifier(input_size=3), SGD(0.1)
    stopped_at = []

    def stop(batches):
        stopped_at.append(batches)
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        nets.train(model._built(), x, y, None, "cce", batch, False, 1, 0, 1, nets.sgd(0.1), [], stop)
    for start in range(0, (stopped_at[0] + 1) * batch, batch):  # one more, whose z and gradients are all kept
        rows = slice(start, start + batch)
        twin.forward(x[rows])
        twin.backward(y[rows], loss="cce")
        twin.update(own)
    np.testing.assert_array_equal(params(model), params(twin))


@pytest.mark.clock
def test_ctrl_c_ends_a_fit_at_a_whole_batch():
    x, y = data(20_000)
    options = {"loss": "cce", "batch_size": 100, "shuffle": False, "progress": False}
    model, twin, own = classifier(), classifier(), SGD(0.1)
    sent = []

    def press():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, optimizer=SGD(0.1), epochs=10**9, **options)
    waited = time.perf_counter() - sent[0]
    timer.join()
    assert waited < 0.5, "promised are 0.2 s on a machine that is not busy otherwise"

    epochs = model.epochs_trained
    assert epochs == len(model.history.epoch) == len(model.history["loss"])
    if epochs:
        twin.fit(x, y, optimizer=own, epochs=epochs, **options)
    batches = 0
    while not np.array_equal(params(twin), params(model)) if twin.input_size else True:
        rows = slice(batches * 100, batches * 100 + 100)
        twin.forward(x[rows])
        twin.backward(y[rows], loss="cce")
        twin.update(own)
        batches += 1
        assert batches <= 200, "no whole number of batches leads to these weights"

    assert np.isfinite(fitted(model, epochs=2)).all()
    assert model.epochs_trained == epochs + 2


def test_progress_is_shown_when_asked_for(capfd):
    fitted(epochs=3)
    assert capfd.readouterr() == ("", "")
    fitted(epochs=3, progress=True)
    out, err = capfd.readouterr()
    assert "3/3" in err
    assert "accuracy=" in err
    assert not out
