"""L-BFGS: no more evaluations than SciPy's to the minimum of convex problems, its bits, resuming, refusals."""

import copy
import pickle
import signal
from itertools import pairwise

import numpy as np
import pytest
from everywhere import bits_everywhere
from fits import data, params

import mlpcore
from mlpcore import LBFGS, BatchNorm, Dense, Dropout, Residual, Sequential

X, Y = data(40)
OPTIONS = {"loss": "cce", "progress": False}
DUPLICATES = [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))]


def classifier(dtype="float64", **options):
    return Sequential([Dense(6, "tanh", **options), Dense(3, "softmax")], seed=1, dtype=dtype, input_size=3)


# ----------------------------------------------------------------------------------------------------- convex problems


def problem(seed):
    """A linear or logistic regression with an L2 penalty: x, y, loss, activation, l2."""
    rng = np.random.default_rng(seed)
    loss, activation, k = [("mse", None, 1), ("mse", None, 3), ("bce", "sigmoid", 1), ("cce", "softmax", 4)][seed % 4]
    n, columns = int(rng.integers(30, 200)), int(rng.integers(1, 15))
    x = rng.normal(size=(n, columns)) * 10.0 ** rng.uniform(-0.5, 0.5, columns)
    z = x @ rng.normal(size=(columns, k)) + rng.normal(size=(n, k))
    y = {"mse": z, "bce": (z > 0).astype(float), "cce": np.eye(k)[z.argmax(axis=1)]}[loss]
    return x, y, loss, activation, float(10.0 ** rng.uniform(-4, -1))


def objective(flat, x, y, loss, l2):
    """The loss with its penalty, and its gradient, of weights (in, out) and biases one after the other, in NumPy."""
    n, (columns, k) = len(x), (x.shape[1], y.shape[1])
    w, b = flat[: columns * k].reshape(columns, k), flat[columns * k :]
    z = x @ w + b
    if loss == "mse":
        value, phi = ((z - y) ** 2).mean(), 2 * (z - y) / k / n
    elif loss == "bce":
        value, phi = (np.logaddexp(0, z) - y * z).sum() / n, (1 / (1 + np.exp(-z)) - y) / n
    else:
        log_sum = np.logaddexp.reduce(z, axis=1, keepdims=True)
        value, phi = (log_sum - (z * y).sum(axis=1, keepdims=True)).mean(), (np.exp(z - log_sum) - y) / n
    return value + l2 / 2 * (w**2).sum(), np.concatenate([(x.T @ phi + l2 * w).ravel(), phi.sum(axis=0)])


def evaluations_of_scipy(optimize, first, arguments):
    """The least value that SciPy's L-BFGS-B finds, and how many evaluations it takes to come within 1e-8 of it."""
    values = []

    def recorded(flat):
        value, gradient = objective(flat, *arguments)
        values.append(value)
        return value, gradient

    options = {"maxiter": 5000, "maxfun": 10**5, "ftol": 0, "gtol": 1e-14, "maxcor": 10}
    optimize.minimize(recorded, first, jac=True, method="L-BFGS-B", options=options)
    best = min(values)
    return best, next(i for i, value in enumerate(values, 1) if value <= best + 1e-8)


@pytest.mark.parametrize("seed", range(20))
def test_the_minimum_is_reached_in_no_more_evaluations_than_scipys(seed):
    optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed: pip install scipy")
    x, y, loss, activation, l2 = problem(seed)
    layer = Dense(y.shape[1], activation, l2=l2)
    model = Sequential([layer], input_size=x.shape[1], dtype="float64", seed=seed)

    def value():
        return objective(np.concatenate([layer.w.T.ravel(), layer.b]), x, y, loss, l2)[0]

    best, allowed = evaluations_of_scipy(optimize, np.concatenate([layer.w.T.ravel(), layer.b]), (x, y, loss, l2))
    optimizer = LBFGS()
    model.fit(
        x, y, loss, optimizer=optimizer, epochs=1000, callbacks=[lambda *_: value() <= best + 1e-8], progress=False
    )
    assert value() <= best + 1e-8
    assert optimizer.evaluations <= allowed


def test_each_epoch_satisfies_the_strong_wolfe_conditions():
    x, y, loss, activation, l2 = problem(3)
    layer = Dense(y.shape[1], activation, l2=l2)
    model = Sequential([layer], input_size=x.shape[1], dtype="float64", seed=3)
    points = [np.concatenate([layer.w.T.ravel(), layer.b])]

    def record(*_):
        points.append(np.concatenate([layer.w.T.ravel(), layer.b]))

    model.fit(x, y, loss, optimizer=LBFGS(), epochs=15, callbacks=[record], progress=False)
    for before, after in pairwise(points):
        (f0, g0), (f1, g1) = (objective(point, x, y, loss, l2) for point in (before, after))
        slope, slope_after = g0 @ (after - before), g1 @ (after - before)
        assert slope < 0
        assert f1 <= f0 + 1e-3 * slope + 1e-15
        assert abs(slope_after) <= 0.9 * abs(slope) * (1 + 1e-9)


@pytest.mark.parametrize("history_size", [1, 2, 30])
def test_a_quadratic_is_solved_whatever_the_history(history_size):
    x = np.random.default_rng(0).normal(size=(50, 8))
    w, b = np.arange(8.0) - 3, 0.5
    model = Sequential([Dense(1)], input_size=8, dtype="float64", seed=0)
    history = model.fit(x, x @ w + b, "mse", optimizer=LBFGS(history_size=history_size), epochs=200, progress=False)
    np.testing.assert_allclose(model.layers[0].w[0], w, atol=1e-7)
    np.testing.assert_allclose(model.layers[0].b, b, atol=1e-7)
    assert history["loss"][-1] < 1e-14


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_with_hidden_units_learns_and_never_gets_worse(dtype):
    model, optimizer = classifier(dtype), LBFGS()
    losses = model.fit(X, Y, optimizer=optimizer, epochs=100, **OPTIONS)["loss"]
    assert all(after <= before for before, after in pairwise(losses))
    assert losses[-1] < 0.01
    assert model.evaluate(X, Y, "cce")["accuracy"] == 1


# ------------------------------------------------------------------------------------------------------------- its bits


def test_the_bits_are_those_of_every_instruction_set_and_number_of_threads():
    def trained():
        model = classifier("float32")
        model.fit(X, Y, optimizer=LBFGS(), epochs=20, **OPTIONS)
        return model

    assert len(bits_everywhere(trained)) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["deepcopy", "pickle"])
def test_a_training_in_pieces_is_the_same(duplicate, dtype):
    whole, pieces, single = (classifier(dtype, l2=1e-3) for _ in range(3))
    expected = whole.fit(X, Y, optimizer=LBFGS(history_size=4), epochs=12, **OPTIONS)
    optimizer, losses = LBFGS(history_size=4), []
    for epochs in (1, 5, 6):
        losses += pieces.fit(X, Y, optimizer=optimizer, epochs=epochs, **OPTIONS)["loss"]
        pieces, optimizer = duplicate((pieces, optimizer))
    assert losses == expected["loss"]
    np.testing.assert_array_equal(params(whole), params(pieces))
    optimizer = LBFGS(history_size=4)
    for _ in range(12):
        single.partial_fit(X, Y, "cce", optimizer=optimizer)
    np.testing.assert_array_equal(params(whole), params(single))


def test_validation_and_callbacks_cost_no_evaluation():
    plain, watched = classifier(), classifier()
    one, other = LBFGS(), LBFGS()
    plain.fit(X, Y, optimizer=one, epochs=9, **OPTIONS)
    watched.fit(X, Y, optimizer=other, epochs=9, validation_data=(X, Y), callbacks=[lambda *_: None], **OPTIONS)
    np.testing.assert_array_equal(params(plain), params(watched))
    assert one.evaluations == other.evaluations
    # The loss of an epoch is the one before its step.
    np.testing.assert_allclose(watched.history["val_loss"][:-1], watched.history["loss"][1:], rtol=1e-12)
    assert watched.history["val_accuracy"][:-1] == watched.history["accuracy"][1:]


def test_weights_that_a_callback_changes_are_taken_as_they_are():
    def change(model, epoch, logs):
        if epoch == 4:
            model.layers[0].w[...] *= 0.5

    model = classifier()
    history = model.fit(X, Y, optimizer=LBFGS(), epochs=30, callbacks=[change], **OPTIONS)
    assert history["loss"][5] != pytest.approx(history["loss"][4], rel=1e-3)
    assert history["loss"][-1] < 0.05


def test_other_data_are_evaluated_anew():
    model, optimizer = classifier(), LBFGS()
    model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
    other = (Y + 1) % 3
    expected = model.evaluate(X, other, "cce")["loss"]
    assert model.fit(X, other, optimizer=optimizer, epochs=1, **OPTIONS)["loss"] == [pytest.approx(expected, rel=1e-12)]


def test_what_is_shown_belongs_to_the_weights():
    model = classifier()
    for epochs in (3, 400):  # the second ends at the minimum
        model.fit(X, Y, optimizer=LBFGS(), epochs=epochs, **OPTIONS)
        shown = [model.layers[1].a.copy(), *(layer.grad_w.copy() for layer in model.layers)]
        model.forward(X)
        model.backward(Y, "cce")
        for ours, theirs in zip(shown, [model.layers[1].a, *(layer.grad_w for layer in model.layers)], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-18)


# ------------------------------------------------------------------------------------------------- layers and weights


def test_frozen_layers_stay_as_they_are():
    model = Sequential(
        [Dense(6, "tanh", trainable=False), Residual([Dense(6, "tanh")]), Dense(3, "softmax")],
        seed=1, dtype="float64", input_size=3,
    )  # fmt: skip
    before = params_of(model.layers[0])
    losses = model.fit(X, Y, optimizer=LBFGS(), epochs=30, **OPTIONS)["loss"]
    np.testing.assert_array_equal(params_of(model.layers[0]), before)
    assert losses[-1] < losses[0] / 2


def params_of(layer):
    return np.concatenate([np.ravel(layer.w), np.ravel(layer.b)])


def test_weights_of_samples_count():
    weight = np.where(np.arange(40) % 2, 3.0, 1.0)
    rows = np.repeat(np.arange(40), weight.astype(int))
    weighted, repeated = classifier(), classifier()
    for model, x, y, options in ((weighted, X, Y, {"sample_weight": weight}), (repeated, X[rows], Y[rows], {})):
        model.fit(x, y, optimizer=LBFGS(), epochs=8, **OPTIONS, **options)
    np.testing.assert_allclose(weighted.history["loss"], repeated.history["loss"], rtol=1e-9)


def test_at_the_minimum_epochs_cost_nothing():
    model, optimizer = Sequential([Dense(1)], input_size=1, dtype="float64", seed=1), LBFGS()
    x = np.linspace(-1, 1, 9).reshape(9, 1)
    model.fit(x, 2 * x, "mse", optimizer=optimizer, epochs=50, progress=False)
    needed, weights = optimizer.evaluations, params(model)
    history = model.fit(x, 2 * x, "mse", optimizer=optimizer, epochs=10_000, progress=False)
    assert optimizer.evaluations < needed + 100
    assert len(history["loss"]) == 10_000
    np.testing.assert_allclose(params(model), weights, atol=1e-12)


def test_a_loss_that_is_not_finite_is_named_and_changes_nothing():
    model = Sequential([Dense(1)], input_size=1, dtype="float64", seed=1)
    model.layers[0].w[...] = 1e200
    with pytest.warns(mlpcore.TrainingWarning, match="the loss became infinite or nan in epoch 0"):
        model.fit([[1.0], [2.0]], [[1.0], [2.0]], "mse", optimizer=LBFGS(), epochs=3, progress=False)
    assert model.layers[0].w[0, 0] == 1e200


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts")
@pytest.mark.parametrize("watched", [False, True])
def test_an_interrupt_takes_the_iteration_back(watched):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3000, 20)), rng.normal(size=(3000, 2))
    model, twin = (Sequential([Dense(40, "tanh"), Dense(2)], input_size=20, dtype="float64", seed=1) for _ in range(2))

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    callbacks = [lambda *_: None] if watched else []
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, "mse", optimizer=LBFGS(), epochs=10**6, callbacks=callbacks, progress=False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    done = model.epochs_trained
    assert done > 0
    assert len(model.history["loss"]) == done
    twin.fit(x, y, "mse", optimizer=LBFGS(), epochs=done, progress=False)
    np.testing.assert_array_equal(params(model), params(twin))


def test_an_error_of_a_callback_leaves_the_iterations_before():
    model, twin, optimizer = classifier(), classifier(), LBFGS()

    class StopError(Exception):
        pass

    def stop(model, epoch, logs):
        if epoch == 4:
            raise StopError

    with pytest.raises(StopError):
        model.fit(X, Y, optimizer=optimizer, epochs=20, callbacks=[stop], **OPTIONS)
    twin.fit(X, Y, optimizer=LBFGS(), epochs=5, **OPTIONS)
    assert model.epochs_trained == 5
    np.testing.assert_array_equal(params(model), params(twin))


# ------------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LBFGS(0), ValueError, "history_size is 0, expected an integer from 1"),
        (lambda: LBFGS(2.5), TypeError, "history_size is 2.5"),
        (lambda: LBFGS(clip_norm=1.0), ValueError, "clip_norm is 1.0, which LBFGS does not have"),
        (lambda: LBFGS(clip_value=1.0), ValueError, "clip_value is 1.0, which LBFGS does not have"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([Dense(4), Dropout(0.5), Dense(3, "softmax")], {}, r"layers.1, Dropout\(0.5\), draws random numbers"),
        ([Residual([Dropout(0.5), Dense(3)]), Dense(3, "softmax")], {}, "layers.0.layers.0, Dropout"),
        ([Dense(4), BatchNorm(), Dense(3, "softmax")], {}, r"layers.1, BatchNorm\(\), keeps running means"),
        ([Dense(4), Dense(3, "softmax", l1=0.1)], {}, "l1 of layers.1.w is 0.1, which LBFGS cannot respect"),
        ([Dense(4, max_norm=2.0), Dense(3, "softmax")], {}, "max_norm of layers.0.w is 2.0"),
        ([Dense(3, "softmax", learning_rate_factor=0.5)], {}, "learning_rate_factor of layers.0.w is 0.5"),
        (
            [Dense(3, "softmax")],
            {"batch_size": 8},
            "batch_size is 8, but LBFGS takes all 40 samples as one batch: leave it out",
        ),
    ],
)
def test_what_it_cannot_respect_is_refused(layers, options, message):
    model, optimizer = Sequential(layers, seed=1, dtype="float64"), LBFGS()
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            call(X, Y, "cce", optimizer=optimizer, **options)
    assert (optimizer._state, optimizer._owner, model.epochs_trained, model.history) == ({}, None, 0, None)
    assert model._holder.bound is None


def test_a_batch_of_all_samples_may_be_asked_for():
    one, other = classifier(), classifier()
    one.fit(X, Y, optimizer=LBFGS(), epochs=3, batch_size=40, **OPTIONS)
    other.fit(X, Y, optimizer=LBFGS(), epochs=3, **OPTIONS)
    np.testing.assert_array_equal(params(one), params(other))


def test_a_step_by_hand_is_refused():
    model, optimizer = classifier(), LBFGS()
    model.forward(X)
    model.backward(Y, "cce")
    with pytest.raises(ValueError, match=r"LBFGS\(history_size=10\), which takes no step by hand: train with fit"):
        model.update(optimizer)
    assert (optimizer._state, optimizer._owner) == ({}, None)


def test_another_history_size_begins_anew():
    model, optimizer = classifier(), LBFGS(history_size=5)
    model.fit(X, Y, optimizer=optimizer, epochs=6, **OPTIONS)
    optimizer.history_size = 3
    losses = model.fit(X, Y, optimizer=optimizer, epochs=20, **OPTIONS)["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("number", [np.nan, np.inf, -1.0, 1e9])
def test_the_engine_refuses_pairs_that_are_not_there(place, number):
    model, optimizer = classifier(), LBFGS()
    model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
    optimizer._state["numbers"][place] = number
    with pytest.raises(ValueError, match="holds other pairs than those that were counted"):
        model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
