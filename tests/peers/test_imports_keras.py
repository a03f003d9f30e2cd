"""from_keras: random Sequentials of everything that both have predict the same, from Keras and from its files."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

from keras import layers  # noqa: E402

import mlpcore  # noqa: E402
from mlpcore import catalogue  # noqa: E402
from mlpcore.keras_layers import ACTIVATIONS, KERAS_NAMES, LAYERS, LEFT_OUT, NOT_OF_KERAS  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Keras calls
NAMES = [name for name in catalogue.names("activations") if name not in (*NOT_OF_KERAS, "leaky_relu")]
NAMES += ["leaky_relu", *KERAS_NAMES]
SIGMAS = [
    lambda: layers.ReLU(), lambda: layers.ReLU(6), lambda: layers.ReLU(negative_slope=0.2), lambda: layers.ELU(0.7),
    lambda: layers.LeakyReLU(0.1), lambda: layers.LeakyReLU(), lambda: layers.Softmax(),
    lambda: layers.Activation("mish"),
]  # fmt: skip


def randomized(model, rng):
    """Give a model numbers of any kind, with variances above 0."""
    numbers = [np.abs(rng.normal(size=each.shape)) + 0.2 for each in model.get_weights()]
    signs = [1 if "variance" in variable.path else rng.choice([-1, 1], variable.shape) for variable in model.weights]
    model.set_weights([sign * number for sign, number in zip(signs, numbers, strict=True)])


def assert_the_same(model, x, ours):
    expected = np.asarray(model.predict_on_batch(x))
    assert ours.dtype == expected.dtype.name
    got = ours.predict(x.reshape(len(x), -1))
    assert np.abs(got - expected).max() <= 1e-6 * max(1, np.abs(expected).max()) * (
        10 if ours.dtype == "float32" else 1
    )


@pytest.fixture
def float64():
    keras.backend.set_floatx("float64")
    yield
    keras.backend.set_floatx("float32")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("sigma", NAMES)
def test_every_activation(sigma):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, sigma), layers.Dense(3), layers.Activation(sigma)])
    randomized(model, np.random.default_rng(1))
    ours = mlpcore.from_keras(model)
    assert len(ours.layers) == 2
    assert_the_same(model, np.random.default_rng(0).normal(size=(20, 4)) * 2, ours)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("number", range(len(SIGMAS)))
def test_every_layer_that_is_an_activation(number):
    make = SIGMAS[number]
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, activation=make()), layers.Dense(3), make(), make()])
    randomized(model, np.random.default_rng(1))
    assert_the_same(model, np.random.default_rng(0).normal(size=(20, 4)) * 2, mlpcore.from_keras(model))


def random_layer(rng):
    flag = lambda: bool(rng.integers(3))  # noqa: E731
    kinds = [
        lambda: layers.Dropout(0.3), lambda: layers.AlphaDropout(0.2), lambda: layers.GaussianNoise(0.1),
        lambda: layers.BatchNormalization(center=flag(), scale=flag(), momentum=0.8, epsilon=0.01),
        lambda: layers.LayerNormalization(center=flag(), scale=flag(), epsilon=0.01), lambda: layers.RMSNormalization(),
        lambda: layers.PReLU(), lambda: layers.PReLU(shared_axes=[1]), lambda: layers.Identity(),
        lambda: layers.Flatten(), lambda: SIGMAS[rng.integers(len(SIGMAS))](),
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))]()


def random_model(seed):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(rng.integers(1, 5)):
        sigma = NAMES[rng.integers(len(NAMES))]
        made.append(layers.Dense(int(rng.integers(1, 9)), sigma, use_bias=bool(rng.integers(3))))
        made += [random_layer(rng) for _ in range(rng.integers(3))]
    cut = int(rng.integers(1, len(made) + 1))
    inner = [keras.Sequential(made[cut:])] if made[cut:] else []
    shape = (2, 3) if seed % 5 == 0 else (6,)
    flat = [layers.Flatten()] if len(shape) == 2 else []
    model = keras.Sequential([keras.Input(shape), *flat, *made[:cut], *inner])
    randomized(model, rng)
    return model, rng.normal(size=(9, *shape))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", range(60))
def test_random_models(seed):
    model, x = random_model(seed)
    assert_the_same(model, x, mlpcore.from_keras(model))


@pytest.mark.parametrize("seed", range(20))
def test_files_and_json(seed, tmp_path):
    model, x = random_model(seed)
    x = x.astype("float32")
    ours = mlpcore.from_keras(model)
    assert_the_same(model, x, ours)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    others = [
        mlpcore.from_keras(tmp_path / "m.keras"),
        mlpcore.from_keras(str(tmp_path / "m.keras")),
        mlpcore.from_keras(model.to_json(), model.get_weights()),
        mlpcore.from_keras(model.to_json(), tmp_path / "m.weights.h5"),
    ]
    for other in others:
        assert repr(other.layers) == repr(ours.layers)
        assert np.array_equal(other.predict(x.reshape(len(x), -1)), ours.predict(x.reshape(len(x), -1)))


def test_a_trained_model_is_trained_on():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)).astype("float32"), rng.integers(0, 2, 200)
    model = keras.Sequential(
        [layers.Dense(8, trainable=False), layers.BatchNormalization(), layers.ReLU(), layers.Dense(1, "sigmoid")]
    )
    with pytest.raises(ValueError, match="which is not built: give it a keras.Input"):
        mlpcore.from_keras(model)
    model.compile("adam", "binary_crossentropy")
    model.fit(X, y, epochs=2, verbose=0)
    ours = mlpcore.from_keras(model)
    assert_the_same(model, X, ours)
    assert [layer.trainable for layer in ours.layers if hasattr(layer, "trainable")] == [False, True, True]
    ours.fit(X, y, "bce", epochs=1, progress=False)
    assert np.array_equal(ours.layers[0].w, model.layers[0].kernel.numpy().T)


def scaled(x):
    return 2 * x


class Own(layers.Dense):
    pass


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (
            [layers.Dense(2), layers.GaussianDropout(0.1)],
            TypeError,
            r"layers\[2\] is 'GaussianDropout', which mlpcore has",
        ),
        (
            [layers.Rescaling(0.1), layers.Dense(2)],
            TypeError,
            "is 'Rescaling', which mlpcore has not, expected Dense, ",
        ),
        ([Own(2)], TypeError, r"layers\[1\] is 'Own', which mlpcore has not"),
        ([layers.Dense(2, scaled)], TypeError, "has activation .*scaled.*, which mlpcore has not"),
        ([layers.Dense(2, "sparsemax")], TypeError, "has activation 'sparsemax', which mlpcore has not"),
        ([layers.Dense(2, activation=layers.PReLU())], TypeError, "has activation .*, which mlpcore has not"),
        (
            [layers.Dense(2), layers.ReLU(3)],
            ValueError,
            r"ReLU, has max_value=3 and negative_slope=0.0, expected max_va",
        ),
        ([layers.Dense(2), layers.ReLU(threshold=1)], ValueError, "ReLU, has threshold=1, expected 0.0"),
        ([layers.Dense(2), layers.Dropout(0.5, noise_shape=(1, 2))], ValueError, r"has noise_shape=.*, expected None"),
        ([layers.Activation("relu")], ValueError, "model has no weights: expected at least one Dense"),
    ],
)
def test_what_mlpcore_has_not_is_named(made, error, message):
    with pytest.raises(error, match=message):
        mlpcore.from_keras(keras.Sequential([keras.Input((3,)), *made]))


def test_samples_of_several_axes_are_refused():
    model = keras.Sequential([keras.Input((4, 3)), layers.Dense(2), layers.Flatten()])
    with pytest.raises(ValueError, match="takes samples of shape .*4, 3.*, expected rows of numbers, or Flatten first"):
        mlpcore.from_keras(model)


def test_functional_models_are_refused():
    x = keras.Input((3,))
    with pytest.raises(TypeError, match="expected a keras.Sequential"):
        mlpcore.from_keras(keras.Model(x, layers.Dense(2)(x)))


def test_every_class_is_one_of_keras():
    assert all(hasattr(layers, kind) for kind in (*LAYERS, *ACTIVATIONS, *LEFT_OUT))
