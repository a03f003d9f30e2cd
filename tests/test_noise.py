"""GaussianNoise: what is added, who computes it, and what it leaves alone."""

import copy
import pickle
from statistics import NormalDist

import numpy as np
import pytest
from everywhere import bits_everywhere, train_batches
from test_dropout import philox

from mlpcore import LBFGS, Adam, Dense, GaussianNoise, Residual, Sequential
from mlpcore.gradcheck import check_model

X = np.linspace(-1, 1, 60).reshape(12, 5)
Y = np.eye(3)[np.arange(12) % 3]


def model(stddev=0.3, dtype="float32", seed=7):
    """Noise first, in an epilogue, in a branch, twice in a row and, below the head, last."""
    branch = Residual([GaussianNoise(stddev), Dense(16, "tanh")])
    layers = [GaussianNoise(stddev), Dense(16, "relu"), GaussianNoise(stddev), GaussianNoise(stddev), branch]
    return Sequential([*layers, Dense(3), GaussianNoise(stddev)], input_size=5, dtype=dtype, seed=seed)


def key_of(seed, layer):
    """The key of a layer's random words: draw 0 of purpose 2."""
    block = philox([0, 0, layer, 2], [seed & 0xFFFFFFFF, seed >> 32])
    return block[:2]


def word(i, key, batch=0):
    """Random word number i, as csrc/reference/dropout.c counts."""
    group, number = divmod(i, 64)
    block = philox([group * 16 + number % 16, 0, batch & 0xFFFFFFFF, batch >> 32], key)
    return block[number // 16]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_noise_is_the_normal_quantile_of_the_random_words(dtype):
    one = Sequential([Dense(40), GaussianNoise(0.5)], input_size=5, dtype=dtype, seed=2**40 + 9)
    one.forward(X, training=True)
    below, noise = one.layers
    key = key_of(2**40 + 9, 1)
    words = np.array([word(i, key) for i in range(12 * 40)])
    steps, bits = (words >> 9, 23) if dtype == "float32" else (words, 32)
    z = [NormalDist().inv_cdf(p) for p in np.ldexp(steps + 0.5, -bits)]
    expected = below.a + 0.5 * np.reshape(z, (12, 40))
    np.testing.assert_allclose(noise.a, expected, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_noise_is_normal_and_independent(dtype):
    """Kolmogorov and Smirnov's distance, which is above 1.95 / sqrt(n) once in 1000; and the correlations."""
    one = Sequential([GaussianNoise(2.0)], input_size=500, dtype=dtype, seed=1)
    z = one.forward(np.zeros((400, 500)), training=True) / 2
    ordered = np.sort(z, axis=None).astype(np.float64)
    cdf = np.array([NormalDist().cdf(each) for each in ordered[::20]])
    assert np.abs(cdf - np.arange(0, z.size, 20) / z.size).max() < 1.95 / np.sqrt(z.size)
    for other in (z[:, 1:] * z[:, :-1], z[1:] * z[:-1]):
        assert abs(other.mean()) < 5 / np.sqrt(z.size)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / z.size)


def test_every_batch_layer_and_seed_has_its_own_noise_and_prediction_none():
    seen = set()
    for seed in (1, 2):
        one = Sequential([GaussianNoise(1.0), GaussianNoise(1.0), Dense(1)], input_size=8, seed=seed)
        for _ in range(2):
            one.forward(np.zeros((3, 8)), training=True)
            first, second = (layer.a for layer in one.layers[:2])
            seen |= {first.tobytes(), (second - first).tobytes()}
            one.backward(np.zeros((3, 1)), "mse")
            one.update(Adam())
        np.testing.assert_array_equal(one.forward(np.ones((3, 8))), one.predict(np.ones((3, 8))))
        np.testing.assert_array_equal(one.layers[1].a, np.ones((3, 8)))
    assert len(seen) == 8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_noise_is_the_same_whoever_computes_it(dtype):
    """fit, a fit that goes on, and steps by hand give the same bits, on every instruction set."""
    options = {"batch_size": 5, "shuffle": False, "progress": False}

    def trained():
        whole, parts, steps, first = (model(dtype=dtype) for _ in range(4))
        whole.fit(X, Y, "mse", optimizer=Adam(), epochs=2, **options)
        optimizer = Adam()
        parts.fit(X, Y, "mse", optimizer=optimizer, epochs=1, **options)
        parts, optimizer = pickle.loads(pickle.dumps((parts, optimizer)))
        parts.fit(X, Y, "mse", optimizer=optimizer, epochs=1, **options)
        first.fit(X, Y, "mse", optimizer=Adam(), epochs=1, **options)
        train_batches(steps, X, Y, "mse", Adam(), 3, size=5)
        assert parts._built().params.tobytes() == whole._built().params.tobytes()
        assert steps._built().params.tobytes() == first._built().params.tobytes()
        return whole

    assert len(bits_everywhere(trained)) == 1


@pytest.mark.parametrize("rows", [1, 12])
@pytest.mark.parametrize("training", [False, True])
def test_gradients_agree_with_differences(rows, training):
    one = model(dtype="float64")
    report = check_model(one, X[:rows], np.ones((rows, 3)), "mse", training=training, progress=False)
    assert report.ok, report


def test_noise_of_deviation_0_changes_nothing():
    one = Sequential([GaussianNoise(0.0), Dense(3)], input_size=5, dtype="float64", seed=1)
    np.testing.assert_array_equal(one.forward(X, training=True), one.predict(X))


@pytest.mark.parametrize("stddev", [-0.1, 1e30, np.inf, np.nan, "0.5", None, True])
def test_a_deviation_out_of_range_is_refused(stddev):
    with pytest.raises((TypeError, ValueError), match="stddev"):
        GaussianNoise(stddev)


def test_lbfgs_refuses_it():
    with pytest.raises(ValueError, match=r"layers.0, GaussianNoise\(0.3\), draws random numbers"):
        model().fit(X, Y, "mse", optimizer=LBFGS(), progress=False)


def test_copies_and_files_keep_the_deviation(tmp_path):
    one = model(0.35)
    one.save(tmp_path / "model.safetensors")
    for other in (copy.copy(one), copy.deepcopy(one), Sequential.load(tmp_path / "model.safetensors")):
        assert other.layers[0].stddev == other.layers[4].layers[0].stddev == 0.35
        np.testing.assert_array_equal(other.forward(X, training=True), one.forward(X, training=True))
    assert repr(one.layers[0]).startswith("GaussianNoise(0.35)")
