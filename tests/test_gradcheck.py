"""The gradient checker: it agrees with right gradients, names kinks, and catches every kind of wrong gradient."""

import dataclasses
import doctest
from pathlib import Path

import numpy as np
import pytest

import mlpcore
from mlpcore import gradcheck, kernels

PAGE = Path(__file__).parent.parent / "docs" / "gradcheck.md"


def check(f, x, analytic, **options):
    return gradcheck.check_function(f, {"x": x}, {"x": analytic}, **options)


# --------------------------------------------------------------------------------------------------- right gradients


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: x, lambda x: 1.0),
        (lambda x: x**7, lambda x: 7 * x**6),
        (np.exp, np.exp),
        (lambda x: np.sin(40 * x), lambda x: 40 * np.cos(40 * x)),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (lambda x: 1e-200 * np.tanh(x), lambda x: 1e-200 / np.cosh(x) ** 2),
        (lambda x: 1e200 * np.tanh(x), lambda x: 1e200 / np.cosh(x) ** 2),
    ],
)
@pytest.mark.parametrize("x", [0.05, 0.7, 3.0])
def test_a_right_slope_agrees(f, slope, x):
    report = check(lambda x: float(f(x[()])), x, slope(x))
    assert report.ok
    assert report.count == 1
    assert not report.kinks
    assert report.worst.error < 1e-8


def test_a_report_names_the_worst_component():
    x = np.arange(6.0).reshape(2, 3)
    wrong = 2 * x
    wrong[1, 2] += 1e-3
    wrong[0, 1] += 1e-2
    report = check(lambda x: float(np.sum(x * x)), x, wrong)
    assert not report.ok
    assert report.failed == 2
    assert report.count == 6
    worst = report.worst
    assert (worst.name, worst.index, worst.analytic) == ("x", (0, 1), 2.01)
    assert worst.numeric == pytest.approx(2, rel=1e-10)
    assert worst.error == pytest.approx(0.01 / 2.01, rel=1e-6)
    assert str(report).splitlines() == [
        "gradient check of function: 2 of 6 components DISAGREE (tolerance 1e-07)",
        f"  worst  x[0, 1]: analytic 2.01, numeric {worst.numeric:.16g}, relative error 5.0e-03",
    ]
    assert repr(report) == str(report)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.tolerance = 1.0


def test_inputs_without_a_gradient_are_held_fixed_and_nothing_is_changed():
    x, y = np.array([1.0, 2.0]), [3, 4]
    report = gradcheck.check_function(lambda x, y: float(x @ y), {"x": x, "y": y}, {"x": [3, 4]})
    assert report.ok
    assert report.count == 2
    assert x.tolist() == [1, 2]
    assert y == [3, 4]


def test_an_empty_input_has_no_components():
    report = check(lambda x: 0.0, np.empty((0, 3)), np.empty((0, 3)))
    assert report.ok
    assert report.count == 0
    assert report.worst is None


# ------------------------------------------------------------------------------------------------ how small is caught


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-5])
def test_a_wrong_tiny_component_beside_large_ones_is_caught(scale):
    factors = np.array([1.0, scale])
    f = lambda x: float(factors @ np.tanh(x))  # noqa: E731
    x = np.array([0.3, 0.4])
    right = factors / np.cosh(x) ** 2
    assert check(f, x, right).ok
    report = check(f, x, right * [1, 1 + 1e-6])
    assert not report.ok
    assert report.worst.index == (1,)


def test_what_float64_cannot_resolve_passes():
    """A slope of 1e-14 beside a function of size 1 is less than its roundings."""
    f = lambda x: float(1 + np.tanh(x[0]) + 1e-14 * x[1])  # noqa: E731
    right = np.array([1 / np.cosh(0.3) ** 2, 1e-14])
    assert check(f, [0.3, 0.4], right).ok
    assert check(f, [0.3, 0.4], right * [1, 0]).ok


def test_exact_zeros_agree():
    assert check(lambda x: 1.0, [0.0, 1.0], [0.0, 0.0]).worst.error == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_fails(bad):
    report = check(lambda x: float(x[0]), [1.0], [bad])
    assert not report.ok
    assert report.worst.error == np.inf


def test_a_function_that_is_not_finite_fails():
    assert not check(lambda x: np.nan, [1.0], [0.0]).ok


# ------------------------------------------------------------------------------------------------------ broken kernels

SQUARE = {
    "x": np.eye(4) + 0.1 * np.arange(16).reshape(4, 4),
    "w": np.linspace(-1, 1, 16).reshape(4, 4),
    "b": np.ones(4),
}
PAIRS = [f"{loss}+{activation}" for loss in gradcheck.LOSSES for activation in gradcheck.ACTIVATIONS]


def replace(monkeypatch, function, change):
    """Let the kernel return ``change(result, *arguments)``."""
    right = getattr(kernels, function)
    monkeypatch.setattr(kernels, function, lambda *args, **options: change(right(*args, **options), *args))


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda gradient: -gradient, id="flipped sign"),
        pytest.param(lambda gradient: 4 * gradient, id="factor n"),
        pytest.param(lambda gradient: gradient / 4, id="divided by n"),
        pytest.param(np.zeros_like, id="nothing"),
    ],
)
def test_a_broken_dense_backward_is_caught(monkeypatch, which, change):
    replace(
        monkeypatch,
        "dense_backward",
        lambda gradients, *_: [change(g) if k == which else g for k, g in enumerate(gradients)],
    )
    report = gradcheck.check_kernel("dense", SQUARE)
    assert not report.ok
    assert report.worst.name == "xwb"[which]
    assert not report.kinks


@pytest.mark.parametrize(
    ("name", "gradients"),
    [
        ("w", lambda phi, x, w: (phi @ w, (phi.T @ x).T, phi.sum(0))),
        ("x", lambda phi, x, w: (phi @ w.T, phi.T @ x, phi.sum(0))),
    ],
)
def test_a_missing_transpose_is_caught(monkeypatch, name, gradients):
    """Of square matrices, where the shapes do not give it away."""
    monkeypatch.setattr(kernels, "dense_backward", gradients)
    report = gradcheck.check_kernel("dense", SQUARE)
    assert not report.ok
    assert report.worst.name == name


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda phi, name, z, grad_a: grad_a, id="missing sigma'"),
        pytest.param(lambda phi, name, z, grad_a: -phi, id="flipped sign"),
        pytest.param(lambda phi, name, z, grad_a: len(z) * phi, id="factor n"),
    ],
)
def test_a_broken_activation_backward_is_caught(monkeypatch, name, change):
    replace(monkeypatch, "activation_backward", change)
    assert not gradcheck.check_kernel(name).ok


def test_softmax_without_its_jacobian_is_caught(monkeypatch):
    """a (1 - a) is only the Jacobian's diagonal."""
    a = lambda z: kernels.activation_forward("softmax", z)  # noqa: E731
    replace(monkeypatch, "activation_backward", lambda phi, name, z, grad_a: grad_a * a(z) * (1 - a(z)))
    assert not gradcheck.check_kernel("softmax").ok


@pytest.mark.parametrize("name", [*gradcheck.LOSSES, *PAIRS])
@pytest.mark.parametrize("factor", [-1, 5, 1 / 5, 1 + 1e-6])
def test_a_broken_loss_gradient_is_caught(monkeypatch, name, factor):
    replace(monkeypatch, "loss_gradient", lambda gradient, *_: factor * gradient)
    replace(monkeypatch, "output_phi", lambda gradient, *_: factor * gradient)
    assert not gradcheck.check_kernel(name).ok


A_MINUS_Y = ("bce+sigmoid", "cce+softmax", "poisson+exponential")  # whose derivative it is


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in A_MINUS_Y])
def test_a_minus_y_where_it_is_not_the_derivative_is_caught(monkeypatch, pair):
    replace(
        monkeypatch,
        "output_phi",
        lambda phi, loss, activation, z, y: (kernels.activation_forward(activation, z) - y) / len(z),
    )
    assert not gradcheck.check_kernel(pair).ok


# --------------------------------------------------------------------------------------------------- layers and models


def square_model(dtype="float64"):
    return mlpcore.Sequential(
        [mlpcore.Dense(4, "tanh"), mlpcore.Dense(4, "sigmoid"), mlpcore.Dense(4, "softmax")],
        input_size=4,
        dtype=dtype,
        seed=7,
    )


X = np.random.default_rng(3).normal(size=(6, 4))
LABELS = np.array([0, 1, 2, 3, 3, 1])


@pytest.mark.parametrize("activation", gradcheck.ACTIVATIONS)
def test_a_layer_agrees(activation):
    layer = mlpcore.Dense(3, activation)
    mlpcore.Sequential([layer], input_size=4, seed=1)
    report = gradcheck.check_layer(layer, X)
    assert report.ok
    assert report.count == X.size + 4 * 3 + 3
    assert report.subject == repr(layer)


def test_a_broken_layer_is_caught(monkeypatch):
    replace(monkeypatch, "activation_backward", lambda phi, name, z, grad_a: grad_a)
    model = square_model()
    assert not gradcheck.check_layer(model.layers[0], X).ok


def test_a_model_agrees_and_is_left_as_it_is():
    model = square_model()
    before = [np.array(array) for layer in model.layers for array in (layer.w, layer.b)]
    report = gradcheck.check_model(model, X, LABELS, "cce", include_input=True)
    assert report.ok
    assert report.count == 3 * (16 + 4) + X.size
    assert report.subject == "4-4 tanh-4 sigmoid-4 softmax with cce"
    assert report.note == ""
    after = [array for layer in model.layers for array in (layer.w, layer.b)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    with pytest.raises(RuntimeError):
        _ = model.layers[0].z


def test_a_float32_model_is_checked_on_a_float64_twin():
    report = gradcheck.check_model(square_model("float32"), X, LABELS, "categorical_crossentropy")
    assert report.ok
    assert "float32" in report.note
    assert "float64 twin" in report.note
    assert report.note in str(report)


def flip_sign(layers):
    layers[1].grad_w[...] *= -1


def forget_transpose(layers):
    layers[1].grad_w[...] = layers[1].grad_w.T.copy()


def forget_slope(layers):
    layers[0].grad_b[...] = (layers[1].phi @ layers[1].w).sum(axis=0)


def forget_mean(layers):
    for layer in layers:
        layer.grad_w[...] *= len(layer.x)


@pytest.mark.parametrize("damage", [flip_sign, forget_transpose, forget_slope, forget_mean])
def test_a_broken_model_is_caught(break_backward, damage):
    break_backward(damage)
    report = gradcheck.check_model(square_model(), X, LABELS, "cce")
    assert not report.ok
    assert report.worst.name.startswith("layers[")


# ------------------------------------------------------------------------------------------------------------ the page


@pytest.mark.skipif(not PAGE.exists(), reason="the tests do not lie in a checkout")
def test_the_page_shows_what_happens():
    ran = doctest.testfile(str(PAGE), module_relative=False)
    assert ran.attempted >= 9
    assert ran.failed == 0


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("analytic", "message"),
    [
        ({"y": [1.0]}, r"analytic names 'y', which is not one of the inputs \(x\)"),
        ({"x": 1.0}, r"analytic\['x'\] has shape \(\), expected \(1,\)"),
        ({"x": [1.0, 2.0]}, r"analytic\['x'\] has shape \(2,\), expected \(1,\)"),
    ],
)
def test_a_gradient_that_fits_no_input_is_refused(analytic, message):
    with pytest.raises(ValueError, match=message):
        gradcheck.check_function(lambda x: 0.0, {"x": [1.0]}, analytic)


@pytest.mark.parametrize("name", ["swish", "maes", "mse+swish", "", "sigmoid+bce"])
def test_an_unknown_kernel_is_refused(name):
    with pytest.raises(ValueError, match="expected 'dense', an activation"):
        gradcheck.check_kernel(name)


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("relu", {"x": [[1.0]]}, "inputs of 'relu' lack 'z' and have 'x', expected 'z'"),
        ("softmax", {}, "inputs of 'softmax' lack 'z', expected 'z'"),
        ("tanh", {"z": [[1.0]], "y": [[1.0]]}, "inputs of 'tanh' have 'y', expected 'z'"),
        ("dense", {"x": [[1.0]], "w": [[1.0]]}, "inputs of 'dense' lack 'b', expected 'x', 'w', 'b'"),
        ("dense", {"z": [[1.0]]}, "inputs of 'dense' lack 'x', 'w', 'b' and have 'z', expected 'x', 'w', 'b'"),
        ("mse", {"y": [[1.0]], "a": [[1.0]]}, "inputs of 'mse' lack 'y_hat' and have 'a', expected 'y_hat', 'y'"),
        ("cce", {"y_hat": [[1.0]]}, "inputs of 'cce' lack 'y', expected 'y_hat', 'y'"),
        ("cce+softmax", {"y_hat": [[1.0]], "y": [[1.0]]}, "lack 'z' and have 'y_hat', expected 'z', 'y'"),
    ],
)
def test_inputs_that_are_not_the_kernels_are_named(name, inputs, message):
    with pytest.raises(ValueError, match=message):
        gradcheck.check_kernel(name, inputs)


@pytest.mark.parametrize("name", ["dense", "relu"])
def test_weights_for_a_kernel_that_has_none_are_refused(name):
    with pytest.raises(ValueError, match=f"sample_weight is given, expected None for '{name}'"):
        gradcheck.check_kernel(name, sample_weight=[1.0] * 5)
