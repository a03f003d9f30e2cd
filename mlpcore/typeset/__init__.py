r"""Numbers, arrays and equations as LaTeX, Markdown, HTML and plain text.

`numbers`     a number as text: so many significant digits, all of them, or a fraction
`grid`        an array as rows of such texts, of which large ones show their edges only
`notation`    the symbols of each notation: one table for all renderings
`nodes`       an equation as data
`formula`     the catalogue's formulas as LaTeX
`latex`, `text`, `html`, `markdown`    the renderings

`latex`, `text`, `html` and `markdown` take a node, an array, a number or nested lists.

Examples
--------
>>> from fractions import Fraction
>>> from mlpcore import typeset
>>> print(typeset.text([[2, -1], [0.5, 1 / 3]]))
[2    -1     ]
[0.5   0.3333]
>>> print(typeset.latex([Fraction(1, 2), 3]))
\left[\begin{array}{r} \frac{1}{2} \\ 3 \end{array}\right]
"""

from mlpcore.typeset.formula import formula_latex
from mlpcore.typeset.html import html
from mlpcore.typeset.latex import escaped, latex
from mlpcore.typeset.markdown import markdown, markdown_table
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
)
from mlpcore.typeset.notation import NOTATIONS, Notation
from mlpcore.typeset.numbers import number
from mlpcore.typeset.style import ORIENTATIONS, Style
from mlpcore.typeset.text import text

__all__ = [
    "NOTATIONS",
    "ORIENTATIONS",
    "Call",
    "Difference",
    "Equation",
    "Hadamard",
    "Lines",
    "Node",
    "Notation",
    "Numbers",
    "Product",
    "Style",
    "Sum",
    "Symbol",
    "Transposed",
    "Words",
    "escaped",
    "formula_latex",
    "html",
    "latex",
    "markdown",
    "markdown_table",
    "number",
    "text",
]
