"""Sequential: training, its history, refused arguments, and interruption."""

import os
import signal
import threading
import time

import nets
import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam, Dense, Sequential


def data(n=50):
    """n points of 3 numbers, and which of them is the largest."""
    i = np.arange(n * 3)
    x = (i * 37 % 101 / 50 - 1).reshape(n, 3)
    return x, x.argmax(axis=1)


def classifier(seed=1, **options):
    return Sequential([Dense(8, "tanh"), Dense(3, "softmax")], seed=seed, **options)


def params(model):
    return np.concatenate([np.ravel(array) for layer in model.layers for array in (layer.w, layer.b)])


def fitted(model=None, x=None, y=None, **options):
    """The weights after a fit with these options."""
    model = classifier() if model is None else model
    if x is None:
        x, y = data()
    model.fit(x, y, **({"loss": "cce", "optimizer": "sgd", "batch_size": 8, "progress": False} | options))
    return params(model)


# ------------------------------------------------------------------------------------------------------------- training


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


def test_evaluate_is_the_loss_of_all_rows_as_one_batch():
    x, y = data(1000)
    model = classifier(dtype="float64")
    a = model.forward(x)
    right = (a.argmax(axis=1) == y).mean()
    loss = model.backward(y, loss="cce")
    assert model.evaluate(x, y, loss="cce") == {"loss": loss, "accuracy": right}


def test_predict_leaves_the_layers_as_they_are():
    x, _ = data(500)
    model = classifier()
    model.forward(x[:5])
    z = model.layers[0].z.copy()
    a = model.predict(x)
    np.testing.assert_array_equal(model.layers[0].z, z)
    np.testing.assert_array_equal(a, model.forward(x))
    assert a.flags.owndata or not np.shares_memory(a, model.layers[-1].a)


def test_input_size_comes_from_the_model_the_layer_or_the_data():
    x, _ = data()
    first = Sequential([Dense(2)], input_size=3, seed=1)
    second = Sequential([Dense(2, input_size=3)], seed=1)
    third = Sequential([Dense(2)], seed=1)
    assert (first.input_size, second.input_size, third.input_size) == (3, 3, None)
    expected = first.predict(x)
    for model in (second, third):
        np.testing.assert_array_equal(model.predict(x), expected)
        assert model.input_size == model.layers[0].input_size == 3


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


# ------------------------------------------------------------------------------------------------------ what is refused

GOOD = {"X": data()[0], "y": data()[1], "loss": "cce", "optimizer": "sgd", "progress": False}


def changed(array, row, value):
    array = array.astype(float)
    array[row] = value
    return array


REFUSED = [
    ({"X": changed(GOOD["X"], (7, 2), np.nan)}, ValueError, "X has nan, row 7, column 2: expected .* finite"),
    ({"X": changed(GOOD["X"], (7, 2), -np.inf)}, ValueError, "X has -inf, row 7, column 2"),
    ({"X": changed(GOOD["X"], (7, 2), 1e300)}, ValueError, r"X has 1e\+300, row 7, column 2: .* finite in float32"),
    ({"X": GOOD["X"][0]}, ValueError, r"X has shape \(3,\), expected \(n, \w+\)"),
    ({"X": GOOD["X"][:0], "y": GOOD["y"][:0]}, ValueError, r"X has shape \(0, 3\)"),
    ({"X": GOOD["X"][:, :0]}, ValueError, r"X has shape \(50, 0\)"),
    ({"X": GOOD["X"][None]}, ValueError, r"X has shape \(1, 50, 3\)"),
    ({"X": GOOD["X"] + 1j}, TypeError, "X has dtype complex128"),
    ({"X": GOOD["X"].astype(str)}, TypeError, "X has dtype <U"),
    ({"X": GOOD["X"].astype(str).astype(object)}, TypeError, "X has dtype object"),
    ({"X": GOOD["X"].astype(np.longdouble)}, TypeError, "X has dtype (longdouble|float128)"),
    ({"X": np.ma.masked_less(GOOD["X"], 0)}, ValueError, "X has masked entries"),
    ({"X": [[1, 2, 3], [4]]}, ValueError, "X is not an array of numbers"),
    ({"X": None}, TypeError, "X has dtype object"),
    ({"X": GOOD["X"].astype("datetime64[s]")}, TypeError, "X has dtype datetime64"),
    ({"y": GOOD["y"][:-1]}, ValueError, "y has 49 rows, expected 50"),
    ({"y": changed(GOOD["y"], 9, 3)}, ValueError, "y has 3.0 at row 9, expected a class index from 0 to 2"),
    ({"y": changed(GOOD["y"], 9, np.nan)}, ValueError, "y has nan, row 9"),
    ({"y": None}, TypeError, "y has dtype object"),
    ({"loss": "hinge"}, ValueError, "loss is 'hinge'"),
    ({"loss": "bce"}, ValueError, r"y has shape \(50,\), expected \(50, 3\)"),
    ({"optimizer": "lion"}, ValueError, "optimizer is 'lion'"),
    ({"epochs": 0}, ValueError, "epochs is 0, expected an integer >= 1"),
    ({"epochs": 1.5}, TypeError, "epochs is 1.5"),
    ({"batch_size": 0}, ValueError, "batch_size is 0"),
    ({"batch_size": -1}, ValueError, "batch_size is -1"),
    ({"batch_size": "32"}, TypeError, "batch_size is '32'"),
    ({"shuffle": "batch"}, TypeError, "shuffle is 'batch', expected True or False"),
    ({"progress": 1}, TypeError, "progress is 1, expected True or False"),
    ({"validation_split": 1.0}, ValueError, "validation_split is 1.0"),
    ({"validation_split": -0.1}, ValueError, "validation_split is -0.1"),
    ({"validation_split": 0.99}, ValueError, "validation_split=0.99 splits 50 rows into 0 and 50"),
    ({"validation_split": None}, TypeError, "validation_split is None"),
    ({"validation_split": 0.2, "validation_data": data()}, ValueError, "are both given"),
    ({"validation_data": GOOD["X"]}, ValueError, r"validation_data is expected to be \(X, y\)"),
    ({"validation_data": (GOOD["X"],)}, ValueError, r"validation_data is expected to be \(X, y\)"),
    ({"validation_data": (GOOD["X"][:, :2], GOOD["y"])}, ValueError, r"X of validation_data has shape \(50, 2\)"),
    ({"validation_data": (GOOD["X"], GOOD["y"] + 1)}, ValueError, "y of validation_data has 3.0"),
    ({"validation_data": (*data(), np.zeros(50))}, ValueError, "sample_weight of validation_data is 0 in every row"),
    ({"sample_weight": np.ones(49)}, ValueError, r"sample_weight has shape \(49,\), expected \(50,\)"),
    ({"sample_weight": np.ones((50, 1))}, ValueError, r"sample_weight has shape \(50, 1\)"),
    (
        {"sample_weight": changed(np.ones(50), 4, -1)},
        ValueError,
        "sample_weight has -1.0 at row 4, expected weights >= 0",
    ),
    ({"sample_weight": changed(np.ones(50), 4, np.inf)}, ValueError, "sample_weight has inf, row 4"),
    ({"sample_weight": np.zeros(50)}, ValueError, "sample_weight is 0 in every row"),
    ({"class_weight": {3: 1.0}}, ValueError, "a class of class_weight is 3, expected an integer from 0 to 2"),
    ({"class_weight": {"a": 1.0}}, TypeError, "a class of class_weight is 'a'"),
    ({"class_weight": {0: -1.0}}, ValueError, r"class_weight\[0\] is -1.0"),
    ({"class_weight": {0: 0, 1: 0, 2: 0}}, ValueError, r"sample_weight \* class_weight is 0 in every row"),
    ({"class_weight": [1, 2, 3]}, TypeError, r"class_weight is \[1, 2, 3\], expected a dict"),
    ({"loss": "mse", "y": np.zeros((50, 3)), "class_weight": {0: 1.0}}, ValueError, "class_weight needs classes"),
    ({"callbacks": print}, TypeError, "callbacks is .*print.*, expected a list of callables"),
    ({"callbacks": [print, 3]}, TypeError, r"callbacks\[1\] is 3, expected a callable"),
]


@pytest.mark.parametrize("input_size", [None, 3])
@pytest.mark.parametrize(("change", "error", "message"), REFUSED, ids=[f"{next(iter(c))}: {m}" for c, _, m in REFUSED])
def test_a_refused_fit_leaves_the_model_as_it_was(change, error, message, input_size):
    model = classifier(input_size=input_size)
    arguments = GOOD | change
    with pytest.raises(error, match=message):
        model.fit(arguments.pop("X"), arguments.pop("y"), **arguments)
    assert (model.history, model.epochs_trained, model.input_size) == (None, 0, input_size)
    if input_size is not None:
        np.testing.assert_array_equal(params(model), params(classifier(input_size=3)))


def test_data_of_another_width_are_refused():
    x, y = data()
    model = classifier(input_size=3)
    for use in (
        lambda wide: model.fit(wide, y, loss="cce"),
        lambda wide: model.partial_fit(wide, y, loss="cce", optimizer=SGD()),
        lambda wide: model.evaluate(wide, y, loss="cce"),
        model.predict,
        model.forward,
    ):
        with pytest.raises(ValueError, match=r"has shape \(50, 6\), expected \(n, 3\)"):
            use(np.hstack([x, x]))


@pytest.mark.parametrize("x", [3.0, [1.0, 2.0], np.zeros((2, 0)), "ab", [[1j]], [[None]], None])
def test_a_refused_forward_builds_nothing(x):
    model = classifier()
    for use in (model.forward, model.predict):
        with pytest.raises((TypeError, ValueError), match="x|X"):
            use(x)
    assert model.input_size is None


def test_backward_and_update_need_what_comes_before():
    x, y = data()
    for model in (classifier(), classifier(input_size=3)):
        with pytest.raises(RuntimeError, match="no weights yet|no forward yet"):
            model.backward(y, loss="cce")
        with pytest.raises(RuntimeError, match="no weights yet|no backward since"):
            model.update(SGD())
    model.forward(x)
    with pytest.raises(ValueError, match="y has 3 rows, expected 50"):
        model.backward(y[:3], loss="cce")
    with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\), expected \(50,\)"):
        model.backward(y, loss="cce", sample_weight=[1, 2, 3])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential([]), ValueError, "layers is empty"),
        (lambda: Sequential(Dense(3)), TypeError, r"layers is Dense\(3"),
        (lambda: Sequential(None), TypeError, "layers is None, expected a list of layers"),
        (lambda: Sequential([Dense(3), "relu"]), TypeError, r"layers\[1\] is 'relu', expected a layer"),
        (lambda: Sequential([Dense(3), Dense]), TypeError, r"layers\[1\] is <class"),
        (lambda: Sequential([Dense(3)] * 2), ValueError, r"layers\[1\], Dense.* already belongs to a model"),
        (lambda: Sequential(classifier().layers), ValueError, r"layers\[0\], Dense.* already belongs to a model"),
        (lambda: Sequential([Dense(3)], input_size=0), ValueError, "input_size is 0"),
        (lambda: Sequential([Dense(3)], input_size=2.0), TypeError, "input_size is 2.0"),
        (
            lambda: Sequential([Dense(3, input_size=2)], input_size=3),
            ValueError,
            r"layers\[0\] has input_size=2, expected 3",
        ),
        (
            lambda: Sequential([Dense(3), Dense(2, input_size=4)]),
            ValueError,
            r"layers\[1\] has input_size=4, expected 3",
        ),
        (lambda: Sequential([Dense(3)], dtype="float16"), ValueError, "dtype is 'float16', expected 'float32'"),
        (lambda: Sequential([Dense(3)], dtype="flat32"), ValueError, "dtype is 'flat32'"),
        (lambda: Sequential([Dense(3)], dtype=None), ValueError, "dtype is None"),
        (lambda: Sequential([Dense(3)], seed=-1), ValueError, "seed is -1, expected an integer from 0 to 184467"),
        (lambda: Sequential([Dense(3)], seed=2**64), ValueError, "seed is 18446744073709551616"),
        (lambda: Sequential([Dense(3)], seed=0.5), TypeError, "seed is 0.5"),
        (lambda: Sequential([Dense(2**40)], input_size=2**40), (MemoryError, ValueError), ".+"),
    ],
)
def test_wrong_models_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_layers_of_a_refused_model_stay_free():
    layer = Dense(3)
    with pytest.raises(ValueError, match="dtype"):
        Sequential([layer], dtype="int8")
    Sequential([layer], input_size=2)


def test_repr_and_summary():
    model = classifier(input_size=3)
    assert repr(eval(repr(model), vars(mlpcore))) == repr(model)
    assert model.summary().splitlines()[-1].split() == ["total", "float32", "59"]
    assert classifier().summary().splitlines()[2].split() == ["1", "Dense", "tanh", "(8,", "?)", "?"]


# ---------------------------------------------------------------------------------------- arrays that are of this batch


def arrays_of(layer):
    return {name: getattr(layer, name) for name in ("w", "b", "x", "z", "a", "phi", "grad_w", "grad_b")}


@pytest.mark.parametrize("rows", [2, 5, 15])
def test_gradients_are_shown_only_after_a_backward_since_the_last_forward(rows):
    x, y = data()
    model = classifier(input_size=3)
    names = ("phi", "grad_w", "grad_b")
    for step in ("before any forward", "after a forward", "after another forward", "after a predict"):
        if step == "after a forward":
            model.forward(x[:5])
        if step == "after another forward":
            model.backward(y[:5], "cce")
            assert all(np.isfinite(getattr(layer, name)).all() for layer in model.layers for name in names)
            model.forward(x[:rows])
        if step == "after a predict":
            model.backward(y[:rows], "cce")
            model.predict(x)
        for layer in model.layers:
            for name in names:
                if step == "after a predict":
                    assert len(getattr(layer, name)) == (rows if name == "phi" else layer.units)
                else:
                    with pytest.raises(RuntimeError, match="no backward since the last forward"):
                        getattr(layer, name)
    assert model.layers[0].z.shape == model.layers[0].phi.shape == (rows, 8)


def test_a_backward_that_is_refused_leaves_the_gradients():
    x, y = data()
    model = classifier()
    model.forward(x)
    model.backward(y, "cce")
    before = model.layers[0].grad_w.copy()
    with pytest.raises(ValueError, match="y has"):
        model.backward(y + 1, "cce")
    np.testing.assert_array_equal(model.layers[0].grad_w, before)


def test_gradients_of_layers_without_weights_are_shown_alike():
    x, y = data()
    branch = mlpcore.Residual([Dense(8), mlpcore.Activation("relu")])
    model = Sequential([Dense(8), mlpcore.Dropout(0.5), branch, Dense(3, "softmax")], seed=1)
    model.forward(x, training=True)
    for layer in (model.layers[1], *branch.layers):
        with pytest.raises(RuntimeError, match="no backward since the last forward"):
            layer.phi  # noqa: B018
    model.backward(y, "cce")
    for layer in (model.layers[1], *branch.layers):
        assert layer.phi.shape == (50, 8)


def test_what_forward_and_predict_return_is_the_callers_own():
    x, _ = data()
    for use in (classifier().forward, classifier().predict):
        a = use(x)
        before = a.copy()
        b = use(3 * x)
        np.testing.assert_array_equal(a, before)
        assert (a != b).any()
        a[...] = 7
        np.testing.assert_array_equal(use(3 * x), b)
    model = classifier()
    a = model.forward(x)
    assert not np.shares_memory(a, model.layers[-1].a)
    np.testing.assert_array_equal(a, model.layers[-1].a)


def test_arrays_of_a_layer_are_views_and_say_so():
    x, y = data()
    model = classifier(input_size=3)
    model.forward(x)
    model.backward(y, "cce")
    layer = model.layers[0]
    for name, array in arrays_of(layer).items():
        assert np.shares_memory(array, getattr(layer, name))
        assert "view" in getattr(type(layer), name).__doc__
    view, before = layer.w, layer.w.copy()
    model.update(SGD(0.5))
    np.testing.assert_array_equal(layer.w - view, 0)
    assert (layer.w != before).any()
    assert repr(layer).endswith("  # arrays are views")
    assert repr(eval(repr(layer), vars(mlpcore))) == "Dense(8, 'tanh', kernel_initializer='glorot_uniform')"
