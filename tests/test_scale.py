"""Scale: a factor for each column."""

import numpy as np

from mlpcore import SGD, Dense, Scale, Sequential

X = np.random.default_rng(0).normal(size=(7, 4))


def test_it_is_its_equation():
    model = Sequential([Dense(5, use_bias=False), Scale(), Dense(2)], input_size=4, dtype="float64", seed=1)
    below, layer, above = model.layers
    layer.s = [1, -2, 0, 0.5, 3]
    model.forward(X)
    np.testing.assert_array_equal(layer.a, layer.x * layer.s)
    model.backward(np.ones((7, 2)), "mse")
    grad_y = above.phi @ above.w
    np.testing.assert_allclose(layer.grad_s, (grad_y * layer.x).sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(below.phi, grad_y * layer.s, rtol=1e-13)


def test_as_a_first_layer_with_its_own_rate():
    model = Sequential([Scale(learning_rate_factor=6), Dense(2)], input_size=4, dtype="float64", seed=1)
    model.forward(X)
    model.backward(np.ones((7, 2)), "mse")
    grad_s = model.layers[0].grad_s.copy()
    model.update(SGD(0.01))
    np.testing.assert_allclose(model.layers[0].s, 1 - 0.06 * grad_s, rtol=1e-14)
