"""Losses against 60-digit references: within 4 ulp wherever the inputs are that accurate, and finite everywhere."""

import itertools

import mpmath
import numpy as np
import pytest

from mlpcore import _core, catalogue, cpu, kernels

DTYPES = [np.float32, np.float64]
LOSSES = ("mse", "bce", "cce")
ACTIVATIONS = catalogue.names("activations")
MAGNITUDES = (1e-8, 1.0, 20.0, 50.0, 88.7, 104.0, 709.0, 1e4)
ULPS = 4


def logits(dtype):
    tiny = np.finfo(dtype).tiny
    return [dtype(sign * z) for z in (tiny, *MAGNITUDES) for sign in (1, -1)] + [dtype(0)]


def ulps(computed, exact, dtype):
    """How far ``computed`` is from ``exact``, in units of the spacing of the dtype's numbers there."""
    spacing = float(np.spacing(np.abs(dtype(float(exact)))))
    return float(abs(mpmath.mpf(computed) - exact) / spacing)


def worst(cases):
    """The largest error of (computed, exact, dtype, what) with what it is of."""
    errors = [(ulps(computed, exact, dtype), what) for computed, exact, dtype, what in cases]
    return max(errors, key=lambda error: error[0])


def minus_log_sigmoid(z):
    return mpmath.log1p(mpmath.exp(-z))


def exact_bce_of_sigmoid(z, y):
    z, y = mpmath.mpf(float(z)), mpmath.mpf(float(y))
    return y * minus_log_sigmoid(z) + (1 - y) * minus_log_sigmoid(-z)


def exact_of_softmax(loss, z, y):
    """The loss, and its condition: by how much it magnifies relative errors of z.

    The loss is e^(-600) for z of 700 and 100, say, which no arithmetic on rounded differences can give to 4 ulp.
    """
    z, y = ([mpmath.mpf(float(value)) for value in row] for row in (z, y))
    value, slopes = mpmath.mpf(0), [mpmath.mpf(0)] * len(z)
    for k in range(len(z)):
        others = mpmath.fsum(mpmath.exp(other - z[k]) for other in z[:k] + z[k + 1 :])  # (1 - a_k) / a_k
        value += y[k] * mpmath.log1p(others)
        slope = -y[k]  # a_k times the derivative to a_k
        if loss == "bce":
            value += (1 - y[k]) * mpmath.log1p(1 / others)
            slope += (1 - y[k]) / others
        for i in range(len(z)):
            share = others / (1 + others) if i == k else -mpmath.exp(z[i] - z[k]) / (1 + others)  # [i = k] - a_i
            slopes[i] += slope * share
    steepness = mpmath.fsum(abs(slope * at) for slope, at in zip(slopes, z, strict=True))
    return value, steepness / value if value else 0


@pytest.fixture(autouse=True)
def sixty_digits():
    with mpmath.workdps(60):
        yield


# ------------------------------------------------------------------------------------------------------- values, from z


@pytest.mark.parametrize("dtype", DTYPES)
def test_bce_of_sigmoid(dtype):
    cases = (
        (
            kernels.output_loss("bce", "sigmoid", np.array([[z]]), np.array([[y]], dtype)),
            exact_bce_of_sigmoid(z, dtype(y)),
            dtype,
            (z, y),
        )
        for z, y in itertools.product(logits(dtype), [0, 1, 0.5, 0.3, 1e-3])
    )
    error, what = worst(cases)
    assert error <= ULPS, what


@pytest.mark.parametrize("dtype", DTYPES)
def test_cce_of_sigmoid(dtype):
    cases = (
        (
            kernels.output_loss("cce", "sigmoid", np.array([[z]]), np.array([[y]], dtype)),
            mpmath.mpf(float(dtype(y))) * minus_log_sigmoid(mpmath.mpf(float(z))),
            dtype,
            (z, y),
        )
        for z, y in itertools.product(logits(dtype), [0, 1, 0.5, 0.3])
    )
    error, what = worst(cases)
    assert error <= ULPS, what


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", ["bce", "cce"])
@pytest.mark.parametrize("others", [[], [-3.0], [0.0, 2.5, -40.0]])
def test_cross_entropy_of_softmax(loss, others, dtype):
    for first, second in itertools.product(logits(dtype), repeat=2):
        z = np.array([first, second, *others], dtype)
        for y in ([1, 0], [0, 1], [0.25, 0.7]):
            y = np.array(y + [0] * len(others), dtype)
            computed = kernels.output_loss(loss, "softmax", z[np.newaxis], y[np.newaxis])
            exact, condition = exact_of_softmax(loss, z, y)
            assert ulps(computed, exact, dtype) <= max(ULPS, condition), (z, y)


# --------------------------------------------------------------------------------------------------- values, from y_hat


def probabilities(dtype):
    eps, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    return [dtype(p) for p in (tiny, 1e-30, 1e-8, 0.1, 0.3, 0.5, 0.7, 0.999, 1 - eps / 2)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_bce_and_cce_of_y_hat(dtype):
    cases = []
    for p, y in itertools.product(probabilities(dtype), [dtype(0), dtype(1), dtype(0.5), dtype(0.3)]):
        exact_p, exact_y = mpmath.mpf(float(p)), mpmath.mpf(float(y))
        cce = -exact_y * mpmath.log(exact_p)
        exact = {"cce": cce, "bce": cce - (1 - exact_y) * mpmath.log1p(-exact_p)}
        cases += [
            (kernels.loss_value(loss, np.array([[p]]), np.array([[y]])), exact[loss], dtype, (loss, p, y))
            for loss in exact
        ]
    error, what = worst(cases)
    assert error <= ULPS, what


@pytest.mark.parametrize("dtype", DTYPES)
def test_mse_of_y_hat(dtype):
    rng = np.random.default_rng(0)
    cases = []
    for out in (1, 2, 5, 40):
        for _ in range(50):
            y_hat, y = (rng.normal(size=(1, out)).astype(dtype) for _ in range(2))
            exact = mpmath.fsum(
                (mpmath.mpf(float(p)) - mpmath.mpf(float(t))) ** 2 for p, t in zip(y_hat[0], y[0], strict=True)
            )
            cases.append((kernels.loss_value("mse", y_hat, y), exact / out, dtype, (y_hat, y)))
    error, what = worst(cases)
    assert error <= ULPS, what


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_is_the_weighted_mean_in_double(dtype):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(1000, 1)).astype(dtype), rng.integers(0, 2, (1000, 1)).astype(dtype)
    weight = rng.uniform(0, 2, 1000).astype(dtype)
    each = np.array([kernels.output_loss("bce", "sigmoid", z[s : s + 1], y[s : s + 1]) for s in range(1000)])
    exact = mpmath.fdot(weight.tolist(), each.tolist()) / mpmath.fsum(weight.tolist())
    assert abs(kernels.output_loss("bce", "sigmoid", z, y, sample_weight=weight) / float(exact) - 1) < 1e-13
    assert abs(kernels.output_loss("bce", "sigmoid", z, y) / each.mean() - 1) < 1e-13


# ------------------------------------------------------------------------------------------------------------ gradients


@pytest.mark.parametrize("dtype", DTYPES)
def test_phi_of_the_cross_entropies_is_right_to_the_last_places_of_the_largest(dtype):
    """a - y cannot have more digits than 1 - a leaves: the bound is absolute, a few ulp of 1."""
    eps = float(np.finfo(dtype).eps)
    for first, second in itertools.product(logits(dtype), repeat=2):
        z = np.array([[first, second]])
        for y in ([1, 0], [0.25, 0.75]):
            y = np.array([y], dtype)
            exact_z = [mpmath.mpf(float(value)) for value in z[0]]
            total = mpmath.fsum(map(mpmath.exp, exact_z))
            softmax = [float(mpmath.exp(value) / total) for value in exact_z]
            sigmoid = [float(1 / (1 + mpmath.exp(-value))) for value in exact_z]
            np.testing.assert_allclose(kernels.output_phi("cce", "softmax", z, y)[0], softmax - y[0], atol=4 * eps)
            np.testing.assert_allclose(kernels.output_phi("bce", "sigmoid", z, y)[0], sigmoid - y[0], atol=4 * eps)


# --------------------------------------------------------------------------------------------------- finite everywhere


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradient_are_finite_for_any_logits_and_exact_labels(loss, activation, dtype):
    for first, second in itertools.product(logits(dtype), repeat=2):
        for size in (1, 2):
            z = np.array([[first, second][:size]])
            if (loss, activation) == ("mse", "exponential") and z.max() > 40:
                continue  # the square of e^z is infinite in float32
            a = kernels.activation_forward(activation, z)
            for y in itertools.product([0, 1], repeat=size):
                y = np.array([y], dtype)
                assert np.isfinite(kernels.output_loss(loss, activation, z, y)), (z, y)
                assert np.isfinite(kernels.output_phi(loss, activation, z, y)).all(), (z, y)
                assert np.isfinite(kernels.loss_value(loss, a, y)), (z, y)
                assert np.isfinite(kernels.loss_gradient(loss, a, y)).all() or activation == "softmax", (z, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_infinite_logits_give_the_limits_of_large_ones(loss, activation, dtype):
    """A loss of 10,000 for z = 10,000 stands for one that grows without end; all others have reached their limit."""
    bounded = activation in ("sigmoid", "tanh", "softmax", "relu6", "hard_sigmoid", "hard_tanh")
    for size in (1, 2, 3):
        for row in itertools.product([np.inf, -np.inf, 1.0, -2.0], repeat=size):
            z = np.array([row], dtype)
            large = np.clip(z, -1e4, 1e4)
            for answers in itertools.product([0, 1], repeat=size):
                y = np.array([answers], dtype)
                value, phi = kernels.output_loss(loss, activation, z, y), kernels.output_phi(loss, activation, z, y)
                assert not np.isnan(value), (z, y)
                assert not np.isnan(phi).any(), (z, y)
                assert np.isfinite(value) or loss != "cce" or activation not in ("linear", "relu", "tanh"), (z, y)
                if bounded:
                    limit = kernels.output_loss(loss, activation, large, y)
                    assert value == (np.inf if limit > 5000 else limit), (z, y)
                    np.testing.assert_array_equal(phi, kernels.output_phi(loss, activation, large, y), str((z, y)))


@pytest.mark.parametrize("name", ["bce", "cce"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_losses_of_infinite_outputs_are_cut_off(name, dtype):
    most = float(np.log(np.finfo(dtype).max.astype("f8")))
    least = float(np.log(np.finfo(dtype).tiny.astype("f8")))
    for y_hat, y, value in (
        (np.inf, 1, -most),
        (np.inf, 0, -least if name == "bce" else 0),
        (-np.inf, 1, -least),
        (-np.inf, 0, -most if name == "bce" else 0),
    ):
        y_hat, y = np.array([[y_hat]], dtype), np.array([[y]], dtype)
        assert kernels.loss_value(name, y_hat, y) == pytest.approx(value, rel=1e-6)
        assert not kernels.loss_gradient(name, y_hat, y).any()
        assert np.isnan(kernels.loss_value(name, y_hat * np.nan, y))


@pytest.mark.parametrize("isa", cpu.info()["available"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_output_that_is_nan_makes_its_loss_nan(loss, activation, dtype, isa):
    """Wherever in its row, and whatever y it has there, be it 0 everywhere; all other rows keep their loss."""
    before = _core.current_isa()
    _core.use_isa(isa)
    try:
        for size in (1, 2, 3, 17, 40):
            z, y = np.full((2 * size, size), 0.25, dtype), np.zeros((2 * size, size), dtype)
            z[np.arange(size), np.arange(size)] = np.nan
            for answers in (np.zeros, np.ones, lambda n: np.arange(n) == 0, lambda n: np.arange(n) == n - 1):
                y[:] = answers(size)
                values = [_core.output_loss(loss, activation, z[i : i + 1], y[i : i + 1]) for i in range(2 * size)]
                assert np.isnan(values[:size]).all(), (size, y[0])
                assert not np.isnan(values[size:]).any(), (size, y[0])
                together = [_core.output_loss(loss, activation, z[i:], y[i:]) for i in (0, size)]
                assert np.isnan(together).tolist() == [True, False]
    finally:
        _core.use_isa(before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shift", [1.0, -64.0, 2.0**13])
def test_softmax_losses_do_not_see_a_shift_of_all_logits(loss, shift, dtype):
    """Where z + shift is exact, which multiples of 1/64 are here, every bit stays."""
    rng = np.random.default_rng(0)
    z = (rng.integers(-320, 320, (17, 6)) / 64).astype(dtype)
    y = rng.uniform(0, 1, (17, 6)).astype(dtype)
    moved = z + dtype(shift)
    assert kernels.output_loss(loss, "softmax", moved, y) == kernels.output_loss(loss, "softmax", z, y)
    phi = kernels.output_phi(loss, "softmax", z, y)
    assert np.array_equal(kernels.output_phi(loss, "softmax", moved, y), phi)


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_logits_of_any_size_give_log_of_their_number(dtype):
    """Where a softmax that does not subtract the largest logit gives 0, infinity or NaN."""
    for z, out in itertools.product([0, 1e4, -1e4, 1e8, -1e8, 1e30], [2, 10, 1000]):
        y = np.eye(1, out, dtype=dtype)
        loss = kernels.output_loss("cce", "softmax", np.full((1, out), z, dtype), y)
        assert ulps(loss, mpmath.log(out), dtype) <= ULPS
