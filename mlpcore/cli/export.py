"""``export``: a model in the format of other programs."""

import argparse
from pathlib import Path

import mlpcore
from mlpcore.cli import models
from mlpcore.cli.commands import Commands, command, require_folder, size_of
from mlpcore.cli.refusals import CommandError

__all__ = ["add_to"]

FORMATS = {"onnx": "to_onnx", "c": "to_c"}
"""By the word after ``--to``, which is the ending of the file too: the function of mlpcore that writes it."""

WITH_COLUMNS = ("c",)
"""The formats that hold the preparation of an estimator's columns too."""


def add_to(commands: Commands) -> None:
    """Add the command to the parser.

    Parameters
    ----------
    commands : Commands
    """
    parser = command(commands, "export", "write a model in the format of other programs", run)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that `train` or Sequential.save wrote")
    parser.add_argument("--to", choices=FORMATS, required=True, help="the format")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: beside the model, with the ending of the format"
    )


def run(options: argparse.Namespace) -> None:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With `model`, `to` and `output`.
    """
    output = options.output or options.model.with_suffix(f".{options.to}")
    require_folder(output, "--output")
    write = getattr(mlpcore, FORMATS[options.to], None)
    if write is None:
        raise CommandError(f"mlpcore {mlpcore.__version__} does not write {options.to} yet")
    model = models.opened(options.model)
    if options.to not in WITH_COLUMNS and not isinstance(model, models.Network):
        raise CommandError(
            f"{options.model} prepares columns, which --to {options.to} cannot hold: "
            f"{' or '.join(f'--to {each}' for each in WITH_COLUMNS)} writes it whole"
        )
    write(model.whole, output)
    print(f"{output}, {size_of(output)}")
