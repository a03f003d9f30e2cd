"""from_keras without Keras: JSON and lists of arrays; every setting and every array that does not fit is named."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

import mlpcore
from mlpcore.keras_layers import ACTIVATIONS, LAYERS

RNG = np.random.default_rng(0)
DENSE = {"units": 3, "activation": "tanh", "use_bias": True}


def sequential(*layers, **config):
    """Return the JSON of a Sequential, of pairs of a class and its settings."""
    entries = [{"module": "keras.layers", "class_name": kind, "config": settings} for kind, settings in layers]
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": entries, **config}}


def arrays(*shapes, dtype="float64"):
    return [np.abs(RNG.normal(size=shape)).astype(dtype) + 0.1 for shape in shapes]


def test_an_mlp_is_what_its_equations_say():
    w, b, gamma, beta, mean, variance, v, c = arrays((4, 3), 3, 3, 3, 3, 3, (3, 2), 2)
    model = mlpcore.from_keras(
        sequential(
            ("InputLayer", {"batch_shape": [None, 4]}), ("Dense", DENSE), ("Dropout", {"rate": 0.5}),
            ("BatchNormalization", {"epsilon": 0.01, "momentum": 0.9}), ("Dense", {"units": 2}),
            ("Activation", {"activation": "sigmoid"}),
        ),
        [w, b, gamma, beta, mean, variance, v, c],
    )  # fmt: skip
    x = RNG.normal(size=(5, 4))
    y = gamma * (np.tanh(x @ w + b) - mean) / np.sqrt(variance + 0.01) + beta
    assert model.predict(x) == pytest.approx(1 / (1 + np.exp(-(y @ v + c))), rel=1e-12)
    assert model.dtype == "float64"
    assert (model.layers[2].momentum, model.layers[1].rate, model.layers[3].activation) == (0.9, 0.5, "sigmoid")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_json_may_be_text(dtype):
    described, numbers = sequential(("Dense", DENSE)), arrays((2, 3), 3, dtype=dtype)
    models = [
        mlpcore.from_keras(each, numbers) for each in (described, json.dumps(described), f"\n {json.dumps(described)}")
    ]
    assert {model.dtype for model in models} == {dtype}
    assert len({model.predict([[1.0, 2.0]]).tobytes() for model in models}) == 1
    assert described == sequential(("Dense", DENSE))


def test_normalizations_may_lack_a_scale_or_a_center():
    layers = [("Dense", {"units": 3, "use_bias": False}), ("LayerNormalization", {"scale": False}),
              ("BatchNormalization", {"center": False}), ("RMSNormalization", {}), ("PReLU", {})]  # fmt: skip
    w, beta, gamma, mean, variance, scale, alpha = arrays((2, 3), 3, 3, 3, 3, 3, 3)
    dense, layer_norm, batch_norm, rms_norm, prelu = mlpcore.from_keras(
        sequential(*layers), [w, beta, gamma, mean, variance, scale, alpha]
    ).layers
    assert np.array_equal(dense.w, w.T)
    assert dense.b is None
    for got, expected in (
        (layer_norm.gamma, np.ones(3)), (layer_norm.beta, beta), (batch_norm.gamma, gamma),
        (batch_norm.beta, np.zeros(3)), (batch_norm.running_mean, mean), (batch_norm.running_variance, variance),
        (rms_norm.gamma, scale), (prelu.alpha, alpha),
    ):  # fmt: skip
        assert np.array_equal(got, expected)


def test_nested_models_lie_in_their_place():
    inner = sequential(("Dense", DENSE), ("Dense", {"units": 2}))
    described = sequential(("Dense", DENSE), ("Dense", {"units": 1}))
    described["config"]["layers"].insert(1, inner)
    model = mlpcore.from_keras(described, arrays((2, 3), 3, (3, 3), 3, (3, 2), 2, (2, 1), 1))
    assert [layer.units for layer in model.layers] == [3, 3, 2, 1]


def test_models_may_be_nested_only_so_deep():
    described = sequential(("Dense", DENSE))
    for _ in range(45):
        described = {"class_name": "Sequential", "config": {"layers": [described]}}
    assert len(mlpcore.from_keras(described, arrays(*GOOD)).layers) == 1
    for _ in range(2000):
        described = {"class_name": "Sequential", "config": {"layers": [described]}}
    with pytest.raises(ValueError, match="model has more than 50 Sequentials inside each other"):
        mlpcore.from_keras(described, arrays(*GOOD))


def test_flattened_samples_are_rows():
    layers = [("InputLayer", {"batch_shape": [None, 2, 2]}), ("Flatten", {}), ("Dense", {"units": 1})]
    assert mlpcore.from_keras(sequential(*layers), arrays((4, 1), 1)).input_size == 4
    for outer in (layers[1:], [layers[2]]):
        described = sequential(*outer, build_input_shape=[None, 2, 2])
        if outer == layers[1:]:
            mlpcore.from_keras(described, arrays((4, 1), 1))
        else:
            with pytest.raises(ValueError, match=r"takes samples of shape \[2, 2\], expected rows of numbers, or Flat"):
                mlpcore.from_keras(described, arrays((4, 1), 1))


GOOD = [(2, 3), 3]
DEEP = "{" + '"a":{' * 100000


@pytest.mark.parametrize(
    ("model", "weights", "error", "message"),
    [
        (3, None, TypeError, "model is 3, expected a keras.Sequential, its JSON, or the path of a .keras file"),
        (3, [], TypeError, "weights is given, expected none: they belong to JSON, and come from the model itself"),
        (sequential(("Dense", DENSE)), None, TypeError, "weights is missing, expected what get_weights"),
        (sequential(("Dense", DENSE)), np.ones(3), TypeError, "weights is .*, expected a list of arrays"),
        ("{", [], ValueError, "model is no JSON: Expecting"),
        (DEEP, [], ValueError, "model is no JSON: "),
        ({"class_name": "Functional"}, [], TypeError, "model is a 'Functional', expected a 'Sequential'"),
        ({}, [], TypeError, "model is a None, expected a 'Sequential'"),
        (
            sequential() | {"keras_version": "2.15.0"}, [], ValueError,
            "model is of Keras 2.15.0, expected Keras 3: load it there, and save it again",
        ),
        ({"class_name": "Sequential"}, [], ValueError, "model has config None, expected a JSON object"),
        ({"class_name": "Sequential", "config": {}}, [], ValueError, "model has layers None, expected a list"),
        (sequential(), [], ValueError, "model has no weights: expected at least one Dense"),
        (
            {"class_name": "Sequential", "config": {"layers": [3]}}, [], ValueError,
            r"layers\[0\] is 3, expected a layer with a class_name and a config",
        ),
        (sequential(("Conv2D", {})), [], TypeError, r"layers\[0\] is 'Conv2D', which mlpcore has not, expected Dense"),
        (sequential((["Dense"], {})), [], TypeError, r"layers\[0\] is \['Dense'\], which mlpcore has not"),
        (sequential(("Dense", {})), arrays(*GOOD), ValueError, r"layers\[0\], Dense, has no units: expected JSON"),
        (sequential(("Dense", DENSE)), arrays((2, 3)), ValueError, "weights has 1 arrays, expected 2: those of"),
        (
            sequential(("Dense", DENSE)), arrays((2, 4), 3), ValueError,
            r"layers\[0\], Dense: kernel has shape \(2, 4\), expected \(any, 3\)",
        ),
        (
            sequential(("Dense", DENSE), ("Dense", DENSE)), arrays((2, 3), 3, (4, 3), 3), ValueError,
            r"layers\[1\], Dense: kernel has shape \(4, 3\), expected \(3, 3\)",
        ),
        (
            sequential(("Dense", DENSE)), arrays((2, 3), 2), ValueError,
            r"layers\[0\], Dense: bias has shape \(2,\), expected \(3,\)",
        ),
        (
            sequential(("Dense", {**DENSE, "units": 10**15})), arrays(*GOOD), ValueError,
            r"kernel has shape \(2, 3\), expected \(any, 1000000000000000\)",
        ),
        (sequential(("Dense", DENSE)), arrays(*GOOD, dtype="float16"), ValueError, "Dense: kernel is float16, expec"),
        (
            sequential(("Dense", {**DENSE, "activation": "nothing"})), arrays(*GOOD), TypeError,
            r"layers\[0\], Dense, has activation 'nothing', which mlpcore has not",
        ),
        (
            sequential(("Dense", {**DENSE, "activation": "gelu_tanh"})), arrays(*GOOD), TypeError,
            "has activation 'gelu_tanh', which mlpcore has not",
        ),
        (sequential(("Dense", {**DENSE, "trainable": 3})), arrays(*GOOD), TypeError, "trainable is 3, expected"),
        (
            sequential(("Dense", {**DENSE, "quantization_config": {}})), arrays(*GOOD), ValueError,
            r"layers\[0\], Dense, is quantized or has LoRA weights, expected a plain one",
        ),
        (
            sequential(("Dense", DENSE), ("LayerNormalization", {"axis": [0]})), arrays(*GOOD, 3, 3), ValueError,
            r"layers\[1\], LayerNormalization, has axis=\[0\], expected -1",
        ),
        (sequential(("Dense", DENSE), ("Dropout", {"rate": 2})), arrays(*GOOD), ValueError, "rate is 2"),
        (
            sequential(("Dense", DENSE), ("PReLU", {"shared_axes": [2]})), arrays(*GOOD, 3), ValueError,
            r"PReLU, has shared_axes=\[2\], expected None",
        ),
        (
            sequential(("PReLU", {"shared_axes": [1]})), arrays(1), ValueError,
            "model takes any number of inputs: expected at least one Dense",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_named(model, weights, error, message):
    with pytest.raises(error, match=message):
        mlpcore.from_keras(model, weights)


@pytest.mark.parametrize(
    "change", [{"registered_name": "Mine>Dense"}, {"module": "mine"}, {"class_name": "Mine>Dense"}]
)
def test_a_class_of_ones_own_is_not_taken_for_one_of_keras(change):
    described = copy.deepcopy(sequential(("Dense", DENSE)))
    described["config"]["layers"][0] |= change
    with pytest.raises(TypeError, match=r"layers\[0\] is .*Dense', which mlpcore has not"):
        mlpcore.from_keras(described, arrays(*GOOD))


def test_the_page_names_every_layer():
    page = (Path(__file__).parent.parent / "docs" / "interop.md").read_text(encoding="utf-8")
    section = page[page.index("## Keras") :]
    assert [kind for kind in (*LAYERS, *ACTIVATIONS) if f"`{kind}" not in section] == []
