"""An activation as a layer of its own."""

from __future__ import annotations  # so that signatures show names

from typing import Any, ClassVar, Self

from mlpcore.checks import choice
from mlpcore.custom_activation import CustomActivation
from mlpcore.engine import Choice, Step
from mlpcore.layers.layer import SameSizeLayer, not_for_files


class Activation(SameSizeLayer):
    """a = sigma(z), as a layer of its own: the same as the `activation` of the layer below.

    Parameters
    ----------
    activation : str or object
        A name of ``mlpcore.catalogue.names("activations")``, an object with constants such as ``LeakyReLU(0.2)``, or a
        `CustomActivation`, written in Python.

    Raises
    ------
    TypeError, ValueError
        If there is no such activation, or a constant is out of its range.

    Examples
    --------
    >>> import mlpcore
    >>> layers = [mlpcore.Dense(2, kernel_initializer="zeros"), mlpcore.Activation("sigmoid")]
    >>> mlpcore.Sequential(layers, input_size=3).predict([[1, 2, 3]])
    array([[0.5, 0.5]], dtype=float32)
    """

    kind: ClassVar[str] = "activation"
    required_settings: ClassVar[tuple[str, ...]] = ("activation",)

    def __init__(self, activation: Choice) -> None:
        super().__init__()
        self._activation = choice("activations", "activation", activation)

    @property
    def activation(self) -> Choice:
        """sigma: its name, an object with its constants, or an object written in Python."""
        return self._activation

    def _expression(self) -> str:
        return f"Activation({self._activation!r})"

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        if isinstance(self._activation, CustomActivation):
            return [Step("custom", layer, units=input_size, custom=self._activation)]
        return [Step("activation", layer, constants=self._activation)]

    def _config(self) -> dict[str, Any]:
        if isinstance(self._activation, CustomActivation):
            raise not_for_files(f"the activation of {self._expression()}")
        return {"kind": self.kind, "activation": self._activation}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(config["activation"])
