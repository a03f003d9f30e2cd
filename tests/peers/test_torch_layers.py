"""Layers with parameters beside dense ones against PyTorch in float64: output, loss and gradients within 1e-10."""

import numpy as np
import pytest

from mlpcore import BatchNorm, Dense, LayerNorm, PReLU, RMSNorm, Sequential

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")

CLOSE = {"rtol": 1e-10, "atol": 1e-13}
PAIRS = {
    "batch norm": (BatchNorm, lambda width: torch.nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)),
    "layer norm": (LayerNorm, lambda width: torch.nn.LayerNorm(width, eps=1e-3)),
    "rms norm": (RMSNorm, lambda width: torch.nn.RMSNorm(width, eps=1e-6)),
    "prelu": (PReLU, torch.nn.PReLU),
    "prelu, shared": (lambda: PReLU(shared=True), lambda width: torch.nn.PReLU()),
}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_it_agrees_with_torch(pair, training, seed):
    rng = np.random.default_rng(seed)
    n, width = int(rng.integers(2, 20)), int(rng.integers(1, 40))
    make, make_theirs = PAIRS[pair]
    layer, theirs = make(), make_theirs(width).double().train(training)
    below, above = Dense(width, use_bias=False), Dense(3)
    model = Sequential([below, layer, above], input_size=6, dtype="float64", seed=seed)
    ours = list(layer.parameters)
    for name, parameter in zip(ours, theirs.parameters(), strict=True):
        values = rng.normal(1, 0.3, getattr(layer, name).shape)
        setattr(layer, name, values)
        parameter.data = torch.tensor(values)
    if pair == "batch norm":
        mean, variance = rng.normal(size=width), rng.uniform(0.5, 2, width)
        layer.running_mean, layer.running_variance = mean, variance
        theirs.running_mean, theirs.running_var = torch.tensor(mean), torch.tensor(variance)
    x, y = rng.normal(size=(n, 6)), rng.normal(size=(n, 3))
    w, v = (torch.tensor(np.array(dense.w), requires_grad=True) for dense in (below, above))
    a = theirs(torch.tensor(x) @ w.T) @ v.T
    loss = ((a - torch.tensor(y)) ** 2).mean()
    loss.backward()
    np.testing.assert_allclose(model.forward(x, training=training), a.detach().numpy(), **CLOSE)
    assert model.backward(y, "mse") == pytest.approx(loss.item(), rel=1e-10)
    np.testing.assert_allclose(below.grad_w, w.grad.numpy(), **CLOSE)
    for name, parameter in zip(ours, theirs.parameters(), strict=True):
        np.testing.assert_allclose(getattr(layer, f"grad_{name}"), parameter.grad.numpy(), **CLOSE)
    if pair == "batch norm" and training:
        np.testing.assert_allclose(layer.running_mean, theirs.running_mean.numpy(), **CLOSE)
        unbiased = layer.x.var(axis=0, ddof=1)  # PyTorch's, where ours divides by n
        np.testing.assert_allclose(theirs.running_var.numpy(), 0.99 * variance + 0.01 * unbiased, **CLOSE)
        np.testing.assert_allclose(layer.running_variance, 0.99 * variance + 0.01 * layer.x.var(axis=0), **CLOSE)
