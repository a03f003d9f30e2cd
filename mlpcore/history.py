"""The record of a training: losses and accuracies, epoch by epoch."""

import copyreg
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from mlpcore import copies
from mlpcore.lazy import no_fork

if TYPE_CHECKING:
    from mlpcore.plot import HistoryDisplay


class _Block(NamedTuple):
    """Epochs one after the other: a row (epochs, names) for each."""

    names: tuple[str, ...]
    rows: NDArray[Any]


class _Followed(NamedTuple):
    """Epochs from `begin` on that the engine writes, a table for each kind; those before cursor[0] are there."""

    tables: tuple[_Block, ...]
    cursor: NDArray[Any]
    begin: int

    def block(self, done: int) -> _Block:
        """Return the first epochs."""
        names = tuple(name for table in self.tables for name in table.names)
        return _Block(names, np.column_stack([table.rows[:done] for table in self.tables]))


def _block(logs: Mapping[str, float]) -> _Block:
    return _Block(tuple(logs), np.array([list(logs.values())], np.float64))


class History(dict[str, list[float]]):
    """The record of one `fit`: a dict of each quantity's values, epoch by epoch, to read.

    Its keys are "loss", and "accuracy" for the losses that have one, both weighted means over the epoch's samples, each
    taken before its batch's update, and the `metrics` of `fit`, likewise; "learning_rate", that of the epoch's last
    step, if the optimizer's is a schedule; with validation data also "val_loss", "val_accuracy", ..., taken after the
    epoch. An epoch whose validation, or whose metrics, were interrupted has nan there.

    ``pandas.DataFrame(history)`` has a row for each epoch, and a notebook shows a history as such a table.

    Attributes
    ----------
    rules : dict of str to str
        By which metric each accuracy counts, such as {"accuracy": "categorical_accuracy"}: see
        ``mlpcore.catalogue.names("metrics")``.

    Examples
    --------
    >>> from mlpcore import History
    >>> history = History()
    >>> history.append({"loss": 0.5})
    >>> history.append({"loss": 0.25})
    >>> history["loss"], history.epoch
    ([0.5, 0.25], [0, 1])
    """

    # The dict itself holds a copy of the record, for functions in C that read a dict without asking it, such as those
    # of json: written when an epoch was appended and when a training ends. All that Python asks follows the record.

    def __init__(self, rules: Mapping[str, str] | None = None) -> None:
        self.rules = dict(rules or {})
        # The epochs that are over, and those that the engine writes: one attribute, so that they change together.
        self._record: tuple[list[_Block], _Followed | None] = [], None

    @property
    def epoch(self) -> list[int]:
        """The epochs recorded, counted from 0."""
        return list(range(len(self._logs)))

    @property
    def history(self) -> dict[str, list[float]]:
        """The same as a plain dict of its own."""
        logs = self._logs
        names = dict.fromkeys(name for each in logs for name in each)
        return {name: [each.get(name, math.nan) for each in logs] for name in names}

    def append(self, logs: Mapping[str, float]) -> None:
        """Record the values of one more epoch, all or, on Ctrl-C, none."""
        self._record = [*self._blocks, _block(logs)], None
        self._store()

    @property
    def _blocks(self) -> list[_Block]:
        """The values of every epoch, with those that the engine has written by now."""
        closed, followed = self._record
        done = 0 if followed is None else int(followed.cursor[0]) - followed.begin
        return closed if followed is None or done <= 0 else [*closed, followed.block(done)]

    @property
    def _logs(self) -> list[dict[str, float]]:
        return [dict(zip(names, row, strict=True)) for names, rows in self._blocks for row in rows.tolist()]

    def _follow(self, cursor: NDArray[Any], *tables: tuple[Sequence[str], NDArray[Any]]) -> None:
        """Record what the engine writes as the epoch that `cursor` counts goes up: names, values (epochs, names)."""
        blocks = tuple(_Block(tuple(names), values) for names, values in tables)
        self._record = self._blocks, _Followed(blocks, cursor, int(cursor[0]))

    def _extend(self, other: "History") -> None:
        """Record the epochs of another history too; `_store` is to follow."""
        self._record = [*self._blocks, *other._blocks], None

    def _extend_last(self, logs: Mapping[str, float]) -> dict[str, float]:
        """Add values to those of the last epoch, and return all of them."""
        *blocks, (names, rows) = self._blocks
        last = dict(zip(names, rows[-1].tolist(), strict=True)) | dict(logs)
        if len(rows) > 1:
            blocks.append(_Block(names, rows[:-1]))
        self._record = [*blocks, _block(last)], None
        stored = dict.items(self)
        if blocks and {name for name, values in stored if len(values) == len(blocks)} == set(last):
            for name, values in stored:
                values.append(float(last[name]))
        else:
            self._store()
        return last

    def _store(self) -> None:
        """Copy the record into the dict itself."""
        dict.update(self, self.history)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Copy the record into the dict itself at the end, whatever that is."""
        try:
            yield
        finally:
            self._store()

    def __getitem__(self, name: str) -> list[float]:
        return self.history[name]

    def __contains__(self, name: object) -> bool:
        return name in self.history

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self.history)

    def __len__(self) -> int:
        return len(self.history)

    def __eq__(self, other: object) -> bool:
        return self.history == (other.history if isinstance(other, History) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # as that of every dict

    def __or__(self, other: Any) -> Any:  # noqa: ANN401  whatever a dict takes
        return self.history | other

    def __ror__(self, other: Any) -> Any:  # noqa: ANN401
        return other | self.history

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return the values of one quantity, or `default` if it was not recorded."""
        return self.history.get(name, default)

    def keys(self) -> Any:  # noqa: ANN401  the views of a dict, whose types have no names
        """Return the names of what was recorded."""
        return self.history.keys()

    def values(self) -> Any:  # noqa: ANN401
        """Return the values of each quantity."""
        return self.history.values()

    def items(self) -> Any:  # noqa: ANN401
        """Return the name and the values of each quantity."""
        return self.history.items()

    def copy(self) -> dict[str, list[float]]:
        """Return the record as a plain dict."""
        return self.history

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a History is written by `fit` and `append` only: change a copy, history.history")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]

    def __getstate__(self) -> object:
        blocks = [_Block(names, rows.copy()) for names, rows in self._blocks]
        return copies.attributes_of(self, instead={"_record": (blocks, None)})

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)
        self._store()

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        return f"<History of {len(self._logs)} epochs{': ' + last if last else ''}>"

    def plot(self, names: Iterable[str] | None = None, *, log: bool | None = None, ax: Any = None) -> "HistoryDisplay":  # noqa: ANN401
        """Draw the curves of what was recorded, with matplotlib.

        Parameters
        ----------
        names : iterable of str, optional
            What to draw; everything by default, and with `ax` the losses.
        log : bool, optional
            Whether the scale of the losses is logarithmic; by default where they span a factor of 20.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        HistoryDisplay
            With the attributes `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        TypeError, ValueError
            If nothing was recorded, a name is unknown, or ax is no axes.
        """
        with no_fork:
            from mlpcore import plot
        return plot.HistoryDisplay.from_history(self, names, log=log, ax=ax)

    def _repr_html_(self) -> str:
        with no_fork:
            from mlpcore import reprs
        return reprs.history(self)
