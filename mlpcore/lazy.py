"""What holds a fork back while a call imports a module or draws a progress bar.

A child that another thread forks in the middle of an import finds the module locked for ever. What mlpcore needs is
therefore imported with mlpcore, except for what costs more than it: that waits for its first use, and a fork waits for
it. So does standard error: a child that is forked in the middle of a write finds it locked.
"""

import logging  # noqa: F401  before we register: see below
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["no_fork", "random_generator"]

no_fork = threading.RLock()
"""Held by every import inside a call and every write to a bar, ``with no_fork:``, and by every fork."""

# Python runs these before a fork in the reverse order of their registration. Ours must come before those of every lock
# that an import of ours takes, or each of two threads would wait for what the other holds; that lock is logging's.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=no_fork.release)


def random_generator(seed: int | list[int]) -> "Generator":
    """Return NumPy's generator, whose module NumPy itself imports only when it is asked for."""
    with no_fork:
        from numpy.random import default_rng
    return default_rng(seed)
