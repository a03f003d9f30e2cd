"""Sequential: evaluate, predict, its input size and text, and whose the arrays are that it shows or returns."""

import numpy as np
import pytest
from fits import classifier, data

import mlpcore
from mlpcore import SGD, Dense, Sequential


def test_evaluate_is_the_loss_of_all_rows_as_one_batch():
    x, y = data(1000)
    model = classifier(dtype="float64")
    a = model.forward(x)
    right = (a.argmax(axis=1) == y).mean()
    loss = model.backward(y, loss="cce")
    assert model.evaluate(x, y, loss="cce") == {"loss": loss, "accuracy": right}


def test_predict_leaves_the_layers_as_they_are():
    x, _ = data(500)
    model = classifier()
    model.forward(x[:5])
    z = model.layers[0].z.copy()
    a = model.predict(x)
    np.testing.assert_array_equal(model.layers[0].z, z)
    np.testing.assert_array_equal(a, model.forward(x))
    assert a.flags.owndata or not np.shares_memory(a, model.layers[-1].a)


def test_input_size_comes_from_the_model_the_layer_or_the_data():
    x, _ = data()
    first = Sequential([Dense(2)], input_size=3, seed=1)
    second = Sequential([Dense(2, input_size=3)], seed=1)
    third = Sequential([Dense(2)], seed=1)
    assert (first.input_size, second.input_size, third.input_size) == (3, 3, None)
    expected = first.predict(x)
    for model in (second, third):
        np.testing.assert_array_equal(model.predict(x), expected)
        assert model.input_size == model.layers[0].input_size == 3


def test_repr_and_summary():
    model = classifier(input_size=3)
    assert repr(eval(repr(model), vars(mlpcore))) == repr(model)
    assert model.summary().splitlines()[-1].split() == ["total", "float32", "59"]
    assert classifier().summary().splitlines()[2].split() == ["1", "Dense", "tanh", "(8,", "?)", "?"]


# ---------------------------------------------------------------------------------------- arrays that are of this batch


def arrays_of(layer):
    return {name: getattr(layer, name) for name in ("w", "b", "x", "z", "a", "phi", "grad_w", "grad_b")}


@pytest.mark.parametrize("rows", [2, 5, 15])
def test_gradients_are_shown_only_after_a_backward_since_the_last_forward(rows):
    x, y = data()
    model = classifier(input_size=3)
    names = ("phi", "grad_w", "grad_b")
    for step in ("before any forward", "after a forward", "after another forward", "after a predict"):
        if step == "after a forward":
            model.forward(x[:5])
        if step == "after another forward":
            model.backward(y[:5], "cce")
            assert all(np.isfinite(getattr(layer, name)).all() for layer in model.layers for name in names)
            model.forward(x[:rows])
        if step == "after a predict":
            model.backward(y[:rows], "cce")
            model.predict(x)
        for layer in model.layers:
            for name in names:
                if step == "after a predict":
                    assert len(getattr(layer, name)) == (rows if name == "phi" else layer.units)
                else:
                    with pytest.raises(RuntimeError, match="no backward since the last forward"):
                        getattr(layer, name)
    assert model.layers[0].z.shape == model.layers[0].phi.shape == (rows, 8)


def test_a_backward_that_is_refused_leaves_the_gradients():
    x, y = data()
    model = classifier()
    model.forward(x)
    model.backward(y, "cce")
    before = model.layers[0].grad_w.copy()
    with pytest.raises(ValueError, match="y has"):
        model.backward(y + 1, "cce")
    np.testing.assert_array_equal(model.layers[0].grad_w, before)


def test_gradients_of_layers_without_weights_are_shown_alike():
    x, y = data()
    branch = mlpcore.Residual([Dense(8), mlpcore.Activation("relu")])
    model = Sequential([Dense(8), mlpcore.Dropout(0.5), branch, Dense(3, "softmax")], seed=1)
    model.forward(x, training=True)
    for layer in (model.layers[1], *branch.layers):
        with pytest.raises(RuntimeError, match="no backward since the last forward"):
            layer.phi  # noqa: B018
    model.backward(y, "cce")
    for layer in (model.layers[1], *branch.layers):
        assert layer.phi.shape == (50, 8)


def test_what_forward_and_predict_return_is_the_callers_own():
    x, _ = data()
    for use in (classifier().forward, classifier().predict):
        a = use(x)
        before = a.copy()
        b = use(3 * x)
        np.testing.assert_array_equal(a, before)
        assert (a != b).any()
        a[...] = 7
        np.testing.assert_array_equal(use(3 * x), b)
    model = classifier()
    a = model.forward(x)
    assert not np.shares_memory(a, model.layers[-1].a)
    np.testing.assert_array_equal(a, model.layers[-1].a)


def test_arrays_of_a_layer_are_views_and_say_so():
    x, y = data()
    model = classifier(input_size=3)
    model.forward(x)
    model.backward(y, "cce")
    layer = model.layers[0]
    for name, array in arrays_of(layer).items():
        assert np.shares_memory(array, getattr(layer, name))
        assert "view" in getattr(type(layer), name).__doc__
    view, before = layer.w, layer.w.copy()
    model.update(SGD(0.5))
    np.testing.assert_array_equal(layer.w - view, 0)
    assert (layer.w != before).any()
    assert repr(layer).endswith("  # arrays are views")
    assert repr(eval(repr(layer), vars(mlpcore))) == "Dense(8, 'tanh', kernel_initializer='glorot_uniform')"
