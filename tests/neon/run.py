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

from mlpcore.engine import Choice, OptimizerState, Step  # noqa: E402

FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wsign-conversion", "-Wswitch-enum", "-Werror"]
CORE = sorted(
    path
    for pattern in ("catalogue/*.c", "reference/reference_f*.c", "runtime/*.c", "isa/*.c", "net/*.c")
    for path in CSRC.glob(pattern)
    if not path.name.endswith(".inc.c")
)
PROGRAMS = {
    "bits": [HERE.parent / "bits" / name for name in ("bits.c", "bits_f32.c", "bits_f64.c")],
    "train": [HERE / "train.c"],
}
GCC = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64"
NO_METRIC = "categorical_accuracy"  # what the other end counts where nobody asks for an accuracy
DRAWING = ("dropout", "alpha_dropout", "gaussian_noise")
HEADERS = Path("/usr/aarch64-linux-gnu/include/stdio.h")


class PipedNet:
    """What a model needs of mlpcore._core.Net, computed by train.c at the other end of a pipe."""

    def __init__(self, pipe: subprocess.Popen[bytes], input_size: int, steps: Sequence[Step], dtype: str):
        self._pipe = pipe
        self._inputs = [input_size]  # of each step, and the width of the output
        self._begins = [0]  # of each step's parameters
        self._settings: dict[int, tuple[Any, ...]] = {}  # of segments that have some
        words: list[Any] = []
        for step in steps:
            width = self._inputs[-1]
            units = step.units if step.kind == "dense" else width
            self._inputs.append(units)
            self._begins.append(self._begins[-1] + ((width + 1) * units if step.kind == "dense" else 0))
            constants = ("linear", step.constants) if step.kind in DRAWING else step.constants
            words += [step.kind, step.layer, step.joined, units, *_entry(constants)]
        self.params = np.zeros(self._begins[-1], dtype)
        self.grads = np.zeros_like(self.params)
        self._call("net", 8 * self.params.itemsize, input_size, len(steps), *words)

    def parameters(self, step: int) -> tuple[np.ndarray, ...]:
        begin, end = self._begins[step : step + 2]
        if begin == end:
            return ()
        inputs, units = self._inputs[step : step + 2]
        b = begin + inputs * units
        return self.params[begin:b].reshape(inputs, units).T, self.params[b:end]

    def first_segment(self, step: int) -> int:
        return 2 * sum(begin < end for begin, end in pairwise(self._begins[: step + 1]))  # w and b of each dense step

    def segments(self) -> list[tuple[Any, ...]]:
        return [self._settings.get(i, (True, 1.0, 0.0, 0.0, 0.0)) for i in range(self.first_segment(len(self._inputs)))]

    def set_segment(self, i: int, trainable: bool, *numbers: float) -> None:
        self._settings[i] = (trainable, *numbers)
        self._call("segment", i, trainable, *map(float, numbers))

    def initialize(self, step: int, segment: int, initializer: Choice, seed: int) -> None:
        self._call("initialize", step, segment, *_entry(initializer), seed)
        self.params[...] = self._answer(self.params.size)

    def train(self, x, y, weight, settings):
        optimizer, lbfgs, (epoch, batches) = settings.optimizer, settings.lbfgs, map(int, settings.cursor)
        schedule = None if optimizer is None else optimizer.schedule
        words = (
            *(len(x), weight is not None, *_entry(settings.loss), settings.metric or NO_METRIC),
            *(settings.batch_size, settings.shuffle, settings.seed, settings.epochs, float(settings.mean_weight)),
            *(epoch, batches),
        )
        # Their arrays stay there.
        if lbfgs is None:
            words += _optimizer_words(optimizer)
        else:
            words += ("lbfgs", lbfgs.history_size, *lbfgs.numbers.tolist())
        self._call("train", *words, arrays=(x, y, weight))
        self.params[...] = self._answer(self.params.size)
        settings.scores[...] = self._answer(2 * settings.epochs, "float64").reshape(-1, 2)
        epoch, batches, done, first_not_finite = map(int, self._answer(4, "int64"))
        settings.cursor[:] = epoch, batches
        if schedule is not None:
            schedule.progress[:] = self._answer(len(schedule.progress), "float64")
            settings.rates[:] = self._answer(settings.epochs, "float64")
        if lbfgs is not None:
            lbfgs.numbers[:] = self._answer(len(lbfgs.numbers), "float64")
        (optimizer or lbfgs).t[0] += done
        return done, first_not_finite

    def loss(self, x, y, loss, metric, sample_weight=None, metrics=None):
        words = (len(x), sample_weight is not None, *_entry(loss), metric or NO_METRIC)
        self._call("loss", *words, arrays=(x, y, sample_weight))
        return tuple(self._answer(2, "float64"))

    def predict(self, x):
        self._call("predict", len(x), arrays=(x,))
        return self._answer(len(x) * self._inputs[-1]).reshape(len(x), -1)

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


def _optimizer_words(optimizer: OptimizerState) -> tuple[Any, ...]:
    """Return a rule with its constants, and its schedule."""
    clips = [np.inf if clip is None else float(clip) for clip in (optimizer.clip_value, optimizer.clip_norm)]
    words = ("step", *_entry((optimizer.name, *optimizer.hypers)), *clips)
    if optimizer.schedule is None:
        return *words, 0
    choice, per_epoch, warmup, progress = optimizer.schedule
    return *words, 1, *_entry(choice), per_epoch, float(warmup), *progress.tolist()


def _entry(entry: Choice) -> tuple[Any, ...]:
    """Return a row of the catalogue as words: its name, how many constants follow, and these."""
    name, *constants = (entry,) if isinstance(entry, str) else entry
    return name, len(constants), *map(float, constants)


def _word(value: Any) -> str:
    return value.hex() if isinstance(value, float) else str(int(value) if isinstance(value, bool) else value)


@contextmanager
def piped_net(command: list[Any]) -> Iterator[None]:
    """Let new models compute in the program that `command` starts."""
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pipe,
        mock.patch("mlpcore.network.Net", partial(PipedNet, pipe)),
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
