"""The moving average of the weights: its formula, when it takes their place, and what goes on from there."""

import copy
import pickle

import numpy as np
import pytest
from rules import NumpyAdam, NumpySGD
from test_optimizers import data, flat, small_model

from mlpcore import LBFGS, SGD, Adam, BatchNorm, Dense, Sequential
from mlpcore.engine import AverageState, OptimizerState

QUIET = {"loss": "mse", "shuffle": False, "progress": False}


def batches(x, y, model, optimizer, count):
    """Steps by hand, and the weights after each."""
    seen = []
    for batch in range(count):
        rows = slice(batch % 4 * 3, batch % 4 * 3 + 3)
        model.forward(x[rows])
        model.backward(y[rows], loss="mse")
        model.update(optimizer)
        seen.append(flat(model))
    return seen


@pytest.mark.parametrize(
    "optimizer",
    [SGD(0.1, use_ema=True), Adam(0.02, use_ema=True, ema_momentum=0.5), NumpySGD(0.1, use_ema=True, ema_momentum=0.0)],
    ids=repr,
)
def test_20_steps_follow_the_formula_and_leave_the_training_as_it_is(optimizer):
    (x, y), model, plain = data(), small_model(), small_model()
    optimizer, without = copy.copy(optimizer), copy.copy(optimizer)
    without.use_ema = False
    seen = batches(x, y, model, optimizer, 20)
    np.testing.assert_array_equal(seen, batches(x, y, plain, without, 20))
    average = seen[0]
    for w in seen[1:]:
        average = optimizer.ema_momentum * average + (1 - optimizer.ema_momentum) * w
    optimizer.overwrite_with_average(model)
    np.testing.assert_allclose(flat(model), average, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_ends_with_the_average_and_partial_fit_with_the_weights(dtype):
    """The same numbers, fused (large layers, one sample a batch) or not."""
    x, y = np.random.default_rng(0).normal(size=(2, 9, 40))
    for batch_size in (1, 4):
        seen = []
        for clip_norm, by_fit in ((None, True), (1e30, True), (None, False)):
            model = Sequential([Dense(400, "relu"), Dense(40)], input_size=40, dtype=dtype, seed=1)
            optimizer = SGD(0.1, momentum=0.5, use_ema=True, ema_momentum=0.9, clip_norm=clip_norm)
            options = {"optimizer": optimizer, "batch_size": batch_size, "shuffle": False}
            if by_fit:
                model.fit(x, y, "mse", epochs=1, progress=False, **options)
            else:
                model.partial_fit(x, y, "mse", **options)
                weights = model._built().params.tobytes()
                optimizer.overwrite_with_average(model)
                assert model._built().params.tobytes() != weights
            seen.append(model._built().params.tobytes())
        assert len(set(seen)) == 1


def test_training_goes_on_from_the_average():
    (x, y), model, twin = data(), small_model(), small_model()
    optimizer, own = (SGD(0.1, use_ema=True, ema_momentum=0.8) for _ in range(2))
    for _ in range(3):
        model.fit(x, y, optimizer=optimizer, epochs=2, batch_size=3, **QUIET)
        model, optimizer = pickle.loads(pickle.dumps(copy.deepcopy((model, optimizer))))
        batches(x, y, twin, own, 8)
        own.overwrite_with_average(twin)
    np.testing.assert_array_equal(flat(model), flat(twin))


def test_the_average_takes_the_weights_place_every_so_many_steps():
    (x, y), model = data(), small_model()
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3)
    seen, plain, without = batches(x, y, model, optimizer, 7), small_model(), SGD(0.1)
    average, w = None, None
    for step in range(7):
        (w,) = batches(np.roll(x, -3 * step, axis=0), np.roll(y, -3 * step, axis=0), plain, without, 1)
        average = w if average is None else 0.5 * average + 0.5 * w
        if step % 3 == 2:
            plain._built().params[...] = _as_params(plain, average)
            w = average
        np.testing.assert_allclose(seen[step], w, rtol=1e-13, atol=1e-15)
    for dtype in ("float32", "float64"):  # one sample a batch: no forward of the next one before the weights change
        fits = set()
        for clip_norm in (None, 1e30):
            net = Sequential([Dense(40, "relu"), Dense(2)], input_size=3, dtype=dtype, seed=1)
            net.fit(x, y, optimizer=SGD(0.1, use_ema=True, ema_overwrite_frequency=2, clip_norm=clip_norm), epochs=3,
                    batch_size=1, **QUIET)  # fmt: skip
            fits.add(net._built().params.tobytes())
        assert len(fits) == 1


def _as_params(model, numbers):
    """Numbers in the order of `flat` as the engine has them: w lies (in, out) there."""
    parts, begin = [], 0
    for layer in model.layers:
        size = layer.w.size
        parts += [numbers[begin : begin + size].reshape(layer.w.shape).T.ravel(),
                  numbers[begin + size : begin + size + layer.b.size]]  # fmt: skip
        begin += size + layer.b.size
    return np.concatenate(parts)


def test_validation_and_callbacks_see_the_weights_and_predict_the_average():
    (x, y), seen = data(), []
    model = small_model()
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.9)
    history = model.fit(x, y, optimizer=optimizer, epochs=3, validation_data=(x, y),
                        callbacks=[lambda model, *_: seen.append(flat(model))], **QUIET)  # fmt: skip
    plain = small_model()
    without = plain.fit(x, y, optimizer=SGD(0.1), epochs=3, validation_data=(x, y), **QUIET)
    assert history["val_loss"] == without["val_loss"]
    np.testing.assert_array_equal(seen[-1], flat(plain))
    assert not np.array_equal(flat(model), flat(plain))


def test_what_is_not_trained_stays_to_the_bit():
    (x, y) = data()
    model = Sequential([Dense(4, trainable=False), BatchNorm(), Dense(2)], input_size=3, seed=1)
    before = model.layers[0].w.copy()
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.3, ema_overwrite_frequency=2)
    model.fit(x, y, optimizer=optimizer, epochs=5, batch_size=3, **QUIET)
    np.testing.assert_array_equal(model.layers[0].w, before)
    model.layers[0].w = before + 1  # after the last step: no average of it is taken back
    optimizer.overwrite_with_average(model)
    np.testing.assert_array_equal(model.layers[0].w, before + 1)


def test_with_accumulated_gradients_it_follows_steps():
    (x, y), model = data(), small_model()
    optimizer = Adam(0.02, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=4)
    seen = batches(x, y, model, optimizer, 12)
    optimizer.overwrite_with_average(model)
    np.testing.assert_allclose(flat(model), 0.25 * seen[3] + 0.25 * seen[7] + 0.5 * seen[11], rtol=1e-13)
    waits = SGD(0.1, use_ema=True, gradient_accumulation_steps=100)
    small_model().fit(x, y, optimizer=waits, **QUIET)  # no step, no average: the weights are as they were


def test_an_average_of_weights_that_became_0_decays_to_0():
    model = Sequential([Dense(1, use_bias=False)], input_size=1, seed=1)
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.9)
    model.backward(model.forward([[0.0]]), "mse")
    model.update(optimizer)
    model.layers[0].w = [[0.0]]
    for _ in range(900):
        model.update(optimizer)
        assert not 0 < abs(optimizer._state["average of weights"][0]) < np.finfo("f4").smallest_normal
    assert optimizer._state["average of weights"][0] == 0


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"use_ema": 1}, TypeError, "use_ema is 1, expected True or False"),
        ({"use_ema": True, "ema_momentum": 1.0}, ValueError, "ema_momentum is 1.0, expected a finite number >= 0 and"),
        ({"use_ema": True, "ema_momentum": -0.1}, ValueError, "ema_momentum is -0.1"),
        (
            {"ema_overwrite_frequency": 3},
            ValueError,
            "ema_overwrite_frequency is 3 with use_ema False, expected",
        ),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, ValueError, "ema_overwrite_frequency is 0, expected an int"),
    ],
)
def test_wrong_settings_are_named(settings, error, message):
    for kind in (SGD, NumpyAdam):
        with pytest.raises(error, match=message):
            kind(**settings)


def test_an_average_that_is_not_there_is_refused():
    (x, y), model, optimizer = data(), small_model(), SGD(0.1, use_ema=True)
    with pytest.raises(RuntimeError, match="there is no average of the weights yet: give use_ema=True"):
        optimizer.overwrite_with_average(model)
    model.fit(x, y, optimizer=optimizer, **QUIET)
    with pytest.raises(ValueError, match="keeps the state of another model"):
        optimizer.overwrite_with_average(small_model())
    with pytest.raises(ValueError, match="use_ema is True, which LBFGS does not have"):
        LBFGS(use_ema=True)
    with pytest.raises(ValueError, match="ema_momentum is 1e-60, which float32"):
        small_model("float32").fit(x, y, optimizer=SGD(use_ema=True, ema_momentum=1e-60), **QUIET)
    optimizer.use_ema = False
    model.partial_fit(x, y, "mse", optimizer=optimizer)
    assert set(optimizer._state) == {"t"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"momentum": 1.0}, "average: momentum is 1.0, expected a number >= 0.0 and < 1.0"),
        ({"overwrite_every": -1}, "average: overwrite_every is -1, expected an integer from 0"),
        ({"average": None}, "sgd: average"),
        ({"average": np.zeros(4, "f8")}, "sgd: average"),
        ({"steps": np.array([-1])}, "sgd: averaged holds -1, which is no count of steps"),
    ],
)
def test_the_engine_refuses_what_it_could_not_use(change, message):
    net = Sequential([Dense(2)], input_size=1, seed=0)._built()
    net.backward(net.forward([[1.0]]), "mse")
    given = AverageState(0.9, 0, np.zeros(4, "f4"), np.zeros(1, "i8"))._replace(**change)
    state = OptimizerState("sgd", (0.1, 0.0, False, 0.0), (None,), np.zeros(1, "i8"), average=given)
    before = net.params.copy()
    with pytest.raises((TypeError, ValueError), match=message):
        net.step(state)
    with pytest.raises((TypeError, ValueError), match="set_trained: params has shape"):
        net.set_trained(np.zeros(5))
    np.testing.assert_array_equal(net.params, before)
