"""C that models are written in, compiled for other processors and run there, or by an emulator."""

import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

# Of microcontrollers the emulator runs the code as a program of Linux, which ends by a system call.
BARE = " -nostartfiles --specs=nosys.specs -DBARE"
# libgcc rounds differences of doubles wrongly for a Cortex-M4 (docs/decisions/c-from-the-reference.md).
WITHOUT_DOUBLE = {"cortex-m4"}
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
        static const uint{x_bits}_t x[] = {{{x}}};
        static const uint{y_bits}_t expected[] = {{{y}}};
        {x_type} sample[{inputs}];
        {y_type} y[{outputs}];
        for (int r = 0; r < {rows}; r++) {{
            memcpy(sample, x + r * {inputs}, sizeof sample);
            wrong += {name}_predict(sample, y);
            for (int i = 0; i < {outputs}; i++) {{
                wrong += !same(y + i, expected + r * {outputs} + i, sizeof *y);
            }}
        }}
    }}"""


def call(name: str, x: NDArray, y: NDArray) -> str:
    """Return C that calls a model with rows and counts what differs from what they are to give."""
    values: dict[str, object] = {"rows": len(x), "inputs": x.shape[1], "outputs": y.shape[1]}
    for letter, each in (("x", x), ("y", y)):
        bits = 8 * each.itemsize
        suffix = "u" if bits == 32 else "ull"
        values |= {
            letter: ", ".join(f"{word}{suffix}" for word in np.ascontiguousarray(each).view(f"u{bits // 8}").flat),
            f"{letter}_bits": bits,
            f"{letter}_type": "float" if bits == 32 else "double",
        }
    return CALL.format(name=name, **values)


def run_elsewhere(target: str, text: str, calls: Iterable[str], folder: Path) -> None:
    """Run calls of the models in a text; skip the test where there is no compiler or emulator."""
    compiler, emulator = TARGETS[target]
    command, run = shlex.split(compiler), shlex.split(emulator)
    for tool in (command[0], *run[:1]):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    source, program = folder / "main.c", folder / "program"
    source.write_text(text + MAIN.format(calls="".join(calls)), encoding="utf-8")
    built = subprocess.run([*command, "-std=c99", "-O1", source, "-o", program, "-lm"], capture_output=True, text=True)
    if "bits/" in built.stderr or "cannot find" in built.stderr:
        pytest.skip(f"the C library for {target} is not installed")
    assert built.returncode == 0, built.stderr[:5000]
    ran = subprocess.run([*run, program], capture_output=True, text=True)
    assert ran.returncode == 0, ran
