"""A ReLU that learns its slope below 0."""

from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from mlpcore._core import Net
from mlpcore.checks import flag, real_number
from mlpcore.engine import Step
from mlpcore.layers.layer import Place, overwrite
from mlpcore.layers.trained import ColumnLayer


class PReLU(ColumnLayer):
    """The activation leaky_relu with a slope that it learns, one for each unit or one for all.

    For z (n, out) (He et al. 2015)::

        a = z where z > 0, else alpha z
        phi = grad_a where z > 0, else alpha grad_a        grad_alpha = sum over samples of grad_a min(z, 0)

    Parameters
    ----------
    alpha : float, default 0.25
        The slope at first, as in the paper and PyTorch; Keras begins with 0.
    shared : bool, default False
        Whether all units have the same slope: PyTorch's num_parameters=1, and Keras's shared_axes of all axes.
    trainable : bool, default True
        Whether training changes alpha.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.PReLU()], input_size=3)
    >>> model.layers[0].alpha = [0.5, 0.1, 0]
    >>> model.predict([[4.0, 4.0, 4.0], [-4.0, -4.0, -4.0]])
    array([[ 4. ,  4. ,  4. ],
           [-2. , -0.4, -0. ]], dtype=float32)
    """

    kind: ClassVar[str] = "prelu"
    parameters: ClassVar[tuple[str, ...]] = ("alpha",)
    optional_settings: ClassVar[tuple[str, ...]] = ("alpha", "shared", "trainable", "learning_rate_factor")

    def __init__(
        self, alpha: float = 0.25, *, shared: bool = False, trainable: bool = True, learning_rate_factor: float = 1.0
    ) -> None:
        super().__init__(trainable, learning_rate_factor)
        self._first_alpha = real_number("alpha", alpha, at_least=-1e30, below=1e30)
        self._shared = flag("shared", shared)

    @property
    def shared(self) -> bool:
        """Whether all units have the same slope."""
        return self._shared

    @property
    def alpha(self) -> NDArray[Any]:
        """The slopes, (out,), or (1,) if they are shared: a view, as `Dense.w` is."""
        return self._parameter("alpha")

    @alpha.setter
    def alpha(self, values: ArrayLike) -> None:
        overwrite("alpha", self.alpha, values, "one slope" if self._shared else "one slope for each unit")

    @property
    def grad_alpha(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to alpha, of its shape: a view."""
        return self._gradient("alpha")

    def _options(self) -> dict[str, Any]:
        options = super()._options() | ({"shared": True} if self._shared else {})
        return options if self._first_alpha == 0.25 else {"alpha": self._first_alpha} | options

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        return [Step("prelu", layer, constants=(self._shared,))]

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        return {"alpha": (1 if self._shared else input_size,)}

    def _initialize(self, net: Net, place: Place, seed: int) -> None:
        net.parameters(place.first)[0][...] = self._first_alpha
