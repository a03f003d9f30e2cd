"""Pairs of a loss and an output activation that are computed from z: log_softmax, which is softmax to the bit.

Digits and limits of the other pairs: test_loss_accuracy.py, test_loss_terms.py; gradients of all: test_gradients.py.
"""

import numpy as np
import pytest

import mlpcore
from mlpcore import _core, catalogue, cpu, gradcheck, kernels, targets

DTYPES = ["float32", "float64"]
LOSSES = ["cce", "kl_divergence"]


@pytest.fixture(params=cpu.info()["available"])
def isa(request):
    before = _core.current_isa()
    _core.use_isa(request.param)
    yield request.param
    _core.use_isa(before)


def logits(dtype, n, out):
    """Usual z, with ties, saturated rows and infinite ones."""
    rng = np.random.default_rng([n, out])
    z = (4 * rng.normal(size=(n, out))).astype(dtype)
    z[0] = 0.5
    z[n // 2, -1] = 1e4
    z[n - 1, : out // 2] = -np.inf
    return z


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_log_softmax_is_softmax_to_the_bit(loss, dtype, isa):
    """For rows that are taken side by side and one by one."""
    for n, out in [(1, 1), (3, 2), (9, 5), (40, 16), (5, 17), (2, 300)]:
        z, y = logits(dtype, n, out), np.eye(out, dtype=dtype)[np.arange(n) % out] * np.dtype(dtype).type(0.75)
        assert kernels.output_loss(loss, "log_softmax", z, y) == kernels.output_loss(loss, "softmax", z, y)
        phi = kernels.output_phi(loss, "log_softmax", z, y)
        assert phi.tobytes() == kernels.output_phi(loss, "softmax", z, y).tobytes(), (n, out)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_model_trains_with_log_softmax_as_with_softmax(loss):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)), np.eye(3)[rng.integers(0, 3, 50)]
    models = [
        mlpcore.Sequential(
            [mlpcore.Dense(6, "tanh"), mlpcore.Dense(3, sigma, kernel_initializer="glorot_uniform")], seed=1
        )
        for sigma in ("softmax", "log_softmax")
    ]
    first, second = (model.fit(x, y, loss, optimizer="adam", epochs=3, progress=False) for model in models)
    assert dict(first) == dict(second)
    assert np.array_equal(*(model._built().params for model in models))
    of_logs = models[1].predict(x)
    assert np.allclose(np.exp(of_logs), models[0].predict(x), rtol=1e-5)
    assert models[1].evaluate(x, y, loss) == models[0].evaluate(x, y, loss)
    if loss == "cce":
        share = np.mean(of_logs.argmax(axis=1) == y.argmax(axis=1))
        assert models[1].evaluate(x, y, loss)["accuracy"] == pytest.approx(share)
        assert models[1].evaluate(x, y, loss)["loss"] == pytest.approx(-(y * of_logs).sum(axis=1).mean(), rel=1e-6)


@pytest.mark.parametrize("z", [[[30.0, 0.5, -0.5]], [[1e4, -1e4, 0.0]], [[2.0, 2.0, 2.0]], [[-40.0, 700.0, -700.0]]])
@pytest.mark.parametrize("loss", LOSSES)
def test_its_gradient_agrees_where_softmax_is_saturated(loss, z):
    for y in ([[0.0, 1.0, 0.0]], [[0.3, 0.3, 0.4]], [[0.0, 0.0, 0.0]]):
        report = gradcheck.check_kernel(f"{loss}+log_softmax", {"z": [*z, [0.5, 0.1, 0.2]], "y": [*y, [0.2, 0.2, 0.2]]})
        assert report.ok, report


def test_the_name_of_a_pair_is_that_of_its_activation_and_its_loss():
    pairs = {f"{sigma}_{loss}" for sigma in catalogue.names("activations") for loss in catalogue.names("losses")}
    assert set(catalogue.names("pairs")) - {"through_a"} <= pairs
    assert targets.is_from_z("cce", "log_softmax")
    assert targets.is_from_z(("focal", 2.0, 0.25), "sigmoid")
    assert not targets.is_from_z("bce", "log_softmax")
    assert not targets.is_from_z("cce", ("leaky_relu", 0.1))


# ----------------------------------------------------------------------------------- constants that float32 cannot hold


@pytest.mark.parametrize("delta", [1e39, 1e300])
def test_a_constant_that_float32_cannot_hold_is_refused_before_anything_changes(delta):
    model = mlpcore.Sequential([mlpcore.Dense(1)], input_size=1, seed=1)
    model.forward([[1.0]])
    before, loss = model._built().params.copy(), mlpcore.Huber(delta)
    message = r"delta of 'huber' is .*, which float32 takes for inf"
    for call in (
        lambda: model.fit([[1.0]], [[2.0]], loss, progress=False),
        lambda: model.evaluate([[1.0]], [[2.0]], loss),
        lambda: model.backward([[2.0]], loss),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert np.array_equal(model._built().params, before)
    assert model.epochs_trained == 0
    twin = mlpcore.Sequential([mlpcore.Dense(1)], input_size=1, seed=1, dtype="float64")
    assert np.isfinite(twin.evaluate([[1.0]], [[2.0]], loss)["loss"])
    with pytest.raises(ValueError, match=message):
        _core.loss_value(loss, np.ones((1, 1), np.float32), np.ones((1, 1), np.float32))
