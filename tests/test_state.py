"""The text of a playground's state: read and written, by the rules that the front end has too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcore import catalogue
from mlpcore.widget import state as states
from mlpcore.widget.state import DEFAULTS, FIELDS, OUTPUTS, State, parse
from mlpcore.widget.words import words

rates = st.lists(st.tuples(st.integers(1, 9999), st.floats(1e-6, 100)), max_size=3, unique_by=lambda each: each[0])
some_states = st.builds(
    State,
    data=st.sampled_from(FIELDS[0]["choices"]),
    noise=st.sampled_from(FIELDS[1]["choices"]),
    layers=st.lists(st.integers(1, states.MOST_UNITS), max_size=states.MOST_LAYERS).map(tuple),
    activation=st.sampled_from(states.hidden_activations()),
    output=st.sampled_from(list(OUTPUTS)),
    start=st.sampled_from(["seed", "given"]),
    optimizer=st.sampled_from(catalogue.names("optimizers")),
    rate=st.tuples(st.floats(1e-6, 100), rates).map(lambda each: ((0, each[0]), *sorted(each[1]))),
    batch=st.integers(1, 500),
    seed=st.integers(0, states.MOST_SEED),
    steps=st.integers(0, states.MOST_STEPS),
    equation=st.integers(0, 99),
)


@given(some_states)
def test_a_state_is_what_its_text_says(state):
    assert parse(str(state)) == state
    assert parse(f"#{state}") == state


def test_what_is_left_out_has_its_default():
    assert parse("") == DEFAULTS
    assert parse("seed=9&layers=").layers == ()
    assert parse("seed=9&layers=").optimizer == DEFAULTS.optimizer


def test_every_field_has_a_rule():
    assert [field["name"] for field in FIELDS] == list(State.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour=red", "state has 'colour', expected some of data"),
        ("seed=1&seed=2", "'seed' twice"),
        ("data=moons", "data is 'moons', expected one of circle"),
        ("noise=0.2", "noise is 0.2, expected one of 0"),
        ("noise=x", "noise is 'x', expected a number"),
        ("layers=8,0", "layers is '0', expected a whole number from 1 to 16"),
        ("layers=8,17", "from 1 to 16"),
        ("layers=1,1,1,1,1,1,1", "at most 6"),
        ("layers=8,", "layers is ''"),
        ("activation=softmax", "activation is 'softmax'"),
        ("output=softmax-mse", "output is 'softmax-mse', expected one of softmax-cce"),
        ("optimizer=lbfgs", "optimizer is 'lbfgs'"),
        ("rate=0", "rate is '0', expected numbers from 1e-06"),
        ("rate=inf", "expected a number"),
        ("rate=0.1,0.2", "ascending"),
        ("rate=5:0.1", "ascending"),
        ("rate=0.1,9:0.1,7:0.2", "ascending"),
        ("batch=501", "from 1 to 5"),
        ("seed=-1", "seed is '-1'"),
        ("seed=4294967296", "to 4294967295"),
        ("seed=1.5", "whole number"),
        ("seed=٣", "whole number"),
        ("steps=99999999999999999999", "steps is"),
    ],
)
def test_what_is_no_state_is_refused(text, says):
    if text.startswith("batch"):
        text = f"batch={states.FIELDS[8]['most'] + 1}"
    with pytest.raises(ValueError, match=says):
        parse(text)


@pytest.mark.parametrize("value", [None, 7, b"seed=1"])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(TypeError, match="expected a string"):
        parse(value)


def test_the_learning_rate_of_a_step():
    state = parse("rate=0.1,20:0.01,30:0.5")
    assert [state.rate_at(step) for step in (0, 19, 20, 29, 30, 1000)] == [0.1, 0.1, 0.01, 0.01, 0.5, 0.5]


def test_the_front_end_gets_the_rules():
    told = words()
    assert told["fields"] == FIELDS
    assert parse(told["defaults"]) == DEFAULTS
    assert set(told["activations"]) == set(catalogue.names("activations"))
    assert [row["id"] for row in told["optimizers"].values()] == list(range(len(told["optimizers"])))
    assert told["activations"]["selu"]["initializer"] == "lecun_normal"
    assert told["outputs"]["softmax-cce"] == ["softmax", "cce"]
