"""``demo``: train on handwritten digits and show the result."""

import argparse
from pathlib import Path

from mlpcore.cli.commands import Commands, command

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the command to the parser.

    Parameters
    ----------
    commands : Commands
    """
    parser = command(commands, "demo", "train on handwritten digits, check the gradients, plot the results", run)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("mlpcore-demo"),
        metavar="DIR",
        help="folder for the model and the picture (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With `output`.
    """
    from mlpcore import demo  # imports scikit-learn and matplotlib, or says that they are missing

    demo.run(options.output)
