"""An activation as a layer of its own: the bits of the same activation inside a dense layer."""

import numpy as np
import pytest

from mlpcore import Activation, Adam, Dense, Sequential, catalogue

X = np.linspace(-2, 2, 60).reshape(12, 5)
Y = np.arange(12) % 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", catalogue.names("activations"))
def test_it_gives_the_bits_of_a_dense_layers_own(name, dtype):
    joined = [Dense(7, name), Dense(3, "softmax")]
    apart = [Dense(7), Activation(name), Dense(3), Activation("softmax")]
    models = [Sequential(layers, input_size=5, dtype=dtype, seed=1) for layers in (joined, apart)]
    models[1].layers[0].w, models[1].layers[2].w = joined[0].w, joined[1].w
    for model in models:
        model.fit(X, Y, "cce", optimizer=Adam(0.01), epochs=3, batch_size=5, progress=False)
    assert models[0].history["loss"] == models[1].history["loss"]
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))
    np.testing.assert_array_equal(joined[0].w, apart[0].w)


def test_it_shows_its_arrays():
    model = Sequential([Dense(4), Activation("tanh"), Dense(2)], input_size=5, dtype="float64", seed=1)
    model.forward(X)
    model.backward(np.zeros((12, 2)), "mse")
    below, tanh, above = model.layers
    np.testing.assert_array_equal(tanh.x, below.a)
    np.testing.assert_allclose(tanh.a, np.tanh(below.a), rtol=1e-14)
    np.testing.assert_allclose(tanh.phi, (above.phi @ above.w) * (1 - tanh.a**2), rtol=1e-12)


def test_a_network_without_weights_predicts_and_has_nothing_to_train():
    model = Sequential([Activation("softmax")], input_size=3)
    np.testing.assert_allclose(model.predict([[1.0, 1, 1]]), 1 / 3, rtol=1e-6)
    assert model.evaluate([[1, 2, 3], [3, 2, 1]], [2, 0], "cce")["accuracy"] == 1.0
    with pytest.raises(ValueError, match="no weights to train"):
        model.fit([[1, 2, 3], [3, 2, 1]], [2, 0], "cce", progress=False)


@pytest.mark.parametrize("name", ["rleu", None, 3, (), ("relu", 1.0)])
def test_what_is_no_activation_is_refused(name):
    with pytest.raises((TypeError, ValueError), match="activation"):
        Activation(name)
