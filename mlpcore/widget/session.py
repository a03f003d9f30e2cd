"""The engine of the playground in a notebook: answers the front end's messages with numbers of `mlpcore`.

docs/playground/wasm_engine.js answers the same messages on a page without Python. A message is a dict with ``do`` and
what that takes:

========  ==================  ==========================================================================================
start     state               a new network with its first weights, and all that is drawn of it; steps are not taken
resume                        the network as it is, and all that is drawn of it
train     batches, row        so many batches
rate      rate                the learning rate from the next batch on
forward                       z and a of the next batch
backward                      phi, grad_w and grad_b of the batch, and the two factors of phi
update    row                 the step of the optimizer with them
frame     row                 what is drawn; with a row, that sample by itself too
look      row                 one sample by itself, forward and backward; nothing else changes
params                        all parameters, as they lie in the engine
========  ==================  ==========================================================================================
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import mlpcore
from mlpcore import _core, catalogue, kernels, targets
from mlpcore.engine import OptimizerState, Step, TrainSettings
from mlpcore.model import Sequential
from mlpcore.widget import state as states
from mlpcore.widget.messages import MOST_BATCHES, Message, parsed
from mlpcore.widget.state import OUTPUTS, State
from mlpcore.widget.tasks import Given, given, task_of
from mlpcore.widget.words import GRID, SPREAD, words

Array = NDArray[Any]


class Session:
    """A network that messages train and look at. Several threads may use it: each message is answered by itself.

    Parameters
    ----------
    model, X, y, loss
        As in `Playground`.
    state : str, optional
        Where to begin: the text of a `State`.

    Attributes
    ----------
    state : State

    Raises
    ------
    TypeError, ValueError
        If what is given cannot be shown, or the state is none.

    Examples
    --------
    >>> from mlpcore.widget.session import Session
    >>> session = Session(state="data=circle&layers=4&seed=3")
    >>> session.ask({"do": "train", "batches": 500})["accuracy"] > 0.9
    True
    >>> session.ask({"do": "look", "row": 0})["layers"][0]["phi"].shape
    (4,)
    """

    def __init__(
        self,
        model: object = None,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        loss: str | None = None,
        state: str | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._state: State
        nothing = model is None and X is None and y is None and loss is None
        self._given: Given | None = None if nothing else given(model, X, y, loss)
        first = State() if self._given is None else self._given.state
        self.reproduce(str(first) if state is None else state)

    def ask(self, message: object) -> Message:
        """Answer a message.

        Parameters
        ----------
        message : dict

        Returns
        -------
        dict
            With arrays of numbers; or with nothing but ``error``, a sentence, if the message is refused, which changes
            nothing.
        """
        with self._lock:
            try:
                do, arguments = parsed(message)
                return self._answers[do](self, **arguments)
            except (TypeError, ValueError) as error:
                return {"error": str(error)}

    def reproduce(self, state: str) -> None:
        """Begin anew, and train as far as a state says.

        Raises
        ------
        TypeError, ValueError
            If it is no state, or needs what was not given. Nothing has changed then.
        """
        with self._lock:
            wanted = states.parse(state)
            self._begin(wanted)
            while self._state.steps < wanted.steps:
                self._train_batches(min(MOST_BATCHES, wanted.steps - self._state.steps))

    @property
    def model(self) -> Sequential:
        """A copy of the model as it is now."""
        with self._lock:
            return copy.deepcopy(self._model)

    @property
    def state(self) -> State:
        """What the playground is doing, with the batches that were trained on."""
        with self._lock:
            return self._state

    # ------------------------------------------------------------------------------------------------------- messages

    def _start(self, state: str) -> Message:
        self._begin(states.parse(state))
        return self._resume()

    def _resume(self) -> Message:
        sizes = [self._model.input_size, *(layer.units for layer in self._model.layers)]
        return {
            "words": words(),
            "state": str(self._state),
            "sizes": sizes,
            "activations": [layer.activation for layer in self._model.layers],
            "loss_name": self._loss,
            "n": len(self._task.X),
            "batches": -(-len(self._task.X) // self._batch),
            "x": self._task.X.ravel(),
            "y": self._task.y.ravel(),
            "ranges": self._task.ranges,
            "scale": self._task.scale,
            "given": self._given is not None,
            "phase": self._phase,
        } | self._frame(losses=self._losses)

    def _train(self, batches: int, row: int | None = None) -> Message:
        self._check_phase("train", "update")
        return self._frame(row, self._train_batches(batches))

    def _set_rate(self, rate: float) -> Message:
        now = self._state.steps
        kept = tuple(each for each in self._state.rate if each[0] < now)
        self._state = _with(self._state, rate=(*kept, (now, rate)))
        return {"rate": [list(each) for each in self._state.rate]}

    def _forward(self) -> Message:
        self._check_phase("forward", "update")
        self._take_batch()
        self._phase = "forward"
        return self._view(self._model, self._rows_of(self._task.y), backward=False) | self._batch_head()

    def _backward(self) -> Message:
        self._check_phase("backward", "forward")
        y = self._rows_of(self._task.y)
        self._batch_loss = self._model.backward(y, loss=self._loss)
        self._phase = "backward"
        return self._view(self._model, y) | self._batch_head() | {"loss": self._batch_loss}

    def _update(self, row: int | None = None) -> Message:
        self._check_phase("update", "backward")
        return self._frame(row, self._take_step())

    def _frame(self, row: int | None = None, losses: list[float] | None = None) -> Message:
        net, (x1, x2) = self._model._built(), self._task.ranges
        grid = net.predict(self._lattice(x1, x2, GRID, row))
        self._probe._built().params[...] = net.params
        self._probe.forward(self._lattice(x1, x2, SPREAD, row))
        layers = [
            {"w": layer.w.T.ravel(), "b": layer.b.copy(), "spread": probe.a.ravel().copy()}
            for layer, probe in zip(self._model.layers, self._probe.layers, strict=True)
        ]
        rule = targets.accuracy_rule(self._loss, self._task.y)
        loss, accuracy = net.loss(self._task.X, self._task.y, self._loss, rule)
        look = {} if row is None else {"look": self._look(row)}
        return {
            "steps": self._state.steps,
            "losses": losses or [],
            "loss": loss,
            "accuracy": None if rule is None else accuracy,
            "layers": layers,
            "grid": grid.ravel(),
        } | look

    def _look(self, row: int) -> Message:
        self._check_row(row)
        self._probe._built().params[...] = self._model._built().params
        x, y = self._task.X[row : row + 1], self._task.y[row : row + 1]
        self._probe.forward(x)
        loss = self._probe.backward(y, loss=self._loss)
        return self._view(self._probe, y) | {"row": row, "n": 1, "loss": loss}

    def _params(self) -> Message:
        return {"params": self._model._built().params.copy()}

    _answers: dict[str, Callable[..., Message]] = {  # noqa: RUF012  of the class, and never changed
        "start": _start,
        "resume": _resume,
        "train": _train,
        "rate": _set_rate,
        "forward": _forward,
        "backward": _backward,
        "update": _update,
        "frame": _frame,
        "look": _look,
        "params": _params,
    }

    # --------------------------------------------------------------------------------------------------------- batches

    def _begin(self, state: State) -> None:
        """Take a new network with its first weights. Raises before anything has changed."""
        task = task_of(state, self._given)
        optimizer = _optimizer_of(state)
        self._task, self._model, self._optimizer = task, task.model, optimizer
        self._probe = copy.deepcopy(task.model)
        self._loss = OUTPUTS[state.output][1]
        self._batch = min(state.batch, len(task.X))
        self._phase, self._loss_sum, self._seen, self._epoch = "update", 0.0, 0, 0
        self._losses: list[float] = []
        self._state = _with(state, steps=0, equation=0)

    def _take_batch(self) -> None:
        if self._seen == 0:
            self._order = epoch_order(len(self._task.X), self._model.seed, self._epoch)
        self._model.forward(self._rows_of(self._task.X), training=True)

    def _train_batches(self, batches: int) -> list[float]:
        """Return the losses of the epochs that end."""
        losses = []
        for _ in range(batches):
            self._take_batch()
            self._batch_loss = self._model.backward(self._rows_of(self._task.y), loss=self._loss)
            losses += self._take_step()
        return losses

    def _rows_of(self, array: Array) -> Array:
        return array[self._order[self._seen : self._seen + self._batch]]

    def _take_step(self) -> list[float]:
        """Take the optimizer's step; return the loss of the epoch if it has ended, as `History` has it."""
        rate = self._state.rate_at(self._state.steps)
        if self._optimizer.learning_rate != rate:
            self._optimizer.learning_rate = rate
        self._model.update(self._optimizer)
        rows = len(self._rows_of(self._order))
        self._loss_sum += rows * self._batch_loss
        self._seen += rows
        self._phase = "update"
        self._state = _with(self._state, steps=self._state.steps + 1)
        if self._seen < len(self._task.X):
            return []
        loss = self._loss_sum / self._seen
        self._losses.append(loss)
        self._epoch += 1
        self._seen, self._loss_sum, self._model.epochs_trained = 0, 0.0, self._epoch
        return [loss]

    def _batch_head(self) -> Message:
        rows = self._rows_of(self._order)
        return {"row": int(rows[0]), "n": len(rows)}

    def _check_phase(self, do: str, after: str) -> None:
        if self._phase != after:
            raise ValueError(f"do is {do!r} after {self._phase!r}, expected {after!r} before it")

    def _check_row(self, row: int) -> None:
        if row >= len(self._task.X):
            raise ValueError(f"row is {row}, expected less than the number of samples, {len(self._task.X)}")

    # --------------------------------------------------------------------------------------------------------- numbers

    def _lattice(self, x1: list[float], x2: list[float], side: int, row: int | None) -> Array:
        """Return side x side points of the plane, row by row from the top left; other columns are those of a sample."""
        if row is not None:
            self._check_row(row)
        share = (2 * np.arange(side) + 1) / side - 1
        across, down = ((low + high) / 2 + (high - low) / 2 * share for low, high in (x1, x2))
        rows = np.repeat(self._task.X[row or 0][None], side * side, axis=0)
        rows[:, 0], rows[:, 1] = np.tile(across, side), np.repeat(down[::-1], side)
        return rows

    def _view(self, model: Sequential, y: Array, *, backward: bool = True) -> Message:
        """Return the first row of a batch, layer by layer."""
        views = [{"x": layer.x[0].copy(), "z": layer.z[0].copy(), "a": layer.a[0].copy()} for layer in model.layers]
        if backward:
            for j, (layer, view) in enumerate(zip(model.layers, views, strict=True)):
                if j + 1 < len(views):
                    above = model.layers[j + 1]
                    grad_a = kernels.dense_backward(above.phi, above.x, above.w)[0]
                else:
                    grad_a = kernels.loss_gradient(self._loss, layer.a, y)
                dsigma = kernels.activation_backward(layer.activation, layer.z, np.ones_like(layer.z))
                view |= {"dsigma": dsigma[0], "grad_a": grad_a[0], "phi": layer.phi[0].copy()}
                view |= {"grad_w": layer.grad_w.T.ravel(), "grad_b": layer.grad_b.copy()}
        return {"layers": views, "y": y[0].copy()}


def epoch_order(n: int, seed: int, epoch: int) -> NDArray[np.intp]:
    """Return the order in which `fit` takes n rows in an epoch, as the only batch of a net without step shows it."""
    net = _core.Net(1, [Step("dense", units=1)], "float64")
    rows = np.arange(n, dtype=np.float64)[:, None]
    rule = OptimizerState("sgd", (0.0, 0.0, 0.0, 0.0), (None,), np.zeros(1, np.int64))
    settings = TrainSettings(
        loss="mse",
        metric=None,
        optimizer=rule,
        batch_size=n,
        shuffle=True,
        seed=seed,
        epochs=1,
        mean_weight=0.0,
        cursor=np.array([epoch, 0], np.int64),
        scores=np.empty((1, 2)),
        progress=None,
        resume=False,
    )
    net.train(rows, rows, None, settings)
    return net.value(0)[:, 0].astype(np.intp)


def _optimizer_of(state: State) -> Any:  # noqa: ANN401  the base class has no learning rate
    name = catalogue.entry("optimizers", state.optimizer).class_name
    assert name is not None
    return getattr(mlpcore, name)(learning_rate=state.rate_at(0))


def _with(state: State, **changes: Any) -> State:  # noqa: ANN401  of the fields
    return State(**(vars(state) | changes))
