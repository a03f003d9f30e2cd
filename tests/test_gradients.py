"""Every gradient of the library against numerical differentiation in float64: worst relative error at most 1e-7."""

import itertools

import numpy as np
import pytest
from random_models import HAS_LOGARITHM, NEEDS_Y_HAT_IN_RANGE, PAIRS, kinds_of, random_model, targets, weights

import mlpcore
from mlpcore import catalogue, gradcheck, kernels, network

TOLERANCE = 1e-7
PLANS = 500


# -------------------------------------------------------------------------------------------------------- whole models


@pytest.mark.parametrize("first", range(0, PLANS, 25))
def test_random_models_agree(first):
    for seed in range(first, first + 25):
        training = seed % 2 == 1
        model, x, y, loss, sample_weight = random_model(seed, training)
        report = gradcheck.check_model(
            model, x, y, loss, sample_weight=sample_weight, training=training, tolerance=TOLERANCE, progress=False
        )
        assert report.ok, f"seed {seed}: {report}\n{model.layers}"
        assert len(report.kinks) <= report.count / 20, f"seed {seed}: {report}\n{model.layers}"


def test_the_random_models_cover_what_they_should():
    models = [random_model(seed) for seed in range(PLANS)]
    layers = [layer for model, *_ in models for _, layer in network.all_layers(model.layers)]
    assert {(loss, model.layers[-1].activation) for model, _, _, loss, _ in models} == set(PAIRS)
    assert set.union(*(kinds_of(model) for model, *_ in models)) == set(catalogue.FAMILIES["layers"]) - {"custom"}
    assert {len(x) for _, x, *_ in models} >= {1, 2, 16, 17}
    assert {layer.units for layer in layers if isinstance(layer, mlpcore.Dense)} >= {1, 2, 16, 17, 20}
    assert any(sample_weight is not None and (sample_weight == 0).any() for *_, sample_weight in models)


# ------------------------------------------------------------------------------------------------------------- kernels


@pytest.mark.parametrize("name", ["dense", *gradcheck.ACTIVATIONS, *gradcheck.LOSSES])
def test_a_kernel_agrees(name):
    for seed in range(10):
        report = gradcheck.check_kernel(name, seed=seed, tolerance=TOLERANCE)
        assert report.ok, report
        assert not report.kinks, report


@pytest.mark.parametrize(("loss", "activation"), PAIRS)
def test_a_pair_agrees(loss, activation):
    for n, out in itertools.product([1, 2, 17], [1, 2, 33]):
        rng = np.random.default_rng([n, out])
        z = rng.uniform(0.1, 0.9, (n, out)) if (loss, activation) in HAS_LOGARITHM else rng.normal(size=(n, out))
        at = {"z": z, "y": targets(rng, loss, n, out)}
        report = gradcheck.check_kernel(f"{loss}+{activation}", at, sample_weight=weights(rng, n), tolerance=TOLERANCE)
        assert report.ok, report


@pytest.mark.parametrize(("n", "size", "units"), [(1, 1, 1), (1, 40, 1), (17, 1, 40), (3, 33, 17)])
def test_dense_agrees_at_every_size(n, size, units):
    rng = np.random.default_rng(0)
    at = {"x": rng.normal(size=(n, size)), "w": rng.normal(size=(units, size)), "b": rng.normal(size=units)}
    report = gradcheck.check_kernel("dense", at, tolerance=TOLERANCE)
    assert report.ok, report


# --------------------------------------------------------------------------------------------------------------- edges


@pytest.mark.parametrize("z", [30.0, -30.0, 1e4, -1e4])
@pytest.mark.parametrize("name", gradcheck.ACTIVATIONS)
def test_a_saturated_activation_agrees(name, z):
    z = 700.0 if name == "exponential" and z == 1e4 else z  # the largest e^z is that of 709
    report = gradcheck.check_kernel(name, {"z": [[z, 0.5, -0.5], [z, z, z]]}, tolerance=TOLERANCE)
    assert report.ok, report


@pytest.mark.parametrize(
    ("loss", "activation"),
    # Focal loss is one of yes or no: under softmax it goes through a, and 1 - a has lost its digits.
    [pair for pair in PAIRS if pair not in NEEDS_Y_HAT_IN_RANGE and pair != ("focal", "softmax")],
)
def test_a_saturated_pair_agrees(loss, activation):
    """Beside a sample that is not saturated: a - y has the digits that 1 - a leaves, 16 of the largest gradient."""
    far = [30.0, -30.0, 1e4, -1e4] if activation != "exponential" else [5.0, -30.0, -1e4]  # where e^z is finite
    for out, z, y in itertools.product([1, 3], far, [0.0, 0.3, 1.0]):
        at = {"z": [[z, 0.5, -0.5][:out], [0.5] * out], "y": [[y, 1 - y, 0.0][:out], [0.2] * out]}
        report = gradcheck.check_kernel(f"{loss}+{activation}", at, tolerance=TOLERANCE)
        assert report.ok, report


def test_cce_of_sigmoid_has_all_its_digits_however_small_it_is():
    """-y (1 - a) is computed as -y sigmoid(-z): -9.4e-14 at z = 30."""
    report = gradcheck.check_kernel("cce+sigmoid", {"z": [[30.0]], "y": [[1.0]]}, tolerance=TOLERANCE)
    assert report.ok, report
    assert report.worst.analytic == pytest.approx(-np.exp(-30), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "y_hat", "kinks"), [("mae", 2.0, []), ("quantile", 2.0, []), ("hinge", 0.5, [(0, 0)])]
)
def test_a_loss_at_its_kink_has_slope_0(loss, y_hat, kinks):
    """y is 2. Where the slopes beside a kink are opposite, as of mae, 0 lies in the middle; hinge's kink is named."""
    assert kernels.loss_gradient(loss, [[y_hat]], [[2.0]]).tolist() == [[0.0]]
    report = gradcheck.check_kernel(loss, {"y_hat": [[y_hat]], "y": [[2.0]]}, tolerance=TOLERANCE)
    assert report.ok, report
    assert [kink.index for kink in report.kinks] == kinks


def test_huber_at_delta_goes_on_with_the_slope_it_has():
    at = {"y_hat": [[1.0, -1.0]], "y": [[0.0, 0.0]]}
    assert kernels.loss_gradient("huber", at["y_hat"], at["y"]).tolist() == [[0.5, -0.5]]
    assert kernels.loss_gradient(mlpcore.Huber(0.25), at["y_hat"], at["y"]).tolist() == [[0.125, -0.125]]


def test_relu_at_exactly_0_has_slope_0():
    assert kernels.activation_backward("relu", [[0.0, -0.0]], [[1.0, 1.0]]).tolist() == [[0, 0]]
    report = gradcheck.check_kernel("relu", {"z": [[0.0, -0.0, 1.0]]}, tolerance=TOLERANCE)
    assert report.ok, report
    assert [kink.index for kink in report.kinks] == [(0, 0), (0, 1)]
    assert all(kink.left == 0 and kink.right != 0 for kink in report.kinks)


def test_a_network_of_dead_units_at_the_kink_is_named_and_passes():
    """Zero weights put every z of a ReLU layer at exactly 0."""
    layers = [mlpcore.Dense(3, "relu", kernel_initializer="zeros"), mlpcore.Dense(2)]
    model = mlpcore.Sequential(layers, input_size=2, dtype="float64", seed=0)
    report = gradcheck.check_model(model, [[1.0, -1.0]], [[1.0, 2.0]], "mse", tolerance=TOLERANCE)
    assert report.ok, report
    assert {kink.name for kink in report.kinks} == {"layers[0].w", "layers[0].b"}


@pytest.mark.parametrize("loss", [loss for loss in gradcheck.LOSSES if loss != "gaussian_nll"])
def test_a_network_of_one_unit_and_one_sample_agrees(loss):
    model = mlpcore.Sequential([mlpcore.Dense(1, "sigmoid")], input_size=1, dtype="float64", seed=0)
    report = gradcheck.check_model(model, [[0.7]], [[1.0]], loss, include_input=True, tolerance=TOLERANCE)
    assert report.ok, report
    assert report.count == 3


@pytest.mark.parametrize(("loss", "activation"), PAIRS)
def test_samples_of_weight_0_have_no_gradient(loss, activation):
    rng = np.random.default_rng(1)
    z, y = rng.uniform(0.1, 0.9, (4, 3)), rng.uniform(0, 1, (4, 3))
    weight = [0.0, 2.0, 0.0, 1.0]
    report = gradcheck.check_kernel(f"{loss}+{activation}", {"z": z, "y": y}, sample_weight=weight, tolerance=TOLERANCE)
    assert report.ok, report
    assert not kernels.output_phi(loss, activation, z, y, sample_weight=weight)[[0, 2]].any()


# --------------------------------------------------------------------------------------------------------- the cut log


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("loss", "y_hat", "y"),
    [
        ("bce", 0.0, 1.0),
        ("bce", -1.0, 1.0),
        ("bce", 1.0, 0.0),
        ("bce", 2.0, 0.0),
        ("cce", 0.0, 1.0),
        ("cce", -3.0, 1.0),
    ],
)
def test_where_the_logarithm_is_cut_the_loss_is_finite_and_its_gradient_0(loss, y_hat, y, dtype):
    y_hat, y = np.array([[y_hat]], dtype), np.array([[y]], dtype)
    assert kernels.loss_value(loss, y_hat, y) == pytest.approx(-np.log(float(np.finfo(dtype).tiny)), rel=1e-6)
    assert kernels.loss_gradient(loss, y_hat, y)[0, 0] == 0
    report = gradcheck.check_kernel(loss, {"y_hat": y_hat, "y": y}, tolerance=TOLERANCE)
    assert report.ok, report


@pytest.mark.parametrize(
    ("loss", "activation"),
    [pair for pair in NEEDS_Y_HAT_IN_RANGE if pair[1] not in ("exponential", "softplus", "hard_sigmoid")],
)
def test_the_cut_reaches_z(loss, activation):
    """At z = -1 none of these activations is above 0."""
    z, y = np.array([[-1.0]]), np.array([[1.0]])
    assert np.isfinite(kernels.output_loss(loss, activation, z, y))
    assert kernels.output_phi(loss, activation, z, y)[0, 0] == 0
