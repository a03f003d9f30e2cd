"""PyTorch, JAX and scikit-learn, each as its users would write it for speed."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from configurations import BETA1, BETA2, DROPPED, EPSILON, LEARNING_RATE, WEIGHT_DECAY, Configuration
from peer import Peer


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
