"""The libraries that are compared: each trains the same network on the same data with the same arithmetic.

Each is written as its users would write it for speed. Libraries are imported when their class is first used, so that a
process which measures one does not hold the others.
"""

import warnings
from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from configurations import BETA1, BETA2, DROPPED, EPSILON, LEARNING_RATE, WEIGHT_DECAY, Configuration


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


class PyTorch(Peer):
    """PyTorch as most use it: eager, with the fused Adam."""

    label, module, distribution = "PyTorch", "torch", "torch"

    def __init__(self, configuration: Configuration) -> None:
        import torch

        super().__init__(configuration)
        self.torch = torch
        modules: list[Any] = []
        dtype = getattr(torch, configuration.dtype)
        for inputs, outputs in configuration.layers:
            modules.append(torch.nn.Linear(inputs, outputs, dtype=dtype))
            if configuration.regularized:
                modules += [torch.nn.BatchNorm1d(outputs, dtype=dtype), torch.nn.ReLU(), torch.nn.Dropout(DROPPED)]
            else:
                modules.append(torch.nn.ReLU())
        self.net = torch.nn.Sequential(*modules[: -3 if configuration.regularized else -1])
        self.loss = torch.nn.CrossEntropyLoss() if self.classifies else torch.nn.BCEWithLogitsLoss()
        y = self.data.labels if self.classifies else self.data.targets
        self.samples = self.batches(torch.from_numpy(self.data.x), torch.from_numpy(y))
        self.z = self.samples[0][0] @ torch.from_numpy(self.data.weights[0])

    def reset(self) -> None:
        torch = self.torch
        with torch.no_grad():
            linears = [module for module in self.net if isinstance(module, torch.nn.Linear)]
            for linear, w in zip(linears, self.data.weights, strict=True):
                linear.weight.copy_(torch.from_numpy(w.T))
                linear.bias.zero_()
        if self.configuration.regularized:
            self.optimizer: Any = torch.optim.AdamW(
                self.net.parameters(), LEARNING_RATE, (BETA1, BETA2), EPSILON, WEIGHT_DECAY, fused=True
            )
        elif self.configuration.optimizer == "sgd":
            self.optimizer = torch.optim.SGD(self.net.parameters(), LEARNING_RATE)
        else:
            self.optimizer = torch.optim.Adam(self.net.parameters(), LEARNING_RATE, (BETA1, BETA2), EPSILON, fused=True)

    def train(self, steps: int) -> None:
        for i in range(steps):
            x, y = self.samples[i % len(self.samples)]
            self.optimizer.zero_grad()
            self.loss(self.net(x), y).backward()
            self.optimizer.step()

    def predict(self, times: int) -> NDArray[Any]:
        with self.torch.inference_mode():
            for i in range(times):
                z = self.net(self.samples[i % len(self.samples)][0])
                a = z.softmax(1) if self.classifies else z.sigmoid()
        return np.asarray(a)

    def forward(self, times: int) -> None:
        linear = self.net[0]
        x, w, b, z = self.samples[0][0], linear.weight.T, linear.bias, self.z
        with self.torch.inference_mode():
            for _ in range(times):
                self.torch.addmm(b, x, w, out=z)

    def backward(self, times: int) -> None:
        phi, x, w = self.z, self.samples[0][0], self.net[0].weight
        with self.torch.inference_mode():
            for _ in range(times):
                phi @ w, phi.T @ x, phi.sum(0)


class Jax(Peer):
    """JAX at its best: all steps of a turn are one compiled loop."""

    label, module, distribution = "JAX", "jax", "jax"

    def __init__(self, configuration: Configuration) -> None:
        import jax

        super().__init__(configuration)
        self.jax = jax
        jax.config.update("jax_enable_x64", configuration.dtype == "float64")
        shape = (configuration.batches, configuration.batch, -1)
        self.x = jax.numpy.asarray(self.data.x).reshape(shape)
        y = self.data.labels if self.classifies else self.data.targets
        self.y = jax.numpy.asarray(y).reshape(shape[: y.ndim + 1])
        self.x_batches = self.batches(self.data.x)
        self.loop = jax.jit(self.steps, static_argnums=1)
        self.outputs = jax.jit(self.probabilities)

    def logits(self, parameters: Any, x: Any) -> Any:
        *hidden, last = parameters
        for w, b in hidden:
            x = self.jax.nn.relu(x @ w + b)
        w, b = last
        return x @ w + b

    def probabilities(self, parameters: Any, x: Any) -> Any:
        z = self.logits(parameters, x)
        return self.jax.nn.softmax(z) if self.classifies else self.jax.nn.sigmoid(z)

    def loss(self, parameters: Any, x: Any, y: Any) -> Any:
        z = self.logits(parameters, x)
        if self.classifies:
            return -(self.jax.nn.one_hot(y, z.shape[1]) * self.jax.nn.log_softmax(z)).sum(axis=1).mean()
        return (self.jax.nn.softplus(z) - z * y).mean()

    def step(self, state: Any, i: Any) -> Any:
        parameters, m, v, t = state
        each = self.jax.tree.map
        batches = self.configuration.batches
        grad = self.jax.grad(self.loss)(parameters, self.x[i % batches], self.y[i % batches])
        t = t + 1
        if self.configuration.optimizer == "sgd":
            parameters = each(lambda p, g: p - LEARNING_RATE * g, parameters, grad)
        else:
            m = each(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, grad)
            v = each(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grad)
            c1, c2 = 1 - BETA1**t, 1 - BETA2**t
            parameters = each(
                lambda p, m, v: p - LEARNING_RATE * (m / c1) / (self.jax.numpy.sqrt(v / c2) + EPSILON),
                parameters,
                m,
                v,
            )
        return (parameters, m, v, t), None

    def steps(self, state: Any, count: int) -> Any:
        return self.jax.lax.scan(self.step, state, self.jax.numpy.arange(count))[0]

    def reset(self) -> None:
        zeros = self.jax.numpy.zeros
        parameters = [(self.jax.numpy.asarray(w), zeros(w.shape[1], w.dtype)) for w in self.data.weights]
        nothing = self.jax.tree.map(self.jax.numpy.zeros_like, parameters)
        self.state = self.jax.block_until_ready((parameters, nothing, nothing, zeros((), self.configuration.dtype)))

    def train(self, steps: int) -> None:
        self.state = self.jax.block_until_ready(self.loop(self.state, steps))

    def predict(self, times: int) -> NDArray[Any]:
        parameters = self.state[0]
        for i in range(times):
            a = np.asarray(self.outputs(parameters, self.x_batches[i % len(self.x_batches)]))
        return a


class ScikitLearn(Peer):
    """MLPClassifier, one pass over the data a call."""

    label, module, distribution = "scikit-learn", "sklearn", "scikit-learn"

    def __init__(self, configuration: Configuration) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        super().__init__(configuration)
        warnings.simplefilter("ignore", ConvergenceWarning)
        self.model = MLPClassifier(
            configuration.sizes[1:-1],
            solver=configuration.optimizer,
            alpha=0,
            batch_size=configuration.batch,
            learning_rate_init=LEARNING_RATE,
            shuffle=False,
            momentum=0,
            beta_1=BETA1,
            beta_2=BETA2,
            epsilon=EPSILON,
        )
        self.model.partial_fit(self.data.x, self.data.labels, classes=np.arange(max(2, configuration.sizes[-1])))
        self.x = self.batches(self.data.x)

    def reset(self) -> None:
        for own, w in zip(self.model.coefs_, self.data.weights, strict=True):
            own[...] = w
        for own in self.model.intercepts_:
            own[...] = 0
        vars(self.model).pop("_optimizer", None)  # the next partial_fit makes a new one

    def train(self, steps: int) -> None:
        for _ in range(steps // self.configuration.batches):
            self.model.partial_fit(self.data.x, self.data.labels)

    def predict(self, times: int) -> NDArray[Any]:
        for i in range(times):
            a = self.model.predict_proba(self.x[i % len(self.x)])
        return np.asarray(a if self.classifies else a[:, 1:])


PEERS: dict[str, type[Peer]] = {
    "mlpcore": Mlpcore,
    "numpy": NumPy,
    "torch": PyTorch,
    "jax": Jax,
    "sklearn": ScikitLearn,
}
