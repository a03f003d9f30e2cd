"""The record of a training: losses and accuracies, epoch by epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class _Block(NamedTuple):
    """Epochs one after the other: a row (epochs, names) for each."""

    names: tuple[str, ...]
    rows: NDArray[Any]


class History(Mapping[str, list[float]]):
    """The record of one `fit`: a mapping from a quantity's name to its value after each epoch.

    Its keys are "loss", and "accuracy" for the losses that have one, both weighted means over the epoch's samples, each
    taken before its batch's update; with validation data also "val_loss" and "val_accuracy", taken after the epoch. An
    epoch whose validation was interrupted has nan there.

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
        self._closed: list[_Block] = []
        self._open: tuple[_Block, NDArray[Any], int] | None = (
            None  # that the engine writes, its cursor, the first epoch
        )

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
        self._close()
        self._closed.append(_Block(tuple(logs), np.array([list(logs.values())], np.float64)))

    @property
    def _logs(self) -> list[dict[str, float]]:
        """Return the values of every epoch, with those that the engine has written by now."""
        return [
            dict(zip(names, row, strict=True))
            for names, rows in [*self._closed, *self._written()]
            for row in rows.tolist()
        ]

    def _follow(self, names: Sequence[str], scores: NDArray[Any], cursor: NDArray[Any]) -> None:
        """Record what the engine writes into `scores` (epochs, 2) as the epoch that `cursor` counts goes up."""
        self._close()
        self._open = _Block(tuple(names), scores[:, : len(names)]), cursor, int(cursor[0])

    def _close(self) -> None:
        """Keep what the engine has written; it writes no more."""
        self._closed, self._open = [*self._closed, *self._written()], None

    def _extend_last(self, logs: Mapping[str, float]) -> None:
        """Add values to those of the last epoch."""
        self._close()
        names, rows = self._closed[-1]
        last = dict(zip(names, rows[-1].tolist(), strict=True)) | dict(logs)
        done = [_Block(names, rows[:-1])] if len(rows) > 1 else []
        self._closed = [*self._closed[:-1], *done, _Block(tuple(last), np.array([list(last.values())], np.float64))]

    def _written(self) -> list[_Block]:
        if self._open is None:
            return []
        (names, scores), cursor, begin = self._open
        done = int(cursor[0]) - begin
        return [_Block(names, scores[:done])] if done else []

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

    def __getstate__(self) -> dict[str, Any]:
        self._close()
        return self.__dict__

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        return f"<History of {len(self._logs)} epochs{': ' + last if last else ''}>"
