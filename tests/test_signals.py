"""Signal health: phi, dead units and flat slopes of each layer as the equations give them, over epochs and choices."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt

from mlpcore import BatchNorm, CustomActivation, Dense, Dropout, LeakyReLU, Sequential, catalogue
from mlpcore.plot import SignalDisplay, SignalRecorder, signals_of

X = np.random.default_rng(0).normal(size=(32, 4))
Y = (X[:, :1] > 0).astype(float)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def network(*sigmas, **options):
    return Sequential([*(Dense(6, sigma) for sigma in sigmas), Dense(1, "sigmoid")], input_size=4, seed=1, **options)


def test_phi_is_that_of_backward_and_the_model_stays_as_it_is():
    model = network("tanh", "relu", dtype="float64")
    model.forward(X[:2])
    model.backward(Y[:2], "bce")
    before = model.layers[0].phi.copy()
    found = signals_of(model, X, Y, "bce")
    assert (model.layers[0].phi == before).all()
    model.forward(X)
    model.backward(Y, "bce")
    assert found.phi == pytest.approx([np.abs(layer.phi).mean() * len(X) for layer in model.layers])


def test_the_size_of_the_batch_does_not_matter():
    model = network("tanh")
    once, twice = (signals_of(model, np.tile(X, (k, 1)), np.tile(Y, (k, 1)), "bce") for k in (1, 2))
    assert once.phi == pytest.approx(twice.phi, rel=1e-5)


def test_dead_units_and_flat_slopes_are_counted():
    model = network("relu", "sigmoid")
    first, second = model.layers[:2]
    first.b = [-1e3] * 2 + [1e3] * 4  # two units that are never active, four that always are
    second.w, second.b = np.zeros((6, 6)), [0, 0, 0, 9, 9, 9]  # slopes of 1/4, and of nearly 0
    found = signals_of(model, X, Y, "bce")
    assert found.dead[:2] == pytest.approx([1 / 3, 0])
    assert found.flat[:2] == pytest.approx([1 / 3, 1 / 2])


@pytest.mark.parametrize("name", catalogue.names("activations"))
def test_every_activation_has_signals(name):
    found = signals_of(network(name), X, Y, "bce")
    assert np.isfinite(found.phi).all()
    per_row = "per_row" in catalogue.entry("activations", name).traits
    assert np.isnan(found.dead[0]) == np.isnan(found.flat[0]) == per_row


class Own(CustomActivation):
    def forward(self, z):
        return z

    def backward(self, z, a, grad_a):
        return grad_a


def test_what_has_no_slope_of_its_own_is_nan_and_other_layers_are_passed_by():
    model = Sequential([Dense(3, Own()), BatchNorm(), Dropout(0.2), Dense(2, LeakyReLU(0.01)), Dense(1)], seed=1)
    found = signals_of(model, X, Y, "mse")
    assert found.phi.shape == (3,)
    assert np.isnan(found.dead).tolist() == [True, False, False]


def test_a_recorder_has_a_row_for_each_epoch():
    signals, model = SignalRecorder(X, Y, "bce"), network("relu")
    twin = network("relu")
    history = model.fit(X, Y, "bce", epochs=3, callbacks=[signals], progress=False)
    assert history["loss"] == twin.fit(X, Y, "bce", epochs=3, progress=False)["loss"]
    assert signals.phi.shape == signals.dead.shape == signals.flat.shape == (3, 2)
    assert signals.phi[-1].tolist() == signals_of(model, X, Y, "bce").phi.tolist()
    display = SignalDisplay.from_recorder(signals)
    for ax, table in zip(display.axes_, (signals.phi, signals.dead, signals.flat), strict=True):
        assert [line.get_label() for line in ax.get_lines()] == ["layer 1: relu", "layer 2: sigmoid"]
        assert np.array_equal([line.get_ydata() for line in ax.get_lines()], table.T, equal_nan=True)
    assert display.ax_ is display.axes_[0]
    assert display.ax_.figure is display.figure_


def test_choices_are_compared_layer_by_layer():
    display = SignalDisplay.from_choices(
        X, Y, "bce", activations=["sigmoid", "tanh"], initializers=["glorot_normal"], hidden=[8, 8, 8], output="sigmoid"
    )
    assert list(display.phi) == ["sigmoid, glorot_normal", "tanh, glorot_normal"]
    layers = [Dense(8, "tanh", kernel_initializer="glorot_normal") for _ in range(3)]
    model = Sequential([*layers, Dense(1, "sigmoid")], seed=0, dtype="float64")
    assert display.phi["tanh, glorot_normal"].tolist() == signals_of(model, X, Y, "bce").phi.tolist()
    classes = SignalDisplay.from_choices(
        X, np.arange(32) % 3, "cce", activations=["relu"], hidden=[4], output="softmax"
    )
    assert len(classes.phi) == 2


def test_many_layers_are_told_apart_by_a_ramp():
    signals = SignalRecorder(X, Y, "bce")
    network(*["tanh"] * 9).fit(X, Y, "bce", epochs=1, callbacks=[signals], progress=False)
    lines = SignalDisplay.from_recorder(signals).ax_.get_lines()
    assert len({line.get_color() for line in lines}) == 10


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: SignalRecorder(X, Y, None), TypeError, "loss is missing"),
        (lambda: SignalDisplay.from_recorder(3), TypeError, "recorder is 3, expected a SignalRecorder"),
        (lambda: SignalDisplay.from_recorder(SignalRecorder(X, Y, "bce")), ValueError, "nothing was recorded"),
        (lambda: SignalDisplay.from_choices(X, Y, "bce", activations=[]), ValueError, "activations or initializers is"),
        (lambda: SignalDisplay.from_choices(X, Y, "bce", activations=["no"]), ValueError, "activation is 'no'"),
        (lambda: SignalDisplay.from_choices(X, 1.0, "bce"), ValueError, r"y has shape \(\), expected"),
        (
            lambda: SignalDisplay.from_choices(X, Y, "bce", ax=[plt.subplots()[1]]),
            ValueError,
            "ax has 1 axes, expected 3",
        ),
        (lambda: signals_of(Sequential([BatchNorm()], input_size=4), X, X, "mse"), ValueError, "no Dense layer"),
        (lambda: signals_of(network("relu"), X, Y[:3], "bce"), ValueError, "y has 3 rows"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
