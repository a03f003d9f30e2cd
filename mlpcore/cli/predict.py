"""``predict``: what a model says of the rows of a table."""

import argparse
from pathlib import Path

from mlpcore.cli import models, tables
from mlpcore.cli.commands import Commands, command, require_folder

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the command to the parser.

    Parameters
    ----------
    commands : Commands
    """
    parser = command(commands, "predict", "write what a model predicts for the rows of a table", run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that `train` or Sequential.save wrote")
    parser.add_argument("data", type=Path, metavar="DATA", help="CSV or Parquet; other columns may be there too")
    parser.add_argument("--output", type=Path, metavar="FILE", required=True, help="CSV or Parquet, a row for each row")


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With `model`, `data` and `output`.
    """
    require_folder(options.output, "--output")
    tables.require_format(options.output)
    model = models.opened(options.model)
    frame = tables.read(options.data)
    predicted = model.predicted(frame, options.data)
    tables.write(predicted, options.output)
    print(f"{options.output}, {len(predicted):,} row{'' if len(predicted) == 1 else 's'}")
