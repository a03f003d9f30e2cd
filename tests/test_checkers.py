"""Layers and models on features that are not scaled: right gradients agree, wrong ones are still found."""

import numpy as np
import pytest

import mlpcore
from mlpcore import gradcheck

FEATURES = {
    "ages": [50.0] * 4,
    "incomes": [1e5] * 4,
    "years": [2000.0] * 4,
    "tiny": [1e-6] * 4,
    "mixed": [50.0, 1e5, 2000.0, 1e-6],
}
SMOOTH = ["linear", "sigmoid", "tanh", "softmax"]  # from afar too, where others look like straight pieces with a kink

ACTIVATIONS = [name for name in gradcheck.ACTIVATIONS if name != "exponential"]  # e^z of large z is no number


def rows_of(features, seed=0):
    return np.array(FEATURES[features]) * np.random.default_rng(seed).uniform(0.5, 1.5, (6, 4))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("features", FEATURES)
def test_a_layer_on_unscaled_features_agrees(features, activation):
    for seed in range(5):
        layer = mlpcore.Dense(3, activation)
        mlpcore.Sequential([layer], input_size=4, seed=seed, dtype="float64")
        report = gradcheck.check_layer(layer, rows_of(features, seed))
        assert report.ok, report
        assert activation not in SMOOTH or not report.kinks, report


@pytest.mark.parametrize("adapted", [False, True], ids=["weights as drawn", "weights that suit"])
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("features", FEATURES)
def test_a_model_on_unscaled_features_agrees(features, hidden, adapted):
    for output, loss in [("linear", "mse"), ("sigmoid", "bce"), ("softmax", "cce"), ("relu", "mse")]:
        for seed in range(3):
            model = scaled_model(features, hidden, output, adapted, seed)
            y = np.random.default_rng(seed).uniform(0, 1, (6, 4))
            report = gradcheck.check_model(model, rows_of(features, seed), y, loss, include_input=True)
            assert report.ok, report
            assert not {hidden, output} <= set(SMOOTH) or not report.kinks, report


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
