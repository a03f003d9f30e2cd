"""A linear rise before any schedule."""

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, ClassVar

from numpy.typing import NDArray

from mlpcore import checks
from mlpcore.engine import ScheduleState
from mlpcore.schedules.cycles import CosLog
from mlpcore.schedules.schedule import FitLength, Schedule, schedule_of


@dataclass(frozen=True)
class _Constant(Schedule):
    """The number that `Warmup` rises to."""

    _name: ClassVar[str] = "constant"


@dataclass(frozen=True)
class Warmup(Schedule):
    """Before a schedule begins, the rate rises to its first: ``schedule.rate(0) * (t + 1) / steps`` while t < steps.

    (Goyal et al. 2017.) A schedule that counts steps begins after these; one that counts epochs counts them from the
    start, and its rate is multiplied by (t + 1) / steps meanwhile. A length that is the fit's is what then remains.

    Parameters
    ----------
    schedule : Schedule, float or callable
        What comes then; a number stays as it is.
    steps : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range, or the schedule begins at 0 by itself, as `CosLog` does.

    Examples
    --------
    >>> from mlpcore import Cosine, Warmup
    >>> [round(Warmup(Cosine(0.1, length=4), steps=2).rate(t), 6) for t in range(7)]
    [0.05, 0.1, 0.1, 0.085355, 0.05, 0.014645, 0.0]
    """

    learning_rate: float = field(default=0.0, init=False, repr=False)
    per: str = field(default="step", init=False, repr=False)
    schedule: "Schedule | float | Callable[[int], float]"
    steps: int

    def __post_init__(self) -> None:
        inner = schedule_of(self.schedule)
        if inner is None and (isinstance(self.schedule, bool) or not isinstance(self.schedule, Real)):
            raise TypeError(f"schedule is {self.schedule!r}, expected a Schedule, a number or a function of the epoch")
        if isinstance(inner, Warmup | CosLog):
            raise TypeError(f"schedule is {inner!r}, expected one that does not rise from 0 by itself")
        self._set("steps", checks.whole_number("steps", self.steps, at_least=1, at_most=2**53))
        self._set("learning_rate", self._then.learning_rate)

    @property
    def _then(self) -> Schedule:
        inner = schedule_of(self.schedule)
        return _Constant(self.schedule) if inner is None else inner  # type: ignore[arg-type]  # a number

    @property
    def _per_epoch(self) -> bool:
        return False

    @property
    def _goes_over_the_fit(self) -> bool:
        return self._then._goes_over_the_fit

    @property
    def _watches_validation(self) -> bool:
        return self._then._watches_validation

    @property
    def _runs_python(self) -> bool:
        return self._then._runs_python

    def _base(self, epoch: int) -> float:
        return self._then._base(epoch)

    def _state(self, progress: NDArray[Any], fit: FitLength | None) -> ScheduleState:
        if fit is not None and self._goes_over_the_fit and not self._then._per_epoch:
            if fit.steps <= self.steps:
                raise ValueError(
                    f"steps of Warmup is {self.steps}, expected fewer than the {fit.steps} steps of this fit: "
                    "the schedule comes after them"
                )
            fit = fit._replace(steps=fit.steps - self.steps)
        return self._then._state(progress, fit)._replace(warmup=self.steps)
