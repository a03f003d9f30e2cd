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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE.parent))
import test_golden  # noqa: E402
from compiling import BITS, CSRC, FLAGS, KERNELS, NET, REFERENCE, ROOT  # noqa: E402

from mlpcore.engine import Choice, OptimizerState, Step  # noqa: E402

BUILD = ROOT / "build" / "neon"
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wsign-conversion", "-Wswitch-enum", "-Werror"]
CORE = [*KERNELS, *REFERENCE, *NET]
PROGRAMS = {"bits": BITS, "train": [HERE / "train.c"]}
GCC = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64"
NO_METRIC = "categorical_accuracy"  # what the other end counts where nobody asks for an accuracy
HEADERS = Path("/usr/aarch64-linux-gnu/include/stdio.h")


class PipedNet:
    """What a model needs of mlpcore._core.Net, computed by train.c at the other end of a pipe."""

    has_custom = True  # so that Python measures the samples to validate with: there is a call for that

    def __init__(self, pipe: subprocess.Popen[bytes], input_size: int, steps: Sequence[Step], dtype: str):
        self._pipe = pipe
        self._dtype = np.dtype(dtype)
        self._outputs = input_size
        self._settings: dict[int, tuple[Any, ...]] = {}  # of segments that have some
        words: list[Any] = []
        for step in steps:
            self._outputs = _width(step, self._outputs)
            constants = step.constants if step.kind == "activation" else ("linear", *_numbers(step.constants))
            tables = [(*shape, column) for shape, column in zip(step.shapes, step.columns, strict=True)]
            words += [step.kind, step.layer, step.joined, self._outputs, *_entry(constants), len(tables)]
            words += [number for table in tables for number in table]
        self._call("net", 8 * self._dtype.itemsize, input_size, len(steps), *words)
        self._steps = [self._layout(step) for step in steps]
        self.state = self._answer(_end(buffers for _, buffers in self._steps)).copy()
        self.params = np.zeros(_end(segments for segments, _ in self._steps), dtype)
        self.grads = np.zeros_like(self.params)

    def _layout(self, step: Step) -> tuple[list["Part"], list["Part"]]:
        """Return what the segments and the buffers of a step are."""
        segments, buffers = map(int, self._answer(2, "int64"))
        parts = [Part(step.kind, k, *map(int, self._answer(3, "int64"))) for k in range(segments)]
        return parts, [Part("", k, *map(int, self._answer(3, "int64"))) for k in range(buffers)]

    def parameters(self, step: int) -> tuple[np.ndarray, ...]:
        return tuple(part.of(self.params) for part in self._steps[step][0])

    def buffers(self, step: int) -> tuple[np.ndarray, ...]:
        return tuple(part.of(self.state) for part in self._steps[step][1])

    def first_segment(self, step: int) -> int:
        return sum(len(segments) for segments, _ in self._steps[:step])

    def segments(self) -> list[tuple[Any, ...]]:
        count = self.first_segment(len(self._steps))
        return [self._settings.get(i, (True, 1.0, 0.0, 0.0, 0.0)) for i in range(count)]

    def set_segment(self, i: int, trainable: bool, *numbers: float) -> None:
        self._settings[i] = (trainable, *numbers)
        self._call("segment", i, trainable, *map(float, numbers))

    def set_trained(self, params: np.ndarray) -> None:
        assert all(trainable for trainable, *_ in self.segments())
        self.params[...] = params

    def restore(self, params: np.ndarray, state: np.ndarray) -> None:
        self.params[...], self.state[...] = params, state

    def read(self, function):
        return function()

    def initialize(self, step: int, segment: int, initializer: Choice, seed: int) -> None:
        self._send_numbers()
        self._call("initialize", step, segment, *_entry(initializer), seed)
        self.params[...] = self._answer(self.params.size)

    def train(self, x, y, weight, settings):
        optimizer, lbfgs, (epoch, batches) = settings.optimizer, settings.lbfgs, map(int, settings.cursor)
        words = (
            *(len(x), weight is not None, y.ndim == 1, *_entry(settings.loss), settings.metric or NO_METRIC),
            *(settings.batch_size, settings.shuffle, settings.seed, settings.epochs, float(settings.mean_weight)),
            *(epoch, batches),
        )
        states: list[np.ndarray] = []
        if lbfgs is None:
            words += _optimizer_words(optimizer)
            states = _arrays(optimizer)
        else:  # its arrays stay there
            words += ("lbfgs", lbfgs.history_size, *lbfgs.numbers.tolist())
        self._send_numbers()
        self._call("train", *words, arrays=(x, y, weight, *states))
        self.params[...] = self._answer(self.params.size)
        self.state[...] = self._answer(self.state.size)
        settings.scores[...] = self._answer(2 * settings.epochs, "float64").reshape(-1, 2)
        epoch, batches, done, first_not_finite = map(int, self._answer(4, "int64"))
        settings.cursor[:] = epoch, batches
        if lbfgs is not None:
            lbfgs.numbers[:] = self._answer(len(lbfgs.numbers), "float64")
            lbfgs.t[0] += done
            return done, first_not_finite
        optimizer.t[0], waiting, averaged = self._answer(3, "int64")
        if optimizer.accumulation is not None:
            optimizer.accumulation.waiting[0] = waiting
        if optimizer.average is not None:
            optimizer.average.steps[0] = averaged
        for state in states:
            state[...] = self._answer(state.size)
        if optimizer.schedule is not None:
            progress = optimizer.schedule.progress
            progress[:] = self._answer(len(progress), "float64")
            settings.rates[:] = self._answer(settings.epochs, "float64")
        return done, first_not_finite

    def loss(self, x, y, loss, metric, sample_weight=None, metrics=None):
        words = (len(x), sample_weight is not None, y.ndim == 1, *_entry(loss), metric or NO_METRIC)
        self._send_numbers()
        self._call("loss", *words, arrays=(x, y, sample_weight))
        return tuple(self._answer(2, "float64"))

    def predict(self, x):
        self._send_numbers()
        self._call("predict", len(x), arrays=(x,))
        return self._answer(len(x) * self._outputs).reshape(len(x), -1)

    def _send_numbers(self) -> None:
        """Tell the other end what Python may have written."""
        self._call("numbers", arrays=(self.params, self.state))

    def _call(self, *words: Any, arrays: Sequence[Any] = ()) -> None:
        text = " ".join(map(_word, words)) + "\n"
        data = [np.ascontiguousarray(array, self._dtype).tobytes() for array in arrays if array is not None]
        self._pipe.stdin.write(b"".join([text.encode(), *data]))
        self._pipe.stdin.flush()

    def _answer(self, count: int, dtype: str | None = None) -> np.ndarray:
        kind = np.dtype(dtype or self._dtype)
        data = self._pipe.stdout.read(count * kind.itemsize)
        if len(data) < count * kind.itemsize:
            raise RuntimeError("train ended before it answered")
        return np.frombuffer(data, kind)


class Part(NamedTuple):
    """A matrix in a flat array, as net_views.c shows it."""

    kind: str
    k: int
    begin: int
    rows: int
    columns: int

    @property
    def end(self) -> int:
        return self.begin + self.rows * self.columns

    def of(self, flat: np.ndarray) -> np.ndarray:
        numbers = flat[self.begin : self.end].reshape(self.rows, self.columns)
        if self.kind == "embedding":
            return numbers
        if self.kind == "dense" and self.k == 0:
            return numbers.T
        return numbers[0] if self.rows == 1 else numbers


def _end(parts: Iterable[list[Part]]) -> int:
    return max((part.end for each in parts for part in each), default=0)


def _width(step: Step, inputs: int) -> int:
    """Return how many numbers a step writes."""
    if step.kind == "embedding":
        return inputs - len(step.columns) + sum(columns for _, columns in step.shapes)
    return step.units if step.kind == "dense" else inputs


def _numbers(constants: Any) -> tuple[float, ...]:
    return tuple(constants) if isinstance(constants, tuple) else (constants,)


def _arrays(optimizer: OptimizerState) -> list[np.ndarray]:
    """Return the arrays of an optimizer that lie like the parameters."""
    states = [state for state in optimizer.states if state is not None]
    states += [] if optimizer.accumulation is None else [optimizer.accumulation.sum]
    return states + ([] if optimizer.average is None else [optimizer.average.average])


def _optimizer_words(optimizer: OptimizerState) -> tuple[Any, ...]:
    """Return a rule with its constants, what it counts, and its schedule."""
    clips = [np.inf if clip is None else float(clip) for clip in (optimizer.clip_value, optimizer.clip_norm)]
    accumulation, average = optimizer.accumulation, optimizer.average
    words = ("step", *_entry((optimizer.name, *optimizer.hypers)), *clips)
    words += (0 if accumulation is None else accumulation.batches,)
    words += (-1.0, 0) if average is None else (float(average.momentum), average.overwrite_every)
    words += (int(optimizer.t[0]), 0 if accumulation is None else int(accumulation.waiting[0]))
    words += (0 if average is None else int(average.steps[0]),)
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
