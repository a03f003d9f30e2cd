"""Files that no model or training can come from: truncated, of another program, hostile, of another training."""

import io
import pickle
import zipfile

import pytest
from states import snapshot
from wrong import ONE_HOT, X, Y, assert_in_order, fit, model

from mlpcore import SGD, Adam, Checkpoint, Cosine, Dense, Dropout, EarlyStopping, Sequential

# ---------------------------------------------------------------------------------------------------------- checkpoints

OTHERS = {
    "units": ({"model": lambda: model(Dense(5, "tanh"), Dense(3, "softmax"))}, ["layers[0] is Dense(4,", "Dense(5,"]),
    "activation": (
        {"model": lambda: model(Dense(4, "relu"), Dense(3, "softmax"))},
        ["layers[0] is Dense(4, 'tanh'", "expected Dense(4, 'relu'"],
    ),
    "another layer": (
        {"model": lambda: model(Dense(4, "tanh"), Dropout(0.1), Dense(3, "softmax"))},
        ["layers[1] is Dense(3, 'softmax'", "expected Dropout(0.1)"],
    ),
    "one more": (
        {"model": lambda: model(Dense(4, "tanh"), Dense(3, "softmax"), Dropout(0.1))},
        ["layers[2] is None", "expected Dropout(0.1)"],
    ),
    "optimizer": ({"optimizer": SGD(0.1)}, ["its optimizer is Adam(learning_rate=0.001,", "expected SGD("]),
    "one constant": ({"optimizer": Adam(beta2=0.99)}, ["beta2=0.999,", "expected Adam(", "beta2=0.99,"]),
    "schedule": ({"optimizer": Adam(Cosine(0.001))}, ["learning_rate=0.001,", "expected Adam(learning_rate=Cosine("]),
    "loss": ({"loss": "mse", "y": ONE_HOT}, ["its loss is 'cce'", "expected 'mse'"]),
    "rows": ({"x": X[:9], "y": Y[:9]}, ["its rows is 20", "expected 9"]),
    "early stopping": (
        {"callbacks": [EarlyStopping("loss")]},
        ["early_stopping is []", "expected [EarlyStopping('loss'"],
    ),
}


@pytest.mark.parametrize("changed", OTHERS)
def test_a_checkpoint_of_another_training_is_named(changed, tmp_path):
    path = tmp_path / "m"
    fit(model(), callbacks=[Checkpoint(path)], optimizer=Adam())
    change, words = OTHERS[changed]
    options = {"optimizer": Adam()} | change
    other = options.pop("model", model)()
    options["callbacks"] = [Checkpoint(path), *options.get("callbacks", [])]
    kept, before = path.read_bytes(), snapshot(other)
    with pytest.raises(ValueError, match="is the checkpoint of another training") as refused:
        fit(other, epochs=4, resume="auto", **options)
    assert_in_order(str(refused.value), [repr(str(path)), *words, "give the model and the arguments", "another path"])
    assert snapshot(other) == before
    assert path.read_bytes() == kept


def test_a_place_where_no_checkpoint_can_be_is_refused_before_the_first_epoch(tmp_path):
    for path, error in ((tmp_path / "no" / "m", FileNotFoundError), (tmp_path, IsADirectoryError)):
        for resume in (None, "auto"):
            trained = model(input_size=3)
            before = snapshot(trained)
            with pytest.raises(error, match="folder") as refused:
                fit(trained, callbacks=[Checkpoint(path)], resume=resume)
            assert str(path) in str(refused.value)
            assert snapshot(trained) == before


def test_a_damaged_checkpoint_says_how_to_begin_anew(tmp_path):
    path = tmp_path / "m"
    fit(model(), callbacks=[Checkpoint(path)])
    path.write_bytes(path.read_bytes()[:-3])
    trained = model()
    with pytest.raises(ValueError, match="not a complete .*: delete the file to begin anew, or give another path"):
        fit(trained, callbacks=[Checkpoint(path)], resume="auto")
    assert trained.input_size is None


# ---------------------------------------------------------------------------------------------------------------- files


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights", b"0" * 100)
    return file.getvalue()


def whole():
    file = io.BytesIO()
    trained = model()
    fit(trained)
    trained.save(file)
    return file.getvalue()


FILES = {
    "empty": (lambda: b"", "it ends too early"),
    "cut within its header": (lambda: whole()[:50], "its header is said to take"),
    "cut within its numbers": (lambda: whole()[:-1], "its tensors are said to take"),
    "with more behind": (lambda: whole() + b"..", "it goes on for 2 bytes"),
    "a pickle": (lambda: pickle.dumps(model()), "it begins as a pickle does, which mlpcore never reads"),
    "a file of Keras or PyTorch": (zipped, "it begins as a zip archive does, such as files of Keras, PyTorch"),
    "an old file of Keras": (lambda: b"\x89HDF\r\n\x1a\n" + b"0" * 90, "it begins as an HDF5 file does"),
    "text": (lambda: b"sepal_length,sepal_width\n" * 9, "its header is said to take"),
    "a header that lies": (lambda: (2**40).to_bytes(8, "little") + b"{}", "expected at most"),
    "a layer that is not known": (lambda: whole().replace(b"dense", b"sense"), "is no description of a layer"),
    "numbers left out": (lambda: whole().replace(b"layers.1.b", b"layers.1.c"), "is missing"),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_model_is_refused_by_name(kind, tmp_path):
    path = tmp_path / "model"
    make, words = FILES[kind]
    path.write_bytes(make())
    with pytest.raises(ValueError, match="cannot load") as refused:
        Sequential.load(path)
    assert_in_order(str(refused.value), [f"cannot load {str(path)!r}", words])


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        Sequential.load(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        Sequential.load(tmp_path)
