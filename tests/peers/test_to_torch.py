"""to_torch: PyTorch predicts what the model does, and from_torch brings the model back; all else is refused by name."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from random_models import BETWEEN  # noqa: E402
from torch import nn  # noqa: E402

import mlpcore  # noqa: E402
from mlpcore import Activation, Dense, Sequential, catalogue  # noqa: E402

NAMES = [name for name in catalogue.names("activations") if name != "exponential"]  # PyTorch has no module for it
WITH_CONSTANTS = [mlpcore.LeakyReLU(0.2), mlpcore.ELU(0.7), mlpcore.CELU(1.3)]
TAKEN = sorted(BETWEEN.keys() - {"scale", "gaussian_noise"})


def predicted(module, x):
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


def assert_the_same(model, x):
    """Assert that PyTorch predicts what the model does, and so does what comes back from it."""
    x = np.asarray(x, model.dtype)
    module = mlpcore.to_torch(model)
    a = model.predict(x)
    tolerance = 1e-6 * max(1, np.abs(a).max())
    assert np.abs(predicted(module, x) - a).max() <= tolerance * (1 if model.dtype == "float64" else 10)
    back = mlpcore.from_torch(module)
    assert back.dtype == model.dtype
    assert np.abs(back.predict(x) - a).max() <= tolerance


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sigma", [*NAMES, *WITH_CONSTANTS], ids=str)
def test_every_activation(sigma, dtype):
    model = Sequential([Dense(4, sigma), Activation(sigma)], input_size=3, dtype=dtype, seed=1)
    assert_the_same(model, np.random.default_rng(0).normal(size=(20, 3)) * 3)


@pytest.mark.parametrize("layer", [Dense(4, "exponential"), Activation("exponential")], ids=repr)
def test_an_activation_that_pytorch_has_not_is_named(layer):
    model = Sequential([Dense(4), layer], input_size=3)
    with pytest.raises(TypeError, match=r"layers\.1 has activation 'exponential', for which PyTorch has no module"):
        mlpcore.to_torch(model)


def random_model(seed):
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 9))
    layers = []
    for _ in range(rng.integers(1, 4)):
        layers.append(Dense(int(rng.integers(1, 9)), str(rng.choice(NAMES)), use_bias=bool(rng.integers(4))))
        layers += [BETWEEN[str(rng.choice(TAKEN))](rng) for _ in range(rng.integers(3))]
    model = Sequential(layers, input_size=width, dtype=["float32", "float64"][seed % 2], seed=seed)
    net = model._built()
    net.params[...] += rng.normal(scale=0.2, size=net.params.shape)
    net.state[...] = rng.uniform(0.5, 2, net.state.shape)
    return model, rng.normal(size=(9, width))


@pytest.mark.parametrize("seed", range(100))
def test_random_models(seed):
    assert_the_same(*random_model(seed))


def test_settings_come_along():
    layers = [
        mlpcore.BatchNorm(momentum=0.75, epsilon=0.01), mlpcore.LayerNorm(epsilon=0.02), mlpcore.RMSNorm(epsilon=0.03),
        mlpcore.Dropout(0.3), mlpcore.AlphaDropout(0.1), mlpcore.PReLU(shared=True), mlpcore.PReLU(trainable=False),
    ]  # fmt: skip
    norm, layer_norm, rms_norm, dropout, alpha, shared, frozen = mlpcore.to_torch(Sequential(layers, input_size=3))
    assert (norm.momentum, norm.eps, layer_norm.eps, rms_norm.eps) == (0.25, 0.01, 0.02, 0.03)
    assert (dropout.p, alpha.p, shared.num_parameters, frozen.num_parameters) == (0.3, 0.1, 1, 3)
    assert [module.weight.requires_grad for module in (norm, shared, frozen)] == [True, True, False]
    assert not norm.training
    back = mlpcore.from_torch(nn.Sequential(norm, layer_norm, rms_norm, dropout, alpha, shared, frozen))
    assert back.input_size == 3
    assert repr(back.layers[:6]) == repr(mlpcore.from_torch(mlpcore.to_torch(back)).layers[:6])


def test_a_gradient_is_the_same():
    model, x = Sequential([Dense(5, "mish"), Dense(2)], input_size=3, dtype="float64", seed=1), np.eye(3)
    module = mlpcore.to_torch(model)
    nn.functional.mse_loss(module(torch.from_numpy(x)), torch.zeros(3, 2, dtype=torch.float64)).backward()
    model.forward(x)
    model.backward(np.zeros((3, 2)), "mse")
    assert model.layers[0].grad_w == pytest.approx(module[0].weight.grad.numpy(), rel=1e-9)


def test_nothing_is_shared_and_no_random_number_drawn():
    model, x = random_model(3)
    a = model.predict(x)
    before = torch.random.get_rng_state()
    module = mlpcore.to_torch(model)
    assert torch.equal(torch.random.get_rng_state(), before)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert np.array_equal(model.predict(x), a)


class Twice(mlpcore.CustomActivation):
    def forward(self, z):
        return 2 * z

    def backward(self, grad_a, z, a):
        return 2 * grad_a


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Dense(2), mlpcore.Scale()], r"layers.1 is Scale\(\), for which PyTorch has no module, expected Dense, Activ"),
        ([mlpcore.GaussianNoise(0.1)], r"layers.0 is GaussianNoise\(0.1\), for which PyTorch has no module"),
        ([mlpcore.Residual([Dense(3)])], r"layers.0 is Residual\(\[Dense\(3, .*, for which PyTorch has no module"),
        ([mlpcore.Embedding({0: (2, 2)})], r"layers.0 is Embedding.*, for which PyTorch has no module"),
        ([Dense(2, Twice())], r"layers.0 is Dense\(2, Twice\(\), .*, expected an activation of the catalogue"),
    ],
)
def test_what_pytorch_has_not_is_named(layers, message):
    with pytest.raises(TypeError, match=message):
        mlpcore.to_torch(Sequential(layers, input_size=3))


def test_sizes_are_taken_from_any_layer():
    for module in (nn.BatchNorm1d(3), nn.LayerNorm(3), nn.RMSNorm(3), nn.PReLU(3)):
        assert mlpcore.from_torch(nn.Sequential(nn.Tanh(), module)).input_size == 3
    with pytest.raises(ValueError, match="which takes any number of inputs: expected at least one Linear"):
        mlpcore.from_torch(nn.Sequential(nn.PReLU()))
