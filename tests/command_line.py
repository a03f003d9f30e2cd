"""The command line called within this process, for the tests of its commands."""

from typing import NamedTuple

from mlpcore import cli


class Ran(NamedTuple):
    status: int
    out: str
    err: str


class Runner:
    """Runs commands; `capsys` is pytest's."""

    def __init__(self, capsys):
        self.capsys = capsys

    def __call__(self, *arguments) -> Ran:
        self.capsys.readouterr()
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return Ran(status, *self.capsys.readouterr())

    def refused(self, *arguments) -> str:
        """Run what is refused: one line, status 2, nothing else printed."""
        ran = self(*arguments)
        assert (ran.status, ran.out) == (2, ""), ran
        assert ran.err.startswith("python -m mlpcore"), ran.err
        assert ran.err.count("\n") == 1
        assert ran.err.endswith("\n")
        return ran.err
