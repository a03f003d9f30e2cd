"""Dropout: while training, a random part of the inputs is left out."""

from typing import Any, ClassVar, Self

from mlpcore import catalogue
from mlpcore.checks import hyper_value
from mlpcore.engine import Step
from mlpcore.layers.layer import SameSizeLayer


class Dropout(SameSizeLayer):
    """While training, sets each input to 0 with probability `rate` and divides the others by 1 - rate.

    So the mean stays as it is, and nothing has to change when the network predicts: there the layer hands on what it is
    given (Srivastava et al. 2014, in the inverted form). Which inputs are dropped follows from the model's seed, the
    layer's place, and the numbers of epoch and batch; backward computes the same mask again::

        y = mask x / (1 - rate)        grad_x = mask grad_y / (1 - rate)

    Parameters
    ----------
    rate : float, default 0.5
        From 0 to below 1.

    Raises
    ------
    TypeError, ValueError
        If `rate` is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dropout(0.5), mlpcore.Dense(1)], input_size=8, seed=3)
    >>> model.forward([[1.0] * 8], training=True).shape
    (1, 1)
    >>> model.layers[0].a
    array([[0., 2., 2., 2., 2., 0., 2., 0.]], dtype=float32)
    """

    kind: ClassVar[str] = "dropout"
    required_settings: ClassVar[tuple[str, ...]] = ("rate",)
    _draws: ClassVar[bool] = True

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self._rate = hyper_value(catalogue.entry("layers", "dropout").hypers[0], rate)

    @property
    def rate(self) -> float:
        """The probability that an input is dropped."""
        return self._rate

    def _expression(self) -> str:
        return f"Dropout({self._rate})"

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        return [Step("dropout", layer, constants=(self._rate,))]

    def _config(self) -> dict[str, Any]:
        return {"kind": self.kind, "rate": self._rate}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(config["rate"])
