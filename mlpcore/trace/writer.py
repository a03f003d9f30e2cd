"""What all steps of a derivation are written with: the arrays of a trace as samples in columns, or in rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlpcore.trace.chain import Link
from mlpcore.trace.layer import Array
from mlpcore.trace.step import Key, Step
from mlpcore.trace.trace import Trace
from mlpcore.typeset import Equation, Lines, Node, Numbers, Product, Style, Symbol, Transposed, Words


class Writer:
    """Makes steps of a trace in one style.

    Parameters
    ----------
    trace : Trace
    style : Style
    """

    def __init__(self, trace: Trace, style: Style) -> None:
        self.trace = trace
        self.style = style.with_(batch=not trace.is_single)
        self.single, self.rows = trace.is_single, style.rows

    def samples(self, values: Array) -> Numbers:
        """Return what has a number for each sample and unit: one column, or one row, for each sample."""
        return Numbers(values if self.single or self.rows else values.T)

    def weights(self, name: str, link: Link, values: Array) -> tuple[Node, Numbers]:
        """Return w as it multiplies what comes from below, and its numbers: w, or W^T from the right."""
        symbol = Symbol(name, link.label)
        return (Transposed(symbol), Numbers(values.T)) if self.rows else (symbol, Numbers(values))

    def source(self, link: Link) -> Symbol:
        """Return the symbol of what a layer reads: a^{j-1}, and X in rows for the first layer."""
        return Symbol("x") if self.rows and link.below == 0 else Symbol("a", link.below)

    def product(self, weight: Node, values: Node) -> Product:
        """Return a matrix times samples, which stand on its right as columns and on its left as rows."""
        return Product(values, weight) if self.rows else Product(weight, values)

    def in_words(self, sentence: str) -> str:
        """Return a sentence with the names of phi and sigma that the notation has."""
        symbols = self.style.symbols
        named = {"phi": symbols.name_of_phi(self.style.capitals), "sigma": symbols.name_of_sigma}
        return re.sub(r"\b(phi|sigma)\b", lambda found: named[found[0]], " ".join(sentence.split()))

    @property
    def each(self) -> str:
        """What an equation is done for, in a sentence."""
        if self.single:
            return ""
        return f" Each {'row' if self.rows else 'column'} is one of {self.trace.n} samples."

    def step(
        self,
        equation: Key,
        link: Link | None,
        direction: str,
        title: str,
        inputs: Mapping[str, Any],
        output: tuple[str, Any],
        main: Equation,
        *sentences: str,
        above: tuple[Equation, ...] = (),
    ) -> Step:
        """Return a step; `above` are formulas that stand above its equation."""
        return Step(
            equation=equation,
            j=len(self.trace) if link is None else link.label,
            direction=direction,
            title=self.in_words(title),
            inputs={name: value for name, value in inputs.items() if value is not None},
            output=output[1],
            output_name=output[0],
            lines=Lines(*above, main),
            style=self.style,
            sentences=tuple(self.in_words(sentence) for sentence in sentences if sentence.strip()),
        )


def formulas(text: str) -> tuple[Equation, ...]:
    """Return formulas of the catalogue, which semicolons part, as lines."""
    parts = [part.strip() for part in text.split(";")]
    return tuple(Equation(*(Words(side.strip(), True) for side in _sides(part))) for part in parts if part)


def _sides(formula: str) -> list[str]:
    """Return both sides of a formula such as ``y = s x``; one that is no definition is one side."""
    left, sign, right = formula.partition(" = ")
    return [left, right] if sign and " " not in left.strip() else [formula]
