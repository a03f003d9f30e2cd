"""check_layer for layers of every kind: gradcheck/layers.py."""

import numpy as np
import pytest

import mlpcore
from mlpcore import Activation, BatchNorm, CustomLayer, Dense, Embedding, PReLU, Residual, Sequential, gradcheck
from mlpcore.layers import KINDS

X = np.random.default_rng(3).normal(size=(6, 4))


class Square(CustomLayer):
    """y = s x^2, with a gradient to s that is `factor` times the right one."""

    factor = 1.0

    def build(self, input_size):
        return input_size, {"s": (input_size,)}

    def reset(self, params, rng):
        params["s"][...] = rng.normal(size=params["s"].shape)

    def forward(self, x, training):
        return self.params["s"] * x**2

    def backward(self, grad_y, x):
        self.grads["s"][...] = self.factor * (grad_y * x**2).sum(axis=0)
        return 2 * self.params["s"] * x * grad_y


LAYERS = {
    "dense": lambda: Dense(3, "tanh"),
    "activation": lambda: Activation("softmax"),
    "dropout": lambda: mlpcore.Dropout(0.5),
    "alpha_dropout": lambda: mlpcore.AlphaDropout(0.5),
    "gaussian_noise": lambda: mlpcore.GaussianNoise(0.5),
    "residual": lambda: Residual([Dense(3, "tanh"), Residual([BatchNorm(), PReLU()]), Dense(4)]),
    "batch_norm": BatchNorm,
    "layer_norm": mlpcore.LayerNorm,
    "rms_norm": mlpcore.RMSNorm,
    "scale": mlpcore.Scale,
    "prelu": lambda: PReLU(0.1),
    "embedding": lambda: Embedding({1: (3, 2)}),
    "custom": Square,
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_agrees_and_is_left_as_it_is(name, dtype, training):
    layer = LAYERS[name]()
    x = X.copy()
    if name == "embedding":
        x[:, 1] = [0, 2, 2, 1, 0, 2]
    below = [] if name == "embedding" else [Dense(4)]
    model = Sequential([*below, layer, Dense(2)], input_size=4, dtype=dtype, seed=1)
    model.fit(x, np.ones((6, 2)), "mse", progress=False)
    before = model._built().params.tobytes(), model._built().state.tobytes(), model.layers[-1].a.tobytes()
    report = gradcheck.check_layer(layer, x, training=training)
    assert report.ok, report
    inner = sum(shape.prod() for shape in map(np.array, parameters_of(layer)))
    assert report.count == inner + (0 if name == "embedding" else x.size)
    assert (model._built().params.tobytes(), model._built().state.tobytes(), model.layers[-1].a.tobytes()) == before


def parameters_of(layer):
    """The shapes of all parameters of a layer of 4 inputs."""
    return [shape for _, shape, _ in mlpcore.network.tensor_shapes([layer], 4)]


def test_every_kind_is_tested():
    assert LAYERS.keys() == KINDS.keys() | {"custom"}


def test_a_wrong_gradient_is_named():
    layer = Square()
    layer.factor = 0.5
    Sequential([layer], input_size=4, seed=1)
    report = gradcheck.check_layer(layer, X)
    assert not report.ok
    assert {name: array.failed > 0 for name, array in report.arrays.items()} == {"s": True, "x": False}


def test_what_is_no_layer_of_a_model_is_refused():
    with pytest.raises(TypeError, match="layer is 'relu', expected a layer"):
        gradcheck.check_layer("relu", X)
    with pytest.raises(RuntimeError, match="has no arrays yet"):
        gradcheck.check_layer(BatchNorm(), X)
    layer = BatchNorm()
    Sequential([layer], input_size=3)
    with pytest.raises(ValueError, match="shape"):
        gradcheck.check_layer(layer, X)
