"""The progress bar of `fit`. It may fail, the training may not: where a bar cannot be shown, it goes on without."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from mlpcore.lazy import no_fork

Advance = Callable[[dict[str, float]], None]
"""Shows what the unit that just ended has measured."""


@contextmanager
def progress_bar(total: int, shown: bool, unit: str = "epoch") -> Iterator[Advance | None]:
    """Show a bar over `total` units; what is yielded takes the losses of the one that just ended. Not shown: None."""
    if not shown:
        yield None
        return
    bar: Any = None
    with suppress(Exception), no_fork:
        bar = _bar_class()(total=total, unit=unit, miniters=1)

    def advance(logs: dict[str, float]) -> None:
        nonlocal bar
        if bar is None:
            return
        try:
            bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
            with no_fork:
                bar.update()
        except Exception:  # the terminal, the pipe or the notebook has gone
            bar = None

    try:
        yield advance
    finally:
        if bar is not None:
            with suppress(Exception), no_fork:
                bar.close()


def _bar_class() -> type[Any]:
    """Return the class of bars for this terminal or notebook."""
    from mlpcore.notebook_bar import NotebookBar, in_notebook

    return NotebookBar if in_notebook() else _terminal_bar()


@cache
def _terminal_bar() -> type[Any]:
    """Return tqdm's bar, with nothing in it that a fork could leave locked."""
    from tqdm import tqdm  # takes longer than all of mlpcore

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread of its own: every update looks at the clock

        def __del__(self) -> None:
            """Leave closing, which may fail, to `progress_bar`."""

    def renew_lock() -> None:
        Bar.set_lock(threading.RLock())  # tqdm's own would also be shared between processes

    renew_lock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew_lock)
    return Bar
