"""Models from files, as the commands use them: what they are, what they predict, how good that is."""

from pathlib import Path
from typing import TYPE_CHECKING

from mlpcore import saving
from mlpcore.cli import tables
from mlpcore.cli.refusals import CommandError, one_line
from mlpcore.data import finite_array
from mlpcore.model import Sequential

if TYPE_CHECKING:
    import pandas

    from mlpcore.cli.estimators import Estimator

__all__ = ["Network", "opened"]


class Network:
    """A plain `Sequential`.

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

    @property
    def whole(self) -> Sequential:
        """What the functions take that write it in other formats."""
        return self.sequential

    @property
    def columns(self) -> list[str] | None:
        """The names of the columns that it was trained on, if it knows them."""
        return self.sequential.feature_names_in_

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
        if self.columns is not None:
            lines.append(f"columns: {', '.join(self.columns)}")
        if saving.load_training(self.path)[1] is not None:
            lines.append('a checkpoint: fit(..., resume="auto") goes on from it')
        return [*lines, "", *model.summary().splitlines()]

    def predicted(self, frame: "pandas.DataFrame", path: Path) -> "pandas.DataFrame":
        """Return what it predicts.

        Parameters
        ----------
        frame : DataFrame
        path : Path
            Where the table comes from, for messages.

        Returns
        -------
        DataFrame
            A column for each output.

        Raises
        ------
        CommandError
            If columns are missing or hold something else than numbers, or no value in some rows.
        """
        X = self._inputs(frame, path)
        try:
            finite_array("X", X, self.sequential.dtype, columns=list(X.columns))  # predict would answer nan
            outputs = self.sequential.predict(X)
        except (TypeError, ValueError) as error:
            raise CommandError(f"{path}: {one_line(error)}") from None
        return type(frame)({f"output_{k}": outputs[:, k] for k in range(outputs.shape[1])})

    def evaluated(self, frame: "pandas.DataFrame", path: Path, target: str, loss: str | None) -> list[str]:
        """Return how good its predictions are.

        Parameters
        ----------
        frame : DataFrame
        path : Path
            Where the table comes from, for messages.
        target : str
        loss : str or None
            By which it was trained: a file does not say that.

        Returns
        -------
        list of str
            Lines.

        Raises
        ------
        CommandError
            If there is no loss, or data do not suit the model.
        """
        if loss is None:
            raise CommandError(f"{self.path} is a network without a name of its loss: give --loss, such as --loss mse")
        X, y = tables.target_of(frame, target, path)
        try:
            found = self.sequential.evaluate(self._inputs(X, path), y, loss)
        except (TypeError, ValueError) as error:
            raise CommandError(f"{path}: {one_line(error)}") from None
        return [f"{name:9} {value:10.6g}" for name, value in found.items()]

    def _inputs(self, frame: "pandas.DataFrame", path: Path) -> "pandas.DataFrame":
        """Return the columns that are its inputs."""
        if self.columns is not None:
            return tables.features_of(frame, self.columns, path)
        size = self.sequential.input_size
        if frame.shape[1] != size:
            raise CommandError(
                f"{path} has {frame.shape[1]} columns to predict from, {tables.listed(list(frame.columns))}, expected "
                f"{size}: {self.path} was trained without names of columns"
            )
        return frame


def opened(path: Path) -> "Network | Estimator":
    """Read a model.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Network or Estimator

    Raises
    ------
    CommandError
        If there is no such file.
    ValueError
        If it holds no model.
    """
    if path.is_dir():
        raise CommandError(f"{path} is a folder, expected the file of a model")
    try:
        with saving.reading(path) as reader:
            is_estimator = saving.ESTIMATOR in reader.description
    except FileNotFoundError:
        raise CommandError(f"there is no file {path}") from None
    if not is_estimator:
        return Network(path)
    from mlpcore.cli.estimators import Estimator  # imports scikit-learn

    return Estimator(path)
