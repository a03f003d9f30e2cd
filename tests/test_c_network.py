"""`to_c`: random models compile without warnings and predict the same bits on every compiler and processor here.

`make test-c` takes twice as many, and all of them for all compilers and processors.
"""

import os
import shutil

import pytest
from c_models import assert_same_bits, compile_c, random_c_model
from c_targets import TARGETS, WITHOUT_DOUBLE, call, run_elsewhere
from random_models import kinds_of

import mlpcore
from mlpcore import catalogue, network, to_c

FULL = os.environ.get("MLPCORE_TEST_C") == "full"
MODELS = 200 if FULL else 100
DTYPES = "float32", "float64"

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


@pytest.fixture(scope="module")
def models():
    return [random_c_model(seed, DTYPES[seed % 2]) for seed in range(MODELS)]


@pytest.fixture(scope="module")
def texts(models):
    return [to_c(model, name=f"m{i}") for i, (model, _) in enumerate(models)]


def own_fma(count):
    return [f"-DM{i}_OWN_FMA" for i in range(count)]


def test_the_random_models_have_every_layer_and_activation(models):
    kinds = set().union(*(kinds_of(model) for model, _ in models))
    assert kinds == set(catalogue.names("layers")) - {"custom"}
    chosen = [step.constants for m, _ in models for step in network.steps_of(m.layers, m.input_size)]
    named = {each if isinstance(each, str) else each[0] for each in chosen if each and isinstance(each[0], str)}
    assert named >= set(catalogue.names("activations"))
    assert {each[0] for each in chosen if isinstance(each, tuple) and each and isinstance(each[0], str)} == {
        row.name for row in catalogue.FAMILIES["activations"].values() if row.hypers
    }


@pytest.mark.parametrize(
    ("compiler", "options"),
    [("gcc", ["-O1"]), ("clang", ["-O1"]), ("gcc", ["-O3"]), ("gcc", ["-O1", "own fma"])],
    ids=lambda each: each if isinstance(each, str) else "".join(each).replace(" ", "-"),
)
def test_predicts_the_same_bits(models, texts, compiler, options, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    count = MODELS if FULL or options == ["-O1"] else 40  # the others take gcc longer
    options = [each for each in options if each.startswith("-")] + (own_fma(count) if "own fma" in options else [])
    library = compile_c("\n".join(texts[:count]), tmp_path, *options, compiler=compiler)
    for i, (model, x) in enumerate(models[:count]):
        assert_same_bits(library, f"m{i}", model, x)


def test_the_file_itself_keeps_gcc_from_fusing(models, texts, tmp_path):
    if "fma" not in mlpcore.cpu.info()["features"]:
        pytest.skip("this processor has no fma")
    library = compile_c("\n".join(texts[:20]), tmp_path, "-std=gnu99", "-O3", "-mfma", "-ffp-contract=fast")
    for i, (model, x) in enumerate(models[:20]):
        assert_same_bits(library, f"m{i}", model, x)


@pytest.mark.parametrize("target", TARGETS)
def test_predicts_the_same_bits_on_other_processors(models, texts, target, tmp_path):
    count = MODELS if FULL else 8
    run = [
        (i, model, x) for i, (model, x) in enumerate(models[:count]) if x.itemsize == 4 or target not in WITHOUT_DOUBLE
    ]
    calls = [call(f"m{i}", x, model.predict(x)) for i, model, x in run]
    run_elsewhere(target, "\n".join(texts[:count]), calls, tmp_path)
