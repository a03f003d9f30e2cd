"""matplotlib's figures as SVG inside a page: in the page's colours, light or dark, and with its font."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlpcore import extras, html

extras.require("matplotlib", "cli")

import matplotlib as mpl  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from mlpcore.plot import canvas  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "svg"]

_INK, _GROUND = "#202020", "#ffffff"
COLOURS = {_INK: "ink", _GROUND: "ground"} | {colour.lower(): f"c{k}" for k, colour in enumerate(canvas.ON_LIGHT)}
"""The colours that figures are drawn in, and the names of the page's own: CSS has ``var(--ink)``."""

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # the page's font, which can be searched and copied
    "font.size": 9.0,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
    **dict.fromkeys(("axes.facecolor", "figure.facecolor", "savefig.facecolor"), _GROUND),
}
_COLOUR = re.compile("|".join(COLOURS))


def svg(draw: "Callable[[Axes], object]", name: str, text: str, size: tuple[float, float] = (4.8, 3.4)) -> str:
    """Return what is drawn on new axes, as an ``svg`` element.

    Parameters
    ----------
    draw : callable
        Called with the axes.
    name : str
        Another one for each figure of a page.
    text : str
        What is to be seen, for readers who do not see it.
    size : (float, float), default (4.8, 3.4)
        Width and height in inches; the page makes it as wide as there is room.

    Returns
    -------
    str
    """
    with mpl.rc_context(_SETTINGS | {"svg.hashsalt": name}):  # names of parts in the file
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    picture = file.getvalue()
    picture = picture[picture.index("<svg") :]
    picture = re.sub(r"<metadata>.*?</metadata>", "", picture, flags=re.S)
    picture = re.sub(r"font: (\S+) [^;\"]*", r"font-size: \1; font-family: inherit", picture)
    picture = _COLOUR.sub(lambda found: f"var(--{COLOURS[found.group()]})", picture)
    picture = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", picture))
    return picture.replace("<svg", f'<svg role="img" aria-label="{html.escaped(text)}"', 1)
