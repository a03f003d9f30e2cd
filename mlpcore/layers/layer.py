"""What every layer of a network is: steps of the engine's plan, and views of the memory that they compute in."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import copies
from mlpcore._core import Net
from mlpcore.data import real_array
from mlpcore.engine import Step

Array = NDArray[Any]


class Layer(ABC):
    """Base class of all layers.

    A layer belongs to one model, which gives it its arrays when the input size is known. Every array that a layer shows is a
    view of the memory that the engine computes in.
    """

    kind: ClassVar[str]
    """The name that model files know the class by."""

    def __init__(self) -> None:
        self._has_model = False
        self._net: Net | None = None
        self._first = self._last = 0  # its steps are first, ..., last
        self._input_size: int | None = None

    @property
    def input_size(self) -> int | None:
        """How many inputs the layer has; None as long as it is not known."""
        return self._input_size

    @property
    def x(self) -> Array:
        """The layer's input in the last forward, (n, in): a view. RuntimeError before the first forward."""
        return self._engine().value(self._first)

    @property
    def a(self) -> Array:
        """The layer's output in the last forward, (n, out): a view. RuntimeError before the first forward."""
        return self._engine().value(self._last + 1)

    @abstractmethod
    def _output_size(self, input_size: int) -> int:
        """Return how many outputs the layer has for so many inputs; raise ValueError if it cannot have so many inputs."""

    @abstractmethod
    def _steps(self, layer: int, input_size: int) -> list[Step]:
        """Return the steps of the layer, which is number `layer` of its network."""

    @abstractmethod
    def _config(self) -> dict[str, Any]:
        """Return what makes a layer like this one, as plain data."""

    @classmethod
    @abstractmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        """Return the layer that `_config` describes; raise KeyError, TypeError or ValueError if it describes none."""

    def _inner(self) -> "tuple[Layer, ...]":
        """Return the layers that this one is made of."""
        return ()

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the layer's own parameters by name, in the order of their segments."""
        return {}

    def _tensor_view(self, name: str, flat: Array, shape: tuple[int, ...]) -> Array:
        """Return a parameter from its part of the flat buffer."""
        return flat.reshape(shape)

    def _initialize(self, net: Net, first: int, seed: int) -> None:
        """Draw the first weights of the layer, which begins with step `first` of `net`."""

    def _bind(self, net: Net, first: int, input_size: int) -> int:
        """Become the steps of `net` from `first` on; return the one after the last."""
        end = first + len(self._steps(0, input_size))
        self._net, self._first, self._last, self._input_size = net, first, end - 1, input_size
        return end

    def _engine(self) -> Net:
        if self._net is None:
            raise RuntimeError(
                f"{self!r} has no arrays yet: give its Sequential an input_size=, or let it see data first"
            )
        return self._net

    def __getstate__(self) -> object:
        """Return all attributes but the arrays, which belong to the model."""
        return copies.attributes_of(self, instead={"_net": None, "_has_model": False})

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)


def overwrite(name: str, view: Array, values: ArrayLike, axes: str) -> None:
    """Copy values of exactly the view's shape into it."""
    array = real_array(name, values)
    if array.shape != view.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {view.shape}: {axes}")
    np.copyto(view, array, casting="same_kind")
