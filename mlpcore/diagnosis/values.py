"""The values around one layer, by the names of the paper: what an equation reads, and what it gives.

All arrays are float64 copies, one sample a row. Of layer j: ``x`` is a^{j-1}; ``w b z a dsigma grad_a phi grad_w
grad_b`` are its own. ``w_next z_next a_next dsigma_next grad_a_next phi_next`` are those of layer j + 1, None in the
last layer; ``z_before`` is that of layer j - 1, None in the first; ``x_network`` is the input of the network.
``dsigma`` is sigma'(z), of softmax the Jacobian (n, out, out): ``dsigma[s, k, i]`` is how a_k changes with z_i in
sample s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue, kernels
from mlpcore.engine import Choice

Array = NDArray[np.float64]


class Values:
    """Named values, read as attributes; a name that is not there is None.

    Parameters
    ----------
    named : mapping of str to object
        Arrays (float64), numbers, and what is chosen: ``activation``, ``loss``.
    """

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = dict(named)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  arrays, numbers, names
        if name.startswith("_"):
            raise AttributeError(name)
        return self._named.get(name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of what is there."""
        return (name for name, value in self._named.items() if value is not None)

    def but(self, **named: object) -> Values:
        """Return a copy with some values replaced."""
        return Values(self._named | named)

    def moved(self, move: Callable[[Array], Array]) -> Values:
        """Return a copy with every array moved."""
        return Values({name: move(v) if isinstance(v, np.ndarray) else v for name, v in self._named.items()})

    # ------------------------------------------------------------------------- of the layer's activation and the loss

    def sigma(self, z: Array) -> Array:
        """Sigma of the layer at any z."""
        return kernels.activation_forward(self.activation, z)

    def dsigma_at(self, z: Array) -> Array:
        """Sigma' of the layer at any z, the Jacobian for softmax."""
        return derivative(self.activation, z)

    @property
    def of_rows(self) -> bool:
        """Whether the layer's activation works on a whole row, as softmax does."""
        return works_on_rows(self.activation)

    @property
    def of_mean(self) -> bool:
        """Whether the loss of a sample is a mean over its outputs, and not a sum."""
        return takes_mean(self.loss)

    @property
    def out(self) -> int:
        """How many outputs the layer has."""
        return int(self.z.shape[1])


def works_on_rows(activation: Choice) -> bool:
    """Tell whether each output of an activation depends on all z of its sample."""
    return "per_row" in catalogue.entry("activations", _name(activation)).traits


def takes_mean(loss: Choice) -> bool:
    """Tell whether a loss is a mean over the outputs of a sample, and not a sum."""
    return "mean_of_outputs" in catalogue.entry("losses", _name(loss)).traits


def derivative(activation: Choice, z: Array) -> Array:
    """Return sigma'(z) (n, out), or the Jacobians (n, out, out) of an activation that works on rows.

    Of the Jacobian, ``[s, k, i]`` is the derivative of a_k to z_i in sample s.
    """
    if not works_on_rows(activation):
        return kernels.activation_backward(activation, z, np.ones_like(z))
    n, out = z.shape
    rows = [kernels.activation_backward(activation, z, np.tile(one, (n, 1))) for one in np.eye(out)]
    return np.stack(rows, axis=1)


def through(grad_a: Array, dsigma: Array) -> Array:
    """Return phi from grad_a: element by element with sigma', or through the transposed Jacobian."""
    if dsigma.ndim == 3:
        return np.asarray(np.einsum("nk,nki->ni", grad_a, dsigma), np.float64)
    return grad_a * dsigma


def _name(choice: Choice) -> str | tuple[Any, ...]:
    assert isinstance(choice, str | tuple)
    return choice
