"""How fast a build is beside an older one of the same library: no change of the code may cost speed.

`make bench-builds OLD=COMMIT` builds a commit into build/old and compares the checkout's own build with it.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import machine
import report
from configurations import CONFIGURATIONS, Configuration
from steps import OPTIMIZERS
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


def measure(old: Worker, new: Worker, job: Job, rounds: int) -> tuple[Times, Times, float]:
    """Let both take a turn each round, the first of which alternates.

    Returns
    -------
    before, after : Times
    ratio : float
        Median over the rounds of the old build's time as a multiple of the new one's: above 1, the new one is faster.
    """
    for worker in (old, new):
        worker.prepare(job)
    before: list[float] = []
    after: list[float] = []
    for turn in range(rounds):
        order = ((old, before), (new, after)) if turn % 2 else ((new, after), (old, before))
        for worker, seconds in order:
            seconds.append(worker.run())
    ratio = median(one / other for one, other in zip(before, after, strict=True))
    return Times(median(before), min(before)), Times(median(after), min(after)), ratio


def compared(configurations: Sequence[Configuration], old: Path, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Return what was measured of each configuration, on one core."""
    cores = machine.cores(1)
    found = []
    with Worker("mlpcore", cores, old) as before, Worker("mlpcore", cores) as after:
        for of in configurations:
            for action in ("train", "predict"):
                one, other, ratio = measure(before, after, Job(action, of, seconds), rounds)
                found.append(
                    {
                        "action": action,
                        "configuration": f"{of}, {OPTIMIZERS[of.optimizer]}" if action == "train" else str(of),
                        "old": one._asdict(),
                        "new": other._asdict(),
                        "ratio": ratio,
                        "ratio_of_minima": one.minimum / other.minimum,
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
    text = f"Median of {options.rounds} rounds on one core; above 1 the new build is faster."
    report.write(options.output, "builds", "Old and new build", f"{text}\n\n{report.table(header, rows)}", found)


if __name__ == "__main__":
    main()
