"""Equations as HTML: tables with borders for brackets, inline CSS, no script, in the colours of the page."""

from __future__ import annotations

from html import escape

from mlpcore.typeset.formula import formula_html
from mlpcore.typeset.grid import Dots, grid_of, paddings
from mlpcore.typeset.latex import oriented
from mlpcore.typeset.nodes import (
    Call,
    Difference,
    Equation,
    Hadamard,
    Lines,
    Node,
    Numbers,
    Product,
    Sum,
    Symbol,
    Transposed,
    Words,
    in_parentheses,
    node_of,
)
from mlpcore.typeset.numbers import number
from mlpcore.typeset.style import Style

_SPACES = str.maketrans(".0", "\u2008\u2007")  # as wide as a point and a digit
_TABLE = (
    "display:inline-table;vertical-align:middle;border-collapse:collapse;margin:1px 2px;width:auto;"
    "font-variant-numeric:tabular-nums;white-space:nowrap"
)
_BRACKET = "width:4px;padding:0;border:1px solid currentColor"
_CELL = "padding:0 5px;border:0;text-align:right"
_ROW = "background:none"
_SIDE = "padding:2px 4px;border:0;white-space:nowrap;background:none"


def html(what: object, style: Style | None = None) -> str:
    """Return an equation, an array or a number as HTML.

    Parameters
    ----------
    what : Node, array_like or number
    style : Style, optional

    Returns
    -------
    str
        A fragment that any page can hold: tables, ``sup`` and ``i``. Large arrays end with their shape.

    Examples
    --------
    >>> from mlpcore import typeset
    >>> typeset.html(typeset.Symbol("z", 2))
    '<i>z</i><sup>2</sup>'
    """
    return _html(node_of(what), style or Style())


def _html(node: Node, style: Style) -> str:
    match node:
        case Symbol(name, layer):
            return _symbol(name, layer, style)
        case Numbers(values):
            return _numbers(node, style) if values.ndim else _number(number(values.item(), style.digits))
        case Transposed(of):
            return f"({_html(of, style)})<sup>T</sup>"
        case Product(factors):
            return " ".join(_factor(factor, style) for factor in factors)
        case Hadamard(factors):
            return f" {style.symbols.hadamard.text} ".join(_html(factor, style) for factor in factors)
        case Sum(terms):
            return " + ".join(_html(term, style) for term in terms)
        case Difference(left, right):
            return f"{_html(left, style)} − {_factor(right, style)}"
        case Call(function, argument):
            return f"{_function(function, style)}({_html(argument, style)})"
        case Words(words, is_formula):
            return f"<span>{formula_html(words) if is_formula else escape(words)}</span>"
        case Equation(sides):
            return _table(_rows([_html(side, style) for side in sides]))
        case Lines(equations):
            return _table("".join(_rows([_html(side, style) for side in each.sides]) for each in equations))
    raise TypeError(f"what is {node!r}, expected a node of an equation")


def _symbol(name: str, layer: int | str | None, style: Style) -> str:
    """Return a symbol with its letter in italics and its layer as an exponent."""
    symbols = style.symbols
    bare = symbols.symbol(name, None, "text", style.capitals)
    letter = name.removeprefix("grad_")
    if name == letter and name not in symbols.letters and name != "loss":
        return escape(bare) + ("" if layer is None else symbols.index(layer, "html"))
    if layer is None:
        return f"<i>{escape(bare)}</i>"
    if name == letter or symbols.phi:  # the letter ends the symbol
        return f"<i>{escape(bare)}</i>{symbols.index(layer, 'html')}"
    inner = f"{_symbol(letter, layer, style)}"
    if "/" in symbols.gradient_text:
        return symbols.gradient_text.format(of=inner).replace("∂C", "∂<i>C</i>")
    return f"∇<sub>{inner}</sub> <i>L</i>"


def _factor(node: Node, style: Style) -> str:
    return f"({_html(node, style)})" if in_parentheses(node) else _html(node, style)


def _function(name: str, style: Style) -> str:
    if name in ("sigma", "dsigma"):
        return f"<i>{style.symbols.sigma.text}</i>" + ("′" if name == "dsigma" else "")
    return escape(name)


def _numbers(node: Numbers, style: Style) -> str:
    grid = grid_of(oriented(node, style), style.digits, style.most)
    count = len(grid.rows)
    left = f'<td rowspan="{count}" style="{_BRACKET};border-right:0"></td>'
    right = f'<td rowspan="{count}" style="{_BRACKET};border-left:0"></td>'
    lines = []
    for i, (row, missing) in enumerate(zip(grid.rows, paddings(grid), strict=True)):
        cells = "".join(
            f'<td style="{_CELL}">{_cell(cell, lacks)}</td>' for cell, lacks in zip(row, missing, strict=True)
        )
        lines.append(f'<tr style="{_ROW}">{left if i == 0 else ""}{cells}{right if i == 0 else ""}</tr>')
    table = f'<table style="{_TABLE}">{"".join(lines)}</table>'
    return table if grid.is_whole else f"{table}<sub>{grid.shape[0]}×{grid.shape[1]}</sub>"


def _cell(cell: str | Dots, lacks: str) -> str:
    return cell.value if isinstance(cell, Dots) else _number(cell) + lacks.translate(_SPACES)


def _number(text: str) -> str:
    mantissa, e, power = text.replace("-", "−").replace("inf", "∞").partition("e")
    return f"{mantissa}·10<sup>{power}</sup>" if e else mantissa


def _rows(sides: list[str]) -> str:
    """Return the rows of an equation: what is defined, an equals sign, and one side."""
    first, *others = sides
    if not others:
        return f'<tr style="{_ROW}"><td colspan="3" style="{_SIDE};text-align:left">{first}</td></tr>'
    return "".join(
        f'<tr style="{_ROW}"><td style="{_SIDE};text-align:right">{first if i == 0 else ""}</td>'
        f'<td style="{_SIDE}">=</td><td style="{_SIDE};text-align:left">{other}</td></tr>'
        for i, other in enumerate(others)
    )


def _table(rows: str) -> str:
    return f'<table style="border-collapse:collapse;margin:0;width:auto;background:none">{rows}</table>'
