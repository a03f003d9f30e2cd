"""Model files and pickles: what comes back, what is refused, and that a file is whole or not there."""

import copy
import json
import os
import pickle
import stat
import sys

import numpy as np
import pytest
import safetensors.numpy

import mlpcore


def trained_model(dtype="float32"):
    model = mlpcore.Sequential([mlpcore.Dense(5, "relu"), mlpcore.Dense(3, "softmax")], dtype=dtype, seed=2**64 - 1)
    model.fit(*data(), loss="cce", epochs=3, batch_size=7, progress=False)
    return model


def data(n=20):
    i = np.arange(n)
    return np.stack([i * 3 % 7, i * 5 % 11], axis=1) / 10, i % 3


def assert_same(model, other):
    assert repr(other) == repr(model)
    assert other.epochs_trained == model.epochs_trained
    for layer, twin in zip(model.layers, other.layers, strict=True):
        np.testing.assert_array_equal(layer.w, twin.w)
        np.testing.assert_array_equal(layer.b, twin.b)


def goes_on_alike(model, other):
    for each in (model, other):
        each.fit(*data(), loss="cce", optimizer=mlpcore.SGD(0.1), epochs=2, batch_size=7, progress=False)
    assert_same(model, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_comes_back_and_goes_on_alike(tmp_path, dtype):
    model = trained_model(dtype)
    model.save(tmp_path / "model.safetensors")
    loaded = mlpcore.Sequential.load(str(tmp_path / "model.safetensors"))
    assert_same(model, loaded)
    goes_on_alike(model, loaded)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_independent_and_go_on_alike(duplicate):
    model = trained_model()
    twin = duplicate(model)
    assert_same(model, twin)
    assert dict(twin.history) == dict(model.history)
    goes_on_alike(model, twin)
    twin.layers[0].w[...] = 0
    assert model.layers[0].w.any()


def test_a_model_without_input_size_is_copied_and_not_saved(tmp_path):
    model = mlpcore.Sequential([mlpcore.Dense(3)], seed=4)
    twin = copy.deepcopy(model)
    assert repr(twin) == repr(model)
    np.testing.assert_array_equal(twin.forward([[1.0, 2.0]]), model.forward([[1.0, 2.0]]))
    with pytest.raises(RuntimeError, match="no weights yet"):
        mlpcore.Sequential([mlpcore.Dense(3)]).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_file_is_plain_safetensors_with_w_in_rows_of_units(tmp_path):
    model = trained_model()
    model.save(tmp_path / "model")
    tensors = safetensors.numpy.load_file(tmp_path / "model")
    assert tensors.keys() == {"layers.0.w", "layers.0.b", "layers.1.w", "layers.1.b"}
    np.testing.assert_array_equal(tensors["layers.0.w"], model.layers[0].w)
    assert tensors["layers.0.w"].shape == (5, 2)


def test_saving_overwrites_through_links_with_usual_permissions(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    (tmp_path / "plain").touch()
    for _ in range(2):
        trained_model().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "model", "plain"]
    mode = stat.S_IMODE((tmp_path / "model").stat().st_mode)
    assert mode == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    model = trained_model()
    model.save(tmp_path / "model")
    old = (tmp_path / "model").read_bytes()
    model.layers[0].w[...] = 0

    def fail(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        model.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model").read_bytes() == old


def test_files_that_are_not_there_or_no_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        mlpcore.Sequential.load(tmp_path / "nothing")
    with pytest.raises(OSError, match="director"):
        mlpcore.Sequential.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        trained_model().save(tmp_path / "no" / "folder")


def test_truncations_are_refused(tmp_path):
    path = tmp_path / "model"
    trained_model().save(path)
    content = path.read_bytes()
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="cannot load .*: not a complete safetensors file"):
            mlpcore.Sequential.load(path)


def test_every_damaged_byte_of_the_header_is_refused_or_harmless(tmp_path):
    path = tmp_path / "model"
    trained_model().save(path)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    for i in range(header):
        path.write_bytes(content[:i] + bytes([content[i] ^ 1 << i % 8]) + content[i + 1 :])
        try:
            model = mlpcore.Sequential.load(path)
        except ValueError as error:
            assert "cannot load" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(model.predict([[0.1, 0.2]])).all()


def config(**changes):
    layers = [
        {"kind": "dense", "units": 2, "activation": "relu", "kernel_initializer": "zeros"},
        {"kind": "dense", "units": 1, "activation": "linear", "kernel_initializer": "zeros"},
    ]
    return {"layers": layers, "input_size": 3, "dtype": "float32", "seed": 1, "epochs_trained": 0} | changes


def tensors(**changes):
    named = {"w0": (2, 3), "b0": (2,), "w1": (1, 2), "b1": (1,)}
    arrays = {f"layers.{name[1]}.{name[0]}": np.zeros(shape, np.float32) for name, shape in named.items()} | changes
    return {name: array for name, array in arrays.items() if array is not None}


def write(path, description, weights):
    """Write a file as `save` does, whatever the description and the weights are."""
    metadata = {"format": "mlpcore", "version": "1", "model": json.dumps(description)}
    path.write_bytes(safetensors.numpy.save(weights, metadata))


def without(key):
    return {name: value for name, value in config().items() if name != key}


def layer(**changes):
    return config(layers=[config()["layers"][0] | changes, config()["layers"][1]])


@pytest.mark.parametrize(
    ("description", "weights", "message"),
    [
        (config(), tensors(**{"layers.1.b": None}), "the tensors are .*, expected"),
        (config(), tensors(extra=np.zeros(1)), "the tensors are .*extra.*, expected"),
        (config(), {}, "the tensors are"),
        (config(), tensors(**{"layers.0.w": np.zeros((3, 2), np.float32)}), r"layers.0.w has shape \(3, 2\)"),
        (config(), tensors(**{"layers.0.b": np.zeros(2)}), "layers.0.b has .* dtype float64, expected .* float32"),
        (config(), tensors(**{"layers.0.b": np.zeros(2, np.float16)}), "dtype float16"),
        (config(input_size=4), tensors(), r"layers.0.w has shape \(2, 3\) .* expected \(2, 4\)"),
        (config(input_size=None), tensors(), "input_size is None"),
        (config(input_size=-1), tensors(), "input_size is -1"),
        (config(input_size=2**70), tensors(), "layers.0.w has shape"),
        (config(input_size="3"), tensors(), "input_size is '3'"),
        (config(dtype="float16"), tensors(), "dtype is 'float16'"),
        (config(dtype=None), tensors(), "dtype is None"),
        (config(dtype=[["f", "float32"]]), tensors(), "dtype is"),
        (config(dtype="float64"), tensors(), "dtype float32, expected .* float64"),
        (config(seed=-1), tensors(), "seed is -1"),
        (config(seed=None), tensors(), "seed is None"),
        (config(seed=1.0), tensors(), "seed is 1.0"),
        (config(seed=2**64), tensors(), "seed is 18446744073709551616"),
        (config(epochs_trained=-1), tensors(), "epochs_trained is -1"),
        (config(epochs_trained="1"), tensors(), "epochs_trained is '1'"),
        (config(layers=[]), tensors(), "layers is empty"),
        (config(layers=None), tensors(), "layers is None"),
        (config(layers={"kind": "dense"}), tensors(), "layers is {'kind': 'dense'}, expected a list"),
        (config(layers=[3]), tensors(), "is no description of a layer"),
        (config(layers=[[]]), tensors(), "is no description of a layer"),
        (layer(kind="os.system"), tensors(), "is no description of a layer"),
        (layer(units=3), tensors(), "layers.0.w has shape"),
        (layer(units=2.5), tensors(), "units is 2.5"),
        (layer(units=2**70), tensors(), "layers.0.w has shape"),
        (layer(activation="exec"), tensors(), "activation is 'exec'"),
        (layer(activation=[]), tensors(), r"activation is \[\]"),
        (layer(surprise=1), tensors(), "surprise"),
        (config(surprise=1), tensors(), "has the entries .*surprise"),
        (without("seed"), tensors(), "has the entries"),
        ([], tensors(), "expected a JSON object"),
        ("model", tensors(), "expected a JSON object"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, description, weights, message):
    write(tmp_path / "model", description, weights)
    with pytest.raises(ValueError, match=f"cannot load .*model'.*: .*{message}"):
        mlpcore.Sequential.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "format is None, expected 'mlpcore'"),
        ({"format": "pt"}, "format is 'pt'"),
        ({"format": "mlpcore"}, "version is None"),
        ({"format": "mlpcore", "version": "2", "model": "{}"}, "version is '2', expected '1': update mlpcore"),
        ({"format": "mlpcore", "version": "1"}, "its description of the model is damaged"),
        ({"format": "mlpcore", "version": "1", "model": "{"}, "its description of the model is damaged"),
        ({"format": "mlpcore", "version": "1", "model": "[" * 100_000}, "its description of the model is damaged"),
        ({"format": "mlpcore", "version": "1", "model": "9" * 10_000}, "its description of the model is damaged"),
        ({"format": "mlpcore", "version": "1", "model": '{"seed": NaN}'}, "has the entries"),
    ],
)
def test_other_safetensors_files_are_refused(tmp_path, metadata, message):
    (tmp_path / "model").write_bytes(safetensors.numpy.save(tensors(), metadata))
    with pytest.raises(ValueError, match=message):
        mlpcore.Sequential.load(tmp_path / "model")


def test_dtypes_that_numpy_lacks_are_refused(tmp_path):
    header = json.dumps({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "model").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        mlpcore.Sequential.load(tmp_path / "model")


def test_loading_runs_no_code(tmp_path):
    trained_model().save(tmp_path / "model")
    mlpcore.Sequential.load(tmp_path / "model")  # what is imported lazily is now imported
    events = []
    watching = True
    sys.addaudithook(lambda event, arguments: events.append(event) if watching else None)
    mlpcore.Sequential.load(tmp_path / "model")
    watching = False
    forbidden = ("pickle", "exec", "compile", "import", "subprocess", "os.system", "marshal", "ctypes")
    assert not [event for event in events if event.startswith(forbidden)]
