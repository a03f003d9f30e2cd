"""What a library takes besides time to compute: time to import, memory to train, room on the disk."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import machine
import mlpcore._core
import report
from configurations import CONFIGURATIONS
from peers import PEERS
from worker import Job, Worker

NETWORK = "wide"
MODULES = {"mlpcore": "mlpcore", "torch": "torch", "jax": "jax.numpy", "sklearn": "sklearn.neural_network"}
IMPORT = "import numpy, time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def import_seconds(module: str, rounds: int) -> float:
    """Return the median of the seconds to import a module into processes that have NumPy already."""
    command = [sys.executable, "-P", "-c", IMPORT.format(module)]  # -P: the one installed, wherever this runs
    turns = [subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout for _ in range(rounds)]
    return median(map(float, turns))


def training_bytes(peer: str) -> tuple[int, int]:
    """Return the most memory that a process holds after importing a peer, and after training with it."""
    with Worker(peer, machine.cores(1)) as worker:
        worker.prepare(Job("train", CONFIGURATIONS["xor"], seconds=0))
        imported = worker.peak_memory()
        worker.prepare(Job("train", CONFIGURATIONS[NETWORK], seconds=0))
        return imported, worker.peak_memory()


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, list(PEERS)))
    rows: list[list[str]] = []
    data: dict[str, Any] = {}
    for name in options.peers:
        seconds = import_seconds(MODULES[name], options.rounds) if name in MODULES else None
        before, after = training_bytes(name)
        rows.append(
            [
                PEERS[name].label,
                f"{1e3 * seconds:,.1f}" if seconds is not None else "",
                f"{before / 2**20:,.0f}",
                f"{(after - before) / 2**20:,.0f}",
            ]
        )
        data[name] = {"import_seconds": seconds, "imported_bytes": before, "training_bytes": after - before}
    size = Path(mlpcore._core.__file__).stat().st_size
    network = CONFIGURATIONS[NETWORK]
    text = report.table(["", "import on top of NumPy, ms", "memory imported, MiB", "more while training, MiB"], rows)
    text += (
        f"\n\nMemory: the peak of a process that trains 2-4-1, and how much higher it gets by training {network}, "
        f"{network.parameters:,} parameters and the data.\n\nmlpcore's extension module: {size / 2**20:.2f} MiB."
    )
    report.write(options.output, "footprint", "Footprint", text, {"peers": data, "extension_bytes": size})


if __name__ == "__main__":
    main()
