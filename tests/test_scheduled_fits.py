"""Training with a schedule: the rates of its steps, resuming, fits that tell the length, functions of the epoch."""

import copy
import pickle

import numpy as np
import pytest
from everywhere import bits_everywhere
from fits import data, params
from test_schedule import CASES, LENGTHLESS
from textbook import Twin

from mlpcore import (
    SGD,
    Adam,
    Cosine,
    CosLog,
    Dense,
    Exponential,
    OneCycle,
    ReduceOnPlateau,
    Sequential,
    Step,
    Warmup,
)

X, Y = data(40)
OPTIONS = {"loss": "cce", "batch_size": 8, "progress": False}  # 5 batches an epoch
SCHEDULES = [schedule for schedule, _ in CASES]
DUPLICATES = [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))]


def classifier(dtype="float64", units=8, **options):
    return Sequential([Dense(units, "tanh", **options), Dense(3, "softmax")], seed=1, dtype=dtype, input_size=3)


def gradients(model):
    return np.concatenate([np.ravel(array) for layer in model.layers for array in (layer.grad_w, layer.grad_b)])


def by_hand(model, optimizer, rates, batch_size=8):
    """A step with each rate, assigned as a number."""
    for i, rate in enumerate(rates):
        rows = slice(i * batch_size % len(X), i * batch_size % len(X) + batch_size)
        optimizer.learning_rate = rate
        model.partial_fit(X[rows], Y[rows], "cce", optimizer=optimizer, batch_size=batch_size, shuffle=False)
    return params(model)


# ------------------------------------------------------------------------------------------------------ rates of steps


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("make", [lambda rate: SGD(rate, momentum=0.9), Adam], ids=["momentum", "adam"])
def test_20_steps_are_the_textbooks(schedule, make):
    model, optimizer = classifier(), make(schedule)
    twin = Twin(params(model))
    for t in range(20):
        rows = slice(t % 5 * 8, t % 5 * 8 + 8)
        model.forward(X[rows])
        model.backward(Y[rows], "cce")
        twin.step(make(schedule.rate(t)), gradients(model))
        model.update(optimizer)
    np.testing.assert_allclose(params(model), twin.w, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("schedule", "dtype", "units"),
    [
        *((schedule, dtype, 8) for schedule in SCHEDULES for dtype in ("float32", "float64")),
        (SCHEDULES[0], "float32", 5000),  # so many that the step is done within the products
    ],
    ids=repr,
)
def test_each_step_of_a_fit_has_its_rate_to_the_bit(schedule, dtype, units):
    fitted, twin = classifier(dtype, units), classifier(dtype, units)
    history = fitted.fit(X, Y, optimizer=Adam(schedule), epochs=4, shuffle=False, **OPTIONS)
    rates = [schedule.rate(t) for t in range(20)]
    np.testing.assert_array_equal(params(fitted), by_hand(twin, Adam(), rates))
    assert history["learning_rate"] == rates[4::5]


@pytest.mark.parametrize("batch_size", [1, 8])
def test_a_layers_factor_multiplies_the_rate(batch_size):
    schedule = Exponential(0.1, 0.9)
    fitted, twin = (classifier(learning_rate_factor=0.25) for _ in range(2))
    fitted.fit(X, Y, "cce", optimizer=SGD(schedule), shuffle=False, batch_size=batch_size, progress=False)
    rates = [schedule.rate(t) for t in range(40 // batch_size)]
    np.testing.assert_array_equal(params(fitted), by_hand(twin, SGD(), rates, batch_size))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_the_bits_are_those_of_every_instruction_set_and_number_of_threads(schedule):
    def trained():
        model = classifier("float32")
        model.fit(X, Y, optimizer=Adam(schedule), epochs=4, **OPTIONS)
        return model

    assert len(bits_everywhere(trained)) == 1


# -------------------------------------------------------------------------------------------------- epochs and resuming


def of_epoch(epoch):
    return 0.1 / (1 + epoch)


RESUMED = [
    Cosine(0.1, 27),
    Cosine(0.1, 4, per="epoch", restarts=True),
    Warmup(Cosine(0.1, 13), 12),
    Warmup(Step(0.1, every=2, per="epoch"), 8),
    OneCycle(0.05, 6, per="epoch"),
    ReduceOnPlateau(0.1, factor=0.5, patience=1, min_delta=0.2),
    Warmup(ReduceOnPlateau(0.1, factor=0.5, patience=2, min_delta=1.0), 3),
    of_epoch,
    Warmup(of_epoch, 7),
]


@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("rate", RESUMED, ids=[f"{i} {type(rate).__name__}" for i, rate in enumerate(RESUMED)])
def test_a_training_in_pieces_is_the_same(rate, duplicate):
    whole, pieces, single = classifier(), classifier(), classifier()
    whole_history = whole.fit(X, Y, optimizer=SGD(rate, momentum=0.5), epochs=6, **OPTIONS)
    optimizer, rates = SGD(rate, momentum=0.5), []
    for epochs in (1, 2, 3):
        rates += pieces.fit(X, Y, optimizer=optimizer, epochs=epochs, **OPTIONS)["learning_rate"]
        pieces, optimizer = duplicate((pieces, optimizer))
    assert rates == whole_history["learning_rate"]
    assert len(set(rates)) > 1
    np.testing.assert_array_equal(params(whole), params(pieces))
    optimizer = SGD(rate, momentum=0.5)
    for _ in range(6):
        single.partial_fit(X, Y, "cce", optimizer=optimizer, batch_size=8)
    np.testing.assert_array_equal(params(whole), params(single))


def test_a_fit_that_a_callback_ends_goes_on_where_it_was():
    class StopError(Exception):
        pass

    def stop(model, epoch, logs):
        raise StopError

    schedule, model = Cosine(0.1, 20), classifier()
    optimizer = SGD(schedule)
    with pytest.raises(StopError):
        model.fit(X, Y, optimizer=optimizer, epochs=4, callbacks=[stop], **OPTIONS)
    assert model.history["learning_rate"] == [schedule.rate(4)]
    history = model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
    twin = classifier()
    twin.fit(X, Y, optimizer=SGD(schedule), epochs=4, **OPTIONS)
    assert history["learning_rate"] == [schedule.rate(t) for t in (9, 14, 19)]
    np.testing.assert_array_equal(params(model), params(twin))


def test_rates_per_epoch_stay_within_it():
    schedule = Step(0.1, every=2, factor=0.5, per="epoch")
    history = classifier().fit(X, Y, optimizer=SGD(schedule), epochs=5, **OPTIONS)
    assert history["learning_rate"] == [0.1, 0.1, 0.05, 0.05, 0.025]
    assert list(history) == ["loss", "accuracy", "learning_rate"]


def test_warm_up_multiplies_a_rate_of_the_epoch():
    model, optimizer, seen = classifier(), SGD(Warmup(Step(0.1, every=1, factor=0.5, per="epoch"), 10)), []
    model.fit(X, Y, optimizer=optimizer, epochs=3, callbacks=[lambda m, e, logs: seen.append(logs)], **OPTIONS)
    np.testing.assert_allclose([logs["learning_rate"] for logs in seen], [0.05, 0.05, 0.025], rtol=1e-15)
    assert model.history["learning_rate"] == [logs["learning_rate"] for logs in seen]


def test_without_a_schedule_no_rate_is_recorded():
    assert "learning_rate" not in classifier().fit(X, Y, optimizer=SGD(0.1), epochs=2, **OPTIONS)


def test_more_epochs_than_one_call_of_the_engine_takes():
    schedule = Exponential(0.1, 0.999)
    history = classifier().fit(X[:8], Y[:8], optimizer=SGD(schedule), epochs=1003, **OPTIONS)
    assert history["learning_rate"] == [schedule.rate(t) for t in range(1003)]


# ------------------------------------------------------------------------------------------- as long as the fit


@pytest.mark.parametrize("per", ["step", "epoch"])
def test_a_schedule_without_a_length_goes_over_each_fit(per):
    model, optimizer = classifier(), SGD(Cosine(0.1, per=per))
    for epochs in (4, 6):
        t = np.arange(epochs) if per == "epoch" else np.arange(epochs) * 5 + 4
        expected = Cosine(0.1, epochs * (1 if per == "epoch" else 5))
        history = model.fit(X, Y, optimizer=optimizer, epochs=epochs, **OPTIONS)
        assert history["learning_rate"] == [expected.rate(int(each)) for each in t]
    history = model.fit(X, Y, optimizer=optimizer, epochs=4, validation_split=0.2, **OPTIONS)  # 4 batches an epoch
    assert len(set(history["learning_rate"])) == 4
    assert optimizer.learning_rate == Cosine(0.1, per=per)


@pytest.mark.parametrize("schedule", LENGTHLESS, ids=repr)
def test_callbacks_and_validation_do_not_begin_it_again(schedule):
    one, other = classifier(), classifier()
    one.fit(X, Y, optimizer=SGD(schedule), epochs=5, **OPTIONS)
    other.fit(X, Y, optimizer=SGD(schedule), epochs=5, validation_data=(X, Y), callbacks=[lambda *_: None], **OPTIONS)
    np.testing.assert_array_equal(params(one), params(other))
    assert one.history["learning_rate"] == other.history["learning_rate"]


@pytest.mark.parametrize("schedule", LENGTHLESS, ids=repr)
def test_where_nothing_tells_the_length_it_is_asked_for(schedule):
    model, optimizer = classifier(), SGD(schedule)
    before = params(model)
    with pytest.raises(ValueError, match="has no length, which only fit knows: give it, length=1000 for so many steps"):
        model.partial_fit(X, Y, "cce", optimizer=optimizer)
    model.forward(X)
    model.backward(Y, "cce")
    with pytest.raises(ValueError, match="has no length"):
        model.update(optimizer)
    np.testing.assert_array_equal(params(model), before)
    assert (optimizer._state, model.epochs_trained) == ({}, 0)


def test_a_fit_that_is_over_before_the_warm_up_is_refused():
    model, optimizer = classifier(), SGD(Warmup(Cosine(0.1), 10))
    with pytest.raises(ValueError, match="steps of Warmup is 10, expected fewer than the 10 steps of this fit"):
        model.fit(X, Y, optimizer=optimizer, epochs=2, **OPTIONS)
    assert (optimizer._state, model.epochs_trained, model.history) == ({}, 0, None)
    history = model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
    expected = Warmup(Cosine(0.1, 5), 10)
    assert history["learning_rate"] == [expected.rate(t) for t in (4, 9, 14)]


def test_an_assigned_schedule_begins_anew():
    model, optimizer = classifier(), SGD(Step(0.1, every=5, factor=0.5))
    model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
    optimizer.learning_rate = 0.3
    assert "learning_rate" not in model.fit(X, Y, optimizer=optimizer, epochs=2, **OPTIONS)
    optimizer.learning_rate = Step(0.2, every=5, factor=0.5)
    assert model.fit(X, Y, optimizer=optimizer, epochs=2, **OPTIONS)["learning_rate"] == [0.2, 0.1]
    assert model.fit(X, Y, optimizer=optimizer, epochs=2, **OPTIONS)["learning_rate"] == [0.05, 0.025]
    optimizer.momentum = 0.5  # another hyperparameter
    assert model.fit(X, Y, optimizer=optimizer, epochs=1, **OPTIONS)["learning_rate"] == [0.0125]


def test_a_callback_may_assign_one():
    model, optimizer = classifier(), SGD(0.1)

    def assign(model, epoch, logs):
        if epoch == 1:
            optimizer.learning_rate = Step(0.4, every=1, factor=0.5, per="epoch")

    history = model.fit(X, Y, optimizer=optimizer, epochs=4, callbacks=[assign], **OPTIONS)
    np.testing.assert_array_equal(history["learning_rate"], [np.nan, np.nan, 0.4, 0.2])


# ------------------------------------------------------------------------------------------------------------- plateaus


def plateaus(losses, rate, factor, patience, min_delta):
    """The rates of epochs with these losses, as the docstring has them."""
    rates, best, wait = [], np.inf, 0
    for loss in losses:
        rates.append(rate)
        best, wait = (loss, 0) if loss < best - min_delta else (best, wait + 1)
        if wait == patience:
            rate, wait = rate * factor, 0
    return rates


@pytest.mark.parametrize("monitor", ["loss", "val_loss"])
def test_a_plateau_of_either_loss(monitor):
    schedule = ReduceOnPlateau(0.5, factor=0.5, patience=2, min_delta=0.01, monitor=monitor)
    history = classifier().fit(X, Y, optimizer=SGD(schedule), epochs=60, validation_split=0.5, **OPTIONS)
    expected = plateaus(history[monitor], 0.5, 0.5, 2, 0.01)
    assert history["learning_rate"] == expected
    assert 2 < len(set(expected)) < 40


def test_a_plateau_of_validation_needs_validation_data():
    model, optimizer = classifier(), SGD(Warmup(ReduceOnPlateau(0.1, monitor="val_loss"), 5))
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="expected validation data in fit, whose loss it watches: give validation"):
            call(X, Y, "cce", optimizer=optimizer)
    assert (optimizer._state, model.epochs_trained, model.history) == ({}, 0, None)


# ----------------------------------------------------------------------------------------------- functions of the epoch


def test_a_function_gives_the_rate_of_each_epoch():
    model, asked = classifier(), []

    def rate(epoch):
        asked.append(epoch)
        return 0.1 / (1 + epoch)

    optimizer = SGD(rate)
    history = model.fit(X, Y, optimizer=optimizer, epochs=3, **OPTIONS)
    assert asked == [0, 1, 2]
    assert history["learning_rate"] == [0.1, 0.05, 0.1 / 3]
    twin, own = classifier(), SGD()
    for own.learning_rate in history["learning_rate"]:
        twin.fit(X, Y, optimizer=own, **OPTIONS)
    np.testing.assert_array_equal(params(model), params(twin))
    model.fit(X, Y, optimizer=optimizer, epochs=2, **OPTIONS)
    assert asked == [0, 1, 2, 3, 4]


def test_an_error_of_the_function_leaves_the_epochs_before():
    model, twin = classifier(), classifier()
    table = {0: 0.1, 1: 0.05}
    with pytest.raises(KeyError, match="2"):
        model.fit(X, Y, optimizer=SGD(lambda epoch: table[epoch]), epochs=5, **OPTIONS)
    assert (model.epochs_trained, model.history["learning_rate"]) == (2, [0.1, 0.05])
    twin.fit(X, Y, optimizer=SGD(lambda epoch: table[epoch]), epochs=2, **OPTIONS)
    np.testing.assert_array_equal(params(model), params(twin))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-0.1, ValueError, "learning_rate of epoch 1 is -0.1, expected a finite number >= 0"),
        (float("nan"), ValueError, "learning_rate of epoch 1 is nan"),
        ("0.1", TypeError, "learning_rate of epoch 1 is '0.1'"),
        (None, TypeError, "learning_rate of epoch 1 is None"),
        (1e39, ValueError, r"learning_rate of epoch 1 is 1e\+39, which float32"),
        (1e38, ValueError, "which makes the first step of 'adam' infinite in float32"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda rate: rate, lambda rate: Warmup(rate, 3)], ids=["plain", "warmup"])
def test_what_a_function_returns_is_checked_like_a_number(wrap, value, error, message):
    model, fresh = classifier("float32"), classifier("float32")
    with pytest.raises(error, match=message):
        model.fit(X, Y, optimizer=Adam(wrap(lambda epoch: (0.1, value)[epoch])), epochs=2, **OPTIONS)
    assert model.epochs_trained == 1
    optimizer, before = Adam(wrap(lambda epoch: value)), params(fresh)
    for call in (fresh.fit, fresh.partial_fit):
        with pytest.raises(error, match=message.replace("epoch 1", "epoch 0")):
            call(X, Y, "cce", optimizer=optimizer)
    assert (optimizer._state, fresh.epochs_trained, fresh.history) == ({}, 0, None)
    np.testing.assert_array_equal(params(fresh), before)


# ------------------------------------------------------------------------------------- rates that the type cannot hold


@pytest.mark.parametrize("kind", [Cosine, CosLog, OneCycle, lambda rate: Warmup(rate, 3), lambda rate: Step(rate, 5)])
def test_the_largest_rate_is_checked_beforehand(kind):
    for optimizer, message in (
        (SGD(kind(1e39)), r"learning_rate is 1e\+39, which float32"),
        (Adam(kind(1e38)), "learning_rate is 1e.38, which makes the first step of 'adam' infinite in float32"),
    ):
        model = classifier("float32")
        before = params(model)
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, optimizer=optimizer, **OPTIONS)
        assert (optimizer._state, model.epochs_trained, model.history) == ({}, 0, None)
        np.testing.assert_array_equal(params(model), before)
    model = classifier("float32", learning_rate_factor=1e30)
    with pytest.raises(
        ValueError, match="learning_rate times a layer's learning_rate_factor is .*e\\+39, which float32"
    ):
        model.fit(X, Y, optimizer=SGD(kind(5e9)), **OPTIONS)


def test_a_rate_that_decays_to_0_in_the_models_type_is_no_fault():
    model = classifier("float32")
    history = model.fit(X, Y, optimizer=Adam(Exponential(0.1, 1e-20)), epochs=2, **OPTIONS)
    assert history["learning_rate"][-1] == pytest.approx(1e-181, rel=1e-10)
    assert np.isfinite(params(model)).all()
