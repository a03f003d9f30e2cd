"""The instruction sets from Python: which one runs, that all give the same bits, that the FPU's state is unchanged.

tests/test_bits.py compares the kernels one by one; `make test-isa` runs all tests with each set.
"""

import ctypes
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam, Dense, Sequential, _core, kernels

NAMES = _core.isa_names()
DTYPES = ["float32", "float64"]


def sibling(stem: str) -> Any:
    """The module of another test file."""
    spec = importlib.util.spec_from_file_location(stem, Path(__file__).with_name(f"{stem}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden = sibling("test_golden")


@pytest.fixture(params=NAMES)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _core.current_isa()
    assert _core.use_isa(request.param)
    yield request.param
    assert _core.use_isa(before)


def python(code: str, *options: str, isa: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter, with MLPCORE_ISA as given."""
    environment = {name: value for name, value in os.environ.items() if name != "MLPCORE_ISA"}
    if isa is not None:
        environment["MLPCORE_ISA"] = isa
    return subprocess.run(
        [sys.executable, *options, "-c", code], env=environment, cwd="/", capture_output=True, text=True
    )


# ------------------------------------------------------------------------------------------------------ which one runs

PRINT_CURRENT = "import mlpcore; print(mlpcore.cpu.info()['current'])"


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_forces_a_set(name):
    ran = python(PRINT_CURRENT, isa=name)
    assert (ran.stdout.strip(), ran.stderr) == (name, "")


@pytest.mark.parametrize("unset", [None, ""])
def test_the_fastest_set_is_taken_unless_told_otherwise(unset):
    assert python(PRINT_CURRENT, isa=unset).stdout.strip() == NAMES[0]


@pytest.mark.parametrize(
    "name", ["sse9", "AVX2", "reference ", "avx2,avx512", "\udcff", "avx2\udcff", "\u00e9", "x" * 9999]
)
def test_an_unknown_set_fails_the_import_and_lists_what_there_is(name):
    ran = python(PRINT_CURRENT, isa=name)
    assert ran.returncode == 1
    last_line = ran.stderr.strip().splitlines()[-1]
    assert last_line == f"ImportError: the environment variable MLPCORE_ISA is {name!r}, expected one of {NAMES}"


def test_the_set_asked_for_is_the_one_under_test():
    assert _core.current_isa() == (os.environ.get("MLPCORE_ISA") or NAMES[0])


def test_use_isa_changes_nothing_when_it_refuses(isa):
    assert _core.use_isa("sse9") is False
    assert mlpcore.cpu.info()["current"] == isa
    with pytest.raises(TypeError, match="name is 3, expected a str"):
        _core.use_isa(3)  # type: ignore[arg-type]


def test_info_lists_the_reference_last():
    info = mlpcore.cpu.info()
    assert info["available"] == NAMES
    assert NAMES[-1] == "reference"
    assert info["current"] in NAMES
    for name, feature in (("avx2", "avx2"), ("avx2", "fma"), ("avx512", "avx512f")):
        assert name not in NAMES or feature in info["features"]


# ------------------------------------------------------------------------------------------------------------ same bits


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", golden.CASES)
def test_training_gives_the_golden_bits(isa, case, dtype):
    assert golden.trained_hash(case, dtype) == json.loads(golden.HASHES.read_text())[f"{case} {dtype}"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_does_not_depend_on_its_batch(isa, dtype):
    """200 random pairs: the row alone, and the row anywhere in a batch of any size."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        n, inputs, units = (int(size) for size in rng.integers(1, (100, 70, 70)))
        x, w, b, grad_a = (
            rng.standard_normal(shape).astype(dtype) for shape in ((n, inputs), (units, inputs), units, (n, units))
        )
        activation = str(rng.choice(["linear", "relu", "sigmoid", "tanh", "softmax"]))

        def outputs(x, grad_a, w=w, b=b, activation=activation):
            z = kernels.dense_forward(x, w, b)
            phi = kernels.activation_backward(activation, z, grad_a)
            grad_x, _, _ = kernels.dense_backward(phi, x, w)
            return [z, kernels.activation_forward(activation, z), phi, grad_x]

        row = rng.integers(n)
        for batch, alone in zip(outputs(x, grad_a), outputs(x[row : row + 1], grad_a[row : row + 1]), strict=True):
            assert batch[row].tobytes() == alone[0].tobytes(), (n, inputs, units, activation, row)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_prediction_does_not_depend_on_its_batch(isa, dtype):
    model = Sequential([Dense(33, "relu"), Dense(10, "softmax")], input_size=19, dtype=dtype, seed=1)
    rng = np.random.default_rng(8)
    x = rng.standard_normal((200, 19))
    all_at_once = model.predict(x)
    for begin, count in zip(rng.integers(200, size=100), rng.integers(1, 100, size=100), strict=True):
        rows = slice(begin, begin + count)
        assert model.predict(x[rows]).tobytes() == all_at_once[rows].tobytes()


def placed(values: np.ndarray, offset: int) -> np.ndarray:
    """A copy of values that begins `offset` bytes after a multiple of 64."""
    memory = np.empty(values.nbytes + 128, np.uint8)
    begin = -memory.ctypes.data % 64 + offset
    copy = memory[begin : begin + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


@pytest.mark.parametrize("dtype", DTYPES)
def test_addresses_do_not_matter(isa, dtype):
    rng = np.random.default_rng(9)
    x, w, b, phi = (rng.standard_normal(shape).astype(dtype) for shape in ((13, 37), (21, 37), 21, (13, 21)))

    def outputs(*offsets):
        at = [placed(values, offset) for values, offset in zip((x, w, b, phi), offsets, strict=True)]
        z = kernels.dense_forward(*at[:3])
        gradients = kernels.dense_backward(at[3], *at[:2])
        a = kernels.activation_forward("softmax", at[3])
        return [array.tobytes() for array in (z, *gradients, a, kernels.activation_backward("tanh", z, at[3]))]

    aligned = outputs(0, 0, 0, 0)
    for offset in range(1, 64):
        assert outputs(offset, 3 * offset % 64, 5 * offset % 64, 7 * offset % 64) == aligned, offset


# -------------------------------------------------------------------------------------- the floating-point environment

# At which byte fegetenv puts a word that decides how numbers round and whether subnormal ones count, and the bits that
# do so; the others are flags that any operation may raise.
CONTROL_WORDS = {
    "x86_64": [(0, 0xFFFF), (28, 0xFFC0)],  # the x87's, and MXCSR
    "aarch64": [(0, 0xFFFFFFFF)],  # FPCR
}
CONTROL = CONTROL_WORDS.get(platform.machine(), [])
needs_control_words = pytest.mark.skipif(
    not CONTROL or not sys.platform.startswith("linux"),
    reason="where fegetenv puts the control words is known for Linux",
)
X86_FLUSHES_SUBNORMALS = 0x8040


def environment() -> ctypes.Array[ctypes.c_char]:
    memory = ctypes.create_string_buffer(64)
    ctypes.CDLL(None).fegetenv(memory)
    return memory


def control_words() -> list[int]:
    memory = environment().raw
    return [int.from_bytes(memory[at : at + 4], "little") & bits for at, bits in CONTROL]


def every_call() -> dict[str, Callable[[], Any]]:
    rng = np.random.default_rng(3)
    x, w, b = (rng.standard_normal(shape) for shape in ((9, 5), (5, 5), 5))
    y = np.eye(5)[rng.integers(5, size=9)]
    phi = rng.standard_normal((9, 5)) * 1e-310  # subnormal
    state = [np.zeros(25) for _ in range(3)]
    return {
        "dense_forward": lambda: kernels.dense_forward(x, w, b),
        "dense_backward": lambda: kernels.dense_backward(phi, x, w),
        "activation_forward": lambda: kernels.activation_forward("softmax", x),
        "activation_backward": lambda: kernels.activation_backward("tanh", x, phi),
        "loss_value": lambda: kernels.loss_value("cce", y, y),
        "loss_gradient": lambda: kernels.loss_gradient("bce", y, y),
        "output_loss": lambda: kernels.output_loss("cce", "softmax", x, y),
        "output_phi": lambda: kernels.output_phi("bce", "sigmoid", x, y),
        "sgd_step": lambda: kernels.sgd_step(state[0], x[:5].ravel(), learning_rate=0.1),
        "adam_step": lambda: kernels.adam_step(state[0], x[:5].ravel(), state[1], state[2], t=1),
        "fit": lambda: Sequential([Dense(5, "softmax")]).fit(x, y, loss="cce", optimizer=SGD(0.1), progress=False),
        "predict": lambda: Sequential([Dense(5)], input_size=5).predict(x),
    }


@needs_control_words
def test_importing_leaves_the_control_words_alone():
    """In a new interpreter that does what this file does, but imports mlpcore only between two looks."""
    code = f"""
import ctypes, numpy
def look():
    memory = ctypes.create_string_buffer(64)
    ctypes.CDLL(None).fegetenv(memory)
    return [int.from_bytes(memory.raw[at : at + 4], "little") & bits for at, bits in {CONTROL}]
before = look()
import mlpcore
assert look() == before, (before, look())
"""
    ran = python(code)
    assert ran.returncode == 0, ran.stderr


@needs_control_words
@pytest.mark.parametrize("name", every_call())
def test_calls_leave_the_control_words_alone(isa, name):
    before = control_words()
    every_call()[name]()
    assert control_words() == before


@needs_control_words
@pytest.mark.skipif(platform.machine() != "x86_64", reason="sets bits of MXCSR")
@pytest.mark.parametrize("name", every_call())
def test_calls_leave_control_words_alone_that_someone_has_changed(isa, name):
    call, libc = every_call()[name], ctypes.CDLL(None)
    saved, changed = environment(), environment()
    ctypes.c_uint32.from_buffer(changed, 28).value |= X86_FLUSHES_SUBNORMALS
    try:
        libc.fesetenv(changed)
        before = control_words()
        call()
        after = control_words()
    finally:
        libc.fesetenv(saved)
    assert before[1] & X86_FLUSHES_SUBNORMALS == X86_FLUSHES_SUBNORMALS
    assert after == before


@needs_control_words
def test_callbacks_of_a_training_find_the_control_words_unchanged(isa):
    before, seen = control_words(), []
    x = np.random.default_rng(4).standard_normal((64, 3))
    model = Sequential([Dense(4, "relu"), Dense(1)])
    callbacks = [lambda model, epoch, logs: seen.append(control_words())]
    model.fit(x, x[:, :1], loss="mse", optimizer=Adam(), epochs=3, callbacks=callbacks, progress=False)
    assert seen == [before] * 3


SUBNORMALS = """
import ctypes
import numpy as np

SMALLEST = [np.float32(1e-45), np.float64(5e-324)]

def check():
    assert 5e-324 != 0 and 5e-324 * 3 == 1.5e-323 and 2.2250738585072014e-308 / 2 > 0
    for value in SMALLEST:
        assert value > 0 and np.array([value]) * value.dtype.type(1) == value
        assert np.finfo(value.dtype).smallest_subnormal == value  # warns where subnormal numbers count as 0

check()
import mlpcore
check()
model = mlpcore.Sequential([mlpcore.Dense(4, "relu"), mlpcore.Dense(1)])
model.fit(np.ones((50, 3)), np.ones(50), loss="mse", epochs=2, progress=False)
check()
"""


@pytest.mark.parametrize("name", NAMES)
def test_subnormal_numbers_outlive_the_import(name):
    ran = python(SUBNORMALS, "-W", "error", isa=name)
    assert ran.returncode == 0, ran.stderr
