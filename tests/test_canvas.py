"""Axes and colours of every picture: readable on light and on dark backgrounds, and to colour-blind readers."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

from mlpcore.plot import canvas

# How the three kinds of cones are weakened: Machado et al. 2009, severity 1, in linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIE L*a*b* of linear RGB."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(np.array(matrix) @ rgb / [0.9505, 1.0, 1.089], 1e-3, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one, two):
    """Return the contrast of WCAG 2: from 1 to 21."""
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, two))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(params=["default", "dark_background"])
def style(request):
    with plt.style.context(request.param):
        yield request.param
    plt.close("all")


def test_colours_stand_out_from_the_background(style):
    palette = canvas.palette_of(canvas.axes_for(None))
    assert contrast(palette.ink, palette.ground) > 12
    assert [colour for colour in palette.cycle if contrast(colour, palette.ground) < 3] == []


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_differ_for_everybody(style, kind):
    palette = canvas.palette_of(canvas.axes_for(None))
    seen = [lab(np.clip(np.array(BLINDNESS[kind]) @ linear(colour), 0, 1)) for colour in palette.cycle]
    distances = [np.linalg.norm(seen[i] - seen[k]) for i in range(len(seen)) for k in range(i)]
    assert distances[0] > 40  # below 0 and above 0
    assert min(distances) > 15


def test_zero_is_the_background_and_signs_are_two_colours(style):
    palette = canvas.palette_of(canvas.axes_for(None))
    assert palette.diverging(0.5)[:3] == pytest.approx(palette.ground, abs=0.01)
    assert palette.diverging(0.0)[:3] == pytest.approx(to_rgb(palette.negative), abs=0.01)
    assert palette.diverging(1.0)[:3] == pytest.approx(to_rgb(palette.positive), abs=0.01)


def test_axes_without_a_background_take_that_of_the_figure():
    figure, ax = plt.subplots(facecolor="black")
    ax.set_facecolor("none")
    assert canvas.palette_of(ax).ground == (0, 0, 0)
    plt.close(figure)


@pytest.mark.parametrize("wrong", ["axes", 1, plt])
def test_what_is_no_axes_is_refused(wrong):
    with pytest.raises(TypeError, match=r"ax is .*, expected the axes of a figure of matplotlib"):
        canvas.axes_for(wrong)
