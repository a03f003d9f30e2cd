"""Reads numbers back out of what mlpcore.typeset writes: LaTeX, Markdown, HTML and plain text, each in its syntax."""

import html
import re
from fractions import Fraction

import numpy as np

_ARRAY = re.compile(r"\\left\[\\begin\{array\}\{r+\}(.*?)\\end\{array\}\\right\]", re.S)
_DOTS = {r"\cdots", r"\vdots", r"\ddots", "…", "⋮", "⋱"}


def latex_number(text):
    """A number of LaTeX, or None for dots."""
    text = re.sub(r"\\phantom\{[^}]*\}", "", text).strip()
    if text in _DOTS:
        return None
    sign = -1 if text.startswith("-") else 1
    text = text.removeprefix("-")
    named = {r"\infty": np.inf, r"\mathrm{nan}": np.nan}
    if text in named:
        return sign * named[text]
    fraction = re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", text)
    if fraction:
        return sign * Fraction(int(fraction[1]), int(fraction[2]))
    mantissa, _, power = text.partition(r" \cdot 10^")
    return sign * float(mantissa + (f"e{power.strip('{}')}" if power else ""))


def latex_arrays(source):
    """The arrays of a source, in order, as lists of rows."""
    return [
        [[latex_number(cell) for cell in row.split("&")] for row in body.split(r"\\")]
        for body in _ARRAY.findall(source)
    ]


def markdown_arrays(source):
    """The arrays of the blocks between $$ signs."""
    blocks = source.split("$$")
    assert len(blocks) % 2 == 1
    return [array for block in blocks[1::2] for array in latex_arrays(block)]


def html_arrays(source):
    """The arrays of the tables that have brackets, in order."""
    arrays = []
    for table in re.findall(r"<table[^>]*inline-table[^>]*>(.*?)</table>", source, re.S):
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
        arrays.append(
            [
                [_html_number(c) for c in re.findall(r"<td style=[^>]*text-align:right[^>]*>(.*?)</td>", row)]
                for row in rows
            ]
        )
    return arrays


def _html_number(cell):
    text = html.unescape(cell).strip("\u2007\u2008 ").replace("−", "-").replace("∞", "inf")
    if text in _DOTS:
        return None
    text = re.sub(r"·10<sup>(.*?)</sup>", r"e\1", text)
    return Fraction(text) if "/" in text else float(text)


def text_array(block):
    """The one array that lines of text are."""
    rows = [re.fullmatch(r"\[(.*)\](?: \d+×\d+)?", line)[1].split() for line in block.splitlines()]
    return [[None if c in _DOTS else Fraction(c) if "/" in c else float(c) for c in row] for row in rows]


def agrees(read, array, digits=4):
    """Whether what was read is a matrix, up to the rounding to so many digits, in each place that is not dots.

    Where a large array has dots, the rows and columns before and after them are compared.
    """
    array = np.atleast_2d(np.asarray(array))
    rows = _indices(len(read), array.shape[0], [row[0] is None and row[-1] is None for row in read])
    columns = _indices(
        len(read[0]), array.shape[1], [column[0] is None and column[-1] is None for column in zip(*read, strict=True)]
    )
    return all(
        _close(read[i][k], array[row, column], digits)
        for i, row in enumerate(rows)
        for k, column in enumerate(columns)
        if row is not None and column is not None
    )


def _indices(shown, whole, dots):
    if shown == whole and not any(dots):
        return list(range(whole))
    at = dots.index(True)
    return [*range(at), None, *range(whole - (shown - at - 1), whole)]


def _close(read, value, digits):
    if read is None:
        return False
    if isinstance(value, Fraction) or digits is None:
        return read == value or (np.isnan(float(read)) and np.isnan(float(value)))
    value = float(value)
    if not np.isfinite(value):
        return read == value or (np.isnan(read) and np.isnan(value))
    return read == value or abs(read - value) <= 0.5000001 * 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1)
