"""Adagrad, RMSprop and Adadelta: states that are kept on a condition, averages that decay, and long trainings."""

import numpy as np
import pytest

from mlpcore import Adadelta, Adagrad, Dense, RMSprop, Sequential, kernels


def test_rmsprop_keeps_no_more_than_it_needs():
    x = np.arange(6.0).reshape(6, 1)
    for settings, states in (
        ({}, {"v"}),
        ({"momentum": 0.5}, {"v", "velocity"}),
        ({"centered": True}, {"v", "mean"}),
        ({"momentum": 0.5, "centered": True}, {"v", "velocity", "mean"}),
    ):
        optimizer = RMSprop(0.01, **settings)
        Sequential([Dense(1)], seed=0).fit(x, x, "mse", optimizer=optimizer, progress=False)
        assert set(optimizer._state) == states | {"t"}


def test_a_state_that_a_step_needs_must_be_there():
    w, grad, v = np.zeros((3, 2))
    for name, setting in (("velocity", {"momentum": 0.5}), ("mean", {"centered": True})):
        (needs,) = setting
        with pytest.raises(
            ValueError, match=f"rmsprop_step: {name} is missing, expected an array since {needs} is not 0"
        ):
            kernels.rmsprop_step(w, grad, v, **setting)
    kernels.rmsprop_step(w, grad, v, None, np.zeros(2), centered=True)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_mean_follows_its_formula_while_it_is_not_subtracted(dtype):
    w, v, mean, plain, of_plain = (np.zeros(3, dtype) for _ in range(5))
    for grad in (1.0, -2.0, 3.0):
        gradient = np.full(3, grad, dtype)
        kernels.rmsprop_step(w, gradient, v, None, mean, rho=0.5)
        kernels.rmsprop_step(plain, gradient, of_plain, rho=0.5)
    np.testing.assert_array_equal(w, plain)
    assert mean.tolist() == [0.125 - 0.5 + 1.5] * 3


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.99])
def test_a_variance_of_nothing_but_rounding_is_no_nan(dtype, rho):
    """v - mean^2 of a gradient that never changes tends to 0, on either side of it."""
    w, v, mean = (np.zeros(50, dtype) for _ in range(3))
    grad = np.geomspace(1e-8, 1e8, 50).astype(dtype)
    for _ in range(2000):
        kernels.rmsprop_step(w, grad, v, None, mean, rho=rho, centered=True, epsilon=1e-3)
    assert np.isfinite(w).all()
    assert (w < 0).all()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_averages_of_a_gradient_that_became_0_decay_to_0(dtype):
    smallest, zero, w = float(np.finfo(dtype).smallest_normal), np.zeros(20, dtype), np.ones(20, dtype)
    v, velocity, mean, v_of_adadelta, u = (np.full(20, 1e-3, dtype) for _ in range(5))
    seen = []
    for _ in range(20_000):
        kernels.rmsprop_step(w, zero, v, velocity, mean, rho=0.95, momentum=0.9, centered=True)
        kernels.adadelta_step(w, zero, v_of_adadelta, u, rho=0.95)
        seen += [float(state[0]) for state in (v, velocity, mean, v_of_adadelta, u)]
    assert not any(0 < number < smallest for number in seen)
    assert not any(state.any() for state in (v, velocity, mean, v_of_adadelta, u))


@pytest.mark.parametrize("epsilon", [1e-30, 1e-16, 1e-7, 1e-2])
def test_flushing_never_changes_a_float32_step_by_more_than_rounding(epsilon):
    """Against the same step in float64, wherever grad^2 is no subnormal number."""
    rho = float(np.float32(0.9))
    for grad in (np.float32(10.0) ** np.arange(-17, 10, dtype="f4")).tolist():
        moves = []
        for dtype in ("f4", "f8"):
            w, a, b = np.zeros(2, dtype), np.zeros(2, dtype), np.zeros(2, dtype)
            gradient, small = np.full(2, grad, dtype), float(np.float32(epsilon))
            kernels.adadelta_step(w[:1], gradient[:1], a[:1], b[:1], rho=rho, epsilon=small)
            if epsilon >= 1e-16:
                kernels.rmsprop_step(w[1:], gradient[1:], a[1:], rho=rho, epsilon=small, learning_rate=2.0**-10)
            moves.append(w.tolist())
        assert moves[0] == pytest.approx(moves[1], rel=2e-6), grad


def test_adagrads_steps_shrink_as_one_over_the_root():
    w, v = np.zeros(1), np.zeros(1)
    moves = []
    for _ in range(100):
        before = w.copy()
        kernels.adagrad_step(w, np.array([2.0]), v, learning_rate=1.0)
        moves.append(float((before - w)[0]))
    np.testing.assert_allclose(moves, 1 / np.sqrt(np.arange(1, 101)), rtol=1e-6)


@pytest.mark.parametrize("optimizer", [Adagrad(0.1), RMSprop(0.01), RMSprop(0.003, momentum=0.9, centered=True),
                                       Adadelta(epsilon=1e-4)], ids=repr)  # fmt: skip
def test_they_learn(optimizer):
    x = np.linspace(-1, 1, 64).reshape(64, 1)
    model = Sequential([Dense(16, "tanh"), Dense(1)], seed=1)
    history = model.fit(x, x**2, "mse", optimizer=optimizer, epochs=300, progress=False)
    assert history["loss"][-1] < 0.02 < history["loss"][0]
