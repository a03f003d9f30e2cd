"""L-BFGS: the quasi-Newton method for data that is small enough to be one batch."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import checks, network
from mlpcore.engine import LBFGSState
from mlpcore.layers.batch_norm import BatchNorm
from mlpcore.optimizers import BATCH_SIZE, Optimizer
from mlpcore.schedules.schedule import FitLength

if TYPE_CHECKING:
    from mlpcore.model import Sequential

_IS_KNOWN, _EVALUATIONS, _NUMBERS = 2, 7, 8  # places in the array of numbers, and how many there are


@dataclass(eq=False, repr=False)
class LBFGS(Optimizer):
    """L-BFGS (Nocedal 1980; Nocedal & Wright 2006, algorithms 7.4 and 7.5), for small data the best choice.

    An epoch is one iteration: all samples are one batch, whose gradient and those of the iterations before give a
    direction; along it a line search finds a step that satisfies the strong Wolfe conditions, with the method of Moré &
    Thuente (1994) and the constants of SciPy's L-BFGS-B. With f the mean loss and the penalties l2 w^2 / 2, and for the
    last history_size iterations s = change of w, y = change of grad f::

        d = -H grad f, H from (s.y / y.y) I by w -> w, BFGS's update with each (s, y)
        w += step * d with f(w + step d) <= f(w) + 1e-3 step grad f.d and |grad f(w + step d).d| <= 0.9 |grad f.d|

    It has no learning rate, and takes samples in their order. Everything but the network itself is computed in double;
    the result is the same on every machine. float64 networks get nearer to the minimum. Once no step makes f smaller,
    the epochs that remain change nothing and cost nothing.

    The loss and its gradient are evaluated little more often than there are epochs (`evaluations` counts). Ctrl-C ends
    a `fit` after the evaluation under way, with the weights of the last whole iteration.

    Parameters
    ----------
    history_size : int, default 10
        How many pairs (s, y) are kept, each of twice as many numbers in double as there are parameters.

    Raises
    ------
    TypeError, ValueError
        If history_size is no integer >= 1, or there is any argument of other optimizers. In `fit`: if there is a
        batch_size, other than the default, that is smaller than the data, or if a layer draws random numbers
        (Dropout, AlphaDropout, GaussianNoise), keeps running means (BatchNorm that is not frozen), or has l1, max_norm
        or learning_rate_factor.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> x = np.linspace(-1, 1, 20).reshape(20, 1)
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], dtype="float64", seed=1)
    >>> history = model.fit(x, 3 * x + 2, loss="mse", optimizer=mlpcore.LBFGS(), epochs=10, progress=False)
    >>> np.round(model.layers[0].w, 8), np.round(model.layers[0].b, 8)
    (array([[3.]]), array([2.]))
    """

    history_size: int = 10

    @property
    def evaluations(self) -> int:
        """How often the loss and its gradient were computed so far."""
        return int(self._state["numbers"][_EVALUATIONS]) if "numbers" in self._state else 0

    def __repr__(self) -> str:
        return f"LBFGS(history_size={self.history_size!r})"

    def _check(self, dtype: str | None = None) -> None:
        size = checks.whole_number("history_size", self.history_size, at_least=1, at_most=2**31)
        object.__setattr__(self, "history_size", size)
        for other in fields(Optimizer):
            if other.init and getattr(self, other.name) != other.default:
                raise ValueError(f"{other.name} is {getattr(self, other.name)!r}, which LBFGS does not have")

    def _check_for(self, model: "Sequential") -> None:
        super()._check_for(model)
        for path, layer in network.all_layers(model.layers):
            if layer._draws:
                raise ValueError(
                    f"{path}, {layer._expression()}, draws random numbers, and LBFGS needs the same loss at every "
                    "evaluation: leave the layer out, or take another optimizer"
                )
            if isinstance(layer, BatchNorm) and layer.trainable:
                raise ValueError(
                    f"{path}, {layer._expression()}, keeps running means of the batches, which the points that a line "
                    "search tries are not: set its trainable to False, take LayerNorm, or take another optimizer"
                )

    def _check_batch(self, batch_size: int, n: int) -> int:
        if batch_size < n and batch_size != BATCH_SIZE:
            raise ValueError(f"batch_size is {batch_size}, but LBFGS takes all {n} samples as one batch: leave it out")
        return max(n, 1)

    def _claim(self, model: "Sequential", params: NDArray[Any], fit: FitLength | None = None) -> LBFGSState:
        return self._bind(model, self._state_for(params))

    def _bind(self, model: "Sequential", state: dict[str, NDArray[Any]]) -> LBFGSState:
        self._state, self._owner = state, model._owner
        return LBFGSState(
            self.history_size,
            state["t"],
            state["numbers"],
            state["s"].reshape(self.history_size, -1),
            state["y"].reshape(self.history_size, -1),
            state["point"],
            state["gradient"],
        )

    def _claim_with(
        self, model: "Sequential", state: dict[str, NDArray[Any]], fit: FitLength | None = None
    ) -> LBFGSState:
        """Belong to a model whose data may be others than the last: the first evaluation is made again."""
        self._refuse_settings(model)
        state["numbers"][_IS_KNOWN] = 0
        return self._bind(model, state)

    def _refuse_settings(self, model: "Sequential") -> None:
        """Raise ValueError for settings of layers that a step along a line cannot respect."""
        bound = model._holder.bound
        assert bound is not None
        names = [name for name, *_ in network.tensor_shapes(model.layers, bound.input_size)]
        for name, (trainable, factor, l1, _, max_norm) in zip(names, bound.net.segments(), strict=False):
            for setting, value, none in (("learning_rate_factor", factor, 1), ("l1", l1, 0), ("max_norm", max_norm, 0)):
                if trainable and value != none:
                    raise ValueError(
                        f"{setting} of {name} is {value}, which LBFGS cannot respect: leave it out, or take another "
                        "optimizer"
                    )

    def _state_for(self, params: NDArray[Any], begins_fit: bool = False) -> dict[str, NDArray[Any]]:
        state = dict(self._state)
        sizes = {"s": self.history_size * params.size, "y": self.history_size * params.size}
        sizes |= {"point": params.size, "gradient": params.size}
        if any(name not in state or state[name].size != size for name, size in sizes.items()):
            state["numbers"] = np.zeros(_NUMBERS, np.float64)  # no pairs yet, or none of this history_size
            state |= {name: np.zeros(size, np.float64) for name, size in sizes.items()}
        if "t" not in state:
            state["t"] = np.zeros(1, np.int64)
        return state
