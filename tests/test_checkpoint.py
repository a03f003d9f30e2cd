"""Checkpoint and fit(resume="auto"): a training that was cut off ends with the bits of one that was not."""

from typing import Any

import numpy as np
import pytest

import mlpcore
from mlpcore import (
    LBFGS,
    SGD,
    AdamW,
    BatchNorm,
    Checkpoint,
    Cosine,
    Dense,
    Dropout,
    EarlyStopping,
    NAdam,
    ReduceOnPlateau,
    Rprop,
    Sequential,
)

RNG = np.random.default_rng(4)
X = RNG.normal(size=(80, 3))
Y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
EPOCHS = 12
OPTIMIZERS = {
    "adamw with cosine": lambda: AdamW(Cosine(0.01)),
    "plateau": lambda: SGD(ReduceOnPlateau(0.1, patience=1, monitor="val_loss"), momentum=0.9),
    "a function of the epoch": lambda: NAdam(lambda epoch: 0.01 / (1 + epoch)),
    "accumulation and average": lambda: Rprop(gradient_accumulation_steps=3, use_ema=True),
    "lbfgs": LBFGS,
}


def model(normalized=True):
    inner = [BatchNorm(), Dropout(0.3)] if normalized else []
    return Sequential([Dense(8, "tanh"), *inner, Dense(1, "sigmoid")], seed=6)


def train(path, epochs, optimizer, *callbacks, resume: str | None = "auto", every=1, **options: Any):
    """What a training leaves: weights, numbers beside them, what the optimizer keeps, history."""
    trained, made = model(not isinstance(optimizer, LBFGS)), optimizer
    batch = {} if isinstance(optimizer, LBFGS) else {"batch_size": 16}
    callbacks = [*callbacks, Checkpoint(path, every)]
    settings = {"validation_split": 0.25, "metrics": ["roc_auc"], "progress": False} | batch | options
    history = trained.fit(X, Y, "bce", optimizer=made, epochs=epochs, callbacks=callbacks, resume=resume, **settings)
    net = trained._built()
    return [net.params.copy(), net.state.copy(), trained.epochs_trained, *made._state.values(), str(dict(history))]


def assert_same(one, other):
    for mine, others in zip(one, other, strict=True):
        assert np.array_equal(mine, others)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pieces_are_the_whole(name, tmp_path):
    make = OPTIMIZERS[name]
    length = {"adamw with cosine": lambda: AdamW(Cosine(0.01, length=48))}
    make = length.get(name, make)
    whole = train(tmp_path / "whole", EPOCHS, make(), resume=None)
    for epochs in (5, 6, EPOCHS):
        pieces = train(tmp_path / "pieces", epochs, make())
    assert_same(whole, pieces)
    assert_same(whole, train(tmp_path / "pieces", EPOCHS, make()))  # nothing is left to do


@pytest.mark.parametrize("cut", [1, 4, 7])
@pytest.mark.parametrize("every", [1, 3])
def test_what_an_error_cut_off_goes_on_from_the_last_file(cut, every, tmp_path):
    class CutError(Exception):
        pass

    def fail(model, epoch, logs):
        if epoch == cut:
            raise CutError

    make = OPTIMIZERS["adamw with cosine"]  # as long as the fit
    whole = train(tmp_path / "whole", EPOCHS, make(), EarlyStopping(patience=50), resume=None, every=every)
    with pytest.raises(CutError):
        train(tmp_path / "cut", EPOCHS, make(), EarlyStopping(patience=50), fail, every=every)
    assert_same(whole, train(tmp_path / "cut", EPOCHS, make(), EarlyStopping(patience=50), every=every))


def test_early_stopping_goes_on_and_stays_stopped(tmp_path):
    whole = train(tmp_path / "whole", 500, SGD(0.5), EarlyStopping(patience=4), resume=None)
    for epochs in (3, 8, 500, 500):
        stopping = EarlyStopping(patience=4)
        pieces = train(tmp_path / "pieces", epochs, SGD(0.5), stopping)
    assert stopping.stopped
    assert_same(whole, pieces)


def test_a_fit_that_was_stopped_within_an_epoch_leaves_the_last_whole_one(tmp_path):
    whole = train(tmp_path / "whole", EPOCHS, SGD(0.1), resume=None)

    def stop(model, epoch, batch, logs):
        if (epoch, batch) == (3, 1):
            model.stop()

    train(tmp_path / "cut", EPOCHS, SGD(0.1), mlpcore.LambdaCallback(on_batch_end=stop))
    assert Sequential.load(tmp_path / "cut").epochs_trained == 3
    assert_same(whole, train(tmp_path / "cut", EPOCHS, SGD(0.1)))


def test_another_process_may_have_drawn_another_seed(tmp_path):
    def run(epochs):
        drawn = Sequential([Dense(4, "tanh"), Dense(1, "sigmoid")])
        drawn.fit(X, Y, "bce", epochs=epochs, callbacks=[Checkpoint(tmp_path / "m")], resume="auto", progress=False)
        return drawn

    first, second = run(2), run(4)
    assert first.seed == second.seed
    assert second.epochs_trained == 4
    again = Sequential([Dense(4, "tanh"), Dense(1, "sigmoid")], seed=first.seed)
    again.fit(X, Y, "bce", epochs=4, progress=False)
    assert np.array_equal(again.predict(X), second.predict(X))


def test_it_is_a_models_file_too(tmp_path):
    train(tmp_path / "m", 3, AdamW(), EarlyStopping(patience=50, restore_best=False))
    loaded = Sequential.load(tmp_path / "m")
    assert loaded.epochs_trained == 3
    assert loaded.predict(X).shape == (80, 1)
    loaded.save(tmp_path / "plain")
    with pytest.raises(ValueError, match="holds a model without a training, expected what Checkpoint writes"):
        train(tmp_path / "plain", 3, AdamW())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": SGD(0.5)}, "its optimizer is AdamW.*, expected SGD"),
        ({"callbacks": [EarlyStopping(patience=3)]}, r"its early_stopping is \[\], expected \[EarlyStopping"),
        ({"batch_size": 8}, "its batch_size is 16, expected 8"),
        ({"shuffle": False}, "its shuffle is True, expected False"),
        ({"validation_split": 0.5}, "its rows is 60, expected 40"),
        ({"loss": "mse"}, "its loss is .*bce.*, expected .*mse"),
        (
            {"layers": [Dense(7, "tanh"), Dense(1, "sigmoid")]},
            r"its layers\[0\] is Dense\(8, .*, expected Dense\(7",
        ),
        ({"dtype": "float64"}, "its dtype is float32, expected float64"),
        ({"columns": 2}, "its columns is 3, expected 2"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_training_is_refused_before_anything_changes(change, message, tmp_path):
    path = tmp_path / "m"
    settings: dict[str, Any] = {"loss": "bce", "optimizer": AdamW(), "batch_size": 16, "validation_split": 0.25}
    layers = [Dense(8, "tanh"), Dense(1, "sigmoid")]
    first = Sequential(layers, seed=1)
    first.fit(X, Y, epochs=2, callbacks=[Checkpoint(path)], progress=False, **settings)
    before = path.read_bytes()
    made = dict(change)
    other = Sequential(made.pop("layers", [Dense(8, "tanh"), Dense(1, "sigmoid")]), dtype=made.pop("dtype", "float32"))
    x = X[:, : made.pop("columns", 3)]
    options = settings | {"optimizer": AdamW()} | made
    options["callbacks"] = [Checkpoint(path), *options.get("callbacks", [])]
    with pytest.raises(ValueError, match=message):
        other.fit(x, Y, epochs=4, resume="auto", progress=False, **options)
    assert other.history is None
    assert other.input_size is None
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "m"
    train(path, 2, AdamW())
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:100], b"", whole.replace(b"training.history", b"training.mystery")):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot load|cannot go on|not a complete"):
            train(path, 3, AdamW())


@pytest.mark.parametrize(
    ("resume", "callbacks", "message"),
    [
        (True, [Checkpoint("x")], "resume is True, expected 'auto' or None"),
        ("always", [Checkpoint("x")], "resume is 'always', expected 'auto' or None"),
        ("auto", [], "callbacks has no Checkpoint, expected one"),
    ],
)
def test_wrong_arguments(resume, callbacks, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, Y, "bce", callbacks=callbacks, resume=resume, progress=False)
    with pytest.raises(ValueError, match="every is 0"):
        Checkpoint("x", every=0)
    with pytest.raises(TypeError):
        Checkpoint(3)
