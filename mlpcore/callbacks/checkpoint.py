"""A file that a training writes while it goes on, and from which it goes on after it was interrupted."""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlpcore import checkpoints, checks, storage
from mlpcore.callbacks.callback import Callback, Logs
from mlpcore.history import History

if TYPE_CHECKING:
    from mlpcore.callbacks.early_stopping import EarlyStopping
    from mlpcore.model import Sequential
    from mlpcore.optimizers import Optimizer
    from mlpcore.task import Task


class Checkpoint(Callback):
    """Write the model and all that its training needs to go on to a file, after every so many epochs.

    ``fit(..., callbacks=[Checkpoint(path)], resume="auto")`` goes on from the file, if there is one, and ends with the
    same bits as a training that was never interrupted: weights, the optimizer's state, shuffles, dropout, schedules,
    early stopping and `History`. The file is replaced at once: whenever the process ends, by whatever cause, there is
    a whole one. It is a model's file too, which `Sequential.load` reads.

    Parameters
    ----------
    path : str or path-like
    every : int, default 1
        Write after every so many epochs, and after the last one.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.
    OSError
        In `fit`: before anything changes if the path is a folder or lies in none, later if the file cannot be written.

    Examples
    --------
    >>> import mlpcore, pathlib, tempfile
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 2.0, 3.0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     def train(epochs):
    ...         model = mlpcore.Sequential([mlpcore.Dense(1)])
    ...         checkpoint = mlpcore.Checkpoint(pathlib.Path(folder) / "model.safetensors")
    ...         return model.fit(X, y, "mse", epochs=epochs, callbacks=[checkpoint], resume="auto", progress=False)
    ...     len(train(3)["loss"]), len(train(5)["loss"])    # the second goes on after epoch 2
    (3, 5)
    """

    _writes_checkpoints = True

    def __init__(self, path: storage.StrPath, every: int = 1) -> None:
        storage.require_path("path", path)
        self.path = Path(path)
        self.every = checks.whole_number("every", every, at_least=1)
        self._training: tuple[checkpoints.Way, Optimizer, Sequence[EarlyStopping]] | None = None
        self._written = 0

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r}, every={self.every})"

    def _prepare(self, task: "Task", stoppings: "Sequence[EarlyStopping]") -> None:
        """Learn what is written beside the model; OSError if there is no place for the file."""
        _require_place(self.path)
        self._training = checkpoints.Way.of(task, stoppings), task.optimizer, stoppings

    def _read(self, model: "Sequential") -> checkpoints.Checkpoint | None:
        """Return what there is to go on from; ValueError if it is another training's."""
        assert self._training is not None
        return checkpoints.read(self.path, model, self._training[0]) if self.path.exists() else None

    def _restore(self, kept: checkpoints.Checkpoint, model: "Sequential", history: History) -> None:
        """Put everything where it was."""
        assert self._training is not None
        checkpoints.restore(kept, self.path, model, *self._training[1:], history)

    def on_fit_begin(self, model: "Sequential") -> None:
        """Count from the epochs that a training that goes on has behind it."""
        self._written = 0 if model.history is None else len(model.history.epoch)

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: Logs) -> None:
        """Write the file, if it is time."""
        if (epoch + 1) % self.every == 0:
            self._write(model, epoch + 1)

    def _end_epochs(self, model: "Sequential") -> None:
        """Write it after the last epoch, before the model gets other weights than these."""
        epochs = 0 if model.history is None else len(model.history.epoch)
        if epochs > self._written and model._is_at_whole_epoch:
            self._write(model, epochs)

    def _write(self, model: "Sequential", epochs: int) -> None:
        assert self._training is not None
        checkpoints.write(self.path, model, *self._training)
        self._written = epochs


def _require_place(path: Path) -> None:
    """Raise OSError unless a file can have this path: it is no folder, and lies in one."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "expected the path of a file, this is a folder", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder of this file is not there: make it first", str(path))
