"""from_torch: random nn.Sequentials of everything that both have predict the same; all else is refused by name."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import mlpcore  # noqa: E402

ACTIVATIONS = [
    nn.Identity(), nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.ELU(0.7), nn.SELU(), nn.CELU(1.3), nn.GELU(),
    nn.GELU(approximate="tanh"), nn.SiLU(), nn.Mish(), nn.Softplus(), nn.Softsign(), nn.Sigmoid(), nn.Hardsigmoid(),
    nn.Hardswish(), nn.Tanh(), nn.Hardtanh(), nn.Softmax(dim=1), nn.LogSoftmax(dim=-1),
]  # fmt: skip


def same(module, width, dtype=torch.float64):
    module = module.to(dtype).eval()
    x = torch.randn(9, width, dtype=dtype)
    with torch.no_grad():
        expected = module(x).numpy()
    got = mlpcore.from_torch(module).predict(x.numpy())
    return np.abs(got - expected).max() <= 1e-6 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("sigma", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_activation(sigma, dtype):
    torch.manual_seed(1)
    assert same(nn.Sequential(nn.Linear(4, 6), sigma, nn.Linear(6, 3, bias=False), sigma, sigma), 4, dtype)


def test_an_activation_belongs_to_the_layer_below():
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4), nn.SiLU(), nn.Tanh(), nn.Linear(4, 1), nn.Identity())
    layers = mlpcore.from_torch(module).layers
    assert [type(layer).__name__ for layer in layers] == ["Dense", "Dense", "Activation", "Dense"]
    assert [layer.activation for layer in layers] == ["linear", "silu", "tanh", "linear"]


def random_layer(rng, width):
    kinds = [
        lambda: nn.Dropout(0.3), lambda: nn.AlphaDropout(0.2), lambda: nn.BatchNorm1d(width), lambda: nn.Flatten(),
        lambda: nn.LayerNorm(width), lambda: nn.RMSNorm(width), lambda: nn.PReLU(), lambda: nn.PReLU(width),
        lambda: ACTIVATIONS[rng.integers(len(ACTIVATIONS))],
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))]()


@pytest.mark.parametrize("seed", range(30))
def test_random_networks(seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    width = first = int(rng.integers(1, 8))
    layers: list[nn.Module] = []
    for _ in range(rng.integers(1, 4)):
        out = int(rng.integers(1, 8))
        layers += [nn.Linear(width, out, bias=bool(rng.integers(2)))]
        width = out
        layers += [random_layer(rng, width) for _ in range(rng.integers(3))]
    module = nn.Sequential(*layers[:2], nn.Sequential(*layers[2:]))
    for each in module.modules():
        if isinstance(each, nn.BatchNorm1d):
            each.running_mean.normal_()
            each.running_var.uniform_(0.5, 2)
            nn.init.normal_(each.weight)
    assert same(module, first)


@pytest.mark.parametrize(
    ("module", "error", "message"),
    [
        (
            nn.Sequential(nn.Linear(2, 3), nn.Conv1d(1, 1, 1)),
            TypeError,
            r"module\[1\] is Conv1d.*, expected Linear, an",
        ),
        (nn.Sequential(nn.ReLU()), ValueError, "which has no weights"),
        (nn.Sequential(nn.Linear(2, 2), nn.Softplus(beta=2)), ValueError, "expected beta=1, which mlpcore has"),
        (nn.Sequential(nn.Linear(2, 2), nn.Hardtanh(-2, 2)), ValueError, "expected min_val=-1"),
        (nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=0)), ValueError, "expected dim=1"),
        (nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2, elementwise_affine=False)), ValueError, "one with weights"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)),
            ValueError,
            "track_running_stats",
        ),
    ],
)
def test_what_mlpcore_does_not_have_is_named(module, error, message):
    with pytest.raises(error, match=message):
        mlpcore.from_torch(module)


def test_it_can_be_traced():
    module = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid()).double()
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    loss = nn.functional.binary_cross_entropy(module(x), torch.ones(1, 1, dtype=torch.float64))
    loss.backward()
    trace = mlpcore.from_torch(module).trace([1.0, 2.0], [1.0], loss="bce")
    assert trace[1].grad_w == pytest.approx(module[0].weight.grad.numpy(), rel=1e-9)
