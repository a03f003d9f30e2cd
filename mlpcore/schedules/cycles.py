"""Schedules made of cosines."""

from dataclasses import dataclass
from typing import ClassVar

from mlpcore.schedules.schedule import Schedule


@dataclass(frozen=True)
class Cosine(Schedule):
    """The rate falls to `minimum` by half a cosine (Loshchilov & Hutter 2017), and stays there or begins again.

    ::

        minimum + (learning_rate - minimum) * (1 + cos(pi * min(t, length) / length)) / 2

    PyTorch's CosineAnnealingLR (up to its length), Keras's CosineDecay. With restarts (SGDR) t begins at 0 again once
    it is `length`, which then is multiplied by `growth`: PyTorch's CosineAnnealingWarmRestarts, Keras's
    CosineDecayRestarts.

    Parameters
    ----------
    learning_rate : float
    length : int, optional
        In steps, or epochs; with restarts, of the first cycle. None: that of the fit.
    minimum : float, default 0.0
        From 0 to learning_rate.
    restarts : bool, default False
        Needs a length.
    growth : int, default 1
        What each cycle's length is multiplied by for the next.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> import mlpcore
    >>> [round(mlpcore.Cosine(0.1, length=4).rate(t), 6) for t in range(5)]
    [0.1, 0.085355, 0.05, 0.014645, 0.0]
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> x = [[0.0], [1.0], [2.0]]
    >>> history = model.fit(x, x, loss="mse", optimizer=mlpcore.Adam(mlpcore.Cosine(0.1)), epochs=4, progress=False)
    >>> [round(rate, 6) for rate in history["learning_rate"]]  # of each epoch's last step
    [0.1, 0.085355, 0.05, 0.014645]
    """

    length: int | None = None
    minimum: float = 0.0
    restarts: bool = False
    growth: int = 1

    _name: ClassVar[str] = "cosine"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.restarts and self.length is None:
            raise ValueError("restarts is True without a length, expected the length of the first cycle")
        if self.growth > 1 and not self.restarts:
            raise ValueError(f"growth is {self.growth} without restarts, expected restarts=True")


@dataclass(frozen=True)
class CosLog(Schedule):
    """The rate of RealMLP (Holzmüller et al. 2024): cycles that rise from 0 and fall, each twice as long as the last.

    ::

        learning_rate * (1 - cos(2 * pi * log2(1 + (2 ** cycles - 1) * min(t, length) / length))) / 2

    Parameters
    ----------
    learning_rate : float
        The rate at the top of each cycle.
    length : int, optional
        Of all cycles together, in steps or epochs. None: that of the fit.
    cycles : int, default 4
        From 1 to 63.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> from mlpcore import CosLog
    >>> [round(CosLog(0.04, length=15).rate(t), 6) for t in (0, 1, 3, 7, 15)]  # where the cycles begin and end
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """

    length: int | None = None
    cycles: int = 4

    _name: ClassVar[str] = "coslog"


@dataclass(frozen=True)
class OneCycle(Schedule):
    """The rate rises to `learning_rate` and falls far below where it began (Smith & Topin 2018).

    PyTorch's OneCycleLR, with its names and default values. Both ways are half a cosine::

        first = learning_rate / div_factor; last = first / final_div_factor; top = pct_start * length - 1
        t < top:  learning_rate + (first - learning_rate) * (1 + cos(pi * t / top)) / 2
        else:     last + (learning_rate - last) * (1 + cos(pi * min(1, (t - top) / (length - 1 - top)))) / 2

    The momentum stays as it is, which PyTorch changes too.

    Parameters
    ----------
    learning_rate : float
        The largest rate, PyTorch's max_lr.
    length : int, optional
        In steps, or epochs. None: that of the fit.
    pct_start : float, default 0.3
        The share of the length in which the rate rises, from 0 to below 1.
    div_factor, final_div_factor : float, default 25.0 and 1e4
        At least 1.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> from mlpcore import OneCycle
    >>> [round(OneCycle(0.1, length=10).rate(t), 6) for t in (0, 2, 9)]
    [0.004, 0.1, 0.0]
    """

    length: int | None = None
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    _name: ClassVar[str] = "one_cycle"
