"""Curves of what each epoch measured, after a training and while it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from mlpcore import checks
from mlpcore.notebook_bar import in_notebook
from mlpcore.plot import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlpcore.model import Sequential

Group = tuple[str, list[str]]
_SHARE_OF_TIME = 0.25  # that a live picture may take for itself


class HistoryDisplay:
    """Curves of a history: each quantity in training as a line, in validation dashed.

    Parameters
    ----------
    values : mapping of str to sequence of float
        A `History`, or a dict like it.

    Attributes
    ----------
    values : dict of str to list of float
    ax_ : Axes
        The first axes: the losses.
    axes_ : list of Axes
        All of them.
    figure_ : Figure

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import HistoryDisplay
    >>> display = HistoryDisplay.from_history({"loss": [1.0, 0.5, 0.3], "val_loss": [1.1, 0.7, 0.6]})
    >>> [line.get_label() for line in display.ax_.get_lines()]
    ['training', 'validation']
    """

    def __init__(self, values: Mapping[str, Sequence[float]]) -> None:
        if not isinstance(values, Mapping):
            raise TypeError(f"history is {values!r}, expected a History, or a dict of values by name")
        self.values = {str(name): [float(value) for value in column] for name, column in values.items()}
        if not any(self.values.values()):
            raise ValueError("history has no epochs, expected at least one: train with fit first")
        self.axes_: list[Axes] = []

    @classmethod
    def from_history(
        cls,
        history: Mapping[str, Sequence[float]],
        names: Iterable[str] | None = None,
        *,
        log: bool | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the curves of a history.

        Parameters
        ----------
        history : History or mapping of str to sequence of float
        names, log, ax
            As in `plot`.

        Returns
        -------
        HistoryDisplay

        Raises
        ------
        TypeError, ValueError
            If there is no epoch, a name was not recorded, or ax is no axes.
        """
        return cls(history).plot(names, log=log, ax=ax)

    def plot(self, names: Iterable[str] | None = None, *, log: bool | None = None, ax: Axes | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        names : iterable of str, optional
            What to draw. By default the losses; without `ax` also everything else, beside them.
        log : bool, optional
            Whether the scale of the losses is logarithmic. By default it is if they are positive and the largest is
            more than 20 times the smallest.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        HistoryDisplay
            Itself.

        Raises
        ------
        TypeError, ValueError
            As for `from_history`.
        """
        groups = _groups(self._chosen(names))
        log = None if log is None else checks.flag("log", log)
        if ax is None:
            figure = plt.figure(figsize=(1.6 + 4.4 * len(groups), 4.0), layout="constrained")
            return self._plot_on(figure, groups, log)
        ax = canvas.axes_for(ax)
        if names is None:
            groups = groups[:1]
        for k, (title, columns) in enumerate(groups):
            self._draw(ax, title, columns, log, first=k, several=len(groups) > 1)
        self.axes_, self.ax_, self.figure_ = [ax], ax, canvas.figure_of(ax)
        return self

    def _plot_on(self, figure: Figure, groups: list[Group], log: bool | None) -> Self:
        """Draw each group on axes of its own."""
        self.axes_ = list(figure.subplots(1, len(groups), squeeze=False)[0])
        for ax, (title, columns) in zip(self.axes_, groups, strict=True):
            self._draw(ax, title, columns, log, first=0, several=False)
        self.ax_, self.figure_ = self.axes_[0], figure
        return self

    def _chosen(self, names: Iterable[str] | None) -> list[str]:
        recorded = [name for name, column in self.values.items() if column]
        if names is None:
            return recorded
        chosen = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in chosen if name not in recorded]
        if unknown or not chosen:
            raise ValueError(f"names is {chosen!r}, expected some of {', '.join(map(repr, recorded))}")
        return chosen

    def _draw(self, ax: Axes, title: str, names: list[str], log: bool | None, *, first: int, several: bool) -> None:
        palette = canvas.palette_of(ax)
        bases = list(dict.fromkeys(_base(name) for name in names))
        for name in names:
            column = self.values[name]
            of = "validation" if _base(name) != name else "training"
            one = len(bases) == 1 and not several
            ax.plot(
                range(len(column)),
                column,
                color=palette.of(first + (names.index(name) if one else bases.index(_base(name)))),
                linestyle="--" if of == "validation" else "-",
                linewidth=2,
                marker="o" if len(column) == 1 else "",
                label=of if one else name,
            )
        shown = [value for name in names for value in self.values[name] if math.isfinite(value)]
        wide = bool(shown) and min(shown) > 0 and max(shown) > 20 * min(shown)
        if (bases == ["loss"] and wide and log is None) or (log and bases == ["loss"]):
            ax.set_yscale("log")
        canvas.curves(ax, title="" if several else title, xlabel="epoch, counted from 0")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(names) > 1:
            ax.legend(frameon=False)


def _base(name: str) -> str:
    """Return what a quantity is called in training."""
    return name.removeprefix("val_")


def _groups(names: list[str]) -> list[Group]:
    """Return what stands in axes of its own, with its title: losses, other measures, the learning rate."""
    groups: dict[str, list[str]] = {"loss": [], "metrics": [], "learning_rate": []}
    for name in names:
        base = _base(name)
        groups[base if base in groups else "metrics"].append(name)
    listed = []
    for title, members in groups.items():
        bases = {_base(name) for name in members}
        if members:
            listed.append((bases.pop() if len(bases) == 1 else title, members))
    return [(title.replace("_", " "), members) for title, members in listed]


class LiveHistory:
    """A callback of `fit` that draws the curves while the training runs.

    It draws as often as a quarter of the time allows. As a context manager it draws the last epoch when it is left;
    otherwise the picture may end some epochs early.

    Parameters
    ----------
    names : iterable of str, optional
        What to draw, as in `HistoryDisplay`; everything by default.
    log : bool, optional
        Likewise.

    Attributes
    ----------
    figure_ : Figure
        The latest picture; there after the first epoch.
    drawn : int
        How often it was drawn.

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import LiveHistory
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> with LiveHistory() as live:
    ...     history = model.fit([[0.0], [1.0]], [0, 1], "mse", epochs=5, callbacks=[live], progress=False)
    >>> len(live.figure_.axes[0].get_lines()[0].get_xdata())
    5
    """

    def __init__(self, names: Iterable[str] | None = None, *, log: bool | None = None) -> None:
        self._names = None if names is None else [names] if isinstance(names, str) else list(names)
        self._log = None if log is None else checks.flag("log", log)
        self._history: Mapping[str, Sequence[float]] = {}
        self._next = -math.inf
        self._behind = False
        self._handle: Any = None
        self.drawn = 0
        self.figure_: Any = None

    def __call__(self, model: Sequential, epoch: int, logs: dict[str, float]) -> None:
        """Draw what `model.history` holds now, unless that was done a moment ago."""
        assert model.history is not None
        self._history, self._behind = model.history, True
        if time.monotonic() >= self._next:
            self.draw()

    def draw(self) -> None:
        """Draw the history of the latest epoch."""
        if not self._behind:
            return
        begin = time.monotonic()
        self._behind = False
        display = HistoryDisplay(self._history)
        groups = _groups(display._chosen(self._names))
        if self.figure_ is None:
            with plt.ioff():  # a notebook would show it again at the end of the cell
                self.figure_ = plt.figure(figsize=(1.6 + 4.4 * len(groups), 4.0), layout="constrained")
            if in_notebook():
                plt.close(self.figure_)
        self.figure_.clear()
        display._plot_on(self.figure_, groups, self._log)
        self.drawn += 1
        if in_notebook():
            self._show()
        elif plt.isinteractive():
            plt.pause(0.001)  # lets the window draw
        end = time.monotonic()
        self._next = end + (end - begin) * (1 / _SHARE_OF_TIME - 1)

    def _show(self) -> None:
        from IPython.display import display

        bundle = {"image/png": _png(self.figure_), "text/plain": repr(self.figure_)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.draw()


def _png(figure: Any) -> str:  # noqa: ANN401
    """Return a figure as a PNG in base 64."""
    import base64
    import io

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return base64.b64encode(file.getvalue()).decode("ascii")
