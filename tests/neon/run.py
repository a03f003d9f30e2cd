"""Tests NEON on a machine without it: cross-compiles the C core for AArch64 and runs it under qemu-user.

1. tests/bits: every kernel of csrc/isa against the reference, bit for bit, between guard pages.
2. The networks of tests/test_golden.py, trained by train.c at the other end of a pipe, have the golden hashes. The same
   program compiled for this machine must reach them too, with each of its instruction sets.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CSRC = ROOT / "csrc"
BUILD = ROOT / "build" / "neon"

sys.path.insert(0, str(HERE.parent))
import test_golden  # noqa: E402

FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wsign-conversion", "-Werror"]
CORE = sorted(
    path
    for pattern in ("reference/reference_f*.c", "isa/*.c", "net/*.c")
    for path in CSRC.glob(pattern)
    if not path.name.endswith(".inc.c")
)
PROGRAMS = {
    "bits": [HERE.parent / "bits" / name for name in ("bits.c", "bits_f32.c", "bits_f64.c")],
    "train": [HERE / "train.c"],
}
GCC = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64"
HEADERS = Path("/usr/aarch64-linux-gnu/include/stdio.h")


class PipedNet:
    """What Sequential needs of mlpcore._core.Net, computed by train.c at the other end of a pipe."""

    def __init__(self, pipe: subprocess.Popen[bytes], sizes: Sequence[int], activations: Sequence[str], dtype: str):
        self._pipe, self._sizes = pipe, sizes
        self.params = np.zeros(sum((inputs + 1) * units for inputs, units in pairwise(sizes)), dtype)
        self._call("net", 8 * self.params.itemsize, len(activations), *sizes, *activations)

    def weights(self, j: int) -> tuple[np.ndarray, np.ndarray]:
        begin = sum((inputs + 1) * units for inputs, units in pairwise(self._sizes[: j + 1]))
        inputs, units = self._sizes[j : j + 2]
        b = begin + inputs * units
        return self.params[begin:b].reshape(inputs, units).T, self.params[b : b + units]

    def initialize(self, j: int, name: str, seed: int) -> None:
        self._call("initialize", j, name, seed)
        self.params[...] = self._answer(self.params.size)

    def train(self, x, y, weight, loss, batch_size, shuffle, seed, first_epoch, epochs, optimizer, scores, progress):
        numbers = [value for value in optimizer if isinstance(value, (str, float, bool))]  # its arrays stay there
        for epoch in range(first_epoch, first_epoch + epochs):
            words = (len(x), batch_size, shuffle, seed, epoch, loss, weight is not None, *numbers)
            self._call("epoch", *words, arrays=(x, y, weight))
            self.params[...] = self._answer(self.params.size)
            scores.append(tuple(self._answer(3, "float64")[:2]))

    def loss(self, x, y, loss, weight=None):
        self._call("loss", len(x), loss, weight is not None, arrays=(x, y, weight))
        return tuple(self._answer(2, "float64"))

    def predict(self, x):
        self._call("predict", len(x), arrays=(x,))
        return self._answer(len(x) * self._sizes[-1]).reshape(len(x), -1)

    def _call(self, *words: Any, arrays: Sequence[Any] = ()) -> None:
        text = " ".join(map(_word, words)) + "\n"
        data = [np.ascontiguousarray(array, self.params.dtype).tobytes() for array in arrays if array is not None]
        self._pipe.stdin.write(b"".join([text.encode(), *data]))
        self._pipe.stdin.flush()

    def _answer(self, count: int, dtype: str | None = None) -> np.ndarray:
        kind = np.dtype(dtype or self.params.dtype)
        data = self._pipe.stdout.read(count * kind.itemsize)
        if len(data) < count * kind.itemsize:
            raise RuntimeError("train ended before it answered")
        return np.frombuffer(data, kind)


def _word(value: Any) -> str:
    return value.hex() if isinstance(value, float) else str(int(value) if isinstance(value, bool) else value)


@contextmanager
def piped_net(command: list[Any]) -> Iterator[None]:
    """Let new models compute in the program that `command` starts."""
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe,
        mock.patch("mlpcore.model.Net", partial(PipedNet, pipe)),
    ):
        yield


def require_tools() -> None:
    missing = [tool for tool in (GCC, EMULATOR) if not shutil.which(tool)]
    missing += [] if HEADERS.exists() else [str(HEADERS)]
    if missing:
        packages = "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
        sys.exit(f"test-neon needs {', '.join(missing)}: apt-get install {packages}")


def build(name: str, compiler: list[str]) -> dict[str, Path]:
    """Compile all programs into build/neon/name."""
    directory = BUILD / name
    directory.mkdir(parents=True, exist_ok=True)
    objects = []
    compiler = [*compiler, *FLAGS, *WARNINGS, f"-I{CSRC}"]
    for source in CORE:
        objects.append(directory / f"{source.stem}.o")
        subprocess.run([*compiler, "-c", source, "-o", objects[-1]], check=True)
    for program, sources in PROGRAMS.items():
        subprocess.run([*compiler, *sources, *objects, "-lm", "-o", directory / program], check=True)
    return {program: directory / program for program in PROGRAMS}


def wrong_hashes(command: list[Any]) -> list[str]:
    """Return the names of the golden networks that `command` trains to other bits."""
    with piped_net(command):
        got = test_golden.all_hashes()
    golden = json.loads(test_golden.HASHES.read_text())
    return [name for name, digest in got.items() if golden[name] != digest]


def main() -> int:
    """Build for AArch64 and for this machine, run, and say what came out."""
    require_tools()
    builds = {"gcc for AArch64": ([GCC, "-static"], [EMULATOR])}
    if shutil.which("clang"):
        builds["clang for AArch64"] = (["clang", "--target=aarch64-linux-gnu", "-static"], [EMULATOR])
    else:
        print("clang is not installed: NEON only as gcc compiles it")
    builds["this machine"] = (shlex.split(os.environ.get("CC", "cc")), [])

    failures = 0
    for name, (compiler, runner) in builds.items():
        programs = build(name.replace(" ", "-"), compiler)
        sets = subprocess.run([*runner, programs["train"]], capture_output=True, text=True, check=True).stdout.split()
        if runner:
            assert "neon" in sets, sets
            print(f"{name}: the kernels against the reference", flush=True)
            failures += subprocess.run([*runner, programs["bits"], "quick", "neon"], check=False).returncode != 0
        for isa in sets:
            began = time.perf_counter()
            wrong = wrong_hashes([*runner, programs["train"], isa])
            failures += len(wrong)
            took = f"{time.perf_counter() - began:.1f} s"
            print(f"{name}, {isa}: {'OTHER BITS: ' + ', '.join(wrong) if wrong else 'the golden bits'}, {took}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
