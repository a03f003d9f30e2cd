"""The functions of csrc/reference/elementary.h: as near the truth as it states, C99's special values.

`make test-exhaustive` tries all floats, tests/exhaustive/float64_mpmath.py a million doubles; here is a part of them.
"""

import math

import mpmath
import numpy as np
import pytest

from mlpcore import _core

MOST_ULP = {"exp": 1.05, "expm1": 1.75, "log": 0.9, "log1p": 0.95, "tanh": 1.75, "erf": 1.5, "sigmoid": 1.7}
INF, NAN = float("inf"), float("nan")
DTYPES = [np.float32, np.float64]


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


FUNCTIONS = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "sigmoid": sigmoid,
}
IN_DOUBLE = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
# Where something other than the limit comes out, in double.
RANGES = {
    "exp": (-746, 710),
    "expm1": (-40, 710),
    "log": (0, 4),
    "log1p": (-1, 4),
    "tanh": (-20, 20),
    "erf": (-6, 6),
    "sigmoid": (-746, 40),
}


def neighbours(x, reach):
    """Every x with the `reach` numbers on either side of it."""
    integer = np.int32 if x.dtype == np.float32 else np.int64
    around = x.view(integer)[:, None] + np.arange(-reach, reach + 1, dtype=integer)
    return around.ravel().view(x.dtype)


def breakpoints(dtype):
    """Where elementary.h goes over to another k, to a subnormal or to a limit."""
    info = np.finfo(dtype)
    k = np.arange(info.minexp - info.nmant - 2, info.maxexp + 2)
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate(
            [
                (k + 0.5) * np.log(2),  # exp, sigmoid
                (k + 0.5) * np.log(2) / 2,  # tanh
                np.ldexp(np.sqrt(0.5), k),  # log
                np.ldexp(np.sqrt(0.5), k) - 1,  # log1p
                np.ldexp(1.0, k),
                [info.max, info.smallest_normal, info.smallest_subnormal, info.eps],
                [
                    0.7071,
                    1,
                    1.4142,
                    5,
                    8.3,
                    9,
                    10,
                    18,
                    20,
                    20,
                    87.3,
                    88.7,
                    89,
                    103.97,
                    104,
                    708.3,
                    709.7,
                    710,
                    745.1,
                    746,
                ],
            ]
        ).astype(dtype)
    x = x[np.isfinite(x)]
    return np.concatenate([x, -x])


def points_between(low, high, count, seed):
    """`count` doubles: a quarter any bits, a quarter near a breakpoint, the rest small or between low and high."""
    rng = np.random.default_rng(seed)
    anywhere = rng.integers(-(2**63), 2**63, size=count // 4).view(np.float64)
    near = rng.choice(neighbours(breakpoints(np.float64), 20), size=count // 4)
    small = rng.choice([-1, 1], size=count // 8) * np.exp2(rng.uniform(-60, 3, size=count // 8))
    inside = rng.uniform(low, high, size=count - count // 4 * 2 - count // 8)
    return np.concatenate([anywhere, near, small, inside])


def points_of(name, count, seed):
    return points_between(*RANGES[name], count, seed)


def worst_error(compute, exact, x):
    """Largest error in ulp of `compute` over finite doubles x, by mpmath's `exact`, and the x it has it at."""
    worst, at = 0.0, NAN
    infinite_from = mpmath.mpf(2) ** 1024 - mpmath.mpf(2) ** 970  # what rounds to infinity
    with mpmath.workprec(120):
        for xi, yi in zip(x.tolist(), compute(x).tolist(), strict=True):
            value = exact(mpmath.mpf(xi))
            if abs(value) >= infinite_from or abs(yi) == INF:
                error = 0.0 if abs(value) >= infinite_from and yi == math.copysign(INF, value) else INF
            else:
                _, exponent = mpmath.frexp(value)
                error = float(mpmath.ldexp(abs(yi - value), 53 - max(int(exponent), -1021)))
            if not error <= worst:
                worst, at = error, xi
    return worst, at


def worst_quantile(p):
    """The largest relative error of z(p) in units of epsilon / 2, from how far p is from z's own probability."""
    worst = 0.0
    with mpmath.workprec(160):
        for pi, zi in zip(p.tolist(), _core.elementary("normal_quantile", p).tolist(), strict=True):
            z = mpmath.mpf(zi)
            error = (mpmath.erfc(-z / mpmath.sqrt(2)) / 2 - pi) / mpmath.npdf(z)
            worst = max(worst, float(abs(error / z)))
    return worst * 2 / float(np.finfo(p.dtype).eps)


def worst_in_double(name, x):
    """Largest error of `name` in ulp over x, by mpmath, and the x it has it at."""
    domain = {"log": x >= 0, "log1p": x >= -1}.get(name, True) & ~np.isnan(x)
    assert np.isnan(_core.elementary(name, x[~domain])).all()
    x = x[domain & np.isfinite(x) & (x != 0) & ~((name == "log1p") & (x == -1))]
    return worst_error(lambda x: _core.elementary(name, x), FUNCTIONS[name], x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_against_double(name):
    every_2053rd = np.arange(0, 2**32, 2053, dtype=np.uint32).view(np.float32)
    x = np.concatenate([every_2053rd, neighbours(breakpoints(np.float32), 200)])
    with np.errstate(all="ignore"):
        exact = IN_DOUBLE[name](x.astype(np.float64))
        nearest = exact.astype(np.float32)
        y = _core.elementary(name, x)
        assert y.dtype == np.float32
        _, exponent = np.frexp(exact)
        errors = np.ldexp(np.abs(y.astype(np.float64) - exact), 24 - np.maximum(exponent, -125))
    special = ~np.isfinite(nearest) | (exact == 0)
    assert np.array_equal(y[special], nearest[special], equal_nan=True)
    number = ~np.isnan(nearest)
    assert np.array_equal(np.signbit(y[number]), np.signbit(nearest[number]))
    assert np.isfinite(y[~special]).all()
    worst = np.argmax(np.where(special, 0, errors))
    assert errors[worst] <= MOST_ULP[name], f"{name}({float(x[worst]).hex()}) is {errors[worst]:.2f} ulp off"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_against_mpmath(name):
    worst, at = worst_in_double(name, points_of(name, 20_000, seed=1))
    assert worst <= MOST_ULP[name], f"{name}({at.hex()}) is {worst:.2f} ulp off"


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_normal_quantile_is_what_wichura_promises(dtype):
    rng = np.random.default_rng(2)
    info = np.finfo(dtype)
    left = np.exp2(rng.uniform(1.5, -info.minexp, 400) * -1)
    near_1 = 1 - np.exp2(-rng.uniform(1.5, info.nmant, 200))
    near_half = 0.5 + rng.normal(size=200) * np.exp2(-rng.uniform(5, info.nmant - 3, 200))
    edges = np.array([0.075, 0.925, np.exp(-25.0)])
    p = np.concatenate([left, near_1, near_half, rng.uniform(0, 1, 400), edges]).astype(dtype)
    p = p[(p != 0.5) & (p > 0) & (p < 1)]
    assert worst_quantile(p) < 8
    z = _core.elementary("normal_quantile", p)
    mirrored = 1 - p[p > 0.5]  # which is exact
    np.testing.assert_array_equal(_core.elementary("normal_quantile", mirrored), -z[p > 0.5])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        *[("exp", x, y) for x, y in [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e4, INF), (-1e4, 0.0)]],
        *[("expm1", x, y) for x, y in [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e4, INF), (-1e4, -1.0)]],
        *[("erf", x, y) for x, y in [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e4, 1.0), (-1e4, -1.0)]],
        *[("log", x, y) for x, y in [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)]],
        *[("log1p", x, y) for x, y in [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-1.5, NAN), (-INF, NAN)]],
        *[("tanh", x, y) for x, y in [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e4, 1.0), (-1e4, -1.0)]],
        *[("sigmoid", x, y) for x, y in [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e4, 1.0), (-1e4, 0.0)]],
        *[
            ("normal_quantile", x, y)
            for x, y in [(0.0, -INF), (1.0, INF), (0.5, 0.0), (-0.1, NAN), (1.5, NAN), (INF, NAN)]
        ],
        *[(name, NAN, NAN) for name in [*FUNCTIONS, "normal_quantile"]],
    ],
)
def test_special_values(name, x, y, dtype):
    (result,) = _core.elementary(name, np.array([x], dtype))
    assert np.array_equal(result, y, equal_nan=True)
    assert np.isnan(y) or np.signbit(result) == np.signbit(y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_overflows_and_vanishes_where_rounding_says(dtype):
    info = np.finfo(dtype)
    highest = np.nextafter(dtype(float(mpmath.log(2) * info.maxexp)), dtype(0))
    lowest = dtype(float(mpmath.log(2) * (info.minexp - info.nmant - 1)))  # e^x is half the smallest subnormal
    x = np.array([highest, highest * dtype(1.001), lowest * dtype(0.999), lowest * dtype(1.001)], dtype)
    y = _core.elementary("exp", x)
    assert np.isfinite(y[0])
    assert y[1:].tolist() == [INF, info.smallest_subnormal, 0]


def test_sigmoid_of_minus_100_is_a_subnormal_float():
    (y,) = _core.elementary("sigmoid", np.array([-100], np.float32))
    assert 0 < y < np.finfo(np.float32).smallest_normal
    assert y == np.float32(np.exp(-100.0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_tanh_and_erf_are_odd(name, dtype):
    x = neighbours(breakpoints(dtype), 3)
    assert np.array_equal(_core.elementary(name, -x), -_core.elementary(name, x), equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_small_arguments_keep_their_digits(name, dtype):
    tiny = np.finfo(dtype).smallest_subnormal * np.array([-3, -1, 1, 2, 1000], dtype)
    y = _core.elementary(name, tiny)
    expected = {"exp": np.ones(5), "expm1": tiny, "log1p": tiny, "tanh": tiny, "sigmoid": np.full(5, 0.5)}
    if name == "erf":
        smallest = float(np.finfo(dtype).smallest_subnormal)
        np.testing.assert_allclose(y, tiny * 2 / math.sqrt(math.pi), rtol=0, atol=smallest)
    elif name in expected:
        assert y.tolist() == expected[name].tolist()
    else:
        assert np.isnan(y[:2]).all()
        assert np.isfinite(y[2:]).all()
