"""Activations written in Python: as exact as those in C wherever one can stand, and safe when they fail."""

import copy
import pickle
import threading

import numpy as np
import pytest
from everywhere import train_batches

from mlpcore import SGD, Activation, Adam, CustomActivation, Dense, Dropout, Residual, Sequential, TrainingWarning
from mlpcore.gradcheck import check_kernel, check_layer, check_model

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), RNG.integers(0, 3, 40)


class NumpyTanh(CustomActivation):
    def forward(self, z):
        return np.tanh(z)

    def backward(self, grad_a, z, a):
        return grad_a * (1 - a * a)


class NumpySoftmax(CustomActivation):
    """An activation of whole rows."""

    def forward(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, grad_a, z, a):
        return a * (grad_a - (grad_a * a).sum(axis=1, keepdims=True))


class Shifted(CustomActivation):
    """Its derivative needs z, and it has a constant of its own."""

    def __init__(self, shift):
        self.shift = shift

    def forward(self, z):
        return (z + self.shift) ** 2

    def backward(self, grad_a, z, a):
        return grad_a * 2 * (z + self.shift)


LAYERS = {
    "hidden": lambda sigma: [Dense(5, sigma), Dense(4, "relu"), Dense(3, "softmax")],
    "twice": lambda sigma: [Dense(5, sigma), Dense(4, sigma), Dense(3, "softmax")],
    "layer": lambda sigma: [Dense(5), Activation(sigma), Dense(3, "softmax")],
    "first": lambda sigma: [Activation(sigma), Dense(5, "relu"), Dense(3, "softmax")],
    "below an activation": lambda sigma: [Dense(5, sigma), Activation("sigmoid"), Dense(3, "softmax")],
    "below dropout": lambda sigma: [Dense(5, sigma), Dropout(0.3), Dense(3, "softmax")],
    "residual": lambda sigma: [Residual([Dense(4, sigma), Dense(6)]), Dense(3, "softmax")],
}


def pair(build, ours, theirs, dtype="float64", output=None):
    """Two models with the same weights: one with our activation, one with the one written in Python."""
    mine, other = (Sequential(build(sigma), input_size=6, dtype=dtype, seed=1) for sigma in (ours, theirs))
    assert mine._built().params.tobytes() == other._built().params.tobytes()
    return mine, other


@pytest.mark.parametrize("where", LAYERS)
@pytest.mark.parametrize("optimizer", [lambda: SGD(0.1, momentum=0.9), lambda: Adam(0.01)])
def test_it_trains_as_the_one_in_c(where, optimizer):
    mine, other = pair(LAYERS[where], "tanh", NumpyTanh())
    for model in (mine, other):
        model.fit(X, Y, "cce", optimizer=optimizer(), epochs=3, batch_size=7, progress=False)
    np.testing.assert_allclose(other._built().params, mine._built().params, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(other.predict(X), mine.predict(X), rtol=1e-12, atol=1e-12)
    assert other.history["loss"] == pytest.approx(mine.history["loss"], rel=1e-12)
    assert other.evaluate(X, Y, "cce") == pytest.approx(mine.evaluate(X, Y, "cce"), rel=1e-12)


def test_it_trains_as_the_one_in_c_as_the_output():
    """Of whole rows too: with "mse", whose phi^J goes through a."""
    targets = np.eye(3)[Y]
    mine, other = pair(lambda sigma: [Dense(5, "relu"), Dense(3, sigma)], "softmax", NumpySoftmax())
    for model in (mine, other):
        model.fit(X, targets, "mse", optimizer=Adam(0.01), epochs=3, batch_size=7, progress=False)
    np.testing.assert_allclose(other._built().params, mine._built().params, rtol=1e-12, atol=1e-12)


def test_in_float32_it_is_given_float32():
    seen = []

    class Watching(NumpyTanh):
        def backward(self, grad_a, z, a):
            seen.extend([grad_a, z, a])
            np.testing.assert_array_equal(a, np.tanh(z))
            return super().backward(grad_a, z, a)

    mine, other = pair(LAYERS["hidden"], "tanh", Watching(), dtype="float32")
    for model in (mine, other):
        model.fit(X, Y, "cce", epochs=2, progress=False)
    assert {array.dtype.name for array in seen} == {"float32"}
    assert not any(array.flags.writeable for array in seen)
    np.testing.assert_allclose(other.predict(X), mine.predict(X), rtol=1e-4)


def test_z_a_and_phi_of_its_layer_are_shown():
    mine, other = pair(LAYERS["hidden"], "tanh", NumpyTanh())
    for model in (mine, other):
        model.forward(X)
        model.backward(Y, "cce")
    ours, theirs = mine.layers[0], other.layers[0]
    np.testing.assert_array_equal(theirs.z, ours.z)
    np.testing.assert_allclose(theirs.a, ours.a, rtol=1e-14)
    np.testing.assert_allclose(theirs.phi, ours.phi, rtol=1e-12, atol=1e-17)


def test_it_shows_itself():
    sigma = Shifted(1.0)
    model = Sequential([Dense(5, sigma), Activation(sigma), Dense(3, "softmax")], input_size=6)
    assert model.layers[0].activation is sigma is model.layers[1].activation
    assert "Dense(5, Shifted(), " in repr(model)
    assert "Activation(Shifted())" in repr(model)
    assert model.summary().splitlines()[2].split() == ["1", "Dense", "Shifted()", "(5,", "6)", "35"]
    assert check_model(model, X[:4], Y[:4], "cce", progress=False).subject.startswith("6-5 Shifted()-")


def test_nothing_is_warned_of_an_output_that_is_not_known(recwarn):
    model = Sequential([Dense(1, NumpySoftmax())], input_size=6)
    model.fit(X, Y == 0, "bce", progress=False)
    assert not [warning for warning in recwarn if warning.category is TrainingWarning]


# -------------------------------------------------------------------------------------------------------- gradcheck


class WrongSign(NumpyTanh):
    def backward(self, grad_a, z, a):
        return -super().backward(grad_a, z, a)


class NoSlope(Shifted):
    def backward(self, grad_a, z, a):
        return grad_a


def test_gradcheck_takes_it():
    for sigma in (NumpyTanh(), NumpySoftmax(), Shifted(0.5)):
        layers = [Dense(4, sigma), Activation(sigma), Dense(3, "softmax")]
        model = Sequential(layers, input_size=6, seed=1, dtype="float64")
        assert check_kernel(sigma).ok
        assert check_layer(layers[0], X[:4]).ok
        report = check_model(model, X[:4], Y[:4], "cce", progress=False, include_input=True)
        assert report.ok, report


def test_gradcheck_names_a_wrong_derivative():
    report = check_kernel(WrongSign())
    assert (report.subject, report.ok, report.factor) == ("WrongSign()", False, -1)
    assert "factor analytic = -numeric everywhere" in str(report)
    assert not check_kernel(NoSlope(0.5)).ok
    layers = [Dense(4, "tanh"), Dense(4, WrongSign()), Dense(3, "softmax")]
    report = check_model(Sequential(layers, input_size=6, seed=1), X[:4], Y[:4], "cce", progress=False)
    assert report.arrays["layers[1].w"].factor == report.arrays["layers[1].b"].factor == -1
    assert report.arrays["layers[2].w"].failed == 0
    report = check_layer(layers[1], RNG.normal(size=(5, 4)))
    assert report.factor == -1


# ------------------------------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("batch", [0, 1, 4])
def test_an_exception_leaves_the_last_whole_batch(where, batch):
    class Failing(NumpyTanh):
        calls = 0

        def forward(self, z):
            return self.count("forward", super().forward(z))

        def backward(self, grad_a, z, a):
            return self.count("backward", super().backward(grad_a, z, a))

        def count(self, here, result):
            self.calls += here == where
            if self.calls == batch + 1:
                self.calls += 1
                raise ZeroDivisionError("on purpose")
            return result

    failing, whole = (Sequential(LAYERS["hidden"](sigma()), input_size=6, seed=2) for sigma in (Failing, NumpyTanh))
    options = {"batch_size": 8, "shuffle": False}
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        failing.fit(X, Y, "cce", optimizer=Adam(), progress=False, **options)
    train_batches(whole, X, Y, "cce", Adam(), batch)
    assert failing._built().params.tobytes() == whole._built().params.tobytes()
    failing.fit(X, Y, "cce", optimizer=Adam(), progress=False, **options)  # it can go on


def answering(forward=None, backward=None):
    class Odd(NumpyTanh):
        def forward(self, z):
            return super().forward(z) if forward is None else forward(z)

        def backward(self, grad_a, z, a):
            return super().backward(grad_a, z, a) if backward is None else backward(grad_a)

    return Sequential([Dense(5, "relu"), Dense(5, Odd()), Dense(3, "softmax")], input_size=6)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda z: None, ValueError, r"returned shape \(\), expected \(8, 5\)"),
        (lambda z: 1.0, ValueError, r"returned shape \(\), expected \(8, 5\)"),
        (lambda z: "text", ValueError, r"returned shape \(\), expected \(8, 5\)"),
        (lambda z: z[0], ValueError, r"returned shape \(5,\), expected \(8, 5\)"),
        (lambda z: z[:7], ValueError, r"returned shape \(7, 5\), expected \(8, 5\)"),
        (lambda z: z.T, ValueError, r"returned shape \(5, 8\), expected \(8, 5\)"),
        (lambda z: z.astype(object), TypeError, "returned an array of object, expected real numbers"),
        (lambda z: z.astype(complex), TypeError, "returned an array of complex128, expected real numbers"),
        (lambda z: z.astype("U5"), TypeError, "returned an array of <U5, expected real numbers"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(answer, error, message):
    with pytest.raises(error, match=f"Odd.forward {message}"):
        answering(forward=answer).predict(X[:8])
    with pytest.raises(error, match=f"Odd.backward {message}"):
        answering(backward=answer).fit(X[:8], Y[:8], "cce", progress=False)


def test_views_of_what_it_is_given_are_answers():
    model = answering(forward=lambda z: z, backward=lambda grad_a: grad_a)
    same = Sequential([Dense(5, "relu"), Dense(5), Dense(3, "softmax")], input_size=6, seed=model.seed)
    for each in (model, same):
        each.fit(X, Y, "cce", epochs=2, progress=False)
    np.testing.assert_allclose(model.predict(X), same.predict(X), rtol=1e-5)
    reversed_rows = answering(forward=lambda z: z[::-1])
    np.testing.assert_array_equal(reversed_rows.predict(X[:8]), reversed_rows.predict(X[:8][::-1])[::-1])


def test_what_it_keeps_of_its_arrays_stays_memory():
    kept = []
    model = answering(forward=lambda z: kept.append(z) or z)
    model.predict(X)
    model.fit(X, Y, "cce", epochs=2, batch_size=16, progress=False)
    del model
    assert sum(float(np.abs(array).sum()) for array in kept) >= 0


def test_arrays_that_it_is_given_are_read_only():
    def greedy(z):
        z[...] = 0
        return z

    with pytest.raises(ValueError, match="read-only"):
        answering(forward=greedy).predict(X)
    with pytest.raises(ValueError, match="read-only"):
        answering(backward=greedy).fit(X, Y, "cce", progress=False)


def test_it_cannot_use_the_model_in_the_middle():
    model = answering(forward=lambda z: model.fit(X, Y, "cce", progress=False))
    with pytest.raises(RuntimeError):
        model.fit(X, Y, "cce", progress=False)


def test_a_class_in_place_of_an_object_is_refused():
    for make in (lambda sigma: Dense(8, sigma), Activation):
        with pytest.raises(TypeError, match=r"activation is the class NumpyTanh, expected an object: NumpyTanh\(\)"):
            make(NumpyTanh)
    with pytest.raises(TypeError, match="abstract"):
        CustomActivation()
    with pytest.raises(ValueError, match="activation is <function tanh|activation is <ufunc 'tanh'>"):
        Dense(8, np.tanh)


# ------------------------------------------------------------------------------------------- copies, files, threads


def test_pickles_and_copies_hold_it_and_files_do_not(tmp_path):
    for build in (lambda sigma: Dense(5, sigma), lambda sigma: Residual([Dense(6), Activation(sigma)])):
        model = Sequential([build(Shifted(0.25)), Dense(3, "softmax")], input_size=6, seed=3)
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
            np.testing.assert_array_equal(other.predict(X), model.predict(X))
            other.fit(X, Y, "cce", progress=False)
        with pytest.raises(TypeError, match=r"the activation of .*Shifted\(\).* is written in Python"):
            model.save(tmp_path / "model.safetensors")
        assert not list(tmp_path.iterdir())


def test_a_copy_has_an_activation_of_its_own():
    model = Sequential([Dense(5, Shifted(0.25)), Dense(3, "softmax")], input_size=6, seed=3)
    other = copy.deepcopy(model)
    before = model.predict(X)
    other.layers[0].activation.shift = 5.0
    np.testing.assert_array_equal(model.predict(X), before)
    assert not np.array_equal(other.predict(X), before)


def test_threads_train_models_with_the_same_activation():
    sigma = NumpyTanh()
    models = [Sequential(LAYERS["twice"](sigma), input_size=6, seed=4) for _ in range(5)]

    def train(model):
        model.fit(X, Y, "cce", epochs=20, batch_size=4, progress=False)

    train(models[0])
    threads = [threading.Thread(target=train, args=[model]) for model in models[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({model._built().params.tobytes() for model in models}) == 1
