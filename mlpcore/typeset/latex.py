"""Equations as LaTeX: what MathJax, KaTeX and LaTeX with amsmath read, without delimiters such as ``$$``."""

from __future__ import annotations

import re
from typing import Any

from numpy.typing import NDArray

from mlpcore.typeset.formula import formula_latex
from mlpcore.typeset.grid import Dots, grid_of, paddings
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

_DOTS = {Dots.ROW: r"\cdots", Dots.COLUMN: r"\vdots", Dots.BOTH: r"\ddots"}
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}
_NOT_FINITE = {"nan": r"\mathrm{nan}", "inf": r"\infty", "-inf": r"-\infty"}


def latex(what: object, style: Style | None = None) -> str:
    r"""Return an equation, an array or a number as LaTeX, without delimiters.

    Parameters
    ----------
    what : Node, array_like or number
    style : Style, optional

    Returns
    -------
    str
        Large arrays end with their shape.

    Examples
    --------
    >>> from mlpcore import typeset
    >>> print(typeset.latex(typeset.Product(typeset.Symbol("w", 2), typeset.Symbol("a", 1))))
    w^{2} a^{1}
    >>> print(typeset.latex([[1, -2]]))
    \left[\begin{array}{rr} 1 & -2 \end{array}\right]
    """
    return _latex(node_of(what), style or Style())


def escaped(words: str) -> str:
    """Return words as LaTeX shows them outside of mathematics."""
    return re.sub(r"[\\~^&%$#_{}<>|]", lambda found: _SPECIAL[found[0]], words)


def number_latex(value: object, digits: int | None) -> str:
    """Return a number as LaTeX."""
    return _of_number(number(value, digits))


def _latex(node: Node, style: Style) -> str:
    match node:
        case Symbol(name, layer):
            return style.symbols.symbol(name, layer, "latex", style.capitals)
        case Numbers(values):
            return _numbers(node, style) if values.ndim else number_latex(values.item(), style.digits)
        case Transposed(of):
            return f"({_latex(of, style)})^T"
        case Product(factors):
            return " ".join(_factor(factor, style) for factor in factors)
        case Hadamard(factors):
            sign = f" {style.symbols.hadamard.latex} "
            return sign.join(_latex(factor, style) for factor in factors)
        case Sum(terms):
            return " + ".join(_latex(term, style) for term in terms)
        case Difference(left, right):
            return f"{_latex(left, style)} - {_factor(right, style)}"
        case Call(function, argument):
            inside = _latex(argument, style)
            name = _function(function, style)
            return name + (rf"\left({inside}\right)" if "array" in inside else f"({inside})")
        case Words(words, is_formula):
            return formula_latex(words) if is_formula else r"\text{" + escaped(words) + "}"
        case Equation(sides):
            return _aligned(_sides([_latex(side, style) for side in sides]))
        case Lines(equations):
            return _aligned(
                [line for each in equations for line in _sides([_latex(side, style) for side in each.sides])]
            )
    raise TypeError(f"what is {node!r}, expected a node of an equation")


def _sides(sides: list[str]) -> list[str]:
    """Return the lines of an equation, in which an equals sign stands on each; a formula by itself has one line."""
    first, *others = sides
    if not others:
        return [f"&{first}"]
    return [f"{first} &= {others[0]}", *(f"&= {other}" for other in others[1:])]


def _aligned(lines: list[str]) -> str:
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _factor(node: Node, style: Style) -> str:
    written = _latex(node, style)
    return rf"\left({written}\right)" if in_parentheses(node) else written


def _function(name: str, style: Style) -> str:
    if name in ("sigma", "dsigma"):
        return style.symbols.sigma.latex + ("'" if name == "dsigma" else "")
    return r"\operatorname{" + escaped(name) + "}"


def _numbers(node: Numbers, style: Style) -> str:
    grid = grid_of(oriented(node, style), style.digits, style.most)
    lines = [
        " & ".join(
            _DOTS[cell] if isinstance(cell, Dots) else _of_number(cell) + (rf"\phantom{{{lacks}}}" if lacks else "")
            for cell, lacks in zip(row, missing, strict=True)
        )
        for row, missing in zip(grid.rows, paddings(grid), strict=True)
    ]
    columns = "r" * len(grid.rows[0])
    array = rf"\left[\begin{{array}}{{{columns}}} " + r" \\ ".join(lines) + r" \end{array}\right]"
    return array if grid.is_whole else array + rf"_{{{grid.shape[0]} \times {grid.shape[1]}}}"


def oriented(node: Numbers, style: Style) -> NDArray[Any]:
    """Return a vector as the matrix that it is written as, and a matrix as it is."""
    values = node.values
    if values.ndim == 2:
        return values
    return values.reshape((1, -1) if style.rows else (-1, 1))


def _of_number(text: str) -> str:
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    if "/" in text:
        above, _, below = text.partition("/")
        sign, above = ("-", above[1:]) if above.startswith("-") else ("", above)
        return rf"{sign}\frac{{{above}}}{{{below}}}"
    mantissa, e, power = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{power}}}" if e else text
