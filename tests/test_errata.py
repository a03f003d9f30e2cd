"""The errata of the paper (docs/errata.md): numerical differentiation refutes what is printed, confirms what is meant.

The formulas stand here in NumPy, one sample as a column vector as in the paper; the kernels agree with what is meant.
"""

import numpy as np
import pytest

from mlpcore import gradcheck, kernels

rng = np.random.default_rng(2021)
IN, HIDDEN, OUT = 4, 3, 5  # all different: a wrong index shows
W1, B1 = rng.normal(size=(HIDDEN, IN)), rng.normal(size=HIDDEN)
W2, B2 = rng.normal(size=(OUT, HIDDEN)), rng.normal(size=OUT)
A0 = rng.normal(size=IN)
Y = rng.uniform(0.1, 0.9, OUT)
Z = rng.normal(size=OUT)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


def bce(y_hat, y):
    return float(np.sum(-y * np.log(y_hat) - (1 - y) * np.log(1 - y_hat)))


def cce(y_hat, y):
    return float(-np.sum(y * np.log(y_hat)))


def is_gradient(gradient, f, at):
    """Whether ``gradient`` is the gradient of f there, in the eyes of numerical differentiation."""
    report = gradcheck.check_function(lambda at: f(at), {"at": at}, {"at": gradient})
    assert not report.kinks
    return report.ok


def rows(*vectors):
    """The paper's column vectors as batches of one sample."""
    return [np.asarray(vector)[np.newaxis] for vector in vectors]


# ------------------------------------------------------------------------------------------------ 1: BCE, section 3.2.1


def test_1_the_second_term_of_the_gradient_of_bce_has_the_other_sign():
    y_hat = sigmoid(Z)
    printed = -Y / y_hat - (1 - Y) / (1 - y_hat)
    meant = -Y / y_hat + (1 - Y) / (1 - y_hat)
    loss = lambda at: bce(at, Y)  # noqa: E731
    assert not is_gradient(printed, loss, y_hat)
    assert is_gradient(meant, loss, y_hat)
    np.testing.assert_allclose(kernels.loss_gradient("bce", *rows(y_hat, Y))[0], meant, rtol=1e-14)


def test_1_with_sigmoid_phi_is_a_minus_y():
    a = sigmoid(Z)
    printed = (-Y / a - (1 - Y) / (1 - a)) * sigmoid_slope(Z)
    loss = lambda z: bce(sigmoid(z), Y)  # noqa: E731
    assert not is_gradient(printed, loss, Z)
    assert is_gradient(a - Y, loss, Z)
    np.testing.assert_allclose(kernels.output_phi("bce", "sigmoid", *rows(Z, Y))[0], a - Y, rtol=1e-13)


# ------------------------------------------------------------------------------------- 2 and 3: equation 2, section 2.2


def above(z1):
    """The loss as a function of z^1 in a network of a hidden and an output layer of sigmoids."""
    return bce(sigmoid(W2 @ sigmoid(z1) + B2), Y)


Z1 = W1 @ A0 + B1
PHI2 = sigmoid(W2 @ sigmoid(Z1) + B2) - Y


def test_2_the_sum_over_k_is_of_phi_k():
    """Printed: sum over k of w_{k,i} phi_i. With phi_i, the sum over k is one of weights alone."""
    wide = min(HIDDEN, OUT)  # phi_i exists only for units that both layers have
    printed = [sum(W2[k, i] * PHI2[i] for k in range(OUT)) * sigmoid_slope(Z1)[i] for i in range(wide)]
    meant = [sum(W2[k, i] * PHI2[k] for k in range(OUT)) * sigmoid_slope(Z1)[i] for i in range(HIDDEN)]
    assert not is_gradient(printed, above, Z1)
    assert is_gradient(meant, above, Z1)
    grad_x, _, _ = kernels.dense_backward(*rows(PHI2, sigmoid(Z1)), W2)
    np.testing.assert_allclose(kernels.activation_backward("sigmoid", *rows(Z1), grad_x)[0], meant, rtol=1e-13)


def test_2_the_derivative_inside_the_sum_is_of_z_k():
    """Printed: dz_i^2/dz_i^1 = w_{k,i} sigma'(z_i^1), which names a k that the left side does not have."""

    def z2(z1, k):
        return float(W2[k] @ sigmoid(z1) + B2[k])

    i, k = 1, 2
    meant = W2[k] * sigmoid_slope(Z1)
    assert is_gradient(meant, lambda z1: z2(z1, k), Z1)
    report = gradcheck.check_function(lambda at: z2(at, i), {"at": Z1}, {"at": meant})
    assert not report.ok


def test_3_the_last_forms_of_equation_2_have_the_slope_of_sigma():
    printed = W2.T @ PHI2 * sigmoid(Z1)
    meant = W2.T @ PHI2 * sigmoid_slope(Z1)
    assert not is_gradient(printed, above, Z1)
    assert is_gradient(meant, above, Z1)
    grad_x, _, _ = kernels.dense_backward(*rows(PHI2, sigmoid(Z1)), W2)
    np.testing.assert_allclose(kernels.activation_backward("sigmoid", *rows(Z1), grad_x)[0], meant, rtol=1e-13)


# ---------------------------------------------------------------------------------------------------- 4: z, section 2.4


def test_4_z_comes_from_the_layer_below():
    """Printed: z^j = w^j a^j + b^j, which fits w^j only in square layers, and does not give eq. 3."""
    w, b, x = W1[:, :HIDDEN], B1, A0[:HIDDEN]
    z = w @ x + b
    a = sigmoid(z)
    phi = rng.normal(size=HIDDEN)
    np.testing.assert_allclose(kernels.dense_forward(*rows(x), w, b)[0], z, rtol=1e-14)
    assert not np.allclose(w @ a + b, z)

    contracted = lambda w: float(phi @ (w @ x + b))  # noqa: E731
    assert not is_gradient(np.outer(phi, a), contracted, w)
    assert is_gradient(np.outer(phi, x), contracted, w)
    np.testing.assert_allclose(kernels.dense_backward(*rows(phi, x), w)[1], np.outer(phi, x), rtol=1e-14)


# --------------------------------------------------------------------------------- 5: x for z, sections 3.2.1 and 3.2.2


@pytest.mark.parametrize("layer", ["last", "hidden"])
def test_5_sigma_is_taken_at_z_not_at_the_input(layer):
    """Printed: sigma(x) (1 - sigma(x)), where x has meant the input of the network."""
    w, b, x = W1[:, :HIDDEN], B1, A0[:HIDDEN]
    z = w @ x + b
    if layer == "last":
        y = Y[:HIDDEN]
        grad_a = -y / sigmoid(z) + (1 - y) / (1 - sigmoid(z))
        loss = lambda z: bce(sigmoid(z), y)  # noqa: E731
    else:
        grad_a = W2.T @ (sigmoid(W2 @ sigmoid(z) + B2) - Y)
        loss = above
    printed = grad_a * sigmoid_slope(x)
    meant = grad_a * sigmoid_slope(z)
    assert not is_gradient(printed, loss, z)
    assert is_gradient(meant, loss, z)
    np.testing.assert_allclose(kernels.activation_backward("sigmoid", *rows(z, grad_a))[0], meant, rtol=1e-13)


# ---------------------------------------------------------------------------------------------- 6: log e, section 3.2.1


def test_6_log_e_is_1_and_dropping_a_constant_would_be_wrong():
    assert np.log(np.e) == 1
    y_hat = sigmoid(Z)
    gradient = -Y / y_hat + (1 - Y) / (1 - y_hat)
    loss = lambda at: bce(at, Y)  # noqa: E731
    assert is_gradient(gradient * np.log(np.e), loss, y_hat)

    base_2 = lambda at: bce(at, Y) / np.log(2)  # noqa: E731
    assert not is_gradient(gradient, base_2, y_hat)  # here the constant is log_2(e) = 1.44, and dropping it a mistake
    assert is_gradient(gradient * np.log2(np.e), base_2, y_hat)


# ---------------------------------------------------------------------------------------------- 7: softmax, section 3.3


def test_7_softmax_can_be_hidden():
    """Printed: it is exclusively used in output layers. Equation 2 holds with its Jacobian in the place of sigma'."""

    def loss(z1):
        return bce(sigmoid(W2 @ softmax(z1) + B2), Y)

    a = softmax(Z1)
    grad_a = W2.T @ (sigmoid(W2 @ a + B2) - Y)
    jacobian = np.diag(a) - np.outer(a, a)
    assert not is_gradient(a * (1 - a) * grad_a, loss, Z1)
    assert is_gradient(jacobian @ grad_a, loss, Z1)
    np.testing.assert_allclose(
        kernels.activation_backward("softmax", *rows(Z1, grad_a))[0], jacobian @ grad_a, rtol=1e-12
    )


def test_7_for_y_that_is_not_one_hot_phi_has_the_sum_of_y():
    loss = lambda z: cce(softmax(z), Y)  # noqa: E731
    a = softmax(Z)
    assert Y.sum() != pytest.approx(1)
    assert not is_gradient(a - Y, loss, Z)
    assert is_gradient(a * Y.sum() - Y, loss, Z)
    np.testing.assert_allclose(kernels.output_phi("cce", "softmax", *rows(Z, Y))[0], a * Y.sum() - Y, rtol=1e-12)


def test_7_for_soft_y_that_sums_to_1_phi_is_a_minus_y():
    y = Y / Y.sum()
    assert is_gradient(softmax(Z) - y, lambda z: cce(softmax(z), y), Z)
    np.testing.assert_allclose(kernels.output_phi("cce", "softmax", *rows(Z, y))[0], softmax(Z) - y, rtol=1e-12)
