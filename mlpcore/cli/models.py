"""Models from files, as the commands use them: what they are, what they predict, how good that is."""

from pathlib import Path

from mlpcore import saving
from mlpcore.cli.refusals import CommandError
from mlpcore.model import Sequential

__all__ = ["Network", "opened"]


class Network:
    """A plain `Sequential`, whose columns and outputs have no names.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    path : Path
    sequential : Sequential
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sequential = Sequential.load(path)

    def described(self) -> list[str]:
        """Return what `info` prints.

        Returns
        -------
        list of str
            Lines.
        """
        model = self.sequential
        epochs = f"{model.epochs_trained:,} epoch{'' if model.epochs_trained == 1 else 's'} trained"
        lines = [f"a network: {model.input_size:,} inputs, {model.dtype}, seed {model.seed}, {epochs}"]
        if saving.load_training(self.path)[1] is not None:
            lines.append('a checkpoint: fit(..., resume="auto") goes on from it')
        return [*lines, "", *model.summary().splitlines()]


def opened(path: Path) -> Network:
    """Read a model.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Network

    Raises
    ------
    CommandError
        If there is no such file, or it holds no model.
    """
    if path.is_dir():
        raise CommandError(f"{path} is a folder, expected the file of a model")
    try:
        return Network(path)
    except FileNotFoundError:
        raise CommandError(f"there is no file {path}") from None
