"""A classifier, data that it can learn, and its weights after a fit."""

import numpy as np
import states

from mlpcore import Dense, Sequential


def data(n=50):
    """n points of 3 numbers, and which of them is the largest."""
    return states.data(n)


def classifier(seed=1, **options):
    return Sequential([Dense(8, "tanh"), Dense(3, "softmax")], seed=seed, **options)


def params(model):
    return np.concatenate([np.ravel(array) for layer in model.layers for array in (layer.w, layer.b)])


def fitted(model=None, x=None, y=None, **options):
    """The weights after a fit with these options."""
    model = classifier() if model is None else model
    if x is None:
        x, y = data()
    model.fit(x, y, **({"loss": "cce", "optimizer": "sgd", "batch_size": 8, "progress": False} | options))
    return params(model)
