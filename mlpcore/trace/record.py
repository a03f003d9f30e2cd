"""How a trace is taken: one batch forward, backward and, if there is an optimizer, one step, on a copy of the model.

All numbers are the engine's. The copy has the model's plan, dtype and numbers, but every gradient has memory of its
own there: in the model a layer's activation writes phi over grad_a. What the engine does not keep, such as a mask, it
computes once more, from the same seed.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import catalogue, checks, network, targets
from mlpcore._core import Net
from mlpcore.data import real_array
from mlpcore.engine import Choice, Step
from mlpcore.layers.layer import Bound
from mlpcore.optimizers import optimizer_of
from mlpcore.trace.layer import Array, Arrays, LayerTrace
from mlpcore.trace.taker import Taker, frozen, gradient_of
from mlpcore.trace.trace import Trace
from mlpcore.typeset import Style

if TYPE_CHECKING:
    from mlpcore.model import Sequential
    from mlpcore.optimizers import Optimizer


def record(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    loss: Choice | None,
    optimizer: str | Optimizer | None,
    training: bool,
    sample_weight: ArrayLike | None,
    style: Style,
) -> Trace:
    """Return the trace of a batch (see `Sequential.trace`)."""
    loss = checks.given_loss(loss)
    training = checks.flag("training", training)
    rows, ground_truth, single = _as_batch(x, y, loss)
    if optimizer is not None:
        optimizer = optimizer_of(optimizer)
        optimizer._check_for(model)
        optimizer = copy.deepcopy(optimizer)
    weight = None
    if sample_weight is not None:
        weight = checks.weights_of("sample_weight", sample_weight, len(rows), model.dtype)
    twin = _twin(model, rows.shape[1])
    outputs = twin._output_size(rows.shape[1])
    target = checks.targets_of("y", ground_truth, loss, len(rows), outputs, model.dtype)
    target = targets.one_hot(target, outputs) if target.ndim == 1 else target
    through_a = _through_a(twin, loss, rows, target, training, weight)
    moment = (model.seed, int(model._cursor[0]), int(model._cursor[1]))
    net = twin._built()
    state = net.state.copy()
    twin.forward(rows, training=training, sample_weight=weight)
    value = twin.backward(ground_truth, loss, sample_weight=weight)
    taker = Taker(twin, training, moment, weight, single, through_a, state)
    layers = taker.layers()
    before = taker.named(net.params)
    after = Arrays()
    if optimizer is not None:
        twin.update(optimizer)
        after = taker.named(net.params)
        layers = tuple(_with_after(layer, after, f"layers.{j}") for j, layer in enumerate(layers))
    return Trace(
        layers=layers,
        y=taker.shown(target[:, : outputs // 2] if targets.is_paired(loss) else target),
        loss=value,
        loss_choice=loss,
        n=len(rows),
        is_single=single,
        dtype=model.dtype,
        training=training,
        sample_weight=None if weight is None else frozen(weight),
        phi_by_factors=None if through_a is None else taker.shown(through_a[1]),
        optimizer=optimizer,
        style=style,
        before=before,
        after=after,
    )


def _with_after(layer: LayerTrace, after: Arrays, path: str) -> LayerTrace:
    """Return a layer with its parameters after the step, which `after` has by their paths."""
    own = {name: after[f"{path}.{name}"] for name in layer.params}
    inner = tuple(_with_after(each, after, f"{path}.layers.{j}") for j, each in enumerate(layer.layers))
    return replace(layer, after=Arrays(own), layers=inner)


def _as_batch(x: ArrayLike, y: ArrayLike, loss: Choice) -> tuple[Array, Any, bool]:
    """Return x as rows and y to go with them, and whether one sample came as a vector."""
    given = real_array("x", x)
    if given.ndim != 1:
        return checks.batch_of("x", x, None), y, False
    given = checks.batch_of("x", given.reshape(1, -1), None)
    truth = real_array("y", y, labels=targets.has_classes(loss))
    if truth.ndim > 1:
        raise ValueError(f"y has shape {truth.shape}, expected one sample's (out,) with x of shape {given.shape[1:]}")
    is_index = truth.ndim == 0 or (truth.shape == (1,) and targets.has_classes(loss))
    return given, truth.reshape(1) if is_index else truth.reshape(1, -1), True


def _twin(model: Sequential, columns: int) -> Sequential:
    """Return a copy of the model, the same to the bit, in which every gradient has memory of its own."""
    checks.check_rows("x", np.empty((1, columns)), model.input_size)
    twin = copy.copy(model)
    bound = twin._bound_for(columns)
    steps = [step._replace(joined=False) for step in network.steps_of(twin.layers, bound.input_size)]
    twin._holder.bound = Bound(
        _net_like(bound.net, bound.input_size, steps, model.dtype), bound.input_size, bound.places
    )
    return twin


def _reads_logarithms(loss: Choice, sigma: Choice) -> bool:
    """Tell whether a loss of probabilities takes the output for their logarithms."""
    if not isinstance(sigma, str | tuple) or catalogue.entry("activations", sigma).name != "log_softmax":
        return False
    return targets.is_from_z(loss, sigma)


def _net_like(net: Net, input_size: int, steps: list[Step], dtype: str) -> Net:
    """Return a network of these steps with the numbers of another, whose parameters are the same."""
    made = Net(input_size, steps, dtype)
    for i, settings in enumerate(net.segments()):
        made.set_segment(i, *settings)
    made.params[...], made.state[...] = net.params, net.state
    return made


def _through_a(
    twin: Sequential, loss: Choice, x: Array, target: Array, training: bool, weight: Array | None
) -> tuple[Array, Array] | None:
    """Return grad_a^J and phi^J = grad_a^J sigma'(z^J) if the model ends with an activation in C, which hides grad_a.

    With an identity above it, that activation is a step like those of hidden layers. None too where the loss has no
    gradient to a of its own: with "log_softmax", "cce" is minus the sum of y a.
    """
    bound = twin._holder.bound
    assert bound is not None
    steps = [step._replace(joined=False) for step in network.steps_of(twin.layers, bound.input_size)]
    if steps[-1].kind != "activation" or _reads_logarithms(loss, steps[-1].constants):
        return None
    above = Step("activation", steps[-1].layer + 1, constants="linear")
    net = _net_like(bound.net, bound.input_size, [*steps, above], twin.dtype)
    net.forward(x, training, twin.seed, int(twin._cursor[0]), int(twin._cursor[1]), weight)
    net.backward(target, loss, weight)
    grad_a, phi = gradient_of(net, len(steps)), gradient_of(net, len(steps) - 1)
    return None if grad_a is None or phi is None else (grad_a.copy(), phi.copy())
