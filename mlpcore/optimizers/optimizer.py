"""What all optimizers have in common: checked hyperparameters, and a state that is kept for one model."""

import weakref
from abc import ABC
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlpcore import _core, catalogue, checks, copies
from mlpcore._core import Net
from mlpcore.engine import AccumulationState, AverageState, LBFGSState, OptimizerState, ScheduleState
from mlpcore.schedules.schedule import EPOCHS, FitLength, Schedule, new_progress, schedule_of

if TYPE_CHECKING:
    from mlpcore.layers.layer import Holder
    from mlpcore.model import Sequential


Claimed = OptimizerState | LBFGSState
"""An optimizer that belongs to a model, as the engine reads it."""

BATCH_SIZE = 32
"""How many samples a batch has if nothing is said."""

# Names in the state, beside those of the rule's arrays, which are identifiers.
_SUM, _WAITING, _AVERAGE, _AVERAGED = "sum of gradients", "gradients waiting", "average of weights", "steps averaged"
_MOST_MOMENTUM = 1 - 2.0**-25  # float32 takes what is nearer to 1 for 1


class Owner:
    """Stands for a model in the optimizers whose state is for it: model and optimizer hold the same object.

    They still do when they are copied or pickled together. An optimizer that is copied by itself holds an owner without
    a model, and is free.
    """

    def __init__(self, holder: "weakref.ref[Holder] | None" = None) -> None:
        self.holder = holder

    @property
    def net(self) -> Net | None:
        """The network of the model, which must not be training while the state is read; None if there is none."""
        holder = None if self.holder is None else self.holder()
        return None if holder is None or holder.bound is None else holder.bound.net

    def __reduce__(self) -> tuple[object, ...]:
        return Owner, ()


@dataclass(eq=False, repr=False)
class Optimizer(ABC):
    """Base class of the optimizers: checks hyperparameters and keeps the state, which belongs to one model.

    Parameters
    ----------
    clip_value : float, optional
        The largest absolute value that a component of the gradient may have: larger ones are cut off.
    clip_norm : float, optional
        The largest norm that the whole gradient may have: a longer one is shortened to it. Clipping comes before the
        penalties of layers are added.
    gradient_accumulation_steps : int, optional
        How many batches make one step, which is taken with the mean of their gradients: as if a batch were so many
        times as large, with the memory of one (weights of samples aside, and moments of `BatchNorm`). Batches left over
        at the end of an epoch, or of a call, wait for those of the next, as in Keras. Where a batch completes a step,
        the gradients that its layers show afterwards are the mean. Clipping is of the mean; schedules count steps.
    use_ema : bool, default False
        Whether to follow the weights by their exponential moving average, which takes their place when `fit` ends::

            average = ema_momentum * average + (1 - ema_momentum) * w       after each step; after the first: w

        While `fit` runs, batches and validation have the weights themselves, as in Keras. A `fit` that an error or
        Ctrl-C ends leaves them; so do `partial_fit` and `update`, after which `overwrite_with_average` gives the model
        its average. Training goes on from the weights that the model has, and the average with it. Layers that are not
        trained, and running means of `BatchNorm`, are not averaged.
    ema_momentum : float, default 0.99
        From 0 to below 1.
    ema_overwrite_frequency : int, optional
        The average takes the place of the weights after every so many steps too.
    """

    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)
    gradient_accumulation_steps: int | None = field(default=None, kw_only=True)
    use_ema: bool = field(default=False, kw_only=True)
    ema_momentum: float = field(default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = field(default=None, kw_only=True)
    _owner: Owner | None = field(default=None, init=False, repr=False)
    _state: dict[str, NDArray[Any]] = field(default_factory=dict, init=False, repr=False)

    _name: ClassVar[str]
    """The optimizer's name in the catalogue."""

    def __post_init__(self) -> None:
        self._check()

    def __setattr__(self, name: str, value: object) -> None:
        own = "_name" in vars(type(self))  # a subclass may have attributes of its own
        if own and name not in self.__dataclass_fields__ and not name.startswith("_"):
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}, expected one of its hyperparameters "
                f"{', '.join(map(repr, [*(hyper.name for hyper in self._entry().hypers), *self._options()]))}"
            )
        if name == "learning_rate" and "schedule" in self.__dict__.get("_state", {}):  # what is assigned begins anew
            object.__setattr__(self, "_state", {key: each for key, each in self._state.items() if key != "schedule"})
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = {hyper.name: getattr(self, hyper.name) for hyper in self._entry().hypers}
        if shown.get("weight_decay") == 0:
            del shown["weight_decay"]
        given = [f"{name}={value!r}" for name, value in (shown | self._options(only_chosen=True)).items()]
        return f"{type(self).__name__}({', '.join(given)})"

    @classmethod
    def _entry(cls) -> catalogue.Entry:
        return catalogue.entry("optimizers", cls._name)

    def _options(self, only_chosen: bool = False) -> dict[str, object]:
        """Return by name what every optimizer can be told, or only what differs from the default."""
        options = {each.name: (getattr(self, each.name), each.default) for each in fields(Optimizer) if each.init}
        return {name: value for name, (value, default) in options.items() if not only_chosen or value != default}

    def _clipping(self) -> dict[str, float | None]:
        return {"clip_value": self.clip_value, "clip_norm": self.clip_norm}

    @property
    def _schedule(self) -> Schedule | None:
        """The schedule of the learning rate; None where that is a number."""
        return schedule_of(getattr(self, "learning_rate", None))

    def _numbers(self) -> dict[str, float]:
        """Return the hyperparameters as numbers: of a schedule the largest rate, if it is known beforehand."""
        numbers = {hyper.name: getattr(self, hyper.name) for hyper in self._entry().hypers}
        schedule = self._schedule
        return numbers if schedule is None else numbers | {"learning_rate": schedule.learning_rate}

    def _check(self, dtype: str | None = None) -> None:
        """Raise if a hyperparameter is out of its range, or, where it is known, the model's dtype cannot hold it."""
        for hyper in self._entry().hypers:
            if hyper.name == "learning_rate" and self._schedule is not None:
                continue  # it has checked itself
            self._set_checked(hyper.name, checks.hyper_value(hyper, getattr(self, hyper.name)))
        self._check_options()
        if dtype is not None:
            self._check_in(dtype)

    def _check_options(self) -> None:
        for name, limit in self._clipping().items():
            if limit is not None:
                self._set_checked(name, checks.real_number(name, limit, above=0))
        for name in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
            count = getattr(self, name)
            if count is not None:
                self._set_checked(name, checks.whole_number(name, count, at_least=1, at_most=2**53))
        self._set_checked("use_ema", checks.flag("use_ema", self.use_ema))
        momentum = checks.real_number("ema_momentum", self.ema_momentum, at_least=0, below=_MOST_MOMENTUM)
        self._set_checked("ema_momentum", momentum)
        if self.ema_overwrite_frequency is not None and not self.use_ema:
            raise ValueError(
                f"ema_overwrite_frequency is {self.ema_overwrite_frequency} with use_ema False, expected use_ema=True"
            )

    def _set_checked(self, name: str, value: float) -> None:
        if getattr(self, name) is not value:
            object.__setattr__(self, name, value)

    def _check_in(self, dtype: str) -> None:
        numbers = self._numbers()
        for hyper in self._entry().hypers:
            if dtype == "float32" and numbers[hyper.name] < hyper.least_float32:
                raise ValueError(
                    f"{hyper.name} is {numbers[hyper.name]}, expected a number >= {hyper.least_float32:g} "
                    "for a model of float32: smaller ones need dtype='float64'"
                )
        self._check_options_in(numbers, dtype)

    def _check_options_in(self, numbers: dict[str, float], dtype: str) -> None:
        """Raise if the dtype takes one of some numbers, or of those that every optimizer has, for 0 or infinity."""
        for name, value in (numbers | self._clipping() | {"ema_momentum": self.ema_momentum}).items():
            if value is not None:
                checks.require_held(name, value, dtype)

    @property
    def _steps(self) -> int:
        """How many steps it has taken with the state that it has."""
        return int(self._state["t"][0]) if "t" in self._state else 0

    @property
    def _waiting(self) -> int:
        """How many batches wait for the next step."""
        return int(self._state[_WAITING][0]) if _WAITING in self._state else 0

    def _steps_of(self, batches: int) -> int:
        """Return how many steps so many batches make."""
        together = self.gradient_accumulation_steps
        return batches if together is None else max((self._waiting + batches) // together, 1)

    def _require_free_for(self, model: "Sequential") -> None:
        if self._owner is not None and self._owner.holder is not None and self._owner is not model._owner:
            raise ValueError(f"optimizer {self!r} keeps the state of another model: make a new one for this model")

    def _check_for(self, model: "Sequential") -> None:
        """Raise if the optimizer cannot step this model: called before anything changes."""
        self._require_free_for(model)
        self._check(model.dtype)

    def _check_batch(self, batch_size: int, n: int) -> int:
        """Return how many of n samples a batch has."""
        return batch_size

    def _claim(self, model: "Sequential", params: NDArray[Any], fit: FitLength | None = None) -> Claimed:
        """Belong to `model` from now on, and return the optimizer as the engine reads it; called after `_check_for`.

        `fit`: the length of the fit that it takes part in.
        """
        return self._at_epoch(self._claim_with(model, self._state_for(params), fit), model.dtype)

    def _claim_with(self, model: "Sequential", state: dict[str, NDArray[Any]], fit: FitLength | None = None) -> Claimed:
        """Do what `_claim` does, with what `_state_for` returned."""
        self._state, self._owner = state, model._owner
        entry, numbers = self._entry(), self._numbers()
        schedule: ScheduleState | None = None
        if self._schedule is not None:
            schedule = self._schedule._state(state["schedule"], fit)
        return OptimizerState(
            name=entry.name,
            hypers=tuple(float(numbers[hyper.name]) for hyper in entry.hypers),
            states=tuple(state.get(name) for name in entry.states),
            t=state["t"],
            clip_value=self.clip_value,
            clip_norm=self.clip_norm,
            schedule=schedule,
            accumulation=self._accumulation(state),
            average=self._averaging(state),
        )

    def _accumulation(self, state: dict[str, NDArray[Any]]) -> AccumulationState | None:
        together = self.gradient_accumulation_steps
        return None if together is None else AccumulationState(together, state[_SUM], state[_WAITING])

    def _averaging(self, state: dict[str, NDArray[Any]]) -> AverageState | None:
        if not self.use_ema:
            return None
        return AverageState(self.ema_momentum, self.ema_overwrite_frequency or 0, state[_AVERAGE], state[_AVERAGED])

    def _at_epoch(self, state: Claimed, dtype: str) -> Claimed:
        """Return the optimizer with the learning rate that a function of Python gives for the epoch that begins."""
        schedule = self._schedule
        if not isinstance(state, OptimizerState) or state.schedule is None or schedule is None:
            return state
        if not schedule._runs_python:
            return state
        epoch = int(state.schedule.progress[EPOCHS])
        rate = schedule._base(epoch)
        checks.require_held(f"learning_rate of epoch {epoch}", rate, dtype)
        names = [hyper.name for hyper in self._entry().hypers]
        numbers = dict(zip(names, state.hypers, strict=True)) | {"learning_rate": rate}
        return state._replace(hypers=tuple(numbers.values()))

    def _state_for(self, params: NDArray[Any], begins_fit: bool = False) -> dict[str, NDArray[Any]]:
        """Return the count of steps and the arrays that the rule keeps, those that are new beginning as 0.

        `begins_fit`: a schedule that is as long as the fit begins anew.
        """
        entry = self._entry()
        state = dict(self._state)
        if "t" not in state:
            state["t"] = np.zeros(1, np.int64)
        for name, only_if in zip(entry.states, entry.states_if, strict=True):
            if name not in state and (only_if is None or getattr(self, only_if)):
                state[name] = _core.aligned_zeros(params.size, params.dtype.name)
        self._set_options_state(state, params)
        schedule = self._schedule
        if schedule is not None and ("schedule" not in state or (begins_fit and schedule._goes_over_the_fit)):
            state["schedule"] = new_progress(int(state["t"][0]))
        return state

    def _set_options_state(self, state: dict[str, NDArray[Any]], params: NDArray[Any]) -> None:
        """Give a state what accumulation and average keep, and nothing that is not kept any more."""
        for array, count, keeps in (
            (_SUM, _WAITING, self.gradient_accumulation_steps is not None),
            (_AVERAGE, _AVERAGED, self.use_ema),
        ):
            if keeps and array not in state:
                state[array] = _core.aligned_zeros(params.size, params.dtype.name)
                state[count] = np.zeros(1, np.int64)
            elif not keeps:
                state.pop(array, None)
                state.pop(count, None)

    def overwrite_with_average(self, model: "Sequential") -> None:
        """Put the moving average of the weights (use_ema) in their place, as `fit` does when it ends.

        Parameters
        ----------
        model : Sequential
            The one that the optimizer has trained.

        Raises
        ------
        RuntimeError
            If there is no average yet: without use_ema, or before a step.
        ValueError
            If it has trained another model.
        """
        self._require_free_for(model)
        if not self._has_average:
            raise RuntimeError("there is no average of the weights yet: give use_ema=True, and train the model first")
        model._built().set_trained(self._state[_AVERAGE])

    @property
    def _has_average(self) -> bool:
        return self.use_ema and _AVERAGED in self._state and int(self._state[_AVERAGED][0]) > 0

    def _end_fit(self, model: "Sequential") -> None:
        """Do what comes after the last epoch of a `fit`."""
        if self._has_average:
            self.overwrite_with_average(model)

    @property
    def _runs_python(self) -> bool:
        """Whether a function of Python gives the learning rate of each epoch."""
        return self._schedule is not None and self._schedule._runs_python

    def _observe(self, loss: float) -> None:
        """Show the loss of validation data to a schedule that watches it."""
        schedule = self._schedule
        if schedule is not None and schedule._watches_validation:
            _core.schedule_loss(schedule._state(self._state["schedule"], None), loss)

    def __getstate__(self) -> object:
        net = None if self._owner is None else self._owner.net
        return self._attributes() if net is None else net.read(self._attributes)

    def _attributes(self) -> object:
        state = {name: values.copy() for name, values in self._state.items()}
        return copies.attributes_of(self, instead={"_state": state})

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)
        self._state = {name: _aligned_copy(values) for name, values in self._state.items()}


def _aligned_copy(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype == np.int64:  # the count of steps, which the kernels do not read
        return values.copy()
    copy = _core.aligned_zeros(values.size, values.dtype.name)
    copy[...] = values
    return copy
