"""A model's layers as a table: text in a terminal, HTML in a notebook."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from mlpcore import catalogue
from mlpcore.layers import Activation, Dense, Layer
from mlpcore.lazy import no_fork

if TYPE_CHECKING:
    from mlpcore.stack import Stack

HEAD = ("layer", "activation", "w (out, in)", "parameters")
Row = tuple[str, str, str, str]


class Summary(str):
    """A table as text, which a terminal and a notebook show as a table when it is the value of a line.

    Attributes
    ----------
    rows : list of tuples of str
        Its cells, under those of ``HEAD``.
    last : tuple of str
        The row of totals.
    """

    rows: list[Row]
    last: Row

    @classmethod
    def of(cls, rows: list[Row], last: Row) -> Self:
        """Return the table of some rows and a last one."""
        widths = [max(map(len, column)) for column in zip(HEAD, *rows, last, strict=True)]
        lines = [_line(row, widths) for row in (HEAD, *rows, last)]
        rule = "-" * max(map(len, lines))
        made = cls("\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]]))
        made.rows, made.last = rows, last
        return made

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        with no_fork:
            from mlpcore import html, reprs
        return html.block(reprs.layers_table(self))


def summary(model: "Stack") -> Summary:
    """Return the layers of a model as a table: activation, shape of w, number of parameters."""
    rows, total, _ = _rows(model.layers, model.input_size, "")
    return Summary.of(rows, ("total", model.dtype, "", "?" if total is None else f"{total:,}"))


def _rows(layers: Iterable[Layer], width: int | None, path: str) -> tuple[list[Row], int | None, int | None]:
    """Return a row for each layer, how many parameters they have, and the width of the output; None: not known."""
    rows: list[Row] = []
    total: int | None = 0
    for j, layer in enumerate(layers, 1):
        inner, count, _ = _rows(layer._inner(), width, f"{path}{j}.")
        shape = ""
        if isinstance(layer, Dense):
            shape = f"({layer.units}, {'?' if width is None else width})"
        if count is not None:
            own = _parameter_count(layer, width)
            count = None if own is None else count + own
        sigma = catalogue.label(layer.activation) if isinstance(layer, Dense | Activation) else ""
        name = f"{path}{j} {type(layer).__name__}"
        rows += [(name, sigma, shape, "?" if count is None else f"{count:,}"), *inner]
        total = None if total is None or count is None else total + count
        width = layer.units if isinstance(layer, Dense) else None if width is None else layer._output_size(width)
    return rows, total, width


def _parameter_count(layer: Layer, width: int | None) -> int | None:
    if width is None:
        return None if isinstance(layer, Dense) or type(layer)._tensor_shapes is not Layer._tensor_shapes else 0
    return sum(math.prod(shape) for shape in layer._tensor_shapes(width).values())


def _line(row: Row, widths: list[int]) -> str:
    a, b, c, d = row
    return f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip()
