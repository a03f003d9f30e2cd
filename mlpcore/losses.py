"""The losses by name.

A batch's loss is the weighted mean of its samples' losses. For one sample, with y_hat = a^J (sections 3.1.1, 3.2.1 and
3.3.1 of the paper):

======  ============================  ==========================================  =====================================
name    also                          loss of a sample                            y
======  ============================  ==========================================  =====================================
"mse"   "mean_squared_error"          mean over k of (y_hat_k - y_k)^2            any numbers
"bce"   "binary_crossentropy"         -sum over k of y_k log y_hat_k              each from 0 to 1
                                      + (1 - y_k) log(1 - y_hat_k)
"cce"   "categorical_crossentropy"    -sum over k of y_k log y_hat_k              class indices, or rows of values >= 0
======  ============================  ==========================================  =====================================
"""

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue


def loss_name(name: str) -> str:
    """Return the short name of a loss.

    Parameters
    ----------
    name : str
        Any name of the table above.

    Returns
    -------
    str
        "mse", "bce" or "cce".

    Raises
    ------
    ValueError
        If there is no such loss.

    Examples
    --------
    >>> from mlpcore.losses import loss_name
    >>> loss_name("binary_crossentropy")
    'bce'
    """
    return catalogue.resolve("losses", "loss", name).name


def target_range(loss: str) -> tuple[float, float]:
    """Return the lowest and the highest value that y may have under `loss`, a short name."""
    row = catalogue.entry("losses", loss)
    return row.least, row.most


def has_classes(loss: str) -> bool:
    """Tell whether a row of y has one class under `loss`, a short name, so that y may also be class indices."""
    return "classes" in catalogue.entry("losses", loss).traits


def asks_questions(loss: str) -> bool:
    """Tell whether each output answers a yes-or-no question of its own under `loss`, a short name."""
    return "questions" in catalogue.entry("losses", loss).traits


def accuracy_rule(loss: str, y: NDArray[np.floating]) -> str | None:
    """Return the metric by which an accuracy counts under `loss`, a short name; None if nothing is right or wrong.

    One output is right if it is on the same side of 1/2 as y. With classes it is the largest output that counts, and so
    it is with questions if every row of y is one-hot; otherwise each output is right or wrong by itself.
    """
    if not has_classes(loss) and not asks_questions(loss):
        return None
    if y.shape[1] == 1:
        return "binary_accuracy"
    one_hot = has_classes(loss) or (((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
    return "categorical_accuracy" if one_hot else "binary_accuracy"
