"""What a training left behind: losses and accuracies, epoch by epoch."""

from collections.abc import Iterator, Mapping


class History(Mapping[str, list[float]]):
    """The record of one `fit`: a mapping from a quantity's name to its value after each epoch.

    Its keys are "loss", and "accuracy" for the losses that have one, both means over the epoch's samples, each taken
    before its batch's update; with validation data also "val_loss" and "val_accuracy", taken after the epoch.

    Examples
    --------
    >>> from mlpcore import History
    >>> history = History()
    >>> history.append({"loss": 0.5})
    >>> history.append({"loss": 0.25})
    >>> history["loss"], history.epoch
    ([0.5, 0.25], [0, 1])
    """

    def __init__(self) -> None:
        self._logs: list[dict[str, float]] = []

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
        self._logs.append(dict(logs))

    def __getitem__(self, name: str) -> list[float]:
        if not self._logs:
            raise KeyError(name)
        return [logs[name] for logs in self._logs]

    def __iter__(self) -> Iterator[str]:
        return iter(self._logs[0] if self._logs else ())

    def __len__(self) -> int:
        return len(self._logs[0]) if self._logs else 0

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        return f"<History of {len(self._logs)} epochs{': ' + last if last else ''}>"
