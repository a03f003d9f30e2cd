"""Residual blocks: what they compute. tests/test_gradients.py has them in random models."""

import numpy as np
import pytest

from mlpcore import (
    Activation,
    Adam,
    Dense,
    Dropout,
    Residual,
    Sequential,
    get_num_threads,
    set_num_threads,
)


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
