"""What a notebook shows of a model, a layer, a history and a gradient check: the numbers that there are, escaped."""

import copy
import pickle

import numpy as np
import pytest
from test_html import check_plain

from mlpcore import (
    Activation,
    BatchNorm,
    CustomActivation,
    CustomLayer,
    Dense,
    Dropout,
    History,
    LeakyReLU,
    Residual,
    Sequential,
    catalogue,
    gradcheck,
)

X, Y = np.linspace(-1, 1, 12).reshape(6, 2), [0, 1, 1, 0, 1, 0]


def network(**options):
    branch = [Dense(3, LeakyReLU(0.2)), Dropout(0.1), Dense(4)]
    return Sequential([Dense(4, "tanh"), Residual(branch), BatchNorm(), Dense(2, "softmax")], seed=1, **options)


class Hostile(CustomActivation):
    def forward(self, z):
        return z

    def backward(self, z, a, grad_a):
        return grad_a

    def __repr__(self):
        return "<script>alert(1)</script>"


class Own(CustomLayer):
    def build(self, input_size):
        return input_size, {"s": (input_size,)}

    def forward(self, x, training):
        return x * self.params["s"]

    def backward(self, grad_y, x):
        self.grads["s"][...] = (grad_y * x).sum(axis=0)
        return grad_y * self.params["s"]

    @property
    def costly(self):
        raise AssertionError("a property of a user's was read")


def test_a_model_shows_the_rows_of_its_summary():
    model = network(input_size=2)
    shown = check_plain(model._repr_html_())
    assert "Sequential: inputs 2, float32, seed 1, epochs trained 0" in shown.text
    lines = [line for line in model.summary().splitlines() if not line.startswith("-")]
    assert ["".join(row).replace(" ", "") for row in shown.rows] == [line.replace(" ", "") for line in lines]
    assert check_plain(model.summary()._repr_html_()).rows == shown.rows
    assert "inputs not known yet" in network()._repr_html_()


def test_a_summary_shows_itself_once_and_is_text():
    table = network(input_size=2).summary()
    assert isinstance(table, str)
    assert repr(table) == str(table) == table
    assert table.startswith("layer ")
    for twin in (copy.copy(table), copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert (twin, twin._repr_html_()) == (table, table._repr_html_())


@pytest.mark.parametrize("name", catalogue.names("activations"))
def test_a_layer_shows_the_formula_of_its_activation(name):
    row = catalogue.entry("activations", name)
    for layer in Dense(3, name), Activation(name):
        text = "".join(check_plain(layer._repr_html_()).text)
        assert row.formula in text
        assert row.derivative in text
        assert "no arrays yet" in text


def test_a_layer_shows_the_arrays_that_it_has():
    model = network(dtype="float64")
    layer = model.layers[0]
    model.forward(X)
    model.backward(Y, "cce")
    head, *rows = check_plain(layer._repr_html_()).rows
    assert head == ["array", "shape", "min", "mean", "max", "what it is"]
    assert [row[0] for row in rows] == ["x", "w", "b", "z", "a", "phi", "grad_w", "grad_b"]
    for name, shape, least, mean, most, what in rows:
        array = getattr(layer, name)
        assert shape == " × ".join(map(str, array.shape))
        assert [float(least), float(mean), float(most)] == pytest.approx(
            [array.min(), array.mean(), array.max()], rel=1e-3, abs=1e-12
        )
        assert what
    assert "equations 1 and 2" in rows[5][5]


def test_a_layer_before_the_first_batch_shows_its_parameters():
    shown = check_plain(network(input_size=2).layers[0]._repr_html_())
    assert [row[0] for row in shown.rows[1:]] == ["w", "b"]


@pytest.mark.parametrize(
    "layer", [Residual([Dense(2)]), BatchNorm(), Own(), Dense(2, Hostile()), Dense(2, use_bias=False)]
)
def test_every_kind_of_layer_shows_itself(layer):
    model = Sequential([layer], input_size=2)
    model.forward(X)
    model.backward(X, "mse")
    shown = check_plain(layer._repr_html_())
    assert {"x", "a"} <= {row[0] for row in shown.rows}
    assert layer._expression() in shown.text
    if isinstance(layer, Own):
        assert ["params['s']", "2", "0.000"] in [row[:3] for row in shown.rows]


def test_values_that_are_not_finite_are_shown():
    layer = Dense(1, input_size=2)
    Sequential([layer])
    layer.w = [[np.nan, np.inf]]
    with np.errstate(all="raise"):
        assert ["nan"] * 3 in [row[2:5] for row in check_plain(layer._repr_html_()).rows]


@pytest.mark.parametrize("epochs", [0, 1, 12, 13, 500])
def test_a_history_shows_its_first_and_last_epochs(epochs):
    history = History({"accuracy": "binary_accuracy"})
    for epoch in range(epochs):
        history.append({"loss": 1 / (epoch + 1), "accuracy": 0.5})
    shown = check_plain(history._repr_html_())
    numbers = [int(row[0]) for row in shown.rows[1:] if row[0] != "⋮"]
    expected = list(range(epochs)) if epochs <= 12 else [*range(5), *range(epochs - 5, epochs)]
    assert numbers == expected
    assert any(row[0] == "⋮" for row in shown.rows) == (epochs > 12)
    for row in shown.rows[1:]:
        assert row[0] == "⋮" or row[1:] == [f"{1 / (int(row[0]) + 1):#.4g}", "0.5000"]
    assert ("accuracy: binary_accuracy" in shown.text) == (epochs > 0)


def test_a_gradient_check_shows_what_it_prints():
    model = network(dtype="float64", input_size=2)
    report = gradcheck.check_model(model, X, Y, "cce")
    shown = check_plain(report._repr_html_())
    assert [row[0] for row in shown.rows[1:]] == list(report.arrays)
    assert [int(row[1]) for row in shown.rows[1:]] == [array.count for array in report.arrays.values()]
    assert str(report).splitlines()[0] in shown.text
    wrong = gradcheck.check_function(lambda x: float(x @ x), {"x": [1.0, 2.0]}, {"x": [-2.0, -4.0]})
    text = "".join(check_plain(wrong._repr_html_()).text)
    assert "DISAGREE" in text
    assert "factor: analytic = -numeric everywhere" in text
