"""How fast a build is beside an older one of the same library: no change of the code may cost speed.

`make bench-builds OLD=COMMIT` builds a commit into build/old and compares the checkout's own build with it.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import machine
import report
from configurations import CONFIGURATIONS, OPTIMIZERS, Configuration, without_twins
from timing import Times
from worker import Job, Worker

SMALL = [
    Configuration("xor-one", (2, 4, 1), 1, "sgd"),
    Configuration("xor-adam", (2, 4, 1), 4, "adam"),
    Configuration("digits-one", (64, 32, 10), 1, "sgd"),
    Configuration("digits-adam", (64, 32, 10), 32, "adam"),
    Configuration("mnist-sgd", (784, 128, 10), 64, "sgd"),
    Configuration("odd", (33, 17, 5), 17, "adam"),
    Configuration("deep-small", (32,) * 9 + (10,), 32, "adam"),
]

STARTS = 3  # pairs of processes: where a process's memory happens to lie decides several percent


def measure(old: Path, job: Job, rounds: int) -> tuple[Times, Times, float]:
    """Let a process of each build take a turn each round, the first of which alternates; do so with several pairs.

    Returns
    -------
    before, after : Times
    ratio : float
        Median over all rounds of the old build's time as a multiple of the new one's: above 1, the new one is faster.
    """
    cores = machine.cores(1)
    before: list[float] = []
    after: list[float] = []
    for _ in range(STARTS):
        with Worker("mlpcore", cores, old) as one, Worker("mlpcore", cores) as other:
            one.prepare(job)
            other.prepare(job)
            for turn in range(-(-rounds // STARTS)):
                order = ((one, before), (other, after)) if turn % 2 else ((other, after), (one, before))
                for worker, seconds in order:
                    seconds.append(worker.run())
    ratio = median(one / other for one, other in zip(before, after, strict=True))
    return Times(median(before), min(before)), Times(median(after), min(after)), ratio


def compared(configurations: Sequence[Configuration], old: Path, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Return what was measured of each configuration, on one core."""
    found = []
    measured = {"train": configurations, "predict": without_twins(configurations)}
    for action, those in measured.items():
        for of in those:
            before, after, ratio = measure(old, Job(action, of, seconds), rounds)
            found.append(
                {
                    "action": action,
                    "configuration": f"{of}, {OPTIMIZERS[of.optimizer]}" if action == "train" else str(of),
                    "old": before._asdict(),
                    "new": after._asdict(),
                    "ratio": ratio,
                    "ratio_of_minima": before.minimum / after.minimum,
                }
            )
    return found


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    parser = report.parser(__doc__, ["mlpcore"])
    parser.add_argument("old", type=Path, help="folder that holds the older package mlpcore")
    parser.add_argument("--configurations", help="default all")
    options = report.options(parser)
    known = CONFIGURATIONS | {of.name: of for of in SMALL}
    names = report.chosen(parser, "--configurations", options.configurations, list(known))
    if not (options.old / "mlpcore").is_dir():
        parser.error(f"{options.old} has no folder mlpcore")
    found = compared([known[name] for name in names], options.old.resolve(), options.rounds, options.seconds)
    header = ["network, batch, optimizer", "", "old us", "new us", "old / new", "of minima"]
    rows = [
        [
            entry["configuration"],
            entry["action"],
            report.digits(1e6 * entry["old"]["median"]),
            report.digits(1e6 * entry["new"]["median"]),
            f"{entry['ratio']:.3f}",
            f"{entry['ratio_of_minima']:.3f}",
        ]
        for entry in found
    ]
    text = f"Median of {options.rounds} rounds or a few more, by {STARTS} pairs of processes on one core; "
    text += "above 1 the new build is faster."
    report.write(options.output, "builds", "Old and new build", f"{text}\n\n{report.table(header, rows)}", found)


if __name__ == "__main__":
    main()
