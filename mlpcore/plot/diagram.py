"""A network as a diagram: units with what they computed, weights as lines, forwards or with phi flowing back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue, checks
from mlpcore.layers import Activation, Dense, Layer
from mlpcore.plot import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlpcore.model import Sequential

Show = Literal["forward", "backward"]
Numbers = NDArray[np.float64]

_MOST_LABELS = 40  # on the lines: more cannot be read
_RADIUS = 0.38
_STEP = 3.0  # from a layer to the next
_APART = 1.55  # from a unit to the next, whose b stands above it as the z of the one before stands below that


class Column(NamedTuple):
    """A layer of the diagram, or the input.

    Attributes
    ----------
    title : str
    units : list of (int or None)
        Which units are shown; None stands for those that are left out.
    inside, below : ndarray of shape (out,) or None
        The numbers in and under each unit.
    edges : ndarray of shape (out, in) or None
        Those of the lines from the column before; None where each unit reads the one beside it.
    biases : ndarray of shape (out,) or None
    """

    title: str
    units: list[int | None]
    inside: Numbers
    below: Numbers | None
    edges: Numbers | None
    biases: Numbers | None


class NetworkDisplay:
    """A diagram of a network and of one sample that passes through it.

    Forward, a unit shows its a, and z below it; a line is a weight, wide if it is large, and b stands above the unit.
    Backward, a unit shows its phi, and a line the gradient of its weight, equation 3; grad_b, equation 4, is phi.

    Parameters
    ----------
    columns : sequence of Column
        From the input to the output.
    show : {"forward", "backward"}

    Attributes
    ----------
    columns : list of Column
    show : str
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import NetworkDisplay
    >>> model = mlpcore.Sequential([mlpcore.Dense(2, "tanh"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=1)
    >>> a = model.forward([[1.0, 2.0]])
    >>> display = NetworkDisplay.from_model(model)
    >>> [column.title for column in display.columns]
    ['x', 'layer 1: tanh', 'layer 2: sigmoid']
    """

    def __init__(self, columns: Sequence[Column], show: Show = "forward") -> None:
        self.columns = list(columns)
        self.show = show

    @classmethod
    def from_model(
        cls,
        model: Sequential,
        show: Show = "forward",
        *,
        sample: int = 0,
        most_units: int = 8,
        digits: int = 3,
        ax: Axes | None = None,
    ) -> Self:
        """Draw a model with the numbers of one sample of its last batch.

        Parameters
        ----------
        model : Sequential
            Made of `Dense` and of layers as wide as their input. Call `forward` first, and for "backward" `backward`.
        show : {"forward", "backward"}, default "forward"
            z, a and w; or phi and what this sample adds to grad_w.
        sample : int, default 0
            Which row of the batch.
        most_units : int, default 8
            How many units of a layer are shown at most: of more, the first ones and the last, with dots between.
        digits : int, default 3
            How many significant digits numbers are shown with.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        NetworkDisplay

        Raises
        ------
        RuntimeError
            If there was no forward, or no backward.
        TypeError, ValueError
            If an argument is of the wrong type or out of range, or a layer cannot be drawn.
        """
        if show not in ("forward", "backward"):
            raise ValueError(f"show is {show!r}, expected 'forward' or 'backward'")
        most_units = checks.whole_number("most_units", most_units, at_least=3)
        x = model.layers[0].x
        sample = checks.whole_number("sample", sample, at_least=0, at_most=len(x) - 1)
        shown = _units(x.shape[1], most_units)
        columns = [Column("x", shown, np.array(x[sample], np.float64), None, None, None)]
        for j, layer in enumerate(model.layers):
            units = _units(layer.a.shape[1], most_units)
            columns.append(_column(j, layer, show, sample, units))
        return cls(columns, show).plot(digits=digits, ax=ax)

    def plot(self, *, digits: int = 3, ax: Axes | None = None) -> Self:
        """Draw the diagram.

        Parameters
        ----------
        digits : int, default 3
            How many significant digits numbers are shown with.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        NetworkDisplay
            Itself.

        Raises
        ------
        TypeError, ValueError
            If digits is no integer from 1 to 9, or ax is no axes.
        """
        digits = checks.whole_number("digits", digits, at_least=1, at_most=9)
        height = _APART * max(len(column.units) for column in self.columns)
        width = _STEP * (len(self.columns) - 1)
        ax = canvas.axes_for(ax, (min(0.8 * (width + 2.2), 14.0), min(0.8 * (height + 1.2), 11.0)))
        palette = canvas.palette_of(ax)
        places = [_places(k, len(column.units)) for k, column in enumerate(self.columns)]
        largest = [np.abs(column.edges).max(initial=0) for column in self.columns if column.edges is not None]
        lines = sum(len(column.units) * len(before.units) for before, column in pairwise(self.columns))
        scale = max(largest, default=0.0) or 1.0
        for k in range(1, len(self.columns)):
            self._draw_lines(ax, palette, k, places, scale, digits if lines <= _MOST_LABELS else None)
        for k, column in enumerate(self.columns):
            self._draw_units(ax, palette, column, places[k], digits)
            ax.annotate(column.title, (places[k][0][0], height / 2 + 0.25), ha="center", color=palette.ink, fontsize=11)
        ax.set_aspect("equal")
        ax.set_xlim(-1.1, width + 1.1)
        ax.set_ylim(-height / 2 - 0.1, height / 2 + 0.6)
        canvas.plain(ax)
        back = (
            "phi in the units, grad_w on the lines"
            if self.show == "backward"
            else "a in the units, z below, w on the lines"
        )
        ax.set_title(f"{self.show}: {back}", color=palette.ink, fontsize=11)
        self.ax_, self.figure_ = ax, canvas.figure_of(ax)
        return self

    def _draw_lines(
        self, ax: Axes, palette: canvas.Palette, k: int, places: list[list[Any]], scale: float, digits: int | None
    ) -> None:
        before, column = self.columns[k - 1], self.columns[k]
        for i, unit in enumerate(column.units):
            for m, source in enumerate(before.units):
                if unit is None or source is None or (column.edges is None and unit != source):
                    continue
                value = None if column.edges is None else float(column.edges[unit, source])
                colour = palette.ink if value is None else palette.positive if value >= 0 else palette.negative
                width = 1.0 if value is None else 0.4 + 3.6 * abs(value) / scale
                begin, end = np.array(places[k - 1][m]), np.array(places[k][i])
                towards = (end - begin) / np.hypot(*(end - begin))
                begin, end = begin + _RADIUS * towards, end - _RADIUS * towards
                if self.show == "backward":
                    begin, end = end, begin
                ax.annotate(
                    "",
                    end,
                    begin,
                    arrowprops={
                        "arrowstyle": "-|>,head_width=0.18,head_length=0.35",
                        "color": colour,
                        "linewidth": width,
                        "shrinkA": 0,
                        "shrinkB": 0,
                        "alpha": 0.85,
                    },
                    zorder=1,
                )
                if digits is not None and value is not None:
                    # Staggered, so that the labels of crossing lines part.
                    near, far = np.array(places[k][i]), np.array(places[k - 1][m])
                    across, up = near + (far - near) * (0.3 + 0.15 * (m % 3))
                    ax.text(
                        across,
                        up,
                        _number(value, digits),
                        color=colour,
                        fontsize=8.5,
                        ha="center",
                        va="center",
                        zorder=3,
                        bbox={"facecolor": palette.ground, "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
                    )

    def _draw_units(
        self, ax: Axes, palette: canvas.Palette, column: Column, places: list[tuple[float, float]], digits: int
    ) -> None:
        from matplotlib.patches import Circle

        for unit, place in zip(column.units, places, strict=True):
            if unit is None:
                ax.text(*place, "⋮", ha="center", va="center", color=palette.ink, fontsize=16)
                continue
            value = float(column.inside[unit])
            edge = palette.ink if value == 0 else palette.positive if value > 0 else palette.negative
            ax.add_patch(Circle(place, _RADIUS, facecolor=palette.ground, edgecolor=edge, linewidth=1.8, zorder=2))
            ax.text(*place, _number(value, digits), ha="center", va="center", color=palette.ink, fontsize=9, zorder=4)
            small: dict[str, Any] = {"ha": "center", "color": palette.ink, "fontsize": 8, "zorder": 4}
            if column.below is not None:
                ax.text(
                    place[0], place[1] - _RADIUS - 0.06, f"z {_number(column.below[unit], digits)}", va="top", **small
                )
            if column.biases is not None:
                ax.text(
                    place[0],
                    place[1] + _RADIUS + 0.06,
                    f"b {_number(column.biases[unit], digits)}",
                    va="bottom",
                    **small,
                )


def _units(count: int, most: int) -> list[int | None]:
    """Return which units are shown."""
    return list(range(count)) if count <= most else [*range(most - 2), None, count - 1]


def _places(k: int, count: int) -> list[tuple[float, float]]:
    """Return the centres of the units of column k, from the top."""
    return [(_STEP * k, _APART * ((count - 1) / 2 - i)) for i in range(count)]


def _column(j: int, layer: Layer, show: Show, sample: int, units: list[int | None]) -> Column:
    """Return a layer as a column of the diagram, with copies of its numbers."""
    dense = isinstance(layer, Dense)
    if not dense and layer.a.shape != layer.x.shape:
        raise ValueError(f"layers[{j}] is {layer._expression()}, expected Dense or a layer as wide as its input")
    kind = catalogue.label(layer.activation) if isinstance(layer, Dense | Activation) else type(layer).__name__
    title = f"layer {j + 1}: {kind}"
    if show == "backward":
        if not hasattr(type(layer), "phi"):
            raise ValueError(f"layers[{j}] is {layer._expression()}, which has no phi: expected show='forward'")
        phi = np.array(layer.phi[sample], np.float64)
        return Column(title, units, phi, None, np.outer(phi, layer.x[sample]) if dense else None, None)
    a = np.array(layer.a[sample], np.float64)
    if not dense:
        return Column(title, units, a, None, None, None)
    z = np.array(layer.z[sample], np.float64)
    b = None if layer.b is None else np.array(layer.b, np.float64)
    return Column(title, units, a, z, np.array(layer.w, np.float64), b)


def _number(value: float, digits: int) -> str:
    """Return a number with so many significant digits, and a real minus."""
    if value == 0 or 1e-3 <= abs(value) < 10 ** max(digits, 4):
        text = f"{value + 0.0:#.{digits}g}".rstrip(".")
    else:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        text = f"{mantissa}e{int(exponent)}" if exponent else mantissa
    return text.replace("-", "\N{MINUS SIGN}")
