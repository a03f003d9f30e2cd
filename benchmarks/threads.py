"""What a second thread gains on idle cores, and what it costs when another program keeps its core busy."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import machine
import report
from configurations import CONFIGURATIONS, Configuration
from peers import PEERS
from timing import Contest, Times, measure_in_turns
from worker import Job

NETWORKS = ("mnist-512", "wide", "deep")


@contextmanager
def busy(core: int) -> Iterator[None]:
    """Keep a core busy with another program."""
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"]
    with subprocess.Popen(command) as program:
        try:
            yield
        finally:
            program.kill()


def measure(
    configuration: Configuration, peers: Sequence[str], cores: Sequence[int], rounds: int, seconds: float
) -> list[dict[str, Times]]:
    """Return the times of training with one thread on the first core, and with a thread on each."""
    job = Job("train", configuration, seconds)
    with Contest(peers, cores[:1]) as one, Contest(peers, cores) as all_of_them:
        return measure_in_turns([one, all_of_them], job, rounds)


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, list(PEERS)))
    cores = machine.cores(2)
    if len(cores) < 2:
        print("There is only one core to use: nothing to measure with two threads.")
        return
    rows: list[list[str]] = []
    data: list[dict[str, Any]] = []
    for configuration in map(CONFIGURATIONS.__getitem__, NETWORKS[: 1 if options.quick else None]):
        smaller = replace(configuration, batches=2) if options.quick else configuration
        idle = measure(smaller, options.peers, cores, options.rounds, options.seconds)
        with busy(cores[1]):
            disturbed = measure(smaller, options.peers, cores, options.rounds, options.seconds)
        for name in options.peers:
            times = [of[name].median for of in (*idle, *disturbed)]
            one, two, one_disturbed, two_disturbed = times
            speeds = [f"{one / two:.2f}", f"{one_disturbed / two_disturbed:.2f}"]
            rows.append([f"{configuration}", PEERS[name].label, *(report.digits(1e6 * of) for of in times), *speeds])
            data.append({"configuration": configuration.name, "peer": name, "seconds": times})
    header = ["network, batch", "", "1 thread", "2 threads", "1, other core busy", "2, one core busy"]
    text = (
        f"Microseconds of a training step, median of {options.rounds} rounds; how many times as fast two threads are."
    )
    text += "\n\n" + report.table([*header, "gain", "gain when busy"], rows)
    report.write(options.output, "threads", "Threads", text, data)


if __name__ == "__main__":
    main()
