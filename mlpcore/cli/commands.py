"""What all commands share: how they are added to the parser, and what they do with files."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from mlpcore.cli.refusals import CommandError, Parser

__all__ = ["Commands", "command", "require_folder", "size_of"]

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What commands are added to: of `Parser.add_subparsers`."""


def command(commands: Commands, name: str, summary: str, run: Callable[[argparse.Namespace], None]) -> Parser:
    """Add a command.

    Parameters
    ----------
    commands : Commands
    name : str
    summary : str
        What it does, for the list of commands and its own help.
    run : callable
        Called with the arguments.

    Returns
    -------
    Parser
        That of its arguments.
    """
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(run=run, prog=parser.prog)
    return parser


def require_folder(path: Path, option: str) -> None:
    """Make sure, before any work, that a file can be written.

    Parameters
    ----------
    path : Path
        The file.
    option : str
        The argument that named it.

    Raises
    ------
    CommandError
        If its folder is missing, or it is a folder itself.
    """
    if path.is_dir():
        raise CommandError(f"{option} is {path}, which is a folder: name a file in it")
    if not path.parent.is_dir():
        raise CommandError(f"{option} is {path}, but there is no folder {path.parent}: make it first")


def size_of(path: Path) -> str:
    """Return the size of a file in a unit that suits it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        Such as "12.3 kB".
    """
    size = float(path.stat().st_size)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
