"""Training with one sample a batch: weights take their step while their gradient is in registers.

The next sample's forward through the first layer comes with it. The bits are those of one after the other.
"""

import numpy as np
import pytest
from states import shown

from mlpcore import SGD, Activation, Adam, CustomLayer, Dense, Dropout, Residual, RMSprop, Sequential, optimizers


class Doubled(CustomLayer):
    """y = 2 x in Python."""

    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        return 2 * x

    def backward(self, grad_y, x):
        return 2 * grad_y


NETS = {
    "one unit": lambda: [Dense(1, "sigmoid")],
    "narrow": lambda: [Dense(10, "tanh"), Dense(3, "softmax")],
    "wide": lambda: [Dense(67, "relu"), Dense(3, "softmax")],
    "whole vectors": lambda: [Dense(64, "relu"), Dense(32, "relu"), Dense(3, "softmax")],
    "no activation": lambda: [Dense(40), Dense(3, "softmax")],
    "one layer": lambda: [Dense(33, "softmax")],
    "an activation per row": lambda: [Dense(40, "softmax"), Dense(3, "softmax")],
    "dropout after": lambda: [Dense(40, "relu"), Dropout(0.3), Dense(3, "softmax")],
    "dropout first": lambda: [Dropout(0.3), Dense(40, "relu"), Dense(3, "softmax")],
    "activation first": lambda: [Activation("tanh"), Dense(40, "relu"), Dense(3, "softmax")],
    "residual": lambda: [Dense(40, "relu"), Residual([Dense(40, "tanh")]), Dense(3, "softmax")],
    "residual first": lambda: [Residual([Dense(23, "tanh")]), Dense(3, "softmax")],
    "not trainable": lambda: [Dense(40, "relu", trainable=False), Dense(3, "softmax")],
    "max_norm": lambda: [Dense(40, "relu", max_norm=0.5), Dense(3, "softmax", max_norm=0.5)],
    "no bias": lambda: [Dense(40, "relu", use_bias=False), Dense(3, "softmax", use_bias=False)],
    "no bias, narrow": lambda: [Dense(10, "tanh", use_bias=False), Dense(3, "softmax")],
    "a layer in Python": lambda: [Dense(40, "relu"), Doubled(), Dense(3, "softmax")],
    "penalties": lambda: [Dense(40, "relu", l1=0.01, l2=0.01, learning_rate_factor=0.5), Dense(3, "softmax", l2=0.1)],
}
OPTIMIZERS = {
    "sgd": lambda **clip: SGD(0.1, **clip),
    "momentum": lambda **clip: SGD(0.1, momentum=0.9, **clip),
    "nesterov": lambda **clip: SGD(0.1, momentum=0.9, nesterov=True, **clip),
    "adam": lambda **clip: Adam(0.01, **clip),
    "clip_value": lambda **clip: SGD(0.1, clip_value=0.05, **clip),
}


def fitted(layers, optimizer, dtype, **options):
    """All that is to be seen of a model after a training."""
    rng = np.random.default_rng(5)
    model = Sequential(layers(), input_size=23, dtype=dtype, seed=7)
    outputs = model.layers[-1].units
    x, labels = rng.standard_normal((9, 23)), rng.integers(0, max(outputs, 2), 9)
    y, loss = (labels[:, None], "bce") if outputs == 1 else (labels, "cce")
    history = model.fit(x, y, loss, optimizer=optimizer, batch_size=1, epochs=3, progress=False, **options)
    return [shown(layer) for layer in model.layers] + [history["loss"], model.predict(x).tobytes()]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_bits_are_those_of_one_step_after_the_other(net, optimizer):
    """A norm that is never reached needs the whole gradient: then nothing is fused."""
    for dtype in ("float32", "float64"):
        for options in ({"shuffle": True}, {"shuffle": False}, {"sample_weight": np.arange(9) / 4}):
            fused = fitted(NETS[net], OPTIMIZERS[optimizer](), dtype, **options)
            apart = fitted(NETS[net], OPTIMIZERS[optimizer](clip_norm=1e30), dtype, **options)
            assert fused == apart, (dtype, options)


@pytest.mark.parametrize("optimizer", optimizers.NAMES.values())
def test_every_optimizer_has_the_bits_of_one_step_after_the_other(optimizer):
    for net in ("narrow", "wide", "penalties", "max_norm"):
        for dtype in ("float32", "float64"):
            assert fitted(NETS[net], optimizer(), dtype) == fitted(NETS[net], optimizer(clip_norm=1e30), dtype)


def test_states_that_are_kept_on_a_condition_have_the_bits_of_one_step_after_the_other():
    for settings in ({"centered": True}, {"momentum": 0.9}, {"momentum": 0.9, "centered": True, "weight_decay": 0.1}):
        fused, apart = RMSprop(0.01, **settings), RMSprop(0.01, clip_norm=1e30, **settings)
        assert fitted(NETS["wide"], fused, "float32") == fitted(NETS["wide"], apart, "float32")


@pytest.mark.parametrize("stop_after", [1, 2, 8, 9, 10])
def test_a_training_that_is_stopped_goes_on_with_the_same_bits(stop_after):
    """Two calls of fit train as one does."""
    whole, parts = (Sequential([Dense(40, "relu"), Dense(3, "softmax")], input_size=23, seed=7) for _ in range(2))
    x, y = np.random.default_rng(5).standard_normal((9, 23)), np.arange(9) % 3
    options = {"loss": "cce", "batch_size": 1, "progress": False}
    whole.fit(x, y, optimizer=Adam(0.01), epochs=11, **options)
    optimizer = Adam(0.01)
    parts.fit(x, y, optimizer=optimizer, epochs=stop_after, **options)
    parts.fit(x, y, optimizer=optimizer, epochs=11 - stop_after, **options)
    for one, other in zip(whole.layers, parts.layers, strict=True):
        np.testing.assert_array_equal(one.w, other.w)
        np.testing.assert_array_equal(one.b, other.b)
