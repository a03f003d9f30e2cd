"""Layers written in Python: a student's own kind of layer, trained beside those in C."""

from __future__ import annotations  # so that signatures show names

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from numpy.typing import NDArray

from mlpcore._core import Net
from mlpcore.checks import whole_number
from mlpcore.data import fill
from mlpcore.engine import Step
from mlpcore.layers.layer import Layer, Place, not_for_files
from mlpcore.lazy import random_generator

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[Any]


class CustomLayer(Layer):
    """Base class of layers written in Python.

    A subclass says in `build` how many outputs it has and which parameters, in `forward` what it computes, and in
    `backward` the gradients. It is called once a batch, in the middle of the engine's own steps. The optimizer's step
    of the whole network comes when every gradient is there, so that an exception leaves the model as the last whole
    batch left it.

    Attributes
    ----------
    params, grads : dict of str to ndarray
        The parameters by name, and their gradients: views of the engine's memory.

    Examples
    --------
    A layer that multiplies each input by a factor that it learns:

    >>> import mlpcore
    >>> class Scale(mlpcore.CustomLayer):
    ...     def build(self, input_size):
    ...         return input_size, {"s": (input_size,)}
    ...
    ...     def reset(self, params, rng):
    ...         params["s"][...] = 1
    ...
    ...     def forward(self, x, training):
    ...         return x * self.params["s"]
    ...
    ...     def backward(self, grad_y, x):
    ...         self.grads["s"][...] = (grad_y * x).sum(axis=0)
    ...         return grad_y * self.params["s"]
    >>> model = mlpcore.Sequential([Scale(), mlpcore.Dense(1)], input_size=3, seed=1)
    >>> history = model.fit([[1, 2, 3], [4, 5, 6]], [1, 2], "mse", epochs=5, progress=False)
    >>> model.layers[0].params["s"].shape
    (3,)
    """

    kind: ClassVar[str] = "custom"

    @property
    def _may_learn(self) -> bool:
        return True  # only `build` knows

    @abstractmethod
    def build(self, input_size: int) -> tuple[int, dict[str, tuple[int, ...]]]:
        """Return the number of outputs for so many inputs, and the shapes of the parameters by name (1 or 2 axes)."""

    def reset(self, params: dict[str, Array], rng: Generator) -> None:
        """Fill `params`, which are 0, with their first values.

        `rng` follows from the model's seed and the layer's place.
        """

    @abstractmethod
    def forward(self, x: Array, training: bool) -> Array:
        """Return y (n, out) for x (n, in), which is read-only and changes with the next batch."""

    @abstractmethod
    def backward(self, grad_y: Array, x: Array) -> Array:
        """Write the gradients into `grads` and return the gradient to x (n, in); both arrays are read-only."""

    @property
    def params(self) -> dict[str, Array]:
        """The parameters by name: views."""
        net, place = self._engine()
        return dict(zip(self._names(place.input_size), net.parameters(place.first), strict=True))

    @property
    def grads(self) -> dict[str, Array]:
        """Their gradients by name: views; `backward` writes into them."""
        net, place = self._engine()
        return dict(zip(self._names(place.input_size), net.gradient_buffers(place.first), strict=True))

    def _expression(self) -> str:
        return f"{type(self).__name__}()"

    def forward_step(self, y: Array, x: Array, training: bool) -> None:
        """Fill y, for the engine."""
        fill(f"{type(self).__name__}.forward returned", y, self.forward(x, training))

    def backward_step(self, grad_x: Array | None, grad_y: Array, x: Array, y: Array) -> None:
        """Fill the gradients, and grad_x unless nothing below needs it, for the engine."""
        gradient = self.backward(grad_y, x)
        if grad_x is not None:
            fill(f"{type(self).__name__}.backward returned", grad_x, gradient)

    def _built(self, input_size: int) -> tuple[int, dict[str, tuple[int, ...]]]:
        units, shapes = self.build(input_size)
        for name, shape in shapes.items():
            if not 1 <= len(shape) <= 2:
                raise ValueError(f"{type(self).__name__}.build: {name} has shape {shape}, expected one or two axes")
        return whole_number(f"{type(self).__name__}.build: the number of outputs", units, at_least=1), shapes

    def _names(self, input_size: int) -> list[str]:
        return list(self._built(input_size)[1])

    def _initialize(self, net: Net, place: Place, seed: int) -> None:
        params = dict(zip(self._names(place.input_size), net.parameters(place.first), strict=True))
        self.reset(params, random_generator([seed, place.first]))

    def _output_size(self, input_size: int) -> int:
        return self._built(input_size)[0]

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        units, shapes = self._built(input_size)
        sizes = tuple((shape[0] if len(shape) == 2 else 1, shape[-1]) for shape in shapes.values())
        return [Step("custom", layer, units=units, custom=self, shapes=sizes)]

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        return self._built(input_size)[1]

    def _config(self) -> NoReturn:
        raise not_for_files(self._expression())

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        raise ValueError("a layer written in Python does not come from a file")
