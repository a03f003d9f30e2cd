"""Saving and loading: the model that comes back, and what is refused because it contradicts itself."""

import contextlib
import copy
import json
import pickle
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest
import safetensors.numpy
from models import assert_same, data, trained_model

import mlpcore


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


def test_a_model_without_input_size_is_copied_and_not_saved(tmp_path):
    model = mlpcore.Sequential([mlpcore.Dense(3)], seed=4)
    twin = copy.deepcopy(model)
    assert repr(twin) == repr(model)
    np.testing.assert_array_equal(twin.forward([[1.0, 2.0]]), model.forward([[1.0, 2.0]]))
    with pytest.raises(RuntimeError, match="no weights yet"):
        mlpcore.Sequential([mlpcore.Dense(3)]).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_files_that_are_not_there_or_no_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        mlpcore.Sequential.load(tmp_path / "nothing")
    with pytest.raises(OSError, match="director"):
        mlpcore.Sequential.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        trained_model().save(tmp_path / "no" / "folder")


@pytest.mark.unsanitized
def test_many_layers_take_time_in_proportion(tmp_path):
    """Ten times as many take about ten times as long; their square would take more than ten seconds."""

    def seconds(count):
        begin = time.process_time()
        model = mlpcore.Sequential([mlpcore.Dense(2) for _ in range(count)], input_size=2, seed=1)
        model.save(tmp_path / "model")
        assert mlpcore.Sequential.load(tmp_path / "model").layers[-1].w.tolist() == model.layers[-1].w.tolist()
        return time.process_time() - begin

    assert seconds(20_000) < 20 * seconds(2_000)


def test_loading_draws_no_weights(tmp_path, monkeypatch):
    model = trained_model()
    model.save(tmp_path / "model")
    monkeypatch.setattr(mlpcore.network, "initialize", None)
    assert_same(model, mlpcore.Sequential.load(tmp_path / "model"))


@pytest.mark.clock
def test_other_threads_run_while_a_model_is_loaded(tmp_path):
    """Not one of the many blocks of which loading 64 MB consists keeps them waiting for long."""
    mlpcore.Sequential([mlpcore.Dense(4000)], input_size=4000, seed=1).save(tmp_path / "model")
    loader = threading.Thread(target=mlpcore.Sequential.load, args=[tmp_path / "model"])
    longest, before = 0.0, time.perf_counter()
    loader.start()
    while loader.is_alive():
        time.sleep(0.0005)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    assert longest < 0.3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["layers.0.b", "layers.1.w"])
def test_weights_that_are_not_finite_are_told_of(tmp_path, name, value):
    model = trained_model()
    array = getattr(model.layers[int(name[7])], name[-1])
    array[...] = value
    model.save(tmp_path / "model")
    with pytest.warns(UserWarning, match=f"model': {name} holds numbers that are not finite") as warned:
        loaded = mlpcore.Sequential.load(tmp_path / "model")
    assert [warning.filename for warning in warned] == [__file__]
    np.testing.assert_array_equal(getattr(loaded.layers[int(name[7])], name[-1]), array)


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
        (config(epochs_trained=2**32), tensors(), "epochs_trained is 4294967296, expected .* to 4294967295"),
        (config(epochs_trained=True), tensors(), "epochs_trained is True"),
        (config(epochs_trained=1e300), tensors(), "epochs_trained is 1e\\+300"),
        (config(seed=float("nan")), tensors(), "seed is nan"),
        (config(input_size=float("inf")), tensors(), "input_size is inf"),
        (config(input_size=True), tensors(), "input_size is True"),
        (config(input_size=10**50), tensors(), "a number has 51 digits"),
        (config(dtype="f4"), tensors(), "dtype is 'f4'"),
        (config(dtype="<f4,(1e9)f4"), tensors(), "dtype is"),
        (config(dtype="O" * 10_000), tensors(), "dtype is 'OO.*OO', expected a number or a short name"),
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
        (layer(input_size=3), tensors(), r"layers\[0\] has the entries .*input_size"),
        (layer(input_size=400_000_000), {}, r"layers\[0\] has the entries .*input_size"),
        (layer(units=True), tensors(), "units is True"),
        (layer(units={"a": 1}), tensors(), "units is {'a': 1}"),
        (layer(units=None), tensors(), "units is None"),
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


VALUES = [
    "x" * 1_000_000,
    ["x" * 1_000_000] * 3,
    [[["x"] * 1000] * 3] * 3,
    {"x" * 1_000_000: 1},
    10**39,
    -(10**38),
    1e-300,
]


ENTRIES = [
    "layers",
    "input_size",
    "dtype",
    "seed",
    "epochs_trained",
    "units",
    "activation",
    "kernel_initializer",
    "kind",
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("name", [*ENTRIES, "x" * 1_000_000, *(f"x{i}" for i in range(2))])
def test_what_a_description_says_is_quoted_in_few_words(tmp_path, name, value):
    if name in config() or name.startswith("x"):
        write(tmp_path / "model", config(**{name: value}), tensors())
    else:
        write(tmp_path / "model", layer(**{name: value}), tensors())
    with pytest.raises(ValueError, match="cannot load") as raised:
        mlpcore.Sequential.load(tmp_path / "model")
    assert len(str(raised.value)) < 600


def test_the_last_epoch_that_can_be_counted(tmp_path):
    """What fit, partial_fit and the setter count to, save writes, load reads and forward takes."""
    x, y, most = np.ones((2, 3)), np.ones(2), 2**32 - 1
    write(tmp_path / "model", config(epochs_trained=most - 1), tensors())
    model = mlpcore.Sequential.load(tmp_path / "model")
    model.fit(x, y, loss="mse", progress=False)
    assert model.epochs_trained == most
    model.save(tmp_path / "model")
    for last in (model, mlpcore.Sequential.load(tmp_path / "model")):
        assert last.epochs_trained == most
        last.forward(x)
        last.forward(x, training=True)
        for train in (partial(last.fit, progress=False), last.partial_fit):
            with pytest.raises(ValueError, match=f"epochs is 1 after {most}, expected at most {most} in all"):
                train(x, y, loss="mse", optimizer=mlpcore.SGD())
        with pytest.raises(ValueError, match=f"epochs_trained is {most + 1}, expected an integer from 0 to {most}"):
            last.epochs_trained = most + 1
        assert last.epochs_trained == most


SHORT_OF_MEMORY = """
import resource, sys
import mlpcore
path, what, factor = sys.argv[1], sys.argv[2], float(sys.argv[3])
size = 4 * 2000 * 2001
if what == "save":
    model = mlpcore.Sequential([mlpcore.Dense(2000)], input_size=2000, seed=1)
    call = lambda: model.save(path + ".new")
else:
    call = lambda: mlpcore.Sequential.load(path)
mlpcore.Sequential([mlpcore.Dense(2)], input_size=2).save(path + ".new")  # what is loaded lazily is now there
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
limit = used + int(factor * size)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    call()
except MemoryError as error:
    print("MemoryError")
else:
    print("done")
"""


@pytest.mark.unsanitized
@pytest.mark.parametrize("what", ["save", "load"])
def test_short_memory_is_an_error_or_no_matter(tmp_path, what):
    """A copy of the model is enough to save it; to load it, what it needs itself: parameters and gradients."""
    mlpcore.Sequential([mlpcore.Dense(2000)], input_size=2000, seed=1).save(tmp_path / "model")
    enough = {"save": 1, "load": 2}[what] + 0.5
    for factor in (0, 0.5, 0.9, 1.2, 1.5, 2.0, 2.5, 3.0):
        command = [sys.executable, "-P", "-c", SHORT_OF_MEMORY, tmp_path / "model", what, str(factor)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        answer = ran.stdout.strip()
        assert answer == "done" or (factor < enough and answer == "MemoryError")
        assert answer == "MemoryError" or factor > 0.9


DUPLICATES = {"pickle": lambda thing: pickle.loads(pickle.dumps(thing)), "copy": copy.copy, "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("read", ["save", *DUPLICATES, "optimizer"])
def test_a_model_is_not_read_while_another_thread_changes_it(tmp_path, read):
    """A training that lasts, and many short ones: who reads is refused, or sees the numbers of one step."""
    size = 700
    model = mlpcore.Sequential([mlpcore.Dense(size, kernel_initializer="zeros")], input_size=size, seed=1)
    optimizer = mlpcore.SGD(0.5, momentum=0.5)
    x, y = np.zeros((1, size)), np.ones((1, size))

    def train():  # every number of b, and of its velocity, is the same after each step
        for epochs in [1] * 100 + [300] * 2:
            with contextlib.suppress(RuntimeError):  # it is being read
                model.fit(x, y, "mse", optimizer=optimizer, epochs=epochs, progress=False)

    def numbers():
        """What was read of b and of its velocity, where a mixture of steps would show."""
        if read == "save":
            model.save(tmp_path / "model")
            return mlpcore.Sequential.load(tmp_path / "model").layers[0].b
        if read == "optimizer":
            return pickle.loads(pickle.dumps(optimizer))._state.get("velocity", np.zeros(size))[-size:]
        return DUPLICATES[read](model).layers[0].b

    thread = threading.Thread(target=train)
    thread.start()
    refusals = set()
    while thread.is_alive():
        try:
            assert np.unique(numbers()).size == 1
        except RuntimeError as error:
            refusals.add(str(error))
        time.sleep(0.001)
    thread.join()
    assert refusals == {"the network is busy with another call, which changes it"}
    assert np.unique(numbers()).size == 1
