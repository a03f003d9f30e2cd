"""What every layer of a network is: steps of the engine's plan, and views of the memory that they compute in."""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore._core import Net
from mlpcore.checks import real_array
from mlpcore.engine import Step

Array = NDArray[Any]


class Layer(ABC):
    """Base class of all layers. A layer belongs to one model, which gives it its arrays when the input size is known."""

    kind: str
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
        """The layer's input (n, in) in the last forward: a view, as all arrays of a layer are.

        RuntimeError before the first forward.
        """
        return self._engine().value(self._first)

    @property
    def a(self) -> Array:
        """The layer's output (n, out) in the last forward: a view."""
        return self._engine().value(self._last + 1)

    @abstractmethod
    def _output_size(self, input_size: int) -> int:
        """Return how many outputs the layer has for so many inputs; raise ValueError if it cannot be."""

    @abstractmethod
    def _steps(self, layer: int, input_size: int) -> list[Step]:
        """Return the steps of the layer, which is number `layer` of its network."""

    @abstractmethod
    def _config(self) -> dict[str, Any]:
        """Return what makes a layer like this one, as plain data."""

    @classmethod
    @abstractmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        """Return the layer that `_config` describes."""

    def _inner(self) -> "tuple[Layer, ...]":
        """Return the layers that this one is made of."""
        return ()

    def _parameters(self) -> tuple[Array, ...]:
        """Return all parameters, then their gradients: views."""
        return self._engine().parameters(self._first)

    def _initialize(self, net: Net, first: int, seed: int) -> None:
        """Draw the first weights of the step `first` of `net`, where this layer begins."""

    def _bind(self, net: Net, first: int, input_size: int) -> int:
        """Become the steps of `net` from `first` on; return the one after the last."""
        self._net, self._first, self._input_size = net, first, input_size
        self._last = first + len(self._steps(0, input_size)) - 1
        return self._last + 1

    def _engine(self) -> Net:
        if self._net is None:
            raise RuntimeError(
                f"{self!r} has no arrays yet: give its Sequential an input_size=, or let it see data first"
            )
        return self._net


def overwrite(name: str, view: Array, values: ArrayLike, axes: str) -> None:
    """Copy values of exactly the view's shape into it."""
    array = real_array(name, values)
    if array.shape != view.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {view.shape}: {axes}")
    np.copyto(view, array, casting="same_kind")
