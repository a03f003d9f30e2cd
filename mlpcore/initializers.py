"""The initializers that have constants, as objects: ``Dense(64, kernel_initializer=Normal(stddev=0.01))``.

An initializer's name alone stands for the default values of its constants. docs/catalogue.md has the formulas of all.
"""

from collections.abc import Iterable
from typing import Any, Self

from mlpcore.engine import Choice
from mlpcore.functions import Function

# What the activation chooses where no initializer is given; all others have Glorot's. ReLU keeps Glorot's too, so that
# seeds go on giving the weights that they gave before He's was the default of the others.
_HE = {"relu6", "leaky_relu", "elu", "celu", "gelu", "gelu_tanh", "silu", "mish", "hard_swish"}
_LECUN = {"selu"}


def default_of(activation: Choice) -> str:
    """Return the initializer of w that suits an activation: the width of what it hands on stays about the same."""
    name = activation[0] if isinstance(activation, tuple) else activation
    return "lecun_normal" if name in _LECUN else "he_uniform" if name in _HE else "glorot_uniform"


class Constant(Function):
    """Every weight is `value`.

    Parameters
    ----------
    value : float, default 0.0

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(2, "relu", bias_initializer=mlpcore.Constant(0.1))
    >>> model = mlpcore.Sequential([layer], input_size=3)
    >>> layer.b
    array([0.1, 0.1], dtype=float32)
    """

    _family, _name = "initializers", "constant"
    __slots__ = ()
    value: float

    def __new__(cls, value: float = 0.0) -> Self:
        return cls._checked(value)


class Uniform(Function):
    """Weights are uniform in [minval, maxval); the default values are those of Keras's RandomUniform.

    Parameters
    ----------
    minval : float, default -0.05
    maxval : float, default 0.05
        Not below minval.

    Raises
    ------
    TypeError, ValueError
        If a constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(100, kernel_initializer=mlpcore.Uniform(0, 0.5))
    >>> model = mlpcore.Sequential([layer], input_size=100, seed=1)
    >>> bool((layer.w >= 0).all() and (layer.w <= 0.5).all())
    True
    """

    _family, _name = "initializers", "uniform"
    __slots__ = ()
    minval: float
    maxval: float

    def __new__(cls, minval: float = -0.05, maxval: float = 0.05) -> Self:
        return cls._checked(minval, maxval)

    @classmethod
    def _of(cls, values: Iterable[Any]) -> Self:
        minval, maxval = values
        if minval > maxval:
            raise ValueError(f"maxval is {maxval}, expected a number >= {minval}, which is minval")
        return super()._of((minval, maxval))


class Normal(Function):
    """Weights are normal: mean + stddev z; the default values are those of Keras's RandomNormal.

    z is the point of the normal distribution below which lies the share u, a uniform number (Wichura 1988, AS 241).

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        The standard deviation: >= 0.

    Raises
    ------
    TypeError, ValueError
        If a constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(100, kernel_initializer=mlpcore.Normal(stddev=0.01))
    >>> model = mlpcore.Sequential([layer], input_size=100, seed=1)
    >>> bool(0.0095 < layer.w.std() < 0.0105)
    True
    """

    _family, _name = "initializers", "normal"
    __slots__ = ()
    mean: float
    stddev: float

    def __new__(cls, mean: float = 0.0, stddev: float = 0.05) -> Self:
        return cls._checked(mean, stddev)


class TruncatedNormal(Function):
    """Weights are normal, drawn from within two standard deviations of the mean alone, as Keras's TruncatedNormal.

    So their own standard deviation is 0.88 stddev. The names ``glorot_normal``, ``he_normal`` and ``lecun_normal`` are
    truncated in this way too, and divide by 0.88, as in Keras; PyTorch's are not truncated.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        The standard deviation before truncation: >= 0.

    Raises
    ------
    TypeError, ValueError
        If a constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(100, kernel_initializer=mlpcore.TruncatedNormal(stddev=0.01))
    >>> model = mlpcore.Sequential([layer], input_size=100, seed=1)
    >>> bool(abs(layer.w).max() <= 0.02)
    True
    """

    _family, _name = "initializers", "truncated_normal"
    __slots__ = ()
    mean: float
    stddev: float

    def __new__(cls, mean: float = 0.0, stddev: float = 0.05) -> Self:
        return cls._checked(mean, stddev)


class Orthogonal(Function):
    """Rows or columns of w, whichever are fewer, are orthogonal and `gain` long (Saxe et al. 2014).

    w is Q of Q R, a factorization of a matrix of normal numbers, with the diagonal of R positive, as in Keras and
    PyTorch: so it is uniform among all such matrices.

    Parameters
    ----------
    gain : float, default 1.0
        >= 0.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Dense(2, kernel_initializer=mlpcore.Orthogonal(2.0))
    >>> model = mlpcore.Sequential([layer], input_size=5, dtype="float64", seed=1)
    >>> (layer.w @ layer.w.T).round(12) + 0.0
    array([[4., 0.],
           [0., 4.]])
    """

    _family, _name = "initializers", "orthogonal"
    __slots__ = ()
    gain: float

    def __new__(cls, gain: float = 1.0) -> Self:
        return cls._checked(gain)
