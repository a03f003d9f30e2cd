"""Exact arithmetic of worksheets beside the engine's, function by function."""

import math
from fractions import Fraction

import numpy as np
import pytest

from mlpcore import catalogue, kernels
from mlpcore.worksheets import exact
from mlpcore.worksheets.exact import ExactLayer, LogSum, NotExactError

FRACTIONS = [Fraction(n, 4) for n in range(-28, 29)]
LOGARITHMS = [exact.log_of(Fraction(*r)) for r in ((1, 5), (1, 2), (1, 1), (3, 2), (4, 1))]


def floats(numbers):
    return np.array([float(number) for number in numbers])


@pytest.mark.parametrize("name", exact.UNITS)
def test_an_activation_and_its_derivative_are_the_engines(name):
    unit = exact.UNITS[name]
    z = LOGARITHMS if unit.of_logarithm else [number for number in FRACTIONS if number not in unit.kinks]
    rows = floats(z).reshape(1, -1)
    a = kernels.activation_forward(name, rows)[0]
    dsigma = kernels.activation_backward(name, rows, np.ones_like(rows))[0]
    np.testing.assert_allclose(floats(exact.activate(name, z)), a, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(floats(exact.derivative(name, z)), dsigma, rtol=1e-14, atol=1e-15)
    assert name in catalogue.names("activations")


def test_softmax_and_its_jacobian_are_the_engines():
    z = floats(LOGARITHMS).reshape(1, -1)
    np.testing.assert_allclose(
        floats(exact.activate("softmax", LOGARITHMS)), kernels.activation_forward("softmax", z)[0]
    )
    for i, row in enumerate(exact.derivative("softmax", LOGARITHMS)):
        unit = np.eye(len(row))[[i]]
        np.testing.assert_allclose(floats(row), kernels.activation_backward("softmax", z, unit)[0], rtol=1e-12)


@pytest.mark.parametrize(("loss", "a", "y"), [
    ("mse", (Fraction(1, 2), Fraction(-3)), (Fraction(2), Fraction(1, 3))),
    ("bce", (Fraction(1, 4), Fraction(2, 3)), (Fraction(0), Fraction(1))),
    ("cce", (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)), (Fraction(0), Fraction(1), Fraction(0))),
])  # fmt: skip
def test_a_loss_and_its_gradient_are_the_engines(loss, a, y):
    rows = floats(a).reshape(1, -1), floats(y).reshape(1, -1)
    assert float(exact.loss_of(loss, a, y)) == pytest.approx(kernels.loss_value(loss, *rows), rel=1e-14)
    np.testing.assert_allclose(
        floats(exact.loss_gradient(loss, a, y)), kernels.loss_gradient(loss, *rows)[0], rtol=1e-14
    )


def test_a_step_by_hand():
    layer = ExactLayer(((Fraction(2), Fraction(-1)),), (Fraction(1),), "relu")
    passed = exact.forward([layer], (Fraction(1), Fraction(2)))
    assert passed[0].z == (Fraction(1),)
    back = exact.backward([layer], passed, (Fraction(0),), "mse")  # phi = 2 (1 - 0) 1
    assert (back[0].phi, back[0].grad_w, back[0].grad_b) == (
        (Fraction(2),),
        ((Fraction(2), Fraction(4)),),
        (Fraction(2),),
    )
    (after,) = exact.step([layer], back, Fraction(1, 4))
    assert (after.w, after.b) == (((Fraction(3, 2), Fraction(-2)),), (Fraction(1, 2),))
    assert exact.loss_after([after], (Fraction(1), Fraction(2)), (Fraction(1),), "mse") == 1  # z = 3/2 - 4 + 1/2 < 0


def test_logarithms_stay_exact_and_other_exponents_are_refused():
    half = exact.plus(exact.log_of(Fraction(3), Fraction(1, 4)), Fraction(1, 4))
    assert half == LogSum(Fraction(1, 2), Fraction(3))
    assert float(half) == pytest.approx(0.5 + math.log(3))
    assert exact.log_of(Fraction(1), Fraction(2)) == Fraction(2)
    with pytest.raises(NotExactError):
        exact.activate("sigmoid", [half])
    with pytest.raises(NotExactError):
        exact.activate("relu", [half])
    layer = ExactLayer(((Fraction(1),),), (Fraction(1, 2),), "sigmoid")
    assert exact.loss_after([layer], (Fraction(0),), (Fraction(1),), "bce") == pytest.approx(
        math.log1p(math.exp(-0.5)), rel=1e-14
    )
    assert exact.loss_after([layer], (Fraction(10000),), (Fraction(0),), "bce") == math.inf
