"""Equations and tables as Markdown; mathematics stands between ``$$``, as GitHub, Jupyter and Pandoc read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlpcore.typeset.latex import latex
from mlpcore.typeset.style import Style


def markdown(what: object, style: Style | None = None) -> str:
    """Return an equation, an array or a number as a block of mathematics.

    Parameters
    ----------
    what : Node, array_like or number
    style : Style, optional

    Returns
    -------
    str

    Examples
    --------
    >>> from mlpcore import typeset
    >>> print(typeset.markdown(0.25))
    $$
    0.25
    $$
    """
    return f"$$\n{latex(what, style)}\n$$"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown, in which ``|`` is escaped.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequence of str

    Returns
    -------
    str

    Examples
    --------
    >>> from mlpcore import typeset
    >>> print(typeset.markdown_table(["layer", "units"], [["1", "3"]]))
    | layer | units |
    |---|---|
    | 1 | 3 |
    """
    lines = [_line(head), "|" + "---|" * len(head), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
