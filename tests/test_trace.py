"""What a trace is: frozen, counted from 1, safe to keep; and the step that it shows costs the model nothing."""

import pickle

import numpy as np
import pytest

import mlpcore


def model_of(seed=1, **options):
    return mlpcore.Sequential(
        [mlpcore.Dense(3, "tanh"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=seed, **options
    )


@pytest.fixture
def t():
    return model_of().trace([[1, 2], [3, 4]], [0, 1], "bce", optimizer="sgd")


def test_layers_count_from_1(t):
    assert len(t) == 2
    assert [layer.j for layer in t] == [1, 2]
    assert t[1] is t.layers[0]
    assert t[-1] is t[2]
    for wrong in (0, 3, -3):
        with pytest.raises(IndexError, match="expected the number of a layer, from 1 to 2: layers count from 1"):
            t[wrong]
    for wrong in (1.0, "1", True, slice(1)):
        with pytest.raises(TypeError, match="j is .*, expected the number of a layer"):
            t[wrong]


def test_nothing_can_be_changed(t):
    with pytest.raises(AttributeError):
        t.loss = 1
    with pytest.raises(AttributeError):
        t[1].z = 1
    with pytest.raises(TypeError):
        t[1].params["w"] = 1
    arrays = [t.y, t.x, *t.before.values(), *t.after.values(), *t[1].params.values(), *t[1].grads.values()]
    arrays += [getattr(t[1], key) for key in ("x", "z", "a", "dsigma", "grad_a", "phi", "w", "b", "grad_w", "grad_b")]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_it_is_a_copy():
    model = model_of()
    t = model.trace([1, 2], 1, "bce")
    kept = t[1].w.copy(), t[1].z.copy()
    model.layers[0].w[...] = 7
    model.forward([[5, 6]])
    assert (t[1].w == kept[0]).all()
    assert (t[1].z == kept[1]).all()


def test_it_pickles(t):
    again = pickle.loads(pickle.dumps(t))
    assert again.loss == t.loss
    assert (again[1].phi == t[1].phi).all()
    assert (again.after["layers.0.w"] == t.after["layers.0.w"]).all()


def test_what_a_layer_does_not_have_is_named():
    t = mlpcore.Sequential([mlpcore.Dense(3, use_bias=False), mlpcore.LayerNorm()], input_size=2).trace(
        [1, 2], [1, 1, 1], "mse"
    )
    assert t[1].b is None
    assert t[1].grad_b is None
    assert t[2].gamma.shape == t[2].grad_gamma.shape == (3,)
    assert t[2].z is None
    with pytest.raises(AttributeError, match=r"layer 2, LayerNorm\(\), has no w; .* it has gamma, beta, grad_gamma"):
        _ = t[2].w
    assert not hasattr(t[2], "mask")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2], 1), TypeError, "loss is missing"),
        (([1, 2], 1, "mes"), ValueError, "loss is 'mes', expected one of"),
        (([1, 2, 3], 1, "bce"), ValueError, r"x has shape \(1, 3\), expected \(n, 2\)"),
        (([[1, 2], [3, 4]], [1, 2, 3], "mse"), ValueError, "y has 3 rows, expected 2"),
        (([1, 2], [[1]], "bce"), ValueError, r"y has shape \(1, 1\), expected one sample's \(out,\)"),
        (([1, 2], [1, 2], "mse"), ValueError, "y has shape"),
        (([[[1, 2]]], 1, "bce"), ValueError, "x has shape"),
        ((["a", "b"], 1, "bce"), TypeError, "x"),
        (([1, 2], 2, "bce"), ValueError, "y has 2"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    model = model_of()
    before = model._built().params.copy()
    with pytest.raises(error, match=message):
        model.trace(*arguments)
    assert (model._built().params == before).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"optimizer": "adamm"}, ValueError, "optimizer is 'adamm'"),
        ({"optimizer": 0.1}, TypeError, "optimizer is 0.1"),
        ({"optimizer": mlpcore.LBFGS()}, ValueError, "takes no step by hand"),
        ({"training": 1}, TypeError, "training is 1"),
        ({"sample_weight": [1, 2]}, ValueError, "sample_weight has shape"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        model_of().trace([1, 2], 1, "bce", **options)


def test_an_optimizer_of_another_model_is_refused():
    sgd = mlpcore.SGD()
    model_of().fit([[1, 2]], [1], "bce", optimizer=sgd, progress=False)
    with pytest.raises(ValueError, match="keeps the state of another model"):
        model_of().trace([1, 2], 1, "bce", optimizer=sgd)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_has_the_same_bits_whether_a_trace_was_taken_or_not(dtype):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 2)), rng.integers(0, 2, 64)

    def trained(look):
        layers = [mlpcore.Dense(8, "relu"), mlpcore.Dropout(0.3), mlpcore.BatchNorm(), mlpcore.Dense(1, "sigmoid")]
        model = mlpcore.Sequential(layers, input_size=2, seed=4, dtype=dtype)
        adam = mlpcore.Adam(0.01)
        for _ in range(3):
            look(model, adam)
            model.fit(X, y, "bce", optimizer=adam, epochs=2, batch_size=16, progress=False)
            look(model, adam)
            model.forward(X, training=True)
            look(model, adam)
            model.backward(y, "bce")
            look(model, adam)
            model.update(adam)
        return model._built().params.tobytes() + model._built().state.tobytes() + adam._state["m"].tobytes()

    def look(model, adam):
        model.trace(X, y, "bce", optimizer=adam, training=True)
        model.trace(X[0], y[0], "bce")

    assert trained(look) == trained(lambda model, adam: None)
