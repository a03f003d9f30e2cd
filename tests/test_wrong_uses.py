"""What practitioners get wrong: the error says which argument it was, what came, what was expected and what to do."""

import numpy as np
import pytest
from states import snapshot
from wrong import ONE_HOT, X, Y, assert_in_order, fit, model

import mlpcore
from mlpcore import (
    LBFGS,
    Adam,
    Callback,
    Checkpoint,
    CSVLogger,
    Dense,
    EarlyStopping,
    LambdaCallback,
    TensorBoardLogger,
    TimeLimit,
)

YES = (Y == 0).astype(float)


def logistic():
    return model(Dense(1, "sigmoid"))


class KerasStyle(Callback):
    def on_epoch_end(self, epoch, logs=None):  # Keras gives no model
        raise AssertionError


class KerasNames(Callback):
    def on_train_begin(self, model):
        raise AssertionError


GAPS = np.where(X > 0.9, np.nan, X)
TWICE = EarlyStopping("loss")


# What is done with a model, and words of the error in their order: the argument, what came, what was expected, advice.
def fit_frozen(model):
    for layer in model.layers:
        layer.trainable = False
    try:
        fit(model)
    finally:
        for layer in model.layers:
            layer.trainable = True


WRONG = {
    # ---- names
    "loss left out": (lambda m: m.fit(X, Y), TypeError, ["loss is missing", "'cce' for one class of several", "give"]),
    "another library's loss": (
        lambda m: fit(m, loss="sparse_categorical_crossentropy"),
        ValueError,
        ["loss is 'sparse_categorical_crossentropy'", "expected one of", "did you mean 'categorical_crossentropy'"],
    ),
    "capital letters": (
        lambda m: fit(m, optimizer="Adam"),
        ValueError,
        ["optimizer is 'Adam'", "one of", "did you mean 'adam'"],
    ),
    "a class for an optimizer": (
        lambda m: fit(m, optimizer=Adam),
        TypeError,
        ["optimizer is <class", "mlpcore.Adam()"],
    ),
    "a short name": (
        lambda m: fit(m, metrics=["acc"]),
        ValueError,
        ["metrics[0] is 'acc'", "expected one of", "did you mean 'accuracy'?"],
    ),
    "a metric by itself": (lambda m: fit(m, metrics="f1"), TypeError, ["metrics is 'f1'", "expected a list", "["]),
    "an activation": (
        lambda m: Dense(3, "LeakyReLU"),
        ValueError,
        ["activation is 'LeakyReLU'", "did you mean 'leaky_relu'"],
    ),
    # ---- y
    "labels from 1": (
        lambda m: fit(m, y=Y + 1),
        ValueError,
        ["y has 3.0 at row 2", "class index from 0 to 2", "np.unique(y, return_inverse=True)"],
    ),
    "labels as text": (
        lambda m: fit(m, y=np.array(["cat", "dog"] * 10)),
        TypeError,
        ["y has dtype <U3", "expected real numbers", "np.unique(y, return_inverse=True)"],
    ),
    "labels as a column": (
        lambda m: fit(m, y=Y[:, None]),
        ValueError,
        ["y has shape (20, 1)", "expected (20,) class indices", "y.ravel()"],
    ),
    "one-hot of more classes": (
        lambda m: fit(m, y=np.eye(4)[Y]),
        ValueError,
        ["y has shape (20, 4)", "(20, 3)", "a column for each of the model's 3 outputs"],
    ),
    "classes for a yes or no": (
        lambda m: fit(logistic(), y=Y, loss="bce"),
        ValueError,
        ["y has 2.0 at row 2", "from 0 to 1 for loss 'bce'", "loss 'cce' and Dense(K, 'softmax')"],
    ),
    "-1 and 1 for a yes or no": (
        lambda m: fit(logistic(), y=2 * YES - 1, loss="bce"),
        ValueError,
        ["y has -1.0 at row 1", "from 0 to 1", "give (y + 1) / 2"],
    ),
    "class indices for mse": (
        lambda m: fit(m, loss="mse"),
        ValueError,
        ["y has shape (20,)", "expected (20, 3)", "class indices go with loss 'cce'"],
    ),
    "one output for classes": (
        lambda m: fit(logistic()),
        ValueError,
        ["y has 1.0 at row 1", "expected a class index from 0 to 0", "use loss 'bce' and 'sigmoid'"],
    ),
    "fewer y": (lambda m: fit(m, y=Y[1:]), ValueError, ["y has 19 rows", "expected 20", "as many as"]),
    "a missing y": (
        lambda m: fit(m, y=None),
        TypeError,
        ["y is missing", "X alone is expected to be an iterable of batches, (X, y)"],
    ),
    "y with gaps": (
        lambda m: fit(m, y=np.where(ONE_HOT, np.nan, 0), loss="mse"),
        ValueError,
        ["y has nan, row 0, column 0", "expected numbers that are finite", "fill the gaps or leave these rows out"],
    ),
    # ---- X
    "gaps": (
        lambda m: fit(m, GAPS),
        ValueError,
        ["X has nan, row 19, column 0", "expected numbers that are finite", "fill the gaps or leave these rows out"],
    ),
    "too large for float32": (
        lambda m: fit(m, X * 1e300),
        ValueError,
        [
            "X has -1e+300, row 0, column 0",
            "finite in float32",
            "divide by a unit, or make the model with dtype='float64'",
        ],
    ),
    "no rows": (lambda m: fit(m, X[:0], Y[:0]), ValueError, ["X has shape (0, 3)", "one sample a row, n >= 1"]),
    "nothing": (lambda m: fit(m, [], []), ValueError, ["X has shape (0,)", "one sample a row, n >= 1"]),
    "pictures": (
        lambda m: fit(model(), np.zeros((20, 8, 8))),
        ValueError,
        ["X has shape (20, 8, 8)", "(n, in)", "X.reshape(len(X), -1)"],
    ),
    "text": (lambda m: m.predict([["a", "b", "c"]]), TypeError, ["X has dtype <U1", "real numbers", "get_dummies"]),
    "a narrower X": (lambda m: m.predict(X[:, :2]), ValueError, ["X has shape (20, 2)", "expected (n, 3)"]),
    "one sample": (lambda m: m.predict(X[0]), ValueError, ["X has shape (3,)", "expected (n, 3)", "write [["]),
    "nothing to predict": (lambda m: m.predict(X[:0]), ValueError, ["X has shape (0, 3)", "expected (n, 3)"]),
    "another width to measure": (
        lambda m: m.evaluate(X[:, :1], Y, "cce"),
        ValueError,
        ["X has shape (20, 1)", "(n, 3)"],
    ),
    # ---- weights, validation
    "weights by a word": (
        lambda m: fit(m, sample_weight="balanced"),
        TypeError,
        ["sample_weight is 'balanced'", "expected one weight a sample", "class_weight="],
    ),
    "negative weights": (lambda m: fit(m, sample_weight=-YES), ValueError, ["sample_weight has -1.0 at row 0", ">= 0"]),
    "class weights by a word": (
        lambda m: fit(m, class_weight="balanced"),
        TypeError,
        ["class_weight is 'balanced'", "expected a dict such as {0: 1.0", "np.bincount(y)"],
    ),
    "class weights as a list": (
        lambda m: fit(m, class_weight=[1, 2, 3]),
        TypeError,
        ["class_weight is [1, 2, 3]", "expected a dict", "dict(enumerate(class_weight))"],
    ),
    "class weights without classes": (
        lambda m: fit(m, y=ONE_HOT, loss="mse", class_weight={0: 2.0}),
        ValueError,
        ["class_weight needs classes", "the loss is 'mse' and the model has 3 outputs", "sample_weight= weighs rows"],
    ),
    "a percentage": (lambda m: fit(m, validation_split=20), ValueError, ["validation_split is 20.0", ">= 0 and < 1"]),
    "validation without y": (
        lambda m: fit(m, validation_data=X),
        ValueError,
        ["validation_data is of type ndarray", "expected (X, y) or (X, y, sample_weight)"],
    ),
    "validation of another width": (
        lambda m: fit(m, validation_data=(X[:, :2], Y)),
        ValueError,
        ["X of validation_data has shape (20, 2)", "expected (n, 3)"],
    ),
    "a part of the batch for L-BFGS": (
        lambda m: fit(m, optimizer=LBFGS(), batch_size=5),
        ValueError,
        ["batch_size is 5", "LBFGS takes all 20 samples", "leave it out"],
    ),
    "a metric that gives arrays": (
        lambda m: fit(m, metrics=[lambda y, y_hat: y_hat], epochs=1),
        TypeError,
        ["<lambda>, of metrics, returned array(", "expected a number"],
    ),
    # ---- callbacks
    "a callback by itself": (
        lambda m: fit(m, callbacks=EarlyStopping("loss")),
        TypeError,
        ["callbacks is EarlyStopping('loss'", "expected a list"],
    ),
    "the class of a callback": (
        lambda m: fit(m, callbacks=[EarlyStopping]),
        TypeError,
        ["callbacks[0] is the class EarlyStopping", "expected an object", "EarlyStopping(...)"],
    ),
    "one callback twice": (
        lambda m: fit(m, callbacks=[TWICE, TWICE]),
        ValueError,
        ["callbacks[1] is EarlyStopping('loss'", "there twice", "expected another object"],
    ),
    "a callback of Keras": (
        lambda m: fit(m, callbacks=[KerasStyle()]),
        TypeError,
        ["callbacks[0].on_epoch_end takes (epoch, logs=None)", "called with (model, epoch, logs)"],
    ),
    "a method of Keras": (
        lambda m: fit(m, callbacks=[KerasNames()]),
        TypeError,
        ["callbacks[0] has a method on_train_begin", "expected on_fit_begin, on_epoch_begin, on_batch_end"],
    ),
    "a function of the logs": (
        lambda m: fit(m, callbacks=[print, lambda logs: None]),
        TypeError,
        ["callbacks[1] takes (logs)", "expected to be called with (model, epoch, logs)"],
    ),
    "a function of one's own for batches": (
        lambda m: fit(m, callbacks=[LambdaCallback(on_batch_end=lambda batch, logs: None)]),
        TypeError,
        ["callbacks[0].on_batch_end takes (batch, logs)", "(model, epoch, batch, logs)"],
    ),
    "early stopping without validation": (
        lambda m: fit(m, callbacks=[EarlyStopping()]),
        ValueError,
        ["monitor of callbacks[0] is 'val_loss'", "expected one of 'loss', 'accuracy'", "give validation_data or"],
    ),
    "a monitor of Keras": (
        lambda m: fit(m, validation_split=0.2, callbacks=[EarlyStopping("val_acc")]),
        ValueError,
        ["monitor of callbacks[0] is 'val_acc'", "expected one of 'loss'", "did you mean 'val_accuracy'?"],
    ),
    "patience for a monitor": (lambda m: EarlyStopping(10), TypeError, ["monitor is 10", "a name", "patience=10"]),
    "a mode of Keras": (lambda m: EarlyStopping(mode="auto"), ValueError, ["mode is 'auto'", "'min', 'max', or None"]),
    "no time": (lambda m: TimeLimit(0), ValueError, ["seconds is 0", "expected a finite number > 0"]),
    "a number for a file": (lambda m: Checkpoint(3), TypeError, ["path is 3", "expected a path"]),
    "a number for a table": (lambda m: CSVLogger(3), TypeError, ["path is 3", "expected a path"]),
    "a number for a folder": (lambda m: TensorBoardLogger(3), TypeError, ["folder is 3", "expected a path"]),
    "all layers frozen": (
        fit_frozen,
        ValueError,
        ["trainable is False,", "in every layer that has parameters, layers.0", "layer.trainable = True", "evaluate"],
    ),
    "all layers at a rate of 0": (
        lambda m: fit(model(Dense(3, "softmax", learning_rate_factor=0))),
        ValueError,
        ["learning_rate_factor 0, in every layer that has parameters, layers.0", "expected at least one that learns"],
    ),
    # ---- resume
    "resume by a flag": (lambda m: fit(m, resume=True), ValueError, ["resume is True", "'auto'", "Checkpoint(path)"]),
    "resume from a path": (lambda m: fit(m, resume="m"), ValueError, ["resume is 'm'", "'auto'", "Checkpoint(path)"]),
    "resume without a file": (
        lambda m: fit(m, resume="auto"),
        ValueError,
        ["resume is 'auto'", "callbacks has no Checkpoint", "expected one"],
    ),
    # ---- files
    "weights that are not there": (lambda m: model().save("m"), RuntimeError, ["no weights yet", "give input_size="]),
    "a number to save to": (lambda m: m.save(3), TypeError, ["file is 3", "expected a path"]),
}


@pytest.mark.parametrize("use", WRONG)
def test_the_error_tells_and_the_model_stays(use):
    call, error, words = WRONG[use]
    trained = model()
    fit(trained)
    before = snapshot(trained)
    with pytest.raises(error) as refused:
        call(trained)
    assert_in_order(str(refused.value), words)
    assert len(str(refused.value)) < 700
    if use != "a metric that gives arrays":  # it is called after the epoch
        assert snapshot(trained) == before


# ----------------------------------------------------------------------------------------------------------- estimators

ESTIMATORS = {
    "activation": ({"activation": "rellu"}, ["activation is 'rellu'", "expected one of", "did you mean 'relu'"]),
    "too few activations": ({"activation": ["relu", "tanh"]}, ["activation has 2 entries", "expected 1"]),
    "solver": ({"solver": "adamw"}, ["solver is 'adamw'", "expected one of 'lbfgs', 'sgd', 'adam'"]),
    "hidden layers": ({"hidden_layer_sizes": (-3,)}, ["hidden_layer_sizes[0] is -3", "expected an integer >= 1"]),
    "a percentage": ({"dropout": 50}, ["dropout is 50", "expected a finite number >= 0 and < 1"]),
    "rate": ({"learning_rate_init": -1}, ["learning_rate_init is -1", "expected a finite number >= 0"]),
    "a callback by itself": ({"callbacks": EarlyStopping("loss")}, ["callbacks is EarlyStopping", "expected a list"]),
    "nothing to watch": (
        {"callbacks": [EarlyStopping()]},
        ["monitor of callbacks[0] is 'val_loss'", "expected one of", "early_stopping=True to an estimator"],
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_wrong_parameters_of_estimators_are_named(name):
    pytest.importorskip("sklearn")
    from mlpcore.sklearn import MLPClassifier

    parameters, words = ESTIMATORS[name]
    estimator = MLPClassifier(**({"hidden_layer_sizes": (4,), "max_iter": 2} | parameters))
    with pytest.raises((TypeError, ValueError)) as refused:
        estimator.fit(X, Y)
    assert_in_order(str(refused.value), words)
    with pytest.raises(ValueError, match=r"sample_weight has -1.0 at row 0, expected weights >= 0"):
        MLPClassifier().fit(X, Y, sample_weight=-YES)


def test_public_functions_say_did_you_mean():
    assert mlpcore.catalogue.did_you_mean("val_acc", ["loss", "val_loss", "val_accuracy"]) == (
        ": did you mean 'val_accuracy'?"
    )
    for far in ("xyzzy", "", 3, "a" * 1000):
        assert mlpcore.catalogue.did_you_mean(far, mlpcore.catalogue.names("losses")) == ""
