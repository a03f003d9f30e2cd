"""What the parts of the catalogue cost: each activation beside ReLU, and a regularized network beside PyTorch's."""

from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from typing import Any

import machine
import mlpcore
import report
from configurations import CONFIGURATIONS
from timing import Contest, Times
from worker import Job, Worker

NETWORK = "mnist-512"
REGULARIZED = ("mnist", "mnist-512", "deep")


def elementwise() -> list[str]:
    """Return the names of the activations that take each unit by itself."""
    names = mlpcore.catalogue.names("activations")
    return [name for name in names if "per_row" not in mlpcore.catalogue.entry("activations", name).traits]


def activations(named: list[str], rounds: int, seconds: float) -> dict[str, tuple[Times, float]]:
    """Return the times of a step with each activation in the hidden layer, and the median of its rounds over ReLU's."""
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker("mlpcore", machine.cores(1))) for name in named}
        for name, worker in workers.items():
            worker.prepare(Job("train", replace(CONFIGURATIONS[NETWORK], activation=name), seconds))
        turns: dict[str, list[float]] = {name: [] for name in named}
        for _ in range(rounds):
            for name, worker in workers.items():
                turns[name].append(worker.run())
    return {
        name: (Times(median(own), min(own)), median(a / b for a, b in zip(own, turns["relu"], strict=True)))
        for name, own in turns.items()
    }


def regularized(peers: list[str], rounds: int, seconds: float) -> dict[str, dict[str, Times]]:
    """Return the times of a step with batch normalization, dropout and decoupled weight decay."""
    with Contest(peers, machine.cores(1)) as contest:
        return {
            name: contest.measure(Job("train", replace(CONFIGURATIONS[name], regularized=True), seconds), rounds)
            for name in REGULARIZED
        }


def microseconds(times: Times) -> str:
    """Return a cell: the median and, in brackets, the minimum."""
    return f"{report.digits(1e6 * times.median)} ({report.digits(1e6 * times.minimum)})"


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, ["mlpcore", "torch"]))
    named = ["relu", "mish", "hard_swish"] if options.quick else elementwise()
    by_activation = activations(named, options.rounds, options.seconds)
    by_network = regularized(options.peers, options.rounds, options.seconds)
    lead = {name: report.lead(times) for name, times in by_network.items()}
    text = f"Median (minimum) of {options.rounds} rounds, in microseconds, one thread."
    text += f"\n\n## A hidden activation: {CONFIGURATIONS[NETWORK]}, Adam\n\n"
    text += report.table(
        ["activation", "step", "of the step with ReLU"],
        [[name, microseconds(times), f"{ratio:.2f}"] for name, (times, ratio) in by_activation.items()],
    )
    text += "\n\n## Batch normalization, dropout 0.2 and AdamW\n\n"
    text += report.table(
        ["network, batch", *report.labels(options.peers), "PyTorch / mlpcore"],
        [
            [str(CONFIGURATIONS[name]), *map(microseconds, times.values()), f"{lead[name] or 0:.2f}"]
            for name, times in by_network.items()
        ],
    )
    data: dict[str, Any] = {
        "activations": {
            name: {"seconds": times._asdict(), "of_relu": ratio} for name, (times, ratio) in by_activation.items()
        },
        "regularized": {name: {peer: of._asdict() for peer, of in times.items()} for name, times in by_network.items()},
    }
    report.write(options.output, "parts", "What the parts cost", text, data)


if __name__ == "__main__":
    main()
