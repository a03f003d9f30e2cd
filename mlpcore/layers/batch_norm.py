"""A layer that normalises each column of a batch."""

from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from mlpcore._core import Net
from mlpcore.layers.layer import Place, overwrite
from mlpcore.layers.layer_norm import ShiftedNormLayer


class BatchNorm(ShiftedNormLayer):
    """Gives each column of a batch the mean 0 and the variance 1, then a learned factor and shift.

    For each column of x (n, out) (Ioffe & Szegedy 2015)::

        x_hat = (x - mean) / sqrt(variance + epsilon)        y = gamma x_hat + beta

    While training, mean and variance are those of the batch; the variance is the mean of the squares, divided by n.
    Backward, they follow from x::

        grad_gamma = sum over samples of grad_y x_hat        grad_beta = sum over samples of grad_y
        grad_x = gamma / sqrt(variance + epsilon) (grad_y - (grad_beta + x_hat grad_gamma) / n)

    After each batch of training the running means move towards them::

        running_mean = momentum running_mean + (1 - momentum) mean
        running_variance = momentum running_variance + (1 - momentum) variance

    Otherwise, in `predict`, `evaluate` and `forward`, the running means take their place, and are constants in
    backward. `forward(x, training=True)` counts as a batch of training.

    A batch of one row has the variance 0: its y is beta. With weights of samples, mean and variance are weighted, as if
    a row of weight 2 came twice: see ``docs/decisions/batch-norm.md``.

    Parameters
    ----------
    momentum : float, default 0.99
        From 0 to below 1: what is left of the running means after a batch, as in Keras. PyTorch's momentum is the
        other share: its default of 0.1 is 0.9 here. It also takes the variance divided by n - 1 into its mean.
    epsilon : float, default 1e-3
        From 1e-30 to below 1e30. Keras's default; PyTorch's is 1e-5.
    trainable : bool, default True
        Whether training changes gamma, beta and the running means. A layer that is frozen computes in training what it
        does in prediction, as in Keras.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.BatchNorm(momentum=0.5)], input_size=2)
    >>> model.forward([[1.0, 10.0], [3.0, 30.0]], training=True).round(2)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> model.layers[0].running_mean
    array([ 1., 10.], dtype=float32)
    """

    kind: ClassVar[str] = "batch_norm"
    optional_settings: ClassVar[tuple[str, ...]] = ("momentum", "epsilon", "trainable", "learning_rate_factor")
    constants: ClassVar[dict[str, Any]] = {"momentum": 0.99, "epsilon": 1e-3}

    def __init__(
        self,
        *,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        trainable: bool = True,
        learning_rate_factor: float = 1.0,
    ) -> None:
        super().__init__(trainable, learning_rate_factor, momentum=momentum, epsilon=epsilon)

    @property
    def momentum(self) -> float:
        """What is left of the running means after a batch."""
        momentum: float = self._momentum
        return momentum

    @property
    def running_mean(self) -> NDArray[Any]:
        """The running mean of the batches' means (out,), 0 at first: a view."""
        return self._running(0)

    @running_mean.setter
    def running_mean(self, values: ArrayLike) -> None:
        overwrite("running_mean", self.running_mean, values, "one number for each column")

    @property
    def running_variance(self) -> NDArray[Any]:
        """The running mean of the batches' variances (out,), 1 at first: a view."""
        return self._running(1)

    @running_variance.setter
    def running_variance(self, values: ArrayLike) -> None:
        overwrite("running_variance", self.running_variance, values, "one number for each column")

    def _running(self, i: int) -> NDArray[Any]:
        net, place = self._engine()
        return net.buffers(place.first)[i]

    def _buffer_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        return {"running_mean": (input_size,), "running_variance": (input_size,)}

    def _initialize(self, net: Net, place: Place, seed: int) -> None:
        super()._initialize(net, place, seed)
        net.buffers(place.first)[1][...] = 1
