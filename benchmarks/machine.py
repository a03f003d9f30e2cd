"""The machine that is measured: its name, its cores, its peak."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import mlpcore
from peers import PEERS

HERE = Path(__file__).parent
LOAD = os.getloadavg()[0]  # before the benchmark adds its own


def cpu_name() -> str:
    """Return what the processor calls itself."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1].strip() if found else platform.machine()


def slug() -> str:
    """Return the processor's name as the name of a folder."""
    plain = re.sub(r"\((R|TM|tm|r)\)", "", cpu_name())
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def cores(most: int | None = None) -> list[int]:
    """Choose cores to bind threads to: `most`, fewer if there are not as many, or all.

    No two of them share their arithmetic units. The last ones are chosen, since systems like to handle interrupts on
    the first.
    """
    physical: dict[str, int] = {}
    for core in sorted(os.sched_getaffinity(0)):
        siblings = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
        physical.setdefault(siblings.read_text() if siblings.exists() else str(core), core)
    chosen = list(physical.values())
    return chosen[-most:] if most else chosen


class Peak(NamedTuple):
    """What cores reach together when they do nothing but fma.

    Attributes
    ----------
    gflops : float
        Billions of multiplications and additions a second.
    isa : str
        The widest instruction set, which they did it with.
    ghz : float
        Clock of a core while it adds integers; wide vectors may run on a slower one.
    """

    gflops: float
    isa: str
    ghz: float

    def __str__(self) -> str:
        return f"{self.gflops:.1f} GFLOP/s ({self.isa}, {self.ghz:.2f} GHz)"


def peak(cores: Sequence[int], dtype: str) -> Peak | None:
    """Measure with peak.c on all the cores at once; None, with a note, if it cannot be compiled."""
    with TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        real = f"-DMLP_REAL_BITS={8 * np.dtype(dtype).itemsize}"
        compiler: list[str | Path] = ["cc", "-std=c11", "-O3", "-march=native", real, "-I", HERE.parent / "csrc"]
        try:
            subprocess.run([*compiler, HERE / "peak.c", "-o", program], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"No peak to compare with: {error}", file=sys.stderr)
            return None
        started = [
            subprocess.Popen(["taskset", "-c", str(core), program], stdout=subprocess.PIPE, text=True) for core in cores
        ]
        printed = [process.communicate()[0].split() for process in started]
    isa, _, ghz = printed[0]
    return Peak(sum(float(gflops) for _, gflops, _ in printed), isa, float(ghz))


def description() -> dict[str, str]:
    """Return what a reader of measurements has to know, as text."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "processor": f"{cpu_name()}, {len(os.sched_getaffinity(0))} cores to use",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "mlpcore": f"{mlpcore.__version__}, {mlpcore.cpu.info()['current']}",
        "NumPy's BLAS": f"{blas['name']} {blas['version']}",
        **{
            peer.label: version(peer.distribution)
            for peer in PEERS.values()
            if peer.label != "mlpcore" and peer.is_installed()
        },
        "Python": platform.python_version(),
        "load before": f"{LOAD:.2f}",
    }
