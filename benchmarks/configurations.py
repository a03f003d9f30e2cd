"""What is trained: networks, batches, optimizers, data and first weights, the same for every peer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEARNING_RATE = 1e-3
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

OPTIMIZERS: dict[Literal["sgd", "adam"], str] = {"sgd": "SGD", "adam": "Adam"}  # and what tables call them
DROPPED, WEIGHT_DECAY = 0.2, 0.01  # where a network is regularized
ONE_SAMPLE = ((10, 10, 1), (100, 64, 1), (64, 100, 10), (784, 30, 10), (784, 128, 10))  # a batch


class Data(NamedTuple):
    """Samples x (n, in), their labels (n,), the same as targets (n, out), and the first w (in, out) of every layer."""

    x: NDArray[Any]
    labels: NDArray[np.intp]
    targets: NDArray[Any]
    weights: list[NDArray[Any]]


@dataclass(frozen=True)
class Configuration:
    """A network of dense layers, and how it is trained.

    One output means sigmoid with binary cross-entropy, several mean softmax with categorical cross-entropy.

    Attributes
    ----------
    name : str
    sizes : tuple of int
        Inputs, hidden units, outputs.
    batch : int
        Samples a step.
    optimizer : {"sgd", "adam"}
        SGD without momentum, or Adam.
    dtype : str
        "float32" or "float64".
    batches : int
        Batches in the data, which training runs through again and again.
    activation : str
        Of the hidden layers; another than ReLU with mlpcore alone.
    regularized : bool
        After each hidden product batch normalization, and after its activation dropout; the weights decay, as AdamW
        has it. With mlpcore and PyTorch.
    """

    name: str
    sizes: tuple[int, ...]
    batch: int
    optimizer: Literal["sgd", "adam"] = "adam"
    dtype: str = "float32"
    batches: int = 20
    activation: str = "relu"
    regularized: bool = False

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of every layer."""
        return list(zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.layers)

    def flop(self, action: str) -> int:
        """Count the multiplications and additions in the matrix products of one step; a peak is compared with these.

        Parameters
        ----------
        action : {"train", "predict", "forward", "backward"}
            The last two are about the first layer alone. Training does not need the gradient of the first layer's
            input; "backward" computes it.
        """
        products = [2 * self.batch * inputs * outputs for inputs, outputs in self.layers]
        return {
            "train": 3 * sum(products) - products[0],
            "predict": sum(products),
            "forward": products[0],
            "backward": 2 * products[0],
        }[action]

    def data(self) -> Data:
        """Draw the data and the first weights, which depend on nothing but the configuration."""
        rng = np.random.default_rng(0)
        n, outputs = self.batch * self.batches, self.sizes[-1]
        x = rng.standard_normal((n, self.sizes[0])).astype(self.dtype)
        labels = rng.integers(0, max(outputs, 2), n)
        targets = labels[:, None].astype(self.dtype) if outputs == 1 else np.eye(outputs, dtype=self.dtype)[labels]
        weights = [
            (rng.standard_normal((inputs, outputs)) * (2 / inputs) ** 0.5).astype(self.dtype)
            for inputs, outputs in self.layers
        ]
        return Data(x, labels, targets, weights)

    def __str__(self) -> str:
        sizes, repeated = list(self.sizes), max(map(self.sizes.count, self.sizes))
        if repeated > 3:
            most = max(sizes, key=sizes.count)
            shown = "-".join(map(str, [size for size in sizes if size != most]))
            return f"{most} x {repeated} - {shown}, {self.batch}"
        return f"{'-'.join(map(str, sizes))}, {self.batch}"


def without_twins(configurations: Sequence[Configuration]) -> list[Configuration]:
    """Leave out those that differ from one before in nothing but the optimizer: they predict alike."""
    return list({(of.sizes, of.batch, of.dtype): of for of in reversed(configurations)}.values())[::-1]


CONFIGURATIONS = {
    configuration.name: configuration
    for configuration in (
        Configuration("xor", (2, 4, 1), 4, "sgd"),
        Configuration("digits", (64, 32, 10), 32, "sgd"),
        Configuration("mnist", (784, 128, 10), 64),
        Configuration("mnist-512", (784, 512, 10), 128),
        Configuration("wide", (784, 1024, 1024, 10), 256),
        Configuration("deep", (256,) * 9 + (10,), 128),
        Configuration("classes-1000", (128, 128, 1000), 128),
        *(
            Configuration(f"one-{'-'.join(map(str, sizes))}-{optimizer}", sizes, 1, optimizer)
            for sizes in ONE_SAMPLE
            for optimizer in OPTIMIZERS
        ),
    )
}
