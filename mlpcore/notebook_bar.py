"""The progress bar of a notebook: one line of HTML that is replaced as the training goes on, without ipywidgets.

While it runs it shows how far it is, what was measured last, and how long it will take. What stays when it is closed,
and what an exported notebook has, is one line of text.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any

from mlpcore import html

__all__ = ["NotebookBar", "in_notebook"]

SECONDS_BETWEEN_DRAWINGS = 0.1
_ROW = "display:flex;flex-wrap:wrap;align-items:center;gap:0.1em 0.8em;color:inherit"
_BAR = "flex:0 0 auto;width:10em;height:1em"
_TEXT = "font-variant-numeric:tabular-nums;overflow-wrap:anywhere"


def in_notebook() -> bool:
    """Tell whether this runs in the kernel of a notebook, which shows HTML and replaces it when it is told to.

    Returns
    -------
    bool
    """
    ipython = sys.modules.get("IPython")  # whoever runs in a kernel has imported it
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


class NotebookBar:
    """A bar with the methods of tqdm that `progress_bar` calls.

    Parameters
    ----------
    total : int
        How many steps there will be: epochs of a training, components of a gradient check.
    unit : str
        What one of them is called.
    miniters : int, default 1
        Not used: there for those that know tqdm.

    Raises
    ------
    Exception
        Whatever IPython raises if it cannot show anything, here and in every method.
    """

    def __init__(self, *, total: int, unit: str, miniters: int = 1) -> None:
        from IPython.display import display

        self._total, self._unit, self._done = total, unit, 0
        self._values = ""
        self._begin = self._drawn = time.monotonic()
        self._handle: Any = display(self._bundle(), raw=True, display_id=True)

    def set_postfix(self, values: Mapping[str, str], *, refresh: bool = False) -> None:
        """Take what was measured last, for the next drawing; `refresh` is not used."""
        self._values = ", ".join(f"{name} {value}" for name, value in values.items())

    def update(self) -> None:
        """Count one step more; draw unless that was done a moment ago."""
        self._done += 1
        now = time.monotonic()
        if now - self._drawn >= SECONDS_BETWEEN_DRAWINGS:
            self._drawn = now
            self._handle.update(self._bundle(), raw=True)

    def close(self) -> None:
        """Leave one line of text."""
        self._handle.update(self._bundle(ended=True), raw=True)

    def _bundle(self, *, ended: bool = False) -> dict[str, str]:
        """Return what is shown now, as HTML and as text."""
        seconds = time.monotonic() - self._begin
        unit = self._unit if self._total == 1 else f"{self._unit}s"
        of = "" if ended and self._done == self._total else f" of {self._total:,}"
        text = f"{self._done:,}{of} {unit}"
        if ended:
            text += f" in {_duration(seconds)}"
        elif self._done:
            text += f", {_duration(seconds / self._done * (self._total - self._done))} left"
        text += f": {self._values}" if self._values else ""
        bar = "" if ended else f'<progress style="{_BAR}" value="{self._done}" max="{self._total}"></progress>'
        row = f'<div style="{_ROW}">{bar}<span style="{_TEXT}">{html.escaped(text)}</span></div>'
        return {"text/plain": text, "text/html": row}


def _duration(seconds: float) -> str:
    """Return a time in at most two units."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"
