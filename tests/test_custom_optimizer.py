"""Optimizers written in Python: as exact as those in C, with all that layers ask for, and safe when they fail."""

import copy
import pickle
import sys
import threading

import numpy as np
import pytest

from mlpcore import SGD, Adam, CustomLayer, CustomOptimizer, Dense, Dropout, Residual, Sequential

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), RNG.integers(0, 3, 40)


class NumpySGD(CustomOptimizer):
    states = ("velocity",)

    def __init__(self, learning_rate=0.01, momentum=0.0, **clipping):
        super().__init__(**clipping)
        self.learning_rate, self.momentum = learning_rate, momentum

    def step(self, w, grad, state, t):
        state["velocity"] = self.momentum * state["velocity"] + grad
        w -= self.learning_rate * state["velocity"]


class NumpyAdam(CustomOptimizer):
    states = ("m", "v")

    def __init__(self, learning_rate=0.001, **clipping):
        super().__init__(**clipping)
        self.learning_rate = learning_rate

    def step(self, w, grad, state, t):
        m, v = state["m"], state["v"]
        m[...] = 0.9 * m + (1 - 0.9) * grad
        v[...] = 0.999 * v + (1 - 0.999) * grad**2
        w -= self.learning_rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)


PAIRS = {
    "sgd": lambda **clipping: (SGD(0.1, **clipping), NumpySGD(0.1, **clipping)),
    "momentum": lambda **clipping: (SGD(0.1, 0.9, **clipping), NumpySGD(0.1, 0.9, **clipping)),
    "adam": lambda **clipping: (Adam(0.01, **clipping), NumpyAdam(0.01, **clipping)),
}


def plain(**options):
    return [Dense(5, "tanh", **options), Dense(4, "relu"), Dense(3, "softmax")]


def models(layers=plain, dtype="float64", count=2):
    return [Sequential(layers(), input_size=6, dtype=dtype, seed=1) for _ in range(count)]


def same(mine, other):
    np.testing.assert_allclose(other._built().params, mine._built().params, rtol=1e-12, atol=1e-12)
    assert other.history["loss"] == pytest.approx(mine.history["loss"], rel=1e-12)


def fit(model, optimizer, **options):
    settings = {"epochs": 3, "batch_size": 7, "progress": False}
    return model.fit(X, Y, "cce", optimizer=optimizer, **(settings | options))


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


# ------------------------------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize("batch", [0, 1, 4])
@pytest.mark.parametrize("late", [True, False])
def test_an_exception_leaves_the_last_whole_batch(batch, late):
    class Failing(NumpyAdam):
        def step(self, w, grad, state, t):
            super().step(w, grad, state, t)
            if t == batch + 1:
                raise ZeroDivisionError("on purpose")

    class FailingLate(NumpyAdam):
        def step(self, w, grad, state, t):
            super().step(w, grad, state, t)
            if t == batch + 1:
                state["v"] = np.zeros(3)

    failing, whole = models(lambda: plain(max_norm=0.5, l2=0.1), "float32")
    optimizer = (FailingLate if late else Failing)()
    with pytest.raises(ValueError if late else ZeroDivisionError):
        fit(failing, optimizer, shuffle=False, batch_size=8)
    reference = NumpyAdam()
    for begin in range(0, 8 * batch, 8):
        whole.forward(X[begin : begin + 8], training=True)
        whole.backward(Y[begin : begin + 8], "cce")
        whole.update(reference)
    assert failing._built().params.tobytes() == whole._built().params.tobytes()
    assert optimizer._steps == batch
    if batch:
        assert {name: array.tobytes() for name, array in optimizer._state.items()} == {
            name: array.tobytes() for name, array in reference._state.items()
        }
    fit(failing, NumpyAdam())  # it can go on


def odd(answer, states=("m",)):
    class Odd(CustomOptimizer):
        def step(self, w, grad, state, t):
            return answer(w, grad, state)

    Odd.states = states
    return Odd()


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda w, grad, state: w - grad, TypeError, r"Odd.step returned ndarray, expected None: change w in place"),
        (lambda w, grad, state: state.update(v=grad), ValueError, r"Odd.step left \['m', 'v'\] in state, expected"),
        (lambda w, grad, state: state.clear(), ValueError, r"Odd.step left \[\] in state, expected \['m'\]"),
        (
            lambda w, grad, state: state.update(m=1.0),
            ValueError,
            r"Odd.step left in state\['m'\] shape \(\), expected",
        ),
        (lambda w, grad, state: state.update(m=grad * 1j), TypeError, "an array of complex128, expected real"),
        (lambda w, grad, state: state.update(m=grad.astype(object)), TypeError, "object, expected real numbers"),
        (lambda w, grad, state: w.__iadd__(1j), TypeError, "Cannot cast"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(answer, error, message):
    (model,) = models(count=1)
    before = model._built().snapshot()
    with pytest.raises(error, match=message):
        fit(model, odd(answer))
    np.testing.assert_array_equal(model._built().snapshot(), before)
    assert model._cursor.tolist() == [0, 0]


@pytest.mark.parametrize("states", ["m", ["m"], (1,), ("t",), None])
def test_states_that_are_no_names_are_refused(states):
    with pytest.raises(TypeError, match=r"Odd.states is .*, expected a tuple of names other than 't'"):
        fit(models(count=1)[0], odd(lambda *_: None, states))


def test_an_init_that_forgets_super_is_refused():
    class Forgetful(NumpySGD):
        def __init__(self):
            self.learning_rate = 0.1

    with pytest.raises(TypeError, match=r"Forgetful.__init__ does not call super\(\).__init__\(\)"):
        fit(models(count=1)[0], Forgetful())


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(TypeError, match="abstract"):
        CustomOptimizer()
    with pytest.raises(TypeError, match="optimizer is <class"):
        fit(models(count=1)[0], NumpySGD)
    for clipping in ({"clip_value": -1}, {"clip_norm": 0}):
        with pytest.raises(ValueError, match="expected a finite number > 0"):
            NumpySGD(**clipping)
    with pytest.raises(ValueError, match="clip_norm is 1e-60, which float32"):
        fit(models(dtype="float32", count=1)[0], NumpySGD(clip_norm=1e-60))


def test_views_and_what_it_keeps_never_change():
    kept = []

    class Keeping(NumpySGD):
        def step(self, w, grad, state, t):
            super().step(w, grad, state, t)
            state["velocity"] = grad  # what it was given
            kept.extend([w, grad, w.copy(), grad.copy()])

    (model,) = models(count=1)
    fit(model, Keeping())
    for i in range(0, len(kept), 4):
        np.testing.assert_array_equal(kept[i], kept[i + 2])
        np.testing.assert_array_equal(kept[i + 1], kept[i + 3])


def test_it_cannot_use_the_model_in_the_middle():
    (model,) = models(count=1)

    class Reentering(NumpySGD):
        def step(self, w, grad, state, t):
            model.predict(X)

    with pytest.raises(RuntimeError):
        fit(model, Reentering())


def test_a_step_that_diverges_is_warned_of():
    with pytest.warns(UserWarning, match="infinite or nan"):
        fit(models(count=1)[0], odd(lambda w, grad, state: w.fill(np.nan)))


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


def test_a_state_of_another_size_or_type_is_refused():
    model, optimizer = models(count=1)[0], NumpyAdam()
    fit(model, optimizer)
    for other in (models(dtype="float32")[0], Sequential([Dense(3, "softmax")], dtype="float64")):
        with pytest.raises(ValueError, match="m of NumpyAdam.* expected .* make a new optimizer for this model"):
            fit(other, copy.deepcopy(optimizer))


def test_ctrl_c_in_a_step_leaves_a_whole_batch():
    """It becomes an exception after any of the step's instructions: 200 places in and around it are tried."""
    (whole,) = models(count=1)
    known = {}

    def record(model, optimizer):
        known[model._built().params.tobytes()] = (
            optimizer._steps,
            [array.tobytes() for name, array in optimizer._state.items() if name != "t"],
        )

    def step(model, optimizer):
        model.forward(X)
        model.backward(Y, "cce")
        model.update(optimizer)

    reference = NumpyAdam()
    for _ in range(4):
        step(whole, reference)
        record(whole, reference)
    stopped = 0
    for place in range(200):
        (model,), optimizer = models(count=1), NumpyAdam()
        step(model, optimizer)
        step(model, optimizer)
        model.forward(X)
        model.backward(Y, "cce")
        left = place

        def trace(frame, event, argument):
            nonlocal left
            if frame.f_code.co_filename.endswith(("custom_optimizer.py", "data.py")):
                frame.f_trace_opcodes = True
                left -= event == "opcode"
                if left < 0:
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            model.update(optimizer)
        except KeyboardInterrupt:
            stopped += 1
        finally:
            sys.settrace(None)
        kept = [array.tobytes() for name, array in optimizer._state.items() if name != "t"]
        assert known[model._built().params.tobytes()] == (optimizer._steps, kept)
    assert stopped > 100


def test_threads_train_models_with_optimizers_of_their_own():
    several = models(count=4)
    threads = [threading.Thread(target=fit, args=[model, NumpyAdam()], kwargs={"epochs": 20}) for model in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({model._built().params.tobytes() for model in several}) == 1
