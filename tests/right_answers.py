"""A student's own pass in NumPy, in forms that differ in their roundings and in nothing else."""

import numpy as np

from mlpcore import kernels


def own_pass(rng, model, x, y, loss, dtype):
    """Return the arrays of each layer, and the loss, each computed in one of several equivalent ways."""

    def either(one, other):
        return one if rng.random() < 0.5 else other

    x, y, n = x.astype(dtype), y.astype(dtype), len(x)
    layers, a = [], x
    for layer in model.layers:
        w, b = layer.w.astype(dtype), layer.b.astype(dtype)
        z = either(a @ w.T + b, (w @ a.T + b[:, None]).T)
        output, dsigma = _activated(layer.activation, z, either)
        layers.append({"x": a, "w": w, "b": b, "z": z, "a": output, "dsigma": dsigma})
        a = output
    value, grad_a = _loss(loss, a, y)
    cancels = (loss, model.layers[-1].activation) in (("bce", "sigmoid"), ("cce", "softmax"))
    for own in reversed(layers):
        own["grad_a"] = grad_a
        if own is layers[-1] and cancels and rng.random() < 0.6:
            own["phi"] = (a - y) / dtype(n)
        elif own["dsigma"].ndim == 3:
            shared = own["a"] * (grad_a - (own["a"] * grad_a).sum(axis=1, keepdims=True))
            own["phi"] = either(np.einsum("nk,nki->ni", grad_a, own["dsigma"]), shared)
        else:
            own["phi"] = grad_a * own["dsigma"]
        outer = sum(np.outer(p, q) for p, q in zip(own["phi"], own["x"], strict=True))
        own["grad_w"] = either(own["phi"].T @ own["x"], outer)
        own["grad_b"] = either(own["phi"].sum(axis=0), np.ones(n, dtype) @ own["phi"])
        grad_a = either(own["phi"] @ own["w"], (own["w"].T @ own["phi"].T).T)
    return layers, value


def _activated(name, z, either):
    """Return sigma and sigma' in ways that courses write them."""
    if name == "sigmoid":
        e = np.exp(-np.abs(z))
        a = either(1 / (1 + np.exp(-z)), np.where(z > 0, 1 / (1 + e), e / (1 + e)))
        return a, either(a * (1 - a), np.exp(-z) / (1 + np.exp(-z)) ** 2)
    if name == "tanh":
        a = either(np.tanh(z), (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)))
        return a, either(1 - a**2, 1 / np.cosh(z) ** 2)
    if name == "relu":
        return either(np.maximum(z, 0), z * (z > 0)), (z > 0).astype(z.dtype)
    if name == "linear":
        return z, np.ones_like(z)
    if name == "softmax":
        e = either(np.exp(z), np.exp(z - z.max(axis=1, keepdims=True)))
        a = e / e.sum(axis=1, keepdims=True)
        return a, np.stack([np.diag(row) - np.outer(row, row) for row in a])
    return kernels.activation_forward(name, z), kernels.activation_backward(name, z, np.ones_like(z))


def _loss(name, a, y):
    """Return the loss and its derivative to a."""
    n, out = a.shape
    apart = a - y if a.shape == y.shape else None
    if name == "mse":
        return (apart**2).mean(), 2 * apart / (n * out)
    if name == "bce":
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum() / n, (-y / a + (1 - y) / (1 - a)) / n
    if name == "cce":
        return -(y * np.log(a)).sum(axis=1).mean(), -y / a / n
    if name == "huber":
        small = np.abs(apart) <= 1
        return np.where(small, apart**2 / 2, np.abs(apart) - 0.5).mean(), np.clip(apart, -1, 1) / (n * out)
    if name == "gaussian_nll":
        mean, log_v = a[:, : out // 2], a[:, out // 2 :]
        v, apart = np.exp(log_v), mean - y
        grad = np.hstack([apart / v, (1 - apart**2 / v) / 2]) / n
        return (log_v + apart**2 / v).sum() / (2 * n), grad
    assert name == "log_cosh"
    return np.log(np.cosh(apart)).mean(), np.tanh(apart) / (n * out)
