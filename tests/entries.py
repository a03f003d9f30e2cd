"""Every entry point that takes arrays: how to call it, arrays for it, and what it gives for plain copies of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nets
import numpy as np

from mlpcore import _core, kernels

N, IN, OUT = 5, 3, 4
DTYPES = ("f4", "f8")
Arrays = dict[str, Any]


@dataclass
class Entry:
    """An entry point: how to call it with named arrays, their shapes, and which of them it writes."""

    name: str
    call: Callable[[Arrays], Any]
    shapes: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()  # inputs whose memory `out` may be
    of_net: bool = field(default=False)  # then the call's dtype is the network's

    def __str__(self) -> str:
        return self.name


def net_like(arrays: Arrays) -> Any:
    net = nets.dense_net([IN, 2, OUT], ["tanh", "sigmoid"], arrays["net_dtype"])
    for j in range(2):
        nets.initialize(net, j, "glorot_uniform", 1)
    return net


def net_after(arrays: Arrays, *steps: str) -> Any:
    net = net_like(arrays)
    if "forward" in steps:
        net.forward(np.linspace(-1, 1, N * IN).reshape(N, IN))
    if "backward" in steps:
        net.backward(np.linspace(0, 1, N * OUT).reshape(N, OUT), "mse")
    return net


def run_epoch(arrays: Arrays, optimizer: tuple[Any, ...]) -> Any:
    net = net_like(arrays)
    scores: list[tuple[float, float]] = []
    nets.train(net, arrays["x"], arrays["y"], arrays["sample_weight"], "bce", 2, True, 3, 0, 2, optimizer, scores, None)
    return [*np.ravel(scores), net.params.copy()]


def run_step(arrays: Arrays, optimizer: tuple[Any, ...]) -> Any:
    net = net_after(arrays, "forward", "backward")
    net.step(optimizer)
    return net.params.copy()


def run_backward(arrays: Arrays) -> Any:
    net = net_after(arrays, "forward")
    return [net.backward(arrays["y"], "bce", arrays["sample_weight"]), net.grads.copy()]


def sgd_tuple(a: Arrays) -> tuple[Any, ...]:
    return nets.sgd(0.1, 0.5, True, a["velocity"])


def adam_tuple(a: Arrays) -> tuple[Any, ...]:
    return nets.adam(0.1, 0.9, 0.99, 1e-7, a["m"], a["v"], a["t"])


P = (IN + 1) * 2 + (2 + 1) * OUT
X, W, B, Z, S, W3 = (N, IN), (OUT, IN), (OUT,), (N, OUT), (N,), (2, 3, 2)
ENTRIES = [
    Entry("dense_forward", lambda a: kernels.dense_forward(a["x"], a["w"], a["b"]), {"x": X, "w": W, "b": B}),
    Entry(
        "dense_forward out",
        lambda a: kernels.dense_forward(a["x"], a["w"], a["b"], out=a["out"]),
        {"x": X, "w": W, "b": B, "out": Z},
        ("out",),
    ),
    Entry(
        "dense_backward", lambda a: list(kernels.dense_backward(a["phi"], a["x"], a["w"])), {"phi": Z, "x": X, "w": W}
    ),
    *(
        Entry(
            f"activation_forward {name}",
            lambda a, name=name: kernels.activation_forward(name, a["z"], out=a["out"]),
            {"z": Z, "out": Z},
            ("out",),
            ("z",),
        )
        for name in ("linear", "relu", "softmax")
    ),
    Entry("activation_forward", lambda a: kernels.activation_forward("sigmoid", a["z"]), {"z": Z}),
    *(
        Entry(
            f"activation_backward {name}",
            lambda a, name=name: kernels.activation_backward(name, a["z"], a["grad_a"], out=a["out"]),
            {"z": Z, "grad_a": Z, "out": Z},
            ("out",),
            ("z", "grad_a"),
        )
        for name in ("linear", "tanh", "softmax")
    ),
    Entry(
        "loss_value",
        lambda a: kernels.loss_value("bce", a["y_hat"], a["y"], sample_weight=a["sample_weight"]),
        {"y_hat": Z, "y": Z, "sample_weight": S},
    ),
    *(
        Entry(
            f"loss_gradient {name}",
            lambda a, name=name: kernels.loss_gradient(
                name, a["y_hat"], a["y"], sample_weight=a["sample_weight"], out=a["out"]
            ),
            {"y_hat": Z, "y": Z, "sample_weight": S, "out": Z},
            ("out",),
            ("y_hat",),
        )
        for name in ("mse", "cce")
    ),
    Entry(
        "output_loss",
        lambda a: kernels.output_loss("cce", "softmax", a["z"], a["y"], sample_weight=a["sample_weight"]),
        {"z": Z, "y": Z, "sample_weight": S},
    ),
    Entry(
        "output_phi",
        lambda a: kernels.output_phi("mse", "softmax", a["z"], a["y"], sample_weight=a["sample_weight"], out=a["out"]),
        {"z": Z, "y": Z, "sample_weight": S, "out": Z},
        ("out",),
    ),
    Entry("sgd_step", lambda a: kernels.sgd_step(a["w"], a["grad"], learning_rate=0.1), {"w": W3, "grad": W3}, ("w",)),
    Entry(
        "sgd_step velocity",
        lambda a: kernels.sgd_step(a["w"], a["grad"], learning_rate=0.1, momentum=0.5, velocity=a["velocity"]),
        {"w": W, "grad": W, "velocity": W},
        ("w", "velocity"),
    ),
    Entry(
        "adam_step",
        lambda a: kernels.adam_step(a["w"], a["grad"], a["m"], a["v"], t=3),
        {"w": W, "grad": W, "m": W, "v": W},
        ("w", "m", "v"),
    ),
    Entry(
        "rmsprop_step",
        lambda a: kernels.rmsprop_step(
            a["w"], a["grad"], a["v"], a["velocity"], a["mean"], momentum=0.5, centered=True, weight_decay=0.1
        ),
        {"w": W, "grad": W, "v": W, "velocity": W, "mean": W},
        ("w", "v", "velocity", "mean"),
    ),
    Entry("elementary", lambda a: _core.elementary("exp", a["x"]), {"x": W3}),
    Entry("Net.forward", lambda a: net_like(a).forward(a["x"]), {"x": X}, of_net=True),
    Entry("Net.predict", lambda a: net_like(a).predict(a["x"]), {"x": X}, of_net=True),
    Entry("Net.backward", run_backward, {"y": Z, "sample_weight": S}, of_net=True),
    Entry(
        "Net.loss",
        lambda a: list(nets.loss(net_like(a), a["x"], a["y"], "mse", a["sample_weight"])),
        {"x": X, "y": Z, "sample_weight": S},
        of_net=True,
    ),
    Entry(
        "Net.train sgd",
        lambda a: run_epoch(a, sgd_tuple(a)),
        {"x": X, "y": Z, "sample_weight": S, "velocity": (P,)},
        ("velocity",),
        of_net=True,
    ),
    Entry(
        "Net.train adam",
        lambda a: run_epoch(a, adam_tuple(a)),
        {"x": X, "y": Z, "sample_weight": S, "m": (P,), "v": (P,), "t": (1,)},
        ("m", "v", "t"),
        of_net=True,
    ),
    Entry("Net.step sgd", lambda a: run_step(a, sgd_tuple(a)), {"velocity": (P,)}, ("velocity",), of_net=True),
    Entry(
        "Net.step adam",
        lambda a: run_step(a, adam_tuple(a)),
        {"m": (P,), "v": (P,), "t": (1,)},
        ("m", "v", "t"),
        of_net=True,
    ),
]


def fresh_arrays(entry: Entry, dtype: str) -> Arrays:
    """Contiguous arrays of multiples of 1/64, which float16 holds exactly; weights and v are positive integers."""
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    for name, shape in entry.shapes.items():
        positive = name in ("sample_weight", "v", "t")
        values = rng.integers(1, 4, shape) if positive else rng.integers(-128, 128, shape) / 64
        arrays[name] = values.astype("i8" if name == "t" else dtype)
    return arrays


# ---- what a call gives ----------------------------------------------------------------------------------------------


def snapshot(value: Any) -> Any:
    """What must not have changed: the bits of an array, whatever its dtype."""
    if not isinstance(value, np.ndarray) or value.size > 10**6:
        return None
    data = np.asarray(value)
    return data.shape, data.strides, data.dtype, data.tolist() if data.dtype.hasobject else data.tobytes()


def bits(result: Any) -> Any:
    if isinstance(result, list | tuple):
        return [bits(item) for item in result]
    if isinstance(result, np.ndarray):
        return result.dtype.str, result.shape, np.ascontiguousarray(result).tobytes()
    return np.float64(result).tobytes() if isinstance(result, float) else result


def contents(entry: Entry, arrays: Arrays) -> list[Any]:
    """Return the bits of the outputs that were given."""
    return [bits(np.asarray(arrays[name])) for name in entry.outputs if arrays[name] is not None]


def real_type(entry: Entry, arrays: Arrays) -> np.dtype:
    """The rule of the border: outputs decide, else what every input casts to safely."""
    if entry.of_net:
        return np.dtype(arrays["net_dtype"])
    given = {name: np.asarray(arrays[name]).dtype for name in entry.shapes if arrays[name] is not None}
    for name in entry.outputs:
        if name in given:
            return given[name]
    return np.dtype("f4" if all(np.can_cast(dtype, "f4") for dtype in given.values()) else "f8")


def on_fresh_copies(entry: Entry, arrays: Arrays) -> tuple[Any, Any]:
    """What the call gives for contiguous copies in the call's own dtype, and what it leaves in the outputs."""
    dtype = real_type(entry, arrays)
    copies = dict(arrays)
    for name in entry.shapes:
        if arrays[name] is not None:
            plain = np.asarray(arrays[name])
            copies[name] = np.array(plain, "i8" if name == "t" else dtype, order="C", subok=False)
    return bits(entry.call(copies)), contents(entry, copies)
