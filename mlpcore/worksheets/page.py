"""A page to print or to show: a heading, what is given, and tasks, with or without their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlpcore import catalogue, html, typeset
from mlpcore.typeset import Equation, Style
from mlpcore.worksheets.tasks import Task

_DOCUMENT = r"""\documentclass[11pt,a4paper]{article}
\usepackage[margin=2.2cm]{geometry}
\usepackage[fleqn]{amsmath}
\setlength{\mathindent}{0pt}
\renewcommand{\arraystretch}{1.5}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\begin{document}
%s
\end{document}
"""
_ROOM = "\n\\vspace{1.2cm}"
_BESIDE = "display:inline-block;vertical-align:middle;margin:0 2em 4px 0.6em"
_BELOW = "margin:0 0.6em 4px 0.6em"


@dataclass(frozen=True)
class LayerRow:
    """What the table of layers tells of one."""

    units: int
    activation: str

    def cells(self, layer: int) -> list[str]:
        """Return what stands in its row."""
        return [str(layer), str(self.units), self.activation]

    def formulas(self) -> list[str]:
        """Return sigma and sigma' as the catalogue has them."""
        row = catalogue.entry("activations", self.activation)
        return [row.formula, row.derivative or ""]


@dataclass(frozen=True)
class Page:
    """A sheet or its key.

    Attributes
    ----------
    title : str
    words : tuple of str
        Paragraphs that stand before what is given.
    layers : tuple of LayerRow
    given : tuple of tuple of Equation
        The numbers of the network and the sample, in lines.
    tasks : tuple of Task
    is_key : bool
        Whether answers are shown.
    style : Style
    """

    title: str
    words: tuple[str, ...]
    layers: tuple[LayerRow, ...]
    given: tuple[tuple[Equation, ...], ...]
    tasks: tuple[Task, ...]
    is_key: bool
    style: Style

    def to_markdown(self) -> str:
        """Return the page as Markdown, with mathematics between ``$`` and ``$$``.

        Returns
        -------
        str
        """
        rows = [
            row.cells(j) + [f"${typeset.formula_latex(formula)}$" for formula in row.formulas()]
            for j, row in enumerate(self.layers, start=1)
        ]
        head = ["layer", "units", "activation", r"$\sigma(z)$", r"$\sigma'(z)$"]
        parts = [f"# {self.title}", *self.words, typeset.markdown_table(head, rows)]
        parts.extend(f"$$\n{self._latex_line(line)}\n$$" for line in self.given)
        for count, task in enumerate(self.tasks, start=1):
            parts.append(f"## {count}. {task.title}")
            parts.extend(self._words_of(task))
            parts.extend(typeset.markdown(each, self.style) for each in self._equations_of(task))
            parts.extend(self._remarks_of(task))
        return "\n\n".join(parts) + "\n"

    def to_latex(self) -> str:
        r"""Return the page as a LaTeX document, which ``pdflatex`` makes a PDF of; it needs amsmath and geometry.

        Below each equation of a sheet there is room to work in.

        Returns
        -------
        str
        """
        lines = [r"\section*{" + typeset.escaped(self.title) + "}"]
        if not self.is_key:
            lines.append(r"Name: \underline{\hspace{6cm}} \hfill Date: \underline{\hspace{3cm}}")
        lines.extend(typeset.escaped(words) for words in self.words)
        lines.append(self._latex_table())
        lines.extend(_displayed(self._latex_line(line)) for line in self.given)
        for count, task in enumerate(self.tasks, start=1):
            lines.append(rf"\subsection*{{{count}. {typeset.escaped(task.title)}}}")
            lines.extend(typeset.escaped(words) for words in self._words_of(task))
            for equation in self._equations_of(task):
                lines.append(_displayed(typeset.latex(equation, self.style)) + ("" if self.is_key else _ROOM))
            lines.extend(typeset.escaped(words) for words in self._remarks_of(task))
        return _DOCUMENT % "\n\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the page for a notebook: plain HTML in the colours of the page, without script."""
        rows = [row.cells(j) + row.formulas() for j, row in enumerate(self.layers, start=1)]
        parts = [_html_heading(3, self.title), *(html.line(words) for words in self.words)]
        parts.append(html.table(["layer", "units", "activation", "σ(z)", "σ′(z)"], rows))
        for line in self.given:
            shown = [f'<div style="{_BESIDE}">{typeset.html(each, self.style)}</div>' for each in line]
            parts.append(f"<div>{''.join(shown)}</div>")
        for count, task in enumerate(self.tasks, start=1):
            parts.append(_html_heading(4, f"{count}. {task.title}"))
            parts.extend(html.line(words) for words in self._words_of(task))
            parts.extend(
                f'<div style="{_BELOW}">{typeset.html(each, self.style)}</div>' for each in self._equations_of(task)
            )
            parts.extend(html.line(words) for words in self._remarks_of(task))
        return html.block(*parts)

    def __str__(self) -> str:
        """Return the page as plain text."""
        parts = [self.title, *self.words]
        for j, row in enumerate(self.layers, start=1):
            sigma, dsigma = row.formulas()
            units = f"{row.units} unit{'s' * (row.units != 1)}"
            parts.append(f"layer {j}: {units}, {row.activation}: σ(z) = {sigma}; σ'(z) = {dsigma}")
        parts.extend(typeset.text(each, self.style) for line in self.given for each in line)
        for count, task in enumerate(self.tasks, start=1):
            parts.append(f"{count}. {task.title}")
            parts.extend(self._words_of(task))
            parts.extend(typeset.text(each, self.style) for each in self._equations_of(task))
            parts.extend(self._remarks_of(task))
        return "\n\n".join(parts)

    def _equations_of(self, task: Task) -> Sequence[Equation]:
        return [answer.answered() if self.is_key else answer.asked() for answer in task.answers]

    def _words_of(self, task: Task) -> list[str]:
        return [task.words] if task.words and not (self.is_key and task.part == "step") else []

    def _remarks_of(self, task: Task) -> list[str]:
        return [task.remark] if task.remark and self.is_key else []

    def _latex_line(self, line: Sequence[Equation]) -> str:
        return " \\qquad\n".join(typeset.latex(each, self.style) for each in line)

    def _latex_table(self) -> str:
        lines = [r"layer & units & activation & $\sigma(z)$ & $\sigma'(z)$ \\ \hline"]
        for j, row in enumerate(self.layers, start=1):
            cells = [typeset.escaped(cell) for cell in row.cells(j)]
            lines.append(" & ".join(cells + [f"${typeset.formula_latex(each)}$" for each in row.formulas()]) + r" \\")
        return "\n".join([r"\begin{tabular}{@{}lllll@{}}", *lines, r"\end{tabular}"])


def _displayed(mathematics: str) -> str:
    return f"\\[\n{mathematics}\n\\]"


def _html_heading(level: int, words: str) -> str:
    return f'<h{level} style="margin:0.6em">{html.escaped(words)}</h{level}>'
