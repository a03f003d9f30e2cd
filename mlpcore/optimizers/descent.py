"""Optimizers that keep no average of squared gradients: gradient descent, and two that use a gradient's sign alone."""

from dataclasses import dataclass, field
from typing import ClassVar

from mlpcore.optimizers.optimizer import Optimizer
from mlpcore.schedules.schedule import Rate


@dataclass(eq=False, repr=False)
class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum.

    With grad = the gradient of a batch's loss and velocity = 0 at first::

        velocity = momentum * velocity + grad
        w -= learning_rate * velocity                       plain momentum (Polyak 1964)
        w -= learning_rate * (grad + momentum * velocity)   nesterov (as Sutskever et al. 2013)

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
        A number, or a schedule such as `Cosine`, or a function of the epoch: see `mlpcore.schedules`.
    momentum : float, default 0.0
        From 0 to below 1. Without momentum no velocity is kept; it begins as 0 with the first step that has momentum,
        and follows the formula from then on, whatever momentum becomes.
    nesterov : bool, default False
        Needs a momentum above 0.
    weight_decay : float, default 0.0
        Decoupled weight decay (Loshchilov & Hutter 2019), as in Keras: before its step every weight that is trained,
        biases too, becomes w - learning_rate * weight_decay * w. PyTorch's SGD and Adam mean by the same name the
        penalty weight_decay w^2 / 2 of the loss, which is a layer's l2 here.
    clip_value, clip_norm : float, optional
        As in `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False)
    """

    learning_rate: "Rate" = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "sgd"

    def _check(self, dtype: str | None = None) -> None:
        super()._check(dtype)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov is True with momentum 0.0, expected a momentum > 0")


@dataclass(eq=False, repr=False)
class Lion(Optimizer):
    """Lion (Chen et al. 2023): steps of one length for every weight, in the direction of a moving average's sign.

    With grad = the gradient of a batch's loss and m = 0 at first::

        w -= learning_rate * sign(beta1 * m + (1 - beta1) * grad)
        m = beta2 * m + (1 - beta2) * grad

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.0001
        As in `SGD`. The authors' advice is a third to a tenth of Adam's, and three to ten times its weight_decay;
        Keras's default is 0.001.
    beta1, beta2 : float, default 0.9 and 0.99
        From 0 to below 1.
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
    >>> mlpcore.Lion(weight_decay=0.1)
    Lion(learning_rate=0.0001, beta1=0.9, beta2=0.99, weight_decay=0.1)
    """

    learning_rate: "Rate" = 0.0001
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = field(default=0.0, kw_only=True)

    _name: ClassVar[str] = "lion"


@dataclass(eq=False, repr=False)
class Rprop(Optimizer):
    """Resilient backpropagation, for data that are one batch (Riedmiller & Braun 1993; iRprop-, Igel & Hüsken 2000).

    Each weight has a step of its own, which follows from the signs of its gradients alone. With step = learning_rate
    and sign = 0 at first::

        agreement = sign(grad) * sign
        step *= eta_plus where agreement > 0, eta_minus where agreement < 0
        step = min(max(step, step_min), step_max)
        sign = sign(grad), or 0 where agreement < 0
        w -= step * sign

    Signs tell of progress only if every batch is the same: give ``batch_size=len(X)``. With smaller batches it takes
    the noise of the batches for turns. It is PyTorch's Rprop.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
        The length of a weight's first step, and nothing after it: of a schedule it takes the first rate.
    eta_minus, eta_plus : float, default 0.5 and 1.2
        What a step is multiplied by when the sign of the gradient turns, from 1e-30 to below 1, and when it stays, at
        least 1.
    step_min, step_max : float, default 1e-06 and 50.0
        The shortest and the longest step.
    clip_value, clip_norm : float, optional
        As in `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range.

    Examples
    --------
    >>> import mlpcore
    >>> mlpcore.Rprop()
    Rprop(learning_rate=0.01, eta_minus=0.5, eta_plus=1.2, step_min=1e-06, step_max=50.0)
    """

    learning_rate: "Rate" = 0.01
    eta_minus: float = 0.5
    eta_plus: float = 1.2
    step_min: float = 1e-6
    step_max: float = 50.0

    _name: ClassVar[str] = "rprop"

    def _check(self, dtype: str | None = None) -> None:
        super()._check(dtype)
        if self.step_min > self.step_max:
            raise ValueError(f"step_min is {self.step_min}, expected at most step_max, {self.step_max}")
