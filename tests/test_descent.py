"""Lion and Rprop, which look at signs alone: turns, zeros, limits; and weight decay where there is no other change."""

import numpy as np
import pytest

from mlpcore import SGD, Dense, Lion, Rprop, Sequential, kernels


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_rprops_steps_grow_shrink_and_rest(dtype):
    w, step, sign = (np.zeros(1, dtype) for _ in range(3))
    seen = []
    for grad in (3.0, 1e-30, 2.0, -1.0, -1.0, 0.0, -5.0):
        kernels.rprop_step(w, np.full(1, grad, dtype), step, sign, learning_rate=0.5, eta_plus=2.0)
        seen.append((float(w[0]), float(step[0]), float(sign[0])))
    assert seen == [
        (-0.5, 0.5, 1),  # the first step has the learning rate's length
        (-1.5, 1.0, 1),  # however small a gradient of the same sign is
        (-3.5, 2.0, 1),
        (-3.5, 1.0, 0),  # it turns: half as long, and the weight stays
        (-2.5, 1.0, -1),  # the turn is forgotten
        (-2.5, 1.0, 0),  # no gradient, no step
        (-1.5, 1.0, -1),
    ]


def test_rprops_steps_keep_within_their_limits():
    w, step, sign = np.zeros((3, 2))
    grad = np.array([1.0, 1.0])
    for _ in range(5):
        kernels.rprop_step(w, grad, step, sign, step_max=0.015)
    assert (step == 0.015).all()
    for t in range(60):
        kernels.rprop_step(w, grad * (-1) ** (t // 2), step, sign, step_min=1e-3)
    assert (step >= 1e-3).all()
    w, step, sign = np.zeros((3, 2))
    kernels.rprop_step(w, np.array([1.0, 0.0]), step, sign, learning_rate=0.0, step_min=0.25)
    assert w.tolist() == [-0.25, 0]  # as PyTorch's: the first step is limited too
    kernels.rprop_step(w, np.array([1.0, np.nan]), step, sign, learning_rate=1.0, step_min=0.25)
    assert step[0] == 0.3


def test_rprop_learns_from_all_samples_at_once():
    x = np.linspace(-1, 1, 40).reshape(40, 1)
    model = Sequential([Dense(8, "tanh"), Dense(1)], seed=1, dtype="float64")
    history = model.fit(x, x**3, "mse", optimizer=Rprop(), batch_size=40, epochs=200, progress=False)
    assert history["loss"][-1] < 0.005 < history["loss"][0]


def test_lion_moves_every_weight_by_the_learning_rate():
    w, m = np.zeros(4), np.zeros(4)
    kernels.lion_step(w, np.array([1e-20, -5.0, 0.0, 1e20]), m, learning_rate=0.25)
    assert w.tolist() == [-0.25, 0.25, 0, -0.25]
    kernels.lion_step(w, np.zeros(4), m, learning_rate=0.25)  # m has the sign of the last gradient
    assert w.tolist() == [-0.5, 0.5, 0, -0.5]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_lions_average_decays_to_0(dtype):
    w, m, zero = np.zeros(1, dtype), np.ones(1, dtype), np.zeros(1, dtype)
    for _ in range(9000 if dtype == "f4" else 72_000):
        kernels.lion_step(w, zero, m)
    assert m[0] == 0


@pytest.mark.parametrize("optimizer", [SGD(0.1, weight_decay=0.5), Lion(0.1, weight_decay=0.5)], ids=repr)
def test_weight_decay_without_a_gradient_is_all_that_happens(optimizer):
    model = Sequential([Dense(1)], input_size=1, dtype="float64", seed=1)
    model.layers[0].b = [2.0]
    before = model._built().params.copy()
    model.backward(model.forward([[1.0]]), "mse")
    model.update(optimizer)
    np.testing.assert_allclose(model._built().params, 0.95 * before, rtol=1e-15)


def test_a_product_of_rate_and_decay_that_the_dtype_cannot_hold_is_refused():
    model = Sequential([Dense(1)], input_size=1, seed=1)
    before = model._built().params.copy()
    with pytest.raises(
        ValueError, match="learning_rate is 1e\\+30, which makes the first step of 'sgd' infinite in float32"
    ):
        model.fit([[1.0]], [[1.0]], "mse", optimizer=SGD(1e30, weight_decay=1e30), progress=False)
    assert (model._built().params == before).all()
