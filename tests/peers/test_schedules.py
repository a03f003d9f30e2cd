"""20 steps with every schedule in float64 against PyTorch's optimizers and lr_scheduler: weights within 1e-10."""

import numpy as np
import pytest

import mlpcore

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
from torch.optim import lr_scheduler  # noqa: E402  # after the skip

STEPS = 20


def of_epoch(epoch):
    return 0.1 / (1 + epoch)


# Ours, and PyTorch's for an optimizer whose learning rate is 0.1. PyTorch has no function for the others: LambdaLR.
PEERS = [
    (mlpcore.Step(0.1, every=3, factor=0.5), lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
    (mlpcore.Exponential(0.1, 0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    (mlpcore.InverseScaling(0.1, power=0.7, every=4.0),
     lambda o: lr_scheduler.LambdaLR(o, lambda t: (1 + t / 4) ** -0.7)),
    (mlpcore.Polynomial(0.1, 15), lambda o: lr_scheduler.PolynomialLR(o, 15)),
    (mlpcore.Polynomial(0.1, 15, power=2.5), lambda o: lr_scheduler.PolynomialLR(o, 15, 2.5)),
    (mlpcore.Polynomial(0.1, 15, minimum=0.03), lambda o: lr_scheduler.LinearLR(o, 1, 0.3, 15)),
    (mlpcore.Cosine(0.1, 30, minimum=0.01), lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.01)),
    (mlpcore.Cosine(0.1, 6, minimum=0.01, restarts=True),
     lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 6, 1, 0.01)),
    (mlpcore.Cosine(0.1, 3, restarts=True, growth=2), lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3, 2)),
    (mlpcore.CosLog(0.1, 20), lambda o: lr_scheduler.LambdaLR(
        o, lambda t: 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t / 20))))),
    (mlpcore.OneCycle(0.1, 21), lambda o: lr_scheduler.OneCycleLR(o, 0.1, 21, cycle_momentum=False)),
    (mlpcore.OneCycle(0.1, 21, pct_start=0.6, div_factor=10, final_div_factor=100),
     lambda o: lr_scheduler.OneCycleLR(
         o, 0.1, 21, pct_start=0.6, div_factor=10, final_div_factor=100, cycle_momentum=False)),
    (mlpcore.Warmup(0.1, 7), lambda o: lr_scheduler.LinearLR(o, 1 / 7, 1, 6)),
    (mlpcore.Warmup(mlpcore.Cosine(0.1, 30), 5), lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 1 / 5, 1, 4), lr_scheduler.CosineAnnealingLR(o, 30)], [5])),
    (of_epoch, lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1 / (1 + epoch))),
]  # fmt: skip
OPTIMIZERS = [
    (lambda rate: mlpcore.SGD(rate), lambda p: torch.optim.SGD(p, 0.1)),
    (lambda rate: mlpcore.SGD(rate, momentum=0.9, nesterov=True),
     lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True)),
    (lambda rate: mlpcore.Adam(rate), lambda p: torch.optim.Adam(p, 0.1, eps=1e-7)),
    (lambda rate: mlpcore.AdamW(rate), lambda p: torch.optim.AdamW(p, 0.1, eps=1e-7)),
    (lambda rate: mlpcore.AMSGrad(rate, beta2=0.9),
     lambda p: torch.optim.Adam(p, 0.1, betas=(0.9, 0.9), eps=1e-7, amsgrad=True)),
    (lambda rate: mlpcore.NAdam(rate, weight_decay=0.1),
     lambda p: torch.optim.NAdam(p, 0.1, eps=1e-7, weight_decay=0.1, decoupled_weight_decay=True)),
    (lambda rate: mlpcore.RAdam(rate, weight_decay=0.1),
     lambda p: torch.optim.RAdam(p, 0.1, eps=1e-7, weight_decay=0.1, decoupled_weight_decay=True)),
    (lambda rate: mlpcore.Adagrad(rate), lambda p: torch.optim.Adagrad(p, 0.1, eps=1e-7)),
    (lambda rate: mlpcore.RMSprop(rate), lambda p: torch.optim.RMSprop(p, 0.1, alpha=0.9, eps=1e-7)),
    (lambda rate: mlpcore.RMSprop(rate, rho=0.99, momentum=0.9, centered=True),
     lambda p: torch.optim.RMSprop(p, 0.1, momentum=0.9, centered=True, eps=1e-7)),
    (lambda rate: mlpcore.Adadelta(rate), lambda p: torch.optim.Adadelta(p, 0.1)),
    (lambda rate: mlpcore.Rprop(rate), lambda p: torch.optim.Rprop(p, 0.1)),
]  # fmt: skip


def networks():
    model = mlpcore.Sequential([mlpcore.Dense(7, "tanh"), mlpcore.Dense(2)], input_size=3, dtype="float64", seed=5)
    twin = torch.nn.Sequential(torch.nn.Linear(3, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2)).double()
    with torch.no_grad():
        for layer, theirs in zip(model.layers, (twin[0], twin[2]), strict=True):
            theirs.weight.copy_(torch.tensor(np.array(layer.w)))
            theirs.bias.copy_(torch.tensor(np.array(layer.b)))
    rng = np.random.default_rng(0)
    return model, twin, rng.normal(size=(30, 3)), rng.normal(size=(30, 2))


def weights(model, twin):
    ours = np.concatenate([np.ravel(array) for layer in model.layers for array in (layer.w, layer.b)])
    return ours, torch.cat([p.detach().ravel() for p in twin.parameters()]).numpy()


@pytest.fixture(autouse=True)
def _double():
    """PyTorch keeps NAdam's product of momenta in its default type, whatever that of the weights."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.filterwarnings("ignore")  # SequentialLR's own
@pytest.mark.parametrize(("ours", "theirs"), OPTIMIZERS, ids=[repr(ours(0.1)) for ours, _ in OPTIMIZERS])
@pytest.mark.parametrize(
    ("schedule", "peer"), PEERS, ids=[f"{i} {type(schedule).__name__}" for i, (schedule, _) in enumerate(PEERS)]
)
def test_20_steps_are_pytorchs(schedule, peer, ours, theirs):
    """An epoch is one batch here, so that steps and epochs are the same."""
    model, twin, x, y = networks()
    optimizer = theirs(twin.parameters())
    scheduler, rates = peer(optimizer), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((twin(torch.tensor(x)) - torch.tensor(y)) ** 2).mean(dim=1).mean().backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    history = model.fit(
        x, y, loss="mse", optimizer=ours(schedule), epochs=STEPS, batch_size=30, shuffle=False, progress=False
    )
    np.testing.assert_allclose(history["learning_rate"], rates, rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(*weights(model, twin), rtol=1e-10, atol=1e-13)


def test_a_plateau_is_pytorchs_with_a_patience_of_one_less():
    model, twin, x, y = networks()
    optimizer = torch.optim.SGD(twin.parameters(), 0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=2, threshold=0.004, threshold_mode="abs", min_lr=0.01
    )
    rates = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = ((twin(torch.tensor(x)) - torch.tensor(y)) ** 2).mean()
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(loss.item())
    plateau = mlpcore.ReduceOnPlateau(0.1, factor=0.5, patience=3, min_delta=0.004, minimum=0.01)
    history = model.fit(
        x, y, loss="mse", optimizer=mlpcore.SGD(plateau), epochs=60, batch_size=30, shuffle=False, progress=False
    )
    assert len(set(rates)) > 2
    np.testing.assert_allclose(history["learning_rate"], rates, rtol=1e-12)
    np.testing.assert_allclose(*weights(model, twin), rtol=1e-10, atol=1e-13)
