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

import math

NAMES = {
    "mse": "mse",
    "mean_squared_error": "mse",
    "bce": "bce",
    "binary_crossentropy": "bce",
    "cce": "cce",
    "categorical_crossentropy": "cce",
}


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
    if not isinstance(name, str) or name not in NAMES:
        raise ValueError(f"loss is {name!r}, expected one of {', '.join(map(repr, NAMES))}")
    return NAMES[name]


def target_range(loss: str) -> tuple[float, float]:
    """Return the lowest and the highest value that y may have under `loss`, a short name."""
    return {"mse": (-math.inf, math.inf), "bce": (0, 1), "cce": (0, math.inf)}[loss]


def has_accuracy(loss: str) -> bool:
    """Tell whether there are right and wrong answers under `loss`, a short name, and so a share of right ones."""
    return loss != "mse"
