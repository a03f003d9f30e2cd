"""The diagram of a network: the engine's numbers of one sample in units and on lines, forwards and backwards."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt

from mlpcore import BatchNorm, Dense, Dropout, Residual, Sequential
from mlpcore.plot import NetworkDisplay, diagram


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def by_hand(backward=True):
    """The network of docs/paper.md."""
    model = Sequential([Dense(2, "sigmoid"), Dense(1, "sigmoid")], input_size=2, dtype="float64")
    hidden, output = model.layers
    hidden.w, hidden.b = [[2, -1], [-1, 1]], [0, 0]
    output.w, output.b = [[1, -2]], [1]
    model.forward([[7, 7], [1, 2]])
    if backward:
        model.backward([[0], [1]], "bce")
    return model


def texts(display):
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in display.ax_.texts if text.get_text()]


def test_forward_shows_a_z_w_and_b():
    display = NetworkDisplay.from_model(by_hand(), sample=1, digits=4)
    shown = texts(display)
    for number in ("1.000", "2.000", "0.5000", "0.7311", "0.5095", "z 0.03788", "z 1.000", "b 1.000", "-2.000"):
        assert number in shown
    assert [column.title for column in display.columns] == ["x", "layer 1: sigmoid", "layer 2: sigmoid"]
    assert all(title in shown for title in ("x", "layer 1: sigmoid"))


def test_backward_shows_phi_and_the_gradient_of_this_sample():
    model = by_hand()
    display = NetworkDisplay.from_model(model, "backward", sample=1, digits=4)
    for column, layer in zip(display.columns[1:], model.layers, strict=True):
        assert column.inside.tolist() == layer.phi[1].tolist()
        assert column.edges.tolist() == np.outer(layer.phi[1], layer.x[1]).tolist()
    shown = texts(display)
    assert "-0.2453" in shown  # (a - y) / n, and n is 2
    one = Sequential([Dense(2, "tanh")], input_size=3, seed=1)
    one.forward([[1, 2, 3]])
    one.backward([[0, 1]], "mse")
    lines = NetworkDisplay.from_model(one, "backward").columns[1].edges
    assert lines == pytest.approx(one.layers[0].grad_w)


def test_the_numbers_are_copies():
    model = by_hand()
    display = NetworkDisplay.from_model(model)
    before = [column.inside.copy() for column in display.columns]
    model.forward([[0, 0], [0, 0]])
    assert all((column.inside == a).all() for column, a in zip(display.columns, before, strict=True))


def test_lines_go_from_unit_to_unit():
    def arrows(display):
        return sum(1 for text in display.ax_.texts if getattr(text, "arrow_patch", None) is not None)

    assert arrows(NetworkDisplay.from_model(by_hand())) == 6
    model = Sequential([Dense(3, "relu"), Dropout(0.5), BatchNorm(), Dense(2)], input_size=2, seed=1)
    model.forward([[1, 2]])
    assert arrows(NetworkDisplay.from_model(model)) == 6 + 3 + 3 + 6


def test_many_units_are_left_out():
    assert diagram._units(8, 8) == list(range(8))
    assert diagram._units(100, 5) == [0, 1, 2, None, 99]
    model = Sequential([Dense(100, "relu"), Dense(10)], input_size=64, seed=1)
    model.forward(np.ones((1, 64)))
    display = NetworkDisplay.from_model(model, most_units=5)
    assert [len(column.units) for column in display.columns] == [5, 5, 5]
    assert texts(display).count("⋮") == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (-0.4905, "−0.490"),
        (1234.0, "1.23e+03"),
        (150.0, "150"),
        (2.5e-5, "2.50e-5"),
        (-2.5e-5, "−2.50e−5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_short(value, text):
    number = diagram._number(value, 3).replace("\N{MINUS SIGN}", "−")
    assert number.replace("e−", "e-") == text.replace("e−", "e-")
    assert len(number) <= 9


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"show": "sideways"}, ValueError, "show is 'sideways', expected 'forward' or 'backward'"),
        ({"sample": 2}, ValueError, "sample is 2, expected an integer from 0 to 1"),
        ({"most_units": 2}, ValueError, "most_units is 2"),
        ({"digits": 0}, ValueError, "digits is 0, expected an integer from 1 to 9"),
        ({"ax": 3}, TypeError, "ax is 3"),
    ],
)
def test_wrong_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        NetworkDisplay.from_model(by_hand(), **options)


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(RuntimeError):
        NetworkDisplay.from_model(Sequential([Dense(1)], input_size=1))
    with pytest.raises(RuntimeError):
        NetworkDisplay.from_model(by_hand(backward=False), "backward")
    model = Sequential([Residual([Dense(2)])], input_size=2)
    model.forward([[1, 2]])
    model.backward([[1, 2]], "mse")
    with pytest.raises(ValueError, match=r"layers\[0\] is Residual.*has no phi: expected show='forward'"):
        NetworkDisplay.from_model(model, "backward")
    assert NetworkDisplay.from_model(model).columns[1].edges is None
