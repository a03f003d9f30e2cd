"""A schedule that watches the loss."""

from dataclasses import dataclass, field
from typing import ClassVar

from mlpcore.schedules.schedule import Schedule


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """The rate is multiplied by `factor` when the loss has not become better for `patience` epochs.

    After each epoch: a loss below best - min_delta is the new best; `patience` epochs without one reduce the rate, and
    the count begins again. As Keras's ReduceLROnPlateau; PyTorch's waits one epoch more for the same patience.

    Parameters
    ----------
    learning_rate : float
    factor : float, default 0.1
        From 0 to below 1.
    patience : int, default 10
    min_delta : float, default 1e-4
        At least 0.
    minimum : float, default 0.0
        From 0 to learning_rate: no rate is smaller.
    monitor : {"loss", "val_loss"}, default "loss"
        The loss that is watched: of the training samples as `fit` records it, or of its validation data.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range. In `fit`: if monitor is "val_loss" and there are no validation data.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(1, trainable=False), mlpcore.Dense(1)], seed=1)
    >>> plateau = mlpcore.ReduceOnPlateau(0.5, factor=0.5, patience=2, min_delta=10.0)
    >>> x = [[0.0], [1.0]]
    >>> history = model.fit(x, x, loss="mse", optimizer=mlpcore.SGD(plateau), epochs=6, progress=False)
    >>> history["learning_rate"]
    [0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    """

    per: str = field(default="epoch", init=False, repr=False)
    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    minimum: float = 0.0
    monitor: str = "loss"

    _name: ClassVar[str] = "reduce_on_plateau"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.monitor not in ("loss", "val_loss"):
            raise ValueError(f"monitor is {self.monitor!r}, expected 'loss' or 'val_loss'")

    @property
    def validation(self) -> bool:
        """Whether the loss of validation data is watched."""
        return self.monitor == "val_loss"

    @property
    def _watches_validation(self) -> bool:
        return self.validation
