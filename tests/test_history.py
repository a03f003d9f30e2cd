"""History: a mapping of what each epoch measured, which follows the engine while it trains."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

from mlpcore import SGD, Dense, History, Sequential


def test_a_history_is_a_mapping():
    history = History()
    assert (dict(history), history.epoch, len(history)) == ({}, [], 0)
    assert repr(history) == "<History of 0 epochs>"
    history.append({"loss": 0.5})
    history.append({"loss": 0.25})
    assert (dict(history), history.history) == ({"loss": [0.5, 0.25]},) * 2
    assert list(history) == ["loss"]
    assert "loss" in history
    assert "accuracy" not in history
    assert history.epoch == [0, 1]
    assert repr(history) == "<History of 2 epochs: loss 0.25>"
    with pytest.raises(KeyError):
        history["accuracy"]


def test_what_was_not_measured_in_an_epoch_is_nan():
    history = History()
    history.append({"loss": 0.5, "val_loss": 1.0})
    history.append({"loss": 0.25})
    assert history["val_loss"][0] == 1
    assert math.isnan(history["val_loss"][1])
    assert list(history) == ["loss", "val_loss"]


def followed():
    """A history that follows an engine, and what that writes."""
    history, scores, cursor = History(), np.empty((3, 2)), np.array([7, 0])
    history.append({"loss": 9.0})
    history._follow(cursor, (("loss", "accuracy"), scores))
    return history, scores, cursor


def test_what_the_engine_writes_is_there_as_soon_as_it_counts_it():
    history, scores, cursor = followed()
    assert history.epoch == [0]
    for epoch in range(3):
        scores[epoch] = epoch, epoch / 2
        assert history.epoch == list(range(epoch + 1))
        cursor[0] += 1
        assert history["loss"] == [9.0, *map(float, range(epoch + 1))]
    assert history["accuracy"][1:] == [0, 0.5, 1]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda history: pickle.loads(pickle.dumps(history))])
def test_a_copy_holds_what_there_is_and_the_original_follows_on(duplicate):
    history, scores, cursor = followed()
    history.note = "mine"
    scores[0], cursor[0] = (1, 1), 8
    twin = duplicate(history)
    scores[1], cursor[0] = (2, 2), 9
    assert (twin["loss"], twin.note) == ([9, 1], "mine")
    assert history["loss"] == [9, 1, 2]
    twin.append({"loss": 3})
    assert (twin["loss"], history["loss"]) == ([9, 1, 3], [9, 1, 2])


def test_values_are_floats_that_json_knows():
    x = np.linspace(0, 1, 8).reshape(8, 1)
    model = Sequential([Dense(1)], seed=1)
    for options in ({}, {"validation_data": (x, x)}):
        history = model.fit(x, x, "mse", optimizer=SGD(0.1), epochs=2, progress=False, **options)
        assert {type(value) for values in history.values() for value in values} == {float}
        assert all(len(values) == 2 for values in history.values())


def test_the_rule_by_which_accuracy_counts_is_named():
    x, y = np.eye(4), np.eye(4)
    rules = {}
    for loss, out, target in (("cce", 4, y), ("bce", 4, y), ("bce", 4, 1 - y), ("bce", 1, y[:, :1]), ("mse", 4, y)):
        model = Sequential([Dense(out, "sigmoid")], seed=1)
        history = model.fit(x, target, loss, validation_data=(x, target), progress=False)
        rules[loss, out, bool(target[0, 0])] = history.rules
    both = {"accuracy": "categorical_accuracy", "val_accuracy": "categorical_accuracy"}
    each = {"accuracy": "binary_accuracy", "val_accuracy": "binary_accuracy"}
    assert list(rules.values()) == [both, both, each, each, {}]


@pytest.fixture
def two_epochs():
    history = History()
    history.append({"loss": 0.5, "accuracy": 0.25})
    history.append({"loss": 0.25})
    return history


def test_pandas_reads_a_row_for_each_epoch(two_epochs):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(two_epochs)
    assert list(frame.columns) == ["loss", "accuracy"]
    assert frame["loss"].tolist() == [0.5, 0.25]
    assert frame.index.tolist() == two_epochs.epoch
    assert math.isnan(frame["accuracy"][1])
    assert pandas.DataFrame(History()).empty


def test_it_reads_as_the_dict_that_it_is(two_epochs):
    plain = {"loss": [0.5, 0.25]}
    history = History()
    history.append({"loss": 0.5})
    history.append({"loss": 0.25})
    assert history == plain == history.copy()
    assert history != {"loss": [0.5]}
    assert dict(**history) == {**history} == plain
    assert history | {"x": 1} == {"x": 1} | history == {"loss": [0.5, 0.25], "x": 1}
    assert (history.get("loss"), history.get("x"), history.get("x", 7)) == ([0.5, 0.25], None, 7)
    assert list(reversed(two_epochs)) == ["accuracy", "loss"]
    assert [list(view) for view in (history.keys(), history.values(), history.items())] == [
        ["loss"],
        [[0.5, 0.25]],
        [("loss", [0.5, 0.25])],
    ]
    history["loss"].append(9)  # the reader's own list
    assert history == plain


@pytest.mark.parametrize(
    "write",
    [
        lambda history: history.__setitem__("loss", []),
        lambda history: history.__delitem__("loss"),
        lambda history: history.update(loss=[]),
        lambda history: history.__ior__({}),
        lambda history: history.clear(),
        lambda history: history.pop("loss"),
        lambda history: history.popitem(),
        lambda history: history.setdefault("x", []),
    ],
)
def test_nobody_else_writes_into_it(two_epochs, write):
    with pytest.raises(TypeError, match="written by `fit` and `append` only"):
        write(two_epochs)
    assert two_epochs["loss"] == [0.5, 0.25]


def test_json_writes_what_was_recorded_at_every_moment():
    x, seen = np.linspace(0, 1, 8).reshape(8, 1), []

    def look(model, epoch, logs):
        seen.append(json.loads(json.dumps(model.history)) == model.history.history)
        if epoch == 2:
            raise ZeroDivisionError

    model = Sequential([Dense(1)], seed=1)
    for options in {}, {"validation_data": (x, x)}:
        with pytest.raises(ZeroDivisionError):
            model.fit(x, x, "mse", epochs=5, callbacks=[look], progress=False, **options)
        assert json.loads(json.dumps(model.history)) == model.history.history
        assert model.history.epoch == [0, 1, 2]
    assert seen == [True] * 6
    history = model.fit(x, x, "mse", epochs=5, progress=False)
    for each in history, copy.copy(history), copy.deepcopy(history), pickle.loads(pickle.dumps(history)):
        assert json.loads(json.dumps(each)) == history.history
    assert len(history["loss"]) == 5
