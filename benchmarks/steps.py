"""How long training steps and predictions take, beside other libraries."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import machine
import report
from configurations import CONFIGURATIONS, OPTIMIZERS, Configuration, without_twins
from machine import Peak
from peers import PEERS
from timing import Contest, Times
from worker import Job

TITLES = {"train": "Training steps", "predict": "Predictions of one batch"}


def measure(
    configurations: Sequence[Configuration], peers: Sequence[str], threads: int, rounds: int, seconds: float
) -> tuple[str, list[dict[str, Any]]]:
    """Return the tables for a number of threads, and the numbers in them."""
    cores = machine.cores(threads)
    peaks = [machine.peak(cores, "float32")]
    with Contest(peers, cores) as contest:
        measured = {"train": configurations, "predict": without_twins(configurations)}
        times = {
            action: [contest.measure(Job(action, of, seconds), rounds) for of in those]
            for action, those in measured.items()
        }
    peaks.append(machine.peak(cores, "float32"))
    peak = max((found for found in peaks if found), default=None)

    text = f"Median (minimum) of {rounds} rounds, in microseconds. Peak of {threads} core(s): {peak or 'not measured'}."
    header = ["network, batch, optimizer", *report.labels(peers), "best other / mlpcore", "GFLOP/s", "of peak"]
    data = []
    for action, title in TITLES.items():
        rows = [row(action, of, found, peak) for of, found in zip(measured[action], times[action], strict=True)]
        text += f"\n\n## {title}, {threads} thread(s)\n\n{report.table(header, rows)}"
        data += [
            {
                "action": action,
                "configuration": of.name,
                "threads": threads,
                "seconds": {name: turns._asdict() for name, turns in found.items()},
                "gflop": 1e-9 * of.flop(action),
                "peak_gflops": peak.gflops if peak else None,
            }
            for of, found in zip(measured[action], times[action], strict=True)
        ]
    return text, data


def row(action: str, configuration: Configuration, times: dict[str, Times], peak: Peak | None) -> list[str]:
    """Return a row of the table."""
    gflops = 1e-9 * configuration.flop(action) / times["mlpcore"].median
    lead = report.lead(times)
    return [
        f"{configuration}, {OPTIMIZERS[configuration.optimizer]}",
        *(f"{report.digits(1e6 * of.median)} ({report.digits(1e6 * of.minimum)})" for of in times.values()),
        f"{lead:.2f}" if lead else "",
        report.digits(gflops),
        f"{gflops / peak.gflops:.0%}" if peak else "",
    ]


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    parser = report.parser(__doc__, list(PEERS))
    parser.add_argument("--threads", help="numbers of threads, default 1,2, or as many as there are cores")
    parser.add_argument("--configurations", help=f"default all: {','.join(CONFIGURATIONS)}")
    options = report.options(parser)
    names = report.chosen(parser, "--configurations", options.configurations, list(CONFIGURATIONS))
    configurations = [CONFIGURATIONS[name] for name in names]
    possible = [str(number) for number in range(1, len(machine.cores()) + 1)]
    usual = ",".join(possible[: 1 if options.quick else 2])
    threads = [int(number) for number in report.chosen(parser, "--threads", options.threads or usual, possible)]
    if options.quick:
        configurations = [replace(configuration, batches=2) for configuration in configurations]
    found = [measure(configurations, options.peers, number, options.rounds, options.seconds) for number in threads]
    text = "\n\n".join(text for text, _ in found)
    report.write(options.output, "steps", "Steps", text, [entry for _, data in found for entry in data])


if __name__ == "__main__":
    main()
