"""The widget without a browser: what comes from the front end is answered, and its state is a trait that can be set."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import mlpcore
from mlpcore.widget import Playground
from mlpcore.widget.playground import packed
from mlpcore.widget.session import Session
from mlpcore.widget.state import parse

TYPES = {"float32": np.float32, "float64": np.float64}


class FrontEnd:
    """Sends messages as the front end does, and keeps what comes back."""

    def __init__(self, *args, **options):
        self.widget = Playground(*args, **options)
        self.sent = []
        self.widget.send = lambda content, buffers=None: self.sent.append((content, buffers))

    def ask(self, **message):
        self.widget._answer(self.widget, {"id": "a 1", "message": message}, [])
        content, buffers = self.sent.pop()
        assert content["id"] == "a 1"
        return unpacked(content["answer"], buffers)


def unpacked(value, buffers):
    if isinstance(value, dict) and "dtype" in value:
        return np.frombuffer(buffers[value["array"]], TYPES[value["dtype"]])
    if isinstance(value, dict):
        return {name: unpacked(each, buffers) for name, each in value.items()}
    return [unpacked(each, buffers) for each in value] if isinstance(value, list) else value


def test_messages_are_answered_with_the_numbers_of_the_session():
    front, session = FrontEnd(), Session()
    for message in (
        {"do": "resume"},
        {"do": "train", "batches": 7, "row": 2},
        {"do": "look", "row": 5},
        {"do": "params"},
    ):
        answer, expected = front.ask(**message), session.ask(message)
        assert set(answer) == set(expected)
        for name in ("grid", "params"):
            if name in expected:
                assert np.array_equal(answer[name], expected[name])
    assert np.array_equal(front.ask(do="look", row=5)["layers"][1]["phi"], expected_phi(session))


def expected_phi(session):
    return session.ask({"do": "look", "row": 5})["layers"][1]["phi"]


def test_arrays_travel_as_bytes():
    answer = {"a": np.arange(4, dtype=np.float32)[::2], "b": [{"c": np.ones(2)}, 1, None], "d": float("nan")}
    plain, buffers = packed(answer)
    assert plain == {
        "a": {"array": 0, "dtype": "float32"},
        "b": [{"c": {"array": 1, "dtype": "float64"}}, 1, None],
        "d": None,
    }
    assert np.array_equal(np.frombuffer(buffers[0], np.float32), [0, 2])


@pytest.mark.parametrize("content", [None, "train", [], 7])
def test_what_is_no_message_is_ignored(content):
    front = FrontEnd()
    front.widget._answer(front.widget, content, [])
    assert front.sent == []


def test_a_bad_message_gets_an_error():
    front = FrontEnd()
    assert (
        front.ask(do="train", batches="all") == {"error": "batches is 'all', expected an integer"}
        or "batches" in front.ask(do="train", batches="all")["error"]
    )
    front.widget._answer(front.widget, {"id": 3}, [])
    assert "expected a dict" in front.sent.pop()[0]["answer"]["error"]


def test_its_state_follows_what_is_done():
    front = FrontEnd(state="seed=7")
    assert front.widget.state == str(parse("seed=7"))
    front.ask(do="train", batches=20)
    front.ask(do="frame")
    assert parse(front.widget.state).steps == 20
    front.ask(do="start", state="data=circle&seed=8")
    assert parse(front.widget.state).data == "circle"
    assert front.sent == []  # nobody is told of what it has done itself


def test_a_state_that_is_assigned_is_gone_to():
    front = FrontEnd()
    front.widget.state = "seed=9&layers=3&steps=15"
    assert front.sent.pop()[0] == {"event": "changed"}
    assert np.array_equal(
        front.ask(do="params")["params"], Session(state="seed=9&layers=3&steps=15").ask({"do": "params"})["params"]
    )
    assert front.ask(do="resume")["steps"] == 15


@pytest.mark.parametrize("text", ["data=moons", "seed=-1", "data=given"])
def test_a_state_that_is_none_is_refused(text):
    front = FrontEnd(state="seed=7&steps=3")
    before = front.widget.state
    with pytest.raises(ValueError, match="expected|needs"):
        front.widget.state = text
    assert front.widget.state == before
    assert front.ask(do="resume")["steps"] == 3


def test_the_model_that_is_given_stays_as_it_is():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    model = mlpcore.Sequential([mlpcore.Dense(3, "relu"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=1)
    before = model.layers[0].w.copy()
    front = FrontEnd(model, X, y)
    front.ask(do="train", batches=10)
    assert np.array_equal(model.layers[0].w, before)
    assert not np.array_equal(front.widget.model.layers[0].w, before)


def test_messages_may_come_from_another_thread_while_a_cell_runs():
    front = FrontEnd()
    thread = threading.Thread(
        target=lambda: [front.widget._session.ask({"do": "train", "batches": 5}) for _ in range(10)]
    )
    thread.start()
    models = [front.widget.model for _ in range(10)]
    thread.join()
    assert len(models) == 10
    assert np.array_equal(front.ask(do="params")["params"], Session(state="steps=50").ask({"do": "params"})["params"])


def test_without_anywidget_it_says_what_to_install():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "import mlpcore.widget.session\n"
        "try:\n    mlpcore.widget.Playground\nexcept ImportError as error:\n    print(error)\n"
    )
    printed = subprocess.check_output([sys.executable, "-P", "-c", code], text=True)
    assert "pip install 'mlpcore[notebook]'" in printed


def test_the_front_end_is_one_module():
    assert "import {" not in Playground._esm
    assert Playground._esm.rstrip().endswith("export default { render };")
    assert ".mlp-playground" in Playground._css
