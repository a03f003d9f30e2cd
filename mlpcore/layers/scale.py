"""A learned factor for each column."""

from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from mlpcore.engine import Step
from mlpcore.layers.trained import ColumnLayer


class Scale(ColumnLayer):
    """Multiplies each column by a factor that it learns.

    As a first layer it learns which features matter (Holzmüller et al. 2024, with a learning rate 6 times as large)::

        y = s x        grad_x = s grad_y        grad_s = sum over samples of grad_y x

    Parameters
    ----------
    trainable : bool, default True
        Whether training changes s.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Scale()], input_size=3)
    >>> model.layers[0].s = [1, 0, -2]
    >>> model.predict([[1.0, 2.0, 3.0]])
    array([[ 1.,  0., -6.]], dtype=float32)
    """

    kind: ClassVar[str] = "scale"
    parameters: ClassVar[tuple[str, ...]] = ("s",)
    optional_settings: ClassVar[tuple[str, ...]] = ("trainable", "learning_rate_factor")

    def __init__(self, *, trainable: bool = True, learning_rate_factor: float = 1.0) -> None:
        super().__init__(trainable, learning_rate_factor)

    @property
    def s(self) -> NDArray[Any]:
        """The factors (out,), 1 at first: a view, as `Dense.w` is."""
        return self._parameter("s")

    @s.setter
    def s(self, values: ArrayLike) -> None:
        self._overwrite("s", values)

    @property
    def grad_s(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to s, (out,): a view."""
        return self._gradient("s")

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        return [Step("scale", layer)]
