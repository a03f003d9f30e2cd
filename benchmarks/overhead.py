"""What a call from Python costs: one sample predicted; a layer of one unit beside a function that does nothing."""

import importlib.util
import subprocess
import sysconfig
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import machine
import mlpcore
import report
from configurations import CONFIGURATIONS, Configuration
from peers import PEERS
from timing import Contest
from worker import Job

SHORT_TURNS = 20  # a call's share of a round: a machine that is slow for a moment is so for all of them
NETWORKS = ("xor", "digits", "mnist", "wide")


def nothing() -> Callable[..., None]:
    """Compile empty.c and return its function."""
    with TemporaryDirectory() as folder:
        library = Path(folder) / f"empty{sysconfig.get_config_var('EXT_SUFFIX')}"
        source, headers = machine.HERE / "empty.c", sysconfig.get_path("include")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-I", headers, source, "-o", library], check=True)
        spec = importlib.util.spec_from_file_location("empty", library)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.nothing  # type: ignore[no-any-return]


def calls(rounds: int, seconds: float) -> dict[str, float]:
    """Return the seconds of calls that take the arguments of dense_forward."""
    x = w = np.ones((1, 1), np.float32)
    b, z = np.ones(1, np.float32), np.empty((1, 1), np.float32)
    names: dict[str, Any] = {"nothing": nothing(), "dense_forward": mlpcore.kernels.dense_forward}
    names |= {"x": x, "w": w, "b": b, "z": z}
    timed = {
        call: timeit.Timer(call, globals=names)
        for call in (
            "nothing(x, w, b, out=z)",
            "dense_forward(x, w, b, out=z)",
            "nothing(x, w, b)",
            "dense_forward(x, w, b)",
        )
    }
    number = max(1, round(seconds / SHORT_TURNS / 200e-9))
    least = dict.fromkeys(timed, float("inf"))
    for _ in range(rounds * SHORT_TURNS):
        for call, timer in timed.items():
            least[call] = min(least[call], timer.timeit(number) / number)
    return least


def predictions(peers: Sequence[str], rounds: int, seconds: float) -> tuple[str, Any]:
    """Return a table of the seconds to predict one sample, and the numbers in it."""
    rows, data = [], []
    with Contest(peers, machine.cores(1)) as contest:
        for name in NETWORKS:
            configuration = Configuration(name, CONFIGURATIONS[name].sizes, batch=1)
            times = contest.measure(Job("predict", configuration, seconds), rounds)
            lead = report.lead(times)
            rows.append(
                [
                    "-".join(map(str, configuration.sizes)),
                    *(report.digits(1e6 * of.median) for of in times.values()),
                    f"{lead:.1f}" if lead else "",
                ]
            )
            data.append({"network": name, "seconds": {name: of._asdict() for name, of in times.items()}})
    return report.table(["network", *report.labels(peers), "best other / mlpcore"], rows), data


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    options = report.options(report.parser(__doc__, list(PEERS)))
    table, data = predictions(options.peers, options.rounds, options.seconds)
    nanoseconds = {call: 1e9 * seconds for call, seconds in calls(options.rounds, options.seconds).items()}
    text = f"## One sample predicted, in microseconds, median of {options.rounds} rounds\n\n{table}\n\n"
    text += f"## Arrays of one number, in nanoseconds, minimum of {options.rounds} rounds\n\n"
    text += report.table(["call", "ns"], [[f"`{call}`", f"{ns:.0f}"] for call, ns in nanoseconds.items()])
    report.write(options.output, "overhead", "Overhead", text, {"predict": data, "call_nanoseconds": nanoseconds})


if __name__ == "__main__":
    main()
