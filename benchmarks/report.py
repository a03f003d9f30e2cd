"""What the benchmarks share of their command lines and of their reports."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import machine
from peers import PEERS
from timing import Times


def parser(description: str | None, peers: Sequence[str]) -> ArgumentParser:
    """Return a parser of what all benchmarks are told.

    Parameters
    ----------
    description : str
        What the benchmark does.
    peers : sequence of str
        Keys of `PEERS`: all that can take part, mlpcore first.
    """
    made = ArgumentParser(description=description)
    made.add_argument("--peers", help=f"to compare with, default all: {','.join(peers[1:])}")
    made.add_argument("--rounds", type=int, help="turns of each peer, default 7")
    made.add_argument("--quick", action="store_true", help="few and short turns: to see that everything works")
    made.add_argument("--output", type=Path, help="folder to write the report to")
    made.set_defaults(possible_peers=tuple(peers))
    return made


def options(made: ArgumentParser) -> Namespace:
    """Read the command line; leave out, with a note, peers that are not installed.

    Returns
    -------
    Namespace
        With `peers` (keys of `PEERS`, mlpcore first), `rounds`, `seconds` (of a turn), `quick`, `output` (None: print
        only), and what else `made` reads.
    """
    read = made.parse_args()
    peers = ["mlpcore", *chosen(made, "--peers", read.peers, read.possible_peers[1:])]
    missing = [name for name in peers if not PEERS[name].is_installed()]
    if missing:
        print(f"Not installed, left out: {', '.join(labels(missing))}.")
    read.peers = [name for name in peers if name not in missing]
    read.rounds = read.rounds or (2 if read.quick else 7)
    read.seconds = 0.002 if read.quick else 0.1
    return read


def chosen(made: ArgumentParser, option: str, given: str | None, possible: Sequence[str]) -> list[str]:
    """Return the names in a list with commas, or all that are possible; end the program if one is unknown."""
    names = given.split(",") if given else list(possible)
    for name in names:
        if name not in possible:
            made.error(f"{option} has {name!r}, expected some of {','.join(possible)}")
    return names


def labels(peers: Iterable[str]) -> list[str]:
    """Return the names of peers as tables show them."""
    return [PEERS[name].label for name in peers]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown whose columns line up as text: the first to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(
        f"| {first.ljust(widths[0])} | "
        + " | ".join(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        + " |"
        for first, *rest in lines
    )


def digits(value: float) -> str:
    """Return a number with the three digits that a measurement is good for."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def lead(times: Mapping[str, Times]) -> float | None:
    """Return how many times as long the fastest of the others takes; None if there is no other."""
    others = [of.median for name, of in times.items() if name != "mlpcore"]
    return min(others) / times["mlpcore"].median if others else None


def write(output: Path | None, name: str, title: str, text: str, data: Any) -> None:
    """Print a report; write it to the machine's folder in `output`, the text as NAME.md, the numbers as NAME.json."""
    print(text)
    if output is None:
        return
    about = machine.description()
    facts = "\n".join(f"- {key}: {value}" for key, value in about.items())
    folder = folder_in(output)
    (folder / f"{name}.md").write_text(f"# {title}\n\n{facts}\n\n{text}\n")
    (folder / f"{name}.json").write_text(json.dumps({"machine": about, "measured": data}, indent=1) + "\n")
    print(f"\nWritten to {folder}: {name}.md, {name}.json")


def folder_in(output: Path) -> Path:
    """Return the folder for what this machine measured; made if it is missing."""
    folder = output / machine.slug()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
