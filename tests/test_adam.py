"""Adam's relatives where their formulas have corners: the first steps, large t, tiny averages."""

import numpy as np
import pytest

from mlpcore import SGD, Adam, AdamW, Dense, Sequential, kernels

X, Y = np.random.default_rng(0).normal(size=(2, 12, 3))


def trained(optimizer):
    model = Sequential([Dense(4, "tanh"), Dense(3)], input_size=3, seed=1)
    model.fit(X, Y, "mse", optimizer=optimizer, epochs=5, batch_size=5, progress=False)
    return model._built().params.tobytes()


def test_adamw_is_adam_with_weight_decay():
    assert trained(AdamW(0.1)) == trained(Adam(0.1, weight_decay=0.01)) != trained(Adam(0.1))
    assert trained(AdamW(0.1, weight_decay=0.0)) == trained(Adam(0.1))


def test_weight_decay_takes_its_part_of_biases_too_and_nothing_of_what_is_frozen():
    """Without a gradient nothing else happens: w and b shrink by learning_rate weight_decay in each step."""
    model = Sequential([Dense(2, trainable=False), Dense(2, learning_rate_factor=0.5), Dense(2)], input_size=3, seed=1)
    for layer in model.layers:
        layer.b = np.ones(2)
    before = [(layer.w.copy(), layer.b.copy()) for layer in model.layers]
    model.backward(model.forward(np.zeros((1, 3))), "mse")
    model.update(AdamW(0.1, weight_decay=0.5))
    for layer, (w, b), part in zip(model.layers, before, (1, 0.975, 0.95), strict=True):
        np.testing.assert_allclose(layer.w, part * w, rtol=1e-6)
        np.testing.assert_allclose(layer.b, part * b, rtol=1e-6)


def test_weight_decay_comes_after_what_the_penalties_see():
    """grad + l2 w is of the weights as they were, then these decay, then comes the step."""
    w, rate = np.array([2.0]), 0.1
    model = Sequential([Dense(1, use_bias=False, l2=0.5)], input_size=1, dtype="float64")
    model.layers[0].w = w[None]
    model.forward([[1.0]])
    model.backward([[0.0]], "mse")
    model.update(SGD(rate, weight_decay=0.3))
    np.testing.assert_allclose(model.layers[0].w, [w - rate * 0.3 * w - rate * (2 * w + 0.5 * w)])


def one_step(step, grad, t, dtype="f8", w=0.0, states=2, **hypers):
    weights, arrays = np.full(1, w, dtype), [np.zeros(1, dtype) for _ in range(states)]
    step(weights, np.full(1, grad, dtype), *arrays, t=t, **hypers)
    return float(weights[0])


@pytest.mark.parametrize("t", [1, 2, 50, 1000, 10**5, 2**62])
@pytest.mark.parametrize("momentum_decay", [0.0, 1e-9, 0.004, 1.0, 1e300])
def test_nadams_momenta_are_the_products_that_the_formula_has(t, momentum_decay):
    """With m = 0 before, grad = 1 moves by mu_(t+1) (1 - beta1) / (1 - M_(t+1)) + (1 - mu_t) / (1 - M_t)."""
    most = 10**5  # whatever comes later is beta1, or nothing is left of the product
    for beta1 in (0.0, 0.5, 0.9, 0.999, 1 - 2.0**-24):
        s = np.array([*range(1, min(t, most) + 1), t, t + 1], "f8")
        mu = beta1 * (1 - 0.5 * 0.96 ** (np.minimum(s, 1e6 / max(momentum_decay, 1e-9)) * momentum_decay))
        product = float(mu[:-2].prod()) * beta1 ** max(t - most, 0)
        move = mu[-1] * (1 - beta1) / (1 - product * mu[-1]) + (1 - mu[-2]) / (1 - product)
        hypers = {"beta1": beta1, "beta2": 0.0, "epsilon": 1e-30, "momentum_decay": momentum_decay}
        assert one_step(kernels.nadam_step, 1.0, t, learning_rate=1.0, **hypers) == pytest.approx(-move, rel=1e-10)


def test_radam_goes_by_momentum_until_v_is_worth_5_gradients():
    """With beta2 = 0.999 for 5 steps; then it is Adam's step times a rectification that grows to 1."""
    hypers = {"learning_rate": 1.0, "beta1": 0.0}
    for t in range(1, 6):
        assert one_step(kernels.radam_step, 3.0, t, **hypers) == pytest.approx(-3)
    moves = [-one_step(kernels.radam_step, 3.0, t, **hypers) for t in (6, 100, 10_000, 10**9)]
    of_adam = [-one_step(kernels.adam_step, 3.0, t, **hypers) for t in (6, 100, 10_000, 10**9)]
    ratios = np.array(moves) / of_adam
    assert (np.diff(ratios) > 0).all()
    assert ratios[0] < 0.1
    assert ratios[-1] == pytest.approx(1)
    for t in (1, 10, 10**6):  # so short an average is never worth that much
        assert one_step(kernels.radam_step, 3.0, t, beta2=0.5, **hypers) == pytest.approx(-3)


def test_amsgrad_never_divides_by_less_than_before():
    w, m, v, v_max = np.zeros((4, 1))
    seen = []
    for t, grad in enumerate([1.0, 10.0, 0.1, 0.0, 0.0, 1.0], 1):
        kernels.amsgrad_step(w, np.array([grad]), m, v, v_max, t=t, beta2=0.5)
        seen.append(float(v_max[0]))
        assert v_max[0] >= v[0]
    assert seen == sorted(seen)
    assert seen[1] == seen[-1] == 0.5 * 100 + 0.25


@pytest.mark.parametrize("name", ["adam", "adamw", "amsgrad", "nadam", "radam"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_averages_of_a_gradient_that_became_0_decay_to_0(name, dtype):
    step, smallest = getattr(kernels, f"{name}_step"), float(np.finfo(dtype).smallest_normal)
    states = [np.full(20, 1e-3, dtype) for _ in range(3 if name == "amsgrad" else 2)]
    w, zero, seen = np.ones(20, dtype), np.zeros(20, dtype), []
    for t in range(1, 20_001):
        step(w, zero, *states, t=t, beta2=0.95)
        seen += [float(state[0]) for state in states]
    assert not any(0 < number < smallest for number in seen)
    assert not states[0].any()
    assert not states[1].any()


@pytest.mark.parametrize("name", ["amsgrad", "nadam", "radam"])
@pytest.mark.parametrize("epsilon", [1e-16, 1e-10, 1e-7, 1e-2])
def test_flushing_never_changes_a_float32_step_by_more_than_rounding(name, epsilon):
    """Against the same step in float64, wherever grad^2 is no subnormal number."""
    step, states = getattr(kernels, f"{name}_step"), 3 if name == "amsgrad" else 2
    hypers = {"beta1": 0.5, "beta2": float(np.float32(0.999)), "learning_rate": 2.0**-10}
    for grad in (np.float32(10.0) ** np.arange(-15, 10, dtype="f4")).tolist():
        for t in (1, 10, 5000):
            moves = [
                one_step(step, grad, t, dtype, states=states, epsilon=float(np.float32(epsilon)), **hypers)
                for dtype in ("f4", "f8")
            ]
            assert moves[0] == pytest.approx(moves[1], rel=2e-6), (grad, t)
