"""Schedules that fall from their first rate."""

from dataclasses import dataclass
from typing import ClassVar

from mlpcore.schedules.schedule import Schedule


@dataclass(frozen=True)
class Step(Schedule):
    """The rate is multiplied by `factor` every so many steps: ``learning_rate * factor ** (t // every)``.

    PyTorch's StepLR; Keras's ExponentialDecay with staircase.

    Parameters
    ----------
    learning_rate : float
    every : int
        So many steps, or epochs, have the same rate.
    factor : float, default 0.1
        From 0 to below 1.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> from mlpcore import Step
    >>> schedule = Step(0.1, every=2, factor=0.5, per="epoch")
    >>> [schedule.rate(t) for t in range(5)]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """

    every: int
    factor: float = 0.1

    _name: ClassVar[str] = "step"


@dataclass(frozen=True)
class Exponential(Schedule):
    """The rate decays exponentially: ``learning_rate * factor ** (t / every)``.

    PyTorch's ExponentialLR, Keras's ExponentialDecay.

    Parameters
    ----------
    learning_rate : float
    factor : float
        From 1e-30 to below 1.
    every : float, default 1.0
        The steps, or epochs, in which the rate is multiplied by `factor` once.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> from mlpcore import Exponential
    >>> round(Exponential(0.1, 0.96, every=1000).rate(500), 12)  # 0.1 * 0.96 ** 0.5
    0.097979589711
    """

    factor: float
    every: float = 1.0

    _name: ClassVar[str] = "exponential"


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """The rate falls with a power of t: ``learning_rate / (1 + t / every) ** power``.

    Sums of such rates with 1/2 < power <= 1 and of their squares are as Robbins & Monro (1951) ask for. With every=1 it
    is "invscaling" of scikit-learn, where t counts samples; with power=1 Keras's InverseTimeDecay.

    Parameters
    ----------
    learning_rate : float
    power : float, default 0.5
        At least 0.
    every : float, default 1.0
        After so many steps, or epochs, the rate is learning_rate / 2 ** power.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> from mlpcore import InverseScaling
    >>> round(InverseScaling(0.1, power=1.0, every=10).rate(10), 12)
    0.05
    """

    power: float = 0.5
    every: float = 1.0

    _name: ClassVar[str] = "inverse_scaling"


@dataclass(frozen=True)
class Polynomial(Schedule):
    """The rate falls to `minimum` with a power of what is left, and stays there.

    ::

        minimum + (learning_rate - minimum) * (1 - min(t, length) / length) ** power

    PyTorch's PolynomialLR, Keras's PolynomialDecay. power=1 is a straight line.

    Parameters
    ----------
    learning_rate : float
    length : int, optional
        In steps, or epochs. None: that of the fit.
    power : float, default 1.0
        Above 0.
    minimum : float, default 0.0
        From 0 to learning_rate.
    per : {"step", "epoch"}, default "step"

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range.

    Examples
    --------
    >>> from mlpcore import Polynomial
    >>> [round(Polynomial(0.1, length=4).rate(t), 12) for t in range(6)]
    [0.1, 0.075, 0.05, 0.025, 0.0, 0.0]
    """

    length: int | None = None
    power: float = 1.0
    minimum: float = 0.0

    _name: ClassVar[str] = "polynomial"
