"""The playground's own data: two classes of points, with the numbers that they have always had."""

import hashlib

import numpy as np
import pytest

from mlpcore.widget.points import COUNT, LIMIT, NAMES, NOISES, points

# Of all data without and with noise: a page's state names data by these numbers.
DIGEST = "bdf446cae29081e72ed32c0329e6b9375ef396988b280381585a130ee4637136"


def test_the_numbers_never_change():
    digest = hashlib.sha256()
    for name in NAMES:
        for noise in NOISES:
            X, classes = points(name, noise)
            digest.update(np.round(100 * X).astype("<i4").tobytes() + classes.astype("<i4").tobytes())
    assert digest.hexdigest() == DIGEST


@pytest.mark.parametrize("name", NAMES)
def test_two_classes_of_like_size_lie_in_the_picture(name):
    X, classes = points(name)
    assert X.shape == (COUNT, 2)
    assert np.abs(X).max() <= LIMIT
    assert set(classes) == {0, 1}
    assert 0.4 < classes.mean() < 0.6


@pytest.mark.parametrize("name", NAMES)
def test_coordinates_have_two_decimals(name):
    X, _ = points(name, 0.1)
    assert np.array_equal(X, np.round(X, 2))
    assert not np.signbit(X[X == 0]).any()


def test_noise_moves_points_by_its_standard_deviation():
    without, classes = points("gauss")
    with_noise, same = points("gauss", 0.25)
    assert np.array_equal(classes, same)
    assert 0.22 < (with_noise - without).std() < 0.28


@pytest.mark.parametrize(
    ("name", "noise", "says"), [("moons", 0, "'circle'"), ("xor", -1, "noise is -1"), ("xor", np.nan, "noise is nan")]
)
def test_what_is_no_data_is_refused(name, noise, says):
    with pytest.raises(ValueError, match=says):
        points(name, noise)
