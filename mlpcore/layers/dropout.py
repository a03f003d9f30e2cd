"""Layers that leave a random part of the inputs out while training."""

from typing import Any, ClassVar, Self

from mlpcore import catalogue
from mlpcore.checks import hyper_value
from mlpcore.engine import Step
from mlpcore.layers.layer import SameSizeLayer


class MaskLayer(SameSizeLayer):
    """Base class of layers that drop inputs at a rate."""

    required_settings: ClassVar[tuple[str, ...]] = ("rate",)
    _draws: ClassVar[bool] = True

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self._rate = hyper_value(catalogue.entry("layers", self.kind).hypers[0], rate)

    @property
    def rate(self) -> float:
        """The probability that an input is dropped."""
        return self._rate

    def _expression(self) -> str:
        return f"{type(self).__name__}({self._rate})"

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        return [Step(self.kind, layer, constants=(self._rate,))]

    def _config(self) -> dict[str, Any]:
        return {"kind": self.kind, "rate": self._rate}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(config["rate"])


class Dropout(MaskLayer):
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


class AlphaDropout(MaskLayer):
    """Dropout for networks of ``selu``: keeps mean 0 and variance 1 of what it is given.

    While training, an input is dropped with probability `rate`: it becomes alpha' = -1.7581, which selu tends to far
    below 0. Then the factor a and the shift b bring mean and variance back (Klambauer et al. 2017), as in Keras and
    PyTorch. When the network predicts, the layer hands on what it is given::

        y = a (mask x + (1 - mask) alpha') + b        grad_x = a mask grad_y
        a = 1 / sqrt((1 - rate) (1 + rate alpha'^2))        b = -a rate alpha'

    The mask is counted as that of `Dropout`. The paper takes rates of 0.05 and 0.1.

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
    >>> model = mlpcore.Sequential([mlpcore.AlphaDropout(0.5)], input_size=8, seed=3)
    >>> model.forward([[1.0] * 8], training=True).round(2)
    array([[-0.78,  1.67,  1.67,  1.67,  1.67, -0.78,  1.67, -0.78]],
          dtype=float32)
    """

    kind: ClassVar[str] = "alpha_dropout"
