"""A whole derivation as a page: plain text, Markdown, HTML, LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from mlpcore import typeset
from mlpcore.trace.step import Step, step_html
from mlpcore.typeset import Lines

if TYPE_CHECKING:
    from mlpcore.trace.trace import Trace

_PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath,amssymb,graphicx}
\usepackage[a4paper,margin=18mm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\emergencystretch=3em
% what is wider than the page is made smaller
\newcommand{\fitted}[1]{\resizebox{\ifdim\width>0.92\linewidth 0.92\linewidth\else\width\fi}{!}{$\displaystyle #1$}}
\begin{document}
"""
_HEADINGS = {"forward": "Forward", "backward": "Backward", "update": "Update"}


def as_text(trace: Trace, steps: Sequence[Step]) -> str:
    """Return a derivation as plain text."""
    parts = [headline(trace)]
    for heading, group in _groups(steps):
        parts += [f"{heading}\n{'-' * len(heading)}", *map(str, group)]
    return "\n\n".join(parts)


def as_markdown(trace: Trace, steps: Sequence[Step]) -> str:
    """Return a derivation as Markdown."""
    parts = [f"# {escape(headline(trace), quote=False)}"]
    for heading, group in _groups(steps):
        parts.append(f"## {heading}")
        parts += [
            f"**{escape(step.title, quote=False)}**\n\n{typeset.markdown(step.lines, step.style)}" for step in group
        ]
    return "\n\n".join(parts) + "\n"


def as_html(trace: Trace, steps: Sequence[Step]) -> str:
    """Return a derivation as a fragment of HTML, whose parts can be folded."""
    parts = [f"<p><b>{typeset.html(typeset.Words(headline(trace)))}</b></p>"]
    for heading, group in _groups(steps):
        body = "".join(map(step_html, group))
        parts.append(f"<details open><summary><b>{heading}</b></summary>{body}</details>")
    return f'<div style="overflow-x:auto;color:inherit;background:transparent">{"".join(parts)}</div>'


def as_latex(trace: Trace, steps: Sequence[Step]) -> str:
    """Return a derivation as a LaTeX document."""
    parts = [_PREAMBLE, rf"\section*{{\raggedright {typeset.escaped(headline(trace))}}}"]
    for heading, group in _groups(steps):
        parts.append(rf"\subsection*{{{heading}}}")
        for step in group:
            tag = rf"\tag{{{step.equation}}}" if isinstance(step.equation, int) else ""
            body = typeset.latex(step.lines, step.style)
            parts.append(
                f"\\textbf{{{typeset.escaped(step.title)}}}\n\\begin{{equation*}}\n\\fitted{{{body}}}{tag}\n\\end{{equation*}}\n"
                f"{typeset.escaped(step.explain())}\n\n\\bigskip\n"
            )
    return "\n".join([*parts, r"\end{document}", ""])


def joined_latex(steps: Sequence[Step]) -> str:
    """Return some steps as one block of LaTeX without delimiters."""
    equations = [equation for step in steps for equation in step.lines.equations]
    return typeset.latex(Lines(*equations), steps[0].style)


def headline(trace: Trace) -> str:
    """Return what was traced, in a line."""
    samples = "one sample" if trace.n == 1 else f"{trace.n} samples"
    layers = ", ".join(layer.expression_in_short for layer in trace.layers)
    step = "" if trace.optimizer is None else f", {type(trace.optimizer).__name__}"
    return f"{layers}: {samples}, {trace.loss_name}{step}"


def _groups(steps: Sequence[Step]) -> Iterator[tuple[str, list[Step]]]:
    for direction, heading in _HEADINGS.items():
        group = [step for step in steps if step.direction == direction]
        if group:
            yield heading, group
