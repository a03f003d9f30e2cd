"""What a diagnosis says: for a program, for a terminal, and for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlpcore import html


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with an answer, if anything is.

    It counts as true if the answer is right.

    Attributes
    ----------
    right : bool
        Whether it is right: equal to what the engine computes, but for rounding.
    sentence : str
        What is wrong, in which equation, and what to do.
    mistake : str or None
        The name of the mistake in ``mlpcore.diagnosis.MISTAKES``, two names joined by ``" + "`` if two were made
        together; None if the answer is right, if the mistake is not known, or if several explain it.
    candidates : tuple of str
        All mistakes that give exactly this answer: more than one if they cannot be told apart on these data.
    first_difference : tuple of int or None
        The index of the first number that is wrong, ``[i, k]``; None if there is none, or the shape is wrong.
    quantity : str
        What was judged: ``"phi"``.
    layer : int or None
        Of which layer, counted from 1 as in the paper; None for a function without a model.
    equation : str
        The equation and where it stands: ``"equation 2: phi^j = (w^{j+1})^T phi^{j+1} ∘ sigma'(z^j)"``.
    follows : bool
        Whether it is right only if what the student had computed before is taken as it is, which is wrong: no mistake
        was made here.
    """

    right: bool
    sentence: str
    mistake: str | None = None
    candidates: tuple[str, ...] = ()
    first_difference: tuple[int, ...] | None = None
    quantity: str = ""
    layer: int | None = None
    equation: str = ""
    follows: bool = False

    def __bool__(self) -> bool:
        return self.right

    @property
    def subject(self) -> str:
        """The array in the paper's notation: phi^2."""
        return subject(self.quantity, self.layer)

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<{self.subject}: {'right' if self.right else self.mistake or 'not known'}> {self.sentence}"

    def _repr_html_(self) -> str:
        names = f" ({' or '.join(self.candidates)})" if self.candidates else ""
        return html.block(html.line(f"{_mark(self)} {self.subject}{names}", strong=True), html.line(self.sentence))


@dataclass(frozen=True)
class Diagnoses(Mapping[tuple[str, int], Diagnosis]):
    """The diagnoses of all arrays of a pass, by quantity and layer: ``report["phi", 2]``.

    Attributes
    ----------
    all : tuple of Diagnosis
        In the order in which a pass computes them.
    """

    all: tuple[Diagnosis, ...]

    def __getitem__(self, key: tuple[str, int]) -> Diagnosis:
        for each in self.all:
            if (each.quantity, each.layer or 0) == key:
                return each
        raise KeyError(key)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return ((each.quantity, each.layer or 0) for each in self.all)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def wrong(self) -> tuple[Diagnosis, ...]:
        """Those in which a mistake was made."""
        return tuple(each for each in self.all if not each.right)

    @property
    def right(self) -> bool:
        """Whether none is wrong."""
        return not self.wrong

    @property
    def score(self) -> float:
        """The part of the arrays in which no mistake was made, from 0 to 1."""
        return (len(self.all) - len(self.wrong)) / len(self.all) if self.all else 1.0

    def __str__(self) -> str:
        width = max((len(each.subject) for each in self.all), default=0)
        return "\n".join(f"{_mark(each)} {each.subject:<{width}}  {each.sentence}" for each in self.all)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(each.subject, _mark(each), each.mistake or "", each.sentence) for each in self.all]
        count = f"{len(self.all) - len(self.wrong)} of {len(self.all)} arrays without a mistake of their own"
        return html.block(html.table(("array", "", "mistake", "what there is to say"), rows), html.line(count))


def subject(quantity: str, layer: int | None) -> str:
    """Return an array in the paper's notation."""
    if quantity == "loss":
        return "L"
    return quantity if layer is None else f"{quantity}^{layer}"


def _mark(diagnosis: Diagnosis) -> str:
    return "✓" if diagnosis.right else "✗"
