"""The rows that `partial_fit` sets aside to validate with, where they come in pieces."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore.data import Array

_MOST_ROWS = 10_000


class Rows(NamedTuple):
    """Rows to train on or to validate with.

    Attributes
    ----------
    x, target : ndarray
    weight : ndarray, shape (n,), or None
    """

    x: Array
    target: Array
    weight: Array | None


class HeldOut:
    """The rows of all calls that have been set aside: which they are follows from what they hold.

    So a row that comes again, in whatever call and order, is never trained on here and validated with there. Of rows
    that are equal one is kept, and of all of them the last 10,000.

    Parameters
    ----------
    fraction : float
        About which part of the rows is set aside.
    seed : int
        Which ones.
    """

    def __init__(self, fraction: float, seed: int) -> None:
        self._limit = np.uint64(min(int(fraction * 2.0**64), 2**64 - 1))
        self._seed = seed
        self._keys = np.empty(0, np.uint64)
        self.rows: Rows | None = None

    def split(self, given: Rows) -> Rows:
        """Set some rows aside, and return the others: all of them, if none were left to train on."""
        keys = _keys_of(given.x, self._seed)
        held = keys < self._limit
        if held.all() or not held.any():
            return given
        weight = np.ones(len(keys), given.x.dtype) if given.weight is None else given.weight
        counts = held & (weight > 0)
        before = () if self.rows is None else (self.rows,)
        parts = zip(*before, Rows(given.x[counts], given.target[counts], weight[counts]), strict=True)
        columns = [np.concatenate(part) for part in parts]
        keys = np.concatenate([self._keys, keys[counts]])
        newest = np.sort(len(keys) - 1 - np.unique(keys[::-1], return_index=True)[1])[-_MOST_ROWS:]
        self._keys = keys[newest]
        self.rows = Rows(*(column[newest] for column in columns)) if len(newest) else None
        return Rows(given.x[~held], given.target[~held], None if given.weight is None else given.weight[~held])


def _keys_of(x: Array, seed: int) -> NDArray[np.uint64]:
    """Return a number for each row, evenly spread over 64 bits, that follows from its bits and the seed."""
    words = np.ascontiguousarray(x + 0.0).view(np.uint32)  # + 0.0: -0.0 is 0.0
    keys = (words * _factors(words.shape[1], seed)).sum(axis=1, dtype=np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64: Steele et al. 2014
        keys = (keys ^ (keys >> np.uint64(shift))) * np.uint64(factor)
    return keys ^ (keys >> np.uint64(31))


@cache
def _factors(count: int, seed: int) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64, endpoint=False) | np.uint64(1)
