"""What every layer of a network is: steps of the engine's plan, and views of the memory that they compute in."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import copies
from mlpcore._core import Net
from mlpcore.data import real_array
from mlpcore.engine import Step
from mlpcore.lazy import no_fork

Array = NDArray[Any]


beginning = threading.RLock()
"""Held for the few assignments by which a call begins to change a model: another thread sees all of them or none."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=beginning._at_fork_reinit)  # type: ignore[attr-defined]


class Place(NamedTuple):
    """Where a layer is in a network: its steps are first, ..., last."""

    first: int
    last: int
    input_size: int


class Bound(NamedTuple):
    """A network with the place of every layer in it, each before those that it is made of."""

    net: Net
    input_size: int
    places: "dict[Layer, Place]"


class Holder:
    """What the layers of one model share: the network, from the moment on when it is there.

    A model becomes built by one assignment to `bound`.
    """

    def __init__(self, bound: Bound | None = None) -> None:
        self.bound = bound
        self._stops: tuple[Array, ...] = ()

    @contextmanager
    def stoppable(self) -> Iterator[Array]:
        """Yield an integer of a training that begins, which `stop` makes 1."""
        stop = np.zeros(1, np.int64)
        with beginning:
            self._stops = (*self._stops, stop)
        try:
            yield stop
        finally:
            with beginning:
                self._stops = tuple(each for each in self._stops if each is not stop)

    def stop(self) -> None:
        """Ask all trainings that are under way to end."""
        for stop in self._stops:
            stop[0] = 1

    def bind(self, bound: Bound) -> Bound:
        """Take a network, unless another thread has been quicker; return the one that counts."""
        with beginning:
            if self.bound is None:
                self.bound = bound
            return self.bound


class Layer(ABC):
    """Base class of all layers.

    A layer belongs to one model, which gives it its arrays when the input size is known. Every array that a layer shows
    is a view of the memory that the engine computes in.
    """

    if TYPE_CHECKING:  # which arrays a layer has is known by its class, which a list of layers does not tell

        def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401

    kind: ClassVar[str]
    """The name that model files know the class by."""

    required_settings: ClassVar[tuple[str, ...]] = ()
    optional_settings: ClassVar[tuple[str, ...]] = ()
    """What `_config` holds beside the kind."""

    _draws: ClassVar[bool] = False
    """Whether training draws random numbers, so that the same weights have another loss in another batch."""

    _reads_input: ClassVar[bool] = False
    """Whether it reads the input of the network and nothing else: it has to be the first layer."""

    def __init__(self) -> None:
        self._has_model = False
        self._holder: Holder | None = None  # of its model
        self._input_size: int | None = None

    @property
    def input_size(self) -> int | None:
        """The number of inputs; None while it is not known."""
        bound = None if self._holder is None else self._holder.bound
        return self._input_size if bound is None else bound.places[self].input_size

    @property
    def x(self) -> Array:
        """The layer's input in the last forward, (n, in): a view. RuntimeError before the first forward."""
        net, place = self._engine()
        return net.value(place.first)

    @property
    def a(self) -> Array:
        """The layer's output in the last forward, (n, out): a view. RuntimeError before the first forward."""
        net, place = self._engine()
        return net.value(place.last + 1)

    @abstractmethod
    def _output_size(self, input_size: int) -> int:
        """Return how many outputs the layer has for so many inputs; raise ValueError if it cannot have so many."""

    @abstractmethod
    def _steps(self, layer: int, input_size: int) -> list[Step]:
        """Return the steps of the layer, which is number `layer` of its network."""

    @abstractmethod
    def _config(self) -> dict[str, Any]:
        """Return the layer's configuration as plain data."""

    @classmethod
    @abstractmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        """Return the layer that `_config` describes, where layers inside have become layers already.

        TypeError or ValueError if a setting is not what it may be.
        """

    @abstractmethod
    def _expression(self) -> str:
        """Return the call that makes a layer like this one."""

    def __repr__(self) -> str:
        """Return the call that makes it; a comment follows as soon as there are arrays."""
        built = self._holder is not None and self._holder.bound is not None
        return self._expression() + ("  # arrays are views" if built else "")

    def _repr_html_(self) -> str:
        with no_fork:
            from mlpcore import reprs
        return reprs.layer(self)

    @property
    def _may_learn(self) -> bool:
        """Whether training can change the layer."""
        return False

    def _inner(self) -> "tuple[Layer, ...]":
        """Return the layers that this one is made of."""
        return ()

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the layer's own parameters by name, in the order of their segments."""
        return {}

    def _buffer_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of its numbers beside the parameters, likewise."""
        return {}

    def _tensor_view(self, name: str, flat: Array, shape: tuple[int, ...]) -> Array:
        """Return a parameter from its part of the flat buffer."""
        return flat.reshape(shape)

    def _check_input(self, name: str, x: Array) -> None:  # noqa: B027  # most take whatever numbers come
        """Raise ValueError if the layer, the first of a model, cannot read this x (n, in), which is called `name`."""

    def _initialize(self, net: Net, place: Place, seed: int) -> None:  # noqa: B027  # most layers draw nothing
        """Draw the first weights of the layer, in a network that it need not show yet."""

    def _set_segments(self, net: Net, place: Place) -> None:  # noqa: B027  # most have no parameters
        """Tell a network how the layer's parameters are trained."""

    def _engine(self) -> tuple[Net, Place]:
        bound = None if self._holder is None else self._holder.bound
        if bound is None:
            raise RuntimeError(
                f"{self!r} has no arrays yet: give its Sequential an input_size=, or let it see data first"
            )
        return bound.net, bound.places[self]

    def __getstate__(self) -> object:
        """Return all attributes but those that a model gave: a layer copied by itself is free, without arrays."""
        return copies.attributes_of(self, without=("_has_model", "_holder"))

    def __setstate__(self, state: object) -> None:
        for name, value in (("_has_model", False), ("_holder", None)):
            self.__dict__.setdefault(name, value)  # a model that is copied with the layer may have set them already
        copies.set_attributes(self, state)


class SameSizeLayer(Layer):
    """Base class of layers that have as many outputs as inputs."""

    @property
    def phi(self) -> Array:
        """The gradient of the last backward's loss with respect to the layer's input, (n, in): a view."""
        net, place = self._engine()
        return net.gradient(place.first)

    def _output_size(self, input_size: int) -> int:
        return input_size


def overwrite(name: str, view: Array, values: ArrayLike, axes: str) -> None:
    """Copy values of exactly the view's shape into it."""
    array = real_array(name, values)
    if array.shape != view.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {view.shape}: {axes}")
    np.copyto(view, array, casting="same_kind")


def not_for_files(what: str) -> TypeError:
    """Return the error for a model that is to be saved with something in it that is written in Python."""
    return TypeError(f"{what} is written in Python: a file cannot hold it; pickle the model, or save its params")
