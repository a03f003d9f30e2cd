"""The values of a whole forward and backward pass: exact from the engine, and moved by roundings.

What a student computes in float32 from the first layer to the last and back has roundings of its own, which sums,
differences and exponentials make larger. How large is found by computing the pass again, with every result moved by a
few units in the last place: what the moved passes differ by, an answer may differ by too.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from mlpcore import kernels, targets
from mlpcore.diagnosis.of_derivatives import IN_A, name_of
from mlpcore.diagnosis.values import Array, Values, derivative, through
from mlpcore.engine import Choice
from mlpcore.lazy import random_generator
from mlpcore.model import Sequential

DRAWS = 6
"""Moved passes for a tolerance."""

Pass = list[Values]
"""Values around each layer, from the first to the last."""

OWN = ("w", "z", "a", "dsigma", "grad_a", "phi")


def of_model(twin: Sequential, x: Array, y: Array, loss: Choice) -> Pass:
    """Return the pass of a float64 model of dense layers, in the engine's numbers."""
    twin.forward(x)
    value = twin.backward(given_y(y, loss), loss)
    layers: list[dict[str, Any]] = []
    for layer in twin.layers:
        z, phi, w = np.array(layer.z), np.array(layer.phi), np.array(layer.w)
        b = np.array(layer.b) if layer.use_bias else np.zeros(layer.units)
        own = {"x": np.array(layer.x), "w": w, "b": b, "z": z, "a": np.array(layer.a), "phi": phi}
        own |= {"activation": layer.activation, "dsigma": derivative(layer.activation, z)}
        own |= {"grad_w": np.array(layer.grad_w), "grad_b": np.array(layer.grad_b if layer.use_bias else phi.sum(0))}
        layers.append(own | {"l1": layer._l1, "l2": layer._l2})
    for own, above in pairwise(layers):
        own["grad_a"] = above["phi"] @ above["w"]
    layers[-1]["grad_a"] = kernels.loss_gradient(loss, layers[-1]["a"], y)
    return _linked(layers, y, loss, value)


def given_y(y: Array, loss: Choice) -> Array:
    """Return the columns of y (n, out) that a model is given: half of them where two outputs belong to each number."""
    return y[:, : y.shape[1] // 2] if targets.is_paired(loss) else y


def moved(exact: Pass, epsilon: float) -> list[Pass]:
    """Return the same pass some times over, with each result moved by up to `epsilon` of its size."""
    rng = random_generator(0)

    def move(array: Array) -> Array:
        return array * (1 + epsilon * rng.uniform(-1, 1, array.shape))

    return [computed(exact, move) for _ in range(DRAWS)]


def computed(exact: Pass, move: Callable[[Array], Array]) -> Pass:
    """Return the pass computed anew in NumPy, with `move` applied to each result."""
    layers: list[dict[str, Any]] = []
    x = move(exact[0].x)
    for v in exact:
        w, b = move(v.w), move(v.b)
        z = move(x @ w.T + b)
        a = move(v.sigma(z))
        dsigma = move(_dsigma_from_a(v, z, a, move))
        layers.append(
            {
                "x": x,
                "w": w,
                "b": b,
                "z": z,
                "a": a,
                "dsigma": dsigma,
                "activation": v.activation,
                "l1": v.l1,
                "l2": v.l2,
            }
        )
        x = a
    y, loss = exact[-1].y, exact[-1].loss
    upstream = kernels.loss_gradient(loss, layers[-1]["a"], y)
    for own in reversed(layers):
        own["grad_a"] = move(upstream)
        own["phi"] = move(through(own["grad_a"], own["dsigma"]))
        own["grad_w"], own["grad_b"] = move(own["phi"].T @ own["x"]), move(own["phi"].sum(axis=0))
        upstream = own["phi"] @ own["w"]
    return _linked(layers, y, loss, kernels.loss_value(loss, layers[-1]["a"], y))


def _dsigma_from_a(v: Values, z: Array, a: Array, move: Callable[[Array], Array]) -> Array:
    """Return sigma' as students write it: of a, where digits are lost as a comes near to 1."""
    if name_of(v) in IN_A:
        return IN_A[name_of(v)](a)
    if name_of(v) == "softmax":
        return move(a[:, :, None] * np.eye(a.shape[1])) - move(a[:, :, None] * a[:, None, :])
    return v.dsigma_at(z)


def _linked(layers: list[dict[str, Any]], y: Array, loss: Choice, value: float) -> Pass:
    """Return the values around each layer, from those of its own."""
    linked = []
    for j, own in enumerate(layers):
        named = own | {"y": y, "loss": loss, "loss_value": value, "n": len(y), "x_network": layers[0]["x"]}
        if j > 0:
            named["z_before"] = layers[j - 1]["z"]
        if j + 1 < len(layers):
            named |= {f"{name}_next": layers[j + 1][name] for name in OWN}
        linked.append(Values(named))
    return linked
