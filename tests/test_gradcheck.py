"""The gradient checker: it agrees with right gradients, names kinks, and catches every kind of wrong gradient."""

import dataclasses
import doctest
import math
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


# ------------------------------------------------------------------------------------- steps that suit the component


def test_a_right_slope_of_a_huge_input_agrees():
    report = check(lambda x: float(x.sum()), [1.7e18], [1.0])
    assert report.ok, report
    assert report.worst.error == 0


@pytest.mark.parametrize("at", [1e-250, 1e-9, 50.0, 1e5, 1.7e18, 1e150])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x, at: 3 * x + 1, lambda at: 3.0),
        (lambda x, at: x * x, lambda at: 2 * at),
        (lambda x, at: at * np.arctan(x / at), lambda at: 0.5),
    ],
    ids=["linear", "square", "curved at its own size"],
)
def test_a_slope_is_told_from_a_wrong_one_at_any_size(f, slope, at):
    value = lambda x: float(f(x[0], at))  # noqa: E731
    assert check(value, [at], [slope(at)]).ok
    if slope(at) > 1e-9:  # 2e-250 is nothing beside a function of 0.1
        assert not check(value, [at], [slope(at) * (1 + 1e-5)]).ok


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1e5, 1e9])
def test_a_function_that_bends_on_a_scale_of_its_own_agrees(scale):
    x = np.array([0.3, -0.7]) * scale
    right = 1 / np.cosh(x / scale) ** 2
    f = lambda x: float(np.tanh(x / scale).sum())  # noqa: E731
    assert not check(f, x, right / scale).kinks
    assert check(f, x, right / scale).ok
    assert not check(f, x, right / scale * [1, 1 + 1e-5]).ok


@pytest.mark.parametrize("small", [1e-2, 1e-5, 1e-8, 1e-12, 1e-30, 1e-300])
@pytest.mark.parametrize("loss", ["bce", "cce"])
def test_a_loss_near_the_end_of_its_domain_agrees(loss, small):
    """Longer steps leave the domain of the logarithm, where the loss is cut off."""
    at = {"y_hat": [[small, 1 - small]], "y": [[1.0, 0.0]]}
    if loss == "bce":
        at["y_hat"][0][1] = 1 - max(small, 1e-12)  # closer to 1 there are too few numbers to differentiate
    report = gradcheck.check_kernel(loss, at)
    assert report.ok, report
    assert not report.kinks


@pytest.mark.parametrize("factor", [-1, 0, 2, 0.5, 1 + 1e-5])
@pytest.mark.parametrize("small", [1e-2, 1e-5, 1e-8, 1e-12])
@pytest.mark.parametrize("loss", ["bce", "cce"])
def test_a_broken_loss_near_the_end_of_its_domain_is_caught(monkeypatch, loss, small, factor):
    replace(monkeypatch, "loss_gradient", lambda gradient, *_: factor * gradient)
    assert not gradcheck.check_kernel(loss, {"y_hat": [[small, 0.5]], "y": [[1.0, 0.0]]}).ok


@pytest.mark.parametrize("refusal", [ValueError, ZeroDivisionError, OverflowError])
def test_a_function_that_raises_outside_its_domain_is_not_asked_twice(refusal):
    def f(x):
        if x[0] <= 0:
            raise refusal
        return math.log(x[0])

    assert check(f, [1e-3], [1e3]).ok
    assert not check(f, [1e-3], [1e3 + 1]).ok
    with pytest.raises(refusal):
        check(f, [-1.0], [1.0])


# ------------------------------------------------------------------------------------------------- unscaled features

FEATURES = {
    "ages": [50.0] * 4,
    "incomes": [1e5] * 4,
    "years": [2000.0] * 4,
    "tiny": [1e-6] * 4,
    "mixed": [50.0, 1e5, 2000.0, 1e-6],
}
SMOOTH = ["linear", "sigmoid", "tanh", "softmax"]


def rows_of(features, seed=0):
    return np.array(FEATURES[features]) * np.random.default_rng(seed).uniform(0.5, 1.5, (6, 4))


@pytest.mark.parametrize("activation", gradcheck.ACTIVATIONS)
@pytest.mark.parametrize("features", FEATURES)
def test_a_layer_on_unscaled_features_agrees(features, activation):
    for seed in range(5):
        layer = mlpcore.Dense(3, activation)
        mlpcore.Sequential([layer], input_size=4, seed=seed, dtype="float64")
        report = gradcheck.check_layer(layer, rows_of(features, seed))
        assert report.ok, report
        assert activation == "relu" or not report.kinks, report


@pytest.mark.parametrize("adapted", [False, True], ids=["weights as drawn", "weights that suit"])
@pytest.mark.parametrize("hidden", gradcheck.ACTIVATIONS)
@pytest.mark.parametrize("features", FEATURES)
def test_a_model_on_unscaled_features_agrees(features, hidden, adapted):
    for output, loss in [("linear", "mse"), ("sigmoid", "bce"), ("softmax", "cce"), ("relu", "mse")]:
        for seed in range(3):
            model = scaled_model(features, hidden, output, adapted, seed)
            y = np.random.default_rng(seed).uniform(0, 1, (6, 4))
            report = gradcheck.check_model(model, rows_of(features, seed), y, loss, include_input=True)
            assert report.ok, report
            assert "relu" in (hidden, output) or not report.kinks, report


def scaled_model(features, hidden, output, adapted=True, seed=1):
    layers = [mlpcore.Dense(4, hidden), mlpcore.Dense(4, output)]
    model = mlpcore.Sequential(layers, input_size=4, seed=seed, dtype="float64")
    if adapted:
        layers[0].w = layers[0].w / FEATURES[features]
    for layer in layers:
        layer.b = np.random.default_rng(seed).normal(scale=0.1, size=4)
    return model


def sigma_for_its_slope(layers):
    phi = layers[1].phi @ layers[1].w * layers[1].x
    layers[0].grad_w[...] = phi.T @ layers[0].x
    layers[0].grad_b[...] = phi.sum(axis=0)


MUTANTS = {
    "right": lambda layers: None,
    "flipped sign": lambda layers: np.negative(layers[0].grad_w, out=layers[0].grad_w),
    "flipped sign of a bias": lambda layers: np.negative(layers[1].grad_b, out=layers[1].grad_b),
    "factor 2": lambda layers: np.multiply(layers[0].grad_w, 2, out=layers[0].grad_w),
    "factor 2 in one bias": lambda layers: layers[0].grad_b.__setitem__(2, 2 * layers[0].grad_b[2]),
    "divided by n": lambda layers: np.divide(layers[0].grad_w, len(layers[0].x), out=layers[0].grad_w),
    "nothing": lambda layers: layers[0].grad_w.fill(0),
    "transposed": lambda layers: np.copyto(layers[0].grad_w, layers[0].grad_w.T.copy()),
    "sigma for sigma'": sigma_for_its_slope,
}


def check_mutant(monkeypatch, model, x, damage):
    right = mlpcore.Sequential.backward

    def backward(self, *args, **options):
        loss = right(self, *args, **options)
        damage(self.layers)
        return loss

    y = np.random.default_rng(0).uniform(0, 1, (len(x), 4))
    with monkeypatch.context() as patch:
        patch.setattr(mlpcore.Sequential, "backward", backward)
        return gradcheck.check_model(model, x, y, "mse")


@pytest.mark.parametrize("mutant", MUTANTS)
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("features", FEATURES)
def test_a_mutant_is_caught_on_unscaled_features(monkeypatch, features, hidden, mutant):
    model = scaled_model(features, hidden, "sigmoid")
    report = check_mutant(monkeypatch, model, rows_of(features), MUTANTS[mutant])
    assert report.ok == (mutant == "right"), report
    assert not report.kinks


@pytest.mark.parametrize("features", FEATURES)
def test_one_component_off_by_1e_5_is_caught_on_unscaled_features(monkeypatch, features):
    model = scaled_model(features, "tanh", "sigmoid")
    for j, name in [(0, "w"), (0, "b"), (1, "w"), (1, "b")]:
        for index in np.ndindex(getattr(model.layers[j], name).shape):

            def damage(layers, j=j, name=name, index=index):
                getattr(layers[j], f"grad_{name}")[index] *= 1 + 1e-5

            report = check_mutant(monkeypatch, model, rows_of(features), damage)
            assert report.failed == 1, report
            assert (report.worst.name, report.worst.index) == (f"layers[{j}].{name}", index)


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


# --------------------------------------------------------------------------------------------------------------- kinks


@pytest.mark.parametrize("analytic", [-1.0, 0.0, 0.5, 1.0])
def test_a_slope_at_a_kink_or_between_two_is_named_and_passes(analytic):
    report = check(lambda x: abs(float(x[0])) + float(x[1]), [0.0, 2.0], [analytic, 1.0])
    assert report.ok
    if analytic != 0:  # the central difference itself
        (kink,) = report.kinks
        assert (kink.name, kink.index, kink.analytic) == ("x", (0,), analytic)
        assert kink.left == pytest.approx(-1, abs=1e-9)
        assert kink.right == pytest.approx(1, abs=1e-9)
        assert "x[0]: slope -1 on the left, 1 on the right" in str(report)


@pytest.mark.parametrize("analytic", [-1.001, 1.001, 2.0, np.nan])
def test_a_value_outside_the_slopes_of_a_kink_fails(analytic):
    report = check(lambda x: abs(float(x[0])), [0.0], [analytic])
    assert not report.ok
    assert not report.kinks


@pytest.mark.parametrize("z", [1e-12, 1e-7, 1e-6, -1e-12, -1e-6])
def test_a_relu_input_within_the_step_of_0_is_a_kink(z):
    report = gradcheck.check_kernel("relu", {"z": [[z, 1.0, -1.0]]})
    assert report.ok
    assert [kink.index for kink in report.kinks] == [(0, 0)]


@pytest.mark.parametrize("z", [1e-4, 1e-3, 1e-2, -1e-4, -1e-2])
def test_a_relu_input_a_little_farther_off_is_measured(z):
    report = gradcheck.check_kernel("relu", {"z": [[z, 1.0, -1.0]]})
    assert report.ok
    assert not report.kinks


@pytest.mark.parametrize("size", [1e-6, 1.0, 50.0, 1e5])
def test_a_kink_is_named_at_any_scale(size):
    """ReLU's corner lies at the input itself, or nearer to it than 2^-18 of its size."""
    for away in (0.0, 1e-12, -1e-12, 1e-7, -1e-6):
        at = size * (1 + away)
        f = lambda x: float(np.maximum(x - size, 0).sum())  # noqa: E731
        report = check(f, [at, 2 * size], [float(at > size), 1.0])
        assert report.ok, report
        assert [kink.index for kink in report.kinks] == [(0,)], (away, report)
        assert report.kinks[0].left == pytest.approx(0, abs=1e-3)
        assert report.kinks[0].right == pytest.approx(1, abs=1e-3)
        assert not check(f, [at, 2 * size], [1.001, 1.0]).ok
        assert not check(f, [at, 2 * size], [-0.001, 1.0]).ok


def test_a_wrong_value_between_the_slopes_of_a_kink_that_is_near_fails():
    """Steps of 1e-8 are too short to reach the corner, and tell the slope."""
    relu = lambda x: float(np.maximum(x, 0).sum())  # noqa: E731
    assert check(relu, [1e-7, 1.0], [1.0, 1.0]).ok
    assert not check(relu, [1e-7, 1.0], [0.9, 1.0]).ok
    assert not check(relu, [1e-7, 1.0], [0.0, 1.0]).ok


def test_a_wrong_slope_near_a_kink_fails():
    relu = lambda x: float(max(x[0], 0))  # noqa: E731
    assert not check(relu, [1e-3], [0.0]).ok
    assert not check(relu, [-1e-3], [1.0]).ok
    assert not check(relu, [0.0], [-1.0]).ok


def test_a_steep_kink_does_not_hide_a_mistake_elsewhere():
    """At the cut of a logarithm a difference sees any slope up to 1e5."""
    f = lambda x: float(-np.log(np.maximum(x, 1e-300)).sum())  # noqa: E731
    right = np.array([0.0, -1 / 0.3])
    assert check(f, [0.0, 0.3], right).ok
    report = check(f, [0.0, 0.3], right * [1, 1 + 1e-6])
    assert not report.ok
    assert report.worst.index == (1,)


def test_many_kinks_are_counted_but_not_all_printed():
    report = gradcheck.check_kernel("relu", {"z": np.zeros((3, 4))})
    assert report.ok
    assert len(report.kinks) == 12
    assert report.worst is None
    assert str(report).splitlines()[-1] == "  ...    and 7 more kinks"


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


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in ("bce+sigmoid", "cce+softmax")])
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
def test_a_broken_model_is_caught(monkeypatch, damage):
    right = mlpcore.Sequential.backward

    def backward(self, *args, **options):
        loss = right(self, *args, **options)
        damage(self.layers)
        return loss

    monkeypatch.setattr(mlpcore.Sequential, "backward", backward)
    report = gradcheck.check_model(square_model(), X, LABELS, "cce")
    assert not report.ok
    assert report.worst.name.startswith("layers[")


# ---------------------------------------------------------------------------------------------------- large models


def wide_model():
    return mlpcore.Sequential([mlpcore.Dense(60, "tanh"), mlpcore.Dense(4, "softmax")], input_size=100, seed=0)


WIDE = np.random.default_rng(0).normal(size=(6, 100))


def test_of_a_large_model_a_sample_of_every_array_is_checked(monkeypatch):
    compared = []
    right = gradcheck.compare.differentiate

    def differentiate(f, middle, array, i, *args, **options):
        compared.append((array.shape, i))
        return right(f, middle, array, i, *args, **options)

    monkeypatch.setattr(gradcheck.compare, "differentiate", differentiate)
    report = gradcheck.check_model(wide_model(), WIDE, LABELS, "cce")
    assert report.ok, report
    assert (report.count, report.total) == (5000, 6000 + 60 + 240 + 4)
    assert "5000 of 6304 components were checked" in str(report)
    assert len(set(compared)) == 5000
    shares = {shape: sum(shape == other for other, _ in compared) for shape, _ in compared}
    assert shares == {(60, 100): 5000 - 304, (60,): 60, (4, 60): 240, (4,): 4}
    assert {i // 100 for shape, i in compared if shape == (60, 100)} == set(range(60))


def test_the_sample_is_as_large_as_asked_for_and_follows_the_seed(monkeypatch):
    def damage(layers):
        layers[0].grad_w[:30] *= 2

    right = mlpcore.Sequential.backward

    def backward(self, *args, **options):
        loss = right(self, *args, **options)
        damage(self.layers)
        return loss

    monkeypatch.setattr(mlpcore.Sequential, "backward", backward)

    def check_sample(**options):
        return gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", **options)

    few = check_sample(max_components=40)
    assert (few.count, few.total) == (40, 6304)
    assert 0 < few.failed < 36 / 3 + 4
    assert check_sample(max_components=40) == few
    assert check_sample(max_components=40, seed=1) != few
    for everything in (6304, None):
        report = check_sample(max_components=everything)
        assert (report.count, report.total, report.failed) == (6304, 6304, 3000)
        assert "were checked" not in str(report)


def test_a_sample_of_less_than_one_of_each_array_is_refused():
    with pytest.raises(ValueError, match="max_components is 3, expected at least 4: one of each array"):
        gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", max_components=3)
    with pytest.raises(ValueError, match="max_components is 0, expected an integer >= 1"):
        gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", max_components=0)
    with pytest.raises(TypeError, match="progress is 'no', expected True or False"):
        gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", progress="no")


@pytest.mark.parametrize("progress", [True, False])
@pytest.mark.parametrize("patience", [0.0, 100.0])
def test_only_a_check_that_takes_long_shows_a_bar(monkeypatch, capsys, patience, progress):
    monkeypatch.setattr(gradcheck.compare, "PATIENCE", patience)
    assert gradcheck.check_model(square_model(), X, LABELS, "cce", progress=progress).ok
    err = capsys.readouterr().err
    assert ("59/59" in err) == (progress and patience == 0)  # of 60: the first showed that it takes long
    assert err == "" or progress


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


@pytest.mark.parametrize("name", ["gelu", "mae", "mse+gelu", "", "sigmoid+bce"])
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
