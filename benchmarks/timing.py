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
        return measure_in_turns([self], job, rounds)[0]

    def _prepare(self, job: Job) -> dict[str, list[float]]:
        for worker in self._workers:
            worker.prepare(job)
        return {worker.name: [] for worker in self._workers}

    def _take_turns(self, seconds: dict[str, list[float]]) -> None:
        for worker in self._workers:
            if self._several_threads:
                sleep(PAUSE)
            seconds[worker.name].append(worker.run())


def measure_in_turns(contests: Sequence[Contest], job: Job, rounds: int) -> list[dict[str, Times]]:
    """Let contests, on different numbers of cores, take turns too; return the times of each."""
    seconds = [contest._prepare(job) for contest in contests]
    for _ in range(rounds):
        for contest, own in zip(contests, seconds, strict=True):
            contest._take_turns(own)
    return [{name: Times(median(turns), min(turns)) for name, turns in own.items()} for own in seconds]
