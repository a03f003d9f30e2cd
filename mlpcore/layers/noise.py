"""Noise: while training, a random number is added to each input."""

from typing import Any, ClassVar, Self

from mlpcore import catalogue
from mlpcore.checks import hyper_value
from mlpcore.engine import Step
from mlpcore.layers.layer import SameSizeLayer


class GaussianNoise(SameSizeLayer):
    """While training, adds a normal number with mean 0 and standard deviation `stddev` to each input.

    When the network predicts, the layer hands on what it is given. On the inputs of a network this acts much like a
    penalty on steep outputs (Bishop 1995, "Training with noise is equivalent to Tikhonov regularization")::

        y = x + stddev z        grad_x = grad_y

    Which numbers are added follows from the model's seed, the layer's place, and the numbers of epoch and batch, as the
    mask of `Dropout` does.

    Parameters
    ----------
    stddev : float
        From 0 to below 1e30, in the units of the inputs.

    Raises
    ------
    TypeError, ValueError
        If `stddev` is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.GaussianNoise(0.1)], input_size=1000, seed=3)
    >>> x = [[1.0] * 1000]
    >>> print(model.forward(x, training=True).std().round(3), model.predict(x).std())
    0.101 0.0
    """

    kind: ClassVar[str] = "gaussian_noise"
    required_settings: ClassVar[tuple[str, ...]] = ("stddev",)
    _draws: ClassVar[bool] = True

    def __init__(self, stddev: float) -> None:
        super().__init__()
        self._stddev = hyper_value(catalogue.entry("layers", "gaussian_noise").hypers[0], stddev)

    @property
    def stddev(self) -> float:
        """The standard deviation of the numbers that are added."""
        return self._stddev

    def _expression(self) -> str:
        return f"GaussianNoise({self._stddev})"

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        return [Step("gaussian_noise", layer, constants=(self._stddev,))]

    def _config(self) -> dict[str, Any]:
        return {"kind": self.kind, "stddev": self._stddev}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(config["stddev"])
