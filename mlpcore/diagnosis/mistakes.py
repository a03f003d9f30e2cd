"""The catalogue of mistakes: what each is called, how it is told to a student, and what it computes instead.

A row knows, for each equation in which the mistake is made, the formula that stands there instead of the right one.
`MISTAKES` has all of them; docs/diagnose.md is checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mlpcore.diagnosis.equations import Formula


@dataclass(frozen=True)
class Wrong:
    """What a mistake computes in one equation.

    Attributes
    ----------
    symbols : str
        In the notation of the paper.
    formula : callable
        In NumPy, of `values.Values`. It returns None, or raises ValueError, where it does not apply.
    """

    symbols: str
    formula: Formula


@dataclass(frozen=True)
class Mistake:
    """A mistake that is made in one equation or in several.

    Attributes
    ----------
    name : str
    what : str
        What is wrong: a clause that follows "grad_w^2 is wrong:".
    do : str
        What to do about it: a sentence.
    wrong : mapping of str to tuple of Wrong
        By the name of the equation: the forms in which the mistake is made there. Empty for what is seen without a
        formula, such as a wrong shape.
    """

    name: str
    what: str
    do: str
    wrong: Mapping[str, tuple[Wrong, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def equations(self) -> tuple[str, ...]:
        """The names of the equations in which it is made, the most usual one first."""
        return tuple(self.wrong)

    def also_in(self, more: Mapping[str, list[tuple[str, Formula]]]) -> Mistake:
        """Return the row with forms in more equations."""
        forms = {equation: tuple(Wrong(*pair) for pair in pairs) for equation, pairs in more.items()}
        return replace(self, wrong=MappingProxyType({**self.wrong, **forms}))


def mistake(name: str, what: str, do: str, **wrong: tuple[str, Formula] | list[tuple[str, Formula]]) -> Mistake:
    """Return a row: for each equation the symbols and the formula, or a list of such pairs."""
    forms = {
        equation: tuple(Wrong(*pair) for pair in (given if isinstance(given, list) else [given]))
        for equation, given in wrong.items()
    }
    return Mistake(name, what, do, MappingProxyType(forms))
