"""Optimizers written in Python that fail, or are stopped: weights and state are those of the last whole batch."""

import copy
import sys

import numpy as np
import pytest
from everywhere import train_batches
from rules import NumpyAdam, NumpySGD, X, Y, fit, models, plain

from mlpcore import CustomOptimizer, Dense, Sequential


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
    train_batches(whole, X, Y, "cce", reference, batch)
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
