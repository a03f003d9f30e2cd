"""The steps of the gradient check suit each component: its size, the curvature, the domain, a kink that is near."""

import math

import numpy as np
import pytest

from mlpcore import gradcheck, kernels


def check(f, x, analytic, **options):
    return gradcheck.check_function(f, {"x": x}, {"x": analytic}, **options)


# ------------------------------------------------------------------------------------- steps that suit the component


def test_a_right_slope_of_a_huge_input_agrees():
    report = check(lambda x: float(x.sum()), [1.7e18], [1.0])
    assert report.ok, report
    assert report.worst.error == 0


@pytest.mark.parametrize("at", [1e-250, 1e-9, 50.0, 1e5, 1.7e18, 1e150])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x, at: 3 * x + 1, lambda at: 3.0),
        (lambda x, at: x * x, lambda at: 2 * at),
        (lambda x, at: at * np.arctan(x / at), lambda at: 0.5),
    ],
    ids=["linear", "square", "curved at its own size"],
)
def test_a_slope_is_told_from_a_wrong_one_at_any_size(f, slope, at):
    value = lambda x: float(f(x[0], at))  # noqa: E731
    assert check(value, [at], [slope(at)]).ok
    if slope(at) > 1e-9:  # 2e-250 is nothing beside a function of 0.1
        assert not check(value, [at], [slope(at) * (1 + 1e-5)]).ok


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1e5, 1e9])
def test_a_function_that_bends_on_a_scale_of_its_own_agrees(scale):
    x = np.array([0.3, -0.7]) * scale
    right = 1 / np.cosh(x / scale) ** 2
    f = lambda x: float(np.tanh(x / scale).sum())  # noqa: E731
    assert not check(f, x, right / scale).kinks
    assert check(f, x, right / scale).ok
    assert not check(f, x, right / scale * [1, 1 + 1e-5]).ok


@pytest.mark.parametrize("small", [1e-2, 1e-5, 1e-8, 1e-12, 1e-30, 1e-300])
@pytest.mark.parametrize("loss", ["bce", "cce"])
def test_a_loss_near_the_end_of_its_domain_agrees(loss, small):
    """Longer steps leave the domain of the logarithm, where the loss is cut off."""
    at = {"y_hat": [[small, 1 - small]], "y": [[1.0, 0.0]]}
    if loss == "bce":
        at["y_hat"][0][1] = 1 - max(small, 1e-12)  # closer to 1 there are too few numbers to differentiate
    report = gradcheck.check_kernel(loss, at)
    assert report.ok, report
    assert not report.kinks


@pytest.mark.parametrize("factor", [-1, 0, 2, 0.5, 1 + 1e-5])
@pytest.mark.parametrize("small", [1e-2, 1e-5, 1e-8, 1e-12])
@pytest.mark.parametrize("loss", ["bce", "cce"])
def test_a_broken_loss_near_the_end_of_its_domain_is_caught(monkeypatch, loss, small, factor):
    right = kernels.loss_gradient
    monkeypatch.setattr(kernels, "loss_gradient", lambda *args, **options: factor * right(*args, **options))
    assert not gradcheck.check_kernel(loss, {"y_hat": [[small, 0.5]], "y": [[1.0, 0.0]]}).ok


@pytest.mark.parametrize("refusal", [ValueError, ZeroDivisionError, OverflowError])
def test_a_function_that_raises_outside_its_domain_is_not_asked_twice(refusal):
    def f(x):
        if x[0] <= 0:
            raise refusal
        return math.log(x[0])

    assert check(f, [1e-3], [1e3]).ok
    assert not check(f, [1e-3], [1e3 + 1]).ok
    with pytest.raises(refusal):
        check(f, [-1.0], [1.0])


# --------------------------------------------------------------------------------------------------------------- kinks


@pytest.mark.parametrize("analytic", [-1.0, 0.0, 0.5, 1.0])
def test_a_slope_at_a_kink_or_between_two_is_named_and_passes(analytic):
    report = check(lambda x: abs(float(x[0])) + float(x[1]), [0.0, 2.0], [analytic, 1.0])
    assert report.ok
    if analytic != 0:  # the central difference itself
        (kink,) = report.kinks
        assert (kink.name, kink.index, kink.analytic) == ("x", (0,), analytic)
        assert kink.left == pytest.approx(-1, abs=1e-9)
        assert kink.right == pytest.approx(1, abs=1e-9)
        assert "x[0]: slope -1 on the left, 1 on the right" in str(report)


@pytest.mark.parametrize("analytic", [-1.001, 1.001, 2.0, np.nan])
def test_a_value_outside_the_slopes_of_a_kink_fails(analytic):
    report = check(lambda x: abs(float(x[0])), [0.0], [analytic])
    assert not report.ok
    assert not report.kinks


@pytest.mark.parametrize("z", [1e-12, 1e-7, 1e-6, -1e-12, -1e-6])
def test_a_relu_input_within_the_step_of_0_is_a_kink(z):
    report = gradcheck.check_kernel("relu", {"z": [[z, 1.0, -1.0]]})
    assert report.ok
    assert [kink.index for kink in report.kinks] == [(0, 0)]


@pytest.mark.parametrize("z", [1e-4, 1e-3, 1e-2, -1e-4, -1e-2])
def test_a_relu_input_a_little_farther_off_is_measured(z):
    report = gradcheck.check_kernel("relu", {"z": [[z, 1.0, -1.0]]})
    assert report.ok
    assert not report.kinks


@pytest.mark.parametrize("size", [1e-6, 1.0, 50.0, 1e5])
def test_a_kink_is_named_at_any_scale(size):
    """ReLU's corner lies at the input itself, or nearer to it than 2^-18 of its size."""
    for away in (0.0, 1e-12, -1e-12, 1e-7, -1e-6):
        at = size * (1 + away)
        f = lambda x: float(np.maximum(x - size, 0).sum())  # noqa: E731
        report = check(f, [at, 2 * size], [float(at > size), 1.0])
        assert report.ok, report
        assert [kink.index for kink in report.kinks] == [(0,)], (away, report)
        assert report.kinks[0].left == pytest.approx(0, abs=1e-3)
        assert report.kinks[0].right == pytest.approx(1, abs=1e-3)
        assert not check(f, [at, 2 * size], [1.001, 1.0]).ok
        assert not check(f, [at, 2 * size], [-0.001, 1.0]).ok


def test_a_wrong_value_between_the_slopes_of_a_kink_that_is_near_fails():
    """Steps of 1e-8 are too short to reach the corner, and tell the slope."""
    relu = lambda x: float(np.maximum(x, 0).sum())  # noqa: E731
    assert check(relu, [1e-7, 1.0], [1.0, 1.0]).ok
    assert not check(relu, [1e-7, 1.0], [0.9, 1.0]).ok
    assert not check(relu, [1e-7, 1.0], [0.0, 1.0]).ok


def test_a_wrong_slope_near_a_kink_fails():
    relu = lambda x: float(max(x[0], 0))  # noqa: E731
    assert not check(relu, [1e-3], [0.0]).ok
    assert not check(relu, [-1e-3], [1.0]).ok
    assert not check(relu, [0.0], [-1.0]).ok


def test_a_steep_kink_does_not_hide_a_mistake_elsewhere():
    """At the cut of a logarithm a difference sees any slope up to 1e5."""
    f = lambda x: float(-np.log(np.maximum(x, 1e-300)).sum())  # noqa: E731
    right = np.array([0.0, -1 / 0.3])
    assert check(f, [0.0, 0.3], right).ok
    report = check(f, [0.0, 0.3], right * [1, 1 + 1e-6])
    assert not report.ok
    assert report.worst.index == (1,)


def test_many_kinks_are_counted_but_not_all_printed():
    report = gradcheck.check_kernel("relu", {"z": np.zeros((3, 4))})
    assert report.ok
    assert len(report.kinks) == 12
    assert report.worst is None
    assert str(report).splitlines()[-1] == "  ...    and 7 more kinks"
