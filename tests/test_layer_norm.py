"""LayerNorm and RMSNorm: their equations, and that a row is by itself."""

import numpy as np
import pytest

from mlpcore import Dense, LayerNorm, RMSNorm, Sequential

X = np.random.default_rng(2).normal(1, 4, (9, 37))
close = {"rtol": 1e-12, "atol": 1e-14}


def around(layer, dtype="float64"):
    return Sequential([Dense(37, use_bias=False), layer, Dense(3)], input_size=37, dtype=dtype, seed=3)


def test_layer_norm_is_its_equation():
    model = around(LayerNorm(epsilon=0.01))
    below, layer, above = model.layers
    layer.gamma, layer.beta = np.linspace(-1, 2, 37), np.linspace(3, 1, 37)
    model.forward(X, training=True)
    mean, variance = layer.x.mean(axis=1, keepdims=True), layer.x.var(axis=1, keepdims=True)
    x_hat = (layer.x - mean) / np.sqrt(variance + 0.01)
    np.testing.assert_allclose(layer.a, layer.gamma * x_hat + layer.beta, **close)
    model.backward(np.ones((9, 3)), "mse")
    grad_y = above.phi @ above.w
    np.testing.assert_allclose(layer.grad_gamma, (grad_y * x_hat).sum(axis=0), **close)
    np.testing.assert_allclose(layer.grad_beta, grad_y.sum(axis=0), **close)
    g = grad_y * layer.gamma
    inner = g - g.mean(axis=1, keepdims=True) - x_hat * (g * x_hat).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(below.phi, inner / np.sqrt(variance + 0.01), **close)
    np.testing.assert_array_equal(layer.phi, below.phi)


def test_rms_norm_is_its_equation():
    model = around(RMSNorm(epsilon=0.01))
    below, layer, above = model.layers
    layer.gamma = np.linspace(-1, 2, 37)
    model.forward(X, training=True)
    root = np.sqrt((layer.x**2).mean(axis=1, keepdims=True) + 0.01)
    x_hat = layer.x / root
    np.testing.assert_allclose(layer.a, layer.gamma * x_hat, **close)
    model.backward(np.ones((9, 3)), "mse")
    grad_y = above.phi @ above.w
    np.testing.assert_allclose(layer.grad_gamma, (grad_y * x_hat).sum(axis=0), **close)
    g = grad_y * layer.gamma
    np.testing.assert_allclose(below.phi, (g - x_hat * (g * x_hat).mean(axis=1, keepdims=True)) / root, **close)
    assert not hasattr(type(layer), "beta")


@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_does_not_depend_on_others(kind, dtype):
    model = around(kind(), dtype)
    together = model.forward(X, training=True)
    np.testing.assert_array_equal(together[4:5], model.forward(X[4:5], training=True))
    np.testing.assert_array_equal(together, model.predict(X))
    model.fit(X, X[:, :3], "mse", sample_weight=np.arange(1, 10), progress=False)
    assert model._built().state.size == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_column_and_equal_numbers(dtype):
    for width, x in ((1, [[5.0], [-7.0]]), (37, [[0.1] * 37, [-1e6 / 3] * 37])):
        model = Sequential([LayerNorm()], input_size=width, dtype=dtype)
        model.layers[0].beta = np.arange(width)
        assert model.forward(x).tolist() == [list(range(width))] * 2
    np.testing.assert_allclose(
        Sequential([RMSNorm()], input_size=1).forward([[5.0], [-7.0]]), [[1.0], [-1.0]], rtol=1e-6
    )
