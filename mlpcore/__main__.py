"""The command line: ``python -m mlpcore demo`` trains a network on handwritten digits and shows the result."""

import argparse
import sys
from pathlib import Path

import mlpcore


def run_demo(options: argparse.Namespace) -> None:
    """Run the demo; only this command needs its packages."""
    try:
        from mlpcore import demo
    except ImportError as error:
        sys.exit(str(error))
    demo.run(options.output)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; without a command, print what there is.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments after ``python -m mlpcore``; by default those of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m mlpcore", description="Multi-layer perceptrons in C for Python.")
    parser.add_argument("--version", action="version", version=f"mlpcore {mlpcore.__version__}")
    parser.set_defaults(run=lambda options: parser.print_help())
    commands = parser.add_subparsers(title="commands")
    summary = "train on handwritten digits, check the gradients, plot the results"
    digits = commands.add_parser("demo", help=summary, description=summary)
    digits.add_argument(
        "--output",
        type=Path,
        default=Path("mlpcore-demo"),
        metavar="DIR",
        help="folder for the model and the picture (default: %(default)s)",
    )
    digits.set_defaults(run=run_demo)
    options = parser.parse_args(arguments)
    options.run(options)


if __name__ == "__main__":
    main()
