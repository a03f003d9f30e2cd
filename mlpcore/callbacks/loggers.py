"""Loggers: what each epoch has measured, written where other programs read it while training goes on."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpcore import checks, storage
from mlpcore.callbacks.callback import Callback, Logs
from mlpcore.history import History

if TYPE_CHECKING:
    from mlpcore.model import Sequential


class CSVLogger(Callback):
    """Write what each epoch has measured as a line of a CSV file, at once.

    The first line names the columns: epoch, and what `History` records.

    Parameters
    ----------
    path : str or path-like
    append : bool, default False
        Whether to write behind what is in the file, whose columns must be the same; otherwise it is overwritten.

    Raises
    ------
    TypeError, ValueError
        If path is no path, or, in `fit`, the file that is there has other columns.
    OSError
        In `fit`: if the file cannot be written.
    """

    def __init__(self, path: storage.StrPath, *, append: bool = False) -> None:
        storage.require_path("path", path)
        self.path = Path(path)
        self.append = checks.flag("append", append)
        self._columns: list[str] | None = None

    def on_fit_begin(self, model: "Sequential") -> None:
        """Empty the file, or read its columns."""
        self._columns = None
        with self.path.open("a+" if self.append else "w", newline="", encoding="utf-8") as file:
            file.seek(0)
            self._columns = next(csv.reader(file), None) if self.append else None

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: Logs) -> None:
        """Write a line."""
        columns = ["epoch", *logs]
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if self._columns is None:
                writer.writerow(columns)
                self._columns = columns
            if self._columns != columns:
                raise ValueError(
                    f"{str(self.path)!r} has the columns {', '.join(self._columns)}, and this training measures "
                    f"{', '.join(columns)}: write to another file, or give append=False"
                )
            writer.writerow([epoch, *(repr(value) for value in logs.values())])


class TensorBoardLogger(Callback):
    """Write what each epoch has measured where TensorBoard reads it. Needs ``pip install 'mlpcore[tensorboard]'``.

    Numbers of training data go to the run "train" of the folder, those of validation data to "validation", under the
    same names, as Keras writes them.

    Parameters
    ----------
    folder : str or path-like
        TensorBoard's ``--logdir``.

    Raises
    ------
    TypeError
        If folder is no path.
    ImportError
        If the package tensorboard is not installed.
    """

    def __init__(self, folder: storage.StrPath) -> None:
        storage.require_path("folder", folder)
        self.folder = Path(folder)
        self._writers: dict[str, Any] = {}
        _event_writer()

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: Logs) -> None:
        """Write an event for each number."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        for name, value in logs.items():
            run = "validation" if name.startswith("val_") else "train"
            writer = self._writers.get(run)
            if writer is None:
                writer = self._writers[run] = _event_writer()(str(self.folder / run))
            number = Summary.Value(tag=name.removeprefix("val_"), simple_value=value)
            writer.add_event(Event(step=epoch, summary=Summary(value=[number])))
        for writer in self._writers.values():
            writer.flush()

    def on_fit_end(self, model: "Sequential", history: History) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _event_writer() -> Any:  # noqa: ANN401  tensorboard is not typed
    try:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise ImportError("TensorBoardLogger needs tensorboard: pip install 'mlpcore[tensorboard]'") from error
    return EventFileWriter
