"""Networks of dense layers for tests of _core.Net: layer j is the steps 2 j and 2 j + 1, dense and activation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlpcore import _core
from mlpcore.engine import OptimizerState, Step, TrainSettings


def dense_net(sizes: Sequence[int], activations: Sequence[str | None], dtype: str) -> _core.Net:
    steps = []
    for j, (units, sigma) in enumerate(zip(sizes[1:], activations, strict=True)):
        steps += [Step("dense", j, units=units), Step("activation", j, joined=True, constants=sigma)]
    return _core.Net(sizes[0], steps, dtype)


def initialize(net: _core.Net, j: int, name: str, seed: int) -> None:
    net.initialize(2 * j, 0, name, seed)


def weights(net: _core.Net, j: int) -> tuple[Any, ...]:
    """(w, b, grad_w, grad_b) of layer j."""
    return (*net.parameters(2 * j), *net.gradient_buffers(2 * j))


def activity(net: _core.Net, j: int) -> tuple[Any, ...]:
    """(x, z, a, phi) of layer j; phi is None before the backward."""
    return (*(net.value(2 * j + i) for i in range(3)), net.gradient(2 * j + 1) if net.has_gradients else None)


def sgd(rate: float = 0.1, momentum: float = 0.0, nesterov: bool = False, velocity: Any = None) -> OptimizerState:
    return OptimizerState("sgd", (rate, momentum, nesterov, 0.0), (velocity,), np.zeros(1, np.int64))


def adam(rate: float, beta1: float, beta2: float, epsilon: float, m: Any, v: Any, t: Any) -> OptimizerState:
    return OptimizerState("adam", (rate, beta1, beta2, epsilon, 0.0), (m, v), t)


def rule(name: str) -> str | None:
    return None if name == "mse" else "categorical_accuracy"


def loss(net: _core.Net, x: Any, y: Any, name: str, weight: Any = None) -> tuple[float, float]:
    return net.loss(x, y, name, rule(name), weight)


def settings(
    loss: str,
    optimizer: Any,
    *,
    batch_size: int = 1,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int = 0,
    epochs: int = 1,
    mean_weight: float = 0.0,
    cursor: Any = None,
    scores: Any = None,
    progress: Any = None,
) -> TrainSettings:
    cursor = np.array([epoch, 0]) if cursor is None else cursor
    scores = np.empty((epochs, 2), np.float64) if scores is None else scores
    return TrainSettings(
        loss, rule(loss), optimizer, batch_size, shuffle, seed, epochs, mean_weight, cursor, scores, progress
    )


def train(
    net: _core.Net,
    x: Any,
    y: Any,
    weight: Any,
    loss: str,
    batch_size: int,
    shuffle: bool,
    seed: int,
    epoch: int,
    epochs: int,
    optimizer: OptimizerState,
    scores: list[Any] | None = None,
    progress: Callable[[int], object] | None = None,
    mean_weight: float = 0.0,
) -> int:
    """Train for some epochs from the beginning of number `epoch`; appends the scores of whole epochs."""
    asked = settings(
        loss,
        optimizer,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        epoch=epoch,
        epochs=epochs,
        mean_weight=mean_weight,
        progress=progress,
    )
    try:
        return net.train(x, y, weight, asked)[0]
    finally:
        if scores is not None:
            scores.extend(map(tuple, asked.scores[: asked.cursor[0] - epoch].tolist()))
