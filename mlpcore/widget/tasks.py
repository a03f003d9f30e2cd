"""What a playground trains: a model and samples, from a state alone or from what a `Playground` was given."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import mlpcore
from mlpcore import catalogue, checks, targets
from mlpcore.layers import Dense
from mlpcore.model import Sequential
from mlpcore.widget import points
from mlpcore.widget.state import GIVEN, LOWEST, MOST_LAYERS, MOST_UNITS, OUTPUTS, State, hidden_activations

Array = NDArray[Any]
MOST_ROWS, MOST_INPUTS = 5000, 16


@dataclass(frozen=True)
class Given:
    """The model, X and y that a `Playground` was given: a copy of the model, and checked samples.

    y has a row for each sample, (n, out), with a 1 in the place of its class where there are classes.
    """

    model: Sequential
    X: Array
    y: Array
    output: str

    @property
    def state(self) -> State:
        """What a playground does that begins with them."""
        hidden = self.model.layers[:-1]
        return State(
            data=GIVEN,
            start=GIVEN,
            layers=tuple(layer.units for layer in hidden),
            activation=hidden[0].activation if hidden else State.activation,
            output=self.output,
            batch=min(State.batch, len(self.X)),
            seed=min(self.model.seed, 2**32 - 1),
        )


@dataclass(frozen=True)
class Task:
    """A model with first weights, and the samples that it is trained on."""

    model: Sequential
    X: Array
    y: Array
    ranges: list[list[float]]  # of the first two columns, as far as pictures go
    scale: list[float]  # the values of an output that are drawn in the two colours


def given(model: object, X: ArrayLike | None, y: ArrayLike | None, loss: str | None) -> Given:
    """Check what a `Playground` is given.

    Raises
    ------
    TypeError, ValueError
        If it is no model of dense layers that a playground can show, or samples do not fit it.
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"model is {model!r}, expected a Sequential of Dense layers")
    if X is None or y is None:
        raise TypeError(
            f"{'X' if X is None else 'y'} is missing, expected samples for the model: Playground(model, X, y)"
        )
    own = copy.deepcopy(model)
    _check_layers(own)
    output = _output_of(own, loss)
    rows = checks.rows_of("X", X, own.input_size, own.dtype)
    if not 2 <= rows.shape[1] <= MOST_INPUTS or len(rows) > MOST_ROWS:
        raise ValueError(
            f"X has shape {rows.shape}, expected at most {MOST_ROWS} rows and from 2 to {MOST_INPUTS} columns: the "
            "first two are the axes of the picture"
        )
    out = own.layers[-1].units
    target = checks.targets_of("y", y, OUTPUTS[output][1], len(rows), out, own.dtype)
    own.forward(rows[:1])  # now it has weights
    own.epochs_trained = 0
    return Given(own, rows, targets.one_hot(target, out) if target.ndim == 1 else target, output)


def _check_layers(model: Sequential) -> None:
    names = hidden_activations()
    for j, layer in enumerate(model.layers):
        where, last = f"layers[{j}] of model", j + 1 == len(model.layers)
        if not isinstance(layer, Dense) or not layer.use_bias:
            raise ValueError(f"{where} is {layer._expression()}, expected a Dense with b: others are not shown")
        if layer.units > MOST_UNITS:
            raise ValueError(f"{where} has {layer.units} units, expected at most {MOST_UNITS}")
        first = model.layers[0].activation
        if not last and (layer.activation not in names or layer.activation != first):
            expected = f"{first!r} as the first layer" if first in names else f"one of {', '.join(names)}"
            raise ValueError(f"{where} has activation {layer.activation!r}, expected {expected}")
    if len(model.layers) > MOST_LAYERS + 1:
        raise ValueError(f"model has {len(model.layers)} layers, expected at most {MOST_LAYERS + 1}")


def _output_of(model: Sequential, loss: str | None) -> str:
    """Return the name of the output activation with its loss: the first that fits."""
    sigma = model.layers[-1].activation
    if loss is not None:
        loss = catalogue.resolve("losses", "loss", loss).name
    for name, pair in OUTPUTS.items():
        if pair[0] == sigma and loss in (None, pair[1]):
            return name
    pairs = ", ".join(f"{a} with {b}" for a, b in OUTPUTS.values())
    raise ValueError(f"the model ends with {sigma!r}, and loss is {loss!r}, expected one of these: {pairs}")


def task_of(state: State, own: Given | None) -> Task:
    """Return what a state describes.

    Raises
    ------
    ValueError
        If it needs a model or data that nobody has given, or they do not fit together.
    """
    if GIVEN in (state.data, state.start) and own is None:
        raise ValueError(f"data={state.data}&start={state.start} needs what was given: Playground(model, X, y)")
    sigma, loss = OUTPUTS[state.output]
    scale = [LOWEST.get(sigma, 0.0), 1.0]
    if state.data == GIVEN:
        assert own is not None
        X, y = own.X, own.y
        other = OUTPUTS[own.output][1]
        lowest, highest = targets.target_range(loss)
        outside = not ((y >= lowest) & (y <= highest)).all()
        if outside or targets.has_classes(loss) != targets.has_classes(other):
            raise ValueError(f"output is {state.output}, which does not go with the y that was given for {own.output}")
        if not targets.has_answers(loss):
            scale = [float(y.min()), float(y.max())]
        ranges = [_padded(X[:, k]) for k in (0, 1)]
    else:
        X, classes = points.points(state.data, state.noise)
        X, y = X.astype(np.float32), _targets(classes, sigma)
        ranges = [[-points.LIMIT, points.LIMIT]] * 2
    return Task(_model_of(state, own, X.shape[1], y.shape[1]), X, y, ranges, scale)


def _model_of(state: State, own: Given | None, inputs: int, outputs: int) -> Sequential:
    """Return a model of its own with first weights."""
    if state.start == GIVEN:
        assert own is not None
        model = copy.deepcopy(own.model)
        shape = (model.input_size, *(layer.units for layer in model.layers))
        wanted = (inputs, *state.layers, outputs)
        if shape != wanted or state.output != own.output or state.activation != own.state.activation:
            raise ValueError(f"start=given needs the layers of the model that was given, {shape}: use start=seed")
        return model
    sigma = OUTPUTS[state.output][0]
    hidden = [Dense(units, state.activation) for units in state.layers]
    dtype = "float32" if own is None or state.data != GIVEN else own.model.dtype
    return mlpcore.Sequential([*hidden, Dense(outputs, sigma)], input_size=inputs, dtype=dtype, seed=state.seed)


def _targets(classes: NDArray[np.intp], sigma: str) -> Array:
    if "per_row" in catalogue.entry("activations", sigma).traits:
        return targets.one_hot(classes.astype(np.float32), 2)
    return np.where(classes == 1, 1, LOWEST.get(sigma, 0)).astype(np.float32)[:, None]


def _padded(column: Array) -> list[float]:
    low, high = float(column.min()), float(column.max())
    margin = 0.1 * (high - low) or 1.0
    return [low - margin, high + margin]
