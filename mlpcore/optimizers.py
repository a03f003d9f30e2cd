"""The optimizers: their hyperparameters, and the state that they keep for one model.

The steps themselves are `mlpcore.kernels.sgd_step` and `mlpcore.kernels.adam_step`. An optimizer's hyperparameters are
attributes that may be changed between epochs, from a callback for example. No other attribute can be set, so that a
misspelt one is not ignored.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import _core, copies
from mlpcore.checks import flag, real_number

if TYPE_CHECKING:
    from mlpcore.model import Sequential


class Owner:
    """Stands for a model in the optimizers whose state is for it: model and optimizer hold the same object.

    They still do when they are copied or pickled together. An optimizer that is copied by itself holds an owner without
    a model, and is free.
    """

    def __init__(self, *, has_model: bool = False) -> None:
        self.has_model = has_model

    def __reduce__(self) -> tuple[object, ...]:
        return Owner, ()


@dataclass(eq=False)
class Optimizer(ABC):
    """What all optimizers share: they are checked, and their state belongs to one model."""

    _owner: Owner | None = field(default=None, init=False, repr=False)
    _state: dict[str, NDArray[Any]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._check()

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.__dataclass_fields__ and not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}, expected one of its hyperparameters "
                f"{', '.join(repr(each.name) for each in fields(self) if each.init)}"
            )
        object.__setattr__(self, name, value)

    @abstractmethod
    def _check(self) -> None:
        """Raise if a hyperparameter is not what it may be."""

    @abstractmethod
    def _recipe(self, params: NDArray[Any]) -> tuple[Any, ...]:
        """Return the optimizer as the engine reads it: its name, its hyperparameters and its state for `params`."""

    def _require_free_for(self, model: "Sequential") -> None:
        if self._owner is not None and self._owner.has_model and self._owner is not model._owner:
            raise ValueError(f"optimizer {self!r} keeps the state of another model: make a new one for this model")

    def _attach(self, model: "Sequential", params: NDArray[Any]) -> tuple[Any, ...]:
        """Belong to `model` from now on, and return the recipe for a pass over its parameters."""
        self._require_free_for(model)
        self._check()
        self._owner = model._owner
        return self._recipe(params)

    def _moment(self, name: str, params: NDArray[Any]) -> NDArray[Any]:
        """Return the state of that name, one number for each parameter, 0 at first."""
        if name not in self._state:
            self._state[name] = _core.aligned_zeros(params.size, params.dtype.name)
        return self._state[name]

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)
        self._state = {name: _aligned_copy(values) for name, values in self._state.items()}


@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    With grad = the gradient of a batch's loss and velocity = 0 at first::

        velocity = momentum * velocity + grad
        w -= learning_rate * velocity                       plain momentum (Polyak 1964)
        w -= learning_rate * (grad + momentum * velocity)   nesterov (as Sutskever et al. 2013)

    Parameters
    ----------
    learning_rate : float, default 0.01
    momentum : float, default 0.0
        From 0 (no velocity is kept) to below 1.
    nesterov : bool, default False
        Needs a momentum above 0.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False)
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def _check(self) -> None:
        self.learning_rate = real_number("learning_rate", self.learning_rate, at_least=0)
        self.momentum = real_number("momentum", self.momentum, at_least=0, below=1)
        self.nesterov = flag("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov is True with momentum 0.0, expected a momentum > 0")

    def _recipe(self, params: NDArray[Any]) -> tuple[Any, ...]:
        velocity = self._moment("velocity", params) if self.momentum else None
        return ("sgd", self.learning_rate, self.momentum, self.nesterov, velocity)


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with bias correction.

    With grad = the gradient of a batch's loss, m = v = 0 at first, and t = 1 for the first step::

        m = beta1 * m + (1 - beta1) * grad          m_hat = m / (1 - beta1^t)
        v = beta2 * v + (1 - beta2) * grad^2        v_hat = v / (1 - beta2^t)
        w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)

    Parameters
    ----------
    learning_rate : float, default 0.001
    beta1, beta2 : float, default 0.9 and 0.999
        From 0 to below 1.
    epsilon : float, default 1e-7
        At least 1e-30, so that it is no 0 in float32.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.Adam(learning_rate=0.01)
    Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-07)
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        self.learning_rate = real_number("learning_rate", self.learning_rate, at_least=0)
        self.beta1 = real_number("beta1", self.beta1, at_least=0, below=1)
        self.beta2 = real_number("beta2", self.beta2, at_least=0, below=1)
        self.epsilon = real_number("epsilon", self.epsilon, at_least=1e-30)

    def _recipe(self, params: NDArray[Any]) -> tuple[Any, ...]:
        steps = self._state.setdefault("t", np.zeros(1, np.int64))
        m, v = self._moment("m", params), self._moment("v", params)
        return ("adam", self.learning_rate, self.beta1, self.beta2, self.epsilon, m, v, steps)


NAMES: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam}


def optimizer_of(optimizer: "str | Optimizer") -> Optimizer:
    """Return the optimizer itself, or a new one with default hyperparameters if it comes as a name."""
    if not isinstance(optimizer, str):
        return optimizer_object(optimizer)
    if optimizer not in NAMES:
        raise ValueError(f"optimizer is {optimizer!r}, expected one of {', '.join(map(repr, NAMES))}")
    return NAMES[optimizer]()


def optimizer_object(optimizer: Optimizer) -> Optimizer:
    """Return the optimizer itself, for calls that go on where the last one ended: a name would begin anew each time."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is {optimizer!r}, expected an object such as mlpcore.Adam(), which keeps its state")
    return optimizer


def _aligned_copy(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype == np.int64:  # the count of steps, which the kernels do not read
        return values.copy()
    copy = _core.aligned_zeros(values.size, values.dtype.name)
    copy[...] = values
    return copy
