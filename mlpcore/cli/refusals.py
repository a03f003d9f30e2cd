"""Wrong use of the command line: what ends it with one line on standard error and exit status 2."""

import argparse
from typing import NoReturn

__all__ = ["MISUSE", "PROGRAM", "CommandError", "Parser", "one_line"]

PROGRAM = "python -m mlpcore"

MISUSE = 2
"""The exit status of what was refused, argparse's own."""


class CommandError(Exception):
    """A command cannot do what it was asked for; the message says what is wrong and what to do."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line."""

    def error(self, message: str) -> NoReturn:
        """End the program with what is wrong with its arguments.

        Parameters
        ----------
        message : str
        """
        self.exit(MISUSE, f"{self.prog}: error: {one_line(message)}; {self.prog} --help shows the arguments\n")


def one_line(message: object) -> str:
    """Return a message, such as that of an exception, without line breaks.

    Parameters
    ----------
    message : object

    Returns
    -------
    str
    """
    return " ".join(str(message).split())
