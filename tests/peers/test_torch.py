"""200 random networks in float64 against PyTorch's autograd: the loss and every gradient within 1e-10."""

import numpy as np
import pytest
from random_models import HAS_LOGARITHM, into_range

import mlpcore
from mlpcore import catalogue

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")

TOLERANCE = 1e-10
F = torch.nn.functional
ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": lambda z: F.relu6(z + 3) / 6,  # F.hardsigmoid multiplies by 1/6 rounded to a float
    "hard_swish": lambda z: z * F.relu6(z + 3) / 6,
    "tanh": torch.tanh,
    "exponential": torch.exp,
    "hard_tanh": F.hardtanh,
    "softmax": lambda z: torch.softmax(z, dim=1),
    "log_softmax": lambda z: torch.log_softmax(z, dim=1),
}
LOSSES = ("mse", "bce", "cce")
# What is left out gives y_hat that have no logarithm in PyTorch, where it is cut off here.
PAIRS = [
    (loss, activation)
    for loss in LOSSES
    for activation in ACTIVATIONS
    if (loss, activation) not in {("bce", "softplus"), ("bce", "log_softmax"), ("bce", "exponential")}
]


def loss_per_sample(loss, activation, z, y):
    """The loss of each row as PyTorch spells it: from z where it can, else from a as the formula stands."""
    if (loss, activation) == ("bce", "sigmoid"):
        return torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none").sum(dim=1)
    if (loss, activation) == ("cce", "softmax"):
        return torch.nn.functional.cross_entropy(z, y, reduction="none")
    a = ACTIVATIONS[activation](z)
    if (loss, activation) == ("cce", "log_softmax"):
        return -(y * a).sum(dim=1)
    if loss == "mse":
        return ((a - y) ** 2).mean(dim=1)
    if loss == "bce":
        return -(y * a.log() + (1 - y) * (-a).log1p()).sum(dim=1)
    return -(y * a.log()).sum(dim=1)


def random_network(seed):
    """1 to 5 layers of 1 to 40 units, 1 to 17 samples; y_hat is from 0.2 to 0.8 where a logarithm needs it."""
    rng = np.random.default_rng(seed)
    loss, output = PAIRS[seed % len(PAIRS)]
    depth = 1 + seed // len(PAIRS) % 5
    sizes = rng.integers(1, 41, depth + 1)
    n = rng.integers(1, 18)
    if (loss, output) == ("bce", "softmax"):
        sizes[-1] = max(sizes[-1], 2)  # of one unit it is exactly 1, where the formula has log(0)
    layers = [
        mlpcore.Dense(int(units), str(activation))
        for units, activation in zip(sizes[1:], [*rng.choice(list(ACTIVATIONS), depth - 1), output], strict=True)
    ]
    model = mlpcore.Sequential(layers, input_size=int(sizes[0]), dtype="float64", seed=seed)
    for layer in layers:
        layer.b = rng.normal(scale=0.5, size=layer.units)
    x, y = rng.normal(size=(n, sizes[0])), rng.uniform(0, 1, (n, sizes[-1]))
    if (loss, output) in HAS_LOGARITHM:
        model.forward(x)
        into_range(layers[-1], np.array(layers[-1].x))
    weight = rng.uniform(0, 2, n) if rng.random() < 0.5 else np.ones(n)
    return model, x, y, loss, weight


def test_every_activation_is_compared():
    assert set(ACTIVATIONS) == set(catalogue.names("activations"))


@pytest.mark.parametrize("seed", range(200))
def test_a_random_network_agrees_with_autograd(seed):
    model, x, y, loss, weight = random_network(seed)
    parameters = [[torch.tensor(np.array(p), requires_grad=True) for p in (layer.w, layer.b)] for layer in model.layers]
    a = torch.tensor(x)
    for (w, b), layer in zip(parameters, model.layers, strict=True):
        z = a @ w.T + b
        a = ACTIVATIONS[layer.activation](z)
    weights = torch.tensor(weight)
    expected = (weights * loss_per_sample(loss, model.layers[-1].activation, z, torch.tensor(y))).sum() / weights.sum()
    expected.backward()

    np.testing.assert_allclose(model.forward(x), a.detach().numpy(), rtol=TOLERANCE, atol=1e-15)
    computed = model.backward(y, loss=loss, sample_weight=weight)
    assert computed == pytest.approx(expected.item(), rel=TOLERANCE)
    largest = max(float(p.grad.abs().max()) for pair in parameters for p in pair)
    for (w, b), layer in zip(parameters, model.layers, strict=True):
        for ours, theirs in ((layer.grad_w, w.grad), (layer.grad_b, b.grad)):
            # Relative; a component of rounding noise beside much larger ones is held to their scale.
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=TOLERANCE, atol=1e-14 * largest)


PEERS = {
    "mae": lambda p, y: F.l1_loss(p, y, reduction="none").mean(dim=1),
    ("huber", 0.5): lambda p, y: F.huber_loss(p, y, reduction="none", delta=0.5).mean(dim=1),
    "log_cosh": lambda p, y: (p - y).cosh().log().mean(dim=1),
    ("quantile", 0.8): lambda p, y: torch.maximum(0.8 * (y - p), -0.2 * (y - p)).mean(dim=1),
    "kl_divergence": lambda p, y: F.kl_div(p.log(), y, reduction="none").sum(dim=1),
    ("bce", 0.2): lambda p, y: F.binary_cross_entropy(p, 0.8 * y + 0.1, reduction="none").sum(dim=1),
    ("cce", 0.2): lambda p, y: -((0.8 * y + 0.2 / y.shape[1]) * p.log()).sum(dim=1),
    "poisson": lambda p, y: F.poisson_nll_loss(p, y, log_input=False, eps=0, reduction="none").sum(dim=1),
    "hinge": lambda p, y: (1 - y * p).clamp(min=0).mean(dim=1),
    "squared_hinge": lambda p, y: ((1 - y * p).clamp(min=0) ** 2).mean(dim=1),
    ("focal", 1.5, 0.3): lambda p, y: (
        (0.3 * y + 0.7 * (1 - y)) * (p + y - 2 * p * y) ** 1.5 * F.binary_cross_entropy(p, y, reduction="none")
    ).sum(dim=1),
}


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("loss", PEERS)
def test_a_loss_and_its_phi_agree_with_autograd(loss, activation):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(7, 5)), rng.uniform(0, 1, (7, 5))
    if "hinge" in loss:
        y = np.where(y > 0.5, 1.0, -1.0)
    of_torch = torch.tensor(z, requires_grad=True)
    expected = PEERS[loss](ACTIVATIONS[activation](of_torch), torch.tensor(y)).mean()
    expected.backward()
    assert mlpcore.kernels.output_loss(loss, activation, z, y) == pytest.approx(expected.item(), rel=TOLERANCE)
    phi = mlpcore.kernels.output_phi(loss, activation, z, y)
    np.testing.assert_allclose(phi, of_torch.grad.numpy(), rtol=TOLERANCE, atol=1e-13)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("activation", ["softmax", "log_softmax"])
def test_class_indices_and_label_smoothing_agree_with_cross_entropy(activation, smoothing):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(9, 4)), rng.integers(0, 6, 9)
    layer = mlpcore.Dense(6, activation)
    model = mlpcore.Sequential([layer], input_size=4, dtype="float64", seed=1)
    model.forward(x)
    z = torch.tensor(np.array(layer.z), requires_grad=True)
    expected = F.cross_entropy(z, torch.tensor(labels), label_smoothing=smoothing)
    expected.backward()
    loss = mlpcore.CategoricalCrossentropy(label_smoothing=smoothing)
    assert model.backward(labels, loss) == pytest.approx(expected.item(), rel=TOLERANCE)
    np.testing.assert_allclose(layer.phi, z.grad.numpy(), rtol=TOLERANCE, atol=1e-13)
    nll = F.nll_loss(torch.log_softmax(z.detach(), dim=1), torch.tensor(labels)).item()
    assert model.evaluate(x, labels, "cce")["loss"] == pytest.approx(nll, rel=TOLERANCE)


def test_gaussian_nll_agrees_with_torch():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
    layer = mlpcore.Dense(6)
    model = mlpcore.Sequential([layer], input_size=4, dtype="float64", seed=1)
    model.forward(x)
    z = torch.tensor(np.array(layer.z), requires_grad=True)
    expected = F.gaussian_nll_loss(z[:, :3], torch.tensor(y), z[:, 3:].exp(), reduction="none").sum(dim=1).mean()
    expected.backward()
    assert model.backward(y, "gaussian_nll") == pytest.approx(expected.item(), rel=TOLERANCE)
    np.testing.assert_allclose(layer.phi, z.grad.numpy(), rtol=TOLERANCE, atol=1e-13)
