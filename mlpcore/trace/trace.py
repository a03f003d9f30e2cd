"""A trace: all numbers of one step of backpropagation, as a frozen copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlpcore import catalogue
from mlpcore.engine import Choice
from mlpcore.trace.layer import Array, Arrays, LayerTrace

if TYPE_CHECKING:
    from mlpcore.optimizers import Optimizer


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """What one batch, or one sample, does in a network: every number of the four equations, as a frozen copy.

    `Sequential.trace` makes it. ``t[j]`` is layer j, counted from 1 as in the paper; ``t[-1]`` is the last one.

    Attributes
    ----------
    layers : tuple of LayerTrace
    y : ndarray of shape (n, out)
        The ground truth as the engine had it: class indices as rows with a 1.
    loss : float
        The mean of the samples' losses.
    n : int
        How many samples there are.
    is_single : bool
        Whether the sample came as a vector, so that no array has an axis of samples.
    dtype : str
    training : bool
        Whether layers acted as in training.
    sample_weight : ndarray or None
    phi_by_factors : ndarray or None
        phi^J as equation 1 has it, ``grad_a`` through ``sigma'(z)``, where the last layer ends with an activation in C.
        The engine computes ``t[-1].phi`` of pairs such as sigmoid and "bce" in their short form, a - y; the two agree
        up to rounding.
    optimizer : Optimizer or None
        A copy, after the step.
    before, after : dict of str to ndarray
        All parameters by paths such as "layers.0.w", before and after the step; `after` is empty without an optimizer.
    """

    layers: tuple[LayerTrace, ...]
    y: Array
    loss: float
    loss_choice: Choice
    n: int
    is_single: bool
    dtype: str
    training: bool
    sample_weight: Array | None
    phi_by_factors: Array | None
    optimizer: Optimizer | None
    before: Arrays = field(default_factory=Arrays)
    after: Arrays = field(default_factory=Arrays)

    @property
    def x(self) -> Array:
        """The inputs a^0."""
        return self.layers[0].x

    @property
    def y_hat(self) -> Array:
        """The outputs a^J."""
        return self.layers[-1].a

    @property
    def grad_a(self) -> Array | None:
        """The gradient of the loss with respect to the outputs a^J."""
        return self.layers[-1].grad_a

    @property
    def loss_name(self) -> str:
        """The loss, as `mlpcore.catalogue.label` writes it."""
        return catalogue.label(self.loss_choice)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerTrace]:
        return iter(self.layers)

    def __getitem__(self, j: int) -> LayerTrace:
        """Return layer j, from 1 to J, or from the end: -1 is layer J."""
        count = len(self.layers)
        if isinstance(j, bool) or not isinstance(j, int):
            raise TypeError(f"j is {j!r}, expected the number of a layer, from 1 to {count}")
        if not (1 <= j <= count or -count <= j <= -1):
            raise IndexError(f"j is {j}, expected the number of a layer, from 1 to {count}: layers count from 1")
        return self.layers[j - 1 if j > 0 else j]
