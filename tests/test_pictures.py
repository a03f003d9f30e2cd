"""Weights as pictures: every weight at its place, the images of units side by side."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt

from mlpcore import Dense, Dropout, Sequential
from mlpcore.plot import WeightsDisplay


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def model():
    return Sequential([Dense(5, "relu"), Dropout(0.1), Dense(3)], input_size=6, seed=1)


def test_a_matrix_is_drawn_as_it_is():
    network = model()
    for j in 0, 2:
        display = WeightsDisplay.from_model(network, j)
        w = network.layers[j].w.astype(np.float64)
        image = display.ax_.images[0]
        assert np.array_equal(np.ma.filled(image.get_array()), w)
        assert image.get_clim() == (-np.abs(w).max(), np.abs(w).max())
        assert display.ax_.figure is display.figure_
        assert len(display.figure_.axes) == 2  # and the scale


def test_units_are_images_side_by_side():
    display = WeightsDisplay(np.arange(30.0).reshape(5, 6), shape=(2, 3)).plot()
    picture = display.picture
    assert picture.shape == (3 * 2 + 2, 4 * 2 - 1) or picture.shape == (3 * 3 - 1, 4 * 2 - 1)
    assert picture[:2, :3].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert picture[:2, 4:7].tolist() == [[6, 7, 8], [9, 10, 11]]
    assert np.isnan(picture[:, 3]).all()
    assert np.isnan(picture[2]).all()
    assert sorted(picture[np.isfinite(picture)]) == list(range(30))


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("shape", [(1, 6), (6, 1), (2, 3)])
def test_no_weight_is_lost(count, shape):
    w = np.arange(6.0 * count).reshape(count, 6)
    picture = WeightsDisplay(w, shape).picture
    assert sorted(picture[np.isfinite(picture)]) == w.ravel().tolist()


def test_zeros_and_infinities_are_drawn():
    WeightsDisplay(np.zeros((2, 2))).plot().figure_.canvas.draw()
    display = WeightsDisplay([[np.inf, 2.0], [np.nan, -3.0]]).plot()
    display.figure_.canvas.draw()
    assert display.ax_.images[0].get_clim() == (-3, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: WeightsDisplay([1.0, 2.0]), ValueError, r"w has shape \(2,\), expected \(out, in\)"),
        (lambda: WeightsDisplay(["a"]), TypeError, "w "),
        (lambda: WeightsDisplay.from_model(model(), 3), ValueError, "layer is 3, expected an integer from 0 to 2"),
        (lambda: WeightsDisplay.from_model(model(), 1), ValueError, r"layers\[1\] is Dropout\(0.1\), expected a Dense"),
        (lambda: WeightsDisplay.from_model(model(), shape=(2, 2)), ValueError, r"4 points, expected 6: one for each"),
        (lambda: WeightsDisplay.from_model(model(), shape=6), ValueError, r"shape is 6, expected \(rows, columns\)"),
        (lambda: WeightsDisplay.from_model(model(), shape=(0, 6)), ValueError, "shape is 0, expected an integer >= 1"),
        (lambda: WeightsDisplay.from_model(model(), ax=0), TypeError, "ax is 0"),
        (lambda: WeightsDisplay.from_model(Sequential([Dense(1)])), RuntimeError, "no arrays yet"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
