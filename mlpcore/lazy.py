"""What holds a fork back while a call imports a module or draws a progress bar.

A child that another thread forks in the middle of an import finds the module locked for ever. What mlpcore needs is
therefore imported with mlpcore, except for what costs more than it: that waits for its first use, and a fork waits for
it. So does standard error: a child that is forked in the middle of a write finds it locked.
"""

import logging  # noqa: F401  before we register: see below
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["attributes", "no_fork", "random_generator"]

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


def attributes(package: str, *modules: str, **names: tuple[str, ...]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package that imports some of what is public in it only when it is first used.

    That is each of its `modules`, and the `names` that stand in a module of it: ``cycles=("Cosine", "CosLog")``. The
    package imports the same under ``TYPE_CHECKING``, where type checkers and editors look.
    """
    homes = {name: module for module, here in names.items() for name in here} | {module: module for module in modules}

    def look_up(name: str) -> Any:  # noqa: ANN401  a module, or a class
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with no_fork:
            home = import_module(f"{package}.{homes[name]}")
        found = home if homes[name] == name else getattr(home, name)
        setattr(sys.modules[package], name, found)  # where the next use finds it
        return found

    return look_up
