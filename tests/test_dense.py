"""The Dense layer: its arguments, its arrays as views of the engine, and its equations."""

import copy
import pickle

import numpy as np
import pytest
from textbook import Twin

import mlpcore
from mlpcore import SGD, Adam, Dense, Sequential, _core


def two_layers(dtype="float64"):
    return Sequential([Dense(4, "tanh"), Dense(2, "sigmoid")], input_size=3, dtype=dtype, seed=11)


X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
Y = np.array([[1.0, 0.0], [0.0, 1.0]])


def test_arrays_have_the_papers_shapes():
    model = two_layers()
    model.forward(X)
    model.backward(Y, loss="mse")
    layer = model.layers[0]
    shapes = {name: getattr(layer, name).shape for name in ("x", "z", "a", "phi", "w", "b", "grad_w", "grad_b")}
    assert shapes == {
        "x": (2, 3), "z": (2, 4), "a": (2, 4), "phi": (2, 4), "w": (4, 3), "b": (4,), "grad_w": (4, 3), "grad_b": (4,)
    }  # fmt: skip


def test_equations_1_to_4():
    model = two_layers()
    first, last = model.layers
    a = model.forward(X)
    loss = model.backward(Y, loss="mse")
    close = dict(rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(first.x, X)
    np.testing.assert_array_equal(last.x, first.a)
    np.testing.assert_array_equal(last.a, a)
    for layer, sigma in ((first, np.tanh), (last, lambda z: 1 / (1 + np.exp(-z)))):
        np.testing.assert_allclose(layer.z, layer.x @ layer.w.T + layer.b, **close)
        np.testing.assert_allclose(layer.a, sigma(layer.z), **close)
        np.testing.assert_allclose(layer.grad_w, layer.phi.T @ layer.x, **close)
        np.testing.assert_allclose(layer.grad_b, layer.phi.sum(axis=0), **close)
    np.testing.assert_allclose(loss, ((a - Y) ** 2).mean(), **close)
    np.testing.assert_allclose(last.phi, 2 * (a - Y) / Y.size * a * (1 - a), **close)
    np.testing.assert_allclose(first.phi, last.phi @ last.w * (1 - first.a**2), **close)


def test_arrays_are_views_of_the_engine():
    model = two_layers()
    layer = model.layers[1]
    layer.w[...] = 0
    layer.b[:] = [0.0, np.log(3)]
    np.testing.assert_allclose(model.predict(X), [[0.5, 0.75], [0.5, 0.75]], rtol=1e-15)
    assert np.shares_memory(layer.w, layer.w)


def test_views_outlive_the_model():
    model = two_layers()
    model.forward(X)
    w, z = model.layers[0].w, model.layers[0].z
    was_w, was_z = w.copy(), z.copy()
    del model
    np.testing.assert_array_equal(w, was_w)
    np.testing.assert_array_equal(z, was_z)


def test_assigning_copies_values_of_exactly_this_shape():
    layer = two_layers("float32").layers[0]
    values = np.arange(12.0).reshape(4, 3)
    layer.w, layer.b = values, [1, 2, 3, 4]
    values[...] = -1
    assert layer.w.tolist() == np.arange(12.0).reshape(4, 3).tolist()
    assert layer.b.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "values", "error", "message"),
    [
        ("w", np.zeros((3, 4)), ValueError, r"w has shape \(3, 4\), expected \(4, 3\): \(out, in\)"),
        ("w", np.zeros((1, 3)), ValueError, r"w has shape \(1, 3\)"),
        ("w", 0.0, ValueError, r"w has shape \(\), expected \(4, 3\)"),
        ("b", [[1.0, 2, 3, 4]], ValueError, r"b has shape \(1, 4\), expected \(4,\)"),
        ("w", np.zeros((4, 3), complex), TypeError, "w has dtype complex128"),
        ("b", ["1", "2", "3", "4"], TypeError, "b has dtype <U1"),
        ("b", None, TypeError, "b has dtype object"),
    ],
)
def test_assigning_anything_else_is_refused(name, values, error, message):
    layer = two_layers().layers[0]
    before = getattr(layer, name).copy()
    with pytest.raises(error, match=message):
        setattr(layer, name, values)
    np.testing.assert_array_equal(getattr(layer, name), before)


@pytest.mark.parametrize("name", ["x", "z", "a", "phi", "grad_w", "grad_b"])
def test_what_the_engine_computes_cannot_be_assigned(name):
    with pytest.raises(AttributeError):
        setattr(two_layers().layers[0], name, 0)


def test_arrays_of_a_layer_without_input_size_say_what_is_missing():
    layer = Dense(3)
    Sequential([layer])
    for name in ("w", "b", "grad_w", "grad_b", "x", "z", "a", "phi"):
        with pytest.raises(RuntimeError, match="has no arrays yet: give its Sequential an input_size="):
            getattr(layer, name)
    with pytest.raises(RuntimeError, match="has no arrays yet"):
        layer.w = np.zeros((3, 2))


def test_arrays_of_a_batch_need_a_forward():
    layer = two_layers().layers[0]
    for name in ("x", "z", "a", "phi"):
        with pytest.raises(RuntimeError, match="forward"):
            getattr(layer, name)


@pytest.mark.parametrize(
    ("initializer", "limit"), [("glorot_uniform", (6 / 300) ** 0.5), ("he_uniform", (6 / 200) ** 0.5)]
)
def test_initializers_fill_their_range_evenly(initializer, limit):
    layer = Dense(100, kernel_initializer=initializer)
    Sequential([layer], input_size=200, seed=1)
    assert 0.99 * limit < np.abs(layer.w).max() <= limit
    np.testing.assert_allclose(layer.w.std(), limit / 3**0.5, rtol=0.02)
    assert abs(layer.w.mean()) < 0.01 * limit
    assert not layer.b.any()


def test_zeros_are_zeros():
    layer = Dense(3, kernel_initializer="zeros")
    Sequential([layer], input_size=2)
    assert not layer.w.any()


def test_first_weights_depend_on_seed_and_layer_alone():
    def weights(seed, dtype="float64"):
        layers = [Dense(3), Dense(3)]
        Sequential(layers, input_size=3, seed=seed, dtype=dtype)
        return [layer.w.copy() for layer in layers]

    np.testing.assert_array_equal(weights(4), weights(4))
    first, second = weights(4)
    assert (first != second).all()
    assert (first != weights(5)[0]).all()
    np.testing.assert_array_equal(np.float32(first), weights(4, "float32")[0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(0), ValueError, "units is 0, expected an integer >= 1"),
        (lambda: Dense(-3), ValueError, "units is -3"),
        (lambda: Dense(2.0), TypeError, "units is 2.0, expected an integer >= 1"),
        (lambda: Dense("2"), TypeError, "units is '2'"),
        (lambda: Dense(None), TypeError, "units is None"),
        (lambda: Dense(True), TypeError, "units is True"),
        (lambda: Dense(2, "rellu"), ValueError, "activation is 'rellu', expected one of 'linear', 'relu'"),
        (lambda: Dense(2, np.tanh), ValueError, "activation is <ufunc 'tanh'>"),
        (lambda: Dense(2, np.zeros(2)), ValueError, "activation is array"),
        (lambda: Dense(2, input_size=0), ValueError, "input_size is 0"),
        (
            lambda: Dense(2, kernel_initializer="gaussian"),
            ValueError,
            "kernel_initializer is 'gaussian', expected one of",
        ),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_repr_makes_a_layer_like_it():
    layer = Dense(3, kernel_initializer="zeros")
    assert repr(layer) == "Dense(3, 'linear', kernel_initializer='zeros')"
    assert repr(eval(repr(layer), vars(mlpcore))) == repr(layer)


# ----------------------------------------------------------------------------------- clipping, penalties, frozen layers


def parameters_of(model):
    return np.concatenate([np.ravel(part) for layer in model.layers for part in (layer.w, layer.b)])


def adjusted(optimizer, layers, w, grads):
    """The gradient as a rule gets it: shortened, cut off, and then with the penalties of the layers."""
    if optimizer.clip_norm is not None:
        norm = np.sqrt(sum((g**2).sum() for layer, g in zip(layers, grads, strict=True) if layer.trainable))
        grads = [g * min(1.0, optimizer.clip_norm / norm) for g in grads]
    if optimizer.clip_value is not None:
        grads = [np.clip(g, -optimizer.clip_value, optimizer.clip_value) for g in grads]
    return [
        g + layer._l1 * np.sign(p) + layer._l2 * p if p.ndim == 2 else g
        for layer, p, g in zip(layers, w, grads, strict=True)
    ]


LAYERS = {
    "plain": ({}, {}),
    "penalties": ({"l1": 0.01}, {"l2": 0.1, "l1": 0.002}),
    "max_norm": ({"max_norm": 0.8}, {"max_norm": 0.5, "l2": 0.1}),
    "factor": ({"learning_rate_factor": 0.25}, {"learning_rate_factor": 3.0, "l2": 0.05}),
    "frozen": ({"trainable": False, "l2": 0.1, "max_norm": 0.1}, {"l1": 0.01}),
}
CLIPPING = {"none": {}, "value": {"clip_value": 0.01}, "norm": {"clip_norm": 0.05},
            "both": {"clip_value": 0.01, "clip_norm": 0.05}}  # fmt: skip
RULES = [
    lambda **clip: SGD(0.1, momentum=0.9, **clip),
    lambda **clip: SGD(0.1, momentum=0.9, nesterov=True, **clip),
    lambda **clip: Adam(0.01, **clip),
]


def trained_beside_a_twin(optimizer, settings, hidden, batch, dtype):
    """The parameters that `fit` gives, and those of the formulas with the gradients that backward gives."""

    def model():
        layers = [Dense(units, "tanh", **each) for units, each in zip((hidden, 3), settings, strict=True)]
        return Sequential(layers, input_size=20, dtype=dtype, seed=7)

    i = np.arange(6 * 20).reshape(6, 20)
    x, y = (i * 7 % 11 / 5 - 1), (i[:, :3] * 5 % 7 / 3 - 1)
    fitted, by_hand = model(), model()
    fitted.fit(x, y, "mse", optimizer=optimizer, batch_size=batch, epochs=2, shuffle=False, progress=False)
    parameters = [(layer, name) for layer in by_hand.layers for name in ("w", "b")]
    twins = [Twin(getattr(layer, name)) for layer, name in parameters]
    for start in [*range(0, 6, batch)] * 2:
        by_hand.forward(x[start : start + batch])
        by_hand.backward(y[start : start + batch], loss="mse")
        grads = [getattr(layer, f"grad_{name}").astype("f8") for layer, name in parameters]
        layers = [layer for layer, _ in parameters]
        for twin, layer, grad in zip(
            twins, layers, adjusted(optimizer, layers, [twin.w for twin in twins], grads), strict=True
        ):
            if layer.trainable:
                twin.step(optimizer, grad, layer._learning_rate_factor)
            if layer.trainable and layer._max_norm and grad.ndim == 2:
                norm = np.sqrt((twin.w**2).sum(axis=1, keepdims=True))
                twin.w = twin.w * np.minimum(1, layer._max_norm / norm)
        for (layer, name), twin in zip(parameters, twins, strict=True):
            setattr(layer, name, twin.w)
    return parameters_of(fitted), np.concatenate([twin.w.ravel() for twin in twins])


@pytest.mark.parametrize("make", RULES, ids=["momentum", "nesterov", "adam"])
@pytest.mark.parametrize("clip", CLIPPING)
@pytest.mark.parametrize("layers", LAYERS)
def test_clipping_and_layers_settings_are_the_textbooks(make, clip, layers):
    """Swept (few parameters) and fused into the products (more than 16384), one sample a batch and several."""
    for hidden in (8, 900):
        for batch in (1, 3):
            optimizer = make(**CLIPPING[clip])
            fitted, twin = trained_beside_a_twin(optimizer, LAYERS[layers], hidden, batch, "float64")
            np.testing.assert_allclose(fitted, twin, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("layers", LAYERS)
def test_clipping_and_layers_settings_in_float32(layers):
    for hidden in (8, 900):
        for batch in (1, 3):
            optimizer = SGD(0.1, momentum=0.9, clip_value=0.01, clip_norm=0.05)
            fitted, twin = trained_beside_a_twin(optimizer, LAYERS[layers], hidden, batch, "float32")
            np.testing.assert_allclose(fitted, twin, rtol=1e-4, atol=1e-5)


def test_every_instruction_set_makes_the_same_bits_of_them():
    def bits():
        return [
            trained_beside_a_twin(make(**clip), LAYERS[layers], hidden, batch, dtype)[0].tobytes()
            for make in RULES
            for clip in (CLIPPING["none"], CLIPPING["both"])
            for layers in LAYERS
            for hidden, batch in ((8, 1), (8, 3), (900, 1), (900, 3))
            for dtype in ("float32", "float64")
        ]

    before, expected = _core.current_isa(), bits()
    try:
        for isa in mlpcore.cpu.info()["available"]:
            _core.use_isa(isa)
            assert bits() == expected, isa
    finally:
        _core.use_isa(before)


# ------------------------------------------------------------------------------------------------------- use_bias=False


def without_bias(dtype="float64", **options):
    layers = [Dense(4, "tanh", use_bias=False, **options), Dense(3, use_bias=False), Dense(2, "sigmoid")]
    return Sequential(layers, input_size=3, dtype=dtype, seed=11)


def test_a_layer_without_b_is_that_equation():
    model = without_bias()
    layer = model.layers[0]
    model.forward(X)
    model.backward(Y, "mse")
    assert layer.use_bias is False
    assert layer.b is None
    assert layer.grad_b is None
    np.testing.assert_allclose(layer.z, X @ layer.w.T, rtol=1e-14)
    np.testing.assert_allclose(layer.grad_w, layer.phi.T @ X, rtol=1e-13)
    assert model._built().params.size == 4 * 3 + 3 * 4 + 3 * 2 + 2
    with pytest.raises(ValueError, match=r"b is given, expected none: Dense\(4, 'tanh'.*use_bias=False\) has no bias"):
        layer.b = np.zeros(4)
    with pytest.raises(TypeError, match="use_bias is 'no', expected True or False"):
        Dense(1, use_bias="no")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [1, 2, 7])
@pytest.mark.parametrize("units", [3, 40, 300])
def test_without_b_trains_as_with_a_b_that_is_frozen_at_0(units, batch_size, dtype):
    """By the same bits: -0 + 0 apart, a sum that begins as 0 is one that begins as a b of 0."""
    rng = np.random.default_rng(units)
    x, y = rng.normal(size=(14, 70)), rng.integers(0, 3, 14)

    def trained(use_bias):
        hidden = Dense(units, "tanh", use_bias=use_bias)
        model = Sequential([hidden, Dense(3, "softmax")], input_size=70, dtype=dtype, seed=2)
        if use_bias:
            net = model._built()
            net.set_segment(net.first_segment(0) + 1, False, 1.0, 0.0, 0.0, 0.0)
        model.fit(x, y, "cce", optimizer=Adam(0.01), epochs=3, batch_size=batch_size, progress=False)
        return [array.tobytes() for array in (hidden.w, *model._built().parameters(2), model.predict(x))]

    assert trained(False) == trained(True)


def test_without_b_gradients_agree_and_steps_by_hand_are_those_of_fit(tmp_path):
    model = without_bias(l2=0.01)
    assert mlpcore.gradcheck.check_model(model, X, Y, "bce", include_input=True).ok
    assert mlpcore.gradcheck.check_model(model, X, Y, "bce").count == model._built().params.size
    assert mlpcore.gradcheck.check_layer(model.layers[0], X).count == X.size + 12
    by_hand, fitted = without_bias(l2=0.01), without_bias(l2=0.01)
    optimizer = SGD(0.1, momentum=0.9)
    for _ in range(3):
        by_hand.forward(X, training=True)
        by_hand.backward(Y, "bce")
        by_hand.update(optimizer)
    fitted.fit(X, Y, "bce", optimizer=SGD(0.1, momentum=0.9), epochs=3, shuffle=False, progress=False)
    np.testing.assert_array_equal(by_hand._built().params, fitted._built().params)
    fitted.save(tmp_path / "model")
    for other in (Sequential.load(tmp_path / "model"), copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert repr(other) == repr(fitted)
        assert other.layers[0].b is None
        np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
    assert fitted.summary().splitlines()[2].split() == ["1", "Dense", "tanh", "(4,", "3)", "12"]
    assert eval(repr(Dense(4, use_bias=False))).use_bias is False


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ({}, (1, 1)),
        ({"learning_rate_factor": 0.5}, (0.5, 0.5)),
        ({"bias_learning_rate_factor": 3.0}, (1, 3)),
        ({"learning_rate_factor": 0.5, "bias_learning_rate_factor": 0.0}, (0.5, 0)),
    ],
)
def test_b_has_a_rate_of_its_own(factors, expected):
    x, y = [[1.0, -2.0], [0.5, 3.0]], [[1.0], [-1.0]]
    layer = Dense(1, **factors)
    model = Sequential([layer], input_size=2, dtype="float64", seed=1)
    model.forward(x)
    model.backward(y, loss="mse")
    w, b, grad_w, grad_b = (each.copy() for each in (layer.w, layer.b, layer.grad_w, layer.grad_b))
    model.update(SGD(0.1))
    assert np.allclose(w - layer.w, 0.1 * expected[0] * grad_w, rtol=1e-12)
    assert np.allclose(b - layer.b, 0.1 * expected[1] * grad_b, rtol=1e-12)
    again = Dense._from_config(layer._config())
    assert again._bias_learning_rate_factor == factors.get("bias_learning_rate_factor")
