"""Layers that normalise each sample: LayerNorm and RMSNorm."""

from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from mlpcore import catalogue
from mlpcore.checks import hyper_value
from mlpcore.engine import Step
from mlpcore.layers.trained import ColumnLayer


class NormLayer(ColumnLayer):
    """Base class of layers that normalise: epsilon, and a factor gamma for each column."""

    def __init__(self, trainable: bool, learning_rate_factor: float, **constants: float) -> None:
        super().__init__(trainable, learning_rate_factor)
        for hyper in catalogue.entry("layers", self.kind).hypers:
            setattr(self, f"_{hyper.name}", hyper_value(hyper, constants[hyper.name]))

    @property
    def epsilon(self) -> float:
        """What is added to the variance, so that numbers that are all the same are not divided by 0."""
        epsilon: float = self._epsilon
        return epsilon

    @property
    def gamma(self) -> NDArray[Any]:
        """The factors (out,), 1 at first: a view, as `Dense.w` is."""
        return self._parameter("gamma")

    @gamma.setter
    def gamma(self, values: ArrayLike) -> None:
        self._overwrite("gamma", values)

    @property
    def grad_gamma(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to gamma, (out,): a view."""
        return self._gradient("gamma")

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        hypers = catalogue.entry("layers", self.kind).hypers
        return [Step(self.kind, layer, constants=tuple(getattr(self, f"_{hyper.name}") for hyper in hypers))]


class ShiftedNormLayer(NormLayer):
    """Base class of those with a shift beta too."""

    parameters: ClassVar[tuple[str, ...]] = ("gamma", "beta")

    @property
    def beta(self) -> NDArray[Any]:
        """The shifts (out,), 0 at first: a view, as `Dense.w` is."""
        return self._parameter("beta")

    @beta.setter
    def beta(self, values: ArrayLike) -> None:
        self._overwrite("beta", values)

    @property
    def grad_beta(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to beta, (out,): a view."""
        return self._gradient("beta")


class LayerNorm(ShiftedNormLayer):
    """Gives each sample the mean 0 and the variance 1, then a learned factor and shift to each column.

    For each row of x (n, out), by its own mean and variance (Ba et al. 2016)::

        x_hat = (x - mean) / sqrt(variance + epsilon)        y = gamma x_hat + beta

    and backward, with g = gamma grad_y and means along the row::

        grad_x = (g - mean(g) - x_hat mean(g x_hat)) / sqrt(variance + epsilon)
        grad_gamma = sum over samples of grad_y x_hat        grad_beta = sum over samples of grad_y

    It computes the same in training and in prediction, and a row by itself: how many others there are, and what they
    weigh, does not matter. A row of one number becomes beta.

    Parameters
    ----------
    epsilon : float, default 1e-3
        From 1e-30 to below 1e30. Keras's default; PyTorch's is 1e-5.
    trainable : bool, default True
        Whether training changes gamma and beta.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.LayerNorm()], input_size=3)
    >>> model.predict([[1.0, 2.0, 3.0], [-10.0, 20.0, 50.0]]).round(2)
    array([[-1.22,  0.  ,  1.22],
           [-1.22,  0.  ,  1.22]], dtype=float32)
    """

    kind: ClassVar[str] = "layer_norm"
    optional_settings: ClassVar[tuple[str, ...]] = ("epsilon", "trainable", "learning_rate_factor")
    constants: ClassVar[dict[str, Any]] = {"epsilon": 1e-3}

    def __init__(self, *, epsilon: float = 1e-3, trainable: bool = True, learning_rate_factor: float = 1.0) -> None:
        super().__init__(trainable, learning_rate_factor, epsilon=epsilon)


class RMSNorm(NormLayer):
    """Divides each sample by the root of the mean of its squares, and gives each column a learned factor.

    LayerNorm without the mean and without the shift (Zhang & Sennrich 2019), for each row of x (n, out)::

        x_hat = x / sqrt(mean(x^2) + epsilon)        y = gamma x_hat

    and backward, with g = gamma grad_y::

        grad_x = (g - x_hat mean(g x_hat)) / sqrt(mean(x^2) + epsilon)
        grad_gamma = sum over samples of grad_y x_hat

    Parameters
    ----------
    epsilon : float, default 1e-6
        From 1e-30 to below 1e30. Keras's default; PyTorch's is the machine epsilon of the type.
    trainable : bool, default True
        Whether training changes gamma.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.Sequential([mlpcore.RMSNorm()], input_size=2).predict([[1.0, 7.0]]).round(2)
    array([[0.2, 1.4]], dtype=float32)
    """

    kind: ClassVar[str] = "rms_norm"
    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    optional_settings: ClassVar[tuple[str, ...]] = ("epsilon", "trainable", "learning_rate_factor")
    constants: ClassVar[dict[str, Any]] = {"epsilon": 1e-6}

    def __init__(self, *, epsilon: float = 1e-6, trainable: bool = True, learning_rate_factor: float = 1.0) -> None:
        super().__init__(trainable, learning_rate_factor, epsilon=epsilon)
