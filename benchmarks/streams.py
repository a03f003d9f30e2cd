"""What an iterable of batches costs: an epoch on a list of batches of 256 rows, beside the same rows as arrays."""

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import machine
import mlpcore
import report

BATCH, BATCHES = 256, 40
NETWORKS = ([64, 32, 10], [20, 64, 64, 2], [784, 128, 10], [100, 256, 256, 10], [784, 512, 10])
ARRAYS = {"shuffled": True, "in order": False}  # a batch of rows in order is not copied


def epoch(sizes: list[int], X: Any, y: Any = None, **options: Any) -> Callable[[], float]:
    """Return a function that trains a network for one more epoch and returns how long that took."""
    hidden = [mlpcore.Dense(units, "relu") for units in sizes[1:-1]]
    model = mlpcore.Sequential([*hidden, mlpcore.Dense(sizes[-1], "softmax")], seed=0)
    adam = mlpcore.Adam()

    def timed() -> float:
        begin = time.perf_counter()
        model.fit(X, y, loss="cce", optimizer=adam, progress=False, **options)
        return time.perf_counter() - begin

    return timed


def measure(sizes: list[int], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of an epoch in each round, by the kind of data."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(BATCH * BATCHES, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], len(X))
    batches = [(X[k : k + BATCH], y[k : k + BATCH]) for k in range(0, len(X), BATCH)]
    epochs = {"batches": epoch(sizes, batches)}
    epochs |= {name: epoch(sizes, X, y, batch_size=BATCH, shuffle=shuffle) for name, shuffle in ARRAYS.items()}
    turns: dict[str, list[float]] = {name: [] for name in epochs}
    for turn in range(rounds + 1):
        for name, timed in epochs.items():
            seconds = timed()
            if turn > 0:  # the first allocates
                turns[name].append(seconds)
    return turns


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, ["mlpcore"]))
    rounds = options.rounds if options.quick else 10 * options.rounds
    os.sched_setaffinity(0, machine.cores(1))
    mlpcore.set_num_threads(1)
    rows, data = [], []
    for sizes in NETWORKS[:1] if options.quick else NETWORKS:
        turns = measure(sizes, rounds)
        ratios = {name: median(a / b for a, b in zip(turns["batches"], turns[name], strict=True)) for name in ARRAYS}
        step = median(turns["shuffled"]) / BATCHES
        rows.append(["-".join(map(str, sizes)), report.digits(1e6 * step), *(f"{r:.2f}" for r in ratios.values())])
        data.append({"sizes": sizes, "step": step, "ratios": ratios})
    header = ["network", "step, us", *(f"batches / arrays {name}" for name in ARRAYS)]
    text = f"mlpcore, Adam, batches of {BATCH}, one thread, medians of {rounds} rounds.\n\n"
    report.write(options.output, "streams", "Iterables of batches", text + report.table(header, rows), data)


if __name__ == "__main__":
    main()
