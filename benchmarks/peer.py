"""What every library that is compared has to do."""

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import Any, ClassVar

from numpy.typing import NDArray

from configurations import Configuration


class Peer(ABC):
    """One library with one network.

    Attributes
    ----------
    label : str
        Its name in tables.
    module : str
        What is imported.
    distribution : str
        What is installed.
    """

    label: ClassVar[str]
    module: ClassVar[str]
    distribution: ClassVar[str]

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.data = configuration.data()
        self.classifies = configuration.sizes[-1] > 1

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the library can be imported."""
        return find_spec(cls.module) is not None

    @abstractmethod
    def reset(self) -> None:
        """Go back to the first weights and a new optimizer.

        Trained on and on with few data, units die and an optimizer's state decays to numbers below the normal range,
        which some libraries are slow with: each turn begins anew instead.
        """

    @abstractmethod
    def train(self, steps: int) -> None:
        """Take steps with one batch after the other; a multiple of the batches there are."""

    @abstractmethod
    def predict(self, times: int) -> NDArray[Any]:
        """Predict one batch after the other, each for itself; return the last one's outputs."""

    def forward(self, times: int) -> None:
        """Compute z of the first layer for the first batch."""
        raise NotImplementedError

    def backward(self, times: int) -> None:
        """Compute the three gradients of the first layer, with z taken for phi."""
        raise NotImplementedError

    def batch(self, array: Any, i: int) -> Any:
        """Rows of the i-th batch, counted on over the end."""
        begin = i % self.configuration.batches * self.configuration.batch
        return array[begin : begin + self.configuration.batch]

    def batches(self, *arrays: Any) -> list[Any]:
        """Every batch of the arrays, cut beforehand."""
        cut = [tuple(self.batch(array, i) for array in arrays) for i in range(self.configuration.batches)]
        return cut if len(arrays) > 1 else [only for (only,) in cut]
