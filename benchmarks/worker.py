"""A process of its own for each peer, so that libraries share neither threads nor settings nor memory.

The benchmark holds one `Worker` a peer and tells them in turn to run; one that is not told waits on a pipe.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from configurations import Configuration
from peers import PEERS


@dataclass(frozen=True)
class Job:
    """What is timed: an action of a peer ("train", "predict", "forward", "backward"), and how long a turn lasts."""

    action: str
    configuration: Configuration
    seconds: float


class Worker:
    """A process that holds one peer, bound to some cores.

    Parameters
    ----------
    name : str
        A key of `PEERS`.
    cores : sequence of int
        The cores that it may use; it uses as many threads.
    folder : Path, optional
        Where packages are looked for before those that are installed.
    """

    def __init__(self, name: str, cores: Sequence[int], folder: Path | None = None) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, __file__, name, json.dumps(list(cores))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | thread_settings(len(cores)) | ({"PYTHONPATH": str(folder)} if folder else {}),
        )

    def prepare(self, job: Job) -> None:
        """Build the network, warm up, and find out how often to repeat."""
        self._ask({"job": asdict(job)})

    def run(self) -> float:
        """Take a turn; return the seconds of one step."""
        return float(self._ask({"run": True}))

    def peak_memory(self) -> int:
        """Return the most bytes that the process has held."""
        return int(self._ask({"peak_memory": True}))

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise RuntimeError(f"the process for {self.name} ended: its message stands above") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def thread_settings(threads: int) -> dict[str, str]:
    """Return the environment that tells every library how many threads to use."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MLPCORE_NUM_THREADS")
    settings = {name: str(threads) for name in names} | {"JAX_PLATFORMS": "cpu"}
    if threads == 1:
        settings["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return settings


class _Turns:
    """A job that was prepared."""

    def __init__(self, name: str, job: Job) -> None:
        self._peer = PEERS[name](job.configuration)
        self._action = getattr(self._peer, job.action)
        unit = job.configuration.batches if job.action in ("train", "predict") else 1
        self._untimed = unit if job.action == "train" else 0
        self._times = unit
        self.run()  # whatever happens only once: compilation, memory, caches
        self._times = unit * max(1, round(job.seconds / (self.run() * unit)))
        if self._times > unit:
            self.run()  # JAX compiles a loop for each length

    def run(self) -> float:
        self._peer.reset()
        if self._untimed:
            self._action(self._untimed)  # the first step of an optimizer allocates its state
        start = perf_counter()
        self._action(self._times)
        return (perf_counter() - start) / self._times


def _peak_memory() -> int:
    # Not resource.getrusage: its maximum includes the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _serve(name: str, cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no reply
    for line in sys.stdin:
        match json.loads(line):
            case {"job": job}:
                configuration = Configuration(**job["configuration"] | {"sizes": tuple(job["configuration"]["sizes"])})
                turns = _Turns(name, Job(**job | {"configuration": configuration}))
                reply: float | None = None
            case {"run": True}:
                reply = turns.run()
            case {"peak_memory": True}:
                reply = _peak_memory()
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], json.loads(sys.argv[2]))
