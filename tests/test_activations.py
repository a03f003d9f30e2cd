"""reference/activations.c: as near the truth as it states, its limits, kinks and constants, the bits of every set."""

import re

import mpmath
import numpy as np
import pytest
from test_elementary import breakpoints, neighbours, points_between, worst_error

from mlpcore import Dense, Sequential, _core, catalogue, cpu, gradcheck, kernels

MOST_ULP = 4  # what reference/activations.c states of each
INF, NAN = float("inf"), float("nan")
DTYPES = [np.float32, np.float64]
SELU_ALPHA, SELU_LAMBDA = "1.6732632423543772848", "1.0507009873554804934"


def exact_elu(z):
    return z if z > 0 else mpmath.expm1(z)


def exact_gelu(z):
    if abs(z) > 1e4:  # where erfc of mpmath gives up
        return max(z, 0)
    return z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def exact_gelu_tanh(z):
    return z / (1 + mpmath.exp(-2 * mpmath.sqrt(2 / mpmath.pi) * (z + mpmath.mpf("0.044715") * z**3)))


EXACT = {
    "elu": exact_elu,
    "selu": lambda z: mpmath.mpf(SELU_LAMBDA) * (z if z > 0 else mpmath.mpf(SELU_ALPHA) * mpmath.expm1(z)),
    "celu": exact_elu,
    "gelu": exact_gelu,
    "gelu_tanh": exact_gelu_tanh,
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "mish": lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "softsign": lambda z: z / (1 + abs(z)),
    "exponential": lambda z: min(mpmath.exp(z), mpmath.mpf(float(np.finfo(np.float64).max))),
    "log_softmax": lambda z: -mpmath.log1p(mpmath.exp(-z)),  # of the row (z, 0), the first
}
"""By name: the activation with its standard constants, for mpmath. The others round once or twice."""

# Where something other than the limit comes out, in double.
RANGES = {"gelu": (-39, 9), "gelu_tanh": (-22, 8), "softsign": (-1e4, 1e4)}

# Name: a at -infinity and infinity, sigma' at them.
LIMITS = {
    "linear": (-INF, INF, 1, 1),
    "relu": (0, INF, 0, 1),
    "relu6": (0, 6, 0, 0),
    "leaky_relu": (-INF, INF, 0.01, 1),
    "elu": (-1, INF, 0, 1),
    "selu": (-float(SELU_ALPHA) * float(SELU_LAMBDA), INF, 0, float(SELU_LAMBDA)),
    "celu": (-1, INF, 0, 1),
    "gelu": (0, INF, 0, 1),
    "gelu_tanh": (0, INF, 0, 1),
    "silu": (0, INF, 0, 1),
    "mish": (0, INF, 0, 1),
    "softplus": (0, INF, 0, 1),
    "softsign": (-1, 1, 0, 0),
    "sigmoid": (0, 1, 0, 0),
    "hard_sigmoid": (0, 1, 0, 0),
    "hard_swish": (0, INF, 0, 1),
    "tanh": (-1, 1, 0, 0),
    "exponential": (0, INF, 0, INF),
    "hard_tanh": (-1, 1, 0, 0),
}
# Name: where it bends, and sigma' there.
KINKS = {
    "relu": [(0.0, 0), (-0.0, 0)],
    "relu6": [(0.0, 0), (6.0, 0)],
    "leaky_relu": [(0.0, 0.01), (-0.0, 0.01)],
    "selu": [(0.0, float(SELU_ALPHA) * float(SELU_LAMBDA))],
    "hard_sigmoid": [(-3.0, 0), (3.0, 0)],
    "hard_swish": [(-3.0, 0), (3.0, 1)],
    "hard_tanh": [(-1.0, 0), (1.0, 0)],
}
# a is not 0 at 0.
AT_0 = {"exponential": 1.0, "softplus": np.log(2), "sigmoid": 0.5, "hard_sigmoid": 0.5}


def limits(name, dtype):
    """Return those of `LIMITS` in a type: e^z ends at the largest number."""
    return [np.finfo(dtype).max if name == "exponential" and limit == INF else limit for limit in LIMITS[name]]


def forward(name, z):
    """Return a of each z; of log_softmax in the row (z, 0)."""
    if name == "log_softmax":
        return kernels.activation_forward(name, np.stack([z, np.zeros_like(z)], axis=1))[:, 0].copy()
    return kernels.activation_forward(name, z[:, np.newaxis])[:, 0]


def slope(name, z):
    """Return sigma' at each z."""
    return kernels.activation_backward(name, z[:, np.newaxis], np.ones((len(z), 1), z.dtype))[:, 0]


def points_of(name, count, seed):
    return points_between(*RANGES.get(name, (-800, 800 if name == "log_softmax" else 40)), count, seed)


def worst_in_double(name, z):
    """Largest error of `name` in ulp over z, by mpmath, and the z it has it at."""
    return worst_error(lambda z: forward(name, z), EXACT[name], z[np.isfinite(z) & (z != 0)])


# ------------------------------------------------------------------------------------------------------------ accuracy


@pytest.mark.parametrize("name", EXACT)
def test_float64_against_mpmath(name):
    worst, at = worst_in_double(name, points_of(name, 6000, seed=1))
    assert worst <= MOST_ULP, f"{name}({at.hex()}) is {worst:.2f} ulp off"


@pytest.mark.parametrize("name", EXACT)
def test_float32_against_float64(name):
    """Which mpmath has checked; tests/exhaustive/ takes all floats, and the C library's functions."""
    every_4099th = np.arange(0, 2**32, 4099, dtype=np.uint32).view(np.float32)
    z = np.concatenate([every_4099th, neighbours(breakpoints(np.float32), 100)])
    z = z[np.isfinite(z)]
    exact, a = forward(name, z.astype(np.float64)), forward(name, z)
    assert a.dtype == np.float32
    if name == "exponential":
        exact = np.minimum(exact, np.finfo(np.float32).max)
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    _, exponent = np.frexp(exact)
    finite = np.isfinite(nearest)
    assert np.array_equal(a[~finite], nearest[~finite])
    assert np.array_equal(np.signbit(a[a != 0]), np.signbit(nearest[a != 0]))
    errors = np.ldexp(np.abs(a.astype(np.float64) - exact), 24 - np.maximum(exponent, -125))
    worst = np.argmax(np.where(finite, errors, 0))
    assert errors[worst] <= MOST_ULP, f"{name}({float(z[worst]).hex()}) is {errors[worst]:.2f} ulp off"


def test_celu_of_alpha_1_is_elu():
    z = neighbours(breakpoints(np.float64), 3)
    np.testing.assert_array_equal(forward("celu", z), forward("elu", z))


# -------------------------------------------------------------------------------------- limits, kinks, special values


def test_every_activation_of_single_units_is_here():
    rows = {name for name in catalogue.names("activations") if "per_row" in catalogue.entry("activations", name).traits}
    assert set(LIMITS) == set(catalogue.names("activations")) - rows
    assert rows == {"softmax", "log_softmax"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_infinite_z_gives_the_limits(name, dtype):
    a = forward(name, np.array([-INF, INF], dtype))
    slopes = slope(name, np.array([-INF, INF], dtype))
    np.testing.assert_allclose([*a, *slopes], limits(name, dtype), rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_large_z_has_a_finite_slope(name, dtype):
    largest = float(np.finfo(dtype).max)
    z = np.array([-largest, -1e10, -1e3, -50, 50, 1e3, 1e10, largest], dtype)
    slopes = slope(name, z)
    assert np.isfinite(slopes).all()
    at_ends = limits(name, dtype)[2:]
    np.testing.assert_allclose(slopes[[0, -1]], at_ends, rtol=2 * np.finfo(dtype).eps, atol=1e-30)
    assert np.isfinite(forward(name, z[1:-1])).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "z", "expected"), [(name, *at) for name, kinks in KINKS.items() for at in kinks])
def test_a_kink_has_the_slope_that_its_row_says(name, z, expected, dtype):
    assert slope(name, np.array([z], dtype))[0] == dtype(expected)
    report = gradcheck.check_kernel(name, {"z": [[z, 0.5]]})
    assert report.ok, report
    assert [kink.index for kink in report.kinks] == [(0, 0)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", catalogue.names("activations"))
def test_nan_stays_nan_and_spoils_no_other(name, dtype):
    z = np.array([[NAN, 0.25, -0.5], [1, -2, 3]], dtype)
    a = kernels.activation_forward(name, z)
    assert np.isnan(a[0, 0])
    np.testing.assert_array_equal(a[1], kernels.activation_forward(name, z[1:])[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_zeros_and_subnormals(name, dtype):
    """A z too small to bend anything gives sigma'(0) z, rounded; and a at 0 keeps the sign where it is 0."""
    smallest = float(np.finfo(dtype).smallest_subnormal)
    z = np.array([0.0, -0.0, 1000 * smallest, -1000 * smallest], dtype)
    a = forward(name, z)
    if name in AT_0:
        np.testing.assert_allclose(a, AT_0[name], rtol=np.finfo(dtype).eps)
        return
    slopes = slope(name, z).astype(np.float64)
    np.testing.assert_allclose(a, slopes * z, rtol=0, atol=smallest)
    if name not in ("relu", "relu6"):
        assert np.array_equal(np.signbit(a[:2]), [False, True])


def test_softmax_and_its_logarithm_belong_together():
    z = np.random.default_rng(0).normal(scale=20, size=(50, 7))
    a = kernels.activation_forward("log_softmax", z)
    np.testing.assert_allclose(np.exp(a), kernels.activation_forward("softmax", z), rtol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_softmax_of_one_unit_is_0(dtype):
    z = np.array([[0], [5], [-5], [1e4]], dtype)
    assert kernels.activation_forward("log_softmax", z).tolist() == [[0]] * 4
    assert kernels.activation_backward("log_softmax", z, np.ones_like(z)).tolist() == [[0]] * 4


# ------------------------------------------------------------------------------------------------------------ gradients


@pytest.mark.parametrize("constants", [("leaky_relu", 0.3), ("elu", 0.4), ("celu", 2.5), ("celu", 0.1)])
def test_constants_are_in_the_gradient(constants):
    name, value = constants
    z = np.linspace(-3, 3, 40).reshape(8, 5)
    upstream = np.random.default_rng(0).normal(size=z.shape)
    phi = kernels.activation_backward(constants, z, upstream)
    report = gradcheck.check_function(
        lambda z: float(np.vdot(upstream, kernels.activation_forward(constants, z))), {"z": z}, {"z": phi}
    )
    assert report.ok, report
    exact = {
        "leaky_relu": np.where(z > 0, z, value * z),
        "elu": np.where(z > 0, z, value * np.expm1(z)),
        "celu": np.where(z > 0, z, value * np.expm1(z / value)),
    }[name]
    np.testing.assert_allclose(kernels.activation_forward(constants, z), exact, rtol=1e-15)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("out", [1, 19])
@pytest.mark.parametrize("name", catalogue.names("activations"))
def test_every_instruction_set_has_the_same_bits(name, out, n):
    z = np.random.default_rng(n).normal(scale=4, size=(n, out)).astype(np.float32)
    grad = np.random.default_rng(out).normal(size=(n, out)).astype(np.float32)
    before = _core.current_isa()
    found = []
    try:
        for isa in cpu.info()["available"]:
            _core.use_isa(isa)
            found.append((kernels.activation_forward(name, z), kernels.activation_backward(name, z, grad)))
    finally:
        _core.use_isa(before)
    for a, phi in found[1:]:
        assert a.tobytes() == found[0][0].tobytes()
        assert phi.tobytes() == found[0][1].tobytes()


# ------------------------------------------------------------------------------------------------------------ constants


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (("leaky_relu", -0.1), "negative_slope of activation 'leaky_relu' is -0.1, expected a finite number >= 0"),
        (("elu", NAN), "alpha of activation 'elu' is nan, expected a finite number >= 0"),
        (("elu", INF), "alpha of activation 'elu' is inf, expected a finite number >= 0"),
        (("celu", 0.0), "alpha of activation 'celu' is 0.0, expected a finite number >= 1e-30"),
    ],
)
def test_a_constant_out_of_range_is_named(activation, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Dense(2, activation)
    with pytest.raises(ValueError, match="activation_forward: name (alpha|negative_slope) is"):
        kernels.activation_forward(activation, [[1.0]])


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "celu"])
@pytest.mark.parametrize(("value", "becomes"), [(1e300, "infinity"), (1e-320, "0")])
def test_a_constant_that_float32_does_not_hold_is_refused(name, value, becomes):
    if name == "celu" and value < 1:
        pytest.skip("out of its range in any type")
    message = f"of '{name}' is {value}, which float32 takes for {becomes}: expected a number from 1.4"
    with pytest.raises(ValueError, match=re.escape(message)):
        kernels.activation_forward((name, value), np.ones((1, 1), np.float32))
    with pytest.raises(ValueError, match=re.escape(message)):
        Sequential([Dense(2, (name, value))], input_size=3, dtype="float32")
    assert kernels.activation_forward((name, value), [[1.0]]).tolist() == [[1]]
    Sequential([Dense(2, (name, value))], input_size=3, dtype="float64")


@pytest.mark.parametrize("name", ["leaky_relu", "elu"])
def test_a_constant_of_0_makes_it_relu(name):
    z = np.linspace(-2, 2, 9).reshape(3, 3)
    np.testing.assert_array_equal(kernels.activation_forward((name, 0), z), np.maximum(z, 0))
