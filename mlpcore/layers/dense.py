"""The dense layer: z = w x + b, a = sigma(z)."""

from __future__ import annotations  # so that signatures show names

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import catalogue, initializers
from mlpcore._core import Net
from mlpcore.checks import choice, flag, real_number, whole_number
from mlpcore.custom_activation import CustomActivation
from mlpcore.engine import Choice, Step
from mlpcore.layers.layer import Place, not_for_files, overwrite
from mlpcore.layers.trained import TrainedLayer


class Dense(TrainedLayer):
    """A dense layer: every unit reads every input.

    Row i of w holds the weights of unit i. For a batch of n samples, one a row, forward computes::

        z = x w^T + b        a = sigma(z)

    and backward, given grad_a, the gradient of the loss with respect to a (equations 1 to 4 of the paper)::

        phi = grad_a * sigma'(z)        grad_w = phi^T x        grad_b = sum over samples of phi

    Parameters
    ----------
    units : int
        Number of units, which is the number of outputs: >= 1.
    activation : str, object or None, default None
        sigma: a name of ``mlpcore.catalogue.names("activations")``, an object with constants such as
        ``LeakyReLU(0.2)``, or a `CustomActivation`, written in Python; None is "linear".
    input_size : int, optional
        Number of inputs. Needed for a first layer only, which otherwise takes it from the first data.
    kernel_initializer : str, object or None, default None
        What w is drawn from: a name of ``mlpcore.catalogue.names("initializers")``, or an object with constants such as
        ``Normal(stddev=0.01)``. None lets the activation choose: "lecun_normal" for "selu"; "he_uniform" for "relu6",
        "leaky_relu", "elu", "celu", "gelu", "gelu_tanh", "silu", "mish" and "hard_swish"; "glorot_uniform" for all
        others, "relu" among them.
    bias_initializer : str or object, default "zeros"
        What b begins as, likewise. Where in and out count, they are those of the layer.
    use_bias : bool, default True
        Whether there is a b. Without one z = x w^T, and the layer's `b` and `grad_b` are None.
    trainable : bool, default True
        Whether training changes w and b.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.
    bias_learning_rate_factor : float, optional
        What it is multiplied by for b; None: `learning_rate_factor`.
    l1, l2 : float, default 0.0
        The penalties l1 |w| + l2 w^2 / 2 of each weight that training adds to the loss; not of b, and not in the loss
        that is reported.
    max_norm : float, optional
        The longest that the vector of a unit's weights may be: after each step longer ones are shortened to it.

    Raises
    ------
    TypeError, ValueError
        If a size is no integer >= 1, a name is unknown, or a number is out of range.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(3, "relu", kernel_initializer="zeros")
    >>> model = mlpcore.Sequential([layer], input_size=2)
    >>> layer.w = [[1, 2], [3, 4], [-5, -6]]
    >>> model.forward([[1.0, 1.0]])
    array([[3., 7., 0.]], dtype=float32)
    >>> layer.z
    array([[  3.,   7., -11.]], dtype=float32)
    """

    kind: ClassVar[str] = "dense"
    required_settings: ClassVar[tuple[str, ...]] = ("units", "activation", "kernel_initializer")
    optional_settings: ClassVar[tuple[str, ...]] = (
        "use_bias",
        "bias_initializer",
        "trainable",
        "learning_rate_factor",
        "bias_learning_rate_factor",
        "l1",
        "l2",
        "max_norm",
    )

    def __init__(
        self,
        units: int,
        activation: Choice | None = None,
        *,
        input_size: int | None = None,
        kernel_initializer: Choice | None = None,
        bias_initializer: Choice = "zeros",
        use_bias: bool = True,
        trainable: bool = True,
        learning_rate_factor: float = 1.0,
        bias_learning_rate_factor: float | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(trainable, learning_rate_factor)
        self._units = whole_number("units", units, at_least=1)
        if isinstance(activation, int | np.integer) and not isinstance(activation, bool):
            raise TypeError(
                f"activation is {activation}, expected one of {', '.join(map(repr, catalogue.names('activations')))}: "
                "units first; input_size= tells how many inputs there are, as in "
                f"Dense({activation}, input_size={units})"
            )
        self._activation = choice("activations", "activation", "linear" if activation is None else activation)
        self._input_size = None if input_size is None else whole_number("input_size", input_size, at_least=1)
        if kernel_initializer is None:
            kernel_initializer = initializers.default_of(self._activation)
        self._kernel_initializer = choice("initializers", "kernel_initializer", kernel_initializer)
        self._bias_initializer = choice("initializers", "bias_initializer", bias_initializer)
        self._use_bias = flag("use_bias", use_bias)
        self._bias_learning_rate_factor = (
            None
            if bias_learning_rate_factor is None
            else real_number("bias_learning_rate_factor", bias_learning_rate_factor, at_least=0)
        )
        self._l1 = real_number("l1", l1, at_least=0)
        self._l2 = real_number("l2", l2, at_least=0)
        self._max_norm = None if max_norm is None else real_number("max_norm", max_norm, above=0)

    @property
    def units(self) -> int:
        """The number of units, which is the number of outputs."""
        return self._units

    @property
    def activation(self) -> Choice:
        """sigma: its name, an object with its constants, or an object written in Python."""
        return self._activation

    @property
    def kernel_initializer(self) -> Choice:
        """The initializer of w: its name, or an object with its constants."""
        return self._kernel_initializer

    @property
    def bias_initializer(self) -> Choice:
        """The initializer of b, likewise."""
        return self._bias_initializer

    @property
    def use_bias(self) -> bool:
        """Whether the layer has a b."""
        return self._use_bias

    @property
    def w(self) -> NDArray[Any]:
        """The weights (out, in): a view, so that `layer.w[...] = values` writes into the engine.

        A step changes it in place: copy it (`layer.w.copy()`) to compare before and after. `layer.w = values` copies
        values of exactly this shape. Reading it before the layer knows its input size raises a RuntimeError, as all
        arrays of the layer do.
        """
        net, place = self._engine()
        return net.parameters(place.first)[0]

    @w.setter
    def w(self, values: ArrayLike) -> None:
        overwrite("w", self.w, values, "(out, in)")

    @property
    def b(self) -> NDArray[Any] | None:
        """The biases (out,): a view, as `w` is. None with use_bias=False."""
        net, place = self._engine()
        return net.parameters(place.first)[1] if self._use_bias else None

    @b.setter
    def b(self, values: ArrayLike) -> None:
        view = self.b
        if view is None:
            raise ValueError(f"b is given, expected none: {self._expression()} has no bias")
        overwrite("b", view, values, "(out,)")

    @property
    def grad_w(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to w, (out, in): equation 3. A view.

        A RuntimeError unless there was a backward since the last forward, as for grad_b and phi.
        """
        net, place = self._engine()
        return net.gradients(place.first)[0]

    @property
    def grad_b(self) -> NDArray[Any] | None:
        """The gradient of the last backward's loss with respect to b, (out,): equation 4. A view, or None without b."""
        net, place = self._engine()
        gradients = net.gradients(place.first)
        return gradients[1] if self._use_bias else None

    @property
    def z(self) -> NDArray[Any]:
        """The weighted inputs x w^T + b of the last forward, (n, out): a view. RuntimeError before the first."""
        net, place = self._engine()
        return net.value(place.first + 1)

    @property
    def phi(self) -> NDArray[Any]:
        """The gradient of the last backward's loss with respect to z, (n, out): equations 1 and 2. A view."""
        net, place = self._engine()
        return net.gradient(place.first + 1)

    def _expression(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self._options().items())
        return f"Dense({self._units}, {self._activation!r}, kernel_initializer={self._kernel_initializer!r}{options})"

    def _standard(self) -> dict[str, Any]:
        standard = {"bias_initializer": "zeros", "use_bias": True, "trainable": True, "learning_rate_factor": 1.0}
        return standard | {"bias_learning_rate_factor": None, "l1": 0.0, "l2": 0.0, "max_norm": None}

    def _output_size(self, input_size: int) -> int:
        if self._input_size not in (None, input_size):
            raise ValueError(f"has input_size={self._input_size}, expected {input_size}: what it is given")
        return self._units

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        dense = Step("dense", layer, units=self._units, constants=(self._use_bias,))
        if isinstance(self._activation, CustomActivation):
            return [dense, Step("custom", layer, units=self._units, custom=self._activation)]
        if self._activation == "linear":
            return [dense]
        return [dense, Step("activation", layer, joined=True, constants=self._activation)]

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {"w": (self._units, input_size)}
        return shapes | {"b": (self._units,)} if self._use_bias else shapes

    def _tensor_view(self, name: str, flat: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        return flat.reshape(shape[::-1]).T  # w lies as (in, out)

    def _initialize(self, net: Net, place: Place, seed: int) -> None:
        net.initialize(place.first, 0, self._kernel_initializer, seed)
        if self._use_bias:
            net.initialize(place.first, 1, self._bias_initializer, seed)

    def _factors(self) -> tuple[float, ...]:
        own = self._bias_learning_rate_factor
        of_w = self._learning_rate_factor
        return (of_w, of_w if own is None else own) if self._use_bias else (of_w,)

    def _set_segments(self, net: Net, place: Place) -> None:
        w = net.first_segment(place.first)
        of_w, *of_b = self._factors()
        net.set_segment(w, self._trainable, of_w, self._l1, self._l2, self._max_norm or 0.0)
        for factor in of_b:
            net.set_segment(w + 1, self._trainable, factor, 0.0, 0.0, 0.0)

    def _config(self) -> dict[str, Any]:
        if isinstance(self._activation, CustomActivation):
            raise not_for_files(f"the activation of {self._expression()}")
        return {
            "kind": self.kind,
            "units": self._units,
            "activation": self._activation,
            "kernel_initializer": self._kernel_initializer,
            **self._options(),
        }

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{name: value for name, value in config.items() if name != "kind"})
