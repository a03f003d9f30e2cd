"""An equation as data, which each rendering reads: symbols, numbers, and how they are put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from mlpcore.typeset.grid import array_of


class Node:
    """A part of an equation."""


@dataclass(frozen=True)
class Symbol(Node):
    """What a layer computes, by the name of the code: ``Symbol("phi", 2)``; without a layer ``Symbol("loss")``."""

    name: str
    layer: int | str | None = None


@dataclass(frozen=True, eq=False)
class Numbers(Node):
    """A number, a vector or a matrix; a vector is written as a column, or as a row where samples are rows."""

    values: NDArray[Any]

    def __init__(self, values: object) -> None:
        object.__setattr__(self, "values", array_of(values))


@dataclass(frozen=True)
class Transposed(Node):
    """A transposed matrix."""

    of: Node


@dataclass(frozen=True)
class Product(Node):
    """Products of matrices, from the left to the right."""

    factors: tuple[Node, ...]

    def __init__(self, *factors: Node) -> None:
        object.__setattr__(self, "factors", factors)


@dataclass(frozen=True)
class Hadamard(Node):
    """Products element by element."""

    factors: tuple[Node, ...]

    def __init__(self, *factors: Node) -> None:
        object.__setattr__(self, "factors", factors)


@dataclass(frozen=True)
class Sum(Node):
    """A sum."""

    terms: tuple[Node, ...]

    def __init__(self, *terms: Node) -> None:
        object.__setattr__(self, "terms", terms)


@dataclass(frozen=True)
class Difference(Node):
    """A difference."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of something: ``Call("sigma", z)``, ``Call("dsigma", z)`` for sigma', or one by its own name."""

    function: str
    argument: Node


@dataclass(frozen=True)
class Words(Node):
    """Plain words, or a formula of the catalogue if `is_formula`."""

    words: str
    is_formula: bool = False


@dataclass(frozen=True)
class Equation(Node):
    """Sides that are all equal: what is defined, the symbols, the numbers, the result."""

    sides: tuple[Node, ...]

    def __init__(self, *sides: Node) -> None:
        object.__setattr__(self, "sides", sides)


@dataclass(frozen=True)
class Lines(Node):
    """Equations below one another."""

    equations: tuple[Equation, ...]

    def __init__(self, *equations: Equation) -> None:
        object.__setattr__(self, "equations", equations)


def node_of(what: object) -> Node:
    """Return a node as it is, and anything else as numbers."""
    return what if isinstance(what, Node) else Numbers(what)


def in_parentheses(node: Node) -> bool:
    """Tell whether a factor needs parentheses."""
    return isinstance(node, Sum | Difference | Hadamard)
