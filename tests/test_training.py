"""Training: what is refused changes nothing, whatever interrupts leaves a whole state, and what is hopeless is said."""

import contextlib
import copy
import itertools
import linecache
import pickle
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam, Dense, Dropout, Sequential, TrainingWarning, network, training
from mlpcore._core import BusyError
from mlpcore.layers.layer import beginning

QUIET = {"progress": False}


def data(n=10):
    """n points of 3 numbers, and which of them is the largest."""
    i = np.arange(n * 3)
    x = (i * 37 % 101 / 50 - 1).reshape(n, 3)
    return x, x.argmax(axis=1)


def classifier(seed=1, **options):
    return Sequential([Dense(8, "tanh"), Dropout(0.2), Dense(3, "softmax")], seed=seed, **options)


def regression(**options):
    """The model of the issue, with its data."""
    x = np.arange(20.0).reshape(10, 2) / 20
    model = Sequential([Dense(1)], input_size=2, seed=0, **options)
    return model, x, x[:, :1]


# ---------------------------------------------------------------------------------------------- all that may not change


def frozen(thing):
    """Everything that a model, an optimizer or one of their parts holds, as plain data that can be compared."""
    if isinstance(thing, np.ndarray):
        return thing.dtype.str, thing.shape, thing.tobytes()
    if isinstance(thing, dict):
        return {name: frozen(value) for name, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [frozen(each) for each in thing]
    return thing


def shown(layer):
    """What a layer shows, or why it does not."""
    values = {}
    for name in ("input_size", "x", "z", "a", "w", "b", "phi", "grad_w", "grad_b"):
        try:
            values[name] = frozen(getattr(layer, name))
        except (AttributeError, RuntimeError) as error:
            values[name] = type(error).__name__
    return values


def snapshot(model, *optimizers):
    """All that a refused call must leave as it is."""
    bound = model._holder.bound
    return {
        "bound": id(bound),
        "params": None if bound is None else frozen(bound.net.params),
        "has gradients": bound is not None and bound.net.has_gradients,
        "cursor": model._cursor.tolist(),
        "history": (id(model.history), None if model.history is None else frozen(dict(model.history))),
        "attributes": sorted(vars(model)),
        "layers": [
            (sorted(vars(layer)), layer._has_model, id(layer._holder), shown(layer))
            for _, layer in network.all_layers(model.layers)
        ],
        "optimizers": [(frozen(each._state), id(each._owner), repr(each)) for each in optimizers],
    }


def unbuilt():
    return classifier()


def built():
    return classifier(input_size=3)


def trained():
    model = classifier()
    model.fit(*data(), "cce", optimizer="sgd", batch_size=4, **QUIET)
    return model


def stepped():
    """A model in the midst of steps by hand."""
    model = classifier()
    for _ in range(3):
        model.forward(data()[0], training=True)
        model.backward(data()[1], "cce")
        model.update(SGD(0.1))
    return model


MODELS = [unbuilt, built, trained, stepped]
X, Y = data()
NAN = np.where(np.arange(30).reshape(10, 3) == 7, np.nan, X)


def other_models_optimizer():
    optimizer = Adam()
    classifier(seed=9).fit(X, Y, "cce", optimizer=optimizer, **QUIET)
    return optimizer


def changed_to(optimizer, name, value):
    setattr(optimizer, name, value)
    return optimizer


NO_ROWS = [X[0], X[:0], X[:, :0], X[None], X + 1j, X.astype(str), None, [[1, 2, 3], [4]], object()]
BAD_X = [*NO_ROWS, NAN, X * 1e300]
BAD_Y = [Y[:-1], Y + 1, Y - 1, Y + 0.5, None, np.ones((10, 2)), "cat", Y * np.nan]
BAD_LOSS = [None, "hinge", "", 3, "bce", ("cce", 1)]
BAD_WEIGHT = [
    np.ones(9),
    np.ones((10, 1)),
    -np.ones(10),
    np.full(10, np.nan),
    np.full(10, np.inf),
    "heavy",
    [None] * 10,
]
BAD_BATCH = [0, -1, 2.5, "32", None, True, 10**30]
BAD_OPTIMIZER = [
    "lion",
    None,
    Adam,
    3,
    other_models_optimizer,
    lambda: changed_to(Adam(), "learning_rate", -1.0),
    lambda: changed_to(Adam(), "learning_rate", "fast"),
    lambda: changed_to(SGD(0.1, 0.9, True), "momentum", 0.0),
    lambda: changed_to(Adam(), "beta1", 1.0),
    lambda: SGD(1e39),
    lambda: SGD(0.1, clip_norm=1e-60),
]

REFUSALS = {
    "fit": {
        "X": BAD_X,
        "y": BAD_Y,
        "loss": BAD_LOSS,
        "sample_weight": [*BAD_WEIGHT, np.zeros(10)],
        "batch_size": BAD_BATCH,
        "optimizer": BAD_OPTIMIZER,
        "epochs": [0, -1, 1.5, None, 2**32 + 1, 10**30],
        "shuffle": ["yes", 1, None],
        "progress": ["yes", 1, None],
        "validation_split": [1, -0.1, 0.99, None, np.nan, "half"],
        "validation_data": [X, (X,), (X, Y + 1), (X[:, :2], Y), (NAN, Y), (X, Y, np.zeros(10)), (X, Y, X, Y), 3],
        "class_weight": [{3: 1}, {-1: 1}, {"a": 1}, {0: -1}, {0: np.nan}, {0: "b"}, {0: 0, 1: 0, 2: 0}, [1, 2, 3]],
        "callbacks": [print, [print, 3], 3, None],
    },
    "partial_fit": {
        "X": BAD_X,
        "y": BAD_Y,
        "loss": BAD_LOSS,
        "sample_weight": BAD_WEIGHT,
        "batch_size": BAD_BATCH,
        "optimizer": ["adam", *BAD_OPTIMIZER],
        "shuffle": ["yes", 1, None],
    },
    "evaluate": {"X": BAD_X, "y": BAD_Y, "loss": BAD_LOSS, "sample_weight": [*BAD_WEIGHT, np.zeros(10)]},
    "predict": {"X": NO_ROWS},
    "forward": {"x": NO_ROWS, "training": ["yes", 1, None]},
    "backward": {"y": BAD_Y, "loss": BAD_LOSS, "sample_weight": [*BAD_WEIGHT, np.zeros(10)]},
    "update": {"optimizer": ["adam", *BAD_OPTIMIZER]},
}
GOOD = {
    "fit": {"X": X, "y": Y, "loss": "cce", "optimizer": SGD, "progress": False},
    "partial_fit": {"X": X, "y": Y, "loss": "cce", "optimizer": SGD},
    "evaluate": {"X": X, "y": Y, "loss": "cce"},
    "predict": {"X": X},
    "forward": {"x": X},
    "backward": {"y": Y, "loss": "cce"},
    "update": {"optimizer": SGD},
}


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(("method", "name"), [(method, name) for method in REFUSALS for name in REFUSALS[method]])
def test_a_refused_call_changes_nothing(method, name, make):
    model = make()
    for value in REFUSALS[method][name]:
        arguments = GOOD[method] | {name: value}
        if callable(arguments.get("optimizer")) and arguments["optimizer"] is not Adam:
            arguments["optimizer"] = arguments["optimizer"]()
        optimizers = [each for each in arguments.values() if isinstance(each, mlpcore.optimizers.Optimizer)]
        before = snapshot(model, *optimizers)
        with pytest.raises((TypeError, ValueError, RuntimeError)) as refusal:
            getattr(model, method)(**arguments)
        assert snapshot(model, *optimizers) == before, f"{value!r} was refused: {refusal.value}"
        assert not isinstance(refusal.value, RuntimeError) or make is not stepped, "what was refused is the argument"


def test_the_table_of_refusals_has_every_argument():
    import inspect

    for method, table in REFUSALS.items():
        assert set(inspect.signature(getattr(Sequential, method)).parameters) == {"self", *table}
        for make in MODELS if method not in ("backward", "update") else [stepped]:
            arguments = GOOD[method] | ({"optimizer": SGD()} if "optimizer" in table else {})
            getattr(make(), method)(**arguments)


def test_a_validation_part_without_weight_is_named_before_anything_changes():
    model, x, y = regression()
    model.fit(x, y, loss="mse", epochs=5, **QUIET)
    before = snapshot(model)
    for weight, part in (([1] * 8 + [0] * 2, "validation"), ([0] * 8 + [1] * 2, "training")):
        with pytest.raises(
            ValueError, match=f"sample_weight is 0 in every row of the {part} part that validation_split=0.2"
        ):
            model.fit(x, y, loss="mse", sample_weight=weight, validation_split=0.2, **QUIET)
        assert snapshot(model) == before
    assert model.epochs_trained == 5 == len(model.history["loss"])


def test_a_beta_that_no_fit_can_use_is_refused_by_the_constructor():
    with pytest.raises(ValueError, match=r"beta2 is 0.99999999, expected a finite number >= 0 and < 0\.9999999\d"):
        Adam(beta2=0.99999999)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("rows", [1, 10])
def test_rows_that_all_weigh_0_are_left_out_of_a_partial_fit(make, rows):
    model, optimizer = make(), Adam()
    before = snapshot(model, optimizer)
    assert model.partial_fit(X[:rows], Y[:rows], "cce", optimizer=optimizer, sample_weight=[0] * rows) is model
    assert snapshot(model, optimizer) == before


def test_weights_of_a_partial_fit_are_taken_as_they_are():
    def step(times=1, **options):
        model, x, y = regression(dtype="float64")
        for _ in range(times):
            model.partial_fit(x, y, "mse", optimizer=SGD(0.1), **options)
        return model.layers[0].w - start

    start = regression(dtype="float64")[0].layers[0].w.copy()
    np.testing.assert_allclose(step(sample_weight=[3] * 10), 3 * step(), rtol=1e-12)
    with pytest.warns(TrainingWarning, match="infinite or nan"):
        step(2, sample_weight=[1e300] * 10)


@pytest.mark.parametrize("make", [built, trained])
def test_an_update_without_a_backward_leaves_the_optimizer_free(make):
    model, optimizer = make(), Adam()
    model.forward(X)
    before = snapshot(model, optimizer)
    with pytest.raises(RuntimeError, match="no backward since the last forward"):
        model.update(optimizer)
    assert snapshot(model, optimizer) == before
    classifier(seed=2).fit(X, Y, "cce", optimizer=optimizer, **QUIET)


# -------------------------------------------------------------------------------------------------- two threads at once


class Slow(mlpcore.CustomLayer):
    """Hands on what it is given, and lets a test come in while a batch is under way."""

    def __init__(self):
        super().__init__()
        self.inside, self.go_on, self.calls = threading.Event(), threading.Event(), 0

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name not in ("inside", "go_on")}

    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        self.calls += 1
        if training and self.calls == 3:
            self.inside.set()
            assert self.go_on.wait(30)
        return x

    def backward(self, grad_y, x):
        return grad_y


@pytest.fixture
def busy():
    """A model and its optimizer, which another thread trains, in the third batch of five; and what ends that."""
    slow = Slow()
    model, optimizer = Sequential([Dense(4, "tanh"), slow, Dense(3, "softmax")], seed=1), Adam()
    failures = []

    def fit():
        try:
            model.fit(X, Y, "cce", optimizer=optimizer, batch_size=2, **QUIET)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=fit)
    thread.start()
    assert slow.inside.wait(30)

    def finish():
        slow.go_on.set()
        thread.join()
        assert not failures, failures

    yield model, optimizer, finish
    slow.go_on.set()
    thread.join()


CALLS = {
    "fit": lambda model, own: model.fit(X, Y, "cce", optimizer=own, **QUIET),
    "fit, watched": lambda model, own: model.fit(
        X, Y, "cce", optimizer=own, validation_data=(X, Y), callbacks=[lambda *_: None], **QUIET
    ),
    "partial_fit": lambda model, own: model.partial_fit(X, Y, "cce", optimizer=own),
    "forward": lambda model, own: model.forward(X),
    "predict": lambda model, own: model.predict(X),
    "evaluate": lambda model, own: model.evaluate(X, Y, "cce"),
    "backward": lambda model, own: model.backward(Y, "cce"),
    "update": lambda model, own: model.update(own),
    "pickle": lambda model, own: pickle.dumps(model),
    "copy": lambda model, own: copy.copy(model),
    "deepcopy": lambda model, own: copy.deepcopy(model),
}


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_beside_a_training_is_refused_and_changes_nothing(busy, call, shared):
    model, optimizer, finish = busy
    own = optimizer if shared else SGD(0.1)
    history, before = model.history, snapshot(model, own)
    with pytest.raises(RuntimeError, match="busy|no backward"):
        CALLS[call](model, own)
    assert model.history is history
    assert snapshot(model, own) == before
    finish()
    twin = Sequential([Dense(4, "tanh"), Slow(), Dense(3, "softmax")], seed=1)
    twin.layers[1].go_on.set()
    twin.fit(X, Y, "cce", batch_size=2, **QUIET)
    assert dict(history) == dict(twin.history)
    assert model._cursor.tolist() == [1, 0]
    assert optimizer._steps == 5
    np.testing.assert_array_equal(model._built().params, twin._built().params)


def test_an_optimizer_is_not_read_while_it_steps(busy):
    _, optimizer, finish = busy
    for read in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(BusyError, match="busy"):
            read(optimizer)
    finish()
    assert pickle.loads(pickle.dumps(optimizer))._steps == 5


def test_a_layer_that_asks_its_own_model_ends_the_training_at_a_whole_batch():
    class Asks(Slow):
        def forward(self, x, training):
            self.calls += 1
            if training and self.calls == 3:
                model.predict(X)
            return x

    model, optimizer = Sequential([Dense(3, "softmax"), Asks()], seed=1), SGD(0.1)
    with pytest.raises(BusyError):
        model.fit(X, Y, "cce", optimizer=optimizer, batch_size=2, **QUIET)
    assert (model._cursor.tolist(), optimizer._steps) == ([0, 2], 2)
    assert optimizer._owner is model._owner


@pytest.mark.parametrize("kind", ["model", "optimizer"])
def test_what_is_read_beside_many_short_trainings_is_one_moment_of_them(kind):
    """Weights, counter and history tell of the same step, and so do m, v and t, whoever trains between two looks."""
    model, x, y = regression()
    optimizer, stop, failures = Adam(), threading.Event(), []

    def train():
        try:
            while not stop.is_set():
                with contextlib.suppress(BusyError):  # the other thread reads
                    model.fit(x, y, "mse", optimizer=optimizer, batch_size=5, shuffle=False, **QUIET)
                time.sleep(0.0002)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    copies = []
    while model.epochs_trained < 100 and thread.is_alive():
        try:
            copies.append(pickle.loads(pickle.dumps(model if kind == "model" else optimizer)))
        except BusyError:
            continue
    stop.set()
    thread.join()
    assert not failures, failures
    twin, own, moments = regression()[0], Adam(), []
    for _ in range(model.epochs_trained + 1):
        moments.append((frozen(twin._built().params), frozen(own._state)))
        twin.fit(x, y, "mse", optimizer=own, batch_size=5, shuffle=False, **QUIET)
    for each in copies:
        if kind == "model":
            assert frozen(each._built().params) == moments[each.epochs_trained][0]
            assert each.history is None or len(each.history["loss"]) == 1
        else:
            assert frozen(each._state) == moments[each._steps // 2][1]
    assert copies


def test_a_callback_may_fit_the_same_model():
    def again(model, epoch, logs):
        model.fit(X, Y, "cce", optimizer=optimizer, **QUIET)

    model, optimizer = classifier(), SGD(0.1)
    history = model.fit(X, Y, "cce", optimizer=optimizer, epochs=3, callbacks=[again], **QUIET)
    assert model.history is history
    assert (len(history["loss"]), model.epochs_trained) == (3, 6)


# ------------------------------------------------------------------------------------------- what interrupts a training


class Interrupting:
    """Raises an error at the k-th line of mlpcore that is executed; tells whether there were so many."""

    def __init__(self, k, error=KeyboardInterrupt):
        self.left, self.error = k, error

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.called)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def called(self, frame, event, argument):
        return self.executed if PACKAGE in frame.f_code.co_filename else None

    def executed(self, frame, event, argument):
        # Where a lock is taken and given back, Python itself answers no signal.
        if event == "line" and linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip() != "with beginning:":
            self.left -= 1
            if self.left == 0:
                raise self.error
        return self.executed


PACKAGE = str(Path(mlpcore.__file__).parent)


def interrupted_at_every_line(make, call):
    """Yield what `make` made and what it was before, for every line of mlpcore at which `call` can be interrupted."""
    for k in itertools.count(1):
        model, optimizer = make(), Adam()
        before = snapshot(model, optimizer)
        with contextlib.suppress(KeyboardInterrupt), Interrupting(k) as interrupting:
            call(model, optimizer)
        assert not beginning._is_owned()
        yield model, optimizer, before
        if interrupting.left > 0:
            return


FITS = {
    "plain": {},
    "validated": {"validation_data": (X, Y)},
    "watched": {"callbacks": [lambda *_: None]},
    "both": {"validation_split": 0.3, "callbacks": [lambda *_: None]},
}


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("options", FITS)
def test_wherever_a_fit_is_interrupted_all_tell_of_the_same_step(options, make):
    options = {"loss": "cce", "batch_size": 4, **FITS[options], **QUIET}
    twin, own = make(), Adam()
    begun = twin.epochs_trained
    weights = {}
    for epoch in range(begun + 1, begun + 4):
        twin.fit(X, Y, optimizer=own, **options)
        weights[epoch] = frozen(twin._built().params), own._steps
    counts = set()
    for model, optimizer, before in interrupted_at_every_line(
        make, lambda model, optimizer: model.fit(X, Y, optimizer=optimizer, epochs=3, **options)
    ):
        epochs = model.epochs_trained
        counts.add(epochs - begun)
        if epochs == begun:
            assert snapshot(model, optimizer) == before
        else:
            assert (frozen(model._built().params), optimizer._steps) == weights[epochs]
            assert {len(values) for values in model.history.values()} == {epochs - begun}
            assert not np.isnan(model.history["loss"]).any()
            assert model._cursor[1] == 0
        if epochs < begun + 3:
            model.fit(X, Y, optimizer=optimizer, epochs=begun + 3 - epochs, **options)
        assert (frozen(model._built().params), optimizer._steps) == weights[begun + 3]
    assert counts == ({0, 3} if options.keys().isdisjoint({"validation_data", "callbacks"}) else {0, 1, 2, 3})


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("method", ["partial_fit", "predict", "forward", "evaluate", "update"])
def test_wherever_another_call_is_interrupted_it_was_made_or_not(method, make):
    if method == "update" and make is not stepped:
        pytest.skip("there is nothing to update with")

    def call(model, optimizer):
        return getattr(model, method)(
            **GOOD[method] | ({"optimizer": optimizer} if "optimizer" in GOOD[method] else {})
        )

    twin, own = make(), Adam()
    call(twin, own)
    after = snapshot(twin, own)
    ends = set()
    for model, optimizer, before in interrupted_at_every_line(make, call):
        now = snapshot(model, optimizer)
        if now == before:
            ends.add("before")
            continue
        ends.add("after")
        for name in ("params", "has gradients", "cursor"):
            assert now[name] == after[name]
        assert optimizer._steps == own._steps
        assert (optimizer._owner is model._owner) == (own._owner is twin._owner)
        for _, layer in network.all_layers(model.layers):
            assert layer.input_size
    assert ends == {"before", "after"} or (ends == {"before"} and method in ("predict", "evaluate"))


@pytest.mark.parametrize("interrupted", [1, 2])
def test_an_epoch_whose_validation_is_interrupted_counts(monkeypatch, interrupted):
    model, score, calls = classifier(), training.score, []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) == interrupted:
            raise KeyboardInterrupt
        return score(*arguments)

    monkeypatch.setattr(training, "score", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, "cce", epochs=3, validation_data=(X, Y), **QUIET)
    assert model.epochs_trained == interrupted == len(model.history.epoch) == len(model.history["loss"])
    if interrupted == 1:
        assert list(model.history) == ["loss", "accuracy"]
    else:
        assert np.isnan(model.history["val_loss"]).tolist() == [False, True]


@pytest.mark.parametrize("call", ["predict", "forward", "evaluate", "partial_fit", "fit"])
def test_where_memory_fails_a_first_call_was_not_made(call):
    testcapi = pytest.importorskip("_testcapi")
    failed = 0
    for k in range(2000):
        model, optimizer = classifier(), Adam()
        before = snapshot(model, optimizer)
        arguments = GOOD[call] | ({"optimizer": optimizer} if "optimizer" in GOOD[call] else {})
        error = None
        testcapi.set_nomemory(k, k + 1)
        try:
            getattr(model, call)(**arguments)
        except BaseException as caught:
            testcapi.remove_mem_hooks()
            error = caught
        testcapi.remove_mem_hooks()
        if error is None:
            if failed and k > failed + 400:
                break
        else:
            failed = k
            assert isinstance(error, MemoryError | SystemError), error  # SystemError: NumPy forgets to set its own
        if model.epochs_trained == 0 and call in ("partial_fit", "fit"):
            assert snapshot(model, optimizer) == before
        elif model.history is not None:
            assert len(model.history["loss"]) == model.epochs_trained == 1
        assert model.predict(X).shape == (10, 3)
        assert [layer.w.shape for layer in model.layers if isinstance(layer, Dense)] == [(8, 3), (3, 8)]
        assert pickle.loads(pickle.dumps(model)).epochs_trained == model.epochs_trained
    assert failed, "no allocation failed"


# ----------------------------------------------------------------------------------------------------- what is hopeless


def test_one_unit_with_softmax_cannot_learn():
    model = Sequential([Dense(1, "softmax")], seed=1)
    with pytest.warns(TrainingWarning, match="one unit with 'softmax'.*nothing can be learned.*sigmoid") as caught:
        model.fit(X, np.ones((10, 1)), "cce", epochs=3, **QUIET)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(TrainingWarning, match="nothing can be learned"):
        model.partial_fit(X, np.ones((10, 1)), "cce", optimizer=SGD())


@pytest.mark.parametrize("sigma", mlpcore.catalogue.names("activations"))
@pytest.mark.parametrize("loss", mlpcore.catalogue.names("losses"))
def test_outputs_that_are_no_probabilities_are_named(loss, sigma):
    model, y = Sequential([Dense(3, "tanh"), Dense(3, sigma)], seed=1), np.eye(3)[Y]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, loss, optimizer=SGD(1e-6), epochs=2, callbacks=[lambda *_: None], **QUIET)
    hopeless = loss in ("bce", "cce") and sigma in ("linear", "relu", "tanh")
    assert [loss in str(each.message) and sigma in str(each.message) for each in caught] == [True] * hopeless


@pytest.mark.parametrize("options", FITS)
def test_a_training_that_diverges_says_once_where(options):
    model, x, y = regression()
    options = {name: (x, y) if name == "validation_data" else value for name, value in FITS[options].items()}
    with pytest.warns(TrainingWarning) as caught:
        history = model.fit(x, y, "mse", optimizer=SGD(1e6), epochs=20, batch_size=5, shuffle=False, **options, **QUIET)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    first = int(np.argmin(np.isfinite(history["loss"])))
    message = str(caught[0].message)
    assert f"the loss became infinite or nan in epoch {first}, batch " in message
    assert "weights of layers.0 are infinite or nan" in message
    assert "learning rate" in message


def test_the_batch_of_a_divergence_is_the_first_whose_loss_is_not_finite():
    x, y = np.zeros((10, 1)), np.zeros((10, 1))
    y[7] = 3e38
    model = Sequential([Dense(1)], input_size=1, seed=1)
    with pytest.warns(TrainingWarning, match=r"in epoch 0, batch 3 \(both counted from 0\)"):
        model.fit(x, y, "mse", optimizer=SGD(0.0), batch_size=2, shuffle=False, **QUIET)


def test_weights_that_the_last_step_made_infinite_are_named_though_the_loss_was_finite():
    model = Sequential([Dense(2), Dense(1)], input_size=1, seed=1)
    with pytest.warns(TrainingWarning, match=r"finite loss; weights of layers\.[01] are infinite or nan"):
        history = model.fit([[1e10]], [[0.0]], "mse", optimizer=SGD(1e30), **QUIET)
    assert np.isfinite(history["loss"]).all()


def test_a_warning_that_is_an_error_comes_before_or_after_the_training():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Sequential([Dense(3, "tanh")], seed=1)
        before = snapshot(model)
        with pytest.raises(TrainingWarning):
            model.fit(X, Y, "cce", **QUIET)
        assert snapshot(model) == before
        model, x, y = regression()
        with pytest.raises(TrainingWarning):
            model.fit(x, y, "mse", optimizer=SGD(1e6), epochs=20, **QUIET)
        assert model.epochs_trained == 20 == len(model.history["loss"])
