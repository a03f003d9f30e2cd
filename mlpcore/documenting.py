"""Docstrings of functions that are written in C: a function of Python gives the signature and the text."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from mlpcore import _core, catalogue

F = TypeVar("F", bound=Callable[..., Any])


_WIDTH = 120


def _wrapped(line: str) -> list[str]:
    """Return a line that names have made too long as several; those of a type are indented."""
    if len(line) <= _WIDTH:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, _WIDTH, initial_indent="", subsequent_indent=indent or "    ", break_long_words=False)


def documents(builtin: Callable[..., Any]) -> Callable[[F], F]:
    """Return a decorator that gives `builtin` the signature and the docstring of a function, and returns `builtin`.

    Names in braces, such as ``{losses}``, become the names of that family of the catalogue, and ``{aliases of losses}``
    its longer names.
    """

    def decorate(described: F) -> F:
        parameters = [
            parameter.replace(annotation=parameter.empty)
            for parameter in inspect.signature(described).parameters.values()
        ]
        arguments = ", ".join(["$module", str(inspect.Signature(parameters))[1:-1]])
        text = inspect.getdoc(described) or ""
        for family in catalogue.FAMILIES:
            rows = catalogue.FAMILIES[family].values()
            text = text.replace(f"{{{family}}}", f"{{{', '.join(repr(row.name) for row in rows)}}}")
            aliases = ", ".join(repr(row.alias) for row in rows if row.alias)
            text = text.replace(f"{{aliases of {family}}}", aliases)
        text = "\n".join(line for given in text.split("\n") for line in _wrapped(given))
        _core.document(builtin, f"{described.__name__}({arguments})\n--\n\n{text}\n")
        return builtin  # type: ignore[return-value]

    return decorate
