"""The formulas of the optimizers in NumPy, for tests to compare with."""

import numpy as np

from mlpcore import SGD


class Twin:
    """One step after another as the docstrings write it, in float64, whatever is changed between them."""

    def __init__(self, w):
        self.w, self.t = w.astype(np.float64), 0
        self.velocity = self.m = self.v = np.zeros_like(self.w)

    def step(self, optimizer, grad, factor=1.0):
        rate = optimizer.learning_rate * factor
        self.t += 1
        if isinstance(optimizer, SGD):
            self.velocity = optimizer.momentum * self.velocity + grad
            step = grad + optimizer.momentum * self.velocity if optimizer.nesterov else self.velocity
        else:
            self.m = optimizer.beta1 * self.m + (1 - optimizer.beta1) * grad
            self.v = optimizer.beta2 * self.v + (1 - optimizer.beta2) * grad**2
            m_hat, v_hat = self.m / (1 - optimizer.beta1**self.t), self.v / (1 - optimizer.beta2**self.t)
            step = m_hat / (np.sqrt(v_hat) + optimizer.epsilon)
        self.w = self.w - rate * step
