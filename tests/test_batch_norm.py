"""BatchNorm: moments of the batch, running means, and what a weight counts in them."""

import numpy as np
import pytest

from mlpcore import SGD, Adam, BatchNorm, Dense, Residual, Sequential
from mlpcore.gradcheck import check_model

RNG = np.random.default_rng(1)
X, Y = RNG.normal(2, 3, (12, 5)), RNG.normal(size=(12, 5))
WEIGHT = np.array([1, 2, 1, 3, 1, 1, 2, 1, 1, 4, 1, 1])


def alone(dtype="float64", **options):
    return Sequential([BatchNorm(**options)], input_size=5, dtype=dtype)


def normalised(x, epsilon=1e-3, weight=None):
    mean = np.average(x, axis=0, weights=weight)
    return (x - mean) / np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight) + epsilon)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 1e-14)])
def test_training_takes_the_moments_of_the_batch(dtype, tolerance):
    model = alone(dtype, epsilon=0.1)
    layer = model.layers[0]
    layer.gamma, layer.beta = [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]
    y = model.forward(X, training=True)
    np.testing.assert_allclose(y, normalised(X, 0.1) * layer.gamma + layer.beta, rtol=tolerance, atol=5 * tolerance)
    model.backward(Y, "mse")
    grad_y = 2 * (y - Y) / Y.size
    np.testing.assert_allclose(layer.grad_beta, grad_y.sum(axis=0), rtol=10 * tolerance, atol=tolerance)
    np.testing.assert_allclose(layer.grad_gamma, (grad_y * normalised(X, 0.1)).sum(axis=0), rtol=1e-4, atol=tolerance)


def test_running_means_move_as_the_docstring_says():
    model = alone(momentum=0.75)
    layer = model.layers[0]
    assert (layer.running_mean == 0).all()
    assert (layer.running_variance == 1).all()
    mean, variance = np.zeros(5), np.ones(5)
    for batch in (X[:4], X[4:7], X[7:8]):
        model.forward(batch, training=True)
        mean, variance = 0.75 * mean + 0.25 * batch.mean(axis=0), 0.75 * variance + 0.25 * batch.var(axis=0)
        np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(layer.running_variance, variance, rtol=1e-14)
    expected = (X - mean) / np.sqrt(variance + 1e-3)
    for y in (model.predict(X), model.forward(X)):
        np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-14)
    assert model.evaluate(X, Y, "mse")["loss"] == pytest.approx(((expected - Y) ** 2).mean(), rel=1e-13)
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-14, atol=1e-15)


def test_without_training_the_running_means_are_constants_in_backward():
    model = Sequential([Dense(5), BatchNorm(), Dense(5)], input_size=5, dtype="float64", seed=1)
    model.fit(X, Y, "mse", epochs=3, progress=False)
    model.forward(X)
    model.backward(Y, "mse")
    below, layer, above = model.layers
    factor = layer.gamma / np.sqrt(layer.running_variance + 1e-3)
    np.testing.assert_allclose(below.phi, above.phi @ above.w * factor, rtol=1e-13)


def test_a_column_that_is_constant_becomes_beta_to_the_bit():
    for dtype in ("float32", "float64"):
        for value in (0.1, 1e6 / 3, 1e30):
            model = alone(dtype)
            model.layers[0].beta = [1, 2, 3, 4, 5]
            x = np.full((7, 5), value)
            assert (model.forward(x, training=True) == [1, 2, 3, 4, 5]).all()


def test_a_batch_of_one_row_is_beta_and_moves_the_means():
    model = alone(momentum=0.5)
    model.layers[0].beta = [1, 2, 3, 4, 5]
    assert model.forward(X[:1], training=True).tolist() == [[1, 2, 3, 4, 5]]
    np.testing.assert_allclose(model.layers[0].running_mean, X[0] / 2)
    np.testing.assert_allclose(model.layers[0].running_variance, 0.5)


def test_moments_of_numbers_far_from_0_keep_their_digits():
    """In float32 a sum of squares minus a square of sums would leave nothing of these."""
    x = (1000 + RNG.normal(size=(500, 5))).astype("float32")
    y = alone("float32").forward(x, training=True)
    np.testing.assert_allclose(y, normalised(x.astype(float)), atol=1e-4)


# -------------------------------------------------------------------------------------------------------------- weights


def test_a_row_of_weight_2_counts_as_if_it_came_twice():
    def model():
        return Sequential([Dense(4), BatchNorm(), Dense(5)], input_size=5, dtype="float64", seed=2)

    once, often = model(), model()
    repeated = np.repeat(np.arange(12), WEIGHT)
    for each, rows, weight in ((once, np.arange(12), WEIGHT), (often, repeated, None)):
        each.forward(X[rows], training=True, sample_weight=weight)
        each.backward(Y[rows], "mse", sample_weight=weight)
    np.testing.assert_allclose(once._built().state, often._built().state, rtol=1e-13)
    np.testing.assert_allclose(once._built().grads, often._built().grads, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_weighs_the_moments_as_forward_does(dtype):
    weight = WEIGHT / 8
    weight[3] = 0
    fitted, by_hand, filtered = (alone(dtype, momentum=0.5) for _ in range(3))
    fitted.fit(X, Y, "mse", sample_weight=weight, shuffle=False, progress=False, optimizer=SGD(0.0))
    by_hand.forward(X, training=True, sample_weight=weight)
    filtered.forward(X[weight > 0], training=True, sample_weight=weight[weight > 0])
    partial = alone(dtype, momentum=0.5).partial_fit(X, Y, "mse", sample_weight=weight, shuffle=False, optimizer=SGD(0))
    states = {model._built().state.tobytes() for model in (fitted, by_hand, filtered, partial)}
    assert len(states) == 1
    mean = np.average(X, axis=0, weights=weight)
    np.testing.assert_allclose(fitted.layers[0].running_mean, mean / 2, rtol=1e-6)


def test_the_last_batch_of_fit_can_be_passed_back_again():
    model = Sequential([Dense(4), BatchNorm(), Dense(5)], input_size=5, dtype="float64", seed=2)
    model.fit(X, Y, "mse", sample_weight=WEIGHT, shuffle=False, progress=False, optimizer=SGD(0.0))
    grads = model._built().grads.copy()
    model.backward(Y, "mse", sample_weight=WEIGHT)
    np.testing.assert_allclose(model._built().grads, grads, rtol=1e-10, atol=1e-14)


def test_weights_matter_to_the_moments_in_training_alone():
    model = alone()
    np.testing.assert_array_equal(model.forward(X, sample_weight=WEIGHT), model.forward(X))
    assert (model.forward(X, training=True, sample_weight=WEIGHT) != model.forward(X, training=True)).any()


@pytest.mark.parametrize("weight", [np.ones(11), -np.ones(12), np.zeros(12), np.full(12, np.nan), "twelve"])
def test_wrong_weights_are_refused_and_change_nothing(weight):
    model = alone()
    model.forward(X, training=True)
    before = model._built().state.tobytes()
    with pytest.raises((TypeError, ValueError), match="sample_weight"):
        model.forward(X, training=True, sample_weight=weight)
    assert model._built().state.tobytes() == before
    unbuilt = Sequential([BatchNorm()])
    with pytest.raises((TypeError, ValueError), match="sample_weight"):
        unbuilt.forward(X, training=True, sample_weight=weight)
    assert unbuilt.input_size is None


# ------------------------------------------------------------------------------------------------ running numbers


def test_running_means_are_saved_by_name(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    model = Sequential([Residual([BatchNorm()]), Dense(2)], input_size=5, seed=1)
    model.forward(X, training=True)
    model.save(tmp_path / "model")
    tensors = safetensors.load_file(tmp_path / "model")
    layer = model.layers[0].layers[0]
    for name in ("running_mean", "running_variance", "gamma", "beta"):
        np.testing.assert_array_equal(tensors[f"layers.0.layers.0.{name}"], getattr(layer, name))
    assert "layers.0.layers.0.running_mean" not in model._built().params
    layer.running_mean[0] = np.nan
    model.save(tmp_path / "model")
    with pytest.warns(UserWarning, match=r"layers\.0\.layers\.0\.running_mean holds numbers that are not finite"):
        Sequential.load(tmp_path / "model")


def test_running_means_can_be_set_and_outlive_the_model():
    model = alone()
    layer = model.layers[0]
    layer.running_mean, layer.running_variance = [1, 2, 3, 4, 5], [4, 4, 4, 4, 4]
    np.testing.assert_allclose(model.predict(X), (X - [1, 2, 3, 4, 5]) / np.sqrt(4.001), rtol=1e-13)
    with pytest.raises(ValueError, match=r"running_variance has shape \(1,\), expected \(5,\)"):
        layer.running_variance = [1.0]
    view = layer.running_mean
    del model, layer
    assert view.tolist() == [1, 2, 3, 4, 5]


def test_no_optimizer_touches_them():
    model = alone(momentum=0.0)
    model.fit(X, Y, "mse", optimizer=Adam(0.5), epochs=3, batch_size=12, shuffle=False, progress=False)
    np.testing.assert_allclose(model.layers[0].running_mean, X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(model.layers[0].running_variance, X.var(axis=0), rtol=1e-13)


def test_inputs_that_are_its_own_memory_are_read_before_it_is_written():
    model = Sequential([BatchNorm()], input_size=1, dtype="float64")
    layer = model.layers[0]
    x = layer.running_variance.reshape(1, 1)
    model.forward(x, training=True)
    np.testing.assert_allclose(layer.running_mean, 0.01)


@pytest.mark.parametrize("training", [False, True])
def test_a_check_of_gradients_leaves_the_model_as_it_is(training):
    model = Sequential([Dense(4), BatchNorm(), Dense(5)], input_size=5, seed=2)
    model.fit(X, Y, "mse", epochs=2, progress=False)
    before = model._built().params.tobytes(), model._built().state.tobytes()
    assert check_model(model, X, Y, "mse", training=training, progress=False).ok
    assert (model._built().params.tobytes(), model._built().state.tobytes()) == before
