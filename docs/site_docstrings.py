"""What the site reads of docstrings otherwise than Sphinx would: they are written to be read in a terminal."""

import ast
import inspect
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType

LITERAL = re.compile(r"(``.*?``|`[^`]*`(?:_)?|:\w[\w:]*:`[^`]*`)")
# Signs that would begin emphasis or a substitution; not those of a list or of `*args`.
SIGN = re.compile(r"(?<!\\)(\||\*+(?=\S)|(?<=\S)\*+|(?<=\w)_(?!\w))")
ALIGNED = re.compile(r"(?m)^ *`[\w.]+`.* {2,}\S")
TYPE_GOES_ON = re.compile(r"(?m)^(\w[\w, ]* : \{[^}\n]*)\n\s+")


def plain(lines: list[str]) -> list[str]:
    """Return a docstring's lines with |w|, x*y and w_ as they stand, and each parameter's type in one line."""
    text = "\n".join(lines)
    while (joined := TYPE_GOES_ON.sub(r"\1 ", text)) != text:
        text = joined
    found, block = [], -1  # the indentation of the line that ended with :: before a block that is shown as it is
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if block >= 0 and line.strip() and indent <= block:
            block = -1
        shown_as_it_is = block >= 0 or line.lstrip().startswith((">>>", "..."))
        found.append(line if shown_as_it_is else escaped(line))
        if block < 0 and line.rstrip().endswith("::"):
            block = indent
    return found


def escaped(line: str) -> str:
    """Return a line in which signs stand for themselves, but in code and in front of a list's entry."""
    bullet = re.match(r"\s*[*-] ", line)
    begin = bullet.end() if bullet else 0
    parts = LITERAL.split(line[begin:])
    return line[:begin] + "".join(part if i % 2 else SIGN.sub(r"\\\1", part) for i, part in enumerate(parts))


def text_of_module(module: ModuleType) -> list[str]:
    """Return a module's docstring as Markdown: headings in it are none of the page, aligned lines are shown so."""
    text = re.sub(r"(?m)^(\w+)\n-{3,}$", r".. rubric:: \1\n", inspect.getdoc(module) or "")
    parts = [
        "::\n\n    " + part.replace("\n", "\n    ") if len(ALIGNED.findall(part)) > 1 and "====" not in part else part
        for part in text.split("\n\n")
    ]
    return ["```{eval-rst}", *plain("\n\n".join(parts).split("\n")), "```"]


def text_below(module: ModuleType, name: str) -> str | None:
    """Return the docstring that stands below the assignment of a constant, in a module or in one of its package."""
    file = Path(inspect.getfile(module))
    for path in sorted(file.parent.glob("*.py")) if file.stem == "__init__" else [file]:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for statement, below in pairwise(body):
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            if name in [getattr(target, "id", None) for target in targets]:
                is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                return inspect.cleandoc(str(below.value.value)) if is_text else None
    return None
