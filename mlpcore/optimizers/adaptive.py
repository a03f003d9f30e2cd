"""Optimizers that divide a gradient by the size that the gradients of its weight have had."""

from dataclasses import dataclass, field
from typing import ClassVar

from mlpcore.optimizers.optimizer import Optimizer
from mlpcore.schedules.schedule import Rate


@dataclass(eq=False, repr=False)
class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011): steps that shrink with all the gradients that a weight has had.

    With grad = the gradient of a batch's loss and v = 0 at first::

        v += grad^2
        w -= learning_rate * grad / (sqrt(v) + epsilon)

    It is PyTorch's Adagrad. Keras's begins with v = 0.1, and has epsilon within the root.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
        As in `SGD`.
    epsilon : float, default 1e-7
        At least 1e-30.
    weight_decay : float, default 0.0
        As in `SGD`.
    clip_value, clip_norm : float, optional
        As in `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.Adagrad()
    Adagrad(learning_rate=0.01, epsilon=1e-07)
    """

    learning_rate: "Rate" = 0.01
    epsilon: float = 1e-7
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "adagrad"


@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012): a gradient is divided by the root of a moving average of its square.

    With grad = the gradient of a batch's loss, and v = velocity = mean = 0 at first::

        v = rho * v + (1 - rho) * grad^2
        velocity = momentum * velocity + grad / (sqrt(v) + epsilon)
        w -= learning_rate * velocity

    centered (Graves 2013): mean = rho * mean + (1 - rho) * grad, and v - mean^2 stands in the place of v in sqrt(v).

    It is PyTorch's RMSprop, whose rho is called alpha and is 0.99. Keras's has epsilon within the root, and multiplies
    by the learning rate before the velocity is formed.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        As in `SGD`.
    rho : float, default 0.9
        From 0 to below 1.
    momentum : float, default 0.0
        From 0 to below 1. The velocity is kept only where it is not 0, as in `SGD`.
    epsilon : float, default 1e-7
        At least 1e-30.
    centered : bool, default False
        The mean is kept only where it is True.
    weight_decay : float, default 0.0
        As in `SGD`.
    clip_value, clip_norm : float, optional
        As in `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.RMSprop(momentum=0.9)
    RMSprop(learning_rate=0.001, rho=0.9, momentum=0.9, epsilon=1e-07, centered=False)
    """

    learning_rate: "Rate" = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "rmsprop"


@dataclass(eq=False, repr=False)
class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): steps as long as the steps before, in the proportion of the gradients.

    With grad = the gradient of a batch's loss, and v = u = 0 at first::

        v = rho * v + (1 - rho) * grad^2
        delta = sqrt(u + epsilon) / sqrt(v + epsilon) * grad
        u = rho * u + (1 - rho) * delta^2
        w -= learning_rate * delta

    It is PyTorch's Adadelta, and the paper's with learning_rate 1; Keras's default is 0.001.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 1.0
        As in `SGD`.
    rho : float, default 0.9
        From 0 to below 1.
    epsilon : float, default 1e-6
        At least 1e-30. The first steps are about its root.
    weight_decay : float, default 0.0
        As in `SGD`.
    clip_value, clip_norm : float, optional
        As in `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.Adadelta()
    Adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-06)
    """

    learning_rate: "Rate" = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "adadelta"
