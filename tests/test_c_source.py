"""`to_c`: what the file says and does beside its numbers, int8, and refusals. Random models: test_c_network.py."""

import ctypes
import doctest
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_models import assert_same_bits, compile_c, predict

import mlpcore
from mlpcore import (
    Activation,
    CustomActivation,
    CustomLayer,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    Residual,
    Sequential,
    to_c,
)

PAGE = Path(__file__).parent.parent / "docs" / "to-c.md"
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def small(dtype="float32", **options):
    return Sequential([Dense(3, "tanh"), Dense(2, "softmax")], input_size=4, seed=1, dtype=dtype, **options)


def sentences(text):
    """The comment at the beginning, in one line."""
    return " ".join(re.sub(r"^ \* ?", "", text[: text.index("*/")], flags=re.M).split())


@needs_gcc
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_example_in_the_file_runs(dtype, tmp_path):
    model = small(dtype)
    to_c(model, tmp_path / "model.c")
    head = (tmp_path / "model.c").read_text().split("*/")[0]
    lines = [line.removeprefix(" *").removeprefix("     ") for line in head.split("\n")]
    example = lines[lines.index("#include <stdio.h>") : lines.index("}", lines.index("#include <stdio.h>")) + 1]
    (tmp_path / "main.c").write_text("\n".join(example) + "\n")
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "main.c", "-o", "main", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout.split()
    assert list(map(float, printed)) == pytest.approx(model.predict(np.zeros((1, 4)))[0].tolist(), rel=1e-7)


@needs_gcc
@pytest.mark.skipif(not PAGE.exists(), reason="the pages do not lie beside the tests")
def test_the_examples_of_the_page_print_what_it_shows(tmp_path):
    pytest.importorskip("sklearn")
    text = PAGE.read_text(encoding="utf-8")
    (example,) = doctest.DocTestFinder().find(type("page", (), {"__doc__": text}), "page")
    assert doctest.DocTestRunner(verbose=False).run(example, clear_globs=False).failed == 0
    folder = example.globs["folder"]
    shown = re.findall(r"^\['(.*)', '(.*)'\]$", text, re.M)
    programs = re.findall(r"```c\n(.*?)```", text, re.S)
    command = re.search(r"^    cc (.*)$", text, re.M)[1].split()
    for program, numbers in zip(programs, shown, strict=True):
        (folder / "main.c").write_text(program)
        subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", *command, "-o", "main"], cwd=folder, check=True)
        printed = subprocess.check_output([folder / "main"], text=True)
        assert re.sub(r"0+p", "p", printed).split() == [re.sub(r"0+p", "p", each) for each in numbers]
    shutil.rmtree(folder)


@needs_gcc
def test_two_models_fit_into_one_program_and_each_into_its_own_file(tmp_path):
    models = {"first": small(), "second": small("float64")}
    for name, model in models.items():
        to_c(model, tmp_path / f"{name}.c", name=name)
        command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Wmissing-prototypes", "-fPIC", "-c", f"{name}.c"]
        subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run(["gcc", "-shared", "first.o", "second.o", "-o", "both.so", "-lm"], cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "both.so"))
    for name, model in models.items():
        assert_same_bits(library, name, model, np.ones((2, 4), model.dtype))
    public = subprocess.check_output(["nm", "-g", "--defined-only", tmp_path / "first.o"], text=True)
    assert public.split()[-1:] == ["first_predict"]
    assert len(public.splitlines()) == 1


@needs_gcc
@pytest.mark.parametrize(
    "layers",
    [
        [Dropout(0.5)],
        [Activation("linear")],
        [Residual([Dropout(0.5)])],
        [Residual([Residual([Dropout(0.5)])]), Residual([Activation("relu"), Residual([Activation("tanh")])])],
        [Dense(3), Residual([Dropout(0.5), LayerNorm()]), Residual([Residual([LayerNorm()]), Dense(3)])],
        [Embedding({0: (2, 3), 2: (4, 1)}), Dropout(0.1)],
        [Embedding({1: (2, 1)})],
    ],
)
def test_buffers_are_not_overwritten_while_they_are_needed(layers, tmp_path):
    model = Sequential(layers, input_size=3, seed=2)
    x = np.array([[0, 1, 2], [1, 0, 3], [0, 0, 0]], np.float32)
    assert_same_bits(compile_c(to_c(model), tmp_path, "-O1"), "model", model, x)


@needs_gcc
def test_many_inputs_and_outputs(tmp_path):
    model = Sequential([Dense(5000, "softmax")], input_size=20, seed=1)
    text = to_c(model, weights="int8")
    assert "5,000 to y" not in text  # numbers in sentences are written as in C
    assert "writes 5000 to y" in sentences(text)
    model = Sequential([Dense(20, "gelu"), LayerNorm(), Dense(5000, "softmax")], input_size=2000, seed=1)
    x = np.random.default_rng(1).normal(size=(3, 2000)).astype(np.float32)
    assert_same_bits(compile_c(to_c(model), tmp_path, "-O1"), "model", model, x)


@needs_gcc
def test_what_is_no_category_gets_the_number_of_its_column(tmp_path):
    model = Sequential([Embedding({1: (3, 2), 3: (2, 2)}), Dense(2)], input_size=4, seed=1)
    library = compile_c(to_c(model), tmp_path)
    bad = [3, -1, 0.5, 1e30, -1e30, np.inf, -np.inf, np.nan, 2.9999998]
    x = np.array([[9, value, 9, 0] for value in bad] + [[9, 2, 9, 2], [9, 5, 9, 5], [np.nan, 2, 9, 1]], np.float32)
    codes, y = predict(library, "model", x, 2)
    assert codes == [2] * len(bad) + [4, 2, 0]
    assert np.isnan(y[:-1]).all()
    assert "It returns 0; or c + 1, with y as it was, if x[c] is no category." in sentences(to_c(model))


@needs_gcc
def test_the_memory_that_the_file_names_is_what_it_takes(tmp_path):
    model = Sequential([Dense(100, "relu"), Residual([Dense(100, "relu")]), Dense(7)], input_size=10, seed=1)
    text = to_c(model)
    parameters = 4 * model._built().params.size
    assert f"{parameters:,} bytes of constants, and {4 * 200:,} bytes of the stack" in sentences(text)
    (tmp_path / "m.c").write_text(text)
    subprocess.run(["gcc", "-std=c99", "-O1", "-DMODEL_MEMORY=static", "-c", "m.c"], cwd=tmp_path, check=True)
    sizes = subprocess.check_output(["nm", "-S", tmp_path / "m.o"], text=True)
    named = {line.split()[3]: int(line.split()[1], 16) for line in sizes.splitlines() if len(line.split()) == 4}
    assert sum(size for name, size in named.items() if "layers" in name) == parameters
    assert sum(size for name, size in named.items() if name.startswith(("a0", "a1"))) == 800


def test_fast_math_and_other_formats_are_refused(tmp_path):
    (tmp_path / "m.c").write_text(to_c(small()))

    def refusal(*options):
        ran = subprocess.run(["gcc", *options, "-fsyntax-only", tmp_path / "m.c"], capture_output=True, text=True)
        assert ran.returncode != 0
        return ran.stderr

    assert "compile without -ffast-math" in refusal("-ffast-math")
    assert "compile for x86 with -msse2 -mfpmath=sse" in refusal("-std=c99", "-mfpmath=387")


# ----------------------------------------------------------------------------------------------------------------- int8


@needs_gcc
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_int8_is_within_the_bound_of_each_unit(dtype, tmp_path):
    model = Sequential([Dense(30, use_bias=True)], input_size=40, seed=3, dtype=dtype)
    layer = model.layers[0]
    layer.w[3] = 0
    layer.w[4] *= 1e-40 if dtype == "float32" else 1e-310  # subnormal
    layer.w[5, 7] = 1e6
    layer.b[...] = np.linspace(-1, 1, 30)
    x = np.random.default_rng(1).normal(size=(50, 40)).astype(dtype)
    codes, y = predict(compile_c(to_c(model, weights="int8"), tmp_path), "model", x, 30)
    assert codes == [0] * 50
    exact = x.astype(np.float64) @ layer.w.T.astype(np.float64) + layer.b
    bound = np.abs(x).sum(1)[:, None] * np.abs(layer.w).max(1) / 254
    assert (np.abs(y - exact) <= bound * (1 + 1e-5) + 1e-5).all()
    assert np.abs(y - exact).max() > 1e-3  # int8 it is


@needs_gcc
def test_int8_errors_of_a_network_are_within_the_bound_that_the_layers_make(tmp_path):
    """An error e of x is one of |w| e behind a dense layer, and no larger behind a sigma whose slope is at most 1."""
    model = Sequential([Dense(40, "relu"), Dense(30, "tanh"), Dense(5, "linear")], input_size=20, seed=3)
    x = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)
    _, y = predict(compile_c(to_c(model, weights="int8"), tmp_path), "model", x, 5)
    model.forward(x)
    error = np.zeros_like(x)
    for layer in model.layers:
        error = (np.abs(layer.x) + error).sum(1)[:, None] * (np.abs(layer.w).max(1) / 254) + error @ np.abs(layer.w).T
    assert (np.abs(y - model.predict(x)) <= error + 1e-5).all()


@needs_gcc
def test_int8_reads_digits_as_well_as_float32(tmp_path):
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(return_X_y=True)
    X = X.astype(np.float32) / 16
    model = Sequential([Dense(64, "relu"), Dense(10, "softmax")], input_size=64, seed=1)
    model.fit(X[:1300], y[:1300], loss="cce", epochs=30, progress=False)
    _, probabilities = predict(compile_c(to_c(model, weights="int8"), tmp_path), "model", X[1300:], 10)
    float32 = np.mean(model.predict(X[1300:]).argmax(1) == y[1300:])
    int8 = np.mean(probabilities.argmax(1) == y[1300:])
    print(f"digits, 497 tested: float32 {float32:.4f}, int8 {int8:.4f}")
    assert float32 > 0.9
    assert abs(float32 - int8) <= 0.005


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "name",
    ["", "1a", "_a", "a-b", "a b", "é", "int main", 'x"', "a\n", "*/", "a" * 32, "model_predict(){system(1);}", "a.b"],
)
def test_names_that_are_no_identifiers(name):
    with pytest.raises(ValueError, match="expected a C identifier of at most 31 letters, digits and _"):
        to_c(small(), name=name)


def test_a_name_that_is_no_string():
    with pytest.raises(TypeError, match="name is 3, expected a string, such as 'model'"):
        to_c(small(), name=3)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("int4", "weights is 'int4', expected None, 'float32', 'float64' or 'int8'"),
        (8, "weights is 8, expected None"),
        (["int8"], "weights is ['int8'], expected None"),
        ("float64", "weights is 'float64', expected 'float32', which the model computes in, or 'int8'"),
    ],
)
def test_weights_that_there_are_not(weights, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        to_c(small(), weights=weights)


def test_models_that_are_none():
    with pytest.raises(
        TypeError, match=r"model is 'model.c', expected a mlpcore.Sequential, a TabularClassifier or a TabularRegressor"
    ):
        to_c("model.c")
    with pytest.raises(RuntimeError, match="the model has no weights yet: give input_size="):
        to_c(Sequential([Dense(2)]))


class Twice(CustomLayer):
    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        return 2 * x

    def backward(self, grad_y, x):
        return 2 * grad_y


class Square(CustomActivation):
    def forward(self, z):
        return z * z

    def backward(self, grad_a, z, a):
        return 2 * z * grad_a


@pytest.mark.parametrize(
    ("layers", "path"),
    [
        ([Dense(2), Twice()], "layers.1"),
        ([Residual([Dense(3), Twice()])], "layers.0.layers.1"),
        ([Dense(2, Square())], "layers.0"),
        ([Activation(Square())], "layers.0"),
    ],
)
def test_what_is_written_in_python(layers, path):
    model = Sequential(layers, input_size=3)
    with pytest.raises(TypeError, match=rf"{path}, .*, is written in Python: C has only mlpcore's own layers"):
        to_c(model)


@pytest.mark.parametrize("weights", [None, "int8"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(value, weights):
    model = small()
    model.layers[1].w[0, 1] = value
    with pytest.raises(ValueError, match="layers.1.w holds numbers that are not finite, as a training leaves them"):
        to_c(model, weights=weights)


def test_files(tmp_path):
    model = small()
    text = to_c(model)
    assert to_c(model, str(tmp_path / "a.c")) is None
    assert (tmp_path / "a.c").read_bytes().decode() == text
    stream = io.BytesIO()
    to_c(model, stream)
    assert stream.getvalue().decode() == text
    with pytest.raises(FileNotFoundError, match="nowhere"):
        to_c(model, tmp_path / "nowhere" / "a.c")
    with pytest.raises(IsADirectoryError):
        to_c(model, tmp_path)
    with pytest.raises(TypeError, match="expected a path or a binary file object"):
        to_c(model, io.StringIO())
    with pytest.raises(ValueError, match="name is"):
        to_c(model, tmp_path / "a.c", name="1")
    assert (tmp_path / "a.c").read_bytes().decode() == text
    assert [each.name for each in tmp_path.iterdir()] == ["a.c"]


def test_the_text_is_the_same_each_time_and_leaves_the_model_alone():
    model = small()
    before = model._built().params.copy()
    assert to_c(model) == to_c(model)
    assert (model._built().params == before).all()
    assert f"written by mlpcore {mlpcore.__version__}" in sentences(to_c(model))
