"""to_sklearn: the same predictions as the model, and the same weights back; what scikit-learn has not is refused."""

import copy

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import neural_network
from sklearn.base import clone

import mlpcore
from mlpcore import Dense, Sequential, catalogue

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(30, 4))
HIDDEN = ["linear", "sigmoid", "tanh", "relu"]


def model_of(sizes, sigma, output, dtype="float64", seed=1):
    layers = [Dense(size, sigma) for size in sizes[:-1]]
    model = Sequential([*layers, Dense(sizes[-1], output)], input_size=4, dtype=dtype, seed=seed)
    model._built().params[...] += np.random.default_rng(seed).normal(scale=0.3, size=model._built().params.shape)
    return model


def assert_same_weights(model, other):
    assert [layer.activation for layer in other.layers] == [layer.activation for layer in model.layers]
    for layer, twin in zip(model.layers, other.layers, strict=True):
        assert np.array_equal(layer.w, twin.w)
        assert np.array_equal(layer.b, twin.b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sigma", HIDDEN)
@pytest.mark.parametrize(
    ("sizes", "output"),
    [
        ((5, 1), "linear"), ((3,), "linear"), ((6, 5, 2), "linear"), ((5, 1), "sigmoid"), ((5, 3), "sigmoid"),
        ((7, 3, 4), "softmax"),
    ],
)  # fmt: skip
def test_there_and_back(sizes, output, sigma, dtype):
    model = model_of(sizes, sigma, output, dtype)
    theirs = mlpcore.to_sklearn(model)
    x = X.astype(dtype)
    a = model.predict(x)
    got = theirs.predict(x) if output == "linear" else theirs.predict_proba(x)[:, -a.shape[1] :]
    got = got.reshape(a.shape)
    assert got == pytest.approx(a, rel=1e-5 if dtype == "float32" else 1e-12, abs=1e-6 if dtype == "float32" else 1e-13)
    back = mlpcore.from_sklearn(theirs)
    assert_same_weights(model, back)
    assert np.array_equal(back.predict(x), a)


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_here_and_back(kind, activation):
    theirs = getattr(neural_network, kind)(
        hidden_layer_sizes=(6, 5), activation=activation, max_iter=3, random_state=1
    ).fit(X, np.arange(30) % 3)
    twin = mlpcore.to_sklearn(mlpcore.from_sklearn(theirs))
    assert type(twin) is type(theirs)
    assert (twin.activation, twin.out_activation_, twin.n_layers_, twin.n_outputs_, twin.n_features_in_) == (
        theirs.activation, theirs.out_activation_, theirs.n_layers_, theirs.n_outputs_, theirs.n_features_in_,
    )  # fmt: skip
    for mine, other in zip(twin.coefs_ + twin.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert np.array_equal(mine, other)
        assert not np.shares_memory(mine, other)
    assert np.array_equal(twin.predict(X), theirs.predict(X))


def test_a_softmax_of_two_becomes_a_sigmoid():
    model = model_of((5, 2), "tanh", "softmax")
    theirs = mlpcore.to_sklearn(model, classes=["no", "yes"])
    assert theirs.out_activation_ == "logistic"
    assert theirs.predict_proba(X) == pytest.approx(model.predict(X), rel=1e-12)
    assert np.array_equal(theirs.predict(X), np.array(["no", "yes"])[model.predict(X).argmax(axis=1)])


@pytest.mark.parametrize("labels", [["red", "blue", "green"], [7, -1, 3], ["a", "b", "c"]])
def test_classes_may_have_any_order(labels):
    model = model_of((5, 3), "relu", "softmax")
    theirs = mlpcore.to_sklearn(model, classes=labels)
    assert np.array_equal(theirs.predict(X), np.array(labels)[model.predict(X).argmax(axis=1)])
    assert list(theirs.classes_) == sorted(labels)


@pytest.mark.parametrize("labels", [["yes", "no"], ["no", "yes"], [1, 0]])
@pytest.mark.parametrize("output", [(1, "sigmoid"), (2, "softmax")])
def test_two_classes_may_have_any_order(labels, output):
    units, sigma = output
    model = model_of((5, units), "relu", sigma)
    model.forward(X)
    last = model.layers[-1]
    last.b[-1] -= np.median(last.z[:, -1] - (last.z[:, 0] if units == 2 else 0))  # as many of each
    a = model.predict(X)
    second = a[:, 0] > 0.5 if units == 1 else a[:, 1] > 0.5
    expected = np.where(second, labels[1], labels[0])
    assert second.sum() == len(X) / 2
    assert np.array_equal(mlpcore.to_sklearn(model, classes=labels).predict(X), expected)


def test_layers_of_training_are_left_out():
    layers = [mlpcore.GaussianNoise(0.1), Dense(5, "tanh"), mlpcore.Dropout(0.5), Dense(2, use_bias=False)]
    model = Sequential(layers, input_size=4, dtype="float64", seed=1)
    theirs = mlpcore.to_sklearn(model)
    assert theirs.predict(X) == pytest.approx(model.predict(X), rel=1e-12, abs=1e-14)
    assert np.array_equal(theirs.intercepts_[1], np.zeros(2))


@pytest.mark.parametrize(("output", "y"), [((1, "linear"), X[:, 0]), ((3, "softmax"), np.arange(30) % 3)])
def test_it_can_be_trained_on_cloned_and_copied(output, y):
    theirs = mlpcore.to_sklearn(model_of((5, output[0]), "relu", output[1]))
    before = theirs.predict(X)
    assert np.array_equal(copy.deepcopy(theirs).predict(X), before)
    for _ in range(60):
        theirs.partial_fit(X, y)
    assert (len(theirs.loss_curve_), theirs.t_) == (60, 60 * 30)
    assert theirs.loss_curve_[-1] < theirs.loss_curve_[0]
    assert clone(theirs).fit(X, y).predict(X).shape == before.shape


def test_the_model_stays_as_it_was_and_no_random_number_is_drawn():
    model = model_of((5, 1), "relu", "linear")
    before, state = model.predict(X), np.random.get_state()[1].copy()  # noqa: NPY002
    assert mlpcore.to_sklearn(model).random_state is None
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    mlpcore.to_sklearn(model).partial_fit(X, X[:, 0]).coefs_[0][...] = 0
    assert np.array_equal(model.predict(X), before)


def test_names_of_columns_come_along():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    theirs = neural_network.MLPRegressor(hidden_layer_sizes=3, max_iter=2).fit(frame, X[:, 0])
    model = mlpcore.from_sklearn(theirs)
    assert model.feature_names_in_ == list("abcd")
    with pytest.raises(ValueError, match="another order"):
        model.predict(frame[list("bacd")])
    twin = mlpcore.to_sklearn(model)
    assert np.array_equal(twin.predict(frame), theirs.predict(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        twin.predict(frame[list("bacd")])


def test_of_our_own_estimators_comes_a_copy():
    from mlpcore.sklearn import MLPClassifier

    own = MLPClassifier((6, 5), ["gelu", "tanh"], dropout=0.2, max_iter=3, random_state=1)
    with pytest.raises(TypeError, match="expected a fitted MLPClassifier or MLPRegressor"):
        mlpcore.from_sklearn(own)
    own.fit(X, np.arange(30) % 3)
    model = mlpcore.from_sklearn(own)
    assert repr(model) == repr(own.model_)
    assert np.array_equal(model.predict(X), own.predict_proba(X))
    model.layers[0].w[...] = 0
    assert not np.array_equal(model.predict(X), own.predict_proba(X))


@pytest.mark.parametrize(
    ("model", "classes", "error", "message"),
    [
        (3, None, TypeError, "model is 3, expected a mlpcore.Sequential"),
        (Sequential([Dense(1)]), None, RuntimeError, "no weights yet"),
        (
            Sequential([Dense(3), mlpcore.LayerNorm(), Dense(1)], input_size=2),
            None,
            TypeError,
            r"layers.1 is LayerNorm\(\), expected Dense, Dropout, AlphaDropout or GaussianNoise: scikit",
        ),
        (Sequential([mlpcore.Dropout()], input_size=2), None, TypeError, "expected at least one Dense"),
        (
            model_of((3, 1), "gelu", "linear"),
            None,
            ValueError,
            r"a hidden layer is Dense\(3, 'gelu', .*, expected the activation one of linear, sigmoid, tanh, ",
        ),
        (
            Sequential([Dense(3, "relu"), Dense(4, "tanh"), Dense(1)], input_size=2),
            None,
            ValueError,
            r"a hidden layer is Dense\(4, 'tanh', .*, expected the activation one of .*, the same in each",
        ),
        (
            model_of((3, 1), "relu", "tanh"),
            None,
            ValueError,
            r"the last layer is Dense\(1, 'tanh', .*, expected the activation linear, exponential, sigmoid or, of",
        ),
        (model_of((3, 1), "relu", "softmax"), None, ValueError, r"the last layer is Dense\(1, 'softmax'"),
        (
            model_of((3, 1), "relu", "linear"),
            [0, 1],
            ValueError,
            "classes is given, expected none: a linear or exponential output is one of numbers",
        ),
        (
            model_of((3, 2), "relu", "sigmoid"),
            [0, 1],
            ValueError,
            "classes is given, expected none: 2 sigmoid units tell",
        ),
        (
            model_of((3, 3), "relu", "softmax"),
            ["a", "b"],
            ValueError,
            r"classes is \['a', 'b'\], expected 3 different labels: one an output",
        ),
        (model_of((3, 3), "relu", "softmax"), ["a", "b", "a"], ValueError, "expected 3 different labels"),
        (model_of((3, 1), "relu", "sigmoid"), ["a"], ValueError, "expected 2 different labels"),
    ],
)
def test_what_scikit_learn_has_not_is_named(model, classes, error, message):
    with pytest.raises(error, match=message):
        mlpcore.to_sklearn(model, classes=classes)


def test_a_poisson_regressor_there_and_back():
    if "loss" not in neural_network.MLPRegressor().get_params():
        pytest.skip("this scikit-learn has no such loss")
    theirs = neural_network.MLPRegressor(loss="poisson", max_iter=2).fit(X, np.ones(30))
    ours = mlpcore.from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict(X).ravel(), theirs.predict(X), rtol=1e-12)
    again = mlpcore.to_sklearn(ours)
    assert again.get_params()["loss"] == "poisson"
    np.testing.assert_allclose(again.predict(X), theirs.predict(X), rtol=1e-12)


def test_the_hidden_activations_are_in_the_catalogue():
    assert set(HIDDEN) <= set(catalogue.names("activations"))
