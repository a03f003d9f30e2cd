"""Tables of records for notebooks: plain HTML with inline CSS, in the colours of the page around it, without scripts.

Every text is escaped here, so that no name or constant of a user's becomes markup. Nothing refers to a file or to the
network: what a notebook saved looks the same when somebody else opens it. For matrices in formulas see
`mlpcore.typeset`.
"""

import html
from collections.abc import Iterable, Sequence

__all__ = ["block", "escaped", "line", "table"]

# Only what the page has is used for colours: text is currentColor, and lines are the same, paler.
_BLOCK = "overflow-x:auto;margin:0.3em 0;color:inherit;background:transparent"
_TABLE = "border-collapse:collapse;border:none;margin:0.3em 0;width:auto;font-size:0.95em"
_CELL = "padding:0.2em 0.6em;border:none;color:inherit;vertical-align:top;max-width:40em"
_NUMBER = "text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"
_NAME = "text-align:left;white-space:nowrap"
_WORDS = "text-align:left;white-space:normal;overflow-wrap:break-word"
_HEAD = "border-bottom:1px solid currentColor;font-weight:600"
_FOOT = "border-top:1px solid currentColor"
_LINE = "margin:0.2em 0.6em"


def escaped(text: object) -> str:
    """Return a text as HTML that shows it.

    Parameters
    ----------
    text : object
        Its `str` is taken. Half a pair of surrogates, which no file can hold, becomes a question mark.

    Returns
    -------
    str

    Examples
    --------
    >>> from mlpcore import html
    >>> html.escaped("a < b & c")
    'a &lt; b &amp; c'
    """
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"), quote=True)


def line(text: object, *, strong: bool = False) -> str:
    """Return a line of text by itself.

    Parameters
    ----------
    text : object
    strong : bool, default False
        Whether it is set in bold.

    Returns
    -------
    str
    """
    return f'<p style="{_LINE}{";font-weight:600" if strong else ""}">{escaped(text)}</p>'


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    foot: Sequence[object] | None = None,
    numbers: Iterable[int] = (),
) -> str:
    """Return a table of records, one a row.

    Parameters
    ----------
    head : sequence of object
        The heading of each column.
    rows : iterable of sequences of object
        As long as `head` each. The first cell is the heading of its row.
    foot : sequence of object, optional
        A last row, below a rule.
    numbers : iterable of int, default ()
        Which columns hold numbers, which are set to the right.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a row is not as long as `head`.
    """
    to_the_right = frozenset(numbers)

    def row_of(cells: Sequence[object], scope: str = "", style: str = "") -> str:
        if len(cells) != len(head):
            raise ValueError(f"a row has {len(cells)} cells, expected {len(head)}: {', '.join(map(str, head))}")
        return f"<tr>{''.join(cell(k, text, scope, style) for k, text in enumerate(cells))}</tr>"

    def cell(column: int, text: object, scope: str, style: str) -> str:
        scope = scope or ("row" if column == 0 else "")
        styles = [_CELL, _NUMBER if column in to_the_right else _NAME if scope else _WORDS, style]
        if scope == "row" and not style:
            styles.append("font-weight:normal")
        tag, attribute = ("th", f' scope="{scope}"') if scope else ("td", "")
        return f'<{tag}{attribute} style="{";".join(filter(None, styles))}">{escaped(text)}</{tag}>'

    body = "".join(row_of(cells) for cells in rows)
    last = "" if foot is None else f"<tfoot>{row_of(foot, style=_FOOT)}</tfoot>"
    return f'<table style="{_TABLE}"><thead>{row_of(head, "col", _HEAD)}</thead><tbody>{body}</tbody>{last}</table>'


def block(*parts: str) -> str:
    """Return what belongs together, made by the other functions here, as one piece of HTML.

    Parameters
    ----------
    *parts : str

    Returns
    -------
    str
    """
    return f'<div style="{_BLOCK}">{"".join(parts)}</div>'
