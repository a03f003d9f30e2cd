"""Every gradient of the library against numerical differentiation in float64: worst relative error at most 1e-7."""

import numpy as np
import pytest

import mlpcore
from mlpcore import gradcheck, kernels

TOLERANCE = 1e-7
PAIRS = [(loss, activation) for loss in gradcheck.LOSSES for activation in gradcheck.ACTIVATIONS]
# A logarithm needs y_hat above 0, which z of 0.1 to 0.9 gives; of log_softmax it never is.
NEEDS_Y_HAT_IN_RANGE = [
    (loss, activation)
    for loss in ("bce", "cce")
    for activation in gradcheck.ACTIVATIONS
    if activation not in ("sigmoid", "softmax", "log_softmax")
]
HAS_LOGARITHM = [
    (loss, activation)
    for loss in ("bce", "cce", "kl_divergence", "poisson", "focal")
    for activation in gradcheck.ACTIVATIONS
    if ("bce", activation) in NEEDS_Y_HAT_IN_RANGE
]
SEEDS = range(max(200, len(PAIRS)))


def log_uniform(rng, low, high):
    """Return an integer from low to high, small ones as often as large ones."""
    return int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))


def targets(rng, loss, n, out):
    """Return hard, soft or unnormalised y of any kind that the loss takes."""
    if loss == "mse":
        return rng.normal(size=(n, out))
    if "hinge" in loss:
        return rng.choice([-1.0, 1.0], (n, out))
    if rng.random() < 0.5:
        return rng.uniform(0, 1, (n, out))
    if loss == "bce":
        return rng.integers(0, 2, (n, out)).astype(float)
    return np.eye(out)[rng.integers(0, out, n)]


def weights(rng, n):
    """Return no weights, or some of which a few are 0."""
    if rng.random() < 0.5:
        return None
    weight = rng.uniform(0.1, 3, n) * (rng.random(n) < 0.8)
    weight[rng.integers(n)] = 1
    return weight


def into_range(layer, x):
    """Scale a last layer such that its z lies between 0.2 and 0.8: a logarithm of y_hat needs it without sigmoid."""
    largest = np.abs(kernels.dense_forward(x, layer.w, np.zeros(layer.units))).max()
    layer.w = layer.w * (0.3 / max(largest, 1e-3))
    layer.b = np.full(layer.units, 0.5)


def random_network(seed):
    """Return a model of 1 to 5 layers of 1 to 40 units with the output pair of the seed, and 1 to 17 samples for it."""
    rng = np.random.default_rng(seed)
    loss, output = PAIRS[seed % len(PAIRS)]
    depth = 1 + (seed + seed // len(PAIRS)) % 5
    sizes = [log_uniform(rng, 1, 40) for _ in range(depth + 1)]
    activations = [*rng.choice(gradcheck.ACTIVATIONS, depth - 1), output]
    n = int(rng.integers(1, 18))

    layers = [mlpcore.Dense(units, str(sigma)) for units, sigma in zip(sizes[1:], activations, strict=True)]
    model = mlpcore.Sequential(layers, input_size=sizes[0], dtype="float64", seed=seed)
    for layer in layers:
        layer.b = rng.normal(scale=0.5, size=layer.units)
    x = rng.normal(size=(n, sizes[0]))
    if (loss, output) in HAS_LOGARITHM:
        model.forward(x)
        into_range(layers[-1], np.array(layers[-1].x))
    return model, x, targets(rng, loss, n, sizes[-1]), loss, weights(rng, n)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_network_agrees(seed):
    model, x, y, loss, sample_weight = random_network(seed)
    report = gradcheck.check_model(
        model, x, y, loss, sample_weight=sample_weight, include_input=True, tolerance=TOLERANCE
    )
    assert report.ok, report
    assert len(report.kinks) <= report.count / 20, report


def test_the_random_networks_cover_what_they_should():
    networks = [random_network(seed) for seed in SEEDS]
    assert {(loss, model.layers[-1].activation) for model, _, _, loss, _ in networks} == set(PAIRS)
    assert {len(model.layers) for model, *_ in networks} == {1, 2, 3, 4, 5}
    assert {len(x) for _, x, *_ in networks} >= {1, 2, 16, 17}
    assert {layer.units for model, *_ in networks for layer in model.layers} >= {1, 2, 16, 17, 40}
    assert {layer.activation for model, *_ in networks for layer in model.layers[:-1]} == set(gradcheck.ACTIVATIONS)
    assert any(sample_weight is not None and (sample_weight == 0).any() for *_, sample_weight in networks)


# ------------------------------------------------------------------------------------------------------------- kernels


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", ["dense", *gradcheck.ACTIVATIONS, *gradcheck.LOSSES])
def test_a_kernel_agrees(name, seed):
    report = gradcheck.check_kernel(name, seed=seed, tolerance=TOLERANCE)
    assert report.ok, report
    assert not report.kinks, report


@pytest.mark.parametrize("n", [1, 2, 17])
@pytest.mark.parametrize("out", [1, 2, 33])
@pytest.mark.parametrize(("loss", "activation"), PAIRS)
def test_a_pair_agrees(loss, activation, out, n):
    rng = np.random.default_rng([n, out])
    z = rng.uniform(0.1, 0.9, (n, out)) if (loss, activation) in HAS_LOGARITHM else rng.normal(size=(n, out))
    for _ in range(2):
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
    report = gradcheck.check_kernel(name, {"z": [[z, 0.5, -0.5], [z, z, z]]}, tolerance=TOLERANCE)
    assert report.ok, report


@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("z", [30.0, -30.0, 1e4, -1e4])
@pytest.mark.parametrize("out", [1, 3])
@pytest.mark.parametrize(
    ("loss", "activation"),
    # Focal loss is one of yes or no: under softmax it goes through a, and 1 - a has lost its digits.
    [pair for pair in PAIRS if pair not in NEEDS_Y_HAT_IN_RANGE and pair != ("focal", "softmax")],
)
def test_a_saturated_pair_agrees(loss, activation, out, z, y):
    """Beside a sample that is not saturated: a - y has the digits that 1 - a leaves, 16 of the largest gradient."""
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


@pytest.mark.parametrize("loss", gradcheck.LOSSES)
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
    [pair for pair in NEEDS_Y_HAT_IN_RANGE if pair[1] not in ("softplus", "hard_sigmoid")],
)
def test_the_cut_reaches_z(loss, activation):
    """At z = -1 none of these activations is above 0."""
    z, y = np.array([[-1.0]]), np.array([[1.0]])
    assert np.isfinite(kernels.output_loss(loss, activation, z, y))
    assert kernels.output_phi(loss, activation, z, y)[0, 0] == 0
