"""What an answer is judged by: the values of a student's model on their data, or of a hidden network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import catalogue, checks, network, targets
from mlpcore.diagnosis import passes, stepping
from mlpcore.diagnosis.case import Case
from mlpcore.diagnosis.equations import EQUATIONS, QUANTITIES, Equation
from mlpcore.diagnosis.values import Array, Values
from mlpcore.engine import Choice
from mlpcore.gradcheck.models import float64_twin
from mlpcore.layers import Dense
from mlpcore.layers.layer import Layer
from mlpcore.lazy import random_generator
from mlpcore.model import Sequential
from mlpcore.optimizers import Optimizer, optimizer_of

STEPS = ("w_new", "b_new")


@dataclass
class Reference:
    """A pass that answers are judged by.

    Attributes
    ----------
    exact : list of Values
        Around each layer, from the engine.
    epsilon : float
        Of the model's type.
    optimizer : Optimizer or None
        Whose step w_new and b_new are after.
    states : list of dict
        For each layer the optimizer's arrays by equation: what ``velocity`` of w_new is.
    """

    exact: passes.Pass
    epsilon: float
    optimizer: Optimizer | None = None
    states: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    _moved: dict[float, list[passes.Pass]] = field(default_factory=dict)

    def case(
        self, equation: Equation, j: int, dtype: np.dtype[Any] | None, *, layer: int | None, tolerance: float | None
    ) -> Case:
        """Return what an answer of this dtype for layer j, counted from 0, is judged by."""
        epsilon = self.epsilon if dtype is None else max(self.epsilon, float(np.finfo(dtype).eps))
        if epsilon not in self._moved:
            self._moved[epsilon] = passes.moved(self.exact, epsilon)
        values = self._values(equation, self.exact[j], j)
        moved = tuple(self._values(equation, each[j], j) for each in self._moved[epsilon])
        return Case(equation, values, moved, epsilon, layer, tolerance)

    def _values(self, equation: Equation, v: Values, j: int) -> Values:
        if self.optimizer is None:
            return v
        if equation.name not in STEPS:
            above = v.w_next is not None and self._step(v.but(w=v.w_next, grad_w=v.phi_next.T @ v.a), "w_new", j + 1)
            return v.but(w_next_new=stepping.step(above)[0]) if above else v
        return self._step(v, equation.name, j)

    def _step(self, v: Values, name: str, j: int) -> Values:
        """Return the values with what a step of the optimizer reads."""
        assert self.optimizer is not None
        row = catalogue.entry("optimizers", type(self.optimizer)._name)
        named = {hyper.name: getattr(self.optimizer, hyper.name) for hyper in row.hypers}
        weight, grad = (v.w, v.grad_w) if name == "w_new" else (v.b, v.grad_b)
        return v.but(optimizer=row.name, weight=weight, grad=grad, **named, **self.states[j][name])


def of_model(
    model: Sequential, x: ArrayLike, y: ArrayLike, loss: Choice | None, optimizer: str | Optimizer | None
) -> Reference:
    """Return the pass of a model of dense layers on some data; TypeError or ValueError if there is none."""
    layers = dense_layers(model)
    chosen = checks.given_loss(loss)
    if not isinstance(chosen, str | tuple):
        raise TypeError(f"loss is {chosen!r}, expected a loss of the catalogue")
    rows = checks.rows_of("x", x, model.input_size, np.float64)
    twin = float64_twin(model) if model.input_size is not None else None
    if twin is None:
        raise RuntimeError("model has no weights yet: give its Sequential an input_size=, or let it see data first")
    out = layers[-1].units
    target = checks.targets_of("y", y, chosen, len(rows), out, np.float64)
    target = target if target.ndim > 1 else targets.one_hot(target, out)
    exact = passes.of_model(twin, rows, target, chosen)
    reference = Reference(exact, float(np.finfo(model.dtype).eps))
    if optimizer is not None:
        reference.optimizer = usable(optimizer_of(optimizer))
        reference.states = list(_states_of(reference.optimizer, model))
    return reference


def dense_layers(model: Sequential) -> list[Dense]:
    """Return the layers of a model of dense layers, or raise TypeError."""
    if not isinstance(model, Sequential):
        raise TypeError(f"model is {model!r}, expected a Sequential")
    layers = []
    for i, layer in enumerate(model.layers):
        if not isinstance(layer, Dense) or not isinstance(layer.activation, str | tuple):
            raise TypeError(
                f"layers[{i}] of model is {layer!r}, expected a Dense layer with an activation of the catalogue: the "
                "mistakes are those of the paper's equations"
            )
        layers.append(layer)
    return layers


def usable(optimizer: Optimizer) -> Optimizer:
    """Return an optimizer that takes plain steps of its formula, or raise."""
    if type(optimizer)._name not in catalogue.names("optimizers"):
        raise TypeError(f"optimizer is {optimizer!r}, expected one of the catalogue")
    if not isinstance(optimizer.learning_rate, int | float):  # type: ignore[attr-defined]  # every row has one
        raise ValueError(f"optimizer is {optimizer!r}, expected one whose learning rate is a number")
    options = optimizer._options(only_chosen=True)
    if options:
        raise ValueError(f"optimizer is {optimizer!r}, expected one without {', '.join(options)}")
    return optimizer


def _states_of(optimizer: Optimizer, model: Sequential) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield for each layer what the optimizer keeps of w and b, as it is before its next step."""
    row = catalogue.entry("optimizers", type(optimizer)._name)
    inputs = model.input_size
    assert inputs is not None
    flat = {
        name: network.tensors(model.layers, inputs, optimizer._state[name])
        for name in row.states
        if name in optimizer._state
    }
    kept = [n for n, only in zip(row.states, row.states_if, strict=True) if only is None or getattr(optimizer, only)]
    for j, layer in enumerate(model.layers):
        shapes = {"w_new": ("w", layer.w.shape), "b_new": ("b", (layer.units,))}
        each: dict[str, dict[str, Any]] = {}
        for step, (name, shape) in shapes.items():
            key = f"layers.{j}.{name}"
            each[step] = {n: np.array(flat[n][key], np.float64) if n in flat and key in flat[n] else np.zeros(shape)
                          for n in kept}  # fmt: skip
            each[step]["t"] = optimizer._steps + 1
        yield each


def layer_number(model: Sequential, layer: int | Layer | None) -> int:
    """Return which layer is meant, counted from 0; layers are counted from 1 as in the paper, -1 is the last."""
    J = len(model.layers)
    if isinstance(layer, Layer):
        if layer not in model.layers:
            raise ValueError(f"layer is {layer!r}, which is none of the model's")
        return model.layers.index(layer)
    if layer is None:
        return J - 1
    number = checks.whole_number("layer", layer, at_least=-J, at_most=J)
    if number == 0:
        raise ValueError(f"layer is 0, expected 1 to {J}: layer 1 is model.layers[0], as in the paper")
    return number - 1 if number > 0 else J + number


def asked(quantity: str, last: bool | None) -> Equation:
    """Return the equation that a quantity, or the name of an equation, stands for; `last` None: not decided."""
    if quantity in EQUATIONS:
        return EQUATIONS[quantity]
    name = f"{quantity}_{'last' if last else 'hidden'}"
    if isinstance(quantity, str) and name in EQUATIONS:
        return EQUATIONS[name]
    raise ValueError(
        f"quantity is {quantity!r}, expected one of {', '.join(map(repr, QUANTITIES))}, or the name of an equation: "
        f"{', '.join(map(repr, EQUATIONS))}"
    )


# ------------------------------------------------------------------------------------------------------ hidden networks

SHAPES = ((6, 3, 5, 4, 2), (9, 5, 3, 7, 4))
"""n, inputs, and units of the layers of the hidden networks: no two alike."""
SQUARE = (6, 4, 4, 4, 4)
"""Of the network on which a function is tried that ends with an error on the others: a transpose shows nowhere else."""


def hidden(
    equation: Equation,
    activation: Choice,
    loss: Choice,
    optimizer: Optimizer | None,
    seed: int,
    shape: tuple[int, ...],
) -> tuple[Reference, int]:
    """Return a random network, and which of its layers, counted from 0, the equation is tried in."""
    rng = random_generator([seed, *shape])
    last = equation.name in ("phi_last", "grad_a_last", "loss")
    n, inputs, before, units, above = shape
    if last and targets.is_paired(loss):
        units += units % 2
    layers = [Dense(before, "tanh"), Dense(units, activation), *([] if last else [Dense(above, "tanh")])]
    model = Sequential(layers, input_size=inputs, dtype="float64", seed=seed)
    for layer in layers:
        layer.w = rng.normal(0, 0.8, layer.w.shape)
        layer.b = rng.uniform(0.2, 0.8, layer.units) * rng.choice([-1, 1], layer.units)
    x = rng.normal(size=(n, inputs))
    used = loss if last else "mse"
    if last:
        _into_range(model, layers[-1], x, used)
    reference = of_model(model, x, _targets(rng, used, n, model.layers[-1].units), used, None)
    if optimizer is not None and equation.name in STEPS:
        reference.optimizer = usable(optimizer)
        reference.states = list(_states_of(optimizer, model))
        reference = with_random_states(reference, seed)
    return reference, 1


def with_random_states(reference: Reference, seed: int = 0) -> Reference:
    """Return a reference whose optimizer has taken two steps."""
    rng = random_generator(seed)
    return replace(reference, states=[_random_states(rng, states) for states in reference.states], _moved={})


def _random_states(rng: np.random.Generator, states: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what an optimizer may have kept after two steps."""
    return {
        step: {
            name: 3 if name == "t" else rng.uniform(0.01, 0.1, kept.shape) * (1 if name in ("v", "v_max", "u", "step")
                                                                          else rng.choice([-1, 1], kept.shape))
            for name, kept in each.items()
        }
        for step, each in states.items()
    }  # fmt: skip


def _targets(rng: np.random.Generator, loss: Choice, n: int, out: int) -> Array:
    """Return y as a loss takes it."""
    least, most = targets.target_range(loss)
    if targets.has_signs(loss):
        return rng.choice([-1.0, 1.0], (n, out))
    if targets.is_binary(loss):
        return rng.integers(0, 2, (n, out)).astype(float)
    if targets.has_classes(loss):
        return np.eye(out)[rng.integers(0, out, n)]
    if most == 1:
        y = rng.uniform(0.1, 1, (n, out))
        return np.asarray(y / y.sum(axis=1, keepdims=True))
    if least == 0:
        return rng.integers(0, 5, (n, out)).astype(float)
    return rng.normal(size=(n, out // 2 if targets.is_paired(loss) else out))


def _into_range(model: Sequential, last: Dense, x: Array, loss: Choice) -> None:
    """Scale the last layer such that a lies between 0 and 1 where the loss takes a logarithm of it."""
    if targets.target_range(loss)[0] != 0:
        return
    a = model.forward(x)
    if (a > 0).all() and (a < 1).all():
        return
    last.w = last.w * (0.3 / np.abs(last.z - np.asarray(last.b)).max())
    last.b = np.full(last.units, 0.5)
