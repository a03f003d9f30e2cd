"""Trains on a mapped file larger than the memory that the training takes, and compares its speed with that of an array.

    python -P tests/mapped.py GIGABYTES [FOLDER]

The file is made in FOLDER, by default that of temporary files, and removed at the end. What is compared is the least of
several times, taken in turn, of the whole `fit`, its look at every number included: the processor's time, since others
may use the machine too, on one thread. The time on the clock is printed beside it.
"""

import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import mlpcore

COLUMNS, BATCH = 784, 64
MOST_MEGABYTES, LEAST_SPEED = 500, 0.8
COMPARED_BYTES = 2**28


def make(path: Path, gigabytes: float) -> None:
    """Write a file of random numbers, a block of them over and over."""
    rows = int(gigabytes * 2**30) // (4 * COLUMNS)
    block = np.random.default_rng(0).normal(size=(4096, COLUMNS)).astype(np.float32)
    file = np.lib.format.open_memmap(path, "w+", np.float32, (rows, COLUMNS))
    for begin in range(0, rows, len(block)):
        file[begin : begin + len(block)] = block[: rows - begin]
    file.flush()


def resident() -> int:
    """Return how much of this process is in memory, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Watch(threading.Thread):
    """Look at the process's memory all the time until `over`; `peak` is the most that was seen."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.over = 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.01):
            self.peak = max(self.peak, resident())


def fit(x: np.ndarray, shuffle: bool = True, epochs: int = 1) -> tuple[float, float, np.ndarray]:
    """Train; return the seconds of the processor and of the clock, and the weights."""
    layers = [mlpcore.Dense(128, "relu"), mlpcore.Dense(10, "softmax")]
    model = mlpcore.Sequential(layers, seed=1)
    y = np.arange(len(x)) % 10
    begin = time.process_time(), time.perf_counter()
    model.fit(x, y, "cce", batch_size=BATCH, epochs=epochs, shuffle=shuffle, progress=False)
    return time.process_time() - begin[0], time.perf_counter() - begin[1], model.layers[0].w


def main() -> None:
    gigabytes = float(sys.argv[1])
    mlpcore.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        path = Path(folder) / "x.npy"
        make(path, gigabytes)
        watch = Watch()
        watch.start()
        mapped = np.load(path, mmap_mode="r")
        processor, clock, _ = fit(mapped)
        watch.over.set()
        peak = watch.peak / 2**20
        print(f"{gigabytes:g} GB: {processor:.1f} s of the processor, {clock:.1f} s, {peak:.0f} MB at most", flush=True)
        assert peak <= MOST_MEGABYTES, peak
        part = mapped[: COMPARED_BYTES // (4 * COLUMNS)]
        array = np.array(part)
        for shuffle in (True, False):
            runs = [(fit(part, shuffle, 3), fit(array, shuffle, 3)) for _ in range(5)]
            by_processor, by_clock = (min(b[i] for _, b in runs) / min(a[i] for a, _ in runs) for i in (0, 1))
            print(
                f"shuffle={shuffle}: {by_processor:.0%} of the speed of an array ({by_clock:.0%} by the clock)",
                flush=True,
            )
            if not shuffle:
                np.testing.assert_array_equal(runs[0][0][2], runs[0][1][2])
            assert by_processor >= LEAST_SPEED, by_processor


if __name__ == "__main__":
    main()
