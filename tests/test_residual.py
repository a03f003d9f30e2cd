"""Residual blocks: what they compute, and gradients of random networks of every kind of layer."""

import numpy as np
import pytest

from mlpcore import (
    Activation,
    Adam,
    BatchNorm,
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
    network,
    set_num_threads,
)
from mlpcore.gradcheck import check_model

COLUMNS = [BatchNorm, LayerNorm, RMSNorm, Scale, PReLU, lambda: PReLU(0.1, shared=True)]
ACTIVATIONS = [name for name in catalogue.names("activations") if name != "softmax"]


def random_layers(rng, width, depth=0):
    """Between one and four layers from `width` inputs to as many outputs as the last of them has."""
    layers = []
    for _ in range(int(rng.integers(1, 4 if depth else 5))):
        kind = rng.choice(["dense", "activation", "dropout", "columns", "residual"][: 5 if depth < 3 else 4])
        if kind == "dense":
            width = int(rng.integers(1, 7))
            layers.append(Dense(width, str(rng.choice(ACTIVATIONS)), use_bias=bool(rng.integers(4))))
        elif kind == "activation":
            layers.append(Activation(str(rng.choice(ACTIVATIONS))))
        elif kind == "columns":
            layers.append(COLUMNS[rng.integers(len(COLUMNS))]())
        elif kind == "dropout":
            layers.append(Dropout(float(rng.choice([0.0, 0.3, 0.7]))))
        else:
            branch, _ = random_layers(rng, width, depth + 1)
            layers.append(Residual([*branch, Dense(width)]))
    return layers, width


def random_model(seed, dtype="float64"):
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 6))
    layers, _ = random_layers(rng, inputs)
    loss, last = [("mse", Dense(2)), ("bce", Dense(3, "sigmoid")), ("cce", Dense(3, "softmax"))][seed % 3]
    model = Sequential([*layers, last], input_size=inputs, dtype=dtype, seed=seed)
    for _, layer in network.all_layers(model.layers):
        if isinstance(layer, Dense) and layer.use_bias:
            layer.b = rng.uniform(-0.5, 0.5, layer.units)  # away from the kinks of units that read only zeros
    x = rng.normal(size=(int(rng.integers(1, 5)), inputs))
    y = np.eye(3)[rng.integers(0, 3, len(x))] if loss != "mse" else rng.normal(size=(len(x), 2))
    return model, x, y, loss


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_gradients_of_random_networks_agree_with_differences(first):
    for seed in range(first, first + 20):
        model, x, y, loss = random_model(seed)
        report = check_model(model, x, y, loss, training=seed % 2 == 1, progress=False)
        assert report.ok, f"seed {seed}: {report}\n{model.layers}"


def test_a_block_adds_its_branch():
    branch = [Dense(5, "tanh"), Dense(3)]
    model = Sequential([Residual(branch)], input_size=3, dtype="float64", seed=1)
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    y = np.tanh(x @ branch[0].w.T + branch[0].b) @ branch[1].w.T + branch[1].b + x
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-14)
    np.testing.assert_array_equal(model.forward(x), model.predict(x))


def test_a_branch_of_zeros_hands_on_what_it_is_given():
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    for inner in ([Dense(3, kernel_initializer="zeros")], [Dropout(0.5), Dense(3, kernel_initializer="zeros")]):
        model = Sequential([Residual(inner)], input_size=3, dtype="float64")
        np.testing.assert_array_equal(model.predict(x), x)


def test_the_gradient_to_the_input_is_a_sum():
    below, inside = Dense(3, "tanh"), Dense(3)
    model = Sequential([below, Residual([inside]), Dense(2)], input_size=4, dtype="float64", seed=2)
    x, y = np.linspace(-1, 1, 20).reshape(5, 4), np.linspace(0, 1, 10).reshape(5, 2)
    model.forward(x)
    model.backward(y, "mse")
    grad_y = model.layers[2].phi @ model.layers[2].w
    np.testing.assert_allclose(below.phi, (grad_y + inside.phi @ inside.w) * (1 - below.a**2), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_gives_the_same_bits_on_any_number_of_threads(dtype):
    def trained(threads):
        set_num_threads(threads)
        layers = [
            Dense(200, "relu"),
            Residual([Dropout(0.3), Dense(150, "tanh"), Residual([Dense(150)]), Dense(200)]),
            Dropout(0.2),
            Dense(3, "softmax"),
        ]
        model = Sequential(layers, input_size=40, dtype=dtype, seed=4)
        rng = np.random.default_rng(0)
        x = rng.normal(size=(300, 40))
        model.fit(x, rng.integers(0, 3, 300), "cce", optimizer=Adam(), epochs=2, batch_size=150, progress=False)
        return model._built().params.tobytes(), model.predict(x).tobytes()

    before = get_num_threads()
    try:
        answers = [trained(threads) for threads in (1, 2, 3)]
    finally:
        set_num_threads(before)
    assert answers[0] == answers[1] == answers[2]


def test_a_layer_belongs_to_one_block():
    shared = Dense(3)
    Residual([shared])
    with pytest.raises(ValueError, match=r"layers\[0\]"):
        Residual([shared])
    with pytest.raises(ValueError, match=r"layers\[0\]"):
        Sequential([shared])


@pytest.mark.parametrize(("layers", "error"), [([], ValueError), (["relu"], TypeError), (None, TypeError)])
def test_what_is_no_branch_is_refused(layers, error):
    with pytest.raises(error, match="layers"):
        Residual(layers)


def test_repr_can_be_evaluated():
    block = Residual([Dense(2, "relu"), Residual([Activation("tanh")]), Dense(3)])
    assert repr(eval(repr(block))) == repr(block)
