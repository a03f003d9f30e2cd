"""The losses that have constants, as objects: ``model.fit(X, y, loss=Huber(delta=2.0))``.

A loss's name alone stands for the default values of its constants. docs/catalogue.md has the formulas of all.
"""

from typing import Self

from mlpcore.functions import Function


class BinaryCrossentropy(Function):
    """The sum over the outputs of -t log y_hat - (1 - t) log(1 - y_hat), with t = y (1 - s) + s / 2 (section 3.2.1).

    s, the label smoothing, keeps a model from becoming ever more sure of what may be wrong (Szegedy et al. 2016).
    Accuracies compare with y itself. With s = 0 it is "bce".

    Parameters
    ----------
    label_smoothing : float, default 0.0
        >= 0 and < 1: the share of y that is spread over yes and no.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> loss = mlpcore.BinaryCrossentropy(label_smoothing=0.2)
    >>> best = mlpcore.kernels.output_phi(loss, "sigmoid", [[2.1972245773362196]], [[1.0]])  # y_hat is 0.9
    >>> abs(best) < 1e-15
    array([[ True]])
    """

    _family, _name = "losses", "bce"
    __slots__ = ()
    label_smoothing: float

    def __new__(cls, label_smoothing: float = 0.0) -> Self:
        return cls._checked(label_smoothing)


class CategoricalCrossentropy(Function):
    """The sum over the classes of -t log y_hat, with t = y (1 - s) + s / out (section 3.3.1).

    s, the label smoothing, keeps a model from becoming ever more sure of what may be wrong (Szegedy et al. 2016). It is
    that of PyTorch's ``CrossEntropyLoss`` and of Keras. y is as for "cce", class indices too, and accuracies compare
    with y itself. With s = 0 it is "cce".

    Parameters
    ----------
    label_smoothing : float, default 0.0
        >= 0 and < 1: the share of y that is spread over all classes.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> loss = mlpcore.CategoricalCrossentropy(label_smoothing=0.3)
    >>> mlpcore.kernels.output_phi(loss, "softmax", [[0.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]).round(2)
    array([[ 0.23, -0.47,  0.23]])
    """

    _family, _name = "losses", "cce"
    __slots__ = ()
    label_smoothing: float

    def __new__(cls, label_smoothing: float = 0.0) -> Self:
        return cls._checked(label_smoothing)


class Huber(Function):
    """The mean over the outputs of m^2 / 2 where m = abs(y_hat - y) <= delta, else delta (m - delta / 2) (Huber 1964).

    Its derivative to y_hat is y_hat - y, cut off at -delta and delta, over the number of outputs.

    Parameters
    ----------
    delta : float, default 1.0
        > 0: misses larger than this count as in "mae", smaller ones as in "mse", but for the factor 1/2.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.kernels.loss_value(mlpcore.Huber(delta=2.0), [[1.0], [5.0]], [[0.0], [0.0]])
    4.25
    """

    _family, _name = "losses", "huber"
    __slots__ = ()
    delta: float

    def __new__(cls, delta: float = 1.0) -> Self:
        return cls._checked(delta)


class Quantile(Function):
    """The mean over the outputs of quantile m where m = y - y_hat > 0, else (quantile - 1) m (Koenker & Bassett 1978).

    Also called the pinball loss: the y_hat of the least loss is the quantile of y, the median for 0.5. Its derivative
    to y_hat is -quantile where y_hat is too small and 1 - quantile where it is too large, over the number of outputs.

    Parameters
    ----------
    quantile : float, default 0.5
        > 0 and < 1.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.kernels.loss_value(mlpcore.Quantile(0.75), [[1.0], [5.0]], [[3.0], [3.0]])
    1.0
    """

    _family, _name = "losses", "quantile"
    __slots__ = ()
    quantile: float

    def __new__(cls, quantile: float = 0.5) -> Self:
        return cls._checked(quantile)


class Focal(Function):
    """The sum over the outputs of s m^gamma bce, where m is how far y_hat misses a y of 0 or 1 (Lin et al. 2017).

    s = alpha y + (1 - alpha) (1 - y), m = y_hat + y - 2 y_hat y, and bce = -y log y_hat - (1 - y) log(1 - y_hat): of
    what is nearly right little counts. It is torchvision's ``sigmoid_focal_loss``, and Keras's
    ``BinaryFocalCrossentropy`` with ``apply_class_balancing=True``, whose mean over the outputs is a sum here, as in
    "bce".

    Parameters
    ----------
    gamma : float, default 2.0
        >= 0 and < 64; with 0, and alpha 0.5, it is half of "bce".
    alpha : float, default 0.25
        >= 0 and < 1: the weight of y = 1; that of y = 0 is 1 - alpha.

    Raises
    ------
    TypeError, ValueError
        If a constant is no number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> loss = mlpcore.Focal(gamma=2.0, alpha=0.5)
    >>> easy, hard = (mlpcore.kernels.loss_value(loss, [[y_hat]], [[1.0]]) for y_hat in (0.9, 0.1))
    >>> round(hard / easy)
    1770
    """

    _family, _name = "losses", "focal"
    __slots__ = ()
    gamma: float
    alpha: float

    def __new__(cls, gamma: float = 2.0, alpha: float = 0.25) -> Self:
        return cls._checked(gamma, alpha)


class GaussianNLL(Function):
    """Minus the logarithm of a normal distribution whose mean and variance v the model gives (Nix & Weigend 1994).

    For y of shape (n, k) the model has 2 k outputs: first the k means, then the k logarithms of variances, so that any
    number that the last layer gives stands for a variance. The loss is the sum over the columns of
    (log v + (mean - y)^2 / v) / 2, which is PyTorch's ``GaussianNLLLoss`` of v, whose mean over the columns is a sum
    here, as in "bce".

    Parameters
    ----------
    epsilon : float, default 1e-6
        > 0: the least variance. Where the model gives a smaller one, the gradient to its logarithm is 0.

    Raises
    ------
    TypeError, ValueError
        If the constant is no number in its range.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> x = np.linspace(-1, 1, 200).reshape(200, 1)
    >>> noise = np.random.default_rng(0).normal(size=200) * np.where(x[:, 0] < 0, 0.1, 1.0)
    >>> model = mlpcore.Sequential([mlpcore.Dense(16, "tanh"), mlpcore.Dense(2)], seed=1)
    >>> history = model.fit(x, noise, "gaussian_nll", optimizer=mlpcore.Adam(0.02), epochs=100, progress=False)
    >>> mean, log_variance = model.predict([[-0.7], [0.7]]).T
    >>> deviation = np.exp(log_variance / 2)
    >>> bool(deviation[0] < 0.3 < deviation[1])
    True
    """

    _family, _name = "losses", "gaussian_nll"
    __slots__ = ()
    epsilon: float

    def __new__(cls, epsilon: float = 1e-6) -> Self:
        return cls._checked(epsilon)
