"""What layers with parameters beside Dense share: gradients, edges, who computes them, files, copies, frozen layers."""

import copy
import pickle

import numpy as np
import pytest

import mlpcore
from mlpcore import (
    SGD,
    Adam,
    BatchNorm,
    CustomLayer,
    Dense,
    Dropout,
    LayerNorm,
    PReLU,
    Residual,
    RMSNorm,
    Scale,
    Sequential,
    catalogue,
    get_num_threads,
    set_num_threads,
)
from mlpcore.gradcheck import check_model
from mlpcore.layers import KINDS

LAYERS = {
    "batch_norm": BatchNorm,
    "batch_norm, set": lambda **options: BatchNorm(momentum=0.5, epsilon=1e-5, **options),
    "layer_norm": LayerNorm,
    "rms_norm": RMSNorm,
    "scale": Scale,
    "prelu": PReLU,
    "prelu, shared": lambda **options: PReLU(0.1, shared=True, **options),
}
ELSEWHERE = {"dropout", "alpha_dropout", "gaussian_noise", "embedding"}  # in test files of their own
RNG = np.random.default_rng(3)
X, Y, WEIGHT = RNG.normal(size=(23, 6)), RNG.integers(0, 3, 23), RNG.uniform(0.1, 2, 23)

every_layer = pytest.mark.parametrize("name", LAYERS)
both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])


def network(name, dtype="float64", width=9, **options):
    """The layer after a dense one, inside a block, and first of all."""
    make = LAYERS[name]
    branch = Residual([make(**options), Dense(width, "tanh")])
    layers = [make(**options), Dense(width, use_bias=False), make(**options), branch, Dropout(0.2)]
    return Sequential([*layers, Dense(3, "softmax")], input_size=6, dtype=dtype, seed=4)


def everything(model):
    """All numbers of a model as bytes."""
    net = model._built()
    return net.params.tobytes(), net.state.tobytes(), model.predict(X).tobytes()


def of_kind(model):
    return [model.layers[0], model.layers[2], model.layers[3].layers[0]]


def test_every_kind_is_tested():
    assert {LAYERS[name]().kind for name in LAYERS} == KINDS.keys() - {
        "dense",
        "activation",
        "residual",
        *ELSEWHERE,
    }


# ------------------------------------------------------------------------------------------------------------ gradients


@every_layer
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_agree_with_differences(name, training, weighted):
    model, rng = network(name), np.random.default_rng(6)
    for layer in of_kind(model):
        for parameter in layer.parameters:
            getattr(layer, parameter)[...] += rng.normal(scale=0.2, size=getattr(layer, parameter).shape)
    weight = WEIGHT if weighted else None
    report = check_model(model, X, Y, "cce", sample_weight=weight, training=training, progress=False)
    assert report.ok, report


@every_layer
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", ["one row", "one column", "constant column", "constant row", "zeros", "large", "tiny"])
def test_gradients_agree_at_the_edges(name, training, case):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(5, 4))
    if case == "one row":
        x = x[:1]
    elif case == "one column":
        x = x[:, :1]
    elif case == "constant column":
        x[:, 1] = 3
    elif case == "constant row":
        x[2] = -2
    elif case == "zeros":
        x[...] = 0
    elif case == "large":
        x *= 1e6
    elif case == "tiny":
        x *= 1e-6
    below = Dense(4, kernel_initializer="zeros" if case == "zeros" else "glorot_uniform", use_bias=False)
    model = Sequential([Scale(), below, LAYERS[name](), Dense(2)], input_size=x.shape[1], dtype="float64", seed=1)
    report = check_model(model, x, rng.normal(size=(len(x), 2)), "mse", training=training, progress=False)
    assert report.ok, report
    assert np.isfinite(model.forward(x, training=training)).all()


@every_layer
def test_no_rows_are_refused(name):
    model = network(name)
    before = everything(model)
    for call in (model.forward, model.predict):
        with pytest.raises(ValueError, match=r"shape \(0, 6\)"):
            call(np.empty((0, 6)))
    assert everything(model) == before


@every_layer
def test_parameters_are_views_that_take_values_of_their_shape(name):
    layer = of_kind(network(name))[1]
    for parameter in layer.parameters:
        array = getattr(layer, parameter)
        setattr(layer, parameter, np.arange(array.size) + 0.5)
        assert getattr(layer, parameter).tolist() == [k + 0.5 for k in range(array.size)]
        with pytest.raises(ValueError, match=f"{parameter} has shape"):
            setattr(layer, parameter, np.zeros((array.size + 1,)))
        with pytest.raises(RuntimeError, match="no backward"):
            getattr(layer, f"grad_{parameter}")
    with pytest.raises(RuntimeError, match="no arrays yet"):
        getattr(LAYERS[name](), layer.parameters[0])


# ------------------------------------------------------------------------------------------------ who computes it


@every_layer
@both_types
@pytest.mark.parametrize("batch_size", [1, 5, 23])
@pytest.mark.parametrize("width", [9, 150])  # one sweep of the update, or one per layer
def test_fit_is_what_steps_by_hand_and_partial_fit_are(name, dtype, batch_size, width):
    fitted, by_hand, in_pieces = (network(name, dtype, width) for _ in range(3))
    options = {"batch_size": batch_size, "shuffle": False}
    fitted.fit(X, Y, "cce", optimizer=Adam(0.01), progress=False, **options)
    in_pieces.partial_fit(X, Y, "cce", optimizer=Adam(0.01), **options)
    optimizer = Adam(0.01)
    for begin in range(0, 23, batch_size):
        by_hand.forward(X[begin : begin + batch_size], training=True)
        by_hand.backward(Y[begin : begin + batch_size], "cce")
        by_hand.update(optimizer)
    assert everything(by_hand) == everything(in_pieces) == everything(fitted)


@every_layer
@both_types
def test_a_training_that_is_interrupted_goes_on_alike(name, dtype, tmp_path):
    options = {"batch_size": 5, "progress": False}
    whole, parts = network(name, dtype), network(name, dtype)
    whole.fit(X, Y, "cce", optimizer=SGD(0.1), epochs=4, **options)
    for i in range(4):
        parts.fit(X, Y, "cce", optimizer=SGD(0.1), epochs=1, **options)
        if i == 1:
            parts.save(tmp_path / "model")
            parts = Sequential.load(tmp_path / "model")
        elif i == 2:
            parts = pickle.loads(pickle.dumps(copy.copy(copy.deepcopy(parts))))
    assert everything(parts) == everything(whole)


@every_layer
@both_types
def test_the_bits_are_the_same_on_any_number_of_threads(name, dtype):
    def trained(threads):
        set_num_threads(threads)
        model = network(name, dtype, width=300)
        model.fit(np.tile(X, (10, 1)), np.tile(Y, 10), "cce", optimizer=Adam(), batch_size=115, progress=False)
        return everything(model)

    before = get_num_threads()
    try:
        answers = {trained(threads) for threads in (1, 2, 3, 5)}
    finally:
        set_num_threads(before)
    assert len(answers) == 1


@every_layer
def test_predictions_are_those_of_forward_however_many_rows(name):
    model = network(name)
    model.fit(X, Y, "cce", epochs=2, progress=False)
    np.testing.assert_array_equal(model.predict(X), model.forward(X))
    np.testing.assert_array_equal(model.predict(X[3:4]), model.predict(X)[3:4])
    many = np.tile(X, (30, 1))
    np.testing.assert_array_equal(model.predict(many), np.tile(model.predict(X), (30, 1)))
    before = everything(model)
    model.evaluate(X, Y, "cce")
    model.forward(X)
    assert everything(model) == before


class Failing(CustomLayer):
    """Hands on what it is given, and fails in the batch that it is told to."""

    left = 2

    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        self.left -= training
        if self.left < 0:
            raise ZeroDivisionError("on purpose")
        return x

    def backward(self, grad_y, x):
        return grad_y


@every_layer
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_batch_that_fails_changes_nothing(name, by_hand):
    def model(layer):
        return Sequential([LAYERS[name](), layer, Dense(3, "softmax")], input_size=6, dtype="float64", seed=1)

    failing, whole = model(Failing()), model(Scale(trainable=False))
    options = {"batch_size": 6, "shuffle": False, "progress": False}
    whole.fit(X[:12], Y[:12], "cce", optimizer=SGD(0.1), **options)
    if by_hand:
        failing.layers[1].left = 3
        failing.fit(X[:12], Y[:12], "cce", optimizer=SGD(0.1), **options)
        failing.layers[1].left = 0
        with pytest.raises(ZeroDivisionError):
            failing.forward(X, training=True)
    else:
        with pytest.raises(ZeroDivisionError):
            failing.fit(X, Y, "cce", optimizer=SGD(0.1), **options)
    for mine, other in zip(failing.layers[0].parameters, whole.layers[0].parameters, strict=True):
        np.testing.assert_array_equal(getattr(failing.layers[0], mine), getattr(whole.layers[0], other))
    np.testing.assert_array_equal(failing._built().state, whole._built().state)


# ---------------------------------------------------------------------------------------------- settings and files


@every_layer
@both_types
def test_frozen_layers_stay_as_they_are(name, dtype):
    for width in (9, 150):
        model = network(name, dtype, width, trainable=False)
        kinds = of_kind(model)
        before = [getattr(layer, parameter).copy() for layer in kinds for parameter in layer.parameters]
        state, w = model._built().state.copy(), model.layers[1].w.copy()
        model.fit(X, Y, "cce", epochs=2, progress=False)
        after = [getattr(layer, parameter) for layer in kinds for parameter in layer.parameters]
        for mine, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(mine, other)
        np.testing.assert_array_equal(model._built().state, state)
        assert (model.layers[1].w != w).any()
        for layer in kinds:
            layer.trainable = True
        model.fit(X, Y, "cce", epochs=1, progress=False)
        assert all((getattr(layer, layer.parameters[0]) != 1).any() for layer in kinds)


@every_layer
@pytest.mark.parametrize("width", [9, 150])
def test_learning_rate_factor_and_clipping_reach_every_parameter(name, width):
    still = network(name, width=width, learning_rate_factor=0.0)
    plain, halved = network(name, width=width), network(name, width=width, learning_rate_factor=0.5)
    clipped = network(name, width=width)
    for model, options in ((still, {}), (plain, {}), (halved, {}), (clipped, {"clip_norm": 1e-3})):
        model.fit(X, Y, "cce", optimizer=SGD(0.1, **options), batch_size=23, progress=False)
    fresh = network(name, width=width)
    for layers in zip(*map(of_kind, (fresh, still, plain, halved, clipped)), strict=True):
        for parameter in layers[0].parameters:
            first, unmoved, moved, half, least = (getattr(layer, parameter) for layer in layers)
            np.testing.assert_array_equal(first, unmoved)
            np.testing.assert_allclose(half - first, (moved - first) / 2, rtol=1e-9, atol=1e-15)
            assert np.abs(least - first).max() <= 1e-4
            assert np.abs(moved - first).max() > 0


@every_layer
def test_files_copies_and_pickles_hold_all_of_it(name, tmp_path):
    model = network(name, "float32", learning_rate_factor=0.5)
    model.layers[2].trainable = False
    model.fit(X, Y, "cce", epochs=2, progress=False)
    model.save(tmp_path / "model")
    others = [Sequential.load(tmp_path / "model"), copy.copy(model), copy.deepcopy(model)]
    for other in [*others, pickle.loads(pickle.dumps(model))]:
        assert repr(other) == repr(model)
        assert everything(other) == everything(model)
        assert other.layers[2].trainable is False
        for each in (model, other):
            each = copy.deepcopy(each)
            each.fit(X, Y, "cce", optimizer=SGD(0.1), progress=False)
        assert everything(other) == everything(model)
    layer = model.layers[0]
    assert repr(eval(repr(layer).partition("  #")[0], vars(mlpcore))) == repr(layer).partition("  #")[0]
    alone = copy.deepcopy(layer)
    assert alone.input_size is None
    assert alone._config() == layer._config()


@every_layer
def test_the_summary_counts_its_parameters(name):
    layer = LAYERS[name]()
    model = Sequential([layer], input_size=6)
    row = model.summary().splitlines()[2].split()
    assert row == ["1", type(layer).__name__, str(sum(getattr(layer, each).size for each in layer.parameters))]
    assert Sequential([LAYERS[name]()]).summary().splitlines()[2].split()[-1] == "?"


@pytest.mark.parametrize("kind", ["batch_norm", "layer_norm", "rms_norm"])
def test_defaults_are_the_catalogue_s(kind):
    layer = KINDS[kind]()
    for hyper in catalogue.entry("layers", kind).hypers:
        assert getattr(layer, hyper.name) == hyper.default
        for outside in (np.nextafter(hyper.least, -1), hyper.below, np.nan, "1", None, True):
            with pytest.raises((TypeError, ValueError), match=hyper.name):
                KINDS[kind](**{hyper.name: outside})


@every_layer
@pytest.mark.parametrize(("option", "value"), [("trainable", 1), ("trainable", None), ("learning_rate_factor", -1.0)])
def test_bad_settings_are_refused(name, option, value):
    with pytest.raises((TypeError, ValueError), match=f"{option} is "):
        LAYERS[name](**{option: value})


def test_a_step_with_wrong_constants_is_refused():
    for constants, error in ((("x",), TypeError), ((2.0,), ValueError), ("relu", TypeError), (0.5, TypeError)):
        with pytest.raises(error, match="constants"):
            mlpcore._core.Net(2, [mlpcore.engine.Step("batch_norm", constants=constants)], "float64")
