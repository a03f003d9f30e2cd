"""What layers with parameters share: whether, and how fast, training changes them."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike, NDArray

from mlpcore._core import Net
from mlpcore.checks import flag, real_number
from mlpcore.layers.layer import Layer, Place, SameSizeLayer, overwrite


class TrainedLayer(Layer):
    """Base class of layers with parameters in C."""

    def __init__(self, trainable: bool, learning_rate_factor: float) -> None:
        super().__init__()
        self._trainable = flag("trainable", trainable)
        self._learning_rate_factor = real_number("learning_rate_factor", learning_rate_factor, at_least=0)

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer; can be set at any time."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        before, self._trainable = self._trainable, flag("trainable", value)
        if self._holder is not None and self._holder.bound is not None:
            try:
                self._set_segments(*self._engine())
            except RuntimeError:  # another call has the network
                self._trainable = before
                raise

    @property
    def _may_learn(self) -> bool:
        return self._trainable and any(factor > 0 for factor in self._factors())

    def _factors(self) -> tuple[float, ...]:
        """Return what the learning rate is multiplied by, for each kind of parameter that has a factor of its own."""
        return (self._learning_rate_factor,)

    @abstractmethod
    def _standard(self) -> dict[str, Any]:
        """Return the standard values of the settings that a configuration holds only where they differ."""

    def _options(self) -> dict[str, Any]:
        """Return the settings that are not the standard ones."""
        standard = self._standard()
        own = {name: getattr(self, f"_{name}") for name in standard}
        return {name: value for name, value in own.items() if value != standard[name]}


class ColumnLayer(TrainedLayer, SameSizeLayer):
    """Base class of layers whose parameters have one number for each column of their input, or one for all."""

    parameters: ClassVar[tuple[str, ...]]
    """Their names, in the order of the segments."""

    constants: ClassVar[dict[str, Any]] = {}
    """The arguments beside those of training, with their standard values."""

    def _standard(self) -> dict[str, Any]:
        return self.constants | {"trainable": True, "learning_rate_factor": 1.0}

    def _parameter(self, name: str) -> NDArray[Any]:
        net, place = self._engine()
        return net.parameters(place.first)[self.parameters.index(name)]

    def _gradient(self, name: str) -> NDArray[Any]:
        net, place = self._engine()
        return net.gradients(place.first)[self.parameters.index(name)]

    def _overwrite(self, name: str, values: ArrayLike) -> None:
        overwrite(name, self._parameter(name), values, "one number for each column")

    def _expression(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._options().items())})"

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(self.parameters, (input_size,))

    def _initialize(self, net: Net, place: Place, seed: int) -> None:
        net.parameters(place.first)[0][...] = 1

    def _set_segments(self, net: Net, place: Place) -> None:
        first = net.first_segment(place.first)
        for i in range(len(self.parameters)):
            net.set_segment(first + i, self._trainable, self._learning_rate_factor, 0.0, 0.0, 0.0)

    def _config(self) -> dict[str, Any]:
        return {"kind": self.kind, **self._options()}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{name: value for name, value in config.items() if name != "kind"})
