"""Starts processes by every method of Python while other threads train; each trains to the same bits.

    python forks.py COUNT

forks so many times, and once for every 40 through each of multiprocessing's methods and joblib. Exits with 1 if
one fails.
"""

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

import mlpcore
from mlpcore import _core

TIMEOUT = 60  # seconds, for what takes a few milliseconds on an idle machine


def trained() -> str:
    """Return the hash of weights that several threads have trained, each with something to do."""
    random = np.random.default_rng(1)
    model = mlpcore.Sequential([mlpcore.Dense(256, "relu"), mlpcore.Dense(10, "softmax")], seed=1)
    x = random.standard_normal((256, 256), dtype=np.float32)
    model.fit(x, random.integers(10, size=256), loss="cce", batch_size=128, progress=False)
    _core.run_chunks(64, 1000)
    return hashlib.sha256(b"".join(layer.w.tobytes() for layer in model.layers)).hexdigest()


def train_in_child(expected: str) -> None:
    """End this process: 0 if the bits are right, killed by SIGALRM if it hangs."""
    signal.alarm(TIMEOUT)
    mlpcore.set_num_threads(4)
    sys.exit(0 if trained() == expected else 1)


def fork(expected: str) -> int:
    """Fork; the child ends as a program does, with its exit handlers."""
    process = os.fork()
    if process == 0:
        train_in_child(expected)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def start(method: str, expected: str) -> int:
    """Start a process of multiprocessing."""
    process = multiprocessing.get_context(method).Process(target=train_in_child, args=(expected,))
    process.start()
    process.join()
    return process.exitcode


def joblib(expected: str) -> int:
    """Train in two processes of joblib, which keeps them, and stop them."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    hashes = Parallel(n_jobs=2, timeout=TIMEOUT)(delayed(trained)() for _ in range(4))
    get_reusable_executor().shutdown()
    return int(set(hashes) != {expected})


def repeat(stop: threading.Event, work: Callable[[], object]) -> None:
    """Work until stopped."""
    while not stop.is_set():
        work()


def main(count: int) -> int:
    """Start the processes, and say how many ended as they should."""
    warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
    mlpcore.set_num_threads(1)
    expected = trained()
    mlpcore.set_num_threads(4)
    stop = threading.Event()
    users = [
        threading.Thread(target=repeat, args=(stop, work)) for work in (trained, lambda: _core.run_chunks(16, 2000))
    ]
    for user in users:
        user.start()
    others = [partial(start, "fork"), partial(start, "spawn"), partial(start, "forkserver"), joblib]
    ways = [fork] * count + others * (count // 40)
    failed = [code for code in (way(expected) for way in ways) if code != 0]
    stop.set()
    for user in users:
        user.join()
    print(f"{len(ways)} times, failed: {failed or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
