"""The command line, ``python -m mlpcore``: a file of this package for each command.

A command that is refused, by its arguments or by what a file holds, prints one line on standard error and ends with
status 2. Ctrl-C ends with 130. What only some commands need, such as pandas, is imported by these.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

import mlpcore
from mlpcore.cli import demo, evaluate, export, info, predict, train
from mlpcore.cli.refusals import MISUSE, PROGRAM, CommandError, Parser, one_line

__all__ = ["main"]

INTERRUPTED = 130
COMMANDS = train, predict, evaluate, info, export, demo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; without a command, print what there is.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments after ``python -m mlpcore``; by default those of the command line.

    Returns
    -------
    int
        The exit status: 0, 2 for what was refused, 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        With status 2 if the arguments are no command, with 0 after ``--help`` and ``--version``.
    """
    parser = Parser(prog=PROGRAM, description="Multi-layer perceptrons in C for Python.")
    parser.add_argument("--version", action="version", version=f"mlpcore {mlpcore.__version__}")
    parser.set_defaults(run=lambda _: parser.print_help(), prog=PROGRAM)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    options = parser.parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            options.run(options)
            sys.stdout.flush()
        except KeyboardInterrupt as interrupt:
            print(f"{options.prog}: interrupted{_said(interrupt)}", file=sys.stderr)
            return INTERRUPTED
        except BrokenPipeError:  # whoever read what is printed has enough, as in `... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (CommandError, ImportError, OSError, ValueError, MemoryError) as error:
            print(f"{options.prog}: error: {one_line(error) or type(error).__name__}", file=sys.stderr)
            return MISUSE
    return 0


def _said(interrupt: KeyboardInterrupt) -> str:
    return f": {one_line(interrupt)}" if str(interrupt) else ""


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as a line, without the place in the code, which is not the user's."""
    print(f"{PROGRAM}: warning: {one_line(message)}", file=file or sys.stderr)
