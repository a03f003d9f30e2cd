"""What Sequential refuses, and its words: arguments of fit and of itself, data of another width, calls out of order."""

import numpy as np
import pytest
from fits import classifier, data, params

from mlpcore import SGD, Dense, Sequential

GOOD = {"X": data()[0], "y": data()[1], "loss": "cce", "optimizer": "sgd", "progress": False}


def changed(array, row, value):
    array = array.astype(float)
    array[row] = value
    return array


REFUSED = [
    ({"X": changed(GOOD["X"], (7, 2), np.nan)}, ValueError, "X has nan, row 7, column 2: expected .* finite"),
    ({"X": changed(GOOD["X"], (7, 2), -np.inf)}, ValueError, "X has -inf, row 7, column 2"),
    ({"X": changed(GOOD["X"], (7, 2), 1e300)}, ValueError, r"X has 1e\+300, row 7, column 2: .* finite in float32"),
    ({"X": GOOD["X"][0]}, ValueError, r"X has shape \(3,\), expected \(n, \w+\)"),
    ({"X": GOOD["X"][:0], "y": GOOD["y"][:0]}, ValueError, r"X has shape \(0, 3\)"),
    ({"X": GOOD["X"][:, :0]}, ValueError, r"X has shape \(50, 0\)"),
    ({"X": GOOD["X"][None]}, ValueError, r"X has shape \(1, 50, 3\)"),
    ({"X": GOOD["X"] + 1j}, TypeError, "X has dtype complex128"),
    ({"X": GOOD["X"].astype(str)}, TypeError, "X has dtype <U"),
    ({"X": GOOD["X"].astype(str).astype(object)}, TypeError, "X has dtype object"),
    ({"X": GOOD["X"].astype(np.longdouble)}, TypeError, "X has dtype (longdouble|float128)"),
    ({"X": np.ma.masked_less(GOOD["X"], 0)}, ValueError, "X has masked entries"),
    ({"X": [[1, 2, 3], [4]]}, ValueError, "X is not an array of numbers"),
    ({"X": None}, TypeError, "X has dtype object"),
    ({"X": GOOD["X"].astype("datetime64[s]")}, TypeError, "X has dtype datetime64"),
    ({"y": GOOD["y"][:-1]}, ValueError, "y has 49 rows, expected 50"),
    ({"y": changed(GOOD["y"], 9, 3)}, ValueError, "y has 3.0 at row 9, expected a class index from 0 to 2"),
    ({"y": changed(GOOD["y"], 9, np.nan)}, ValueError, "y has nan, row 9"),
    ({"y": None}, TypeError, "y is missing"),
    ({"loss": "hinges"}, ValueError, "loss is 'hinges'"),
    ({"loss": "bce"}, ValueError, r"y has shape \(50,\), expected \(50, 3\)"),
    ({"optimizer": "sdg"}, ValueError, "optimizer is 'sdg'"),
    ({"epochs": 0}, ValueError, "epochs is 0, expected an integer >= 1"),
    ({"epochs": 1.5}, TypeError, "epochs is 1.5"),
    ({"batch_size": 0}, ValueError, "batch_size is 0"),
    ({"batch_size": -1}, ValueError, "batch_size is -1"),
    ({"batch_size": "32"}, TypeError, "batch_size is '32'"),
    ({"shuffle": "batch"}, TypeError, "shuffle is 'batch', expected True or False"),
    ({"progress": 1}, TypeError, "progress is 1, expected True or False"),
    ({"validation_split": 1.0}, ValueError, "validation_split is 1.0"),
    ({"validation_split": -0.1}, ValueError, "validation_split is -0.1"),
    ({"validation_split": 0.99}, ValueError, "validation_split=0.99 splits 50 rows into 0 and 50"),
    ({"validation_split": None}, TypeError, "validation_split is None"),
    ({"validation_split": 0.2, "validation_data": data()}, ValueError, "are both given"),
    ({"validation_data": GOOD["X"]}, ValueError, r"validation_data is of type ndarray, expected \(X, y\)"),
    ({"validation_data": (GOOD["X"],)}, ValueError, r"validation_data has length 1, expected \(X, y\)"),
    ({"validation_data": (GOOD["X"][:, :2], GOOD["y"])}, ValueError, r"X of validation_data has shape \(50, 2\)"),
    ({"validation_data": (GOOD["X"], GOOD["y"] + 1)}, ValueError, "y of validation_data has 3.0"),
    ({"validation_data": (*data(), np.zeros(50))}, ValueError, "sample_weight of validation_data is 0 in every row"),
    ({"sample_weight": np.ones(49)}, ValueError, r"sample_weight has shape \(49,\), expected \(50,\)"),
    ({"sample_weight": np.ones((50, 1))}, ValueError, r"sample_weight has shape \(50, 1\)"),
    (
        {"sample_weight": changed(np.ones(50), 4, -1)},
        ValueError,
        "sample_weight has -1.0 at row 4, expected weights >= 0",
    ),
    ({"sample_weight": changed(np.ones(50), 4, np.inf)}, ValueError, "sample_weight has inf, row 4"),
    ({"sample_weight": np.zeros(50)}, ValueError, "sample_weight is 0 in every row"),
    ({"class_weight": {3: 1.0}}, ValueError, "a class of class_weight is 3, expected an integer from 0 to 2"),
    ({"class_weight": {"a": 1.0}}, TypeError, "a class of class_weight is 'a'"),
    ({"class_weight": {0: -1.0}}, ValueError, r"class_weight\[0\] is -1.0"),
    ({"class_weight": {0: 0, 1: 0, 2: 0}}, ValueError, r"sample_weight \* class_weight is 0 in every row"),
    ({"class_weight": [1, 2, 3]}, TypeError, r"class_weight is \[1, 2, 3\], expected a dict"),
    ({"loss": "mse", "y": np.zeros((50, 3)), "class_weight": {0: 1.0}}, ValueError, "class_weight needs classes"),
    ({"callbacks": print}, TypeError, "callbacks is .*print.*, expected a list of callables"),
    ({"callbacks": [print, 3]}, TypeError, r"callbacks\[1\] is 3, expected a Callback or a callable"),
]


@pytest.mark.parametrize("input_size", [None, 3])
@pytest.mark.parametrize(("change", "error", "message"), REFUSED, ids=[f"{next(iter(c))}: {m}" for c, _, m in REFUSED])
def test_a_refused_fit_leaves_the_model_as_it_was(change, error, message, input_size):
    model = classifier(input_size=input_size)
    arguments = GOOD | change
    with pytest.raises(error, match=message):
        model.fit(arguments.pop("X"), arguments.pop("y"), **arguments)
    assert (model.history, model.epochs_trained, model.input_size) == (None, 0, input_size)
    if input_size is not None:
        np.testing.assert_array_equal(params(model), params(classifier(input_size=3)))


def test_data_of_another_width_are_refused():
    x, y = data()
    model = classifier(input_size=3)
    for use in (
        lambda wide: model.fit(wide, y, loss="cce"),
        lambda wide: model.partial_fit(wide, y, loss="cce", optimizer=SGD()),
        lambda wide: model.evaluate(wide, y, loss="cce"),
        model.predict,
        model.forward,
    ):
        with pytest.raises(ValueError, match=r"has shape \(50, 6\), expected \(n, 3\)"):
            use(np.hstack([x, x]))


@pytest.mark.parametrize("x", [3.0, [1.0, 2.0], np.zeros((2, 0)), "ab", [[1j]], [[None]], None])
def test_a_refused_forward_builds_nothing(x):
    model = classifier()
    for use in (model.forward, model.predict):
        with pytest.raises((TypeError, ValueError), match="x|X"):
            use(x)
    assert model.input_size is None


def test_backward_and_update_need_what_comes_before():
    x, y = data()
    for model in (classifier(), classifier(input_size=3)):
        with pytest.raises(RuntimeError, match="no weights yet|no forward yet"):
            model.backward(y, loss="cce")
        with pytest.raises(RuntimeError, match="no weights yet|no backward since"):
            model.update(SGD())
    model.forward(x)
    with pytest.raises(ValueError, match="y has 3 rows, expected 50"):
        model.backward(y[:3], loss="cce")
    with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\), expected \(50,\)"):
        model.backward(y, loss="cce", sample_weight=[1, 2, 3])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential([]), ValueError, "layers is empty"),
        (lambda: Sequential(Dense(3)), TypeError, r"layers is Dense\(3"),
        (lambda: Sequential(None), TypeError, "layers is None, expected a list of layers"),
        (lambda: Sequential([Dense(3), "relu"]), TypeError, r"layers\[1\] is 'relu', expected a layer"),
        (lambda: Sequential([Dense(3), Dense]), TypeError, r"layers\[1\] is <class"),
        (lambda: Sequential([Dense(3)] * 2), ValueError, r"layers\[1\], Dense.* already belongs to a model"),
        (lambda: Sequential(classifier().layers), ValueError, r"layers\[0\], Dense.* already belongs to a model"),
        (lambda: Sequential([Dense(3)], input_size=0), ValueError, "input_size is 0"),
        (lambda: Sequential([Dense(3)], input_size=2.0), TypeError, "input_size is 2.0"),
        (
            lambda: Sequential([Dense(3, input_size=2)], input_size=3),
            ValueError,
            r"layers\[0\] has input_size=2, expected 3",
        ),
        (
            lambda: Sequential([Dense(3), Dense(2, input_size=4)]),
            ValueError,
            r"layers\[1\] has input_size=4, expected 3",
        ),
        (lambda: Sequential([Dense(3)], dtype="float16"), ValueError, "dtype is 'float16', expected 'float32'"),
        (lambda: Sequential([Dense(3)], dtype="flat32"), ValueError, "dtype is 'flat32'"),
        (lambda: Sequential([Dense(3)], dtype=None), ValueError, "dtype is None"),
        (lambda: Sequential([Dense(3)], seed=-1), ValueError, "seed is -1, expected an integer from 0 to 184467"),
        (lambda: Sequential([Dense(3)], seed=2**64), ValueError, "seed is 18446744073709551616"),
        (lambda: Sequential([Dense(3)], seed=0.5), TypeError, "seed is 0.5"),
        (lambda: Sequential([Dense(2**40)], input_size=2**40), (MemoryError, ValueError), ".+"),
    ],
)
def test_wrong_models_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_layers_of_a_refused_model_stay_free():
    layer = Dense(3)
    with pytest.raises(ValueError, match="dtype"):
        Sequential([layer], dtype="int8")
    Sequential([layer], input_size=2)
