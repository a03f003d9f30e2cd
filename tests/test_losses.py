"""Losses with constants: label smoothing. Their ranges are those of the catalogue (test_catalogue.py)."""

import warnings

import numpy as np
import pytest

import mlpcore
from mlpcore import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Sequential,
    catalogue,
    checks,
    gradcheck,
    kernels,
)

DTYPES = ["float32", "float64"]
MADE = {"bce": BinaryCrossentropy, "cce": CategoricalCrossentropy}


def spread(loss, y, smoothing):
    """The y that the loss takes in place of y."""
    return (1 - smoothing) * y + smoothing / (y.shape[1] if loss == "cce" else 2)


def draw(n, out, dtype="float64"):
    rng = np.random.default_rng([n, out])
    return rng.normal(size=(n, out)).astype(dtype), np.eye(out, dtype=dtype)[rng.integers(0, out, n)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.99])
@pytest.mark.parametrize("sigma", catalogue.names("activations"))
@pytest.mark.parametrize("loss", MADE)
def test_smoothing_is_another_y(loss, sigma, smoothing, dtype):
    """From z and from y_hat, with one output, few that are taken side by side, and many."""
    rel = 64 * float(np.finfo(dtype).eps)
    for n, out in [(1, 1), (9, 1), (9, 5), (3, 40)]:
        z, y = draw(n, out, dtype)
        made, other = MADE[loss](smoothing), spread(loss, y, smoothing).astype(dtype)
        for of in (kernels.output_loss, kernels.output_phi):
            np.testing.assert_allclose(of(made, sigma, z, y), of(loss, sigma, z, other), rtol=rel, atol=rel)
        y_hat = kernels.activation_forward("sigmoid", z)
        for of in (kernels.loss_value, kernels.loss_gradient):
            np.testing.assert_allclose(of(made, y_hat, y), of(loss, y_hat, other), rtol=rel, atol=rel)


@pytest.mark.parametrize("loss", MADE)
def test_no_smoothing_is_the_loss_by_its_name_to_the_bit(loss):
    z, y = draw(9, 5, "float32")
    for sigma in catalogue.names("activations"):
        assert kernels.output_loss(MADE[loss](), sigma, z, y) == kernels.output_loss(loss, sigma, z, y)
        assert np.array_equal(kernels.output_phi(MADE[loss](), sigma, z, y), kernels.output_phi(loss, sigma, z, y))
    assert checks.given_loss((loss,)) == loss
    assert checks.given_loss(MADE[loss](0.1)) == (loss, 0.1)
    assert type(checks.given_loss([loss, 0.1])) is MADE[loss]


@pytest.mark.parametrize(("n", "out"), [(1, 1), (4, 3), (2, 17)])
@pytest.mark.parametrize("sigma", ["sigmoid", "softmax", "log_softmax", "linear", "tanh"])
@pytest.mark.parametrize("loss", MADE)
def test_its_gradient_agrees(loss, sigma, n, out):
    """In the middle, and beside a row that is saturated on either side where z counts, not the rounded a."""
    rng = np.random.default_rng(0)
    z, y = rng.uniform(0.2, 0.8, (n, out)), draw(n, out)[1]
    points = [z]
    if f"{sigma}_{loss}" in catalogue.names("pairs"):
        points += [np.vstack([z, np.full((1, out), far) * (np.arange(out) % 2 * 2 - 1)]) for far in (30.0, -1e4)]
    made = MADE[loss](label_smoothing=0.2)
    for at in points:
        of_y = np.vstack([y, np.eye(out)[:1]])[: len(at)]
        report = gradcheck.check_function(
            lambda z, of_y=of_y: kernels.output_loss(made, sigma, z, of_y),
            {"z": at},
            {"z": kernels.output_phi(made, sigma, at, of_y)},
        )
        assert report.ok, report


@pytest.mark.parametrize("dtype", DTYPES)
def test_smoothed_losses_are_finite_wherever_z_is(dtype):
    for far in (-1e4, -104.0, 30.0, 709.0, 1e4):
        z, y = np.array([[far, 0.0, -far]], dtype), np.array([[1.0, 0.0, 0.0]], dtype)
        for loss, sigma in (("bce", "sigmoid"), ("bce", "softmax"), ("cce", "sigmoid"), ("cce", "softmax")):
            made = MADE[loss](0.1)
            assert np.isfinite(kernels.output_loss(made, sigma, z, y)), (loss, sigma, far)
            assert np.isfinite(kernels.output_phi(made, sigma, z, y)).all(), (loss, sigma, far)


def test_accuracies_compare_with_y_itself():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    model = Sequential([Dense(4, "softmax")], input_size=3, seed=1)
    plain, smoothed = (model.evaluate(x, labels, loss) for loss in ("cce", CategoricalCrossentropy(0.5)))
    assert plain["accuracy"] == smoothed["accuracy"] > 0
    assert plain["loss"] != smoothed["loss"]
    histories = [
        Sequential([Dense(1, "sigmoid")], input_size=3, seed=1).fit(
            x, labels > 1, loss, optimizer=mlpcore.SGD(0.0), progress=False
        )
        for loss in ("bce", BinaryCrossentropy(0.9))
    ]
    assert histories[0]["accuracy"] == histories[1]["accuracy"]
    # A row of zeros has no class, whatever smoothing makes of it.
    zeros = np.zeros((40, 4))
    assert model.evaluate(x, zeros, CategoricalCrossentropy(0.5))["accuracy"] == 0
    assert model.fit(x, zeros, CategoricalCrossentropy(0.5), progress=False)["accuracy"] == [0]


@pytest.mark.parametrize("made", MADE.values())
@pytest.mark.parametrize("value", [1.0, 1, -0.1, np.nan, np.inf, "0.1", None, True])
def test_a_smoothing_out_of_range_is_refused(made, value):
    with pytest.raises((TypeError, ValueError), match=r"label_smoothing is .*, expected a finite number >= 0 and < 1"):
        made(value)
    with pytest.raises((TypeError, ValueError), match=r"label_smoothing of loss '.ce' is"):
        checks.given_loss((made()[0], value))


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_hinge_losses_count_outputs_on_the_side_of_y(loss):
    x, y = np.array([[-2.0], [-0.25], [0.25], [3.0]]), np.array([-1, 1, 1, 1])
    model = Sequential([Dense(1, kernel_initializer="ones")], input_size=1, seed=1)
    assert model.evaluate(x, y, loss, sample_weight=[1, 5, 1, 1])["accuracy"] == 3 / 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(x, y, loss, optimizer=mlpcore.SGD(0.0), validation_data=(x, -y), progress=False)
    assert history["accuracy"] == [3 / 4]
    assert history["val_accuracy"] == [1 / 4]
    assert history.rules == {"accuracy": "sign_accuracy", "val_accuracy": "sign_accuracy"}
