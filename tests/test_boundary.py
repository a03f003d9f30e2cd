"""The decision boundary: the model's own answers at every point of the plane, once and over the epochs."""

import io

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation
from PIL import Image

from mlpcore import Dense, Sequential
from mlpcore.plot import BoundaryRecorder, DecisionBoundaryDisplay, boundary, canvas

X = np.random.default_rng(0).uniform(-1, 1, (40, 2))
Y = (X[:, 0] > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.3, 0.3])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def model(out=1, inputs=2):
    sigma = "sigmoid" if out == 1 else "softmax"
    return Sequential([Dense(4, "tanh"), Dense(out, sigma)], input_size=inputs, seed=1)


@pytest.mark.parametrize(
    ("out", "y"), [(1, Y), (2, Y), (3, THREE), (3, np.eye(3)[THREE]), (1, Y[:, np.newaxis]), (1, None)]
)
def test_every_point_has_the_models_answer(out, y):
    network = model(out)
    display = DecisionBoundaryDisplay.from_model(network, X, y, grid=9)
    x0, x1 = display.plane.x0, display.plane.x1
    for i, k in ((0, 0), (0, 8), (8, 0), (3, 5)):
        assert display.response[i, k].tolist() == network.predict([[x0[k], x1[i]]])[0].tolist()
    assert x0[0] < X[:, 0].min() < X[:, 0].max() < x0[-1]
    drawn = sum(len(points.get_offsets()) for points in display.ax_.collections if hasattr(points, "get_sizes"))
    assert drawn >= len(X)
    display.figure_.canvas.draw()


def shades(network, style):
    with plt.style.context(style):
        display = DecisionBoundaryDisplay.from_model(network, X, Y, grid=20)
        palette = canvas.palette_of(display.ax_)
        return display, display._shades(palette)[:, :, :3], palette


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_sides_have_the_colours_of_their_classes(style):
    network = model()
    network.layers[0].w, network.layers[1].w = [[3, 0]] * 4, [[3] * 4]  # large where x_1 > 0
    display, colours, palette = shades(network, style)
    points = {label: display._colour(palette, label) for label in (0, 1)}
    for side, label in ((0, 0), (-1, 1)):
        away = {other: np.abs(colours[:, side] - canvas.to_rgb(points[other])).sum() for other in points}
        assert min(away, key=away.get) == label
    assert [c for c in display.ax_.collections if type(c).__name__ == "QuadContourSet"]


def test_one_answer_everywhere_needs_no_line():
    network = model()
    network.layers[1].b = [9.0]
    display = DecisionBoundaryDisplay.from_model(network, X, Y, grid=5)
    assert [c for c in display.ax_.collections if type(c).__name__ == "QuadContourSet"] == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: DecisionBoundaryDisplay.from_model(model(), X[:, :1]), ValueError, r"X has shape \(40, 1\), expected"),
        (
            lambda: DecisionBoundaryDisplay.from_model(model(inputs=3), X),
            ValueError,
            "the model has 3 inputs, expected 2",
        ),
        (
            lambda: DecisionBoundaryDisplay.from_model(model(), X, Y[:3]),
            ValueError,
            r"y has shape \(3,\), expected \(40,\)",
        ),
        (lambda: DecisionBoundaryDisplay.from_model(model(), X, Y, grid=1), ValueError, "grid is 1"),
        (lambda: DecisionBoundaryDisplay.from_model(model(), X, Y, threshold="x"), TypeError, "threshold is 'x'"),
        (lambda: DecisionBoundaryDisplay.from_model(model(), X, Y, ax=1), TypeError, "ax is 1"),
        (lambda: DecisionBoundaryDisplay.from_model(model(), X * np.nan, Y), ValueError, "X has nan"),
        (lambda: BoundaryRecorder(X, Y, every=0), ValueError, "every is 0"),
        (lambda: BoundaryRecorder(X, Y).animate(), ValueError, "nothing was recorded"),
        (lambda: BoundaryRecorder(X, Y).save("x.gif"), ValueError, "nothing was recorded"),
        (lambda: BoundaryRecorder(X, Y).animate(seconds=0), ValueError, "seconds is 0"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_is_refused_leaves_the_model_as_it_was():
    network = Sequential([Dense(1)], seed=1)
    with pytest.raises(ValueError):
        DecisionBoundaryDisplay.from_model(network, X[:, :1])
    assert network.input_size is None


def test_the_boundary_moves_over_the_epochs(tmp_path):
    recorder, network = BoundaryRecorder(X, Y, every=2, grid=6), model()
    assert "nothing recorded" in recorder._repr_html_()
    network.fit(X, Y, "bce", epochs=7, callbacks=[recorder], progress=False)
    assert recorder.epochs == [1, 3, 5]
    assert len({response.tobytes() for response in recorder.responses}) == 3
    plane = boundary.plane_around(X, Y, 6)
    network.fit(X, Y, "bce", epochs=1, callbacks=[last := BoundaryRecorder(X, Y, grid=6)], progress=False)
    assert last.responses[0].tolist() == boundary.answers(network, plane).tolist()

    recorder.save(tmp_path / "boundary.gif", seconds=0.2)
    with Image.open(tmp_path / "boundary.gif") as picture:
        assert (picture.format, picture.n_frames, picture.info["duration"]) == ("GIF", 3, 200)
    animation = recorder.animate(seconds=0.2)
    assert isinstance(animation, FuncAnimation)
    animation._draw_was_started = True  # it need not be shown
    shown = recorder._repr_html_()
    assert shown.startswith("<img alt=")
    assert 'src="data:image/gif;base64,R0lGOD' in shown


def test_it_is_written_to_an_object_too():
    recorder = BoundaryRecorder(X, grid=4)
    recorder(model(), 0, {})
    file = io.BytesIO()
    recorder.save(file)
    assert file.getvalue().startswith(b"GIF89a")
