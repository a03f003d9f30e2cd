"""The loss surface: the engine's loss at every point of a plane through the weights, and the path in it."""

import copy

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt

from mlpcore import SGD, Dense, Sequential
from mlpcore.plot import LossSurfaceDisplay, PathRecorder

X = np.random.default_rng(0).uniform(-1, 1, (20, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def trained(epochs=10, recorder=None):
    model = Sequential([Dense(3, "tanh"), Dense(1, "sigmoid")], input_size=2, seed=1, dtype="float64")
    path = PathRecorder(model) if recorder is None else recorder
    model.fit(X, Y, "bce", optimizer=SGD(0.5), epochs=epochs, callbacks=[path], progress=False)
    return model, path


def loss_at(model, params):
    twin = copy.copy(model)
    twin._built().params[...] = params
    return twin.evaluate(X, Y, "bce")["loss"]


def test_a_path_is_recorded_from_its_beginning():
    model, path = trained(epochs=4)
    assert len(path.points) == 5
    assert path.points[-1].tolist() == model._built().params.tolist()
    fresh = Sequential([Dense(1)], seed=1)
    assert PathRecorder(fresh).points == []
    assert len(trained(4, PathRecorder())[1].points) == 4


def test_the_surface_is_the_loss_and_the_path_lies_in_it():
    model, path = trained()
    before = model._built().params.copy()
    display = LossSurfaceDisplay.from_model(model, X, Y, "bce", path=path, points=7)
    assert (model._built().params == before).all()
    assert display.path.shape == (11, 2)
    assert display.path[-1] == pytest.approx([0, 0], abs=1e-12)
    assert 0.9 < display.explained <= 1
    # A projection shortens.
    steps = np.array(path.points) - before
    assert (np.linalg.norm(display.path, axis=1) <= np.linalg.norm(steps, axis=1) * (1 + 1e-9)).all()
    assert (display.u[0] < display.path[:, 0]).all()
    assert (display.v[-1] > display.path[:, 1]).all()


def test_each_number_is_the_loss_at_its_weights():
    model, _ = trained()
    centre = model._built().params.copy()
    first, second = np.zeros_like(centre), np.zeros_like(centre)
    first[0] = second[1] = 1
    path = [centre + 2 * first, centre - 2 * first, centre + second, centre - second, centre]
    display = LossSurfaceDisplay.from_model(model, X, Y, "bce", path=path, points=5)
    signs = np.sign(display.path[0, 0]), np.sign(display.path[2, 1])
    for i, k in np.ndindex(5, 5):
        at = centre + signs[0] * display.u[k] * first + signs[1] * display.v[i] * second
        assert display.loss[i, k] == pytest.approx(loss_at(model, at), rel=1e-12)


def test_without_a_path_directions_are_random_and_as_long_as_the_weights():
    model, _ = trained()
    display = LossSurfaceDisplay.from_model(model, X, Y, "bce", points=5, span=0.5)
    assert display.path is None
    assert display.loss[2, 2] == model.evaluate(X, Y, "bce")["loss"]
    again = LossSurfaceDisplay.from_model(model, X, Y, "bce", points=5, span=0.5)
    other = LossSurfaceDisplay.from_model(model, X, Y, "bce", points=5, span=0.5, seed=1)
    assert (again.loss == display.loss).all()
    assert (other.loss != display.loss).any()


@pytest.mark.parametrize(
    "values", [np.ones((3, 3)), np.array([[1.0, np.inf, 9.0]] * 3), np.geomspace(1e-3, 9, 9).reshape(3, 3)]
)
def test_every_surface_can_be_drawn(values):
    steps = np.linspace(-1, 1, 3)
    LossSurfaceDisplay(steps, steps, values).plot().figure_.canvas.draw()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"points": 1}, ValueError, "points is 1"),
        ({"span": 0}, ValueError, "span is 0"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"loss": "lost"}, ValueError, "loss is 'lost'"),
        ({"path": [[0.0]]}, ValueError, "path has 1 points, expected at least 3"),
        ({"path": [[0.0]] * 3}, ValueError, r"path has shape \(3, 1\), expected \(3, 13\)"),
        ({"path": [[np.nan] * 13] * 3}, ValueError, "path has weights that are nan"),
        ({"ax": 1}, TypeError, "ax is 1"),
        ({"y": Y[:3]}, ValueError, "y has 3 rows"),
    ],
)
def test_wrong_arguments_are_named(options, error, message):
    model, _ = trained(1)
    with pytest.raises(error, match=message):
        LossSurfaceDisplay.from_model(model, X, **({"y": Y, "loss": "bce", "points": 2} | options))


def test_a_model_without_weights_is_refused():
    with pytest.raises(RuntimeError, match="no weights yet"):
        LossSurfaceDisplay.from_model(Sequential([Dense(1)]), X, Y, "bce")
    one = Sequential([Dense(1, use_bias=False)], input_size=1)
    with pytest.raises(ValueError, match="one parameter, expected two"):
        LossSurfaceDisplay.from_model(one, [[1.0]], [1], "mse", path=[[0.0], [1.0], [2.0]], points=2)
