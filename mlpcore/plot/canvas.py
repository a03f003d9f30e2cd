"""What all pictures share: axes to draw on, and colours that suit their background and colour-blind readers."""

from typing import Any, NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure, SubFigure

AnyFigure = Figure | SubFigure

# Mostly Okabe and Ito's; those that stand out from each background, and from each other for colour-blind readers too.
ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#5B5B5B", "#332288")
ON_DARK = ("#56B4E9", "#E69F00", "#6FE8A8", "#CC79A7", "#FFFFFF", "#FFB3DA")
MARKERS = "osD^vP"
SEQUENTIAL = "cividis"


class Palette(NamedTuple):
    """Colours for one background.

    Attributes
    ----------
    ground : tuple of float
        That of the background, red, green and blue from 0 to 1.
    ink : str
        For text and lines.
    cycle : tuple of str
        For things to be told apart.
    diverging : Colormap
        From the first negative colour over the background to the first positive one.
    """

    ground: tuple[float, float, float]
    ink: str
    cycle: tuple[str, ...]
    diverging: Colormap

    @property
    def negative(self) -> str:
        """The colour of numbers below 0."""
        return self.cycle[1]

    @property
    def positive(self) -> str:
        """The colour of numbers above 0."""
        return self.cycle[0]

    def of(self, k: int) -> str:
        """Return the colour of thing number k."""
        return self.cycle[k % len(self.cycle)]


def axes_for(ax: Axes | None, size: tuple[float, float] = (6.4, 4.4)) -> Axes:
    """Return the axes that were given, or, for None, those of a new figure of so many inches."""
    if ax is None:
        return plt.subplots(figsize=size, layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax is {ax!r}, expected the axes of a figure of matplotlib, or None for new ones")
    return ax


def figure_of(ax: Axes) -> AnyFigure:
    """Return the figure that axes are in."""
    return ax.figure


def palette_of(ax: Axes) -> Palette:
    """Return the colours that suit the background of axes."""
    red, green, blue, alpha = to_rgba(ax.get_facecolor())
    if alpha == 0:
        red, green, blue = to_rgb(figure_of(ax).get_facecolor())
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    cycle = ON_LIGHT if is_light else ON_DARK
    ground = (red, green, blue)
    diverging = LinearSegmentedColormap.from_list("mlpcore", [cycle[1], to_hex(ground), cycle[0]])
    return Palette(ground, "#202020" if is_light else "#F0F0F0", cycle, diverging)


def sequential_of(ax: Axes) -> Colormap:
    """Return colours for counts on axes, from that of the background, for none, to blue."""
    palette = palette_of(ax)
    return LinearSegmentedColormap.from_list("mlpcore-counts", [to_hex(palette.ground), palette.cycle[0]])


def plain(ax: Axes) -> None:
    """Take away what frames a diagram: ticks and spines."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def curves(ax: Axes, **labels: Any) -> None:  # noqa: ANN401  what Axes.set takes
    """Give curves a light grid and no box, and set titles and labels."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)
    ax.set(**labels)
