"""Wrong answers are named, right ones never are, unknown mistakes stay unknown: on random networks.

`make test-diagnose` does it at full length and prints what it found.
"""

import os
from collections import Counter

import numpy as np
import pytest
from right_answers import own_pass
from wrong_answers import corrupted, forms, network, wrong_answer

import mlpcore
from mlpcore.diagnosis import MISTAKES, references
from mlpcore.diagnosis.judging import SCALES

FULL = os.environ.get("MLPCORE_TEST_DIAGNOSE") == "full"
FORMS = list(forms())
QUANTITIES = ("z", "a", "dsigma", "grad_a", "phi", "grad_w", "grad_b")


def test_mistakes_are_named():
    rng = np.random.default_rng(1 if FULL else 2)
    # At full length every form of every mistake; otherwise some of them.
    chosen = FORMS * 12 if FULL else [FORMS[i] for i in rng.choice(len(FORMS), 100, replace=False)]
    counts, wrongly = Counter(), []
    for name, equation, form in chosen:
        given = wrong_answer(rng, name, equation, form)
        assert given is not None, (name, equation, form.symbols)
        diagnosis = mlpcore.diagnose(**given)
        assert not diagnosis.right, (name, equation)
        if diagnosis.mistake == name:
            counts["named"] += 1
        elif name in diagnosis.candidates:
            counts["named beside others that give the same numbers"] += 1
        else:
            counts["not named"] += 1
            wrongly.append((name, equation, form.symbols, diagnosis.sentence))
    print(f"\nof {len(chosen)} wrong answers: {dict(counts)}")
    assert len(chosen) >= (2000 if FULL else 100)
    assert wrongly == []
    assert counts["named"] >= 0.95 * len(chosen)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value", "ignore:overflow")
def test_right_answers_are_never_called_wrong():
    rng = np.random.default_rng(3 if FULL else 4)
    judged = 0
    for i in range(600 if FULL else 16):
        dtype = (np.float32, np.float64)[i // 2 % 2]
        model, x, y, loss, _ = network(rng, ("float32", "float64")[i % 2])
        layers, value = own_pass(rng, model, x, y, loss, dtype)
        answers = [("loss", None, value)]
        answers += [(name, j + 1, own[name]) for j, own in enumerate(layers) for name in QUANTITIES]
        for quantity, layer, answer in answers:
            if not np.isfinite(answer).all():  # log(0), where a is rounded to 1: which is what it is told
                continue
            diagnosis = mlpcore.diagnose(answer, quantity, model, x, y, loss=loss, layer=layer)
            assert diagnosis.right, (model, loss, dtype, diagnosis)
            assert diagnosis.mistake is None
            assert diagnosis.candidates == ()
            assert not diagnosis.follows
            judged += 1
    print(f"\n{judged} right answers, all called right")
    assert judged > (10_000 if FULL else 200)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value", "ignore:overflow")
def test_unknown_mistakes_stay_unknown():
    rng = np.random.default_rng(5)
    corruptions = 0
    for i in range(1100 if FULL else 110):
        model, x, y, loss, _ = network(rng, ("float32", "float64")[i % 2])
        layers, _ = own_pass(rng, model, x, y, loss, np.float64)
        j, quantity = int(rng.integers(len(layers))), str(rng.choice(QUANTITIES))
        if not 1e-6 < np.abs(layers[j][quantity]).max() < 1e6:  # 0 but for rounding, or no number: nothing to corrupt
            continue
        corruptions += 1
        wrong = corrupted(rng, layers[j][quantity])
        diagnosis = mlpcore.diagnose(wrong, quantity, model, x, y, loss=loss, layer=j + 1)
        assert not diagnosis.right, diagnosis
        assert (diagnosis.candidates, diagnosis.mistake) == ((), None), diagnosis
        assert diagnosis.sentence.startswith(f"{quantity}^{j + 1}: unknown mistake, first differs at [")
        first = diagnosis.first_difference
        assert wrong[first] != layers[j][quantity][first]
    print(f"\n{corruptions} random corruptions, none of them named")
    assert corruptions >= (1000 if FULL else 100)


def test_where_the_data_make_a_mistake_harmless_it_is_not_named():
    rng = np.random.default_rng(6)
    model = mlpcore.Sequential([mlpcore.Dense(3), mlpcore.Dense(2)], input_size=4, dtype="float64", seed=1)  # linear
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    model.forward(x)
    model.backward(y, "mse")
    without_dsigma = model.layers[1].phi @ model.layers[1].w
    assert mlpcore.diagnose(without_dsigma, "phi", model, x, y, loss="mse", layer=1).right


def test_mistakes_that_cannot_be_told_apart_are_both_told():
    rng = np.random.default_rng(7)
    model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(4)], input_size=4, dtype="float64", seed=1)
    x, y = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    model.forward(x)
    model.backward(y, "mse")
    diagnosis = mlpcore.diagnose(2 * model.layers[0].grad_w, "grad_w", model, x, y, loss="mse", layer=1)
    assert diagnosis.candidates == ("factor-n", "factor-2")
    assert diagnosis.mistake is None
    assert "cannot be told apart" in diagnosis.sentence


@pytest.mark.parametrize("scale", SCALES)
def test_a_mistake_together_with_a_factor(scale):
    rng = np.random.default_rng(8)
    model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(4)], input_size=5, dtype="float64", seed=1)
    x, y = rng.normal(size=(7, 5)), rng.normal(size=(7, 4))
    model.forward(x)
    model.backward(y, "mse")
    factor = {"sign": -1, "factor-n": 7, "divided-by-n": 1 / 7, "factor-2": 2, "missing-factor-2": 0.5}[scale]
    wrong = factor * model.layers[1].phi @ model.layers[1].w
    diagnosis = mlpcore.diagnose(wrong, "phi", model, x, y, loss="mse", layer=1)
    assert diagnosis.mistake == f"missing-dsigma + {scale}"
    assert all(MISTAKES[name].what in diagnosis.sentence for name in ("missing-dsigma", scale))


def test_weights_of_any_step_of_gradient_descent_are_recognised():
    rng = np.random.default_rng(9)
    for rate in (0.001, 0.3, 5.0):
        model, x, y, loss, _ = network(rng)
        while len(model.layers) < 2 or model.layers[1].units < 3 or model.layers[0].units < 2:
            model, x, y, loss, _ = network(rng)
        model.forward(x)
        model.backward(y, loss)
        w = model.layers[1].w - rate * model.layers[1].grad_w
        z = model.layers[0].z
        wrong = mlpcore.kernels.activation_backward(model.layers[0].activation, z, model.layers[1].phi @ w)
        assert mlpcore.diagnose(wrong, "phi", model, x, y, loss=loss, layer=1).mistake == "updated-w", rate


def test_a_mistake_in_phi_shows_in_grad_w():
    rng = np.random.default_rng(10)
    model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(4)], input_size=5, dtype="float64", seed=1)
    x, y = rng.normal(size=(7, 5)), rng.normal(size=(7, 4))
    model.forward(x)
    model.backward(y, "mse")
    first, last = model.layers
    grad_w = (last.phi @ last.w * first.a).T @ x
    diagnosis = mlpcore.diagnose(grad_w, "grad_w", model, x, y, loss="mse", layer=1)
    assert diagnosis.mistake == "sigma-for-dsigma"
    assert "in the phi that it was computed from" in diagnosis.sentence


def test_float32_roundings_are_right_and_smaller_errors_in_float64_are_not():
    rng = np.random.default_rng(11)
    model, x, y, loss, _ = network(rng, "float64")
    reference = references.of_model(model, x, y, loss, None)
    z = reference.exact[0].z
    rounded = z.astype(np.float32)
    assert mlpcore.diagnose(rounded, "z", model, x, y, loss=loss, layer=1).right
    assert not mlpcore.diagnose(rounded.astype(np.float64), "z", model, x, y, loss=loss, layer=1).right
    assert mlpcore.diagnose(z.round(4), "z", model, x, y, loss=loss, layer=1, tolerance=1e-3).right
