"""A branch of layers beside a path that skips them."""

from collections.abc import Sequence
from typing import Any, Self

from mlpcore._core import Net
from mlpcore.engine import Step
from mlpcore.layers.layer import Layer


class Residual(Layer):
    """y = x + f(x), where f are the layers of a branch (He et al. 2016).

    Backward, the gradient to x is the sum of the one to y and the one that the branch passes down.

    Parameters
    ----------
    layers : sequence of layers
        The branch, from the first to the last; the last has as many outputs as the first has inputs.

    Raises
    ------
    TypeError, ValueError
        If `layers` are none, or the branch is not as wide as its input.

    Examples
    --------
    >>> import mlpcore
    >>> branch = [mlpcore.Dense(4, "relu"), mlpcore.Dense(3, kernel_initializer="zeros")]
    >>> mlpcore.Sequential([mlpcore.Residual(branch)], input_size=3).predict([[1, 2, 3]])
    array([[1., 2., 3.]], dtype=float32)
    """

    kind = "residual"

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        from mlpcore.layers import claim_layers

        self._layers = claim_layers(layers)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the branch, from the first to the last."""
        return self._layers

    def __repr__(self) -> str:
        return f"Residual([{', '.join(map(repr, self._layers))}])"

    def _inner(self) -> tuple[Layer, ...]:
        return self._layers

    def _output_size(self, input_size: int) -> int:
        width = input_size
        for layer in self._layers:
            width = layer._output_size(width)
        if width != input_size:
            raise ValueError(
                f"the branch of {self!r} has {width} outputs, expected {input_size}: as many as it has inputs"
            )
        return width

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        steps = [Step("fork", layer)]
        number, width = layer + 1, input_size
        for inner in self._layers:
            steps += inner._steps(number, width)
            number, width = number + count_layers([inner]), inner._output_size(width)
        return [*steps, Step("join", layer)]

    def _initialize(self, net: Net, first: int, seed: int) -> None:
        for layer in self._layers:
            layer._initialize(net, layer._first, seed)

    def _bind(self, net: Net, first: int, input_size: int) -> int:
        self._net, self._first, self._input_size = net, first, input_size
        end, width = first + 1, input_size
        for layer in self._layers:
            end = layer._bind(net, end, width)
            width = layer._output_size(width)
        self._last = end
        return end + 1

    def _config(self) -> dict[str, Any]:
        return {"kind": self.kind, "layers": [layer._config() for layer in self._layers]}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        from mlpcore.layers import layer_from_config

        return cls([layer_from_config(inner) for inner in config["layers"]])


def count_layers(layers: Sequence[Layer]) -> int:
    """Return how many layers these are, with those that they are made of."""
    return sum(1 + count_layers(layer._inner()) for layer in layers)
