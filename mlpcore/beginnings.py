"""What a training changes before its first step, and how that is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlpcore._core import BusyError
from mlpcore.history import History
from mlpcore.layers.layer import Bound, beginning
from mlpcore.optimizers import Claimed, Optimizer
from mlpcore.schedules.schedule import FitLength

if TYPE_CHECKING:
    from mlpcore.model import Sequential


def require_length(optimizer: Optimizer) -> None:
    """Raise ValueError for a schedule that is as long as the fit, where there is none."""
    if optimizer._schedule is not None:
        optimizer._schedule._require_length()


class _Changes:
    """What a training changes before its first step, and what was there before."""

    def __init__(self, model: "Sequential", optimizer: Optimizer, history: History | None) -> None:
        self.model, self.optimizer = model, optimizer
        self.bound = model._holder.bound
        self.histories = model.history, history
        self.state, self.owner = optimizer._state, optimizer._owner
        self.names = model._feature_names
        self.counts = optimizer._steps, optimizer._waiting
        self.claimed = self.state

    def make(self, built: Bound | None, length: FitLength | None, names: tuple[str, ...] | None) -> Claimed:
        if built is not None:
            self.model._holder.bind(built)
        params = self.model._built().params
        if params.size == 0:
            raise ValueError("the model has no weights to train, expected a layer that has some, such as Dense")
        self.claimed = self.optimizer._state_for(params, begins_fit=length is not None)
        state = self.optimizer._claim_with(self.model, self.claimed, length)
        if self.histories[1] is not None:
            self.model.history = self.histories[1]
        self.model._feature_names = names or self.names
        return state

    def undo(self, error: BaseException) -> None:
        """Take back what no other thread has built upon, unless a batch has been done."""
        busy = isinstance(error, BusyError)  # another call has the network, perhaps the one that was built here
        stepped = (self.optimizer._steps, self.optimizer._waiting) != self.counts
        before, own = self.histories
        if self.model.history is own and (not stepped or (busy and not own)):
            self.model.history = before
        if stepped:
            return
        if self.optimizer._state is self.claimed:
            self.optimizer._state, self.optimizer._owner = self.state, self.owner
        if not busy:
            self.model._holder.bound, self.model._feature_names = self.bound, self.names


@contextmanager
def begun(
    model: "Sequential",
    optimizer: Optimizer,
    columns: int | None = None,
    history: History | None = None,
    length: FitLength | None = None,
    feature_names: tuple[str, ...] | None = None,
) -> Iterator[Claimed]:
    """Give a model its network and names of columns, if it has none, the optimizer and a history: what changes first.

    They are taken back if an exception leaves before a step was done.
    """
    built = None if columns is None else model._bound_for(columns)
    changes = None
    try:
        with beginning:
            changes = _Changes(model, optimizer, history)
            state = changes.make(built, length, feature_names)
        yield optimizer._at_epoch(state, model.dtype)  # may run Python code, and so not while the lock is held
    except BaseException as error:
        if changes is not None:
            with beginning:
                changes.undo(error)
        raise
