"""Fair timing: peers take turns, so that whatever disturbs the machine disturbs all of them alike."""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from time import sleep
from typing import NamedTuple, Self

from worker import Job, Worker

PAUSE = 0.1  # seconds: the threads of some libraries go on spinning that long after their work is done


class Times(NamedTuple):
    """Seconds a step: median and minimum over the rounds."""

    median: float
    minimum: float


class Contest:
    """Workers for some peers on the same cores.

    Parameters
    ----------
    peers : sequence of str
        Keys of `peers.PEERS`.
    cores : sequence of int
        Cores that each peer in its turn may use.
    """

    def __init__(self, peers: Sequence[str], cores: Sequence[int]) -> None:
        self._stack = ExitStack()
        self._several_threads = len(cores) > 1
        self._workers = [self._stack.enter_context(Worker(name, cores)) for name in peers]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def measure(self, job: Job, rounds: int) -> dict[str, Times]:
        """Let every peer take one turn a round; return their times."""
        for worker in self._workers:
            worker.prepare(job)
        seconds: dict[str, list[float]] = {worker.name: [] for worker in self._workers}
        for _ in range(rounds):
            for worker in self._workers:
                if self._several_threads:
                    sleep(PAUSE)
                seconds[worker.name].append(worker.run())
        return {name: Times(median(turns), min(turns)) for name, turns in seconds.items()}
