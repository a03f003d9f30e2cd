"""Gradients accumulated over several batches: a step by their mean; what waits goes on waiting in the next call."""

import copy
import pickle

import numpy as np
import pytest
from rules import NumpyAdam
from test_optimizers import data, flat, small_model
from textbook import Twin

from mlpcore import LBFGS, SGD, Adam, AdamW, Cosine, CustomLayer, Dense, RMSprop, Sequential
from mlpcore.engine import AccumulationState, OptimizerState

QUIET = {"loss": "mse", "shuffle": False, "progress": False}


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(0.02), AdamW(0.02, clip_norm=0.1)], ids=repr)
def test_steps_are_the_textbooks_with_the_mean(optimizer):
    together, (x, y), model = 3, data(), small_model()
    optimizer = copy.copy(optimizer)
    optimizer.gradient_accumulation_steps = together
    twin, grads = Twin(flat(model)), []
    for batch in range(20):
        rows = slice(batch % 4 * 3, batch % 4 * 3 + 3)
        model.forward(x[rows])
        model.backward(y[rows], loss="mse")
        grads.append(flat(model, ("grad_w", "grad_b")))
        model.update(optimizer)
        if len(grads) == together:
            mean = np.mean(grads, axis=0)
            np.testing.assert_allclose(flat(model, ("grad_w", "grad_b")), mean, rtol=1e-13)
            if optimizer.clip_norm:
                mean *= min(1, optimizer.clip_norm / np.linalg.norm(mean))
            twin.step(optimizer, mean)
            grads = []
        np.testing.assert_allclose(flat(model), twin.w, rtol=1e-12, atol=1e-14)
    assert (optimizer._steps, optimizer._waiting) == (6, 2)


@pytest.mark.parametrize("optimizer", [SGD, Adam, RMSprop])
def test_small_batches_together_are_a_large_one(optimizer):
    small, large, (x, y) = small_model(), small_model(), data()
    small.fit(x, y, optimizer=optimizer(0.02, gradient_accumulation_steps=4), epochs=5, batch_size=3, **QUIET)
    large.fit(x, y, optimizer=optimizer(0.02), epochs=5, batch_size=12, **QUIET)
    np.testing.assert_allclose(flat(small), flat(large), rtol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_is_forward_backward_update_and_what_waits_goes_on(dtype):
    """Three batches an epoch, two of them a step: in calls of one epoch each, in one call, by hand; as copies too."""
    (x, y), seen = data(), []
    for epochs in ([4], [1, 1, 1, 1], [3, 1]):
        model, optimizer = small_model(dtype), Adam(0.02, gradient_accumulation_steps=2)
        for each in epochs:
            model.fit(x, y, optimizer=optimizer, epochs=each, batch_size=5, **QUIET)
            model, optimizer = pickle.loads(pickle.dumps(copy.deepcopy((model, optimizer))))
        seen.append(flat(model).tobytes())
        assert (optimizer._steps, optimizer._waiting) == (6, 0)
    model, optimizer = small_model(dtype), Adam(0.02, gradient_accumulation_steps=2)
    for _ in range(4):
        for start in range(0, len(x), 5):
            model.forward(x[start : start + 5])
            model.backward(y[start : start + 5], loss="mse")
            model.update(optimizer)
    assert set(seen) == {flat(model).tobytes()}


def test_one_sample_a_batch_and_layers_that_are_stepped_otherwise():
    """Fused steps would not wait: the same as with a norm that is never reached."""
    x, y = np.random.default_rng(0).normal(size=(2, 9, 40))
    seen = set()
    for settings in ({}, {"clip_norm": 1e30}):
        layers = [Dense(400, "relu", l2=0.1), Dense(40, trainable=False), Dense(40, max_norm=0.5)]
        model = Sequential(layers, input_size=40, seed=1)
        optimizer = SGD(0.1, gradient_accumulation_steps=2, **settings)
        model.fit(x, y, optimizer=optimizer, epochs=3, batch_size=1, **QUIET)
        seen.add(model._built().params.tobytes())
    assert len(seen) == 1


def test_a_rule_in_python_gets_the_mean():
    ours, theirs, (x, y) = small_model(), small_model(), data()
    options = {"gradient_accumulation_steps": 2, "clip_value": 0.1}
    ours.fit(x, y, optimizer=Adam(0.02, **options), epochs=5, batch_size=5, **QUIET)
    rule = NumpyAdam(0.02, **options)
    theirs.fit(x, y, optimizer=rule, epochs=5, batch_size=5, **QUIET)
    assert repr(rule) == "NumpyAdam(clip_value=0.1, gradient_accumulation_steps=2, learning_rate=0.02)"
    np.testing.assert_allclose(flat(ours), flat(theirs), rtol=1e-11, atol=1e-13)


def test_schedules_count_steps():
    (x, y), model = data(), small_model()
    optimizer = SGD(Cosine(0.1), gradient_accumulation_steps=2)
    history = model.fit(x, y, optimizer=optimizer, epochs=4, batch_size=3, **QUIET)  # 16 batches are 8 steps
    np.testing.assert_allclose(history["learning_rate"], [Cosine(0.1, length=8).rate(t) for t in (1, 3, 5, 7)])
    waits = SGD(Cosine(0.1, length=8), gradient_accumulation_steps=100)
    assert small_model().fit(x, y, optimizer=waits, epochs=2, **QUIET)["learning_rate"] == [0.1, 0.1]
    assert waits._steps == 0


class Failing(CustomLayer):
    """Fails in the backward of a batch."""

    batches = 0
    fails_in = 0

    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        return x.copy()

    def backward(self, grad_y, x):
        self.batches += 1
        if self.batches == self.fails_in:
            raise RuntimeError("failed")
        return grad_y.copy()


@pytest.mark.parametrize("fails_in", [1, 2, 3])
def test_a_batch_that_fails_leaves_what_the_last_one_left(fails_in):
    (x, y), states = data(), []
    for rows in (12, 3 * (fails_in - 1)):
        layer = Failing()
        layer.fails_in = fails_in if rows == 12 else 0
        model = Sequential([Dense(4), layer, Dense(2)], input_size=3, dtype="float64", seed=5)
        optimizer = SGD(0.1, gradient_accumulation_steps=2)
        if rows == 12:
            with pytest.raises(RuntimeError, match="failed"):
                model.fit(x, y, optimizer=optimizer, batch_size=3, **QUIET)
        elif rows:
            model.fit(x[:rows], y[:rows], optimizer=optimizer, batch_size=3, **QUIET)
        state = {name: array.tobytes() for name, array in optimizer._state.items()}
        states.append((model._built().params.tobytes(), optimizer._steps, optimizer._waiting, state))
    assert states[0] == states[1]
    assert bool(states[0][3]) == (fails_in > 1)


def test_without_it_nothing_waits_any_more():
    (x, y), model = data(), small_model()
    optimizer = SGD(0.1, gradient_accumulation_steps=5)
    model.fit(x, y, optimizer=optimizer, batch_size=3, **QUIET)
    assert optimizer._waiting == 4
    optimizer.gradient_accumulation_steps = 2  # fewer than wait: the next batch makes a step of all five
    model.partial_fit(x[:3], y[:3], "mse", optimizer=optimizer)
    assert (optimizer._steps, optimizer._waiting) == (1, 0)
    model.partial_fit(x[:3], y[:3], "mse", optimizer=optimizer)
    assert optimizer._waiting == 1
    optimizer.gradient_accumulation_steps = None
    model.partial_fit(x[:3], y[:3], "mse", optimizer=optimizer)
    assert (optimizer._steps, optimizer._waiting, set(optimizer._state)) == (2, 0, {"t"})


@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)]
)
def test_what_is_no_count_of_batches_is_refused(value, error):
    for make in (lambda: SGD(gradient_accumulation_steps=value), lambda: NumpyAdam(gradient_accumulation_steps=value)):
        with pytest.raises(error, match="gradient_accumulation_steps is .*, expected an integer from 1 to"):
            make()
    with pytest.raises(ValueError, match="gradient_accumulation_steps is 2, which LBFGS does not have"):
        LBFGS(gradient_accumulation_steps=2)
    assert repr(SGD(gradient_accumulation_steps=2)).endswith("nesterov=False, gradient_accumulation_steps=2)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batches": 0}, "accumulation: batches is 0, expected an integer from 1"),
        ({"sum": None}, "sgd: sum"),
        ({"sum": np.zeros(3, "f4")}, "sgd: sum has shape"),
        ({"waiting": None}, "sgd: waiting"),
        ({"waiting": np.array([-1])}, "sgd: waiting holds -1, which is no count of steps"),
        ({"waiting": np.zeros(2, "i8")}, "sgd: waiting has shape"),
    ],
)
def test_the_engine_refuses_what_it_could_not_use(change, message):
    net = Sequential([Dense(2)], input_size=1, seed=0)._built()
    net.backward(net.forward([[1.0]]), "mse")
    given = AccumulationState(2, np.zeros(4, "f4"), np.zeros(1, "i8"))._replace(**change)
    state = OptimizerState("sgd", (0.1, 0.0, False, 0.0), (None,), np.zeros(1, "i8"), accumulation=given)
    with pytest.raises((TypeError, ValueError), match=message):
        net.step(state)
    with pytest.raises(ValueError, match="sgd: sum overlaps the memory of the network"):
        net.step(state._replace(accumulation=AccumulationState(2, net.grads, np.zeros(1, "i8"))))
