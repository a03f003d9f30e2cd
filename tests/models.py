"""Models to save, and what tells that they came back."""

import numpy as np

import mlpcore


def trained_model(dtype="float32"):
    model = mlpcore.Sequential([mlpcore.Dense(5, "relu"), mlpcore.Dense(3, "softmax")], dtype=dtype, seed=2**64 - 1)
    model.fit(*data(), loss="cce", epochs=3, batch_size=7, progress=False)
    return model


def data(n=20):
    i = np.arange(n)
    return np.stack([i * 3 % 7, i * 5 % 11], axis=1) / 10, i % 3


def assert_same(model, other):
    assert repr(other) == repr(model)
    assert other.epochs_trained == model.epochs_trained
    for layer, twin in zip(model.layers, other.layers, strict=True):
        np.testing.assert_array_equal(layer.w, twin.w)
        np.testing.assert_array_equal(layer.b, twin.b)


def a_model(seed=1, units=3):
    return mlpcore.Sequential([mlpcore.Dense(units, "tanh"), mlpcore.Dense(2)], input_size=4, seed=seed)


def assert_saved(model, file):
    loaded = mlpcore.Sequential.load(file)
    assert repr(loaded) == repr(model)
    for layer, twin in zip(model.layers, loaded.layers, strict=True):
        np.testing.assert_array_equal(layer.w, twin.w)
