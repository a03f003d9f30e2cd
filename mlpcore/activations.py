"""The activations that have constants, as objects: ``Dense(64, LeakyReLU(0.2))``.

An activation's name alone stands for the default values of its constants. docs/catalogue.md has the formulas of all.
"""

from typing import Self

from mlpcore.functions import Function


class LeakyReLU(Function):
    """a = z where z > 0, else negative_slope z; sigma' = 1 where z > 0, else negative_slope (Maas et al. 2013).

    Parameters
    ----------
    negative_slope : float, default 0.01
        >= 0. PyTorch has the same default; Keras has 0.3 in its layer and 0.2 in its function.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.Dense(64, mlpcore.LeakyReLU(0.2)).activation.negative_slope
    0.2
    >>> mlpcore.kernels.activation_forward(mlpcore.LeakyReLU(0.5), [[-1.0, 2.0]])
    array([[-0.5,  2. ]])
    """

    _family, _name = "activations", "leaky_relu"
    __slots__ = ()
    negative_slope: float

    def __new__(cls, negative_slope: float = 0.01) -> Self:
        return cls._checked(negative_slope)


class ELU(Function):
    """a = z where z > 0, else alpha (e^z - 1); sigma' = 1 where z > 0, else alpha e^z (Clevert et al. 2016).

    Parameters
    ----------
    alpha : float, default 1.0
        >= 0: a is -alpha far below 0.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.kernels.activation_forward(mlpcore.ELU(2.0), [[-100.0, 2.0]])
    array([[-2.,  2.]])
    """

    _family, _name = "activations", "elu"
    __slots__ = ()
    alpha: float

    def __new__(cls, alpha: float = 1.0) -> Self:
        return cls._checked(alpha)


class CELU(Function):
    """a = z where z > 0, else alpha (e^(z / alpha) - 1); sigma' = 1 where z > 0, else e^(z / alpha) (Barron 2017).

    Its slope at 0 is 1 whatever alpha is.

    Parameters
    ----------
    alpha : float, default 1.0
        > 0: a is -alpha far below 0.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.kernels.activation_forward(mlpcore.CELU(2.0), [[-100.0, 2.0]])
    array([[-2.,  2.]])
    """

    _family, _name = "activations", "celu"
    __slots__ = ()
    alpha: float

    def __new__(cls, alpha: float = 1.0) -> Self:
        return cls._checked(alpha)
