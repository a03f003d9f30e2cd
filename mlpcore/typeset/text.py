"""Equations as plain text of a fixed width: matrices take several lines, with their brackets below one another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

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


class Block(NamedTuple):
    """Lines of one width, one of which stands on the line of the equation."""

    lines: list[str]
    base: int

    @property
    def width(self) -> int:
        """The length of each line."""
        return len(self.lines[0])


def text(what: object, style: Style | None = None) -> str:
    """Return an equation, an array or a number as plain text.

    Parameters
    ----------
    what : Node, array_like or number
    style : Style, optional

    Returns
    -------
    str
        Of several lines where there is a matrix; large arrays end with their shape.

    Examples
    --------
    >>> from mlpcore import typeset
    >>> w, a = typeset.Symbol("w", 2), typeset.Symbol("a", 1)
    >>> numbers = typeset.Product(typeset.Numbers([[1, -2], [3, 4]]), typeset.Numbers([0.5, 1]))
    >>> print(typeset.text(typeset.Equation(typeset.Symbol("z", 2), typeset.Product(w, a), numbers)))
    z² = w² a¹
       = [1  -2] [0.5]
         [3   4] [1  ]
    """
    return "\n".join(line.rstrip() for line in _block(node_of(what), style or Style()).lines)


def _block(node: Node, style: Style) -> Block:
    match node:
        case Symbol(name, layer):
            return _line(style.symbols.symbol(name, layer, "text", style.capitals))
        case Numbers(values):
            return _numbers(node, style) if values.ndim else _line(number(values.item(), style.digits))
        case Transposed(of):
            return _beside(_line("("), _block(of, style), _line(")ᵀ"))
        case Product(factors):
            return _joined([_factor(factor, style) for factor in factors], " ")
        case Hadamard(factors):
            return _joined([_block(factor, style) for factor in factors], f" {style.symbols.hadamard.text} ")
        case Sum(terms):
            return _joined([_block(term, style) for term in terms], " + ")
        case Difference(left, right):
            return _joined([_block(left, style), _factor(right, style)], " - ")
        case Call(function, argument):
            return _beside(_line(f"{_function(function, style)}("), _block(argument, style), _line(")"))
        case Words(words):
            return _line(words)
        case Equation(sides):
            return _stacked(_equation([_block(side, style) for side in sides], 0))
        case Lines(equations):
            written = [[_block(side, style) for side in each.sides] for each in equations]
            width = max((sides[0].width for sides in written if len(sides) > 1), default=0)
            return _stacked([row for sides in written for row in _equation(sides, width)])
    raise TypeError(f"what is {node!r}, expected a node of an equation")


def _factor(node: Node, style: Style) -> Block:
    block = _block(node, style)
    return _beside(_line("("), block, _line(")")) if in_parentheses(node) else block


def _function(name: str, style: Style) -> str:
    if name in ("sigma", "dsigma"):
        return style.symbols.sigma.text + ("'" if name == "dsigma" else "")
    return name


def _numbers(node: Numbers, style: Style) -> Block:
    grid = grid_of(oriented(node, style), style.digits, style.most)
    texts = [
        [
            cell.value if isinstance(cell, Dots) else cell + " " * len(lacks)
            for cell, lacks in zip(row, missing, strict=True)
        ]
        for row, missing in zip(grid.rows, paddings(grid), strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = [f"[{'  '.join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))}]" for row in texts]
    block = Block(lines, 0)
    return block if grid.is_whole else _beside(block, _line(f" {grid.shape[0]}×{grid.shape[1]}"))


def _line(words: str) -> Block:
    return Block([words], 0)


def _joined(blocks: Iterable[Block], sign: str) -> Block:
    parts: list[Block] = []
    for block in blocks:
        parts += [_line(sign), block] if parts else [block]
    return _beside(*parts)


def _beside(*blocks: Block) -> Block:
    """Put blocks in a row, their bases on one line."""
    above = max(block.base for block in blocks)
    below = max(len(block.lines) - block.base for block in blocks)
    columns = []
    for block in blocks:
        blank = " " * block.width
        tops, bottoms = above - block.base, below - (len(block.lines) - block.base)
        columns.append([blank] * tops + block.lines + [blank] * bottoms)
    return Block(["".join(parts) for parts in zip(*columns, strict=True)], above)


def _equation(sides: list[Block], width: int) -> list[Block]:
    """Put the sides below one another, their equals signs in one column, at least `width` from the left."""
    first, *others = sides
    if not others:
        return [first]
    first = _beside(_line(" " * max(0, width - first.width)), first)
    margin = _line(" " * first.width)
    return [_beside(margin if i else first, _line(" = "), other) for i, other in enumerate(others)]


def _stacked(rows: list[Block]) -> Block:
    width = max(row.width for row in rows)
    return Block([line.ljust(width) for row in rows for line in row.lines], rows[0].base)
