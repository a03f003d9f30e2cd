"""Dropout: the mask, who computes it, and what it leaves alone."""

import copy
import pickle

import numpy as np
import pytest

from mlpcore import SGD, Adam, AlphaDropout, Dense, Dropout, Residual, Sequential
from mlpcore.gradcheck import check_model

X = np.linspace(-1, 1, 60).reshape(12, 5)
Y = np.arange(12) % 3


ALPHA_LOW = -1.0507009873554804934 * 1.6732632423543772848


def model(rate=0.4, dtype="float32", seed=7):
    layers = [Dropout(rate), Dense(16, "relu"), Residual([Dropout(rate), Dense(16, "tanh")]), Dropout(rate)]
    return Sequential([*layers, Dense(3, "softmax")], input_size=5, dtype=dtype, seed=seed)


def philox(counter, key):
    """Philox4x32-10 of Salmon et al. 2011, in Python's integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def test_philox_as_published():
    """The known answers that come with the paper's software (Random123)."""
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_mask_drops_its_share_and_scales_the_rest(rate, dtype):
    one = Sequential([Dropout(rate), Dense(1)], input_size=400, dtype=dtype, seed=1)
    one.forward(np.ones((500, 400)), training=True)
    a = one.layers[0].a
    kept = a != 0
    assert abs(kept.mean() - (1 - rate)) < 5 * np.sqrt(rate * (1 - rate) / a.size)
    assert np.unique(a[kept]).tolist() == pytest.approx([1 / (1 - rate)], rel=1e-6)
    for shares in (kept.mean(axis=0), kept.mean(axis=1)):  # no row and no column is treated differently
        assert np.abs(shares - (1 - rate)).max() < 6 * np.sqrt(rate * (1 - rate) / 400)


def test_backward_uses_the_mask_of_forward():
    one = Sequential([Dense(30), Dropout(0.5), Dense(2)], input_size=5, dtype="float64", seed=3)
    one.forward(X, training=True)
    one.backward(Y[:, None] * np.ones(2), "mse")
    below, drop, above = one.layers
    mask = np.where(drop.a == 0, 0.0, 2.0)
    np.testing.assert_array_equal(drop.a, below.a * mask)
    np.testing.assert_allclose(below.phi, (above.phi @ above.w) * mask, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_mask_is_the_same_whoever_computes_it(dtype):
    """fit, partial_fit and steps by hand give the same bits, and so does a training that is interrupted and goes on."""
    options = {"batch_size": 5, "shuffle": False}
    trained = [model(dtype=dtype) for _ in range(4)]
    trained[0].fit(X, Y, "cce", optimizer=Adam(), epochs=3, progress=False, **options)
    optimizer = Adam()
    for _ in range(3):
        trained[1].fit(X, Y, "cce", optimizer=optimizer, epochs=1, progress=False, **options)
    optimizer = Adam()
    for epoch in range(3):
        if epoch == 1:
            trained[2], optimizer = pickle.loads(pickle.dumps((trained[2], optimizer)))
        trained[2].fit(X, Y, "cce", optimizer=optimizer, epochs=1, progress=False, **options)
    optimizer = Adam()
    for _ in range(3):
        trained[3].partial_fit(X, Y, "cce", optimizer=optimizer, **options)
    for other in trained[1:]:
        assert other._built().params.tobytes() == trained[0]._built().params.tobytes()
    epoch, steps, optimizer = model(dtype=dtype), model(dtype=dtype), Adam()
    epoch.fit(X, Y, "cce", optimizer=Adam(), epochs=1, progress=False, **options)
    for begin in range(0, 12, 5):
        steps.forward(X[begin : begin + 5], training=True)
        steps.backward(Y[begin : begin + 5], "cce")
        steps.update(optimizer)
    assert steps._built().params.tobytes() == epoch._built().params.tobytes()


def test_every_batch_epoch_layer_and_seed_has_its_own_mask():
    def masks(seed):
        one = Sequential([Dropout(0.5), Dropout(0.5), Dense(1)], input_size=64, seed=seed)
        answers, optimizer = [], SGD(0.0)
        for _ in range(2):
            for _ in range(2):
                one.forward(np.ones((3, 64)), training=True)
                first, second = (layer.a != 0 for layer in one.layers[:2])
                answers += [first.tobytes(), second[first].tobytes()]
                one.backward(np.zeros((3, 1)), "mse")
                one.update(optimizer)
            one.fit(np.ones((6, 64)), np.zeros(6), "mse", optimizer=optimizer, batch_size=3, progress=False)
        return answers

    assert len({*masks(1), *masks(2)}) == 16
    assert masks(1) == masks(1)


def test_prediction_drops_nothing():
    one = model(dtype="float64")
    dense = [layer for layer in one.layers if isinstance(layer, Dense)]
    inner = one.layers[2].layers[1]
    a = np.maximum(X @ dense[0].w.T + dense[0].b, 0)
    a = a + np.tanh(a @ inner.w.T + inner.b)
    z = a @ dense[1].w.T + dense[1].b
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(one.predict(X), expected, rtol=1e-12)
    np.testing.assert_array_equal(one.forward(X), one.predict(X))
    assert not np.array_equal(one.forward(X, training=True), one.predict(X))
    loss = -np.log(expected[np.arange(12), Y]).mean()
    assert one.evaluate(X, Y, "cce")["loss"] == pytest.approx(loss, rel=1e-12)


def test_a_rate_of_0_changes_no_bit():
    plain = Sequential([Dense(8, "tanh"), Dense(3, "softmax")], input_size=5, seed=1)
    dropped = Sequential([Dense(8, "tanh"), Dropout(0.0), Dense(3, "softmax")], input_size=5, seed=1)
    for (_, mine), (_, other) in zip(
        [(0, layer) for layer in plain.layers],
        [(0, layer) for layer in dropped.layers if isinstance(layer, Dense)],
        strict=True,
    ):
        other.w, other.b = mine.w, mine.b
    for each in (plain, dropped):
        each.fit(X, Y, "cce", optimizer=SGD(0.1), batch_size=4, shuffle=False, progress=False)
    np.testing.assert_array_equal(plain.predict(X), dropped.predict(X))


@pytest.mark.parametrize("count", [1, 3])
def test_one_sample_and_one_unit(count):
    one = Sequential([Dropout(0.5), Dense(1), Dropout(0.5)], input_size=1, dtype="float64", seed=5)
    for _ in range(8):
        y_hat = one.forward(np.ones((count, 1)), training=True)
        x = one.layers[0].a
        np.testing.assert_allclose(one.layers[1].a, x * one.layers[1].w[0, 0] + one.layers[1].b[0])
        assert np.isin(y_hat / np.where(one.layers[1].a == 0, 1, one.layers[1].a), [0.0, 2.0]).all()
        one.backward(np.ones((count, 1)), "mse")
        one.update(SGD(0.0))


@pytest.mark.parametrize("layer", [Dropout, AlphaDropout])
@pytest.mark.parametrize("rate", [-0.1, 1.0, 1, np.nan, "0.5", None, True])
def test_a_rate_out_of_range_is_refused(rate, layer):
    with pytest.raises((TypeError, ValueError), match="rate"):
        layer(rate)


def test_copies_and_files_keep_the_rate(tmp_path):
    one = model(0.35)
    one.save(tmp_path / "model.safetensors")
    for other in (copy.copy(one), copy.deepcopy(one), Sequential.load(tmp_path / "model.safetensors")):
        assert other.layers[0].rate == other.layers[2].layers[0].rate == 0.35
        np.testing.assert_array_equal(other.forward(X, training=True), one.forward(X, training=True))
    assert repr(one.layers[0]).startswith("Dropout(0.35)")


# -------------------------------------------------------------------------------------------------------- alpha dropout


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.5, 0.9])
def test_alpha_dropout_is_its_equation_with_the_mask_of_dropout(rate, dtype):
    x = np.random.default_rng(0).normal(size=(200, 300)).astype(dtype)
    y, masked = (
        Sequential([layer], input_size=300, dtype=dtype, seed=5).forward(x, training=True)
        for layer in (AlphaDropout(rate), Dropout(rate))
    )
    kept = (masked != 0) | (x == 0)
    a = ((1 - rate) * (1 + rate * ALPHA_LOW**2)) ** -0.5
    b = -a * rate * ALPHA_LOW
    np.testing.assert_allclose(
        y, a * np.where(kept, x, ALPHA_LOW) + b, rtol=1e-12, atol=1e-6 if dtype == "float32" else 1e-14
    )
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.03
    assert len(np.unique(y[~kept])) <= 1


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Dense(4, "selu"), AlphaDropout(0.3), Dense(3, "selu"), AlphaDropout(0.3)],
        lambda: [AlphaDropout(0.3), Residual([AlphaDropout(0.5), Dense(5, "tanh"), AlphaDropout(0.1)]), Dense(3)],
        lambda: [Dense(3), AlphaDropout(0.0)],
        lambda: [Dense(1), AlphaDropout(0.5), Dense(3)],
    ],
)
@pytest.mark.parametrize("rows", [1, 12])
def test_the_gradients_of_alpha_dropout_agree_with_differences(layers, rows):
    one = Sequential(layers(), input_size=5, dtype="float64", seed=2)
    for training in (False, True):
        report = check_model(one, X[:rows], np.ones((rows, 3)), "mse", training=training, progress=False)
        assert report.ok, report


def test_alpha_dropout_predicts_nothing_else_and_is_kept_in_files(tmp_path):
    one = Sequential([Dense(8, "selu"), AlphaDropout(0.25), Dense(3, "softmax")], input_size=5, seed=1)
    plain = Sequential([Dense(8, "selu"), Dense(3, "softmax")], input_size=5, seed=1)
    plain.layers[1].w = one.layers[2].w
    np.testing.assert_array_equal(one.predict(X), plain.predict(X))
    one.save(tmp_path / "model.safetensors")
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one)), Sequential.load(tmp_path / "model.safetensors")):
        assert repr(other.layers[1]).startswith("AlphaDropout(0.25)")
        np.testing.assert_array_equal(other.forward(X, training=True), one.forward(X, training=True))
