"""The record of a training: losses and accuracies, epoch by epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore import copies


class _Block(NamedTuple):
    """Epochs one after the other: a row (epochs, names) for each."""

    names: tuple[str, ...]
    rows: NDArray[Any]


class _Followed(NamedTuple):
    """Epochs from `begin` on that the engine writes, those before cursor[0] being there."""

    names: tuple[str, ...]
    scores: NDArray[Any]
    rates: NDArray[Any] | None
    metrics: _Block
    cursor: NDArray[Any]
    begin: int

    def block(self, done: int) -> _Block:
        """Return the first epochs, with their metrics, and their learning rates where these are recorded."""
        names, tables = (*self.names, *self.metrics.names), [self.scores, self.metrics.rows]
        if self.rates is not None:
            names, tables = (*names, "learning_rate"), [*tables, self.rates[:, np.newaxis]]
        return _Block(names, np.column_stack([table[:done] for table in tables]))


def _block(logs: Mapping[str, float]) -> _Block:
    return _Block(tuple(logs), np.array([list(logs.values())], np.float64))


class History(Mapping[str, list[float]]):
    """The record of one `fit`: a mapping from a quantity's name to its value after each epoch.

    Its keys are "loss", and "accuracy" for the losses that have one, both weighted means over the epoch's samples, each
    taken before its batch's update, and the `metrics` of `fit`, likewise; "learning_rate", that of the epoch's last
    step, if the optimizer's is a schedule; with validation data also "val_loss", "val_accuracy", ..., taken after the
    epoch. An epoch whose validation, or whose metrics, were interrupted has nan there.

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
        """The same as the mapping itself, as a plain dict."""
        return dict(self)

    def append(self, logs: Mapping[str, float]) -> None:
        """Record the values of one more epoch, all or, on Ctrl-C, none."""
        self._record = [*self._blocks, _block(logs)], None

    @property
    def _blocks(self) -> list[_Block]:
        """The values of every epoch, with those that the engine has written by now."""
        closed, followed = self._record
        done = 0 if followed is None else int(followed.cursor[0]) - followed.begin
        return closed if followed is None or done <= 0 else [*closed, followed.block(done)]

    @property
    def _logs(self) -> list[dict[str, float]]:
        return [dict(zip(names, row, strict=True)) for names, rows in self._blocks for row in rows.tolist()]

    def _follow(
        self,
        names: Sequence[str],
        scores: NDArray[Any],
        cursor: NDArray[Any],
        rates: NDArray[Any] | None = None,
        metrics: tuple[Sequence[str], NDArray[Any]] | None = None,
    ) -> None:
        """Record what the engine writes as the epoch that `cursor` counts goes up.

        `names` are those of the first columns of `scores` (epochs, 2); `metrics` are names and values (epochs, names).
        """
        more = _Block((), scores[:, :0]) if metrics is None else _Block(tuple(metrics[0]), metrics[1])
        followed = _Followed(tuple(names), scores[:, : len(names)], rates, more, cursor, int(cursor[0]))
        self._record = self._blocks, followed

    def _extend_last(self, logs: Mapping[str, float]) -> dict[str, float]:
        """Add values to those of the last epoch, and return all of them."""
        *blocks, (names, rows) = self._blocks
        last = dict(zip(names, rows[-1].tolist(), strict=True)) | dict(logs)
        if len(rows) > 1:
            blocks.append(_Block(names, rows[:-1]))
        self._record = [*blocks, _block(last)], None
        return last

    def __getitem__(self, name: str) -> list[float]:
        logs = self._logs
        if not any(name in each for each in logs):
            raise KeyError(name)
        return [each.get(name, math.nan) for each in logs]

    def __iter__(self) -> Iterator[str]:
        names: dict[str, None] = {}
        for logs in self._logs:
            names |= dict.fromkeys(logs)
        return iter(names)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getstate__(self) -> object:
        blocks = [_Block(names, rows.copy()) for names, rows in self._blocks]
        return copies.attributes_of(self, instead={"_record": (blocks, None)})

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        return f"<History of {len(self._logs)} epochs{': ' + last if last else ''}>"
