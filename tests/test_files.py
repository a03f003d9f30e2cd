"""The format of model files: what the package reads and writes, and what is refused."""

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from models import assert_same, trained_model

import mlpcore
from mlpcore import _core

MODELS = Path(__file__).parent / "data"


def tensors(**changes):
    named = {"w0": (2, 3), "b0": (2,), "w1": (1, 2), "b1": (1,)}
    arrays = {f"layers.{name[1]}.{name[0]}": np.zeros(shape, np.float32) for name, shape in named.items()} | changes
    return {name: array for name, array in arrays.items() if array is not None}


def test_a_file_is_plain_safetensors_with_w_in_rows_of_units(tmp_path):
    model = trained_model()
    model.save(tmp_path / "model")
    tensors = safetensors.numpy.load_file(tmp_path / "model")
    assert tensors.keys() == {"layers.0.w", "layers.0.b", "layers.1.w", "layers.1.b"}
    np.testing.assert_array_equal(tensors["layers.0.w"], model.layers[0].w)
    assert tensors["layers.0.w"].shape == (5, 2)


def test_files_are_those_that_the_package_writes(tmp_path):
    """But for the order of the metadata, which it leaves to chance."""
    model = mlpcore.Sequential([mlpcore.Dense(3) for _ in range(12)], input_size=2, seed=1)
    model.save(tmp_path / "ours")
    ours = (tmp_path / "ours").read_bytes()
    header = json.loads(ours[8 : 8 + int.from_bytes(ours[:8], "little")])
    theirs = safetensors.numpy.save(safetensors.numpy.load(ours), header["__metadata__"])

    def parts(content):
        end = 8 + int.from_bytes(content[:8], "little")
        assert end % 8 == 0
        metadata, tensors = content[8:end].split(b'"},"layers.0.b"')
        return len(metadata), tensors, content[end:]

    assert parts(ours) == parts(theirs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files_of_the_first_version_are_read(dtype):
    path = MODELS / f"model_{dtype}.safetensors"
    model = mlpcore.Sequential.load(path)
    assert repr(model) == (
        "Sequential([Dense(5, 'relu', kernel_initializer='he_uniform'), Dense(3, 'softmax', "
        f"kernel_initializer='glorot_uniform')], input_size=2, dtype='{dtype}', seed={2**64 - 1})"
    )
    assert model.epochs_trained == 3
    tensors = safetensors.numpy.load_file(path)
    for j, layer in enumerate(model.layers):
        np.testing.assert_array_equal(layer.w, tensors[f"layers.{j}.w"])
        np.testing.assert_array_equal(layer.b, tensors[f"layers.{j}.b"])


@pytest.mark.parametrize("sizes", [(1, 1), (700, 600), (300_000, 3), (3, 300_000), (1, 400_000), (400_000, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_of_more_than_a_block(tmp_path, sizes, dtype):
    model = mlpcore.Sequential([mlpcore.Dense(sizes[1])], input_size=sizes[0], dtype=dtype, seed=3)
    model.layers[0].b = np.arange(sizes[1])
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(safetensors.numpy.load_file(tmp_path / "model")["layers.0.w"], model.layers[0].w)
    assert_same(model, mlpcore.Sequential.load(tmp_path / "model"))


def test_truncations_are_refused(tmp_path):
    path = tmp_path / "model"
    trained_model().save(path)
    content = path.read_bytes()
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="cannot load .*: not a complete safetensors file"):
            mlpcore.Sequential.load(path)


def test_a_file_that_goes_on_behind_the_model_is_refused(tmp_path):
    trained_model().save(tmp_path / "model")
    with (tmp_path / "model").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="not a complete safetensors file: it goes on for 1 bytes behind"):
        mlpcore.Sequential.load(tmp_path / "model")


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


def entry(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def file_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


LONG = "9" * 10_000


HOSTILE = [
    file_of({}, length=2**64 - 1),
    file_of({}, length=2**63),
    file_of({}, length=100_000_001),
    file_of({}, length=3),
    file_of({}, length=0),
    file_of(b""),
    file_of(b"null"),
    file_of(b"[]"),
    file_of(b"{" + b" " * 1000),
    file_of(b"\xff\xfe{\x00}\x00"),
    file_of(b'{"a": "\xff"}'),
    file_of(b'{"a": ' + b"[" * 100_000),
    file_of(b'{"a": ' * 100_000),
    file_of(b'{"a": {}, "a": {}}'),
    file_of(b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', bytes(4)),
    *(file_of(f'{{"a": {value}}}'.encode()) for value in (LONG, f"-{LONG}", f"0.{LONG}", f"1e{LONG}", f"[{LONG}]")),
    file_of({"a": None}),
    file_of({"a": {}}),
    file_of({"a": entry(surprise=1)}, bytes(4)),
    file_of({"a": entry("F128")}, bytes(4)),
    file_of({"a": entry(["F32"])}, bytes(4)),
    file_of({"a": entry("O" * 1_000_000)}, bytes(4)),
    file_of({"a": entry(shape=None)}, bytes(4)),
    file_of({"a": entry(shape=[True])}, bytes(4)),
    file_of({"a": entry(shape=[1.0])}, bytes(4)),
    file_of({"a": entry(shape=[float("nan")])}, bytes(4)),
    file_of({"a": entry(shape=[float("inf")])}, bytes(4)),
    file_of({"a": entry(shape=["1"])}, bytes(4)),
    file_of({"a": entry(shape=[-1, -1])}, bytes(4)),
    file_of({"a": entry(shape=[2**32, 2**32], offsets=(0, 0))}),
    file_of({"a": entry(shape=[10**39] * 100_000)}, bytes(4)),
    file_of({"a": entry(shape=[1] * 100_000)}, bytes(4)),
    file_of({"a": entry(offsets=[0])}, bytes(4)),
    file_of({"a": entry(offsets=[0, 4, 4])}, bytes(4)),
    file_of({"a": entry(offsets=[False, 4])}, bytes(4)),
    file_of({"a": entry(offsets=[0, 4.0])}, bytes(4)),
    file_of({"a": entry(offsets=[-4, 0])}, bytes(4)),
    file_of({"a": entry(offsets=[4, 0])}, bytes(4)),
    file_of({"a": entry(offsets=[4, 8])}, bytes(8)),
    file_of({"a": entry(offsets=[0, 3])}, bytes(4)),
    file_of({"a": entry(), "b": entry()}, bytes(4)),
    file_of({"a": entry(), "b": entry(offsets=[2, 6])}, bytes(6)),
    file_of({"a": entry(), "b": entry(offsets=[8, 12])}, bytes(12)),
    file_of({"a": entry(shape=[2**40], offsets=[0, 2**42])}, bytes(4)),
    file_of({"a": entry(), "__metadata__": []}, bytes(4)),
    file_of({"a": entry(), "__metadata__": {"format": "x" * 1_000_000}}, bytes(4)),
    file_of({"n" * 1_000_000: entry("BF16", offsets=[0, 2])}, bytes(2)),
    file_of({"__metadata__": {"format": "mlpcore", "version": "9" * 1_000_000, "model": "{}"}}),
    file_of({"__metadata__": {"format": "mlpcore", "version": "1", "model": ["{}"]}}),
    file_of({"__metadata__": {"format": "mlpcore", "version": "1", "model": '{"a": 1, "a": 1}'}}),
]


def load_through_a_pipe(content):
    """Load what may be larger than a pipe, which cannot be asked how much is to come."""
    reading, writing = os.pipe()

    def write_all():
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as file:
            file.write(content)

    writer = threading.Thread(target=write_all)
    writer.start()
    try:
        with os.fdopen(reading, "rb") as file:
            return mlpcore.Sequential.load(file)
    finally:
        writer.join()


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_headers_are_refused_at_once_and_in_few_words(tmp_path, content):
    (tmp_path / "model").write_bytes(content)
    for load in (lambda: mlpcore.Sequential.load(tmp_path / "model"), lambda: load_through_a_pipe(content)):
        begin = time.process_time()
        with pytest.raises(ValueError, match="cannot load") as raised:
            load()
        assert time.process_time() - begin < 1
        assert len(str(raised.value)) < 600


def test_a_small_file_takes_no_memory_that_it_does_not_hold(tmp_path):
    """Neither from a disk, which knows how long a file is, nor through a pipe, which does not."""
    layer = {"kind": "dense", "units": 2**20, "activation": "relu", "kernel_initializer": "zeros"}
    description = {"layers": [layer], "input_size": 2**20, "dtype": "float32", "seed": 1, "epochs_trained": 0}
    shape = {"layers.0.b": [2**20], "layers.0.w": [2**20, 2**20]}
    header = {"__metadata__": {"format": "mlpcore", "version": "1", "model": json.dumps(description)}}
    begin = 0
    for name, sizes in shape.items():
        end = begin + 4 * int(np.prod(sizes))
        header[name], begin = entry(shape=sizes, offsets=[begin, end]), end
    content = file_of(header, bytes(100))
    (tmp_path / "model").write_bytes(content)
    before = _core.allocation_count()
    with pytest.raises(ValueError, match="its tensors are said to take 4398050705408 bytes of 100"):
        mlpcore.Sequential.load(tmp_path / "model")
    with pytest.raises(ValueError, match="it ends too early"):
        load_through_a_pipe(content)
    assert _core.allocation_count() == before
