"""Optimizers written in Python that step as those in C, and models to train by them."""

import numpy as np
import pytest

from mlpcore import SGD, Adam, CustomOptimizer, Dense, Sequential

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), RNG.integers(0, 3, 40)


class NumpySGD(CustomOptimizer):
    states = ("velocity",)

    def __init__(self, learning_rate=0.01, momentum=0.0, **clipping):
        super().__init__(**clipping)
        self.learning_rate, self.momentum = learning_rate, momentum

    def step(self, w, grad, state, t):
        state["velocity"] = self.momentum * state["velocity"] + grad
        w -= self.learning_rate * state["velocity"]


class NumpyAdam(CustomOptimizer):
    states = ("m", "v")

    def __init__(self, learning_rate=0.001, **clipping):
        super().__init__(**clipping)
        self.learning_rate = learning_rate

    def step(self, w, grad, state, t):
        m, v = state["m"], state["v"]
        m[...] = 0.9 * m + (1 - 0.9) * grad
        v[...] = 0.999 * v + (1 - 0.999) * grad**2
        w -= self.learning_rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)


PAIRS = {
    "sgd": lambda **clipping: (SGD(0.1, **clipping), NumpySGD(0.1, **clipping)),
    "momentum": lambda **clipping: (SGD(0.1, 0.9, **clipping), NumpySGD(0.1, 0.9, **clipping)),
    "adam": lambda **clipping: (Adam(0.01, **clipping), NumpyAdam(0.01, **clipping)),
}


def plain(**options):
    return [Dense(5, "tanh", **options), Dense(4, "relu"), Dense(3, "softmax")]


def models(layers=plain, dtype="float64", count=2):
    return [Sequential(layers(), input_size=6, dtype=dtype, seed=1) for _ in range(count)]


def same(mine, other):
    np.testing.assert_allclose(other._built().params, mine._built().params, rtol=1e-12, atol=1e-12)
    assert other.history["loss"] == pytest.approx(mine.history["loss"], rel=1e-12)


def fit(model, optimizer, **options):
    settings = {"epochs": 3, "batch_size": 7, "progress": False}
    return model.fit(X, Y, "cce", optimizer=optimizer, **(settings | options))
