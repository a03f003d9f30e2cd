"""From layers to steps: places, names and views of parameters, and what does not fit together."""

import numpy as np
import pytest

from mlpcore import Activation, Dense, Dropout, Residual, Sequential, network


def layers():
    return [Dense(4, "tanh"), Residual([Dense(5), Residual([Activation("relu")]), Dense(4)]), Dropout(0.1), Dense(2)]


def test_every_layer_is_found_by_its_path():
    assert [path for path, _ in network.all_layers(layers())] == [
        "layers.0",
        "layers.1",
        "layers.1.layers.0",
        "layers.1.layers.1",
        "layers.1.layers.1.layers.0",
        "layers.1.layers.2",
        "layers.2",
        "layers.3",
    ]


def test_steps_belong_to_layers_numbered_in_this_order():
    steps = network.steps_of(layers(), 3)
    assert [(step.kind, step.layer) for step in steps] == [
        ("dense", 0),
        ("activation", 0),
        ("fork", 1),
        ("dense", 2),
        ("fork", 3),
        ("activation", 4),
        ("join", 3),
        ("dense", 5),
        ("join", 1),
        ("dropout", 6),
        ("dense", 7),
    ]


def test_a_layers_place_is_where_its_steps_are():
    each = layers()
    steps, places = network.steps_of(each, 3), network.places(each, 3)
    for number, (_, layer) in enumerate(network.all_layers(each)):
        place = places[layer]
        assert steps[place.first].layer == steps[place.last].layer == number
        assert layer._output_size(place.input_size) > 0
    assert [place.input_size for place in places.values()] == [3, 4, 4, 5, 5, 5, 4, 4]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_named_tensors_are_views_of_the_flat_buffer_as_the_layers_show_it(dtype):
    model = Sequential(layers(), input_size=3, dtype=dtype, seed=1)
    tensors = network.tensors(model.layers, 3, model._built().params)
    shapes = {name: shape for name, shape, _ in network.tensor_shapes(model.layers, 3)}
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    assert sum(tensor.size for tensor in tensors.values()) == model._built().params.size
    for path, layer in network.all_layers(model.layers):
        for name in ("w", "b") if isinstance(layer, Dense) else ():
            np.testing.assert_array_equal(tensors[f"{path}.{name}"], getattr(layer, name))
            assert np.shares_memory(tensors[f"{path}.{name}"], getattr(layer, name))


def test_making_a_network_changes_no_layer():
    each = layers()
    before = [(repr(layer), dict(vars(layer))) for _, layer in network.all_layers(each)]
    network.initialize(network.make(each, 3, "float32"), 1)
    assert [(repr(layer), dict(vars(layer))) for _, layer in network.all_layers(each)] == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: [Dense(3), Dense(2, input_size=4)], r"layers\[1\] has input_size=4, expected 3"),
        (lambda: [Dense(3), Dropout(0.5), Dense(2, input_size=4)], r"layers\[2\] has input_size=4, expected 3"),
        (lambda: [Dense(3), Residual([Dense(2)])], r"layers\[1\] has a branch of 2 outputs, expected 3"),
        (lambda: [Residual([Dense(3, input_size=2)])], r"layers\[0\] has input_size=2, expected 5"),
        (lambda: [Dense(3, input_size=2)], r"layers\[0\] has input_size=2, expected 5"),
    ],
)
def test_layers_that_do_not_fit_together_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        Sequential(make(), input_size=5)
    if "expected 5" not in message:
        with pytest.raises(ValueError, match=message):  # before the input size is known
            Sequential(make())
