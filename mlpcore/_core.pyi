"""Types of the C extension. The functions that `mlpcore.kernels` shows are documented there, `Net` here."""

from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore.engine import (
    Choice,
    MetricsState,
    OptimizerState,
    PartState,
    ScheduleState,
    Step,
    StoppingState,
    TrainSettings,
)

_T = TypeVar("_T")

def dense_forward(x: ArrayLike, w: ArrayLike, b: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
def dense_backward(phi: ArrayLike, x: ArrayLike, w: ArrayLike) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]: ...
def activation_forward(name: Choice | None, z: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
def activation_backward(
    name: Choice | None, z: ArrayLike, grad_a: ArrayLike, *, out: NDArray[Any] | None = None
) -> NDArray[Any]: ...
def loss_value(name: Choice, y_hat: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float: ...
def loss_gradient(
    name: Choice,
    y_hat: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def output_loss(
    loss: Choice, activation: Choice | None, z: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float: ...
def output_phi(
    loss: Choice,
    activation: Choice | None,
    z: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def sgd_step(
    w: NDArray[Any],
    grad: ArrayLike,
    velocity: NDArray[Any] | None = None,
    *,
    learning_rate: float = 0.01,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> None: ...
def adam_step(
    w: NDArray[Any],
    grad: ArrayLike,
    m: NDArray[Any],
    v: NDArray[Any],
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None: ...
def adamw_step(
    w: NDArray[Any],
    grad: ArrayLike,
    m: NDArray[Any],
    v: NDArray[Any],
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.01,
) -> None: ...
def amsgrad_step(
    w: NDArray[Any],
    grad: ArrayLike,
    m: NDArray[Any],
    v: NDArray[Any],
    v_max: NDArray[Any],
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None: ...
def nadam_step(
    w: NDArray[Any],
    grad: ArrayLike,
    m: NDArray[Any],
    v: NDArray[Any],
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    momentum_decay: float = 0.004,
    weight_decay: float = 0.0,
) -> None: ...
def radam_step(
    w: NDArray[Any],
    grad: ArrayLike,
    m: NDArray[Any],
    v: NDArray[Any],
    *,
    t: int,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None: ...
def adagrad_step(
    w: NDArray[Any],
    grad: ArrayLike,
    v: NDArray[Any],
    *,
    learning_rate: float = 0.01,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
) -> None: ...
def rmsprop_step(
    w: NDArray[Any],
    grad: ArrayLike,
    v: NDArray[Any],
    velocity: NDArray[Any] | None = None,
    mean: NDArray[Any] | None = None,
    *,
    learning_rate: float = 0.001,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
    weight_decay: float = 0.0,
) -> None: ...
def adadelta_step(
    w: NDArray[Any],
    grad: ArrayLike,
    v: NDArray[Any],
    u: NDArray[Any],
    *,
    learning_rate: float = 1.0,
    rho: float = 0.9,
    epsilon: float = 1e-6,
    weight_decay: float = 0.0,
) -> None: ...
def lion_step(
    w: NDArray[Any],
    grad: ArrayLike,
    m: NDArray[Any],
    *,
    learning_rate: float = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
) -> None: ...
def rprop_step(
    w: NDArray[Any],
    grad: ArrayLike,
    step: NDArray[Any],
    sign: NDArray[Any],
    *,
    learning_rate: float = 0.01,
    eta_minus: float = 0.5,
    eta_plus: float = 1.2,
    step_min: float = 1e-6,
    step_max: float = 50.0,
) -> None: ...
def schedule_rate(schedule: ScheduleState, learning_rate: float, steps: int) -> float: ...
def watch_epoch(early_stopping: StoppingState, number: float) -> bool: ...
def schedule_loss(schedule: ScheduleState, loss: float) -> None: ...
def catalogue() -> dict[str, list[dict[str, Any]]]: ...
def document(function: Callable[..., Any], text: str, /) -> None: ...
def all_finite(array: NDArray[Any], /) -> bool: ...
def holds_masked(value: object, axes: int, /) -> bool: ...
def isa_names() -> list[str]: ...
def current_isa() -> str: ...
def use_isa(name: str) -> bool: ...
def cpu_features() -> list[str]: ...

MAX_THREADS: int
COMPILER: str

def get_num_threads() -> int: ...
def set_num_threads(threads: SupportsIndex) -> None: ...
def run_chunks(chunks: SupportsIndex, turns: SupportsIndex) -> list[tuple[int, bool]]: ...
def elementary(name: str, x: ArrayLike) -> NDArray[Any]: ...
def philox(key0: int, key1: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]: ...
def allocation_count() -> int: ...
def aligned_zeros(count: int, dtype: str) -> NDArray[Any]: ...
def shuffled(seed: int, epoch: int, n: int, block: int = 0) -> NDArray[np.intp]: ...

class BusyError(RuntimeError):
    """A call came while another one had the network."""

@final
class Net:
    """A network: a plan of steps, its parameters, and the memory of the last batch.

    What `mlpcore.Sequential` is made of. Methods that look at the network or change it raise BusyError if another call,
    of another thread or from inside this one, forbids that.
    """

    def __new__(cls, input_size: int, steps: Sequence[Step], dtype: str) -> Net: ...
    @property
    def params(self) -> NDArray[Any]:
        """All parameters, shape (P,): segment after segment. A view."""
    @property
    def grads(self) -> NDArray[Any]:
        """The gradients of the last backward, lying like params. A view."""
    @property
    def state(self) -> NDArray[Any]:
        """The numbers beside the parameters, which no optimizer touches. A view."""
    @property
    def has_custom(self) -> bool:
        """Whether a part of it is written in Python."""
    @property
    def has_gradients(self) -> bool:
        """Whether there was a backward since the last forward."""
    def parameters(self, step: int) -> tuple[NDArray[Any], ...]:
        """Return the parameters of a step, w (out, in) and b (out,) of a dense one: views."""
    def buffers(self, step: int) -> tuple[NDArray[Any], ...]:
        """Return the numbers of a step beside its parameters: views."""
    def gradients(self, step: int) -> tuple[NDArray[Any], ...]:
        """Return their gradients: views. RuntimeError unless there was a backward since the last forward."""
    def gradient_buffers(self, step: int) -> tuple[NDArray[Any], ...]:
        """Return the memory of the gradients at any time, for a layer that is written in Python."""
    def read(self, function: Callable[[], _T], /) -> _T:
        """Return what `function` returns, during which no other call changes the network."""
    def snapshot(self) -> NDArray[Any]:
        """Return a copy of all parameters, which no other call changes meanwhile."""
    def set_trained(self, params: ArrayLike) -> None:
        """Overwrite the parameters that are trained, of which no other call reads any meanwhile."""
    def restore(self, params: ArrayLike, state: ArrayLike | None = None) -> None:
        """Overwrite all parameters, and the numbers beside them if they are given; no other call reads meanwhile."""
    def value(self, i: int) -> NDArray[Any]:
        """Return value i of the last batch, which step i reads and step i - 1 wrote: a view (n, width)."""
    def gradient(self, i: int) -> NDArray[Any]:
        """Return the gradient to value i: a view. RuntimeError unless there was a backward since the last forward."""
    def segments(self) -> list[tuple[bool, float, float, float, float]]:
        """Return how each segment of the parameters is trained, as `set_segment` takes it."""
    def first_segment(self, step: int) -> int:
        """Return the number of a step's first segment."""
    def set_segment(self, i: int, trainable: bool, rate_factor: float, l1: float, l2: float, max_norm: float) -> None:
        """Say how segment i is trained; max_norm 0 sets no limit."""
    def initialize(self, step: int, segment: int, initializer: Choice, seed: int) -> None:
        """Fill a segment of a step, counted from the step's first, by an initializer of the catalogue."""
    def forward(
        self,
        x: ArrayLike,
        training: bool = False,
        seed: int = 0,
        epoch: int = 0,
        batch: int = 0,
        sample_weight: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Return a^J of the batch x (n, in) as a new array, and keep all values of the batch.

        In training the numbers beside the parameters move, by moments in which a row counts what it weighs.
        """
    def backward(self, y: ArrayLike, loss: Choice, sample_weight: ArrayLike | None = None) -> float:
        """Return the loss of the last batch, and fill in all gradients. RuntimeError without a forward.

        y is (n, out) or, for a loss with classes, (n,): the index of each row's class.
        """
    def step(self, optimizer: OptimizerState, cursor: NDArray[Any] | None = None) -> None:
        """Take one step with the gradients of the last backward, and count it as a batch in cursor[1].

        RuntimeError without a backward since the last forward.
        """
    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Return a^J of x (n, in) as a new array (n, out), and leave the last batch alone."""
    def loss(
        self,
        x: ArrayLike,
        y: ArrayLike,
        loss: Choice,
        metric: str | None,
        sample_weight: ArrayLike | None = None,
        metrics: MetricsState | None = None,
        part: PartState | None = None,
    ) -> tuple[float, float]:
        """Return the loss and the accuracy, nan without a metric, of all rows as one batch; write other metrics.

        y as in `backward`. Where the rows are a `part`, the result is that of all parts after the last, and else means
        nothing.
        """
    def train(
        self, x: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, settings: TrainSettings
    ) -> tuple[int, int]:
        """Train for some epochs; y as in `backward`.

        Return how many batches were done, and the first of them whose loss was not finite, -1 if there was none. Ctrl-C
        and an exception in `settings.progress` end it after a whole batch.
        """
