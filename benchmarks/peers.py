"""The libraries that are compared: each trains the same network on the same data with the same arithmetic.

Libraries are imported when their class is first used, so that a process which measures one does not hold the others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from configurations import BETA1, BETA2, DROPPED, EPSILON, LEARNING_RATE, WEIGHT_DECAY, Configuration
from frameworks import Jax, PyTorch, ScikitLearn
from peer import Peer


class Mlpcore(Peer):
    """The library itself, through its public functions."""

    label, module, distribution = "mlpcore", "mlpcore", "mlpcore"

    def __init__(self, configuration: Configuration) -> None:
        import mlpcore

        super().__init__(configuration)
        self.mlpcore = mlpcore
        *hidden, outputs = configuration.sizes[1:]
        layers: list[Any] = []
        for units in hidden:
            layers += self.hidden_layers(units)
        layers.append(mlpcore.Dense(outputs, "softmax" if self.classifies else "sigmoid"))
        self.model = mlpcore.Sequential(layers, input_size=configuration.sizes[0], dtype=configuration.dtype, seed=0)
        self.loss = "cce" if self.classifies else "bce"
        self.x = self.batches(self.data.x)
        self.z = self.x[0] @ self.data.weights[0]

    def hidden_layers(self, units: int) -> list[Any]:
        """Return the layers of one product."""
        of, activation = self.mlpcore, self.configuration.activation
        if not self.configuration.regularized:
            return [of.Dense(units, activation)]
        return [of.Dense(units), of.BatchNorm(), of.Activation(activation), of.Dropout(DROPPED)]

    def reset(self) -> None:
        dense: list[Any] = [layer for layer in self.model.layers if isinstance(layer, self.mlpcore.Dense)]
        for layer, w in zip(dense, self.data.weights, strict=True):
            layer.w[...] = w.T
            layer.b[...] = 0
        if self.configuration.regularized:
            self.optimizer: Any = self.mlpcore.AdamW(
                LEARNING_RATE, beta1=BETA1, beta2=BETA2, epsilon=EPSILON, weight_decay=WEIGHT_DECAY
            )
        elif self.configuration.optimizer == "sgd":
            self.optimizer = self.mlpcore.SGD(LEARNING_RATE)
        else:
            self.optimizer = self.mlpcore.Adam(LEARNING_RATE, BETA1, BETA2, EPSILON)

    def train(self, steps: int) -> None:
        self.model.fit(
            self.data.x,
            self.data.labels,
            loss=self.loss,
            optimizer=self.optimizer,
            epochs=steps // self.configuration.batches,
            batch_size=self.configuration.batch,
            shuffle=False,
            progress=False,
        )

    def predict(self, times: int) -> NDArray[Any]:
        x, batches = self.x, self.configuration.batches
        for i in range(times):
            a = self.model.predict(x[i % batches])
        return a

    def forward(self, times: int) -> None:
        layer = self.model.layers[0]
        x, w, b, z = self.x[0], layer.w, layer.b, self.z
        for _ in range(times):
            self.mlpcore.kernels.dense_forward(x, w, b, out=z)

    def backward(self, times: int) -> None:
        phi, x, w = self.z, self.x[0], self.model.layers[0].w
        for _ in range(times):
            self.mlpcore.kernels.dense_backward(phi, x, w)


class NumPy(Peer):
    """The equations in NumPy, as a course writes them."""

    label, module, distribution = "NumPy", "numpy", "numpy"

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.samples = self.batches(self.data.x, self.data.targets)
        self.z = self.samples[0][0] @ self.data.weights[0]

    def reset(self) -> None:
        self.w = [w.copy() for w in self.data.weights]
        self.b = [np.zeros(w.shape[1], w.dtype) for w in self.w]
        self.m = [np.zeros_like(p) for p in self.w + self.b]
        self.v = [np.zeros_like(p) for p in self.w + self.b]
        self.t = 0

    def activities(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        a = [x]
        for j, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            z = a[-1] @ w
            z += b
            if j < len(self.w) - 1:
                np.maximum(z, 0, out=z)
            elif self.classifies:
                z -= z.max(axis=1, keepdims=True)
                np.exp(z, out=z)
                z /= z.sum(axis=1, keepdims=True)
            else:
                z = 1 / (1 + np.exp(-z))
            a.append(z)
        return a

    def gradients(self, x: NDArray[Any], y: NDArray[Any]) -> list[NDArray[Any]]:
        a = self.activities(x)
        phi = (a[-1] - y) / len(x)
        grad_w, grad_b = [], []
        for j in reversed(range(len(self.w))):
            grad_w.append(a[j].T @ phi)
            grad_b.append(phi.sum(axis=0))
            if j > 0:
                phi = (phi @ self.w[j].T) * (a[j] > 0)
        return grad_w[::-1] + grad_b[::-1]

    def update(self, gradients: list[NDArray[Any]]) -> None:
        self.t += 1
        for p, grad, m, v in zip(self.w + self.b, gradients, self.m, self.v, strict=True):
            if self.configuration.optimizer == "sgd":
                p -= LEARNING_RATE * grad
            else:
                m *= BETA1
                m += (1 - BETA1) * grad
                v *= BETA2
                v += (1 - BETA2) * grad * grad
                root = np.sqrt(v / (1 - BETA2**self.t))
                root += EPSILON
                p -= LEARNING_RATE / (1 - BETA1**self.t) * m / root

    def train(self, steps: int) -> None:
        for i in range(steps):
            self.update(self.gradients(*self.samples[i % len(self.samples)]))

    def predict(self, times: int) -> NDArray[Any]:
        for i in range(times):
            a = self.activities(self.samples[i % len(self.samples)][0])
        return a[-1]

    def forward(self, times: int) -> None:
        x, w, b, z = self.samples[0][0], self.w[0], self.b[0], self.z
        for _ in range(times):
            np.matmul(x, w, out=z)
            np.add(z, b, out=z)

    def backward(self, times: int) -> None:
        phi, x, w = self.z, self.samples[0][0], self.w[0]
        for _ in range(times):
            phi @ w.T, x.T @ phi, phi.sum(axis=0)


PEERS: dict[str, type[Peer]] = {
    "mlpcore": Mlpcore,
    "numpy": NumPy,
    "torch": PyTorch,
    "jax": Jax,
    "sklearn": ScikitLearn,
}
