"""The formulas of the optimizers in NumPy, for tests to compare with."""

import numpy as np


def _sgd(o, s, w, g, rate):
    s["velocity"] = o.momentum * s["velocity"] + g
    return w - rate * (g + o.momentum * s["velocity"] if o.nesterov else s["velocity"])


def _lion(o, s, w, g, rate):
    direction = np.sign(o.beta1 * s["m"] + (1 - o.beta1) * g)
    s["m"] = o.beta2 * s["m"] + (1 - o.beta2) * g
    return w - rate * direction


def _rprop(o, s, w, g, rate):
    agreement = np.sign(g) * s["sign"]
    factor = np.where(agreement > 0, o.eta_plus, np.where(agreement < 0, o.eta_minus, 1))
    s["step"] = np.clip(np.where(s["step"] > 0, s["step"], rate) * factor, o.step_min, o.step_max)
    s["sign"] = np.where(agreement < 0, 0, np.sign(g))
    return w - s["step"] * s["sign"]


def _averages(o, s, g):
    s["m"] = o.beta1 * s["m"] + (1 - o.beta1) * g
    s["v"] = o.beta2 * s["v"] + (1 - o.beta2) * g**2
    return s["m"] / (1 - o.beta1 ** s["t"]), s["v"] / (1 - o.beta2 ** s["t"])


def _adam(o, s, w, g, rate):
    m_hat, v_hat = _averages(o, s, g)
    return w - rate * m_hat / (np.sqrt(v_hat) + o.epsilon)


def _amsgrad(o, s, w, g, rate):
    m_hat, _ = _averages(o, s, g)
    s["v_max"] = np.maximum(s["v_max"], s["v"])
    return w - rate * m_hat / (np.sqrt(s["v_max"] / (1 - o.beta2 ** s["t"])) + o.epsilon)


def _nadam(o, s, w, g, rate):
    t, (_, v_hat) = s["t"], _averages(o, s, g)
    mu = o.beta1 * (1 - 0.5 * 0.96 ** (np.arange(1, t + 2) * o.momentum_decay))
    m_hat = mu[-1] * s["m"] / (1 - mu.prod()) + (1 - mu[-2]) * g / (1 - mu[:-1].prod())
    return w - rate * m_hat / (np.sqrt(v_hat) + o.epsilon)


def _radam(o, s, w, g, rate):
    t, (m_hat, _) = s["t"], _averages(o, s, g)
    most = 2 / (1 - o.beta2) - 1
    terms = most - 2 * t * o.beta2**t / (1 - o.beta2**t)
    if terms <= 5:
        return w - rate * m_hat
    rectification = np.sqrt((terms - 4) * (terms - 2) * most / ((most - 4) * (most - 2) * terms))
    return w - rate * rectification * m_hat * np.sqrt(1 - o.beta2**t) / (np.sqrt(s["v"]) + o.epsilon)


def _adagrad(o, s, w, g, rate):
    s["v"] = s["v"] + g**2
    return w - rate * g / (np.sqrt(s["v"]) + o.epsilon)


def _rmsprop(o, s, w, g, rate):
    s["v"] = o.rho * s["v"] + (1 - o.rho) * g**2
    s["mean"] = o.rho * s["mean"] + (1 - o.rho) * g
    size = np.maximum(s["v"] - s["mean"] ** 2, 0) if o.centered else s["v"]
    s["velocity"] = o.momentum * s["velocity"] + g / (np.sqrt(size) + o.epsilon)
    return w - rate * s["velocity"]


def _adadelta(o, s, w, g, rate):
    s["v"] = o.rho * s["v"] + (1 - o.rho) * g**2
    delta = np.sqrt(s["u"] + o.epsilon) / np.sqrt(s["v"] + o.epsilon) * g
    s["u"] = o.rho * s["u"] + (1 - o.rho) * delta**2
    return w - rate * delta


RULES = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adam,
    "amsgrad": _amsgrad,
    "nadam": _nadam,
    "radam": _radam,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adadelta": _adadelta,
    "lion": _lion,
    "rprop": _rprop,
}


class Twin:
    """One step after another as the docstrings write it, in float64, whatever is changed between them."""

    def __init__(self, w):
        self.w = w.astype(np.float64)
        names = ("velocity", "m", "v", "v_max", "u", "mean", "step", "sign")
        self.state = {name: np.zeros_like(self.w) for name in names} | {"t": 0}

    def step(self, optimizer, grad, factor=1.0):
        rate = optimizer.learning_rate * factor
        self.state["t"] += 1
        decayed = self.w - rate * getattr(optimizer, "weight_decay", 0.0) * self.w
        self.w = RULES[type(optimizer)._name](optimizer, self.state, decayed, grad, rate)
