"""Random models as C: written, compiled into one library, and called from Python."""

import ctypes
import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from random_models import log_uniform, random_columns, random_layers

from mlpcore import CELU, ELU, Dense, Embedding, LeakyReLU, Sequential

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
LAST = [LeakyReLU(0.3), ELU(0.7), CELU(1.3), "exponential"]  # with constants, or in no stack of layers


def random_c_model(seed: int, dtype: str) -> tuple[Sequential, NDArray]:
    """Return a model of any layers and activations, and samples for it, some of them large or small."""
    rng = np.random.default_rng([seed, 7])
    inputs = log_uniform(rng, 1, 20)
    columns = random_columns(rng, inputs)
    first = [Embedding(columns)] if columns else []
    layers, width = random_layers(rng, first[0]._output_size(inputs) if first else inputs)
    last = [Dense(width, LAST[seed // 4 % 4])] if seed % 4 == 0 else []
    model = Sequential([*first, *layers, *last], input_size=inputs, dtype=dtype, seed=seed)
    net = model._built()
    net.params[...] += rng.normal(scale=0.3, size=net.params.shape)
    net.state[...] = np.abs(net.state + rng.normal(scale=0.3, size=net.state.shape))  # variances are not below 0
    x = rng.normal(size=(12, inputs)) * 10.0 ** rng.integers(-3, 4, (12, 1))
    x[0] = 0
    for column, (categories, _) in columns.items():
        x[:, column] = rng.integers(0, categories, 12)
    return model, x.astype(dtype)


def compile_c(text: str, folder: Path, *options: str, compiler: str = "gcc", name: str = "library") -> ctypes.CDLL:
    """Return the library of a C file, which must compile without a warning."""
    source = folder / f"{name}.c"
    source.write_text(text, encoding="utf-8")
    command = [*shlex.split(compiler), *WARNINGS, "-ffp-contract=off", *options, "-shared", "-fPIC", str(source), "-lm"]
    environment = os.environ | {"CCACHE_DISABLE": "1"}
    library = folder / f"{name}.so"
    ran = subprocess.run([*command, "-o", str(library)], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[:5000]
    return ctypes.CDLL(str(library))


def predict(library: ctypes.CDLL, name: str, x: NDArray, outputs: int) -> tuple[list[int], NDArray]:
    """Return what a model's function returns for each row, and what it writes; a row begins as nan."""
    function = getattr(library, f"{name}_predict")
    y = np.full((len(x), outputs), np.nan, x.dtype)
    x = np.ascontiguousarray(x)
    codes = [function(*(ctypes.c_void_p(each.ctypes.data) for each in row)) for row in zip(x, y, strict=True)]
    return codes, y


def assert_same_bits(library: ctypes.CDLL, name: str, model: Sequential, x: NDArray) -> None:
    """Compare what C computes with `predict`, bit for bit but for what kind of NaN a NaN is."""
    expected = model.predict(x)
    codes, y = predict(library, name, x, expected.shape[1])
    assert codes == [0] * len(x)
    as_bits = np.uint32 if x.dtype == np.float32 else np.uint64
    differs = (y.view(as_bits) != expected.view(as_bits)) & ~(np.isnan(y) & np.isnan(expected))
    assert not differs.any(), f"{name}, {model!r}: row {np.argwhere(differs)[0]}\n{y[differs]}\n{expected[differs]}"
