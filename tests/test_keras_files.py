"""The files of Keras 3, read without it: archives, weights, and what a damaged or hostile one can hold."""

import contextlib
import json
import sys
import zipfile

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")

import mlpcore  # noqa: E402

KERNEL, BIAS = np.array([[1.0, 2.0], [3.0, 4.0]], "float32"), np.array([0.5, -0.5], "float32")
MODEL = {
    "class_name": "Sequential",
    "config": {"layers": [{"class_name": "Dense", "config": {"units": 2, "activation": "relu"}}]},
}
EXPECTED = np.maximum([[1.0, 1.0]] @ KERNEL + BIAS, 0)
PLACE = "layers/dense/vars"


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group(PLACE)
        group["0"], group["1"] = KERNEL, BIAS
    return path


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("_", ".", 1) if name.startswith("config") else "model.weights.h5", content)
    return path


def test_weights_and_archives_are_read(weights, tmp_path):
    assert np.array_equal(mlpcore.from_keras(MODEL, weights).predict([[1.0, 1.0]]), EXPECTED)
    assert np.array_equal(mlpcore.from_keras(json.dumps(MODEL), str(weights)).predict([[1.0, 1.0]]), EXPECTED)
    path = archive(tmp_path / "m.keras", config_json=json.dumps(MODEL), weights=weights.read_bytes())
    assert np.array_equal(mlpcore.from_keras(path).predict([[1.0, 1.0]]), EXPECTED)


def test_classes_are_counted_as_keras_does(tmp_path):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        for j, place in enumerate(["dense", "dense_1", "sequential/layers/dense", "dense_2"]):
            file[f"layers/{place}/vars/0"], file[f"layers/{place}/vars/1"] = KERNEL + j, BIAS
        file["layers/p_re_lu/vars/0"] = BIAS
    dense = MODEL["config"]["layers"][0]
    entries = [
        dense,
        dense,
        {"class_name": "Sequential", "config": {"layers": [dense]}},
        {"class_name": "PReLU", "config": {}},
    ]
    model = mlpcore.from_keras({"class_name": "Sequential", "config": {"layers": [*entries, dense]}}, path)
    assert [layer.w[0, 0] for layer in model.layers if hasattr(layer, "w")] == [1, 2, 3, 4]


def linked(file, link):
    del file[PLACE]["1"]
    file[PLACE]["1"] = link


def unfilled(file):
    del file[PLACE]["0"]
    file[PLACE].create_dataset("0", (2**20, 2), "float32", chunks=True)


def outside(file):
    del file[PLACE]["1"]
    file[PLACE].create_dataset("1", (2,), "float32", external=[("/etc/hostname", 0, 8)])


def virtual(file):
    del file[PLACE]["1"]
    layout = h5py.VirtualLayout((2,), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "data", (2,))
    file[PLACE].create_virtual_dataset("1", layout)


def deleted(file):
    del file[PLACE]["1"]


def strings(file):
    del file[PLACE]["1"]
    file[PLACE]["1"] = ["a", "b"]


def not_a_group(file):
    del file["layers/dense"]
    file["layers/dense"] = BIAS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (deleted, "has no layers/dense/vars/1: expected the weights of this model, saved by Keras 3"),
        (not_a_group, "has no layers/dense/vars/0"),
        (lambda file: linked(file, h5py.ExternalLink("/etc/other.h5", "x")), "has no layers/dense/vars/1"),
        (lambda file: linked(file, h5py.SoftLink(f"/{PLACE}/0")), "has no layers/dense/vars/1"),
        (lambda file: linked(file, KERNEL), r"vars/1 has shape \(2, 2\), expected \(2,\)"),
        (outside, "layers/dense/vars/1 is no array of floating-point numbers in this file"),
        (virtual, "layers/dense/vars/1 is no array of floating-point numbers in this file"),
        (strings, "layers/dense/vars/1 is no array of floating-point numbers in this file"),
        (unfilled, r"vars/0 has shape \(1048576, 2\), expected as many numbers in the file"),
    ],
)
def test_a_weights_file_that_does_not_fit_is_named(weights, change, message):
    with h5py.File(weights, "a") as file:
        change(file)
    with pytest.raises(ValueError, match=message):
        mlpcore.from_keras(MODEL, weights)


def test_a_damaged_archive_is_named(weights, tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"no archive")
    with pytest.raises(
        ValueError, match="m.keras' is no .keras file: .*: expected a zip archive of config.json and mod"
    ):
        mlpcore.from_keras(path)
    with pytest.raises(ValueError, match="m.keras' is no .keras file: .*config.json"):
        mlpcore.from_keras(archive(path, weights=weights.read_bytes()))
    with pytest.raises(ValueError, match="model.weights.h5 is no HDF5 file"):
        mlpcore.from_keras(archive(path, config_json=json.dumps(MODEL), weights=b"nothing"))
    with pytest.raises(ValueError, match=r"config.json of '.*m.keras' is \[\], expected a JSON object"):
        mlpcore.from_keras(archive(path, config_json="[]", weights=weights.read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", json.dumps(MODEL))
        made.writestr("model.weights.h5", bytes(2**24))
    with pytest.raises(ValueError, match="'model.weights.h5' is packed to .* bytes, expected no packing"):
        mlpcore.from_keras(path)
    good = archive(path, config_json=json.dumps(MODEL), weights=weights.read_bytes()).read_bytes()
    for end in range(0, len(good), 97):
        path.write_bytes(good[:end])
        with pytest.raises(ValueError, match="is no .keras file"):
            mlpcore.from_keras(path)


@pytest.mark.parametrize("at", range(9, 6900, 53))
def test_a_changed_byte_is_an_error_or_other_numbers(weights, tmp_path, at):
    content = bytearray(weights.read_bytes())
    content[at % len(content)] ^= 0xFF
    (tmp_path / "changed.weights.h5").write_bytes(content)
    with contextlib.suppress(ValueError):
        mlpcore.from_keras(MODEL, tmp_path / "changed.weights.h5")


def test_files_that_are_not_there_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        mlpcore.from_keras(tmp_path / "m.keras")
    with pytest.raises(FileNotFoundError):
        mlpcore.from_keras(MODEL, tmp_path / "m.weights.h5")


def test_without_h5py_it_says_what_to_install(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"this needs h5py: pip install 'mlpcore\[keras\]'"):
        mlpcore.from_keras(MODEL, weights)
