"""One step of each optimizer on an array of weights, for `mlpcore.kernels`. The catalogue tells what they do."""

from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import ArrayLike, NDArray

from mlpcore import _core, catalogue
from mlpcore.catalogue import Entry, Hyper
from mlpcore.documenting import documents

Array = NDArray[Any]
F = TypeVar("F", bound=Callable[..., Any])

_RAISES = [
    "",
    "Raises",
    "------",
    "TypeError",
    "    If an array to be written is neither float32 nor float64, `grad` holds no real numbers, or a number is none.",
    "ValueError",
    "    If shapes disagree, an array cannot be written in place, arrays overlap, a state is missing, or a number is",
    "    out of its range or would be 0 or infinite in w's dtype.",
]


def _step(described: F) -> F:
    """Make the step of the row of the catalogue that a function is named after of what has its signature."""
    row = catalogue.entry("optimizers", described.__name__.removesuffix("_step"))
    described.__doc__ = _text(described.__doc__ or "", row)
    return documents(getattr(_core, described.__name__))(described)


def _text(summary: str, row: Entry) -> str:
    """Return the docstring of a row's step: formula, parameters, errors."""
    counts = "counts_steps" in row.traits
    decays = any(hyper.name == "weight_decay" for hyper in row.hypers)
    lines = [summary, "", f"{row.source}::" if row.source else "::", ""]
    lines += ["    w -= learning_rate weight_decay w"] * (decays and "weight_decay" not in row.formula)
    lines += [f"    {part}" for part in row.formula.split("; ")]
    lines += ["", "Parameters", "----------", "w : ndarray of float32 or float64, any shape"]
    lines += ["    Written in place. Contiguous, in C or Fortran order.", "grad : array_like, shape of w"]
    for name, only_if in zip(row.states, row.states_if, strict=True):
        optional, needed = (", optional", f" Needed with {only_if}.") if only_if else ("", "")
        lines += [f"{name} : ndarray, shape, dtype and memory order of w{optional}"]
        lines += [f"    A state, zeros before the first step; written in place.{needed}"]
    if counts:
        lines += ["t : int", "    The number of this step: 1, 2, ..."]
    for hyper in row.hypers:
        lines += _parameter(hyper)
    return "\n".join([*lines, *_RAISES])


def _parameter(hyper: Hyper) -> list[str]:
    """Return the description of a hyperparameter, with its default value and its range."""
    if hyper.is_flag:
        return [f"{hyper.name} : bool, default {bool(hyper.default)}"]
    below = "finite" if hyper.below == float("inf") else "less than 1"
    float32 = f", in float32 at least {hyper.least_float32:g}" if hyper.least_float32 > hyper.least else ""
    return [f"{hyper.name} : float, default {hyper.default:g}", f"    At least {hyper.least:g}{float32}, and {below}."]


@_step
def sgd_step(
    w: Array,
    grad: ArrayLike,
    velocity: Array | None = None,
    *,
    learning_rate: float = 0.01,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> None:
    """One step of gradient descent on w, in place."""


@_step
def adam_step(
    w: Array,
    grad: ArrayLike,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None:
    """Step t of Adam on w, in place."""


@_step
def adamw_step(
    w: Array,
    grad: ArrayLike,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.01,
) -> None:
    """Step t of AdamW on w, in place."""


@_step
def amsgrad_step(
    w: Array,
    grad: ArrayLike,
    m: Array,
    v: Array,
    v_max: Array,
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None:
    """Step t of AMSGrad on w, in place."""


@_step
def nadam_step(
    w: Array,
    grad: ArrayLike,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    momentum_decay: float = 0.004,
    weight_decay: float = 0.0,
) -> None:
    """Step t of NAdam on w, in place."""


@_step
def radam_step(
    w: Array,
    grad: ArrayLike,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None:
    """Step t of RAdam on w, in place."""


@_step
def adagrad_step(
    w: Array,
    grad: ArrayLike,
    v: Array,
    *,
    learning_rate: float = 0.01,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None:
    """One step of Adagrad on w, in place."""


@_step
def rmsprop_step(
    w: Array,
    grad: ArrayLike,
    v: Array,
    velocity: Array | None = None,
    mean: Array | None = None,
    *,
    learning_rate: float = 0.001,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
    weight_decay: float = 0.0,
) -> None:
    """One step of RMSprop on w, in place."""


@_step
def adadelta_step(
    w: Array,
    grad: ArrayLike,
    v: Array,
    u: Array,
    *,
    learning_rate: float = 1.0,
    rho: float = 0.9,
    epsilon: float = 1e-6,
    weight_decay: float = 0.0,
) -> None:
    """One step of Adadelta on w, in place."""


@_step
def lion_step(
    w: Array,
    grad: ArrayLike,
    m: Array,
    *,
    learning_rate: float = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
) -> None:
    """One step of Lion on w, in place."""


@_step
def rprop_step(
    w: Array,
    grad: ArrayLike,
    step: Array,
    sign: Array,
    *,
    learning_rate: float = 0.01,
    eta_minus: float = 0.5,
    eta_plus: float = 1.2,
    step_min: float = 1e-6,
    step_max: float = 50.0,
) -> None:
    """One step of Rprop on w, in place."""
