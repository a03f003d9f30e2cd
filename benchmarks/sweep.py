"""Training steps over widths, depths and batches: a picture of how far mlpcore is ahead, a list of where it is not."""

from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import machine
import report
from configurations import Configuration
from peers import PEERS
from timing import Contest, Times
from worker import Job

WIDTHS = (4, 8, 16, 17, 32, 33, 64, 100, 128, 256, 512, 1000, 1024, 2048, 4096)
DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16)
BATCHES = (1, 2, 4, 8, 17, 32, 64, 100, 128, 256, 512, 1000, 1024, 2048, 4096)
USUAL_DEPTH, USUAL_BATCH = 3, 64
OUTPUTS = 10
QUICK = (4, 17, 64, 100)

MOST_FLOP = 1e10  # of a step: a tenth of a second or two
MOST_BYTES = 6e8  # for parameters, gradients and Adam's state, or for the activities, of one peer
FEW, MANY = 2, 20  # batches in the data
EVEN, FURTHEST = 1.0, 8.0  # on the colour scale

Point = tuple[int, int, int]  # width, depth, batch


def points(quick: bool) -> list[Point]:
    """Return the two planes that are measured: width by batch at the usual depth, width by depth at the usual batch."""
    cross = {(width, USUAL_DEPTH, batch) for width in WIDTHS for batch in BATCHES}
    cross |= {(width, depth, USUAL_BATCH) for width in WIDTHS for depth in DEPTHS}
    if quick:
        cross = {(w, d, b) for w, d, b in cross if w in QUICK and d <= USUAL_DEPTH and b in QUICK}
    return sorted(cross)


def configurations(quick: bool, dtype: str) -> Iterator[tuple[Point, Configuration]]:
    """Yield the points that stay within MOST_FLOP and MOST_BYTES."""
    size = np.dtype(dtype).itemsize
    for width, depth, batch in points(quick):
        sizes = (width,) * depth + (OUTPUTS,)
        point = Configuration("point", sizes, batch, "adam", dtype)
        flop = point.flop("train")
        activities = 4 * batch * width * depth
        if flop <= MOST_FLOP and size * max(4 * point.parameters, activities) <= MOST_BYTES:
            batches = FEW if quick or flop > MOST_FLOP / 100 else MANY
            yield (width, depth, batch), Configuration("point", sizes, batch, "adam", dtype, batches)


def measure(
    peers: Sequence[str], dtype: str, rounds: int, seconds: float, quick: bool
) -> dict[Point, dict[str, Times]]:
    """Return the times of every point."""
    with Contest(peers, machine.cores(1)) as contest:
        return {
            point: contest.measure(Job("train", configuration, seconds), rounds)
            for point, configuration in configurations(quick, dtype)
        }


def draw(times: dict[Point, dict[str, Times]], peers: Sequence[str], dtype: str) -> Figure:
    """Draw both planes for each of the others, blue where mlpcore is ahead."""
    others = [name for name in peers if name != "mlpcore"]
    figure = Figure(figsize=(9 * len(others), 13), layout="constrained")
    figure.suptitle(f"Time of a training step (Adam, {dtype}, one core) as a multiple of mlpcore's", fontsize=15)
    grid = figure.subplots(2, len(others), squeeze=False, height_ratios=(len(BATCHES), len(DEPTHS)))
    for (upper, lower), name in zip(grid.T, others, strict=True):
        ratio = {point: found[name].median / found["mlpcore"].median for point, found in times.items()}
        plane(upper, {(w, b): r for (w, d, b), r in ratio.items() if d == USUAL_DEPTH}, "batch")
        plane(lower, {(w, d): r for (w, d, b), r in ratio.items() if b == USUAL_BATCH}, "layers")
        upper.set_title(f"{PEERS[name].label}, {USUAL_DEPTH} layers", loc="left", fontweight="bold")
        lower.set_title(f"{PEERS[name].label}, batch {USUAL_BATCH}", loc="left", fontweight="bold")
    return figure


def plane(axes: Axes, ratio: dict[tuple[int, int], float], vertical: str) -> None:
    """Draw one plane: a coloured field and its number for each point."""
    columns, rows = (sorted({point[axis] for point in ratio}) for axis in (0, 1))
    field = np.array([[ratio.get((column, row), np.nan) for column in columns] for row in rows])
    scale = LogNorm(EVEN / FURTHEST, EVEN * FURTHEST, clip=True)
    axes.imshow(np.ma.masked_invalid(field), mpl.colormaps["RdBu"], scale, aspect="auto", origin="lower")
    for (j, i), value in np.ndenumerate(field):
        if not np.isnan(value):
            far = not FURTHEST**-0.7 < value < FURTHEST**0.7
            axes.text(i, j, report.digits(value), ha="center", va="center", size=8, color="white" if far else "black")
    axes.set_xticks(range(len(columns)), [str(column) for column in columns])
    axes.set_yticks(range(len(rows)), [str(row) for row in rows])
    axes.set(xlabel="width", ylabel=vertical)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def behind(times: dict[Point, dict[str, Times]], dtype: str) -> list[list[str]]:
    """Return rows for a table of the points where a peer is faster, the worst first."""
    found = [
        (own["mlpcore"].median / of.median, point, name, own["mlpcore"].median, of.median)
        for point, own in times.items()
        for name, of in own.items()
        if of.median < own["mlpcore"].median
    ]
    return [
        [
            PEERS[name].label,
            dtype,
            *map(str, point),
            report.digits(1e6 * own),
            report.digits(1e6 * other),
            f"{slower:.2f}",
        ]
        for slower, point, name, own, other in sorted(found, reverse=True)
    ]


def main() -> None:
    """Measure, print, and write report and pictures if a folder for them is given."""
    parser = report.parser(__doc__, ["mlpcore", "numpy", "torch", "jax"])
    parser.add_argument("--dtypes", help="default float32,float64")
    options = report.options(parser)
    dtypes = report.chosen(parser, "--dtypes", options.dtypes, ["float32", "float64"])
    rows: list[list[str]] = []
    data: list[dict[str, Any]] = []
    count = 0
    for dtype in dtypes:
        times = measure(options.peers, dtype, min(3, options.rounds), options.seconds / 4, options.quick)
        count += len(times)
        rows += behind(times, dtype)
        data += [
            {"dtype": dtype, "width": w, "depth": d, "batch": b, "seconds": {n: of.median for n, of in found.items()}}
            for (w, d, b), found in times.items()
        ]
        if options.output and len(options.peers) > 1:
            draw(times, options.peers, dtype).savefig(report.folder_in(options.output) / f"sweep-{dtype}.png", dpi=110)
    header = ["faster", "dtype", "width", "layers", "batch", "mlpcore us", "its us", "mlpcore / it"]
    text = f"{count} points: hidden layers of one width before {OUTPUTS} outputs, Adam, one core."
    text += f" mlpcore is behind another in {len(rows)} cases" + (f":\n\n{report.table(header, rows)}" if rows else ".")
    pictures = "".join(f"![{dtype}](sweep-{dtype}.png)\n\n" for dtype in dtypes)
    report.write(options.output, "sweep", "Sweep", pictures + text if options.output else text, data)


if __name__ == "__main__":
    main()
