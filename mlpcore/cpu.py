"""Which instructions mlpcore computes with.

The kernels exist once for each instruction set. When mlpcore is imported it takes the fastest set that the machine has,
or the one that the environment variable ``MLPCORE_ISA`` names. The choice changes the speed and nothing else: all give
the same results, bit for bit.
"""

import os
from typing import TypedDict

from mlpcore._core import cpu_features, current_isa, get_num_threads, isa_names, use_isa

__all__ = ["Info", "info"]


class Info(TypedDict):
    """What `info` returns."""

    available: list[str]
    """The kernels that this machine can run, the fastest first."""
    current: str
    """The kernels in use."""
    features: list[str]
    """The features of this processor that kernels use."""
    threads: int
    """How many threads compute; see `mlpcore.set_num_threads`."""


def info() -> Info:
    """Return which kernels this machine can run and which are in use.

    Returns
    -------
    Info
        A dict with keys "available", "current", "features" and "threads".

    Examples
    --------
    >>> import mlpcore
    >>> "reference" in mlpcore.cpu.info()["available"]
    True
    """
    return {
        "available": isa_names(),
        "current": current_isa(),
        "features": cpu_features(),
        "threads": get_num_threads(),
    }


def _obey_environment() -> None:
    """Select the kernels that MLPCORE_ISA names; ImportError if they are not available."""
    name = os.environ.get("MLPCORE_ISA")
    if not name:
        return
    if name not in isa_names():  # asked here: bytes that are no UTF-8 cannot be handed to C
        raise ImportError(f"the environment variable MLPCORE_ISA is {name!r}, expected one of {isa_names()}")
    use_isa(name)


_obey_environment()
