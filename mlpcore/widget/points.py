"""The playground's own data: points of a plane in two classes, the same in a notebook and on the page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpcore import lazy

Array = NDArray[np.float64]

COUNT = 500
NAMES = ("circle", "xor", "gauss", "spiral")
NOISES = (0.0, 0.1, 0.25)
LIMIT = 1.25
"""The picture goes from -LIMIT to LIMIT along both axes."""
_SEED = 2021


def points(name: str, noise: float = 0.0) -> tuple[Array, NDArray[np.intp]]:
    """Return points of the plane and their classes, in a random order that is always the same.

    Coordinates have two decimals, which can be read and put into a pocket calculator.

    Parameters
    ----------
    name : {"circle", "xor", "gauss", "spiral"}
        A disc within a ring; the sign of x_1 x_2; two clouds; two arms that wind around each other.
    noise : float, default 0.0
        Standard deviation of the normal numbers that are added to each coordinate: >= 0.

    Returns
    -------
    X : ndarray of float64, shape (500, 2)
    classes : ndarray of int, shape (500,)
        0 or 1, as many of each or nearly so.

    Raises
    ------
    ValueError
        If there is no data of this name, or noise is negative.

    Examples
    --------
    >>> from mlpcore.widget.points import points
    >>> X, classes = points("xor")
    >>> X.shape, bool(((X[:, 0] * X[:, 1] > 0) == classes).all())
    ((500, 2), True)
    """
    if name not in _MAKERS:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(map(repr, NAMES))}")
    if not noise >= 0:
        raise ValueError(f"noise is {noise!r}, expected a number >= 0")
    random = lazy.random_generator([_SEED, NAMES.index(name)])
    u, v = random.random((2, COUNT))
    cloud = random.standard_normal((COUNT, 2))
    classes = np.arange(COUNT) % 2
    X = _MAKERS[name](u, v, classes, cloud)
    if name == "xor":  # its classes are those of the places without noise
        classes = (X[:, 0] * X[:, 1] > 0).astype(np.intp)
    X = np.round(X + noise * random.standard_normal((COUNT, 2)), 2) + 0.0  # no -0
    return X, classes


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _circle(u: Array, v: Array, classes: NDArray[np.intp], cloud: Array) -> Array:
    radius = np.where(classes == 1, 0.5 * np.sqrt(u), 0.7 + 0.3 * u)
    return _polar(radius, 2 * np.pi * v)


def _xor(u: Array, v: Array, classes: NDArray[np.intp], cloud: Array) -> Array:
    places = np.stack([2 * u - 1, 2 * v - 1], axis=1)
    return places + 0.05 * np.sign(places)  # a gap along the axes


def _gauss(u: Array, v: Array, classes: NDArray[np.intp], cloud: Array) -> Array:
    centre = np.where(classes == 1, 0.45, -0.45)[:, None]
    return centre + 0.2 * cloud


def _spiral(u: Array, v: Array, classes: NDArray[np.intp], cloud: Array) -> Array:
    return _polar(0.05 + 0.95 * u, 2.5 * np.pi * u + np.pi * classes)


_MAKERS = {"circle": _circle, "xor": _xor, "gauss": _gauss, "spiral": _spiral}
