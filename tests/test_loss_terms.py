"""The losses beside mse, bce and cce against 60-digit references, and their limits: see test_loss_accuracy.py."""

import itertools

import mpmath
import numpy as np
import pytest
from test_loss_accuracy import DTYPES, ULPS, logits, minus_log_sigmoid, probabilities, sixty_digits, ulps, worst

from mlpcore import catalogue, kernels

__all__ = ["sixty_digits"]  # a fixture that every test here uses


def exact_of_y_hat(loss, y_hat, y):
    """The terms of a loss of one output, by its formula; constants have their default values."""
    p, y = mpmath.mpf(float(y_hat)), mpmath.mpf(float(y))
    miss, lack = y - p, max(mpmath.mpf(0), 1 - y * p)
    return {
        "mae": lambda: abs(miss),
        "huber": lambda: miss**2 / 2 if abs(miss) <= 1 else abs(miss) - mpmath.mpf(1) / 2,
        "log_cosh": lambda: mpmath.log1p(2 * mpmath.sinh(miss / 2) ** 2),
        "quantile": lambda: abs(miss) / 2,
        "hinge": lambda: lack,
        "squared_hinge": lambda: lack**2,
        "kl_divergence": lambda: y * mpmath.log(y / p) if y else mpmath.mpf(0),
    }[loss]()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", ["mae", "huber", "log_cosh", "quantile", "hinge", "squared_hinge", "kl_divergence"])
def test_a_loss_of_y_hat_keeps_the_digits_of_small_misses(loss, dtype):
    eps = np.finfo(dtype).eps
    ys = [1.0, -1.0] if "hinge" in loss else [0.0, 1.0, 0.3, 0.5]
    scales = [1 + eps, 1 - eps, 1 + 64 * eps, 1.001, 0.9, 0.5, 1.5, 2.0, 0.01, 40.0]
    near = [dtype(y) * dtype(scale) for y in ys if y for scale in scales]
    anywhere = [dtype(p) for p in (1e-8, 0.1, 0.7, 1.0, 2.5, 30.0, 88.0, 104.0)]
    if loss != "kl_divergence":
        anywhere += [-p for p in anywhere]
    cases = [
        (
            kernels.loss_value(loss, np.array([[p]], dtype), np.array([[y]], dtype)),
            exact_of_y_hat(loss, p, dtype(y)),
            dtype,
            (p, y),
        )
        for p, y in itertools.product([*near, *anywhere], ys)
    ]
    error, what = worst(cases)
    assert error <= ULPS, what


@pytest.mark.parametrize("dtype", DTYPES)
def test_poisson_and_focal_of_y_hat(dtype):
    """Poisson's two terms cancel, so its error is measured against them."""
    for p, y in itertools.product(probabilities(dtype), [0, 1, 0.5, 3]):
        exact_p = mpmath.mpf(float(p))
        computed = kernels.loss_value("poisson", np.array([[p]]), np.array([[y]], dtype))
        size = exact_p + abs(y * mpmath.log(exact_p))
        assert abs(computed - (exact_p - y * mpmath.log(exact_p))) <= ULPS * np.finfo(dtype).eps * size
    for p, y in itertools.product(probabilities(dtype)[1:], [0, 1]):
        exact_p = mpmath.mpf(float(p))
        right = exact_p if y else 1 - exact_p
        exact = -(mpmath.mpf(1 if y else 3) / 4) * (1 - right) ** 2 * mpmath.log(right)
        if exact > np.finfo(dtype).tiny:
            computed = kernels.loss_value("focal", np.array([[p]]), np.array([[y]], dtype))
            assert ulps(computed, exact, dtype) <= 2 * ULPS, (p, y)


# --------------------------------------------------------------------------------- values of other pairs, from z


@pytest.mark.parametrize("dtype", DTYPES)
def test_focal_of_sigmoid(dtype):
    """The square of 1 - a doubles the relative error that a rounded z brings."""
    for z, y in itertools.product(logits(dtype), [0, 1]):
        exact_z = mpmath.mpf(float(z)) * (1 if y else -1)
        value = minus_log_sigmoid(exact_z)
        exact = mpmath.mpf(1 if y else 3) / 4 * mpmath.exp(-2 * minus_log_sigmoid(-exact_z)) * value
        if exact > np.finfo(dtype).tiny:
            computed = kernels.output_loss("focal", "sigmoid", np.array([[z]]), np.array([[y]], dtype))
            assert ulps(computed, exact, dtype) <= 2 * ULPS, (z, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_poisson_of_softplus_goes_on_where_softplus_underflows(dtype):
    for z, y in itertools.product(logits(dtype), [0, 1, 3]):
        exact_a = mpmath.log1p(mpmath.exp(mpmath.mpf(float(z))))
        log_a = mpmath.log(exact_a)
        at = np.array([[z]]), np.array([[y]], dtype)
        error = abs(kernels.output_loss("poisson", "softplus", *at) - (exact_a - y * log_a))
        assert error <= ULPS * np.finfo(dtype).eps * (exact_a + y * (abs(log_a) + 1)) + np.finfo(dtype).tiny, (z, y)
        slope = 1 / (1 + mpmath.exp(-mpmath.mpf(float(z))))
        phi = float(slope - y * slope / exact_a)
        assert kernels.output_phi("poisson", "softplus", *at)[0, 0] == pytest.approx(
            phi, abs=16 * float(np.finfo(dtype).eps)
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_poisson_of_exponential_goes_on_where_the_exponential_underflows(dtype):
    for z, y in itertools.product([z for z in logits(dtype) if z < 80], [0, 1, 3]):
        exact_z = mpmath.mpf(float(z))
        a, at = mpmath.exp(exact_z), (np.array([[z]]), np.array([[y]], dtype))
        error = abs(kernels.output_loss("poisson", "exponential", *at) - (a - y * exact_z))
        assert error <= ULPS * np.finfo(dtype).eps * (a + y * abs(exact_z)) + np.finfo(dtype).tiny, (z, y)
        phi = kernels.output_phi("poisson", "exponential", *at)[0, 0]
        assert abs(phi - (a - y)) <= ULPS * np.finfo(dtype).eps * (a + y) + np.finfo(dtype).tiny, (z, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_kl_divergence_is_cross_entropy_without_the_entropy_of_y(activation, dtype):
    z = np.array([[2.0, -1.0, 0.5], [-300.0, 300.0, 0.0]], dtype)
    y = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]], dtype)
    for row in (slice(0, 1), slice(1, 2)):
        at = z[row], y[row]
        entropy = -sum(float(p) * np.log(float(p)) for p in y[row].ravel() if p)
        cce, divergence = (kernels.output_loss(loss, activation, *at) for loss in ("cce", "kl_divergence"))
        assert divergence == pytest.approx(cce - entropy, rel=16 * float(np.finfo(dtype).eps))
        assert np.array_equal(
            kernels.output_phi("kl_divergence", activation, *at), kernels.output_phi("cce", activation, *at)
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", catalogue.names("activations"))
@pytest.mark.parametrize("loss", catalogue.names("losses")[3:])
def test_every_loss_is_finite_for_finite_z_and_nan_for_nan(loss, activation, dtype):
    ys = (-1, 1) if "hinge" in loss else (0, 1)
    for z, size in itertools.product(logits(dtype), (1, 2, 17)):
        at = np.full((1, size), z)
        for y in (np.full((1, size), answer, dtype) for answer in ys):
            value, phi = kernels.output_loss(loss, activation, at, y), kernels.output_phi(loss, activation, at, y)
            if activation == "exponential" and z > 40:  # its square is infinite in float32, or the sum of a few
                assert not np.isnan([value, *phi[0]]).any(), (z, y)
            else:
                assert np.isfinite([value, *phi[0]]).all(), (z, y)
    for y in ys:
        at = np.full((1, 17), 0.5, dtype)
        at[0, 3] = np.nan
        assert np.isnan(kernels.output_loss(loss, activation, at, np.full((1, 17), y, dtype))), y
