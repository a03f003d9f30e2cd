"""Models in every state, and all that they hold as data that can be compared."""

import numpy as np

from mlpcore import SGD, Dense, Dropout, Sequential, network

QUIET = {"progress": False}


def data(n=10):
    """n points of 3 numbers, and which of them is the largest."""
    i = np.arange(n * 3)
    x = (i * 37 % 101 / 50 - 1).reshape(n, 3)
    return x, x.argmax(axis=1)


def classifier(seed=1, **options):
    return Sequential([Dense(8, "tanh"), Dropout(0.2), Dense(3, "softmax")], seed=seed, **options)


def regression(**options):
    """The model of the issue, with its data."""
    x = np.arange(20.0).reshape(10, 2) / 20
    model = Sequential([Dense(1)], input_size=2, seed=0, **options)
    return model, x, x[:, :1]


# ---------------------------------------------------------------------------------------------- all that may not change


def frozen(thing):
    """Everything that a model, an optimizer or one of their parts holds, as plain data that can be compared."""
    if isinstance(thing, np.ndarray):
        return thing.dtype.str, thing.shape, thing.tobytes()
    if isinstance(thing, dict):
        return {name: frozen(value) for name, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [frozen(each) for each in thing]
    return thing


def shown(layer):
    """What a layer shows, or why it does not."""
    values = {}
    for name in ("input_size", "x", "z", "a", "w", "b", "phi", "grad_w", "grad_b"):
        try:
            values[name] = frozen(getattr(layer, name))
        except (AttributeError, RuntimeError) as error:
            values[name] = type(error).__name__
    return values


def snapshot(model, *optimizers):
    """All that a refused call must leave as it is."""
    bound = model._holder.bound
    return {
        "bound": id(bound),
        "params": None if bound is None else frozen(bound.net.params),
        "has gradients": bound is not None and bound.net.has_gradients,
        "cursor": model._cursor.tolist(),
        "history": (id(model.history), None if model.history is None else frozen(dict(model.history))),
        "attributes": sorted(vars(model)),
        "layers": [
            (sorted(vars(layer)), layer._has_model, id(layer._holder), shown(layer))
            for _, layer in network.all_layers(model.layers)
        ],
        "optimizers": [(frozen(each._state), id(each._owner), repr(each)) for each in optimizers],
    }


def unbuilt():
    return classifier()


def built():
    return classifier(input_size=3)


def trained():
    model = classifier()
    model.fit(*data(), "cce", optimizer="sgd", batch_size=4, **QUIET)
    return model


def stepped():
    """A model in the midst of steps by hand."""
    model = classifier()
    for _ in range(3):
        model.forward(data()[0], training=True)
        model.backward(data()[1], "cce")
        model.update(SGD(0.1))
    return model


MODELS = [unbuilt, built, trained, stepped]
X, Y = data()
NAN = np.where(np.arange(30).reshape(10, 3) == 7, np.nan, X)

GOOD = {
    "fit": {"X": X, "y": Y, "loss": "cce", "optimizer": SGD, "progress": False},
    "partial_fit": {"X": X, "y": Y, "loss": "cce", "optimizer": SGD},
    "evaluate": {"X": X, "y": Y, "loss": "cce"},
    "predict": {"X": X},
    "forward": {"x": X},
    "backward": {"y": Y, "loss": "cce"},
    "update": {"optimizer": SGD},
}

FITS = {
    "plain": {},
    "validated": {"validation_data": (X, Y)},
    "watched": {"callbacks": [lambda *_: None]},
    "both": {"validation_split": 0.3, "callbacks": [lambda *_: None]},
}
