"""The derivation step by step, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from mlpcore.trace.backward import backward_steps
from mlpcore.trace.chain import chain
from mlpcore.trace.forward import forward_steps, loss_step
from mlpcore.trace.step import Key, Step, step_html
from mlpcore.trace.trace import Trace
from mlpcore.trace.update import update_steps
from mlpcore.trace.writer import Writer
from mlpcore.typeset import Style


def derivation(trace: Trace, style: Style) -> tuple[Step, ...]:
    """Return all steps of a trace: z and a from the first layer to the last, the loss, backward, the update.

    Parameters
    ----------
    trace : Trace
    style : Style

    Returns
    -------
    tuple of Step
    """
    writer = Writer(trace, style)
    links = chain(trace.layers)
    return (
        *forward_steps(writer, links),
        loss_step(writer, links[-1]),
        *backward_steps(writer, links),
        *update_steps(writer, links),
    )


class Steps(Sequence[Step]):
    """The steps of a derivation, through which one can go forwards and back.

    `Sequential.steps` makes it. As a sequence it has all steps: ``len(steps)``, ``steps[0]``, ``for step in steps``. It
    also stands at one of them, at first the first one: `next` and `back` move, ``next(steps)`` gives the one where it
    stands and moves on.

    Attributes
    ----------
    trace : Trace
        Where the numbers stand.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(1, "sigmoid")], input_size=1, dtype="float64")
    >>> model.layers[0].w = [[2]]
    >>> steps = model.steps([0.5], 1, "bce")
    >>> [step.equation for step in steps]
    ['z', 'a', 'loss', 'grad_a', 1, 'short', 3, 4]
    >>> print(steps.current)
    z of layer 1
      z¹ = w¹ a⁰ + b¹
         = [2] [0.5] + [0]
         = [1]
    >>> steps.next().symbols
    'a¹ = σ(z¹)'
    >>> steps.back() is steps[0]
    True
    """

    def __init__(self, trace: Trace, style: Style) -> None:
        self.trace = trace
        self._steps = derivation(trace, style)
        self._at = 0

    @property
    def position(self) -> int:
        """The index of the step where it stands; can be set."""
        return self._at

    @position.setter
    def position(self, value: int) -> None:
        at = range(len(self))[value]  # IndexError, and negative ones count from the end
        self._at = at

    @property
    def current(self) -> Step:
        """The step where it stands."""
        return self._steps[min(self._at, len(self) - 1)]

    def next(self) -> Step:
        """Go one step forwards and return it.

        Returns
        -------
        Step

        Raises
        ------
        StopIteration
            If it stands at the last one.
        """
        return self._go(self._at + 1, "last")

    def back(self) -> Step:
        """Go one step back and return it.

        Returns
        -------
        Step

        Raises
        ------
        StopIteration
            If it stands at the first one.
        """
        return self._go(min(self._at, len(self)) - 1, "first")

    def _go(self, at: int, end: str) -> Step:
        if not 0 <= at < len(self):
            raise StopIteration(f"this is the {end} step")
        self._at = at
        return self._steps[at]

    def find(self, equation: Key | None = None, j: Key | None = None) -> tuple[Step, ...]:
        """Return the steps of an equation, of a layer, or of both.

        Parameters
        ----------
        equation : int or str, optional
            As in `Step`. 1 has the short form too.
        j : int or str, optional
            As in `Step`.

        Returns
        -------
        tuple of Step

        Raises
        ------
        ValueError
            If there is none; the message says which there are.
        """
        return found(self._steps, equation, j)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...
    def __getitem__(self, index: int | slice) -> Step | tuple[Step, ...]:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    def __next__(self) -> Step:
        if self._at >= len(self):
            raise StopIteration
        step = self._steps[self._at]
        self._at += 1
        return step

    def __repr__(self) -> str:
        at = min(self._at, len(self) - 1)
        return f"<step {at + 1} of {len(self)}, {self.current.title}: {self.current.symbols}>"

    def _repr_html_(self) -> str:
        at = min(self._at, len(self) - 1)
        return f"<p>step {at + 1} of {len(self)}</p>{step_html(self.current, with_words=True)}"


def found(steps: Sequence[Step], equation: Key | None, j: Key | None) -> tuple[Step, ...]:
    """Return the steps of an equation and a layer (see `Steps.find`)."""
    wanted = (1, "short") if equation == 1 else (equation,)
    these = tuple(
        step for step in steps if (equation is None or step.equation in wanted) and (j is None or step.j == j)
    )
    if not these:
        if j is not None and all(step.j != j for step in steps):
            layers = ", ".join(dict.fromkeys(repr(step.j) for step in steps))
            raise ValueError(f"j is {j!r}, expected the number of a layer: {layers}")
        there = ", ".join(dict.fromkeys(repr(step.equation) for step in steps if j is None or step.j == j))
        of = "" if j is None else f" of layer {j}"
        raise ValueError(f"equation is {equation!r}, expected one of those{of}: {there}")
    return these
