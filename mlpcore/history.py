"""What a training left behind: losses and accuracies, epoch by epoch."""

from collections.abc import Iterator, Mapping


class History(Mapping[str, list[float]]):
    """The record of one `fit`: a mapping from a quantity's name to its value after each epoch.

    Its keys are "loss", and "accuracy" for the losses that have one, both means over the epoch's samples, each taken
    before its batch's update; with validation data also "val_loss" and "val_accuracy", taken after the epoch.

    Attributes
    ----------
    epoch : list of int
        The epochs recorded, counted from 0.
    history : dict of str to list of float
        The same as the mapping itself, as a plain dict.

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
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def append(self, logs: Mapping[str, float]) -> None:
        """Record the values of one more epoch."""
        self.epoch.append(len(self.epoch))
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> list[float]:
        return self.history[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __len__(self) -> int:
        return len(self.history)

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.history.items())
        return f"<History of {len(self.epoch)} epochs{': ' + last if last else ''}>"
