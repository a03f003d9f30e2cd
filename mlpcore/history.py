"""What a training left behind: losses and accuracies, epoch by epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from mlpcore import copies


class _Followed(NamedTuple):
    """Scores that the engine writes, epoch by epoch from `begin` on."""

    names: Sequence[str]
    scores: NDArray[Any]
    cursor: NDArray[Any]
    begin: int

    def logs(self) -> list[dict[str, float]]:
        done = self.scores[: max(0, int(self.cursor[0]) - self.begin)]
        return [dict(zip(self.names, map(float, row), strict=False)) for row in done]


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
        # The epochs that are complete, and what the engine still writes: both in one, so that they change together.
        self._record: tuple[list[dict[str, float]], _Followed | None] = [], None

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
        self._record = [*self._logs, dict(logs)], None

    @property
    def _logs(self) -> list[dict[str, float]]:
        """The values of every epoch, with those that the engine has written by now."""
        closed, followed = self._record
        return closed if followed is None else closed + followed.logs()

    def _follow(self, names: Sequence[str], scores: NDArray[Any], cursor: NDArray[Any]) -> None:
        """Record what the engine writes into `scores` (epochs, 2) as the epoch that `cursor` counts goes up."""
        self._record = self._logs, _Followed(names, scores, cursor, int(cursor[0]))

    def _close_last(self) -> dict[str, float]:
        """Return the values of the last epoch, to which more can be added."""
        self._record = self._logs, None
        return self._record[0][-1]

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
        logs = [dict(each) for each in self._logs]
        return copies.attributes_of(self, instead={"_record": (logs, None)})

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        return f"<History of {len(self._logs)} epochs{': ' + last if last else ''}>"
