"""A branch of layers beside a path that skips them."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from mlpcore import network
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

    kind: ClassVar[str] = "residual"
    required_settings: ClassVar[tuple[str, ...]] = ("layers",)

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._layers = network.claim_layers(layers, of_model=False)
        for layer in self._layers:
            layer._has_model = True  # its model is whatever model this layer gets

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the branch, from the first to the last."""
        return self._layers

    def _expression(self) -> str:
        return f"Residual([{', '.join(layer._expression() for layer in self._layers)}])"

    def _inner(self) -> tuple[Layer, ...]:
        return self._layers

    def _output_size(self, input_size: int) -> int:
        width = network.output_size(self._layers, input_size)
        if width != input_size:
            raise ValueError(f"has a branch of {width} outputs, expected {input_size}: as many as it has inputs")
        return width

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        branch = network.steps_of(self._layers, input_size, layer + 1)
        return [Step("fork", layer), *branch, Step("join", layer)]

    def _config(self) -> dict[str, Any]:
        return {"kind": self.kind, "layers": [layer._config() for layer in self._layers]}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(config["layers"])
