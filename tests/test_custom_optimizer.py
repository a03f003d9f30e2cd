"""Optimizers written in Python: as exact as those in C, with all that layers ask for."""

import copy
import pickle
import threading

import numpy as np
import pytest
from rules import PAIRS, NumpyAdam, NumpySGD, X, Y, fit, models, plain, same

from mlpcore import Adam, CustomLayer, Dense, Dropout, Residual, Sequential

LAYERS = {
    "plain": plain,
    "dropout": lambda: [Dense(5, "tanh"), Dropout(0.3), Dense(3, "softmax")],
    "nested": lambda: [Residual([Dense(4, "tanh"), Dense(6)]), Dense(3, "softmax")],
    "frozen below": lambda: plain(trainable=False),
    "frozen in the middle": lambda: [Dense(5), Dense(4, "relu", trainable=False), Dense(3, "softmax")],
    "factor": lambda: plain(learning_rate_factor=0.25),
    "factor 0": lambda: plain(learning_rate_factor=0.0),
    "l1 and l2": lambda: plain(l1=0.01, l2=0.1),
    "max_norm": lambda: plain(max_norm=0.5),
    "all of it": lambda: [
        Dense(5, "tanh", learning_rate_factor=2, l1=0.01, l2=0.1, max_norm=0.8),
        Dense(4, "relu", trainable=False),
        Dense(3, "softmax", l2=0.2),
    ],
    "large": lambda: [Dense(2000, "relu", max_norm=0.2), Dense(10, "relu", l2=0.1), Dense(3, "softmax")],
}


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("rule", PAIRS)
def test_it_trains_as_the_one_in_c(rule, layers):
    pair = models(LAYERS[layers])
    before = pair[0]._built().snapshot()
    for model, optimizer in zip(pair, PAIRS[rule](), strict=True):
        fit(model, optimizer)
    same(*pair)
    assert not np.array_equal(pair[1]._built().params, before)


@pytest.mark.parametrize(
    "clipping", [{"clip_value": 1e-3}, {"clip_norm": 1e-2}, {"clip_value": 3e-3, "clip_norm": 1e-2}]
)
@pytest.mark.parametrize("rule", PAIRS)
@pytest.mark.parametrize("layers", ["plain", "all of it"])
def test_it_is_given_the_gradient_clipped(rule, layers, clipping):
    pair = models(LAYERS[layers])
    for model, optimizer in zip(pair, PAIRS[rule](**clipping), strict=True):
        fit(model, optimizer)
    same(*pair)
    unclipped = models(LAYERS[layers])[0]
    fit(unclipped, PAIRS[rule]()[0])
    assert not np.array_equal(unclipped._built().params, pair[0]._built().params)


@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_it_trains_as_the_one_in_c_with_batches_of_any_size(batch_size):
    pair = models()
    for model, optimizer in zip(pair, PAIRS["adam"](), strict=True):
        fit(model, optimizer, batch_size=batch_size)
    same(*pair)


def test_one_step_by_hand():
    pair = models()
    for model, optimizer in zip(pair, PAIRS["momentum"](), strict=True):
        model.forward(X)
        with pytest.raises(RuntimeError, match="backward"):
            model.update(optimizer)
        for _ in range(3):
            model.forward(X)
            model.backward(Y, "cce")
            grad = model.layers[0].grad_w.copy()
            model.update(optimizer)
            np.testing.assert_array_equal(model.layers[0].grad_w, grad)
        assert optimizer._steps == 3
        assert model._cursor.tolist() == [0, 3]
    np.testing.assert_allclose(pair[1]._built().params, pair[0]._built().params, rtol=1e-12, atol=1e-12)


def test_in_float32_it_is_given_float32():
    seen = []

    class Watching(NumpyAdam):
        def step(self, w, grad, state, t):
            seen.append([w.dtype, grad.dtype, *(array.dtype for array in state.values())])
            super().step(w, grad, state, t)

    pair = models(dtype="float32")
    for model, optimizer in zip(pair, (Adam(0.01), Watching(0.01)), strict=True):
        fit(model, optimizer)
    assert {dtype.name for dtypes in seen for dtype in dtypes} == {"float32"}
    np.testing.assert_allclose(pair[1]._built().params, pair[0]._built().params, rtol=1e-3, atol=1e-5)


def test_what_it_is_given():
    seen = []

    class Watching(NumpySGD):
        def step(self, w, grad, state, t):
            seen.append((w.copy(), grad.copy(), dict(state), t))
            super().step(w, grad, state, t)

    (model,) = models(lambda: [Dense(4, trainable=False), Dense(3, "softmax")], count=1)
    model.forward(X)
    model.backward(Y, "cce")
    model.update(Watching())
    ((w, grad, state, t),) = seen
    last = model.layers[1]
    np.testing.assert_array_equal(grad, np.concatenate([last.grad_w.T.ravel(), last.grad_b]))
    assert w.shape == grad.shape == state["velocity"].shape == (15,)
    assert (list(state), t) == (["velocity"], 1)


def test_a_layer_may_be_frozen_between_trainings():
    pair = models()
    for model, optimizer in zip(pair, PAIRS["adam"](), strict=True):
        fit(model, optimizer)
        model.layers[1].trainable = False
        frozen = model.layers[1].w.copy()
        fit(model, optimizer)
        np.testing.assert_array_equal(model.layers[1].w, frozen)
        model.layers[1].trainable = True
        fit(model, optimizer)
    same(*pair)


def test_a_callback_may_freeze_a_layer_and_change_the_optimizer():
    pair = models()
    for model, optimizer in zip(pair, PAIRS["adam"](), strict=True):

        def callback(model, epoch, logs, optimizer=optimizer):
            optimizer.learning_rate /= 2
            model.layers[0].trainable = epoch % 2 == 0

        fit(model, optimizer, epochs=5, callbacks=[callback])
    same(*pair)


def test_a_layer_written_in_python_is_trained_by_it():
    class Scale(CustomLayer):
        def build(self, input_size):
            return input_size, {"s": (input_size,)}

        def reset(self, params, rng):
            params["s"][...] = 1

        def forward(self, x, training):
            return x * self.params["s"]

        def backward(self, grad_y, x):
            self.grads["s"][...] = (grad_y * x).sum(axis=0)
            return grad_y * self.params["s"]

    pair = models(lambda: [Scale(), *plain()])
    for model, optimizer in zip(pair, PAIRS["adam"](), strict=True):
        fit(model, optimizer)
    same(*pair)


def test_the_state_goes_on_from_call_to_call():
    whole, parts = models()
    optimizer = NumpyAdam()
    fit(whole, NumpyAdam(), epochs=4)
    for _ in range(2):
        fit(parts, optimizer, epochs=1)
    for _ in range(2):
        parts.partial_fit(X, Y, "cce", optimizer=optimizer, batch_size=7)
    assert parts._built().params.tobytes() == whole._built().params.tobytes()
    assert optimizer._steps == 4 * 6


def test_it_belongs_to_one_model():
    pair = models()
    optimizer = NumpyAdam()
    fit(pair[0], optimizer)
    with pytest.raises(ValueError, match="keeps the state of another model"):
        fit(pair[1], optimizer)


# ------------------------------------------------------------------------------------------- copies, files, threads


def test_it_shows_itself():
    assert repr(NumpySGD(0.1, clip_norm=2)) == "NumpySGD(clip_norm=2.0, learning_rate=0.1, momentum=0.0)"


def test_copies_and_pickles_go_on_alike(tmp_path):
    model, optimizer = models(count=1)[0], NumpyAdam()
    fit(model, optimizer)
    copies = [copy.deepcopy((model, optimizer)), pickle.loads(pickle.dumps((model, optimizer)))]
    fit(model, optimizer)
    for other, its in copies:
        assert its._steps == 3 * 6
        fit(other, its)
        assert other._built().params.tobytes() == model._built().params.tobytes()
    model.save(tmp_path / "model.safetensors")  # optimizers are not saved
    alone = copy.deepcopy(optimizer)
    fit(Sequential.load(tmp_path / "model.safetensors"), alone)


def test_threads_train_models_with_optimizers_of_their_own():
    several = models(count=4)
    threads = [threading.Thread(target=fit, args=[model, NumpyAdam()], kwargs={"epochs": 20}) for model in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({model._built().params.tobytes() for model in several}) == 1
