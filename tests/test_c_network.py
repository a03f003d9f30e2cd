"""`to_c`: random models compile without warnings and predict the same bits on every compiler and processor here."""

import os
import shlex
import shutil
import subprocess

import pytest
from c_models import assert_same_bits, compile_c, random_c_model
from random_models import kinds_of

import mlpcore
from mlpcore import catalogue, network, to_c

FULL = os.environ.get("MLPCORE_TEST_C") == "full"
MODELS = 400 if FULL else 100
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


# Of microcontrollers the emulator runs the code as a program of Linux, which ends by a system call.
BARE = " -nostartfiles --specs=nosys.specs -DBARE"
TARGETS = {
    "aarch64": ("aarch64-linux-gnu-gcc -static", "qemu-aarch64"),
    "cortex-m4": (f"arm-none-eabi-gcc -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard {BARE}", "qemu-arm"),
    "cortex-m0": (f"arm-none-eabi-gcc -mcpu=cortex-m0 {BARE}", "qemu-arm"),
    "x86 of 32 bits": ("gcc-12 -m32 -msse2 -mfpmath=sse", ""),
}
MAIN = """
#ifdef BARE
__attribute__((naked, noreturn)) void _start(void) {{ __asm__("bl main\\n mov r7, #1\\n svc 0"); }}
#endif
static int same(const void *a, const void *b, size_t size) {{
    float f, g;
    double d, e;
    if (memcmp(a, b, size) == 0) {{ return 1; }}
    if (size == 4) {{ memcpy(&f, a, 4); memcpy(&g, b, 4); return f != f && g != g; }}
    memcpy(&d, a, 8); memcpy(&e, b, 8); return d != d && e != e;
}}
int main(void) {{
    int wrong = 0;
{calls}
    return wrong == 0 ? 0 : 3;
}}
"""
CALL = """
    {{
        static const uint{bits}_t x[] = {{{x}}}, expected[] = {{{expected}}};
        {real} sample[{inputs}], y[{outputs}];
        for (int r = 0; r < {rows}; r++) {{
            memcpy(sample, x + r * {inputs}, sizeof sample);
            wrong += {name}_predict(sample, y);
            for (int i = 0; i < {outputs}; i++) {{
                wrong += !same(y + i, expected + r * {outputs} + i, sizeof *y);
            }}
        }}
    }}"""


def call(name, model, x):
    """C that calls a model with samples and counts what differs from `predict`."""
    expected = model.predict(x)
    bits = 8 * x.itemsize
    suffix = "u" if bits == 32 else "ull"
    words = [", ".join(f"{word}{suffix}" for word in each.view(f"u{bits // 8}").flat) for each in (x, expected)]
    sizes = {"rows": len(x), "inputs": x.shape[1], "outputs": expected.shape[1]}
    real = "float" if bits == 32 else "double"
    return CALL.format(name=name, bits=bits, real=real, x=words[0], expected=words[1], **sizes)


@pytest.mark.parametrize("target", TARGETS)
def test_predicts_the_same_bits_on_other_processors(models, texts, target, tmp_path):
    compiler, emulator = TARGETS[target]
    command, run = shlex.split(compiler), shlex.split(emulator)
    for tool in (command[0], *run[:1]):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    count = MODELS if FULL else 8
    calls = "".join(call(f"m{i}", model, x) for i, (model, x) in enumerate(models[:count]))
    source, program = tmp_path / "main.c", tmp_path / "program"
    source.write_text("\n".join(texts[:count]) + MAIN.format(calls=calls), encoding="utf-8")
    built = subprocess.run([*command, "-std=c99", "-O1", source, "-o", program, "-lm"], capture_output=True, text=True)
    if "bits/" in built.stderr or "cannot find" in built.stderr:
        pytest.skip(f"the C library for {target} is not installed")
    assert built.returncode == 0, built.stderr[:5000]
    ran = subprocess.run([*run, program], capture_output=True, text=True)
    assert ran.returncode == 0, ran
