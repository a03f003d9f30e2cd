"""Kills trainings at random moments and goes on from their checkpoints: every file is whole, and the bits are the same.

    python -P tests/kills.py [HOW_MANY]

Each training is cut off by SIGKILL again and again until it comes to its end, in processes that take instruction sets
and numbers of threads in turn.
"""

import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import mlpcore

EPOCHS = 60


def train(path: Path) -> str:
    """Train, going on from the file if it is there; return the hash of all that is left."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 16))
    y = np.digitize(x @ rng.normal(size=16), [-2, 0, 2])
    layers = [mlpcore.Dense(96, "gelu"), mlpcore.BatchNorm(), mlpcore.Dropout(0.3), mlpcore.Dense(4, "softmax")]
    model = mlpcore.Sequential(layers, seed=11)
    optimizer = mlpcore.AdamW(mlpcore.Cosine(0.01), weight_decay=0.01, gradient_accumulation_steps=2)
    stopping = mlpcore.EarlyStopping(patience=EPOCHS)
    history = model.fit(
        x, y, "cce", optimizer=optimizer, epochs=EPOCHS, batch_size=64, validation_split=0.2, metrics=["log_loss"],
        callbacks=[mlpcore.Checkpoint(path), stopping], resume="auto", progress=False,
    )  # fmt: skip
    net = model._built()
    rows = np.array([history[name] for name in history])
    parts = [net.params, net.state, rows, *optimizer._state.values()]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def started(path: Path, isa: str, threads: int) -> subprocess.Popen[str]:
    environment = os.environ | {"MLPCORE_ISA": isa, "MLPCORE_NUM_THREADS": str(threads)}
    command = [sys.executable, "-P", __file__, "--train", str(path)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def main(kills: int) -> int:
    """Kill so many trainings, and say what came out."""
    sets = mlpcore.cpu.info()["available"][:2]  # the two fastest
    ways = itertools.cycle((isa, threads) for threads in (1, 2, 3) for isa in sets)
    random.seed(1)
    killed, ended, torn, other = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        expected = train(Path(folder) / "whole")
        whole = time.perf_counter() - began
        path = Path(folder) / "cut"
        while killed < kills:
            process = started(path, *next(ways))
            try:
                answer, _ = process.communicate(timeout=random.uniform(0, 1) * whole + 0.2)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed += 1
                if path.exists():
                    try:
                        mlpcore.Sequential.load(path)
                    except ValueError as error:
                        torn += 1
                        print(error)
                continue
            ended += 1
            other += answer.strip() != expected
            path.unlink()
    print(f"{killed} kills: {torn} files were not whole; {ended} trainings came to their end, {other} with other bits")
    return int(torn + other > 0 or ended == 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        print(train(Path(sys.argv[2])))
    else:
        sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 200))
