"""``evaluate``: how good a model's predictions are on a table whose target is known."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mlpcore.cli import models, tables
from mlpcore.cli.commands import Commands, command
from mlpcore.cli.refusals import CommandError

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the command to the parser.

    Parameters
    ----------
    commands : Commands
    """
    parser = command(commands, "evaluate", "measure a model's predictions on a table whose target is known", run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that `train` or Sequential.save wrote")
    parser.add_argument("data", type=Path, metavar="DATA", help="CSV or Parquet")
    parser.add_argument("--target", metavar="COLUMN", help="default: the only column that the model does not know")
    parser.add_argument("--loss", help="for a plain network, whose file does not say by which it was trained")


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With `model`, `data`, `target` and `loss`.
    """
    model = models.opened(options.model)
    frame = tables.read(options.data)
    target = options.target or _only_other(list(frame.columns), model.columns, options.data)
    lines = model.evaluated(frame, options.data, target, options.loss)
    print(f"{options.data}, {len(frame):,} rows, target {target!r}", "", *lines, sep="\n")


def _only_other(names: Sequence[str], known: Sequence[str] | None, path: Path) -> str:
    """Return the only column that a model was not trained on."""
    others = [name for name in names if known is not None and name not in known]
    if len(others) != 1:
        which = f"{tables.listed(others)} may be it" if others else f"there are {tables.listed(names)}"
        raise CommandError(f"which column of {path} is the target? {which}: give --target")
    return others[0]
