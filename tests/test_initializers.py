"""Initializers: what weights are drawn from, the same bits on every machine, and what chooses the default."""

import copy
import hashlib
import pickle
import signal
from statistics import NormalDist

import nets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpcore
from mlpcore import Constant, Dense, Normal, Orthogonal, Sequential, TruncatedNormal, Uniform, _core, catalogue
from mlpcore import initializers as module
from mlpcore.engine import Step

NAMES = catalogue.names("initializers")
STANDARD = NormalDist()
IN, OUT = 120, 80


def drawn(initializer, shape=(IN, OUT), seed=1, dtype="float64", segment=0):
    """The numbers of a segment of a dense step, w (out, in) or b (out,)."""
    net = _core.Net(shape[0], [Step("dense", units=shape[1])], dtype)
    net.initialize(0, segment, initializer, seed)
    return net.parameters(0)[segment].copy()


def distance(values, cdf):
    """Kolmogorov and Smirnov's, times sqrt(n): above 1.95 once in 1000."""
    values = np.sort(np.ravel(values))
    shares = np.array([cdf(value) for value in values])
    steps = np.arange(values.size + 1) / values.size
    return np.sqrt(values.size) * max(np.abs(shares - steps[:-1]).max(), np.abs(shares - steps[1:]).max())


def uniform_cdf(low, high):
    return lambda value: (value - low) / (high - low)


def truncated_cdf(sigma):
    below, within = STANDARD.cdf(-2), STANDARD.cdf(2) - STANDARD.cdf(-2)
    return lambda value: (STANDARD.cdf(value / sigma) - below) / within


@pytest.mark.parametrize(
    ("initializer", "low", "high"),
    [
        ("glorot_uniform", -np.sqrt(6 / (IN + OUT)), np.sqrt(6 / (IN + OUT))),
        ("he_uniform", -np.sqrt(6 / IN), np.sqrt(6 / IN)),
        ("lecun_uniform", -np.sqrt(3 / IN), np.sqrt(3 / IN)),
        ("uniform", -0.05, 0.05),
        (Uniform(2.0, 5.0), 2.0, 5.0),
    ],
)
def test_uniform_numbers(initializer, low, high):
    w = drawn(initializer)
    assert low <= w.min() < w.max() <= high
    assert distance(w, uniform_cdf(low, high)) < 1.95


@pytest.mark.parametrize(("initializer", "mean", "sigma"), [("normal", 0.0, 0.05), (Normal(3.0, 2.0), 3.0, 2.0)])
def test_normal_numbers(initializer, mean, sigma):
    w = drawn(initializer)
    assert distance(w, NormalDist(mean, sigma).cdf) < 1.95
    assert abs(w.mean() - mean) < 4 * sigma / np.sqrt(w.size)
    assert abs(w.std() / sigma - 1) < 4 / np.sqrt(2 * w.size)
    assert np.abs(w - mean).max() > 3 * sigma


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [
        ("glorot_normal", np.sqrt(2 / (IN + OUT))),
        ("he_normal", np.sqrt(2 / IN)),
        ("lecun_normal", np.sqrt(1 / IN)),
        ("truncated_normal", 0.05 * 0.87962566103423978),
        (TruncatedNormal(stddev=2.0), 2 * 0.87962566103423978),
    ],
)
def test_truncated_normal_numbers(initializer, deviation):
    w = drawn(initializer)
    sigma = deviation / 0.87962566103423978
    assert 1.95 * sigma < np.abs(w).max() <= 2 * sigma
    assert distance(w, truncated_cdf(sigma)) < 1.95
    assert abs(w.std() / deviation - 1) < 4 / np.sqrt(2 * w.size)


def test_normal_numbers_are_the_quantiles_of_the_uniform_ones():
    """Against Python's own text of the same algorithm, with the C library's logarithm."""
    uniform = drawn(Uniform(0.0, 1.0), (500, 400)).ravel()
    expected = np.array([STANDARD.inv_cdf(u) for u in uniform])
    np.testing.assert_allclose(drawn(Normal(0.0, 1.0), (500, 400)).ravel(), expected, rtol=1e-13)
    below, within = STANDARD.cdf(-2), STANDARD.cdf(2) - STANDARD.cdf(-2)
    expected = np.array([STANDARD.inv_cdf(below + within * u) for u in uniform])
    np.testing.assert_allclose(drawn(TruncatedNormal(0.0, 1.0), (500, 400)).ravel(), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("initializer", "value"), [("zeros", 0), ("ones", 1), ("constant", 0), (Constant(-2.5), -2.5)])
@pytest.mark.parametrize("segment", [0, 1])
def test_constants(initializer, value, segment):
    assert np.unique(drawn(initializer, segment=segment)).tolist() == [value]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**64 - 1))
def test_orthogonal_rows_or_columns(inputs, units, seed):
    w = drawn(Orthogonal(3.0), (inputs, units), seed) / 3.0
    gram = w @ w.T if units <= inputs else w.T @ w
    np.testing.assert_allclose(gram, np.eye(len(gram)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (1, 3), (3, 1), (30, 17)])
def test_an_orthogonal_matrix_is_q_of_the_normal_numbers_with_positive_r(shape):
    normal = drawn(Normal(0.0, 1.0), shape).T.reshape(min(shape), max(shape))  # in the order of memory
    q, r = np.linalg.qr(normal.T)
    expected = (q * np.sign(np.diag(r))).T  # rows are orthonormal
    w = drawn("orthogonal", shape).T  # as it lies in memory, (in, out)
    np.testing.assert_allclose(w if shape[0] < shape[1] else w.T, expected, rtol=0, atol=1e-12)


def test_orthogonal_matrices_prefer_no_direction():
    signs = np.array([drawn("orthogonal", (3, 2), seed)[0] for seed in range(400)])
    assert np.abs(signs.mean(axis=0)).max() < 4 * np.sqrt(1 / 3 / 400)
    assert abs((signs[:, 0] ** 2).mean() - 1 / 3) < 0.06


@pytest.mark.parametrize("name", NAMES)
def test_a_float_net_begins_with_the_rounded_numbers_of_a_double_net(name):
    for segment in (0, 1):
        np.testing.assert_array_equal(
            drawn(name, (30, 20), dtype="float32", segment=segment),
            drawn(name, (30, 20), segment=segment).astype(np.float32),
        )


@pytest.mark.parametrize("name", NAMES)
def test_numbers_follow_from_seed_layer_and_place_alone(name):
    w = drawn(name, (30, 20))
    np.testing.assert_array_equal(w, drawn(name, (30, 20)))
    if name not in ("zeros", "ones", "constant"):
        assert not np.isin(w, drawn(name, (30, 20), seed=2)).any()
        b = drawn(name, (30, 20), segment=1)
        assert len(set(b)) == 20
        assert not np.isin(b, w).any()


def all_bits():
    parts = [drawn(name, shape, dtype=dtype).tobytes() for name in NAMES for shape in [(33, 20), (5, 70)] for dtype in
             ("float32", "float64")]  # fmt: skip
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_the_numbers_have_the_golden_bits_on_every_instruction_set():
    before = _core.current_isa()
    try:
        found = set()
        for name in mlpcore.cpu.info()["available"]:
            _core.use_isa(name)
            found.add(all_bits())
    finally:
        _core.use_isa(before)
    assert found == {"8f654efc49e5a332721b143826e8b1388f4166df627d1d0fb90ffdeecf8beac0"}


def test_b_is_drawn_from_the_inputs_and_outputs_of_the_layer():
    b = drawn("he_uniform", (6, 5000), segment=1)
    assert distance(b, uniform_cdf(-1, 1)) < 1.95
    b = drawn("orthogonal", (6, 50), segment=1)
    assert np.linalg.norm(b) == pytest.approx(1, abs=1e-12)


def test_an_interrupted_draw_ends():
    net = _core.Net(1500, [Step("dense", units=1500)], "float64")
    calls = []

    class StopError(Exception):
        pass

    def handler(signum, frame):
        calls.append(signum)
        raise StopError

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(StopError):
            net.initialize(0, 0, "orthogonal", 1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    net.initialize(0, 0, "zeros", 1)  # the net is not left busy
    assert not net.params.any()


# ------------------------------------------------------------------------------------------------- layers and defaults


def test_the_activation_chooses_the_default_and_the_docstring_says_so():
    for name in catalogue.names("activations"):
        expected = module.default_of(name)
        assert Dense(2, name).kernel_initializer == expected
        if expected != "glorot_uniform":
            assert f'"{name}"' in Dense.__doc__.partition("kernel_initializer")[2].partition("bias_initializer")[0]
    assert {module.default_of(name) for name in ("linear", "relu", "sigmoid", "tanh", "softmax")} == {"glorot_uniform"}
    assert module.default_of("selu") == "lecun_normal"
    assert module.default_of(mlpcore.LeakyReLU(0.2)) == "he_uniform"
    assert {*module._HE, *module._LECUN} <= set(catalogue.names("activations"))


def test_layers_take_objects_and_keep_them(tmp_path):
    layers = [Dense(5, "tanh", kernel_initializer=Normal(stddev=0.5), bias_initializer=Uniform(1, 2)), Dense(2)]
    model = Sequential(layers, input_size=3, seed=4)
    assert ((layers[0].b >= 1) & (layers[0].b <= 2)).all()
    assert not layers[1].b.any()
    model.save(tmp_path / "model.safetensors")
    for other in (
        Sequential.load(tmp_path / "model.safetensors"),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ):
        assert other.layers[0].kernel_initializer == Normal(stddev=0.5)
        assert type(other.layers[0].bias_initializer) is Uniform
        assert repr(other) == repr(model)
    assert "bias_initializer=Uniform(minval=1.0, maxval=2.0)" in repr(layers[0])
    assert "bias_initializer" not in repr(layers[1])
    again = eval(repr(layers[0]).partition("  #")[0], vars(mlpcore))
    Sequential([again], input_size=3, seed=4)
    np.testing.assert_array_equal(again.w, layers[0].w)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(1, bias_initializer="nothing"), ValueError, "bias_initializer is 'nothing', expected one of"),
        (lambda: Dense(1, bias_initializer=None), ValueError, "bias_initializer is None, expected one of"),
        (lambda: Dense(1, kernel_initializer=3), ValueError, "kernel_initializer is 3, expected one of"),
        (lambda: Dense(1, kernel_initializer=("zeros", 1)), ValueError, "expected at most 0 after 'zeros'"),
        (
            lambda: Dense(1, kernel_initializer=mlpcore.ELU()),
            ValueError,
            "kernel_initializer is 'elu', expected one of",
        ),
        (lambda: Uniform(1.0, 0.5), ValueError, "maxval is 0.5, expected a number >= 1.0, which is minval"),
        (lambda: Dense(1, kernel_initializer=("uniform", 2)), ValueError, "maxval is 0.05, expected a number >= 2.0"),
        (lambda: Normal(stddev=-1), ValueError, "stddev is -1.0, expected a finite number >= 0"),
        (lambda: Constant(1e31), ValueError, "value is 1e[+]31, expected a finite number"),
        (lambda: Orthogonal("2"), TypeError, "gain is '2', expected a finite number"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, "zeros", 0), "segment is 2, expected less than 2"),
        ((1, 0, "zeros", 0), "segment is 0, expected less than 0"),
        ((0, -1, "zeros", 0), "segment is -1"),
        ((2, 0, "zeros", 0), "step is 2"),
        ((0, 0, ("normal", 0.0, -1.0), 0), "initializer.*stddev"),
        ((0, 0, ("zeros", 1.0), 0), "has 1 constants, 'zeros' has 0"),
    ],
)
def test_the_engine_refuses_what_it_cannot_draw(arguments, message):
    net = nets.dense_net([3, 2], ["relu"], "float32")
    with pytest.raises(ValueError, match=message):
        net.initialize(*arguments)
