"""No memory leaks: 20,000 calls of every entry point, valid or refused, do not make the process grow."""

import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nets
import numpy as np
import pytest

from mlpcore import _core, kernels
from mlpcore.engine import OptimizerState

STATM = Path("/proc/self/statm")
pytestmark = pytest.mark.skipif(not STATM.exists(), reason="the size of a process is read as Linux tells it")

CALLS = 20_000
LIMIT = 2**19  # less than CALLS times 32 bytes, the least that malloc takes
Call = Callable[[], Any]

x, w, b, z = (np.ones(shape, "f4") for shape in ((2, 2), (2, 2), (2,), (2, 2)))
weight = np.ones(2, "f4")
strided = np.ones((4, 4))[::2, ::2]  # to be copied, since it is not contiguous, and float64
out, velocity, m, v = (np.zeros((2, 2), "f4") for _ in range(4))
net = nets.dense_net([2, 2], ["softmax"], "float32")
flat = [_core.aligned_zeros(net.params.size, "float32") for _ in range(2)]
steps = np.zeros(1, "i8")
wide = np.zeros((1, 3))
SGD = nets.sgd(0.01, 0.0, False)
ADAM = nets.adam(0.01, 0.9, 0.99, 1e-7, *flat, steps)
net.forward(x)
net.backward(z, "cce")


class Squares:
    """A loss as the engine calls one that is written in Python."""

    def loss_step(self, value: Any, grad: Any, y_hat: Any, y: Any) -> None:
        value[...] = ((y_hat - y) ** 2).sum(axis=1)
        if grad is not None:
            grad[...] = 2 * (y_hat - y)


class Descent:
    """An optimizer as the engine calls one that is written in Python."""

    def update_step(self, params: Any, grads: Any, t: int) -> Any:
        return ((params, params - 0 * grads),)


class Failing:
    """A loss and an optimizer that fail."""

    def loss_step(self, *arguments: Any) -> None:
        raise KeyError("no loss today")

    def update_step(self, params: Any, grads: Any, t: int) -> Any:
        return ((params, params), (params, None))


def custom(rule: object) -> OptimizerState:
    return OptimizerState(rule, (), (), steps)


class Raising:
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise KeyError("no array today")


RIGHT: dict[str, Call] = {
    "dense_forward": lambda: kernels.dense_forward(x, w, b),
    "dense_forward copies": lambda: kernels.dense_forward(strided, w, [1, 2]),
    "dense_forward out": lambda: kernels.dense_forward(x, w, b=b, out=out),
    "dense_backward": lambda: kernels.dense_backward(z, x, w),
    "activation_forward": lambda: kernels.activation_forward("softmax", z),
    "activation_forward out": lambda: kernels.activation_forward("relu", strided.astype("f4"), out=out),
    "activation_backward": lambda: kernels.activation_backward("tanh", z, strided),
    "activation_backward in place": lambda: kernels.activation_backward("tanh", z, out, out=out),
    "loss_value": lambda: kernels.loss_value("mse", z, strided, sample_weight=weight),
    "loss_gradient": lambda: kernels.loss_gradient("bce", z, z, sample_weight=[1, 2], out=None),
    "output_loss": lambda: kernels.output_loss("cce", "softmax", z, z),
    "output_phi": lambda: kernels.output_phi("cce", "softmax", z, strided, sample_weight=weight, out=out),
    "sgd_step": lambda: kernels.sgd_step(out, z, learning_rate=0.1, momentum=0.1, velocity=velocity),
    "adam_step": lambda: kernels.adam_step(out, strided, m, v, t=1),
    "elementary": lambda: _core.elementary("exp", strided),
    "philox": lambda: _core.philox(1, 2, 3, 4, 5, 6),
    "aligned_zeros": lambda: _core.aligned_zeros(10, "float64"),
    "Net": lambda: nets.dense_net([2, 3, 2], ["relu", None], "float64"),
    "Net.params": lambda: (net.params, net.grads),
    "Net.weights": lambda: nets.weights(net, 0),
    "Net.activity": lambda: nets.activity(net, 0),
    "Net.initialize": lambda: nets.initialize(net, 0, "he_uniform", 3),
    "Net.forward": lambda: net.forward(strided),
    "Net.forward and grow": lambda: nets.dense_net([2, 2], ["relu"], "float32").forward(x),
    "Net.backward": lambda: net.backward(z, "cce", [1, 2]),
    "Net.backward of a view": lambda: net.backward(nets.activity(net, 0)[3], "cce"),
    "Net.step": lambda: net.step(SGD),
    "Net.predict": lambda: net.predict(strided),
    "Net.loss": lambda: nets.loss(net, x, strided, "mse", weight),
    "Net.train sgd": lambda: nets.train(net, x, z, None, "mse", 1, True, 3, 4, 2, SGD, [], None),
    "Net.backward of a loss in Python": lambda: (net.forward(x), net.backward(z, Squares())),  # type: ignore[arg-type]
    "Net.loss in Python": lambda: net.loss(x, z, Squares(), None, weight),  # type: ignore[arg-type]
    "Net.step in Python": lambda: net.step(custom(Descent())),
    "Net.train in Python": lambda: net.train(x, z, None, nets.settings(Squares(), custom(Descent()))),
    "Net.train adam": lambda: nets.train(net, strided, z, [1, 2], "bce", 2, False, 3, 4, 1, ADAM, [], print),
}

WRONG: dict[str, Call] = {
    "no argument": lambda: kernels.dense_forward(),
    "unknown keyword": lambda: kernels.dense_forward(x, w, bias=b),
    "shape": lambda: kernels.dense_forward(x, w, [1, 2, 3]),
    "dtype": lambda: kernels.dense_forward(x, w, 1j),
    "read-only": lambda: kernels.dense_forward(x, w, b, out=np.broadcast_to(z, z.shape)),
    "overlap": lambda: kernels.dense_forward(x, w, b, out=x),
    "no array": lambda: kernels.dense_backward(object(), x, w),
    "ragged": lambda: kernels.dense_backward(z, [[1, 2], [3]], w),
    "__array__ raises": lambda: kernels.dense_backward(z, x, Raising()),
    "name": lambda: kernels.activation_forward("rleu", z),
    "out": lambda: kernels.activation_forward("relu", strided, out=[1]),
    "masked": lambda: kernels.activation_backward("relu", z, np.ma.masked_equal(z, 1)),
    "empty": lambda: kernels.loss_value("mse", z[:0], z[:0]),
    "weights": lambda: kernels.loss_gradient("mse", z, strided, sample_weight=[0, 0]),
    "loss name": lambda: kernels.output_loss("msr", "relu", z, z),
    "rank": lambda: kernels.output_phi("mse", "relu", z, [1, 2], out=out),
    "velocity": lambda: kernels.sgd_step(out, strided, learning_rate=0.1, momentum=0.5),
    "no number": lambda: kernels.sgd_step(out, z, learning_rate="0.1"),
    "t": lambda: kernels.adam_step(out, z, m, v, t=0),
    "same state": lambda: kernels.adam_step(out, strided, m, m, t=1),
    "elementary": lambda: _core.elementary("sin", x),
    "philox": lambda: _core.philox(1, 2, 3, 4, 5, 2**32),
    "aligned_zeros": lambda: _core.aligned_zeros(-1, "float64"),
    "Net sizes": lambda: nets.dense_net([2, 0], ["relu"], "float64"),
    "Net activations": lambda: nets.dense_net([2, 2], ["rleu"], "float64"),
    "Net dtype": lambda: nets.dense_net([2, 2], ["relu"], "f8"),
    "Net too large": lambda: nets.dense_net([2**40, 2**40], ["relu"], "float64"),
    "Net.weights": lambda: nets.weights(net, 1),
    "Net.activity": lambda: nets.activity(nets.dense_net([2, 2], ["relu"], "float64"), 0),
    "Net.initialize": lambda: nets.initialize(net, 0, "zeros", 2**64),
    "Net.forward": lambda: net.forward([1, 2]),
    "Net.backward": lambda: net.backward(strided[:1], "cce"),
    "Net.backward weights": lambda: net.backward(strided, "cce", [-1, 1]),
    "Net.step": lambda: net.step(("adam", 1, 2)),
    "Net.predict": lambda: net.predict(strided[:, :1]),
    "Net.loss": lambda: nets.loss(net, x, strided[:1], "mse"),
    "Net.train": lambda: nets.train(net, strided, strided, [0, 0], "mse", 1, True, 3, 4, 1, ADAM, [], None),
    "Net.train state": lambda: nets.train(
        net, x, z, None, "mse", 1, True, 3, 4, 1, ADAM._replace(states=(flat[0], flat[0][1:])), [], None
    ),
    "Net.loss in Python": lambda: net.loss(x, z, Failing(), None, weight),  # type: ignore[arg-type]
    "Net.train loss in Python": lambda: net.train(x, z, None, nets.settings(Failing(), SGD)),
    "Net.train optimizer in Python": lambda: net.train(x, z, None, nets.settings("mse", custom(Failing()))),
    "Net.train progress": lambda: nets.train(net, x, z, None, "mse", 1, True, 3, 4, 1, SGD, [], 1),
    "Net.train scores": lambda: net.train(x, z, None, nets.settings("mse", SGD, scores=wide)),
}


def resident_bytes() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1]) * resource.getpagesize()


def references() -> list[int]:
    """Count those to what C borrows and lends most; a leak of one that is shared takes no memory."""
    return [sys.getrefcount(thing) for thing in (np.dtype("f4"), np.dtype("f8"), x, z, net)]


def check(call: Callable[[], object]) -> None:
    """Fail if CALLS calls make the process grow, or leave objects or references behind."""
    for _ in range(CALLS // 10):
        call()
    size, objects, counts = resident_bytes(), sys.getallocatedblocks(), references()
    for _ in range(CALLS):
        call()
    assert resident_bytes() - size <= LIMIT
    assert sys.getallocatedblocks() - objects < CALLS // 10
    assert max(abs(a - b) for a, b in zip(references(), counts, strict=True)) < 10


@pytest.mark.parametrize("call", RIGHT.values(), ids=RIGHT)
def test_success_leaks_nothing(call: Call) -> None:
    check(call)


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_errors_leak_nothing(call: Call) -> None:
    def refused() -> None:
        try:
            call()
        except (TypeError, ValueError, MemoryError, RuntimeError, KeyError):
            return
        raise AssertionError("this call was to be refused")

    check(refused)
