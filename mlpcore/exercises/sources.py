"""A solution's source as teachers read it, and the stub that is left of it for students: the same without its body."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

__all__ = ["Source"]


class Source:
    """The source of a function without its types, which belong to the package and not to the lesson.

    Attributes
    ----------
    name : str
    parameters : tuple of str
    summary : str
        The first line of its docstring.
    shapes : tuple of (str, str)
        What the docstring says of each parameter and of what is returned: "z", "(n, out), ...".
    head, body : str
        The source text down to the docstring, and what follows.
    solution, stub : str
        Source text that can be pasted into a cell.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
        (tree,) = ast.parse("\n".join(lines)).body
        assert isinstance(tree, ast.FunctionDef)
        self.name = tree.name
        self.parameters = tuple(argument.arg for argument in tree.args.args)
        text = inspect.cleandoc(ast.get_docstring(tree) or "")
        self.summary, _, rest = text.partition("\n")
        pairs = (line.partition(": ") for line in rest.strip().splitlines())
        self.shapes = tuple((name, told) for name, _, told in pairs)
        head = ["import numpy as np", "", "", f"def {self.name}({', '.join(self.parameters)}):"]
        self.head = "\n".join([*head, *(f"    {line}".rstrip() for line in _quoted(text)), ""])
        self.body = "\n".join([*lines[tree.body[0].end_lineno or 0 :], ""])
        self.solution = self.head + self.body
        self.stub = self.head + "    raise NotImplementedError  # write your code here\n"

    @property
    def signature(self) -> str:
        """The function as it is called."""
        return f"{self.name}({', '.join(self.parameters)})"


def _quoted(text: str) -> list[str]:
    lines = text.splitlines()
    return [f'"""{lines[0]}', *lines[1:], '"""'] if len(lines) > 1 else [f'"""{text}"""']
