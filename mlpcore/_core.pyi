"""Types of the C extension; the functions' own docstrings say what they do."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, final

from numpy.typing import ArrayLike, NDArray

# ("sgd", learning_rate, momentum, nesterov, velocity | None) or
# ("adam", learning_rate, beta1, beta2, epsilon, m, v, t)
_Optimizer = tuple[Any, ...]

def dense_forward(x: ArrayLike, w: ArrayLike, b: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
def dense_backward(phi: ArrayLike, x: ArrayLike, w: ArrayLike) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]: ...
def activation_forward(name: str | None, z: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
def activation_backward(
    name: str | None, z: ArrayLike, grad_a: ArrayLike, *, out: NDArray[Any] | None = None
) -> NDArray[Any]: ...
def loss_value(name: str, y_hat: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float: ...
def loss_gradient(
    name: str,
    y_hat: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def output_loss(
    loss: str, activation: str | None, z: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float: ...
def output_phi(
    loss: str,
    activation: str | None,
    z: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
def sgd_step(
    w: NDArray[Any],
    grad: ArrayLike,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    velocity: NDArray[Any] | None = None,
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
) -> None: ...
def isa_names() -> list[str]: ...
def current_isa() -> str: ...
def use_isa(name: str) -> bool: ...
def cpu_features() -> list[str]: ...
def elementary(name: Literal["exp", "log", "log1p", "tanh", "sigmoid"], x: ArrayLike) -> NDArray[Any]: ...
def philox(key0: int, key1: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]: ...
def aligned_zeros(count: int, dtype: str) -> NDArray[Any]: ...

@final
class Net:
    def __new__(cls, sizes: Sequence[int], activations: Sequence[str | None], dtype: str) -> Net: ...
    @property
    def params(self) -> NDArray[Any]: ...
    @property
    def grads(self) -> NDArray[Any]: ...
    def weights(self, j: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]: ...
    def activity(self, j: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]: ...
    def initialize(self, j: int, name: str, seed: int) -> None: ...
    def forward(self, x: ArrayLike) -> NDArray[Any]: ...
    def backward(self, y: ArrayLike, loss: str, sample_weight: ArrayLike | None = None) -> float: ...
    def step(self, optimizer: _Optimizer) -> None: ...
    def predict(self, x: ArrayLike) -> NDArray[Any]: ...
    def loss(
        self, x: ArrayLike, y: ArrayLike, loss: str, sample_weight: ArrayLike | None = None
    ) -> tuple[float, float]: ...
    def epoch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        loss: str,
        batch_size: int,
        shuffle: bool,
        seed: int,
        epoch_index: int,
        optimizer: _Optimizer,
        progress: Callable[[int], object] | None,
    ) -> tuple[float, float, int]: ...
