"""gaussian_nll, the loss with two outputs for each column of y. Its gradients: test_gradients.py, beside all others."""

import everywhere
import mpmath
import numpy as np
import pytest

import mlpcore
from mlpcore import Dense, GaussianNLL, Sequential, gradcheck, kernels

DTYPES = ["float32", "float64"]


def by_hand(y_hat, y, epsilon=1e-6):
    """The loss of each row, for y (n, k) and y_hat (n, 2 k)."""
    mean, log_variance = np.split(y_hat, 2, axis=1)
    variance = np.maximum(np.exp(log_variance), epsilon)
    return (np.log(variance) + (mean - y) ** 2 / variance).sum(axis=1) / 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 2, 9, 40])
def test_it_is_the_logarithm_of_a_normal_distribution(k, dtype):
    rng = np.random.default_rng(k)
    x, y, weight = rng.normal(size=(7, 3)), rng.normal(size=(7, k)), rng.uniform(0.5, 2, 7)
    model = Sequential([Dense(2 * k)], input_size=3, seed=1, dtype=dtype)
    expected = np.average(by_hand(model.predict(x).astype(float), y), weights=weight)
    rel = 64 * float(np.finfo(dtype).eps)
    assert model.evaluate(x, y, "gaussian_nll", sample_weight=weight) == {"loss": pytest.approx(expected, rel=rel)}
    model.forward(x)
    assert model.backward(y, GaussianNLL(), sample_weight=weight) == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_term_and_its_slopes_are_right_to_a_few_ulp(dtype):
    """The two terms of the loss may cancel: the error is measured against them."""
    eps = 8 * float(np.finfo(dtype).eps)
    with mpmath.workdps(40):
        for mean, log_v, y in [(0.3, -2, 0.1), (5, 3, -5), (1, -13, 1.001), (-2, 20, 7), (0.5, 0, 0.5)]:
            y_hat, of_y = np.array([[mean, log_v]], dtype), np.array([[y, 0]], dtype)
            miss = mpmath.mpf(float(y_hat[0, 0])) - mpmath.mpf(float(of_y[0, 0]))
            part = miss / mpmath.exp(mpmath.mpf(float(y_hat[0, 1])))
            size = float(abs(log_v) + miss * part) / 2
            assert kernels.loss_value("gaussian_nll", y_hat, of_y) == pytest.approx(
                float((log_v + miss * part) / 2), abs=eps * size
            )
            slopes = kernels.loss_gradient("gaussian_nll", y_hat, of_y)[0]
            assert slopes[0] == pytest.approx(float(part), rel=eps)
            assert slopes[1] == pytest.approx(float((1 - miss * part) / 2), abs=eps * float(1 + miss * part))


@pytest.mark.parametrize("activation", ["linear", "tanh", "softplus", "softmax"])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 3), (2, 17)])
def test_the_gradient_of_a_model_agrees(n, k, activation):
    rng = np.random.default_rng(0)
    model = Sequential([Dense(4, "tanh"), Dense(2 * k, activation)], input_size=3, seed=1, dtype="float64")
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(n, k))
    for loss in ("gaussian_nll", GaussianNLL(epsilon=0.5)):
        report = gradcheck.check_model(model, x, y, loss, sample_weight=rng.uniform(0.5, 2, n))
        assert report.ok, report


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_variance_below_epsilon_counts_as_epsilon_and_its_gradient_is_0(dtype):
    for log_v in (-15.0, -700.0, -1e4, -np.inf):
        y_hat, y = np.array([[2.0, log_v]], dtype), np.array([[1.0, 0.0]], dtype)
        assert kernels.loss_value("gaussian_nll", y_hat, y) == pytest.approx((np.log(1e-6) + 1e6) / 2, rel=1e-5)
        mean, spread = kernels.loss_gradient("gaussian_nll", y_hat, y)[0]
        assert (mean, spread) == (pytest.approx(1e6, rel=1e-5), 0)
    at = {"y_hat": [[2.0, -15.0], [0.5, 0.5]], "y": [[1.0, 0.0], [1.0, 0.0]]}
    assert gradcheck.check_kernel("gaussian_nll", at).ok
    for far in (1e4, -1e4):  # exactly hit, or with a variance beyond all numbers
        assert np.isfinite(kernels.loss_value("gaussian_nll", np.array([[1, far]], dtype), np.array([[1, 0]], dtype)))
    for place in (0, 1):
        y_hat = np.zeros((1, 2), dtype)
        y_hat[0, place] = np.nan
        assert np.isnan(kernels.loss_value("gaussian_nll", y_hat, np.zeros((1, 2), dtype)))


def test_in_kernels_what_of_y_has_no_output_of_its_own_is_not_read():
    y_hat, y = np.array([[1.0, 2.0, 0.5, -0.5, 9.0]]), np.array([[0.0, 1.0, np.nan, np.nan, np.nan]])
    assert kernels.loss_value("gaussian_nll", y_hat, y) == pytest.approx(by_hand(y_hat[:, :4], y[:, :2])[0])
    gradient = kernels.loss_gradient("gaussian_nll", y_hat, y)
    assert np.isfinite(gradient).all()
    assert gradient[0, 4] == 0
    in_place = y_hat.copy()
    assert np.array_equal(kernels.loss_gradient("gaussian_nll", in_place, y, out=in_place), gradient)


def test_it_trains_with_the_same_bits_everywhere_and_learns_mean_and_variance():
    x = np.linspace(-1, 1, 100).reshape(100, 1)
    y = x[:, 0] + np.random.default_rng(0).normal(size=100) * np.where(x[:, 0] < 0, 0.05, 0.5)

    def trained(epochs=1):
        model = Sequential([Dense(8, "tanh"), Dense(2)], input_size=1, seed=1)
        history = model.fit(x, y, "gaussian_nll", optimizer=mlpcore.Adam(0.02), epochs=epochs, progress=False)
        assert list(history) == ["loss"]
        return model

    assert len(everywhere.bits_everywhere(trained)) == 1
    model = trained(200)
    mean, log_variance = model.predict([[-0.5], [0.5]]).T
    assert mean == pytest.approx([-0.5, 0.5], abs=0.25)
    assert log_variance[0] < -3 < log_variance[1] < 0


@pytest.mark.parametrize(
    ("out", "y", "message"),
    [
        (3, [[1.0], [2.0]], r"the model has 3 outputs, expected an even number for loss 'gaussian_nll': a mean for"),
        (1, [1.0, 2.0], r"the model has 1 outputs, expected an even number"),
        (4, [1.0, 2.0], r"y has shape \(2,\), expected \(2, 2\): loss 'gaussian_nll' takes half as many columns"),
        (
            2,
            [[1.0, 2.0], [3.0, 4.0]],
            r"y has shape \(2, 2\), expected \(2,\) or \(2, 1\): loss 'gaussian_nll' takes half",
        ),
        (2, [1.0, np.nan], r"y has nan, row 1"),
    ],
)
def test_wrong_widths_are_named(out, y, message):
    model = Sequential([Dense(out)], input_size=1, seed=1)
    model.forward([[1.0], [2.0]])
    for call in (
        lambda: model.fit([[1.0], [2.0]], y, "gaussian_nll", progress=False),
        lambda: model.evaluate([[1.0], [2.0]], y, "gaussian_nll"),
        lambda: model.backward(y, "gaussian_nll"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert model.epochs_trained == 0


@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.nan, np.inf])
def test_epsilon_is_above_0(epsilon):
    with pytest.raises(ValueError, match="epsilon is .*, expected a finite number >= 1e-30"):
        GaussianNLL(epsilon)


def test_metrics_of_the_catalogue_are_refused_and_functions_see_the_columns_of_y():
    x, y = np.arange(6.0).reshape(6, 1), np.arange(12.0).reshape(6, 2)
    model = Sequential([Dense(4, kernel_initializer="zeros")], input_size=1, seed=1)

    def miss(y, y_hat):
        return np.abs(y - y_hat[:, :2]).mean()

    measured = model.evaluate(x, y, "gaussian_nll", metrics=[miss])
    assert measured["miss"] == pytest.approx(5.5)
    history = model.fit(x, y, "gaussian_nll", optimizer=mlpcore.SGD(0.0), metrics=[miss], progress=False)
    assert history["miss"] == pytest.approx([5.5])
    with pytest.raises(ValueError, match=r"metrics\[0\] is 'mae', .* loss 'gaussian_nll' has two for each number of y"):
        model.fit(x, y, "gaussian_nll", metrics=["mae"], progress=False)
