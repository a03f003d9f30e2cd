"""Trains on a mapped file larger than the memory that the training takes, and compares its speed with that of an array.

    python -P tests/mapped.py GIGABYTES [FOLDER]

The file is made in FOLDER, by default that of temporary files, and removed at the end. The machine is shared: what is
compared is the shortest of several times, taken in turn, of the whole `fit`, its look at every number included.
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
COMPARED_BYTES = 2**29


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
    """Look at the process's memory all the time; `peak` is the most that was seen."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0

    def run(self) -> None:
        while True:
            self.peak = max(self.peak, resident())
            time.sleep(0.01)


def fit(x: np.ndarray, shuffle: bool = True) -> tuple[float, np.ndarray]:
    """Train for an epoch; return the seconds and the weights."""
    layers = [mlpcore.Dense(128, "relu"), mlpcore.Dense(10, "softmax")]
    model = mlpcore.Sequential(layers, seed=1)
    y = np.arange(len(x)) % 10
    begin = time.perf_counter()
    model.fit(x, y, "cce", batch_size=BATCH, shuffle=shuffle, progress=False)
    return time.perf_counter() - begin, model.layers[0].w


def main() -> None:
    gigabytes = float(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        path = Path(folder) / "x.npy"
        make(path, gigabytes)
        watch = Watch()
        watch.start()
        mapped = np.load(path, mmap_mode="r")
        seconds, _ = fit(mapped)
        peak = watch.peak / 2**20
        print(f"{gigabytes:g} GB: {seconds:.1f} s, {peak:.0f} MB of resident memory at most", flush=True)
        part = mapped[: COMPARED_BYTES // (4 * COLUMNS)]
        array = np.array(part)
        for shuffle in (True, False):
            times = {"mapped": [], "array": []}
            for _ in range(5):
                for name, x in (("mapped", part), ("array", array)):
                    taken, w = fit(x, shuffle)
                    times[name].append((taken, w))
            least = {name: min(taken for taken, _ in all_of) for name, all_of in times.items()}
            speed = least["array"] / least["mapped"]
            print(f"shuffle={shuffle}, {COMPARED_BYTES / 2**30:g} GB: {least}, {speed:.0%} of the speed of an array")
            if not shuffle:
                np.testing.assert_array_equal(times["mapped"][0][1], times["array"][0][1])
            assert speed >= LEAST_SPEED, speed
        assert peak <= MOST_MEGABYTES, peak


if __name__ == "__main__":
    main()
