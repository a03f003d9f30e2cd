"""The catalogue's formulas, which are written in plain text, as LaTeX.

Their language is small: numbers, names, ``+ - * /``, powers, indices and functions; words such as "where" and "else"
stay words.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?|[A-Za-z]{2,}(?:_[a-z]{2,})+|[A-Za-z]+(?:_hat)?'?|[<>!+-]?=|[^\s]")
_OVER = re.compile(r"\b(sum|mean) over (\w+(?: != \w+)?) of\b")
_WORDS = re.compile(
    r"above|and|as|below|counts|cut|else|first|is|nesterov|of|off|otherwise|centered|in|stands|for|then|where|with"
)
_GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "rho", "mu", "sigma", "pi", "phi", "lambda", "Phi")
_FUNCTIONS = ("log", "tanh", "cosh", "exp", "min", "max")
_SIGNS = {
    "<=": r"\le",
    ">=": r"\ge",
    "!=": r"\ne",
    "*": r"\,",
    "%": r"\%",
    "-=": r"\mathrel{-}=",
    "+=": r"\mathrel{+}=",
}
_NAME_BEFORE_A_FACTOR = re.compile(r"(\\mathrm\{[^}]*\}(?:_\{[^}]*\})?) (?=[\w(\\])(?!\\(?:text|mathrel|,|le|ge|ne)\b)")
_BEFORE_A_SIGN = ("(", "[", ",", ";", "=", "<", ">", "<=", ">=", "/", "+", "-")


def formula_latex(formula: str) -> str:
    r"""Return a formula of the catalogue as LaTeX.

    Parameters
    ----------
    formula : str
        Such as ``mlpcore.catalogue.entry("activations", "sigmoid").formula``.

    Returns
    -------
    str

    Examples
    --------
    >>> from mlpcore import typeset
    >>> print(typeset.formula_latex("1 / (1 + e^-z)"))
    1 / (1 + e^{-z})
    >>> print(typeset.formula_latex("1 where z > 0, else 0"))
    1 \text{ where } z > 0, \text{ else } 0
    """
    plain = re.sub(r"\^(\d+[a-z])", r"^(\1)", _OVER.sub(r"\1_(\2)", formula))
    return _tokens_latex(_TOKEN.findall(plain))


def formula_html(formula: str) -> str:
    """Return a formula of the catalogue as HTML, with its powers and indices.

    Parameters
    ----------
    formula : str

    Returns
    -------
    str

    Examples
    --------
    >>> from mlpcore.typeset.formula import formula_html
    >>> formula_html("e^-z_i / sum_k e^z_k")
    'e<sup>-z<sub>i</sub></sup> / sum<sub>k</sub> e<sup>z<sub>k</sub></sup>'
    """
    plain = re.sub(r"\b([a-z])_hat", "\\1\u0302", escape(formula, quote=False))
    powers = re.sub(r"\^(-?\w+(?:\.\d+)?)", r"<sup>\1</sup>", plain)
    powers = re.sub(r"\^(\([^()]*\))", r"<sup>\1</sup>", powers)
    indexed = re.sub(r"(?<![A-Za-z_])([A-Za-z]\u0302?|sum|grad|bce|mean)_([a-z])(?![a-z_])", r"\1<sub>\2</sub>", powers)
    return unicodedata.normalize("NFC", indexed)


def _tokens_latex(tokens: list[str]) -> str:
    parts: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        is_sign = token == "-" and (at == 0 or tokens[at - 1] in _BEFORE_A_SIGN or _WORDS.fullmatch(tokens[at - 1]))
        written, at = ("{-}", at + 1) if is_sign else _next(tokens, at)
        parts.append(written)
    joined = " ".join(parts).replace("{-} ", "{-}")
    joined = re.sub(r" ([\^_)\],;])", r"\1", joined)
    joined = re.sub(r"([(\[]) ", r"\1", joined)
    joined = re.sub(r"([\w})\]]) (?=\\mathrm\{)", r"\1 \\, ", joined)
    joined = _NAME_BEFORE_A_FACTOR.sub(r"\1 \\, ", joined)
    return re.sub(r" \} \\text\{ ", " ", joined)


def _next(tokens: list[str], at: int) -> tuple[str, int]:
    """Return the LaTeX of the token at a place, with its power or index, and the place after it."""
    token = tokens[at]
    if token in ("^", "_") and at + 1 < len(tokens):
        inner, end = _operand(tokens, at + 1)
        return f"{token}{{{inner}}}", end
    if token == "sum":
        return (r"\sum" if tokens[at + 1 : at + 2] == ["_"] else r"\text{ sum }"), at + 1
    if token == "sqrt" and at + 1 < len(tokens) and tokens[at + 1] == "(":
        inside, end = _parenthesis(tokens, at + 1)
        return rf"\sqrt{{{inside}}}", end
    return _written(token), at + 1


def _operand(tokens: list[str], at: int) -> tuple[str, int]:
    """Return what a power or an index is: a token with its own index, after a sign, or what is in parentheses."""
    sign = ""
    if tokens[at] == "-" and at + 1 < len(tokens):
        sign, at = "-", at + 1
    if tokens[at] == "(":
        inside, end = _parenthesis(tokens, at)
        return (f"{sign}({inside})" if sign else inside), end
    written, at = _written(tokens[at]), at + 1
    while at < len(tokens) and tokens[at] in ("^", "_"):  # e^z_k
        more, at = _next(tokens, at)
        written += more
    return sign + written, at


def _parenthesis(tokens: list[str], at: int) -> tuple[str, int]:
    """Return the LaTeX of what is in the parentheses that open at a place, and the place after them."""
    depth, end = 1, at + 1
    while depth and end < len(tokens):
        depth += {"(": 1, ")": -1}.get(tokens[end], 0)
        end += 1
    return _tokens_latex(tokens[at + 1 : end - 1]), end


def _written(token: str) -> str:
    word, prime = token.removesuffix("'"), "'" * token.endswith("'")
    if word in _GREEK or word in _FUNCTIONS:
        return f"\\{word}{prime}"
    if word.endswith("_hat"):
        return rf"\hat{{{word.removesuffix('_hat')}}}{prime}"
    if _WORDS.fullmatch(word):
        return rf"\text{{ {word} }}"
    if len(word) > 1 and word.replace("_", "").isalpha():
        name = word.replace("_", r"\_")
        return rf"\mathrm{{{name}}}{prime}"
    return _SIGNS.get(token, token)
