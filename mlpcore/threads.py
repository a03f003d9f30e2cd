"""The number of threads that mlpcore computes with.

When mlpcore is imported it takes as many as the environment variable ``MLPCORE_NUM_THREADS`` says, or else as many as
there are cores that this process may use, but no more than ``OMP_NUM_THREADS`` says: joblib sets that for its worker
processes, so that all of them together have a thread for each core. The number changes the speed and nothing else: all
give the same results, bit for bit. Small computations, which would not gain, use one thread.

``threadpoolctl.threadpool_limits`` limits and restores the number like that of any other library; our ``user_api`` is
"mlpcore".
"""

import math
import os
import re
from collections.abc import Iterator

from mlpcore._core import MAX_THREADS, get_num_threads, set_num_threads

__all__ = ["get_num_threads", "set_num_threads"]


def _usable_cores() -> int:
    """Return how many cores this process may use: its CPU affinity, limited by its CPU quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAX_THREADS, *map(math.ceil, _quotas("/"))))


def _quotas(root: str | os.PathLike[str]) -> Iterator[float]:
    """Yield the limits, in cores, that Linux's control groups set to this process: its own group's and its parents'.

    What cannot be read, or says no number, is no limit: nothing about a container may keep mlpcore from being imported.
    """
    try:
        groups = os.fsdecode(_content(root, "proc/self/cgroup")).splitlines()
    except OSError:
        return
    for line in groups:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not group.startswith("/"):
            continue
        if controllers == "":  # version 2
            tree, files = "sys/fs/cgroup", ["cpu.max"]
        elif "cpu" in controllers.split(","):  # version 1
            tree, files = "sys/fs/cgroup/cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        parts = [part for part in group.split("/") if part]
        for depth in range(len(parts) + 1):
            try:
                numbers = b" ".join(_content(root, tree, *parts[:depth], file) for file in files)
                quota, period = map(int, numbers.split())
                cores = quota / period
            except (OSError, ValueError, ArithmeticError):  # "max", or a group named as the host of a container sees it
                continue
            if cores > 0:  # -1 in version 1: no limit
                yield cores


def _content(*parts: str | os.PathLike[str]) -> bytes:
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def _openmp_threads() -> int:
    """Return how many threads a library of OpenMP would have; MAX_THREADS if nothing, or no number, is said."""
    outermost = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(outermost) or MAX_THREADS if re.fullmatch("[0-9]{1,4}", outermost) else MAX_THREADS


def _obey_environment() -> None:
    """Set the number that MLPCORE_NUM_THREADS says, or the cores; ImportError if it says anything else."""
    text = os.environ.get("MLPCORE_NUM_THREADS")
    if not text:
        set_num_threads(min(_usable_cores(), _openmp_threads()))
        return
    try:
        if not (text.isascii() and text.isdigit()):  # int() would take "1_0", " 3 ", "+3" and digits of any script
            raise ValueError
        set_num_threads(int(text))
    except ValueError:
        expected = f"an integer from 1 to {MAX_THREADS}"
        raise ImportError(f"the environment variable MLPCORE_NUM_THREADS is {text!r}, expected {expected}") from None


def _register_with_threadpoolctl() -> None:
    """Make threadpoolctl, where it is installed, find the functions that our shared object exports for it.

    threadpoolctl is imported for that (2 ms): if it is imported later, there is no other way to register.
    """
    try:
        from threadpoolctl import LibController, register
    except ImportError:
        return

    class Controller(LibController):  # type: ignore[misc]
        user_api = internal_api = "mlpcore"
        filename_prefixes = ("_core",)
        check_symbols = ("mlp_get_num_threads", "mlp_set_num_threads")

        def get_num_threads(self) -> int:
            return int(self.dynlib.mlp_get_num_threads())

        def set_num_threads(self, num_threads: int) -> None:
            self.dynlib.mlp_set_num_threads(num_threads)

        def get_version(self) -> None:
            """Return nothing: the version is that of the package."""

    register(Controller)


_obey_environment()
_register_with_threadpoolctl()
