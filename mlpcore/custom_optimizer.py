"""Optimizers written in Python: a student's own rule, in `fit` beside those in C."""

from __future__ import annotations  # so that signatures show names

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore import network
from mlpcore.data import fill
from mlpcore.engine import OptimizerState
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import FitLength

if TYPE_CHECKING:
    from mlpcore.model import Sequential

Array = NDArray[Any]


class CustomOptimizer(Optimizer):
    """Base class of optimizers written in Python.

    A subclass says in `step` how the weights change. It is called once a batch, when all gradients are there, with all
    weights that are trained as one flat array. Its hyperparameters are attributes of its own; a subclass that has an
    `__init__` calls ``super().__init__()`` in it.

    What a layer asks for is done around the step, as for an optimizer in C: the gradient comes clipped and with the
    penalties l1 and l2, frozen layers are left out, and max_norm comes after it. The change of a layer's weights is
    multiplied by its learning_rate_factor. An exception in `step` ends the training and leaves weights and state as the
    last whole batch left them.

    Parameters
    ----------
    clip_value, clip_norm, gradient_accumulation_steps, use_ema, ema_momentum, ema_overwrite_frequency : optional
        As in `Optimizer`.

    Attributes
    ----------
    states : tuple of str
        Names of the arrays that the rule keeps: one number for each weight, 0 at first.

    Examples
    --------
    Momentum (Polyak 1964):

    >>> import mlpcore
    >>> class Momentum(mlpcore.CustomOptimizer):
    ...     states = ("velocity",)
    ...
    ...     def __init__(self, learning_rate):
    ...         super().__init__()
    ...         self.learning_rate = learning_rate
    ...
    ...     def step(self, w, grad, state, t):
    ...         state["velocity"] = 0.9 * state["velocity"] + grad
    ...         w -= self.learning_rate * state["velocity"]
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> history = model.fit([[1.0], [2.0]], [2, 4], "mse", optimizer=Momentum(0.1), epochs=100, progress=False)
    >>> history["loss"][-1] < 1e-3
    True
    """

    states: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def step(self, w: Array, grad: Array, state: dict[str, Array], t: int) -> None:
        """Change `w` in place by the gradient `grad`, both (P,); `state` holds the arrays of `states`, (P,) each.

        t = 1, 2, ... counts the steps. The arrays are the step's own: what it keeps of them never changes.
        """

    def __repr__(self) -> str:
        left_out = self._options().keys() - self._options(only_chosen=True).keys()
        own = {name: value for name, value in vars(self).items() if not name.startswith("_") and name not in left_out}
        given = [f"{name}={value!r}" for name, value in own.items() if value is not None]
        return f"{type(self).__name__}({', '.join(given)})"

    def _check(self, dtype: str | None = None) -> None:
        self._check_options()
        if dtype is not None:
            self._check_options_in({}, dtype)

    def _check_for(self, model: Sequential) -> None:
        if "_state" not in vars(self):
            raise TypeError(f"{type(self).__name__}.__init__ does not call super().__init__(), expected it to")
        for name in self.states if isinstance(self.states, tuple) else (None,):
            if not isinstance(name, str) or name == "t":
                raise TypeError(
                    f"{type(self).__name__}.states is {self.states!r}, expected a tuple of names other than 't'"
                )
        super()._check_for(model)

    def _state_for(self, params: Array, begins_fit: bool = False) -> dict[str, Array]:
        state = dict(self._state)
        state.setdefault("t", np.zeros(1, np.int64))
        for name in self.states:
            kept = state.setdefault(name, np.zeros(params.size, params.dtype))
            if (kept.shape, kept.dtype) != (params.shape, params.dtype):
                raise ValueError(
                    f"{name} of {self!r} has shape {kept.shape} and dtype {kept.dtype}, expected {params.shape} and "
                    f"{params.dtype}: make a new optimizer for this model"
                )
        self._set_options_state(state, params)
        return state

    def _claim_with(self, model: Sequential, state: dict[str, Array], fit: FitLength | None = None) -> OptimizerState:
        rule = _Rule(self, state, _segments(model))
        self._state, self._owner = state, model._owner
        return OptimizerState(
            name=rule,
            hypers=(),
            states=(),
            t=state["t"],
            accumulation=self._accumulation(state),
            average=self._averaging(state),
        )


class _Segment(NamedTuple):
    """How one parameter is trained, and where it lies in the flat arrays."""

    where: slice
    shape: tuple[int, int]  # inputs, units: as the weights of a dense layer lie
    trainable: bool
    factor: float
    l1: float
    l2: float
    max_norm: float


def _segments(model: Sequential) -> list[_Segment]:
    input_size = model.input_size
    assert input_size is not None
    segments, end = [], 0
    shapes = [shape for _, shape, _ in network.tensor_shapes(model.layers, input_size)]
    for shape, settings in zip(shapes, model._built().segments(), strict=True):
        begin, end = end, end + int(np.prod(shape))
        segments.append(_Segment(slice(begin, end), (int(np.prod(shape[1:])), shape[0]), *settings))
    return segments


class _Rule:
    """An optimizer with its state, as the engine calls it."""

    def __init__(self, optimizer: CustomOptimizer, state: dict[str, Array], segments: list[_Segment]) -> None:
        self.optimizer, self.state = optimizer, state
        self.segments = [segment for segment in segments if segment.trainable]
        self.trained: slice | NDArray[np.intp] = slice(None)
        if len(self.segments) < len(segments):
            places = [np.arange(segment.where.start, segment.where.stop) for segment in self.segments]
            self.trained = np.concatenate([np.arange(0), *places])

    def update_step(self, params: Array, grads: Array, t: int) -> tuple[tuple[Array, Array], ...]:
        """Return what all parameters and the state become by step t: pairs of an array and its new values.

        The engine copies them, when nothing can fail any more and no Ctrl-C can come between.
        """
        optimizer, trained = self.optimizer, self.trained
        after, own = params.copy(), {name: self.state[name][trained].copy() for name in optimizer.states}
        w, name = params[trained].copy(), f"{type(optimizer).__name__}.step"
        answer = optimizer.step(w, self._adjusted(grads, params)[trained].copy(), own, t)
        if answer is not None:
            raise TypeError(
                f"{name} returned {type(answer).__name__}, expected None: change w in place, as in w -= change"
            )
        if own.keys() != set(optimizer.states):
            raise ValueError(
                f"{name} left {sorted(own)} in state, expected {sorted(optimizer.states)}: what `states` names"
            )
        after[trained] = w
        self._finish(after, params)
        changed = [(params, after)]
        for key, values in own.items():
            view, whole = np.empty_like(w), self.state[key].copy()
            fill(f"{name} left in state[{key!r}]", view, values)
            whole[trained] = view
            changed.append((self.state[key], whole))
        return tuple(changed)

    def _adjusted(self, grads: Array, params: Array) -> Array:
        """Return the gradient, clipped, and with the penalties of the weights added."""
        adjusted = grads.copy()
        value, norm = self.optimizer.clip_value, self.optimizer.clip_norm
        if norm is not None:
            length = float(np.linalg.norm(grads[self.trained].astype(np.float64)))
            adjusted *= norm / length if length > norm else 1
        if value is not None:
            np.clip(adjusted, -value, value, out=adjusted)
        for where, _, _, _, l1, l2, _ in self.segments:
            if l1 or l2:
                adjusted[where] += l1 * np.sign(params[where]) + l2 * params[where]
        return adjusted

    def _finish(self, after: Array, before: Array) -> None:
        """Change weights that have been stepped as their layers ask for it."""
        for where, shape, _, factor, _, _, max_norm in self.segments:
            if factor != 1:
                after[where] = before[where] + factor * (after[where] - before[where])
            if max_norm:
                of_units = after[where].reshape(shape)
                lengths = np.linalg.norm(of_units.astype(np.float64), axis=0)
                of_units *= np.where(lengths > max_norm, max_norm / np.maximum(lengths, max_norm), 1).astype(
                    after.dtype
                )
