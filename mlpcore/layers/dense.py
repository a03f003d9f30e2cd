"""The dense layer: z = w x + b, a = sigma(z)."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import copies
from mlpcore._core import Net
from mlpcore.checks import whole_number
from mlpcore.data import real_array

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "softmax")
INITIALIZERS = ("glorot_uniform", "he_uniform", "zeros")


class Dense:
    """A dense layer: every unit reads every input.

    Row i of w holds the weights of unit i. For a batch of n samples, one a row, forward computes::

        z = x w^T + b        a = sigma(z)

    and backward, given grad_a, the gradient of the loss with respect to a (equations 1 to 4 of the paper)::

        phi = grad_a * sigma'(z)        grad_w = phi^T x        grad_b = sum over samples of phi

    Parameters
    ----------
    units : int
        How many units, and so outputs, the layer has: >= 1.
    activation : {"linear", "relu", "sigmoid", "tanh", "softmax"} or None, default None
        sigma; None is "linear".
    input_size : int, optional
        How many inputs it has. Only a first layer needs to be told, and it too can learn it from the first data.
    kernel_initializer : {"glorot_uniform", "he_uniform", "zeros"}, default "glorot_uniform"
        What w is drawn from: uniform in +-sqrt(6 / (in + out)) (Glorot & Bengio 2010) or in +-sqrt(6 / in) (He et al.
        2015), or 0. b begins as 0.

    Raises
    ------
    TypeError, ValueError
        If a size is no integer >= 1 or a name is unknown.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(3, "relu", kernel_initializer="zeros")
    >>> model = mlpcore.Sequential([layer], input_size=2)
    >>> layer.w = [[1, 2], [3, 4], [-5, -6]]
    >>> model.forward([[1.0, 1.0]])
    array([[3., 7., 0.]], dtype=float32)
    >>> layer.z
    array([[  3.,   7., -11.]], dtype=float32)
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        *,
        input_size: int | None = None,
        kernel_initializer: str = "glorot_uniform",
    ) -> None:
        self._units = whole_number("units", units, at_least=1)
        if isinstance(activation, int | np.integer) and not isinstance(activation, bool):
            raise TypeError(
                f"activation is {activation}, expected one of {', '.join(map(repr, ACTIVATIONS))}: units first; "
                f"input_size= tells how many inputs there are, as in Dense({activation}, input_size={units})"
            )
        self._activation = _one_of("activation", "linear" if activation is None else activation, ACTIVATIONS)
        self._input_size = None if input_size is None else whole_number("input_size", input_size, at_least=1)
        self._kernel_initializer = _one_of("kernel_initializer", kernel_initializer, INITIALIZERS)
        self._taken = False  # by a model
        self._net: Net | None = None
        self._index = 0

    @property
    def units(self) -> int:
        """How many units, and so outputs, the layer has."""
        return self._units

    @property
    def activation(self) -> str:
        """The name of sigma."""
        return self._activation

    @property
    def input_size(self) -> int | None:
        """How many inputs the layer has; None as long as it is not known."""
        return self._input_size

    @property
    def kernel_initializer(self) -> str:
        """What w is drawn from."""
        return self._kernel_initializer

    @property
    def w(self) -> NDArray[Any]:
        """The weights (out, in): a view, so that `layer.w[...] = values` writes into the engine.

        `layer.w = values` copies values of exactly this shape. Reading it before the layer knows its input size raises
        a RuntimeError, as all arrays of the layer do.
        """
        return self._parameters()[0]

    @w.setter
    def w(self, values: ArrayLike) -> None:
        _overwrite("w", self.w, values, "(out, in)")

    @property
    def b(self) -> NDArray[Any]:
        """The biases (out,): a view, as `w` is."""
        return self._parameters()[1]

    @b.setter
    def b(self, values: ArrayLike) -> None:
        _overwrite("b", self.b, values, "(out,)")

    @property
    def grad_w(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to w, (out, in): equation 3."""
        return self._parameters()[2]

    @property
    def grad_b(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to b, (out,): equation 4."""
        return self._parameters()[3]

    @property
    def x(self) -> NDArray[Any]:
        """The layer's input (n, in) in the last forward; a RuntimeError before the first, as for z, a and phi."""
        return self._activity()[0]

    @property
    def z(self) -> NDArray[Any]:
        """The weighted inputs x w^T + b of the last forward, (n, out)."""
        return self._activity()[1]

    @property
    def a(self) -> NDArray[Any]:
        """The layer's output sigma(z) in the last forward, (n, out)."""
        return self._activity()[2]

    @property
    def phi(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to z, (n, out): equations 1 and 2."""
        return self._activity()[3]

    def __repr__(self) -> str:
        return f"Dense({self._units}, {self._activation!r}, kernel_initializer={self._kernel_initializer!r})"

    def __getstate__(self) -> object:
        """Return all attributes but those that a model gave: a layer copied by itself is free, without arrays."""
        return copies.attributes_of(self, without=("_taken", "_net", "_index"))

    def __setstate__(self, state: object) -> None:
        for name, value in (("_taken", False), ("_net", None), ("_index", 0)):
            self.__dict__.setdefault(name, value)  # a model that is copied with the layer may have set them already
        copies.set_attributes(self, state)

    def _parameters(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        return self._engine().weights(self._index)

    def _activity(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        return self._engine().activity(self._index)

    def _engine(self) -> Net:
        if self._net is None:
            raise RuntimeError(
                f"{self!r} has no arrays yet: give its Sequential an input_size=, or let it see data first"
            )
        return self._net

    def _attach(self, net: Net, index: int, input_size: int) -> None:
        """Become layer `index` of `net`, whose memory all arrays of the layer show from now on."""
        self._net, self._index, self._input_size = net, index, input_size

    def _config(self) -> dict[str, Any]:
        """Return what makes a layer like this one, as plain data."""
        return {
            "kind": "dense",
            "units": self._units,
            "activation": self._activation,
            "kernel_initializer": self._kernel_initializer,
        }

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{name: value for name, value in config.items() if name != "kind"})


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, allowed))}")
    return value


def _overwrite(name: str, view: NDArray[Any], values: ArrayLike, axes: str) -> None:
    array = real_array(name, values)
    if array.shape != view.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {view.shape}: {axes}")
    np.copyto(view, array, casting="same_kind")
