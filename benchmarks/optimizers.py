"""One step of every optimizer on many weights, beside a plain pass over as much memory, on one core.

A step reads the weights, their gradient and the states, and writes all but the gradient. The plain pass is NumPy's
``np.add(w, grad, out=w)``, which reads two arrays and writes one: its time an array, times the arrays of the step, is
what the step's memory alone would take.
"""

import os
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import machine
import report
from mlpcore import catalogue, kernels, set_num_threads

WEIGHTS, FEW_WEIGHTS = 10_000_000, 100_000
SETTINGS: dict[str, Sequence[dict[str, Any]]] = {
    "sgd": ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ({}, {"momentum": 0.9, "centered": True}),
}
"""What is timed beside the default values."""
OF_PASS = 3  # arrays that the plain pass reads or writes


class Case(NamedTuple):
    """A step that is timed: how it is called, and how many arrays it reads or writes."""

    label: str
    step: Callable[[], None]
    arrays: int


def cases(n: int) -> list[Case]:
    """Return a case for every optimizer, on float32 weights that are small random numbers."""
    rng = np.random.default_rng(0)
    w, grad = (rng.standard_normal(n, np.float32) for _ in range(2))
    found = []
    for name, row in catalogue.FAMILIES["optimizers"].items():
        for settings in SETTINGS.get(name, ({},)):
            needed = [only_if is None or bool(settings.get(only_if)) for only_if in row.states_if]
            states = [np.full(n, 1e-3, np.float32) if each else None for each in needed]
            options: dict[str, Any] = settings | ({"t": 10} if "counts_steps" in row.traits else {})
            call = getattr(kernels, f"{name}_step")
            label = f"{row.class_name}({', '.join(f'{key}={value}' for key, value in settings.items())})"
            found.append(Case(label, _bound(call, w, grad, states, options), 3 + 2 * sum(needed)))
    return found


def _bound(call: Callable[..., None], w: Any, grad: Any, states: Any, options: dict[str, Any]) -> Callable[[], None]:
    return lambda: call(w, grad, *states, **options)


def plain_pass(n: int) -> Callable[[], None]:
    """Return NumPy's sum of two arrays, in place of the first."""
    a, b = np.ones(n, np.float32), np.full(n, 1e-9, np.float32)
    return lambda: _nothing(np.add(a, b, out=a))


def _nothing(result: Any) -> None:
    """Forget a result."""


def seconds_of(call: Callable[[], None]) -> float:
    """Return how long one call takes."""
    begin = perf_counter()
    call()
    return perf_counter() - begin


def measure(n: int, rounds: int) -> tuple[str, Any]:
    """Return the table, and the numbers in it. Step and plain pass take turns, so that both are disturbed alike."""
    plain, rows, data = plain_pass(n), [], []
    for label, step, arrays in cases(n):
        step()
        plain()
        turns = [(seconds_of(plain), seconds_of(step)) for _ in range(rounds)]
        of_pass, of_step = (median(times) for times in zip(*turns, strict=True))
        ratio = of_step / (of_pass * arrays / OF_PASS)
        rows.append([label, str(arrays), report.digits(1e9 * of_step / n),
                     report.digits(4e-9 * arrays * n / of_step), f"{ratio:.2f}"])  # fmt: skip
        data.append({"optimizer": label, "arrays": arrays, "seconds": of_step, "plain": of_pass, "ratio": ratio})
    header = ["optimizer", "arrays read or written", "ns / weight", "GB/s", "step / plain pass of as much memory"]
    text = f"mlpcore, {n:,} weights in float32, one core, median of {rounds} rounds; the plain pass is NumPy's.\n\n"
    return text + report.table(header, rows), data


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, ["mlpcore", "numpy"]))
    os.sched_setaffinity(0, machine.cores(1))
    set_num_threads(1)
    text, data = measure(FEW_WEIGHTS if options.quick else WEIGHTS, options.rounds)
    report.write(options.output, "optimizers", "Optimizers", text, data)


if __name__ == "__main__":
    main()
