"""The names of a frame's columns: kept by the model that is trained on it, and asked of each frame that comes later."""

import copy
import importlib
import json
import pickle

import numpy as np
import pytest
import safetensors.numpy

from mlpcore import SGD, Dense, Sequential
from mlpcore.columns import feature_names

X = np.array([[0.5, 1.0, 2.0], [1.5, 0.0, 1.0], [2.5, 1.0, 0.0], [-0.5, 0.0, 3.0]])
NAMES = ["age", "rooms", "size"]


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


def frame_of(library, x=X, names=NAMES):
    return library.DataFrame({name: x[:, i] for i, name in enumerate(names)})


def new_model(**settings):
    return Sequential([Dense(1)], seed=1, **settings)


def trained(x, **options):
    model = new_model()
    model.fit(x, X[:, 0], "mse", optimizer=SGD(0.01), progress=False, **options)
    return model


OTHERS = {
    "missing": (["age", "size"], r"X has other columns than the model was trained on: it lacks 'rooms'$"),
    "additional": (
        [*NAMES, "id"],
        r"X has other columns .*: it has 'id' in addition: give X\[model.feature_names_in_\]$",
    ),
    "renamed": (["age", "room", "size"], r"X has other columns .*: it lacks 'rooms' and has 'room' in addition$"),
    "reordered": (
        ["age", "size", "rooms"],
        r"X has the columns in another order than the model was trained on: column 1 is 'size', expected 'rooms': "
        r"give X\[model.feature_names_in_\]$",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("use", ["predict", "evaluate", "forward", "fit", "partial_fit", "validation_data"])
def test_a_frame_with_other_columns_is_refused(library, use, other):
    names, message = OTHERS[other]
    model = trained(frame_of(library))
    frame = frame_of(library, np.hstack([X, X]), names)
    y, weights = X[:, 0], model.layers[0].w.copy()
    uses = {
        "predict": lambda: model.predict(frame),
        "evaluate": lambda: model.evaluate(frame, y, "mse"),
        "forward": lambda: model.forward(frame),
        "fit": lambda: model.fit(frame, y, "mse", progress=False),
        "partial_fit": lambda: model.partial_fit(frame, y, "mse", optimizer=SGD(0.1)),
        "validation_data": lambda: model.fit(X, y, "mse", validation_data=(frame, y), progress=False),
    }
    if use == "validation_data":
        message = message.replace("X has", "X of validation_data has", 1)
    if use == "forward":
        message = message.replace("X", "x")
    with pytest.raises(ValueError, match=message):
        uses[use]()
    np.testing.assert_array_equal(model.layers[0].w, weights)
    assert model.feature_names_in_ == NAMES


def test_the_cure_that_the_message_names_helps(library):
    model = trained(frame_of(library))
    other = frame_of(library, np.hstack([X[:, ::-1], X]), [*NAMES[::-1], "id"])
    np.testing.assert_array_equal(model.predict(other[model.feature_names_in_]), model.predict(X))


def test_validation_data_are_compared_with_the_frame_that_is_trained_on(library):
    model = new_model()
    with pytest.raises(ValueError, match=r"X of validation_data has the columns in another order"):
        model.fit(
            frame_of(library),
            X[:, 0],
            "mse",
            validation_data=(frame_of(library, X, NAMES[::-1]), X[:, 0]),
            progress=False,
        )
    assert model.feature_names_in_ is None


def test_arrays_have_no_names_and_are_taken(library):
    model = trained(frame_of(library))
    np.testing.assert_array_equal(model.predict(X), model.predict(frame_of(library)))
    assert trained(X).feature_names_in_ is None
    assert trained(X).predict(frame_of(library, X, NAMES[::-1])).shape == (4, 1)


def test_names_come_with_the_first_frame(library):
    model = new_model(input_size=3)
    model.partial_fit(X, X[:, 0], "mse", optimizer=SGD(0.01))
    assert model.feature_names_in_ is None
    model.partial_fit(frame_of(library), X[:, 0], "mse", optimizer=SGD(0.01))
    assert model.feature_names_in_ == NAMES
    model.partial_fit(X, X[:, 0], "mse", optimizer=SGD(0.01))
    assert model.feature_names_in_ == NAMES


def test_what_is_told_is_a_copy(library):
    model = trained(frame_of(library))
    model.feature_names_in_.reverse()
    assert model.feature_names_in_ == NAMES


def test_a_refused_fit_leaves_no_names(library):
    model = new_model()
    with pytest.raises(ValueError, match="y has 2 rows"):
        model.fit(frame_of(library), [1, 2], "mse", progress=False)
    with pytest.raises(ZeroDivisionError):
        model.fit(frame_of(library), X[:, 0], "mse", callbacks=[lambda *_: 1 / 0], progress=False, epochs=2)
    assert model.feature_names_in_ == NAMES  # a step was done
    other = new_model()
    with pytest.raises(RuntimeError, match="at the beginning"):
        other.fit(frame_of(library), X[:, 0], "mse", callbacks=[Refusing()], progress=False)
    assert other.feature_names_in_ is None


class Refusing(importlib.import_module("mlpcore").Callback):
    def on_fit_begin(self, model):
        assert model.feature_names_in_ == NAMES
        raise RuntimeError("at the beginning")


def test_names_are_kept_in_files_pickles_and_copies(library, tmp_path):
    model = trained(frame_of(library))
    model.save(tmp_path / "model")
    for other in (
        Sequential.load(tmp_path / "model"),
        pickle.loads(pickle.dumps(model)),
        copy.copy(model),
        copy.deepcopy(model),
    ):
        assert other.feature_names_in_ == NAMES
        with pytest.raises(ValueError, match="another order"):
            other.predict(frame_of(library, X, NAMES[::-1]))
    trained(X).save(tmp_path / "without")
    assert Sequential.load(tmp_path / "without").feature_names_in_ is None


@pytest.mark.parametrize("names", [["a"], ["a", "b", 3], "abc", {"a": 1}, ["a", "b", ["c"]]])
def test_files_with_other_names_are_refused(library, tmp_path, names):
    path = tmp_path / "model"
    trained(frame_of(library)).save(path)
    tensors = safetensors.numpy.load_file(path)
    header = json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    metadata = header["__metadata__"]
    metadata["model"] = json.dumps(json.loads(metadata["model"]) | {"feature_names": names})
    path.write_bytes(safetensors.numpy.save(tensors, metadata))
    with pytest.raises(ValueError, match="cannot load .*: feature_names is .*, expected 3 texts"):
        Sequential.load(path)


def test_a_long_list_of_columns_is_cut_short():
    pandas = pytest.importorskip("pandas")
    many = pandas.DataFrame(np.zeros((4, 8)), columns=list("abcdefgh"))
    with pytest.raises(ValueError, match=r"it lacks 'b', 'c', 'd', 'e', 'f' and 2 more$"):
        trained(many).predict(many[["a"]])


def test_names_that_are_no_texts():
    pandas = pytest.importorskip("pandas")
    assert feature_names(pandas.DataFrame(X)) is None
    assert feature_names(X) is None
    mixed = pandas.DataFrame(X, columns=["a", 1, "b"])
    with pytest.raises(TypeError, match=r"named by texts, such as 'a', and by others, such as 1, expected one or"):
        trained(mixed)
    twice = pandas.DataFrame(X, columns=["a", "a", "b"])
    with pytest.raises(ValueError, match="it lacks 'a' and has 'b' in addition"):
        trained(twice).predict(twice.set_axis(["a", "b", "b"], axis=1))
