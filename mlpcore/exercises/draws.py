"""Numbers to try a function on: generic, so that no two formulas agree by chance, in shapes that no transpose fits."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["one_hot", "probabilities", "signed", "sizes", "yes_or_no"]

Array = NDArray[Any]


def sizes(rng: "Generator", count: int, *, least: int = 2) -> list[int]:
    """Return different sizes, none of them below `least`: in a wrong place no one fits."""
    return [int(size) for size in rng.permutation(np.arange(least, least + count + 1))[:count]]


def signed(rng: "Generator", *shape: int) -> Array:
    """Return numbers of both signs, none near 0 and none above 2 in magnitude; at least half of them are positive."""
    count = int(np.prod(shape, dtype=np.int64))
    signs = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    numbers: Array = rng.uniform(0.2, 2.0, count) * rng.permutation(signs)
    return numbers.reshape(shape)


def probabilities(rng: "Generator", *shape: int) -> Array:
    """Return numbers well inside (0, 1)."""
    return rng.uniform(0.1, 0.9, shape)


def yes_or_no(rng: "Generator", n: int, out: int) -> Array:
    """Return zeros and ones, of both at least one where there are two."""
    return rng.permutation(np.arange(n * out) % 2).astype(np.float64).reshape(n, out)


def one_hot(rng: "Generator", n: int, classes: int) -> Array:
    """Return rows with a single 1."""
    return np.eye(classes)[rng.integers(0, classes, n)]
