"""What all schedules have in common, and a function of the epoch as one."""

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore import _core, catalogue, checks
from mlpcore.engine import ScheduleState

_WHOLE = ("length", "growth", "cycles", "patience")  # constants that count something


class FitLength(NamedTuple):
    """How long a fit is.

    Attributes
    ----------
    steps, epochs : int
    """

    steps: int
    epochs: int


FIRST_STEP, EPOCHS = 0, 1  # places in the array of a schedule's progress


def new_progress(steps: int = 0, epochs: int = 0) -> NDArray[Any]:
    """Return the numbers of a schedule that begins after so many steps of the optimizer.

    They are those of ``mlp_schedule_progress`` in C: its first step, epochs since then, and for `ReduceOnPlateau` the
    factor by now, the best loss and the epochs since it.
    """
    return np.array([steps, epochs, 1, np.inf, 0], np.float64)


@dataclass(frozen=True)
class Schedule(ABC):
    """Base class of the schedules: checks the constants and computes rates.

    Parameters
    ----------
    learning_rate : float
        The largest rate, by which the schedule's numbers are multiplied.
    per : {"step", "epoch"}, default "step"
        What t counts.
    """

    learning_rate: float
    per: str = field(default="step", kw_only=True)

    _name: ClassVar[str]
    """The schedule's name in the catalogue."""

    def __post_init__(self) -> None:
        self._set("learning_rate", checks.real_number("learning_rate", self.learning_rate, at_least=0))
        if self.per not in ("step", "epoch"):
            raise ValueError(f"per is {self.per!r}, expected 'step' or 'epoch'")
        for hyper in catalogue.entry("schedules", self._name).hypers:
            value = getattr(self, hyper.name, None)
            if hyper.name in _WHOLE and value is not None:
                self._set(hyper.name, checks.whole_number(hyper.name, value, at_least=1, at_most=2**53))
            if value is not None:
                checks.hyper_value(hyper, value)
        minimum = getattr(self, "minimum", 0.0)
        if minimum > self.learning_rate:
            raise ValueError(f"minimum is {minimum}, expected at most the learning rate, {self.learning_rate}")

    def _set(self, name: str, value: float) -> None:
        object.__setattr__(self, name, value)

    def rate(self, t: int) -> float:
        """Return the rate at t, as a training would have it that has had no loss yet.

        Parameters
        ----------
        t : int
            Steps, or epochs, since the schedule began.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If t is no whole number >= 0, or the schedule has no `length` yet.
        """
        t = checks.whole_number("t", t, at_least=0, at_most=2**53)
        self._require_length()
        per_epoch = self._per_epoch
        state = self._state(new_progress(epochs=t if per_epoch else 0), None)
        return _core.schedule_rate(state, self._base(t if per_epoch else 0), 0 if per_epoch else t)

    # ------------------------------------------------------------------------------------------------- for optimizers

    @property
    def _per_epoch(self) -> bool:
        return self.per == "epoch"

    @property
    def _goes_over_the_fit(self) -> bool:
        """Whether its length is the fit's."""
        return getattr(self, "length", 0) is None

    @property
    def _watches_validation(self) -> bool:
        """Whether it needs the loss of validation data."""
        return False

    def _require_length(self) -> None:
        """Raise ValueError if only a fit tells how long it is."""
        if self._goes_over_the_fit:
            raise ValueError(
                f"{self!r} has no length, which only fit knows: give it, length=1000 for so many "
                f"{'epochs' if self._per_epoch else 'steps'}"
            )

    @property
    def _runs_python(self) -> bool:
        """Whether a function of Python gives the rate of each epoch."""
        return False

    def _base(self, epoch: int) -> float:
        """Return the learning rate that the engine gets, the largest from this epoch on."""
        return self.learning_rate

    def _constants(self) -> dict[str, Any]:
        """Return the values of the catalogue's constants."""
        names = [hyper.name for hyper in catalogue.entry("schedules", self._name).hypers]
        return {name: getattr(self, name) for name in names}

    def _state(self, progress: NDArray[Any], fit: FitLength | None) -> ScheduleState:
        """Return the schedule as the engine reads it, in a fit of this length."""
        if fit is not None and self._goes_over_the_fit:
            length = fit.epochs if self._per_epoch else fit.steps
            return replace(self, length=length)._state(progress, fit)  # type: ignore[call-arg]  # those that have one
        self._require_length()
        return ScheduleState((self._name, *self._constants().values()), self._per_epoch, 0, progress)


@dataclass(frozen=True)
class OfEpoch(Schedule):
    """A Python function of the epoch, which stands where a schedule can."""

    learning_rate: float = field(default=0.0, init=False, repr=False)
    per: str = field(default="epoch", init=False, repr=False)
    function: Callable[[int], float]

    _name: ClassVar[str] = "constant"  # within an epoch

    def rate(self, t: int) -> float:
        """Return the function's value for epoch t, checked."""
        return checks.real_number(f"learning_rate of epoch {t}", self.function(t), at_least=0)

    @property
    def _runs_python(self) -> bool:
        return True

    def _base(self, epoch: int) -> float:
        return self.rate(epoch)


Rate = float | Schedule | Callable[[int], float]
"""What an optimizer takes as its learning rate."""


def schedule_of(rate: object) -> Schedule | None:
    """Return the schedule that an argument is, be it as a function of the epoch; None if it is none."""
    if isinstance(rate, Schedule):
        return rate
    return OfEpoch(rate) if callable(rate) else None
