"""Every number of a trace is the engine's: those of a model of its own that takes the same step."""

import copy

import numpy as np
import pytest

import mlpcore
from mlpcore import kernels, network
from mlpcore.layers import Dense


class Cube(mlpcore.CustomActivation):
    def forward(self, z):
        return z**3

    def backward(self, grad_a, z, a):
        return grad_a * 3 * z**2


class RowSoftmax(mlpcore.CustomActivation):
    def forward(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, grad_a, z, a):
        return a * (grad_a - (a * grad_a).sum(axis=1, keepdims=True))


class Quartic(mlpcore.CustomLoss):
    def value(self, y_hat, y):
        return ((y_hat - y) ** 4).sum(axis=1)

    def gradient(self, y_hat, y):
        return 4 * (y_hat - y) ** 3


class Double(mlpcore.CustomLayer):
    def build(self, input_size):
        return input_size, {"s": (input_size,)}

    def reset(self, params, rng):
        params["s"][...] = 2

    def forward(self, x, training):
        return x * self.params["s"]

    def backward(self, grad_y, x):
        self.grads["s"][...] = (grad_y * x).sum(axis=0)
        return grad_y * self.params["s"]


D = mlpcore.Dense
CASES = {
    "dense": (lambda: [D(4, "tanh"), D(3, "sigmoid"), D(2)], "mse"),
    "bce": (lambda: [D(4, "relu"), D(2, "sigmoid")], "bce"),
    "cce": (lambda: [D(4, "gelu"), D(2, "softmax")], "cce"),
    "hidden softmax": (lambda: [D(4, "softmax"), D(2, "tanh")], "mse"),
    "softmax with mse": (lambda: [D(4), D(2, "softmax")], "mse"),
    "log-softmax": (lambda: [D(2, "log_softmax")], "cce"),
    "activations": (lambda: [D(4), mlpcore.Activation("elu"), D(2), mlpcore.Activation("sigmoid")], "bce"),
    "constants": (lambda: [D(4, mlpcore.LeakyReLU(0.3)), D(2)], mlpcore.Huber(0.5)),
    "no bias": (lambda: [D(4, "tanh", use_bias=False), D(2, use_bias=False)], "mse"),
    "dropout": (lambda: [D(6, "relu"), mlpcore.Dropout(0.4), D(2, "sigmoid")], "bce"),
    "dropout first": (lambda: [mlpcore.Dropout(0.4), D(2, "sigmoid")], "bce"),
    "alpha dropout": (lambda: [D(6, "selu"), mlpcore.AlphaDropout(0.4), D(2)], "mse"),
    "noise": (lambda: [D(4, "tanh"), mlpcore.GaussianNoise(0.5), D(2)], "mse"),
    "batch norm": (lambda: [D(4), mlpcore.BatchNorm(), mlpcore.Activation("relu"), D(2)], "mse"),
    "frozen batch norm": (lambda: [D(4), mlpcore.BatchNorm(trainable=False), D(2)], "mse"),
    "layer norm": (lambda: [D(4, "tanh"), mlpcore.LayerNorm(), D(2)], "mse"),
    "rms norm": (lambda: [mlpcore.RMSNorm(), D(2), mlpcore.LayerNorm()], "mse"),
    "scale": (lambda: [mlpcore.Scale(), D(2, "tanh"), mlpcore.Scale()], "mse"),
    "prelu": (lambda: [D(4), mlpcore.PReLU(), D(2), mlpcore.PReLU(shared=True)], "mse"),
    "residual": (lambda: [D(3, "tanh"), mlpcore.Residual([D(4, "relu"), D(3)]), D(2)], "mse"),
    "embedding": (lambda: [mlpcore.Embedding({1: (3, 2)}), D(2, "tanh")], "mse"),
    "custom layer": (lambda: [Double(), D(2, "tanh")], "mse"),
    "custom last": (lambda: [D(2, "tanh"), Double()], "mse"),
    "custom activation": (lambda: [D(4, Cube()), D(2, Cube())], "mse"),
    "custom rows": (lambda: [D(4, RowSoftmax()), D(2, RowSoftmax())], "mse"),
    "custom loss": (lambda: [D(4, "tanh"), D(2, "sigmoid")], Quartic()),
    "gaussian": (lambda: [D(4, "tanh"), D(2)], "gaussian_nll"),
}


def data(loss, n=5):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 3))
    x[:, 1] = rng.integers(0, 3, n)
    y = rng.random(size=(n, 1 if loss == "gaussian_nll" else 2))
    return x, y / y.sum(axis=1, keepdims=True) if loss == "cce" else y


def same(one, other):
    return one is not None and other is not None and one.shape == other.shape and (one == other).all()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_all_numbers_are_the_engines(name, dtype, training):
    layers, loss = CASES[name]
    x, y = data(loss)
    model = mlpcore.Sequential(layers(), input_size=3, dtype=dtype, seed=7)
    before = model._built().params.copy(), model._built().state.copy()
    weight = np.array([1.0, 2, 0.5, 1, 3])
    t = model.trace(x, y, loss, optimizer=mlpcore.Adam(0.1), training=training, sample_weight=weight)
    assert (model._built().params == before[0]).all()
    assert (model._built().state == before[1]).all()

    model.forward(x, training=training, sample_weight=weight)
    assert t.loss == model.backward(y, loss, sample_weight=weight)
    net, paths = model._built(), dict(network.all_layers(model.layers))
    gradients = network.tensors(model.layers, 3, net.grads)
    for path, own in traced(t):
        layer = paths[path]
        assert same(own.x, layer.x)
        assert same(own.a, layer.a)
        if isinstance(layer, Dense):
            assert same(own.z, layer.z)
            assert same(own.phi, layer.phi)
            assert same(own.w, layer.w)
            assert same(own.grad_w, layer.grad_w)
        assert all(same(own.grads[key], gradients[f"{path}.{key}"]) for key in own.grads)
        assert own.params.keys() == own.grads.keys() == own.after.keys() == set(layer._tensor_shapes(own.x.shape[1]))
    model.update(mlpcore.Adam(0.1))
    assert all(same(t.after[key], tensor) for key, tensor in network.tensors(model.layers, 3, net.params).items())


def traced(t, path="layers"):
    for own in t:
        at = f"{path}.{own.j - 1}"
        yield at, own
        yield from traced(own.layers, f"{at}.layers")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_phi_is_grad_a_through_dsigma(name, training):
    layers, loss = CASES[name]
    x, y = data(loss)
    t = mlpcore.Sequential(layers(), input_size=3, dtype="float64", seed=7).trace(x, y, loss, training=training)
    seen = 0
    for _, own in traced(t):
        if own.z is None or own.phi is None or own.grad_a is None:
            continue
        seen += 1
        through = np.einsum("sk,ski->si", own.grad_a, own.dsigma) if own.is_jacobian else own.grad_a * own.dsigma
        np.testing.assert_allclose(own.phi, through, rtol=1e-12, atol=1e-14)
    assert seen or name in ("log-softmax", "custom last")


@pytest.mark.parametrize("name", CASES)
def test_grad_a_is_what_the_layer_above_passes_down(name):
    layers, loss = CASES[name]
    x, y = data(loss)
    t = mlpcore.Sequential(layers(), input_size=3, dtype="float64", seed=7).trace(x, y, loss)
    assert (t.grad_a is None) == (name == "log-softmax")  # "cce" reads its output as logarithms
    for below, above in zip(t.layers, t.layers[1:], strict=False):
        if below.grad_a is not None:
            assert same(below.grad_a, above.grad_x)
            if above.name == "Dense":
                assert same(below.grad_a, kernels.dense_backward(above.phi, above.x, above.w)[0])


@pytest.mark.parametrize("loss", ["mse", "bce", "cce", "mae", "focal", "poisson"])
@pytest.mark.parametrize("sigma", ["sigmoid", "softmax", "softplus", "linear"])
def test_grad_a_at_the_output_is_the_kernels(loss, sigma):
    x, y = data("cce")
    weight = np.array([1.0, 2, 0.5, 1, 3])
    model = mlpcore.Sequential([D(3, "tanh"), D(2, sigma)], input_size=3, dtype="float64", seed=1)
    model.layers[1].b[...] = 3  # so that linear outputs are positive
    t = model.trace(x, y, loss, sample_weight=weight)
    expected = kernels.loss_gradient(loss, t.y_hat, y, sample_weight=weight)
    np.testing.assert_allclose(t.grad_a, expected, rtol=1e-15)


def test_jacobians():
    x, y = data("cce")
    for sigma, jacobian in (
        ("softmax", lambda a: np.diag(a) - np.outer(a, a)),
        ("log_softmax", lambda a: np.eye(len(a)) - np.exp(a)),
    ):
        t = mlpcore.Sequential([D(3, sigma), D(2)], input_size=3, dtype="float64", seed=1).trace(x, y, "mse")
        assert t[1].is_jacobian
        np.testing.assert_allclose(t[1].dsigma, [jacobian(a) for a in t[1].a], atol=1e-15)


def test_masks_noise_and_means():
    x, y = data("mse", n=40)
    layers = [
        D(6),
        mlpcore.Dropout(0.4),
        mlpcore.AlphaDropout(0.3),
        mlpcore.GaussianNoise(0.5),
        mlpcore.BatchNorm(),
        D(2),
    ]
    model = mlpcore.Sequential(layers, input_size=3, dtype="float64", seed=1)
    t = model.trace(x, y, "mse", training=True)
    assert 0.2 < 1 - t[2].mask.mean() < 0.6
    np.testing.assert_array_equal(t[2].a, np.where(t[2].mask == 1, t[2].x / (1 - 0.4), 0))
    assert 0.1 < 1 - t[3].mask.mean() < 0.5
    assert len(np.unique(t[3].a[t[3].mask == 0])) == 1
    np.testing.assert_array_equal(t[4].a, t[4].x + t[4].noise)
    np.testing.assert_allclose(t[5].mean, t[5].x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(t[5].variance, t[5].x.var(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(t[5].a, t[5].x_hat)  # gamma is 1, beta is 0
    without = model.trace(x, y, "mse")
    assert without[2].mask.all()
    assert without[3].mask.all()
    assert not without[4].noise.any()
    assert (without[5].mean == 0).all()
    assert (without[5].variance == 1).all()


def test_the_mask_is_that_of_the_batch_whose_turn_it_is():
    x, y = data("mse")
    model = mlpcore.Sequential([D(50), mlpcore.Dropout(0.5), D(2)], input_size=3, seed=1)
    first = model.trace(x, y, "mse", training=True)[2].mask
    model.forward(x, training=True)
    model.backward(y, "mse")
    model.update(mlpcore.SGD(0.0))
    second = model.trace(x, y, "mse", training=True)[2].mask
    model.forward(x, training=True)
    assert (first != second).any()
    assert ((model.layers[1].a != 0) == (second == 1)).all()


@pytest.mark.parametrize("name", ["dense", "cce", "dropout", "batch norm", "residual", "prelu"])
def test_one_sample_as_a_vector_is_a_batch_of_one_without_its_axis(name):
    layers, loss = CASES[name]
    x, y = data(loss, n=1)
    model = mlpcore.Sequential(layers(), input_size=3, seed=2)
    batch, single = model.trace(x, y, loss, training=True), model.trace(x[0], y[0], loss, training=True)
    assert single.loss == batch.loss
    assert single.is_single
    assert not batch.is_single
    for one, many in zip(single, batch, strict=True):
        for key in ("x", "z", "a", "dsigma", "grad_a", "phi"):
            own, of_batch = getattr(one, key), getattr(many, key)
            assert (own is None) == (of_batch is None)
            assert own is None or same(own, of_batch[0])
        assert all(same(one.grads[key], many.grads[key]) for key in one.grads)


@pytest.mark.parametrize(("loss", "y"), [("cce", 1), ("cce", [1]), ("cce", [0, 1])])
def test_class_of_one_sample(loss, y):
    t = mlpcore.Sequential([D(2, "softmax")], input_size=3, seed=2).trace([1, 2, 3], y, loss)
    assert t.y.tolist() == [0, 1]


def test_class_indices_of_a_batch():
    t = mlpcore.Sequential([D(3, "softmax")], input_size=1, seed=2).trace([[1], [2]], [2, 0], "cce")
    assert t.y.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_an_optimizer_goes_on_from_its_state_and_keeps_it():
    x, y = data("mse")
    model = mlpcore.Sequential([D(4, "tanh"), D(2)], input_size=3, seed=2)
    adam = mlpcore.Adam(0.1)
    model.fit(x, y, "mse", optimizer=adam, epochs=3, progress=False)
    state = {key: values.copy() for key, values in adam._state.items()}
    t = model.trace(x, y, "mse", optimizer=adam)
    assert all((adam._state[key] == values).all() for key, values in state.items())
    twin, own = copy.deepcopy((model, adam))
    twin.forward(x)
    twin.backward(y, "mse")
    twin.update(own)
    assert same(t[1].after["w"], twin.layers[0].w)
    assert not same(t[1].after["w"], t[1].w)


def test_a_model_that_has_seen_no_data_stays_so():
    model = mlpcore.Sequential([D(2, "tanh"), D(1)], seed=3)
    t = model.trace([1, 2, 3], 1, "mse")
    assert model.input_size is None
    model.predict([[1, 2, 3]])
    assert same(t[1].w, model.layers[0].w)


def test_the_last_batch_of_the_model_stays():
    x, y = data("mse")
    model = mlpcore.Sequential([D(2, "tanh")], input_size=3, seed=3)
    model.forward(x)
    model.backward(y, "mse")
    kept = model.layers[0].phi.copy()
    model.trace(x * 2, y, "mse", optimizer="sgd")
    assert same(model.layers[0].phi, kept)
