"""Layers written in Python: as exact as those in C, and safe when they fail."""

import copy
import pickle

import numpy as np
import pytest
from everywhere import train_batches

from mlpcore import SGD, Adam, CustomLayer, Dense, Residual, Sequential
from mlpcore.gradcheck import check_model

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), RNG.integers(0, 3, 40)


class NumpyDense(CustomLayer):
    """z = x w^T + b in NumPy."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_size):
        return self.units, {"w": (self.units, input_size), "b": (self.units,)}

    def reset(self, params, rng):
        params["w"][...] = rng.uniform(-0.3, 0.3, params["w"].shape)

    def forward(self, x, training):
        return x @ self.params["w"].T + self.params["b"]

    def backward(self, grad_y, x):
        self.grads["w"][...] = grad_y.T @ x
        self.grads["b"][...] = grad_y.sum(axis=0)
        return grad_y @ self.params["w"]


def pair(dtype="float64", nested=False):
    """A model with our dense layers, and one with NumPy's that has the same weights."""
    ours, theirs = Dense(5), NumpyDense(5)
    models = []
    for layer in (ours, theirs):
        block = [Residual([layer, Dense(6, "tanh")])] if nested else [layer]
        models.append(Sequential([*block, Dense(3, "softmax")], input_size=6, dtype=dtype, seed=1))
    theirs.params["w"][...], theirs.params["b"][...] = ours.w, ours.b
    for mine, other in zip(models[0].layers[1:], models[1].layers[1:], strict=True):
        other.w, other.b = mine.w, mine.b
    if nested:
        mine, other = (each.layers[0].layers[1] for each in models)
        other.w, other.b = mine.w, mine.b
    return (*models, ours, theirs)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("optimizer", [lambda: SGD(0.1, momentum=0.9), lambda: Adam(0.01)])
def test_it_trains_as_the_layer_in_c(optimizer, nested):
    mine, other, ours, theirs = pair(nested=nested)
    for model in (mine, other):
        model.fit(X, Y, "cce", optimizer=optimizer(), epochs=3, batch_size=8, progress=False)
    np.testing.assert_allclose(theirs.params["w"], ours.w, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(other.predict(X), mine.predict(X), rtol=1e-10)
    assert other.history["loss"] == pytest.approx(mine.history["loss"], rel=1e-12)


def test_its_gradients_are_checked():
    class Wrong(NumpyDense):
        def backward(self, grad_y, x):
            return 1.01 * super().backward(grad_y, x)

    for layer, is_right in ((NumpyDense(5), True), (Wrong(5), False)):
        model = Sequential([Dense(4, "tanh"), layer, Dense(3, "softmax")], input_size=6, seed=1)
        report = check_model(model, X[:4], Y[:4], "cce", progress=False)
        assert report.ok == is_right
        assert is_right or report.worst.name.startswith("layers[0]")  # what lies below reads the wrong gradient


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("batch", [0, 1, 4])
def test_an_exception_leaves_the_last_whole_batch(where, batch):
    class Failing(NumpyDense):
        calls = 0

        def forward(self, x, training):
            self.check("forward", training)
            return super().forward(x, training)

        def backward(self, grad_y, x):
            self.check("backward", True)
            return super().backward(grad_y, x)

        def check(self, here, training):
            if here == where and training:
                type(self).calls += 1
                if type(self).calls == batch + 1:
                    raise ZeroDivisionError("on purpose")

    def model(kind):
        return Sequential([Dense(4, "tanh"), kind(5), Dense(3, "softmax")], input_size=6, seed=2)

    failing, whole = model(Failing), model(NumpyDense)
    options = {"batch_size": 8, "shuffle": False}
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        failing.fit(X, Y, "cce", optimizer=Adam(), progress=False, **options)
    train_batches(whole, X, Y, "cce", Adam(), batch)
    assert failing._built().params.tobytes() == whole._built().params.tobytes()
    failing.fit(X, Y, "cce", optimizer=Adam(), progress=False, **options)  # it can go on


@pytest.mark.parametrize("answer", [None, 1.0, np.zeros((8, 4)), np.zeros((7, 5)), np.zeros(5), "text"])
def test_an_answer_that_does_not_fit_is_refused(answer):
    class Odd(NumpyDense):
        def forward(self, x, training):
            return answer

    model = Sequential([Odd(5), Dense(3, "softmax")], input_size=6)
    with pytest.raises(ValueError, match=r"Odd.forward returned shape .*, expected \(8, 5\)"):
        model.predict(X[:8])


@pytest.mark.parametrize(
    ("built", "error", "message"),
    [
        ((0, {}), ValueError, "the number of outputs"),
        ((2.5, {}), TypeError, "the number of outputs"),
        ((2, {"w": (1, 2, 3)}), ValueError, "expected one or two axes"),
        ((2, {"w": ()}), ValueError, "expected one or two axes"),
        ((2, {"w": (-1,)}), ValueError, "shape"),
    ],
)
def test_a_build_that_makes_no_layer_is_refused(built, error, message):
    class Odd(NumpyDense):
        def build(self, input_size):
            return built

    with pytest.raises(error, match=message):
        Sequential([Odd(5)], input_size=6).predict(X)


def test_arrays_that_it_is_given_are_read_only():
    class Greedy(NumpyDense):
        def forward(self, x, training):
            x[...] = 0
            return super().forward(x, training)

    with pytest.raises(ValueError, match="read-only"):
        Sequential([Greedy(5)], input_size=6).predict(X)


def test_pickles_and_copies_hold_it_and_files_do_not(tmp_path):
    model = Sequential([NumpyDense(5), Dense(3, "softmax")], input_size=6, seed=3)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        assert other.layers[0].units == 5
    with pytest.raises(TypeError, match="written in Python"):
        model.save(tmp_path / "model.safetensors")


def test_first_weights_follow_from_seed_and_place():
    def w(seed, places=0):
        model = Sequential([*(Dense(6) for _ in range(places)), NumpyDense(5)], input_size=6, seed=seed)
        return model.layers[places].params["w"].tolist()

    assert w(1) == w(1) != w(2)
    assert w(1) != w(1, places=1)
