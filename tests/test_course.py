"""A network as a course would write it: thirty lines with mlpcore.kernels, without Sequential."""

import numpy as np

import mlpcore
from mlpcore import kernels


class CourseNetwork:
    """The paper, equation by equation: lists of w, b, z and a, one entry a layer."""

    def __init__(self, weights, biases, activations):
        self.w, self.b, self.sigma = weights, biases, activations

    def forward(self, x):
        self.z, self.a = [], [x]
        for w, b, sigma in zip(self.w, self.b, self.sigma, strict=True):
            self.z.append(kernels.dense_forward(self.a[-1], w, b))
            self.a.append(kernels.activation_forward(sigma, self.z[-1]))
        return self.a[-1]

    def backward(self, y, loss):
        phi = kernels.output_phi(loss, self.sigma[-1], self.z[-1], y)  # equation 1
        grads = []
        for j in reversed(range(len(self.w))):
            grad_a, grad_w, grad_b = kernels.dense_backward(phi, self.a[j], self.w[j])  # equations 3 and 4
            grads.insert(0, (grad_w, grad_b))
            if j > 0:
                phi = kernels.activation_backward(self.sigma[j - 1], self.z[j - 1], grad_a)  # equation 2
        return grads

    def train(self, x, y, loss, learning_rate, batch_size):
        for start in range(0, len(x), batch_size):
            self.forward(x[start : start + batch_size])
            for j, (grad_w, grad_b) in enumerate(self.backward(y[start : start + batch_size], loss)):
                kernels.sgd_step(self.w[j], grad_w, learning_rate=learning_rate)
                kernels.sgd_step(self.b[j], grad_b, learning_rate=learning_rate)


def ring_or_disc(n):
    """Points of the plane, and whether they lie near the middle: no line divides the two."""
    i = np.arange(n)
    x = np.stack([i * 37 % 101, i * 59 % 103], axis=1).astype(np.float32) / 50 - 1
    y = ((x**2).sum(axis=1, keepdims=True) < 0.5).astype(np.float32)
    return x, y


def test_course_network_learns_and_is_sequential_bit_for_bit():
    x, y = ring_or_disc(400)
    model = mlpcore.Sequential([mlpcore.Dense(16, "tanh"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=3)
    course = CourseNetwork(
        [layer.w.copy() for layer in model.layers], [layer.b.copy() for layer in model.layers], ["tanh", "sigmoid"]
    )
    for _ in range(200):
        course.train(x, y, "bce", learning_rate=0.5, batch_size=32)
    model.fit(x, y, loss="bce", optimizer=mlpcore.SGD(0.5), epochs=200, shuffle=False, progress=False)

    for j, layer in enumerate(model.layers):
        np.testing.assert_array_equal(course.w[j], layer.w)
        np.testing.assert_array_equal(course.b[j], layer.b)
    right = (course.forward(x) > 0.5) == (y > 0.5)
    assert right.mean() > 0.95
