"""Adam and its relatives, which keep moving averages of the gradient and of its square."""

from dataclasses import dataclass, field
from typing import ClassVar

from mlpcore.optimizers.optimizer import Optimizer
from mlpcore.schedules.schedule import Rate


@dataclass(eq=False, repr=False)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with bias correction.

    With grad = the gradient of a batch's loss, m = v = 0 at first, and t = 1 for the first step::

        m = beta1 * m + (1 - beta1) * grad          m_hat = m / (1 - beta1^t)
        v = beta2 * v + (1 - beta2) * grad^2        v_hat = v / (1 - beta2^t)
        w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        As in `SGD`.
    beta1, beta2 : float, default 0.9 and 0.999
        From 0 to below 1.
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
    >>> mlpcore.Adam(learning_rate=0.01)
    Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-07)
    """

    learning_rate: "Rate" = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "adam"


@dataclass(eq=False, repr=False)
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    `Adam` with another default of weight_decay, PyTorch's::

        w -= learning_rate * weight_decay * w, then the step of Adam

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        As in `SGD`.
    beta1, beta2 : float, default 0.9 and 0.999
        From 0 to below 1.
    epsilon : float, default 1e-7
        At least 1e-30.
    weight_decay : float, default 0.01
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
    >>> mlpcore.AdamW()
    AdamW(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-07, weight_decay=0.01)
    """

    learning_rate: "Rate" = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = field(default=0.01, kw_only=True)

    _name: ClassVar[str] = "adamw"


@dataclass(eq=False, repr=False)
class AMSGrad(Optimizer):
    """AMSGrad (Reddi et al. 2018): Adam that divides by the largest average of grad^2 so far.

    With m, v, m_hat and t as in `Adam`, and v_max = 0 at first::

        v_max = max(v_max, v)
        w -= learning_rate * m_hat / (sqrt(v_max / (1 - beta2^t)) + epsilon)

    It is Keras's and PyTorch's Adam with amsgrad=True.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        As in `SGD`.
    beta1, beta2 : float, default 0.9 and 0.999
        From 0 to below 1.
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
    >>> mlpcore.AMSGrad(0.01)
    AMSGrad(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-07)
    """

    learning_rate: "Rate" = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "amsgrad"


@dataclass(eq=False, repr=False)
class NAdam(Optimizer):
    """NAdam (Dozat 2016): Adam with Nesterov's momentum.

    With m, v, v_hat and t as in `Adam`, and a momentum that grows to beta1::

        mu_t = beta1 * (1 - 0.96^(t momentum_decay) / 2)        M_t = mu_1 * mu_2 * ... * mu_t
        m_hat = mu_(t+1) * m / (1 - M_(t+1)) + (1 - mu_t) * grad / (1 - M_t)
        w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)

    It is PyTorch's NAdam. M_t follows from beta1 and momentum_decay as they are now, and is no state; PyTorch's is one,
    in its default type.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        As in `SGD`.
    beta1, beta2 : float, default 0.9 and 0.999
        From 0 to below 1.
    epsilon : float, default 1e-7
        At least 1e-30.
    momentum_decay : float, default 0.004
        At least 0; the larger, the sooner mu is beta1.
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
    >>> mlpcore.NAdam()
    NAdam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-07, momentum_decay=0.004)
    """

    learning_rate: "Rate" = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    momentum_decay: float = 0.004
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "nadam"


@dataclass(eq=False, repr=False)
class RAdam(Optimizer):
    """RAdam (Liu et al. 2020): Adam that warms up by itself.

    With m, m_hat, v and t as in `Adam`::

        R = 2 / (1 - beta2) - 1                     r = R - 2 t beta2^t / (1 - beta2^t)
        if r > 5:
            rectification = sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r))
            w -= learning_rate * rectification * m_hat * sqrt(1 - beta2^t) / (sqrt(v) + epsilon)
        else:                                       the first steps, 5 with the usual beta2
            w -= learning_rate * m_hat

    It is PyTorch's RAdam.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        As in `SGD`.
    beta1, beta2 : float, default 0.9 and 0.999
        From 0 to below 1.
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
    >>> mlpcore.RAdam()
    RAdam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-07)
    """

    learning_rate: "Rate" = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "radam"
