"""What a playground can be given: a model that it can show, and samples that fit it."""

import numpy as np
import pytest

import mlpcore
from mlpcore import Dense, Sequential
from mlpcore.widget.session import Session
from mlpcore.widget.tasks import given

X = np.random.default_rng(1).normal(size=(20, 3))
BITS = (X[:, 0] > 0).astype(int)
NAN = np.where(X > 1, np.nan, X)


def model(*layers, **options):
    return Sequential(layers, **options)


def good():
    return model(Dense(4, "tanh"), Dense(1, "sigmoid"))


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("net", X, BITS), TypeError, "model is 'net', expected a Sequential"),
        ((None, X, BITS), TypeError, "model is None"),
        ((good(), None, BITS), TypeError, "X is missing"),
        ((good(), X, None), TypeError, "y is missing"),
        ((good(), X[:, :1], BITS), ValueError, "from 2 to 16 columns"),
        ((good(), np.zeros((5001, 2)), np.zeros(5001)), ValueError, "at most 5000 rows"),
        ((good(), NAN, BITS), ValueError, "X has nan"),
        ((good(), X, BITS[:7]), ValueError, "y has 7 rows"),
        ((good(), X, 3 * BITS), ValueError, "y has 3"),
        (
            (model(Dense(4, "tanh"), mlpcore.Dropout(0.1), Dense(1, "sigmoid")), X, BITS),
            ValueError,
            r"layers\[1\] of model is Dropout",
        ),
        (
            (model(Dense(4, "tanh", use_bias=False), Dense(1, "sigmoid")), X, BITS),
            ValueError,
            "expected a Dense with b",
        ),
        ((model(Dense(17, "tanh"), Dense(1, "sigmoid")), X, BITS), ValueError, "17 units, expected at most 16"),
        (
            (model(Dense(2, "tanh"), Dense(2, "relu"), Dense(1, "sigmoid")), X, BITS),
            ValueError,
            "expected 'tanh' as the first",
        ),
        ((model(Dense(2, "softmax"), Dense(1, "sigmoid")), X, BITS), ValueError, "expected one of linear"),
        (
            (model(*[Dense(2, "tanh") for _ in range(7)], Dense(1, "sigmoid")), X, BITS),
            ValueError,
            "8 layers, expected at most 7",
        ),
        ((model(Dense(1, "relu")), X, BITS), ValueError, "ends with 'relu'"),
        ((good(), X, BITS, "hinge"), ValueError, "sigmoid with bce"),
        ((good(), X, BITS, "nonsense"), ValueError, "loss is 'nonsense'"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        given(*(*arguments, None)[:4])


def test_a_model_without_weights_gets_those_of_its_seed():
    own = given(good(), X, BITS, None)
    assert own.model.input_size == 3
    assert own.output == "sigmoid-bce"
    assert given(good(), X, BITS, "mse").output == "sigmoid-mse"
    assert given(good(), X, BITS, "mean_squared_error").output == "sigmoid-mse"


def test_labels_become_rows():
    own = given(model(Dense(3, "softmax")), X, np.arange(20) % 3, None)
    assert np.array_equal(own.y, np.eye(3, dtype=np.float32)[np.arange(20) % 3])


def test_numbers_are_drawn_from_their_least_to_their_largest():
    y = X[:, :1] * 5
    session = Session(model(Dense(4, "tanh"), Dense(1)), X, y)
    assert session.ask({"do": "resume"})["scale"] == pytest.approx([y.min(), y.max()], rel=1e-6)
    assert session.ask({"do": "frame"})["accuracy"] is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data=given&start=given&layers=5&output=sigmoid-bce", "start=given needs the layers"),
        ("data=given&start=given&layers=4&activation=relu&output=sigmoid-bce", "start=given needs"),
        ("data=xor&start=given&layers=4&output=sigmoid-bce", "start=given needs"),
        ("data=given&output=softmax-cce&layers=4", "does not go with the y"),
    ],
)
def test_a_state_that_does_not_fit_what_was_given_is_refused(text, says):
    session = Session(good(), X, BITS)
    before = str(session.state)
    assert says in session.ask({"do": "start", "state": text})["error"]
    assert str(session.state) == before


def test_other_layers_and_data_may_follow():
    session = Session(good(), X, BITS)
    answer = session.ask({"do": "start", "state": "data=given&start=seed&layers=2,2&output=sigmoid-bce&seed=3"})
    assert answer["sizes"] == [3, 2, 2, 1]
    answer = session.ask({"do": "start", "state": "data=xor&layers=2"})
    assert answer["sizes"] == [2, 2, 2]
