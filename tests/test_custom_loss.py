"""Losses written in Python: as exact as those in C with every output activation, and safe when they fail."""

import threading

import numpy as np
import pytest
from everywhere import train_batches

from mlpcore import SGD, Activation, Adam, CustomActivation, CustomLoss, Dense, Dropout, Residual, Sequential, catalogue
from mlpcore.gradcheck import check_kernel, check_model

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), RNG.uniform(0.05, 0.95, size=(40, 3))
WEIGHT = RNG.uniform(0.2, 3, 40)
OUTPUTS = catalogue.names("activations")


class NumpyMSE(CustomLoss):
    def value(self, y_hat, y):
        return ((y_hat - y) ** 2).mean(axis=1)

    def gradient(self, y_hat, y):
        return 2 * (y_hat - y) / y.shape[1]


class NumpyBCE(CustomLoss):
    def value(self, y_hat, y):
        return -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)).sum(axis=1)

    def gradient(self, y_hat, y):
        return (y_hat - y) / (y_hat * (1 - y_hat))


class CustomTanh(CustomActivation):
    def forward(self, z):
        return np.tanh(z)

    def backward(self, grad_a, z, a):
        return grad_a * (1 - a * a)


def models(output, dtype="float64", count=2):
    layers = [[Dense(8, "tanh"), Dense(3, output)] for _ in range(count)]
    return [Sequential(each, input_size=6, dtype=dtype, seed=1) for each in layers]


def same(mine, other):
    np.testing.assert_allclose(other._built().params, mine._built().params, rtol=1e-12, atol=1e-12)
    assert other.history["loss"] == pytest.approx(mine.history["loss"], rel=1e-12)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("optimizer", [lambda: SGD(0.05, momentum=0.9), lambda: Adam(0.01)])
def test_it_trains_as_the_one_in_c_with_every_output(output, optimizer):
    pair = models(output)
    for model, loss in zip(pair, ("mse", NumpyMSE()), strict=True):
        model.fit(X, Y, loss, optimizer=optimizer(), epochs=3, batch_size=7, progress=False)
    same(*pair)
    assert pair[1].evaluate(X, Y, NumpyMSE()) == pytest.approx(pair[0].evaluate(X, Y, "mse"), rel=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 40])
@pytest.mark.parametrize("shuffle", [True, False])
def test_it_trains_as_the_one_in_c_with_weights_and_batches_of_any_size(batch_size, shuffle):
    pair = models("sigmoid")
    for model, loss in zip(pair, ("bce", NumpyBCE()), strict=True):
        model.fit(X, Y, loss, epochs=3, batch_size=batch_size, shuffle=shuffle, sample_weight=WEIGHT, progress=False)
    same(*pair)
    ours, theirs = (
        model.evaluate(X, Y, loss, sample_weight=WEIGHT)["loss"]
        for model, loss in zip(pair, ("bce", NumpyBCE()), strict=True)
    )
    assert theirs == pytest.approx(ours, rel=1e-12)


def test_many_rows_are_measured_some_at_a_time():
    x, y = RNG.normal(size=(1000, 6)), RNG.uniform(size=(1000, 3))
    model = models("sigmoid")[0]
    rows = []

    class Watching(NumpyMSE):
        def value(self, y_hat, y):
            rows.append(len(y))
            return super().value(y_hat, y)

        def gradient(self, y_hat, y):
            raise AssertionError("nobody needs it")

    assert model.evaluate(x, y, Watching())["loss"] == pytest.approx(model.evaluate(x, y, "mse")["loss"], rel=1e-12)
    assert sum(rows) == 1000
    assert len(rows) > 1


@pytest.mark.parametrize("parameters", [100, 100_000])
def test_it_trains_as_the_one_in_c_in_small_and_large_models(parameters):
    units = parameters // 10
    pair = [Sequential([Dense(units, "relu"), Dense(3)], input_size=6, dtype="float64", seed=2) for _ in range(2)]
    for model, loss in zip(pair, ("mse", NumpyMSE()), strict=True):
        model.fit(X, Y, loss, optimizer=SGD(1e-5), epochs=2, batch_size=16, progress=False)
    same(*pair)


@pytest.mark.parametrize(
    "last",
    [
        list,
        lambda: [Dropout(0.2)],
        lambda: [Activation("relu")],
        lambda: [Activation(CustomTanh())],
        lambda: [Residual([Dense(3, "tanh")])],
    ],
)
def test_the_last_layer_may_be_any(last):
    pair = [Sequential([Dense(3), *last()], input_size=6, dtype="float64", seed=2) for _ in range(2)]
    for model, loss in zip(pair, ("mse", NumpyMSE()), strict=True):
        model.fit(X, Y, loss, epochs=3, batch_size=16, progress=False)
    same(*pair)


def test_in_float32_it_is_given_float32_that_is_read_only():
    seen = []

    class Watching(NumpyMSE):
        def gradient(self, y_hat, y):
            seen.extend([y_hat, y])
            return super().gradient(y_hat, y)

    mine, other = models("sigmoid", "float32")
    for model, loss in ((mine, "mse"), (other, Watching())):
        model.fit(X, Y, loss, epochs=2, progress=False)
    assert {array.dtype.name for array in seen} == {"float32"}
    assert {array.shape for array in seen} == {(32, 3), (8, 3)}
    assert not any(array.flags.writeable for array in seen)
    np.testing.assert_allclose(other.predict(X), mine.predict(X), rtol=1e-4)


def test_one_step_by_hand_shows_phi():
    mine, other = models("sigmoid")
    values = []
    for model, loss in ((mine, "bce"), (other, NumpyBCE())):
        model.forward(X)
        values.append(model.backward(Y, loss, sample_weight=WEIGHT))
    assert values[1] == pytest.approx(values[0], rel=1e-13)
    np.testing.assert_allclose(other.layers[-1].phi, mine.layers[-1].phi, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(other.layers[0].grad_w, mine.layers[0].grad_w, rtol=1e-12, atol=1e-16)


def test_validation_callbacks_and_partial_fit_take_it():
    pair = models("sigmoid")
    for model, loss in zip(pair, ("mse", NumpyMSE()), strict=True):
        model.fit(X, Y, loss, epochs=3, validation_split=0.25, callbacks=[lambda *_: None], progress=False)
        model.partial_fit(X, Y, loss, optimizer=Adam())
    same(*pair)
    assert pair[1].history["val_loss"] == pytest.approx(pair[0].history["val_loss"], rel=1e-12)


# -------------------------------------------------------------------------------------------------------- gradcheck


class ForgetsTwo(NumpyMSE):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y) / 2


class ForgetsOneOutput(NumpyMSE):
    def gradient(self, y_hat, y):
        return super().gradient(y_hat, y) * [1, 1, 0] if y.shape[1] == 3 else super().gradient(y_hat, y) * 0


def test_gradcheck_takes_it():
    for loss in (NumpyMSE(), NumpyBCE()):
        assert check_kernel(loss).ok
        assert check_kernel(loss, {"y_hat": Y, "y": Y[::-1]}, sample_weight=WEIGHT).ok
        for output in ("sigmoid", "softmax"):
            report = check_model(models(output)[0], X[:4], Y[:4], loss, sample_weight=WEIGHT[:4], progress=False)
            assert report.ok, report
            assert report.subject == f"6-8 tanh-3 {output} with {type(loss).__name__}()"


def test_gradcheck_names_a_wrong_gradient():
    report = check_kernel(ForgetsTwo())
    assert not report.ok
    assert "factor analytic = 0.5 x numeric everywhere" in str(report)
    report = check_model(models("sigmoid")[0], X[:4], Y[:4], ForgetsTwo(), progress=False)
    assert not report.ok
    assert report.factor == pytest.approx(0.5)
    report = check_model(models("sigmoid")[0], X[:4], Y[:4], ForgetsOneOutput(), progress=False)
    wrong = report.arrays["layers[1].b"]
    assert (wrong.error > report.tolerance).tolist() == [False, False, True]


# ------------------------------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize("where", ["value", "gradient"])
@pytest.mark.parametrize("batch", [0, 1, 4])
def test_an_exception_leaves_the_last_whole_batch(where, batch):
    class Failing(NumpyMSE):
        calls = 0

        def value(self, y_hat, y):
            return self.count("value", super().value(y_hat, y))

        def gradient(self, y_hat, y):
            return self.count("gradient", super().gradient(y_hat, y))

        def count(self, here, result):
            self.calls += here == where
            if self.calls == batch + 1:
                self.calls += 1
                raise ZeroDivisionError("on purpose")
            return result

    failing, whole = models("sigmoid", "float32")
    options = {"batch_size": 8, "shuffle": False, "progress": False}
    optimizer = Adam()
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        failing.fit(X, Y, Failing(), optimizer=optimizer, **options)
    assert optimizer._steps == batch
    train_batches(whole, X, Y, NumpyMSE(), Adam(), batch)
    assert failing._built().params.tobytes() == whole._built().params.tobytes()
    failing.fit(X, Y, NumpyMSE(), **options)  # it can go on


def test_an_exception_ends_a_backward_and_an_evaluate():
    class Failing(NumpyMSE):
        def value(self, y_hat, y):
            raise KeyError("on purpose")

    model = models("sigmoid")[0]
    with pytest.raises(KeyError, match="on purpose"):
        model.evaluate(X, Y, Failing())
    model.forward(X)
    with pytest.raises(KeyError, match="on purpose"):
        model.backward(Y, Failing())
    with pytest.raises(RuntimeError, match="backward"):
        _ = model.layers[0].grad_w
    model.backward(Y, NumpyMSE())
    assert model.layers[0].grad_w.shape == (8, 6)


@pytest.mark.parametrize(
    ("method", "answer", "error", "message"),
    [
        ("value", lambda y: None, ValueError, r"returned shape \(\), expected \(40,\)"),
        ("value", lambda y: 1.0, ValueError, r"returned shape \(\), expected \(40,\)"),
        ("value", lambda y: y, ValueError, r"returned shape \(40, 3\), expected \(40,\)"),
        ("value", lambda y: y[:, :1], ValueError, r"returned shape \(40, 1\), expected \(40,\)"),
        ("value", lambda y: y[:, 0].astype(object), TypeError, "returned an array of object, expected real numbers"),
        ("value", lambda y: y[:, 0] * 1j, TypeError, "returned an array of complex128, expected real numbers"),
        ("gradient", lambda y: None, ValueError, r"returned shape \(\), expected \(40, 3\)"),
        ("gradient", lambda y: y[:, 0], ValueError, r"returned shape \(40,\), expected \(40, 3\)"),
        ("gradient", lambda y: y.T, ValueError, r"returned shape \(3, 40\), expected \(40, 3\)"),
        ("gradient", lambda y: y.astype(object), TypeError, "returned an array of object, expected real numbers"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(method, answer, error, message):
    class Odd(NumpyMSE):
        pass

    setattr(Odd, method, lambda self, y_hat, y: answer(y))
    model = models("sigmoid")[0]
    before = model._built().snapshot()
    with pytest.raises(error, match=f"Odd.{method} {message}"):
        model.fit(X, Y, Odd(), batch_size=40, progress=False)
    np.testing.assert_array_equal(model._built().snapshot(), before)
    if method == "value":
        with pytest.raises(error, match=f"Odd.{method} {message}"):
            model.evaluate(X, Y, Odd())


def test_views_of_what_it_is_given_are_answers():
    """The gradient of y_hat^2 / 2, or of anything: the engine does not ask."""

    class Views(CustomLoss):
        def value(self, y_hat, y):
            return y_hat[:, 0]

        def gradient(self, y_hat, y):
            return y_hat[::-1]

    class Copies(Views):
        def value(self, y_hat, y):
            return y_hat[:, 0].copy()

        def gradient(self, y_hat, y):
            return y_hat[::-1].copy()

    pair = models("linear")
    for model, loss in zip(pair, (Views(), Copies()), strict=True):
        model.fit(X, Y, loss, epochs=3, progress=False)
    assert pair[0]._built().params.tobytes() == pair[1]._built().params.tobytes()


def test_what_it_keeps_of_its_arrays_stays_memory():
    kept = []

    class Keeping(NumpyMSE):
        def value(self, y_hat, y):
            kept.extend([y_hat, y])
            return super().value(y_hat, y)

    for order in ("C", "F"):  # given as it is, and a copy
        model = models("sigmoid")[0]
        model.evaluate(X, np.array(Y, order=order), Keeping())
        for shuffle in (True, False):
            model.fit(X, np.array(Y, order=order), Keeping(), batch_size=16, shuffle=shuffle, progress=False)
        model.forward(X)
        model.backward(np.array(Y, order=order), Keeping())
    del model
    assert all(np.isfinite(array).all() for array in kept)


def test_arrays_that_it_is_given_are_read_only():
    class Greedy(NumpyMSE):
        def value(self, y_hat, y):
            y[...] = 0
            return super().value(y_hat, y)

    y = Y.copy()
    with pytest.raises(ValueError, match="read-only"):
        models("sigmoid")[0].evaluate(X, y, Greedy())
    np.testing.assert_array_equal(y, Y)


def test_it_cannot_train_the_model_in_the_middle():
    model = models("sigmoid")[0]

    class Reentering(NumpyMSE):
        def value(self, y_hat, y):
            model.fit(X, Y, "mse", progress=False)

    for call in (model.fit, model.evaluate):
        with pytest.raises(RuntimeError):
            call(X, Y, Reentering(), **({"progress": False} if call == model.fit else {}))


def test_what_is_no_loss_is_refused():
    model = models("sigmoid")[0]
    with pytest.raises(TypeError, match=r"loss is the class NumpyMSE, expected an object: NumpyMSE\(\)"):
        model.fit(X, Y, NumpyMSE, progress=False)
    with pytest.raises(ValueError, match="loss is <function"):
        model.fit(X, Y, lambda y_hat, y: 0, progress=False)
    with pytest.raises(ValueError, match=r"y has shape \(40,\), expected \(40, 3\)"):
        model.fit(X, Y[:, 0], NumpyMSE(), progress=False)
    with pytest.raises(ValueError, match="class_weight needs classes"):
        model.fit(X, Y, NumpyMSE(), class_weight={0: 2.0}, progress=False)
    with pytest.raises(TypeError, match="abstract"):
        CustomLoss()


def test_a_loss_that_is_not_finite_is_warned_of():
    class Infinite(NumpyMSE):
        def value(self, y_hat, y):
            return np.full(len(y), np.inf)

    with pytest.warns(UserWarning, match="the loss became infinite or nan in epoch 0, batch 0"):
        models("sigmoid")[0].fit(X, Y, Infinite(), progress=False)


def test_threads_train_and_measure_with_the_same_loss():
    loss = NumpyBCE()
    several = models("sigmoid", count=5)
    found = []

    def train(model):
        model.fit(X, Y, loss, epochs=20, batch_size=4, progress=False)
        found.append(model.evaluate(X, Y, loss)["loss"])

    threads = [threading.Thread(target=train, args=[model]) for model in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({model._built().params.tobytes() for model in several}) == 1
    assert len(found) == 5
    assert len(set(found)) == 1
