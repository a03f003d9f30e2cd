"""Weights in 8 bits: for each unit a scale, and its weights as whole numbers of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 127


def quantized(w: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[Any]]:
    """Return q (out, in) and the scales (out,), such that scale_i q_{i,k} is nearly w_{i,k}.

    scale_i is max |w_i| / 127. So each weight is off by half a scale at most: max |w_i| / 254, but for roundings. The
    weights of a unit are not moved against each other, and a weight that is 0 stays 0.

    Parameters
    ----------
    w : ndarray of shape (out, in)

    Returns
    -------
    tuple of ndarray
        Of int8, and of the dtype of w.
    """
    scale = (np.abs(w).max(axis=1) / w.dtype.type(MOST)).astype(w.dtype)
    steps = np.divide(w, scale[:, None], out=np.zeros_like(w), where=scale[:, None] > 0)
    return np.clip(np.rint(steps), -MOST, MOST).astype(np.int8), scale
