"""dense_forward and dense_backward alone, beside NumPy's and PyTorch's matrix products over many sizes."""

from collections.abc import Sequence
from typing import Any

import machine
import report
from configurations import Configuration
from timing import Contest
from worker import Job

SIZES = (  # samples, inputs, outputs
    *((n, n, n) for n in (4, 8, 16, 17, 32, 33, 64, 100, 128, 256, 512, 1000, 1024)),
    *((1, 784, 128), (1, 1024, 1024), (32, 64, 32), (64, 784, 128), (128, 784, 512), (256, 784, 1024)),
    *((128, 256, 256), (64, 128, 10), (256, 1024, 10), (1024, 4, 64), (17, 33, 100), (1000, 100, 33)),
)
TITLES = {
    "forward": "dense_forward: z = x wᵀ + b",
    "backward": "dense_backward: phi w, phiᵀ x, and the sum of phi",
}


def measure(peers: Sequence[str], sizes: Sequence[tuple[int, ...]], rounds: int, seconds: float) -> tuple[str, Any]:
    """Return the tables, and the numbers in them."""
    cores = machine.cores(1)
    peak = machine.peak(cores, "float32")
    layers = [Configuration("layer", (inputs, outputs), n, batches=1) for n, inputs, outputs in sizes]
    header = ["samples x inputs x outputs", *report.labels(peers), "best other / mlpcore", "of peak"]
    text = f"GFLOP/s in float32 on one core, median of {rounds} rounds. Peak: {peak or 'not measured'}."
    data = []
    with Contest(peers, cores) as contest:
        for action, title in TITLES.items():
            rows = []
            for size, layer in zip(sizes, layers, strict=True):
                times = contest.measure(Job(action, layer, seconds), rounds)
                gflops = {name: 1e-9 * layer.flop(action) / of.median for name, of in times.items()}
                lead = report.lead(times)
                rows.append(
                    [
                        " x ".join(map(str, size)),
                        *map(report.digits, gflops.values()),
                        f"{lead:.2f}" if lead else "",
                        f"{gflops['mlpcore'] / peak.gflops:.0%}" if peak else "",
                    ]
                )
                data.append({"action": action, "size": size, "gflops": gflops})
            text += f"\n\n## {title}\n\n{report.table(header, rows)}"
    return text, data


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, ["mlpcore", "numpy", "torch"]))
    sizes = [size for size in SIZES if not options.quick or max(size) <= 256]
    text, data = measure(options.peers, sizes, options.rounds, options.seconds)
    report.write(options.output, "products", "Products", text, data)


if __name__ == "__main__":
    main()
