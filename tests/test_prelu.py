"""PReLU: a slope for each unit, or one for all."""

import numpy as np
import pytest

from mlpcore import Adam, Dense, PReLU, Sequential

X = np.random.default_rng(0).normal(size=(7, 4))


@pytest.mark.parametrize("shared", [False, True])
def test_it_is_its_equation(shared):
    model = Sequential([Dense(5), PReLU(shared=shared), Dense(2)], input_size=4, dtype="float64", seed=1)
    below, layer, above = model.layers
    assert layer.alpha.tolist() == [0.25] * (1 if shared else 5)
    layer.alpha = [-0.5] if shared else [0.1, -0.2, 0, 1, 3]
    model.forward(X)
    np.testing.assert_array_equal(layer.a, np.where(layer.x > 0, layer.x, layer.alpha * layer.x))
    model.backward(np.ones((7, 2)), "mse")
    grad_a = above.phi @ above.w
    terms = np.where(layer.x > 0, 0, grad_a * layer.x)
    np.testing.assert_allclose(layer.grad_alpha, terms.sum(axis=None if shared else 0).reshape(-1), rtol=1e-12)
    np.testing.assert_allclose(below.phi, np.where(layer.x > 0, 1, layer.alpha) * grad_a, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shared", [False, True])
def test_while_frozen_it_is_leaky_relu(shared, dtype):
    y = np.arange(7) % 3
    models = [
        Sequential(
            [Dense(40, sigma, kernel_initializer="he_uniform"), *slopes, Dense(3, "softmax")],
            input_size=4,
            dtype=dtype,
            seed=1,
        )
        for sigma, slopes in ((("leaky_relu", 0.1), []), (None, [PReLU(0.1, shared=shared, trainable=False)]))
    ]
    models[1].layers[-1].w = models[0].layers[-1].w
    for model in models:
        model.fit(X, y, "cce", optimizer=Adam(0.01), epochs=3, batch_size=3, shuffle=False, progress=False)
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))


def test_at_0_the_slope_is_alpha():
    model = Sequential([PReLU(0.5)], input_size=2, dtype="float64")
    assert model.forward([[0.0, -0.0]]).tolist() == [[0.0, 0.0]]
    model.backward([[1.0, 1.0]], "mse")
    assert model.layers[0].grad_alpha.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "options", [{"alpha": np.nan}, {"alpha": "0.1"}, {"alpha": 1e40}, {"alpha": None}, {"shared": 1}, {"shared": "yes"}]
)
def test_bad_arguments_are_refused(options):
    with pytest.raises((TypeError, ValueError), match=f"{next(iter(options))} is "):
        PReLU(**options)
