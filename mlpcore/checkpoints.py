"""Checkpoints: a model's file that also holds all that its training needs to go on exactly.

Beside what `mlpcore.saving` writes, the description has the entry "training", and there are tensors of these names:

    training.history                   (epochs, names): what `History` has recorded, float64
    training.optimizer.<name>          the optimizer's state, flat
    training.stopping.<i>.<name>       that of the `EarlyStopping` with this number, flat

Shuffles, masks and noise follow from the seed and the number of the epoch, so that nothing of them is kept.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlpcore import checks, saving, storage
from mlpcore.files import quoted
from mlpcore.history import History
from mlpcore.layers import Layer

if TYPE_CHECKING:
    from mlpcore.callbacks.early_stopping import EarlyStopping
    from mlpcore.model import Sequential
    from mlpcore.optimizers import Optimizer
    from mlpcore.task import Task

_HISTORY, _OPTIMIZER, _STOPPING = "training.history", "training.optimizer.", "training.stopping."
_LONGEST_SHOWN = 500

Arrays = dict[str, NDArray[Any]]


class Way(NamedTuple):
    """How a training is done, as text: one that goes on must be done in the same way.

    Attributes
    ----------
    optimizer, loss, early_stopping : str
        Their representations.
    rows : int or None
        None where it is not known.
    columns, batch_size : int
    shuffle : bool
    """

    optimizer: str
    loss: str
    early_stopping: str
    rows: int | None
    columns: int
    batch_size: int
    shuffle: bool

    @classmethod
    def of(cls, task: "Task", stoppings: Sequence["EarlyStopping"]) -> Self:
        """Return how a task is to be done."""
        optimizer, loss, early_stopping = map(_text, (task.optimizer, task.loss, list(stoppings)))
        return cls(optimizer, loss, early_stopping, task.rows, task.columns, task.batch_size, task.shuffle)


def _text(thing: object) -> str:
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))  # another process has other addresses


class Checkpoint(NamedTuple):
    """What a checkpoint holds, as it came from a file: its parts fit the model that it was read for."""

    saved: saving.Saved
    epochs: int
    names: tuple[str, ...]
    arrays: Arrays


def _states(optimizer: "Optimizer", stoppings: Sequence["EarlyStopping"]) -> Arrays:
    """Return the arrays of an optimizer and of early stopping by the names that they have in a file: views."""
    arrays = {_OPTIMIZER + name: values for name, values in optimizer._state.items()}
    for i, each in enumerate(stoppings):
        arrays |= {f"{_STOPPING}{i}.{name}": values for name, values in each._arrays().items()}
    return {name: values.reshape(-1) for name, values in arrays.items() if values.size}


def write(
    file: storage.StrPath, model: "Sequential", way: Way, optimizer: "Optimizer", stoppings: Sequence["EarlyStopping"]
) -> None:
    """Write a checkpoint in place of the last one, which stays whole until this one is."""
    history = model.history
    assert history is not None
    names = list(history)
    rows = np.array([history[name] for name in names], np.float64).T.reshape(-1, len(names))
    training = {"epochs": len(rows), "names": names, **way._asdict()}
    arrays = {_HISTORY: rows} | _states(optimizer, stoppings)
    saving.save(model, file, training=(training, arrays))


def read(file: storage.StrPath, model: "Sequential", way: Way) -> Checkpoint:
    """Read a checkpoint of this model and this way to train it; ValueError says what differs."""
    name = storage.quoted_name(file)
    try:
        saved, training, arrays = saving.load_training(file)
    except ValueError as error:
        raise ValueError(f"{error}: delete the file to begin anew, or give another path") from None
    if training is None:
        raise ValueError(f"{name} holds a model without a training, expected what Checkpoint writes: take another path")
    differing = _differing_layer(saved.layers, model.layers)
    pairs = [("dtype", saved.dtype, model.dtype), *((e, training.get(e), own) for e, own in way._asdict().items())]
    for entry, found, expected in pairs if differing is None else [differing]:
        if found != expected:
            raise ValueError(
                f"{name} is the checkpoint of another training: its {entry} is {_shown(found)}, expected "
                f"{_shown(expected)}; give the model and the arguments that it was made with, or another path"
            )
    try:
        epochs = checks.whole_number("epochs", training["epochs"], at_least=0)
        names = tuple(str(each) for each in training.get("names", ()))
        if arrays.get(_HISTORY, np.empty(0)).shape != (epochs, len(names)):
            raise ValueError(f"its history is not {epochs} epochs of {len(names)} numbers")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"cannot go on from {name}: {error}") from None
    return Checkpoint(saved, epochs, names, arrays)


def _differing_layer(found: Sequence[Layer], expected: Sequence[Layer]) -> tuple[str, str | None, str | None] | None:
    """Return the first layer that is not the same: its name, what was found and what was expected; None: none is."""
    for j, (one, other) in enumerate(zip_longest(found, expected)):
        if one is None or other is None or one._config() != other._config():
            shown = [None if each is None else each._expression() for each in (one, other)]
            return f"layers[{j}]", shown[0], shown[1]
    return None


def _shown(value: object) -> str:
    """Return for an error what a training is done with, most of which is text already; a file may hold anything."""
    return value if isinstance(value, str) and len(value) < _LONGEST_SHOWN else quoted(value)


def restore(
    checkpoint: Checkpoint,
    file: storage.StrPath,
    model: "Sequential",
    optimizer: "Optimizer",
    stoppings: Sequence["EarlyStopping"],
    history: History,
) -> None:
    """Put a model, its optimizer, early stopping and history where they were; all of them have begun their training."""
    own = _states(optimizer, stoppings)
    kept = {name: values for name, values in checkpoint.arrays.items() if name != _HISTORY}
    _require_same(own, kept, storage.quoted_name(file))
    net, saved = model._built(), checkpoint.saved.bound.net

    def overwrite() -> None:
        for name, values in kept.items():
            own[name][...] = values

    net.restore(saved.params, saved.state)
    net.read(overwrite)
    model._seed = checkpoint.saved.seed
    model.epochs_trained = checkpoint.saved.epochs_trained
    for logs in checkpoint.arrays[_HISTORY].tolist():
        history.append(dict(zip(checkpoint.names, logs, strict=True)))


def _require_same(own: Mapping[str, NDArray[Any]], kept: Mapping[str, NDArray[Any]], name: str) -> None:
    for array in sorted(own.keys() | kept.keys()):
        sides = [(each[array].dtype, each[array].shape) if array in each else None for each in (kept, own)]
        if sides[0] != sides[1]:
            raise ValueError(
                f"{name} is the checkpoint of another training: {quoted(array)} is {sides[0]}, expected {sides[1]}"
            )
