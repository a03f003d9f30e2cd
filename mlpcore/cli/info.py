"""``info``: what a model's file holds."""

import argparse
from pathlib import Path

from mlpcore.cli import models
from mlpcore.cli.commands import Commands, command, size_of

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the command to the parser.

    Parameters
    ----------
    commands : Commands
    """
    parser = command(commands, "info", "say what a model's file holds", run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that `train` or Sequential.save wrote")


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With `model`.
    """
    model = models.opened(options.model)
    print(f"{options.model}, {size_of(options.model)}", *model.described(), sep="\n")
