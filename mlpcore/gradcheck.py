"""Checks analytic gradients against numerical differentiation, component by component, in float64.

Each component of each input is moved up and down by a few steps h, and the central differences are extrapolated to
h = 0 (Richardson; the table is Ridders'): the estimate kept is the one its neighbours in the table agree with best.
A difference that disagrees with the analytic value means a wrong gradient or a kink, such as ReLU's at 0. The slopes on
either side tell which: a right gradient at a kink equals one of them or lies between them.

``docs/gradcheck.md`` explains how to read a report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import kernels
from mlpcore.checks import targets_of
from mlpcore.layers import Dense
from mlpcore.lazy import importing
from mlpcore.losses import loss_name
from mlpcore.model import Sequential

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["Component", "Kink", "Report", "check_function", "check_kernel", "check_layer", "check_model"]

Array = NDArray[np.float64]
Arrays = dict[str, Array]
Function = Callable[[], float]
Problems = list[tuple[Function, Arrays]]

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "softmax")
LOSSES = ("mse", "bce", "cce")

EPSILON = float(np.finfo(np.float64).eps)
RATIO = 4.0
STEPS = tuple(RATIO**-k / 32 for k in range(7))  # 1/32 ... 1/131072: a kink nearer than the last one counts as a kink
NOISE = 16.0  # roundings of f, in units of eps times the size of f, that a difference is taken to carry
QUIET = np.errstate(all="ignore")  # what overflows or is NaN ends up in the report


@dataclass(frozen=True)
class Component:
    """One component of a gradient, seen both ways, and the relative error between them (see `check_function`)."""

    name: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float

    def __str__(self) -> str:
        return (
            f"{_label(self.name, self.index)}: analytic {self.analytic:.16g}, numeric {self.numeric:.16g}, "
            f"relative error {self.error:.1e}"
        )


@dataclass(frozen=True)
class Kink:
    """A component at which the function has a corner; the analytic value is ``left``, ``right`` or between them."""

    name: str
    index: tuple[int, ...]
    analytic: float
    left: float
    right: float

    def __str__(self) -> str:
        return (
            f"{_label(self.name, self.index)}: slope {self.left:.9g} on the left, {self.right:.9g} on the right, "
            f"analytic {self.analytic:.9g}"
        )


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    subject : str
        What was checked.
    count : int
        Number of components compared, those at a kink included.
    failed : int
        How many of them are off by more than ``tolerance``.
    worst : Component or None
        The component with the largest relative error; None if every component is a kink or there is none.
    kinks : tuple of Kink
        Components at a corner of the function whose analytic value is a slope there.
    tolerance : float
        Largest relative error that passes.
    note : str
        What a reader of the numbers should know besides.
    """

    subject: str
    count: int
    failed: int
    worst: Component | None
    kinks: tuple[Kink, ...]
    tolerance: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether every component agrees."""
        return self.failed == 0

    def __str__(self) -> str:
        verdict = f"{self.count} components agree" if self.ok else f"{self.failed} of {self.count} components DISAGREE"
        lines = [f"gradient check of {self.subject}: {verdict} (tolerance {self.tolerance:.0e})"]
        if self.note:
            lines.append(f"  note   {self.note}")
        if self.worst is not None:
            lines.append(f"  worst  {self.worst}")
        lines += [f"  kink   {kink}" for kink in self.kinks[:5]]
        if len(self.kinks) > 5:
            lines.append(f"  ...    and {len(self.kinks) - 5} more kinks")
        return "\n".join(lines)

    __repr__ = __str__


def check_function(
    f: Callable[..., float],
    inputs: Mapping[str, ArrayLike],
    analytic: Mapping[str, ArrayLike],
    *,
    tolerance: float = 1e-7,
    subject: str = "function",
) -> Report:
    """Check the gradient of a scalar function.

    Parameters
    ----------
    f : callable
        Called as ``f(**inputs)`` with float64 arrays; must return a number and must not keep or change the arrays.
    inputs : mapping of str to array_like
        The point at which to differentiate. Arrays are copied.
    analytic : mapping of str to array_like
        The gradient to check for each input named here, of that input's shape. Inputs without one are held fixed.
    tolerance : float, default 1e-7
        Largest relative error that passes. The error is abs(analytic - numeric) / max(abs(analytic), abs(numeric),
        floor). Below the floor the rounding of f alone moves a difference by more than the tolerance, so smaller
        components are compared on that scale: floor = 16 eps (abs(f) / 2 + g) / (h tolerance), where g is the largest
        gradient times the largest input (at least 1), and h the smallest step the difference rests on.
    subject : str, default "function"
        What the report calls it.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If ``analytic`` names no input, or a gradient's shape is not its input's.
    """
    arrays = _copies(inputs)
    gradients = _copies(analytic)
    for name, gradient in gradients.items():
        if name not in arrays:
            raise ValueError(f"analytic names {name!r}, which is not one of the inputs ({', '.join(arrays)})")
        if gradient.shape != arrays[name].shape:
            raise ValueError(
                f"analytic[{name!r}] has shape {gradient.shape}, expected {arrays[name].shape}: its input's"
            )
    moved = {name: arrays[name] for name in gradients}
    return _compare([(lambda: float(f(**arrays)), moved)], gradients, tolerance, subject)


def check_kernel(
    name: str,
    inputs: Mapping[str, ArrayLike] | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    seed: int = 0,
    tolerance: float = 1e-7,
) -> Report:
    """Check a backward function of ``mlpcore.kernels`` against its forward function.

    An output that is an array is contracted with a random upstream gradient, so that every entry of it counts.

    Parameters
    ----------
    name : str
        ``"dense"`` (eq. 2 without sigma', eq. 3 and 4), an activation (``"relu"``), a loss (``"mse"``), or an output
        pair (``"cce+softmax"``: phi^J, eq. 1).
    inputs : mapping of str to array_like, optional
        ``x`` (n, in), ``w`` (out, in), ``b`` (out,) for dense; ``z`` (n, out) for an activation; ``y_hat`` and ``y``
        (n, out) for a loss; ``z`` and ``y`` for a pair. Default: small random arrays inside the function's domain.
    sample_weight : array_like, optional
        Weights (n,) for a loss or a pair.
    seed : int, default 0
        Seeds the upstream gradient and the default inputs.
    tolerance : float, default 1e-7
        See `check_function`.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    rng = _random(seed)
    loss, _, activation = name.partition("+")
    if name == "dense":
        at = _copies(inputs or {"x": rng.normal(size=(5, 3)), "w": rng.normal(size=(4, 3)), "b": rng.normal(size=4)})
        upstream = rng.normal(size=(len(at["x"]), len(at["w"])))
        analytic = dict(zip(("x", "w", "b"), kernels.dense_backward(upstream, at["x"], at["w"]), strict=True))

        def f() -> float:
            return float(np.vdot(upstream, kernels.dense_forward(at["x"], at["w"], at["b"])))

    elif name in ACTIVATIONS:
        at = _copies(inputs or {"z": rng.normal(size=(5, 4))})
        upstream = rng.normal(size=at["z"].shape)
        analytic = {"z": kernels.activation_backward(name, at["z"], upstream)}

        def f() -> float:
            return float(np.vdot(upstream, kernels.activation_forward(name, at["z"])))

    elif name in LOSSES:
        at = _copies(inputs or {"y_hat": rng.uniform(0.1, 0.9, (5, 4)), "y": rng.uniform(0, 1, (5, 4))})
        analytic = {"y_hat": kernels.loss_gradient(name, at["y_hat"], at["y"], sample_weight=sample_weight)}

        def f() -> float:
            return kernels.loss_value(name, at["y_hat"], at["y"], sample_weight=sample_weight)

    elif loss in LOSSES and activation in ACTIVATIONS:
        at = _copies(inputs or {"z": rng.uniform(0.1, 0.9, (5, 4)), "y": rng.uniform(0, 1, (5, 4))})
        analytic = {"z": kernels.output_phi(loss, activation, at["z"], at["y"], sample_weight=sample_weight)}

        def f() -> float:
            return kernels.output_loss(loss, activation, at["z"], at["y"], sample_weight=sample_weight)

    else:
        raise ValueError(
            f"name is {name!r}, expected 'dense', an activation ({', '.join(ACTIVATIONS)}), "
            f"a loss ({', '.join(LOSSES)}) or a pair of the two like 'cce+softmax'"
        )
    return _compare([(f, {key: at[key] for key in analytic})], analytic, tolerance, name)


def check_layer(layer: Dense, x: ArrayLike, *, seed: int = 0, tolerance: float = 1e-7) -> Report:
    """Check a layer's gradients to ``x``, ``w`` and ``b``, its activation included, for a random upstream gradient.

    Parameters
    ----------
    layer : Dense
        A layer of a model; its weights are copied to float64, and it is left as it is.
    x : array_like
        Inputs of shape (n, in).
    seed : int, default 0
        Seeds the upstream gradient.
    tolerance : float, default 1e-7
        See `check_function`.

    Returns
    -------
    Report
    """
    at = _copies({"x": x, "w": layer.w, "b": layer.b})
    activation = layer.activation
    upstream = _random(seed).normal(size=(len(at["x"]), len(at["w"])))

    def f() -> float:
        z = kernels.dense_forward(at["x"], at["w"], at["b"])
        return float(np.vdot(upstream, kernels.activation_forward(activation, z)))

    z = kernels.dense_forward(at["x"], at["w"], at["b"])
    phi = kernels.activation_backward(activation, z, upstream)
    analytic = dict(zip(("x", "w", "b"), kernels.dense_backward(phi, at["x"], at["w"]), strict=True))
    return _compare([(f, at)], analytic, tolerance, str(layer))


def check_model(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    loss: str,
    *,
    sample_weight: ArrayLike | None = None,
    include_input: bool = False,
    tolerance: float = 1e-7,
) -> Report:
    """Check the gradient of the loss to every weight and bias of a model.

    The analytic side is ``backward`` of a float64 twin with the model's weights, so the model is left as it is. The
    numeric side is the loss as `mlpcore.kernels` compute it, layer by layer.

    Parameters
    ----------
    model : Sequential
        The model.
    x : array_like
        Inputs of shape (n, in).
    y : array_like
        Ground truth, as ``model.backward`` takes it.
    loss : str
        The loss, as ``model.backward`` takes it.
    sample_weight : array_like, optional
        Weights (n,).
    include_input : bool, default False
        Check the gradient to ``x`` too.
    tolerance : float, default 1e-7
        See `check_function`.

    Returns
    -------
    Report
        Components are named ``layers[0].w``, ``layers[0].b``, ... and ``x``.
    """
    twin = _float64_twin(model)
    at = _copies({"x": x})
    twin.forward(at["x"])
    twin.backward(y, loss=loss, sample_weight=sample_weight)
    layers = twin.layers
    parameters = [(np.array(layer.w), np.array(layer.b)) for layer in layers]
    target = targets_of("y", y, loss_name(loss), len(at["x"]), layers[-1].units, np.float64)

    def loss_from(j: int, x: Array) -> float:
        z = kernels.dense_forward(x, *parameters[j])
        for below, parameter in zip(layers[j:], parameters[j + 1 :], strict=False):
            z = kernels.dense_forward(kernels.activation_forward(below.activation, z), *parameter)
        return kernels.output_loss(loss, layers[-1].activation, z, target, sample_weight=sample_weight)

    problems: Problems = []
    analytic: Arrays = {}
    for j, layer in enumerate(layers):
        names = f"layers[{j}].w", f"layers[{j}].b"
        problems.append((partial(loss_from, j, np.array(layer.x)), dict(zip(names, parameters[j], strict=True))))
        analytic |= dict(zip(names, (layer.grad_w, layer.grad_b), strict=True))
    if include_input:
        problems.append((partial(loss_from, 0, at["x"]), at))
        analytic["x"] = kernels.dense_backward(layers[0].phi, at["x"], layers[0].w)[0]
    note = (
        "" if model.dtype == twin.dtype else f"a {model.dtype} model, checked on a {twin.dtype} twin with its weights"
    )
    return _compare(problems, analytic, tolerance, f"{_names(model)} with {loss}", note)


def _float64_twin(model: Sequential) -> Sequential:
    layers = [Dense(layer.units, layer.activation) for layer in model.layers]
    twin = Sequential(layers, input_size=model.input_size, dtype="float64")
    for copy, layer in zip(layers, model.layers, strict=True):
        copy.w, copy.b = layer.w, layer.b
    return twin


def _names(model: Sequential) -> str:
    """Return the model in a few characters, such as 64-32 relu-10 softmax."""
    return "-".join([str(model.input_size), *(f"{layer.units} {layer.activation}" for layer in model.layers)])


@dataclass(frozen=True)
class _Slopes:
    """Numerical slopes of a function in some components of an array, each with what is known of its accuracy."""

    value: Array
    doubt: Array  # how far the neighbours in Ridders' table are from the value
    noise: Array  # what one rounding of f does to it
    step: Array  # smallest step it rests on

    def floor(self, background: float, tolerance: float) -> Array:
        """Return the slope below which the rounding of f alone is more than ``tolerance`` of it."""
        return NOISE * (self.noise + EPSILON * background / self.step) / tolerance


def _compare(problems: Problems, analytic: Arrays, tolerance: float, subject: str, note: str = "") -> Report:
    """Compare ``analytic`` with the slopes of each function in the arrays beside it, which it reads."""
    cases = [(f, name, array) for f, arrays in problems for name, array in arrays.items()]
    slopes = [_differentiate(f, array, np.arange(array.size), 1, 1, tolerance) for f, _, array in cases]
    # Terms of f that cancel leave roundings that f's own size does not show; these are about as large. The smaller of
    # both sides counts, so that neither a wild difference at a kink nor a wild gradient hides what is wrong elsewhere.
    steepest = min(_largest([s.value for s in slopes]), _largest([analytic[name] for _, name, _ in cases]))
    background = steepest * max(1.0, _largest([array for _, _, array in cases]))

    count = failed = 0
    worst: Component | None = None
    kinks: list[Kink] = []
    for (f, name, array), central in zip(cases, slopes, strict=True):
        flat = np.ravel(analytic[name])
        error = _relative_error(flat, central, background, tolerance)
        for i in np.flatnonzero(error > tolerance).tolist():
            left, right = (_differentiate(f, array, np.array([i]), up, 1 - up, tolerance) for up in (0, 1))
            if _at_kink(float(flat[i]), left, right, background, tolerance):
                slopes_there = float(left.value[0]), float(right.value[0])
                kinks.append(Kink(name, _index(i, array), float(flat[i]), *slopes_there))
                error[i] = -1  # named, and neither the worst nor a failure
        count += error.size
        failed += int(np.count_nonzero(error > tolerance))
        i = int(error.argmax()) if error.size else 0
        if error.size and error[i] >= 0 and (worst is None or error[i] > worst.error):
            worst = Component(name, _index(i, array), float(flat[i]), float(central.value[i]), float(error[i]))
    return Report(subject, count, failed, worst, tuple(kinks), tolerance, note)


@QUIET
def _relative_error(analytic: Array, slopes: _Slopes, background: float, tolerance: float) -> Array:
    apart = np.abs(analytic - slopes.value)
    scale = np.maximum(np.maximum(np.abs(analytic), np.abs(slopes.value)), slopes.floor(background, tolerance))
    return np.nan_to_num(np.divide(apart, scale, out=np.zeros_like(apart), where=apart != 0), nan=np.inf)


def _at_kink(analytic: float, left: _Slopes, right: _Slopes, background: float, tolerance: float) -> bool:
    """Whether the slopes on either side differ, and ``analytic`` is one of them or lies between them."""

    def agrees(value: float, side: _Slopes) -> bool:
        return bool(_relative_error(np.array([value]), side, background, tolerance)[0] <= tolerance)

    low, high = sorted((float(left.value[0]), float(right.value[0])))
    if agrees(float(left.value[0]), right) or agrees(float(right.value[0]), left):
        return False
    certain = max(left.doubt[0], right.doubt[0]) <= 1e-3 * (high - low)
    return agrees(analytic, left) or agrees(analytic, right) or bool(certain and low < analytic < high)


@QUIET
def _differentiate(
    f: Function, array: Array, active: NDArray[np.intp], up: int, down: int, tolerance: float
) -> _Slopes:
    """Extrapolate the slopes of f over [-down h, up h], in the components ``active`` of ``array``, to h = 0."""
    order = up + down  # a central difference errs by even powers of h, a one-sided one by all of them
    value, doubt, noise, step = (np.full(active.size, fill) for fill in (np.nan, np.inf, np.inf, STEPS[-1]))
    row: list[Array] = []  # of Ridders' table, for the components still active
    place = np.arange(active.size)
    for h in STEPS:
        above = row
        quotient, rounding = _quotients(f, array, active, up * h, down * h)
        row = [quotient]
        for column, coarse in enumerate(above, start=1):
            row.append(row[-1] + (row[-1] - coarse) / (RATIO ** (order * column) - 1))
            apart = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - coarse))
            better = np.maximum(apart, rounding) < doubt[place]
            chosen = place[better]
            value[chosen], doubt[chosen] = row[-1][better], np.maximum(apart, rounding)[better]
            noise[chosen], step[chosen] = rounding[better], h
        settled = doubt[place] <= np.maximum(tolerance / 100 * np.abs(value[place]), NOISE * rounding)
        active, place, row = active[~settled], place[~settled], [column[~settled] for column in row]
        if not active.size:
            break
    return _Slopes(value, doubt, noise, step)


def _quotients(f: Function, array: Array, active: NDArray[np.intp], up: float, down: float) -> tuple[Array, Array]:
    """Return (f(+up) - f(-down)) / (up + down) in each component, and what one rounding of f adds to it."""
    point = array.flat
    quotient, rounding = np.empty(active.size), np.empty(active.size)
    for k, i in enumerate(active):
        value = point[i]
        point[i] = high = value + up
        f_high = f()
        point[i] = low = value - down
        f_low = f()
        point[i] = value
        quotient[k] = (f_high - f_low) / (high - low)
        rounding[k] = EPSILON * max(abs(f_high), abs(f_low)) / (high - low)
    return quotient, rounding


def _random(seed: int) -> Generator:
    with importing:
        from numpy.random import default_rng
    return default_rng(seed)


def _largest(arrays: list[Array]) -> float:
    """Return the largest finite magnitude, 0 if there is none."""
    return max((float(np.max(np.abs(a), initial=0, where=np.isfinite(a))) for a in arrays), default=0.0)


def _copies(arrays: Mapping[str, ArrayLike]) -> Arrays:
    return {name: np.array(value, dtype=np.float64) for name, value in arrays.items()}


def _index(i: int, array: Array) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(i, array.shape))


def _label(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name
