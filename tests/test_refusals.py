"""A call that is refused changes nothing: every argument of every method, on models in every state."""

import inspect

import numpy as np
import pytest
from states import GOOD, MODELS, NAN, QUIET, X, Y, built, classifier, regression, snapshot, stepped, trained

import mlpcore
from mlpcore import SGD, Adam, Sequential, TopKAccuracy


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
    "sdg",
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

BAD_METRICS = ["mae", ["mse"], [3], None, ["f1"], [TopKAccuracy(4)], [TopKAccuracy], ["mae", "mae"], [("mae", 1)]]

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
        "resume": ["always", True, "auto"],
        "validation_split": [1, -0.1, 0.99, None, np.nan, "half"],
        "validation_data": [X, (X,), (X, Y + 1), (X[:, :2], Y), (NAN, Y), (X, Y, np.zeros(10)), (X, Y, X, Y), 3],
        "class_weight": [{3: 1}, {-1: 1}, {"a": 1}, {0: -1}, {0: np.nan}, {0: "b"}, {0: 0, 1: 0, 2: 0}, [1, 2, 3]],
        "metrics": BAD_METRICS,
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
    "evaluate": {
        "X": BAD_X,
        "y": BAD_Y,
        "loss": BAD_LOSS,
        "sample_weight": [*BAD_WEIGHT, np.zeros(10)],
        "metrics": BAD_METRICS,
    },
    "predict": {"X": NO_ROWS},
    "forward": {"x": NO_ROWS, "training": ["yes", 1, None], "sample_weight": [*BAD_WEIGHT, np.zeros(10)]},
    "backward": {"y": BAD_Y, "loss": BAD_LOSS, "sample_weight": [*BAD_WEIGHT, np.zeros(10)]},
    "update": {"optimizer": ["adam", *BAD_OPTIMIZER]},
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


@pytest.mark.parametrize("make", [built, trained])
def test_an_update_without_a_backward_leaves_the_optimizer_free(make):
    model, optimizer = make(), Adam()
    model.forward(X)
    before = snapshot(model, optimizer)
    with pytest.raises(RuntimeError, match="no backward since the last forward"):
        model.update(optimizer)
    assert snapshot(model, optimizer) == before
    classifier(seed=2).fit(X, Y, "cce", optimizer=optimizer, **QUIET)
