"""Takes functions out of source files, with the comment above them, so that a page shows the code itself.

A page says ``{source} csrc/reference/dense.c dense_forward``: a file of the repository, and functions in it.
"""

import ast
import re
from pathlib import Path
from typing import NamedTuple

USE = re.compile(r"^```\{source\} (\S+) (.+)$", re.MULTILINE)


class Excerpt(NamedTuple):
    """Lines of a file, and where they stand in it."""

    text: str
    first: int
    last: int


def excerpt(file: Path, names: list[str]) -> Excerpt:
    """Return functions that stand one after the other in a file; KeyError for one that is not there."""
    lines = file.read_text(encoding="utf-8").split("\n")
    of = _of_python if file.suffix == ".py" else _of_c
    spans = [of(lines, name) for name in names]
    text = "\n".join("\n".join(lines[first - 1 : last]) for first, last in spans)
    return Excerpt(text, spans[0][0], spans[-1][1])


def _of_c(lines: list[str], name: str) -> tuple[int, int]:
    """Return the lines, from 1 on, of a C function with the comment right above it."""
    head = re.compile(rf"^\w[^;]*\b{name}\(")
    first = next((i for i, line in enumerate(lines) if head.match(line) and not line.endswith(";")), None)
    if first is None:
        raise KeyError(name)
    last = first
    while not (lines[last] == "}" or (last == first and lines[last].endswith("}"))):
        last += 1
    while first and lines[first - 1].lstrip().startswith(("/*", "*")):
        first -= 1
    return first + 1, last + 1


def _of_python(lines: list[str], name: str) -> tuple[int, int]:
    """Return the lines, from 1 on, of a Python function with its decorators."""
    for statement in ast.parse("\n".join(lines)).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) and statement.name == name:
            first = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
            return first, statement.end_lineno or statement.lineno
    raise KeyError(name)
