"""The layers of a trace in a row: what stands below and above each, and what it is called in equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlpcore.trace.layer import LayerTrace


@dataclass(eq=False)
class Link:
    """A layer with its neighbours.

    Attributes
    ----------
    layer : LayerTrace
    label : int or str
        Its number in equations, such as 2; of the first layer in the branch of layer 2 "2.1".
    path : str
        Where it is in the trace, such as ``t[2]`` or ``t[2].layers[0]``.
    below : int or str
        The label of what it reads: 0 is the input of the network.
    above : Link or None
        The layer that reads it; None for the last one, of the network or of a branch.
    branch : list of Link
        The layers of a branch, from the first to the last.
    """

    layer: LayerTrace
    label: int | str
    path: str
    below: int | str
    above: Link | None = None
    branch: list[Link] = field(default_factory=list)


def chain(layers: Sequence[LayerTrace], below: int | str = 0, prefix: str = "", path: str = "t[{j}]") -> list[Link]:
    """Return the layers of a network, or of a branch, from the first to the last."""
    links: list[Link] = []
    for layer in layers:
        label: int | str = f"{prefix}{layer.j}" if prefix else layer.j
        where = path.format(j=layer.j, i=layer.j - 1)
        link = Link(layer, label, where, below)
        link.branch = chain(layer.layers, below, f"{label}.", f"{where}.layers[{{i}}]")
        if links:
            links[-1].above = link
        links.append(link)
        below = label
    return links
