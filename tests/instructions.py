"""Counts the instructions of `fit` under Valgrind, with and without a trace before it: `make test-callgrind`.

Looking at a step is paid by the look alone: the engine has no code for it. What is counted is everything between the
call of the C function that trains and its return, in a process that has trained before: whatever is done once in a
process would otherwise be in one of the counts only.
"""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import mlpcore

ENGINE = "mlp_net_train"
LOOKS = ("nothing", "import", "trace", "steps")


def train(look: str) -> None:
    fit(*parts())
    model, optimizer, X, y = parts()
    if look != "nothing":
        importlib.import_module("mlpcore.trace")
    if look == "trace":
        model.trace(X, y, "cce", optimizer=optimizer, training=True)._repr_mimebundle_()
    if look == "steps":
        for step in model.steps(X[0], y[0], "cce", optimizer=optimizer):
            str(step)
    fit(model, optimizer, X, y)
    print("weights", hashlib.sha256(model._built().params.tobytes()).hexdigest())


def fit(model, optimizer, X, y):
    model.fit(X, y, "cce", optimizer=optimizer, epochs=5, batch_size=16, progress=False)


def parts():
    layers = [mlpcore.Dense(8, "relu"), mlpcore.Dropout(0.3), mlpcore.BatchNorm(), mlpcore.Dense(3, "softmax")]
    rng = np.random.default_rng(0)
    model = mlpcore.Sequential(layers, input_size=4, seed=1)
    return model, mlpcore.Adam(0.01), rng.normal(size=(64, 4)), rng.integers(0, 3, 64)


def counted(look: str, folder: Path) -> tuple[int, str]:
    """The number of instructions that both trainings took, and the weights."""
    command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={ENGINE}"]
    command += [f"--callgrind-out-file={folder / look}", sys.executable, "-P", __file__, look]
    environment = os.environ | {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    instructions = re.search(r"Collected : (\d+)", ran.stderr)
    assert ran.returncode == 0, ran.stderr
    assert instructions is not None, ran.stderr
    return int(instructions[1]), re.search(r"weights (\w+)", ran.stdout)[1]


def main() -> None:
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        found = {look: counted(look, Path(folder)) for look in LOOKS}
    for look, (instructions, weights) in found.items():
        print(f"before fit {look:<8} {instructions:>10,} instructions in {ENGINE}, weights {weights[:12]}")
    sys.exit(len(set(found.values())) > 1 or found["nothing"][0] < 100_000)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(sys.argv[1])
    else:
        main()
