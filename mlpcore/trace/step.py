"""A step of the derivation: one equation in symbols, with the numbers of a network, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from mlpcore import typeset
from mlpcore.trace.layer import Array
from mlpcore.typeset import Equation, Lines, Style

Key = int | str


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One equation of the derivation.

    Attributes
    ----------
    equation : int or str
        1 to 4, as the paper numbers them; "short" for a - y and its like, which a pair of loss and activation has in
        place of equation 1; "z", "a" and "loss" forward; "grad_a", the gradient of the loss with respect to a;
        "backward" and, say, "grad_gamma" of layers that are not dense; "update".
    j : int or str
        The number of the layer: 1 to J. In the branch of layer 2, "2.1", "2.2", ...
    direction : str
        "forward", "backward" or "update".
    title : str
    inputs : dict of str to ndarray
        What it reads, by where it stands in the trace: "t[2].w".
    output : ndarray
        What it computes, `output_name` in the trace.
    lines : Lines
        The equation as data, for `mlpcore.typeset`.
    style : Style
    """

    equation: Key
    j: Key
    direction: str
    title: str
    inputs: Mapping[str, Array]
    output: Array
    output_name: str
    lines: Lines
    style: Style
    sentences: tuple[str, ...]

    @property
    def symbols(self) -> str:
        """The equation in symbols, as plain text."""
        main = self.main
        return typeset.text(Equation(*main.sides[:2]), self.style)

    @property
    def main(self) -> Equation:
        """The equation without the formulas that stand above it."""
        return self.lines.equations[-1]

    def explain(self) -> str:
        """Return in words what is computed, and why.

        Returns
        -------
        str
        """
        return " ".join(self.sentences)

    def latex(self) -> str:
        """Return the step as LaTeX, without delimiters.

        Returns
        -------
        str
        """
        return typeset.latex(self.lines, self.style)

    def to_markdown(self) -> str:
        """Return the step as Markdown: its title, the equation, and what it says.

        Returns
        -------
        str
        """
        return (
            f"**{escape(self.title, quote=False)}**\n\n{typeset.markdown(self.lines, self.style)}\n\n{self.explain()}"
        )

    def __str__(self) -> str:
        block = typeset.text(self.lines, self.style)
        return "\n".join([self.title, *(f"  {line}".rstrip() for line in block.splitlines())])

    def __repr__(self) -> str:
        return f"<{self.title}: {self.symbols}>"

    def _repr_html_(self) -> str:
        return step_html(self, with_words=True)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


def step_html(step: Step, with_words: bool = False) -> str:
    """Return a step as HTML."""
    words = f'<p style="margin:4px 0">{typeset.html(typeset.Words(step.explain()))}</p>' if with_words else ""
    return (
        f'<div style="overflow-x:auto;margin:6px 0"><p style="margin:4px 0"><b>{escape(step.title)}</b></p>'
        f"{typeset.html(step.lines, step.style)}{words}</div>"
    )
