"""What the playground's engine in a notebook answers: the numbers of the package, whoever asks and in which order."""

import threading

import numpy as np
import pytest
from test_rng import order_of

import mlpcore
from mlpcore.widget.messages import MOST_BATCHES
from mlpcore.widget.points import points
from mlpcore.widget.session import Session, epoch_order
from mlpcore.widget.state import OUTPUTS, parse

TEXT = "data=circle&noise=0.1&layers=5,3&activation=tanh&output={output}&optimizer=adam&rate=0.02&batch=50&seed=11"


def fitted(text, epochs):
    """The network of a state, fitted with the package."""
    state = parse(text)
    sigma, loss = OUTPUTS[state.output]
    X, classes = points(state.data, state.noise)
    hidden = [mlpcore.Dense(units, state.activation) for units in state.layers]
    layers = [*hidden, mlpcore.Dense(2 if loss == "cce" else 1, sigma)]
    model = mlpcore.Sequential(layers, input_size=2, seed=state.seed)
    y = 2 * classes - 1 if sigma == "tanh" else classes
    optimizer = mlpcore.Adam(state.rate_at(0))
    history = model.fit(X, y, loss=loss, optimizer=optimizer, epochs=epochs, batch_size=state.batch, progress=False)
    return model, history


def params(model):
    return np.concatenate([part for layer in model.layers for part in (layer.w.T.ravel(), layer.b)])


@pytest.mark.parametrize("output", OUTPUTS)
def test_it_trains_as_fit_does(output):
    text = TEXT.format(output=output)
    model, history = fitted(text, 3)
    session = Session(state=text)
    losses = [loss for batches in (1, 7, 13, 9) for loss in session.ask({"do": "train", "batches": batches})["losses"]]
    assert losses == history["loss"]
    assert np.array_equal(session.ask({"do": "params"})["params"], params(model))
    assert np.array_equal(params(session.model), params(model))
    assert session.state.steps == 30
    X, classes = points("circle", 0.1)
    if output.endswith("cce"):
        frame = session.ask({"do": "frame"})
        assert {"loss": frame["loss"], "accuracy": frame["accuracy"]} == model.evaluate(X, classes, loss="cce")


@pytest.mark.parametrize(
    "text", ["seed=3&steps=120&batch=30", "rate=0.1,20:0.01,60:0.05&steps=77&optimizer=sgd", "layers=&steps=5"]
)
def test_its_state_reproduces_it(text):
    first = Session(state=text)
    again = Session(state=str(first.state))
    assert first.state == parse(text)
    assert np.array_equal(first.ask({"do": "params"})["params"], again.ask({"do": "params"})["params"])


def test_a_rate_that_is_changed_is_part_of_the_state():
    session = Session(state="optimizer=sgd&rate=0.1")
    session.ask({"do": "train", "batches": 20})
    assert session.ask({"do": "rate", "rate": 0.5})["rate"] == [[0, 0.1], [20, 0.5]]
    assert session.ask({"do": "rate", "rate": 0.25})["rate"] == [[0, 0.1], [20, 0.25]]
    session.ask({"do": "train", "batches": 20})
    again = Session(state=str(session.state))
    assert np.array_equal(session.ask({"do": "params"})["params"], again.ask({"do": "params"})["params"])


def test_start_rewinds_to_the_same_weights():
    session = Session()
    before = session.ask({"do": "params"})["params"]
    session.ask({"do": "train", "batches": 30})
    assert not np.array_equal(session.ask({"do": "params"})["params"], before)
    session.ask({"do": "start", "state": str(session.state)})
    assert np.array_equal(session.ask({"do": "params"})["params"], before)
    assert session.state.steps == 0


@pytest.mark.parametrize("output", OUTPUTS)
def test_equation_by_equation_is_a_batch(output):
    text = TEXT.format(output=output)
    stepped, whole = Session(state=text), Session(state=text)
    for _ in range(11):
        forward = stepped.ask({"do": "forward"})
        backward = stepped.ask({"do": "backward"})
        frame = stepped.ask({"do": "update"})
    assert forward["n"] == backward["n"] == 50
    whole.ask({"do": "train", "batches": 11})
    assert np.array_equal(stepped.ask({"do": "params"})["params"], whole.ask({"do": "params"})["params"])
    assert frame["steps"] == 11


def test_a_look_shows_the_equations_and_changes_nothing():
    session = Session(state=TEXT.format(output="sigmoid-mse"))
    session.ask({"do": "train", "batches": 3})
    session.ask({"do": "forward"})
    backward = session.ask({"do": "backward"})
    look = session.ask({"do": "look", "row": 17})
    model = session.model
    model.forward(points("circle", 0.1)[0][17:18])
    assert look["loss"] == model.backward(points("circle", 0.1)[1][17:18], loss="mse")
    for view, layer in zip(look["layers"], model.layers, strict=True):
        assert np.array_equal(view["z"], layer.z[0])
        assert np.array_equal(view["a"], layer.a[0])
        assert np.array_equal(view["phi"], layer.phi[0])
        assert np.array_equal(view["grad_w"], layer.grad_w.T.ravel())
        assert np.array_equal(view["grad_b"], layer.grad_b)
        assert view["grad_a"] * view["dsigma"] == pytest.approx(view["phi"], rel=1e-5)  # equations 1 and 2
    whole = Session(state=TEXT.format(output="sigmoid-mse"))
    whole.ask({"do": "train", "batches": 4})
    session.ask({"do": "update"})
    assert np.array_equal(session.ask({"do": "params"})["params"], whole.ask({"do": "params"})["params"])
    assert set(backward["layers"][0]) == {"x", "z", "a", "dsigma", "grad_a", "phi", "grad_w", "grad_b"}


def test_the_grid_is_what_predict_says():
    session = Session(state="data=spiral")
    frame = session.ask({"do": "frame"})
    at = session._lattice([-1.25, 1.25], [-1.25, 1.25], 60, None)
    assert np.array_equal(frame["grid"].reshape(3600, 2), session.model.predict(at))
    assert at[0, 0] < 0 < at[0, 1]  # the top left
    assert frame["layers"][0]["spread"].shape == (400 * 4,)


def own_model(outputs=3, sigma="softmax", dtype="float64"):
    return mlpcore.Sequential([mlpcore.Dense(6, "relu"), mlpcore.Dense(outputs, sigma)], seed=5, dtype=dtype)


def own_data(columns=4):
    random = np.random.default_rng(0)
    return random.normal(size=(60, columns)), random.integers(0, 3, 60)


def test_it_trains_a_copy_of_the_model_that_it_is_given():
    X, y = own_data()
    model = own_model()
    model.fit(X, y, loss="cce", epochs=2, progress=False)
    before = params(model)
    session = Session(model, X, y)
    assert str(session.state).startswith("data=given&noise=0&layers=6&activation=relu&output=softmax-cce&start=given")
    assert np.array_equal(session.ask({"do": "params"})["params"], before)
    frame = session.ask({"do": "train", "batches": 12, "row": 3})
    assert np.array_equal(params(model), before)
    assert not np.array_equal(session.ask({"do": "params"})["params"], before)
    assert frame["grid"].dtype == np.float64
    assert frame["look"]["layers"][0]["x"].shape == (4,)
    session.ask({"do": "start", "state": str(session.state)})
    assert np.array_equal(session.ask({"do": "params"})["params"], before)


def test_a_given_model_trains_as_fit_does():
    X, y = own_data()
    model = own_model()
    session = Session(
        model, X, y, state="data=given&start=given&layers=6&activation=relu&optimizer=sgd&rate=0.1&batch=16&steps=8"
    )
    model.fit(X, y, loss="cce", optimizer=mlpcore.SGD(0.1), epochs=2, batch_size=16, progress=False)
    assert np.array_equal(session.ask({"do": "params"})["params"], params(model))


BAD = [
    (None, "expected a dict"),
    ("train", "expected a dict"),
    ({}, "do is None, expected one of start"),
    ({"do": "shell"}, "do is 'shell'"),
    ({"do": ["train"]}, "do is"),
    ({"do": "train"}, "has no 'batches'"),
    ({"do": "train", "batches": 0}, "batches"),
    ({"do": "train", "batches": MOST_BATCHES + 1}, "batches"),
    ({"do": "train", "batches": 1.5}, "batches"),
    ({"do": "train", "batches": True}, "batches"),
    ({"do": "train", "batches": 1, "rows": 1}, "has 'rows', expected batches, row"),
    ({"do": "look", "row": 500}, "row is 500"),
    ({"do": "look", "row": -1}, "row"),
    ({"do": "look", "row": "3"}, "row"),
    ({"do": "frame", "row": 500}, "row is 500"),
    ({"do": "rate", "rate": 0}, "rate"),
    ({"do": "rate", "rate": float("nan")}, "rate"),
    ({"do": "rate", "rate": "fast"}, "rate"),
    ({"do": "start", "state": 7}, "state is 7, expected a string"),
    ({"do": "start", "state": "data=moons"}, "data is 'moons'"),
    ({"do": "start", "state": "data=given"}, "needs what was given"),
    ({"do": "backward"}, "expected 'forward' before it"),
    ({"do": "update"}, "expected 'backward' before it"),
    ({"do": "params", "row": 1}, "expected nothing"),
]


@pytest.mark.parametrize(("message", "says"), BAD, ids=str)
def test_a_bad_message_is_refused_and_changes_nothing(message, says):
    session = Session(state="seed=4&steps=2")
    before = session.ask({"do": "params"})["params"]
    answer = session.ask(message)
    assert set(answer) == {"error"}
    assert says in answer["error"]
    assert np.array_equal(session.ask({"do": "params"})["params"], before)
    assert str(session.state) == str(parse("seed=4&steps=2"))


def test_training_waits_for_the_end_of_a_batch():
    session = Session()
    session.ask({"do": "forward"})
    assert "expected 'update' before it" in session.ask({"do": "train", "batches": 1})["error"]
    assert "expected 'update' before it" in session.ask({"do": "forward"})["error"]
    assert session.ask({"do": "resume"})["phase"] == "forward"


def test_several_threads_may_ask_at_once():
    session = Session(state=TEXT.format(output="softmax-cce"))
    model, _ = fitted(TEXT.format(output="softmax-cce"), 8)
    answers = []

    def ask(message, times):
        answers.extend(session.ask(message) for _ in range(times))

    messages = [
        ({"do": "train", "batches": 2}, 20),
        ({"do": "train", "batches": 4}, 10),
        ({"do": "look", "row": 3}, 60),
        ({"do": "frame", "row": 1}, 10),
    ]
    threads = [threading.Thread(target=ask, args=each) for each in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 100
    assert not any("error" in answer for answer in answers)
    assert np.array_equal(session.ask({"do": "params"})["params"], params(model))


def test_the_order_of_an_epoch_is_the_shuffle_of_fit():
    for n, seed, epoch in ((1, 0, 0), (7, 3, 0), (500, 1, 4)):
        assert np.array_equal(epoch_order(n, seed, epoch), order_of(n, seed, epoch))
