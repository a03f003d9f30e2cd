"""What a student's function is worth: the parts with their points, what is wrong in words, and a table of both."""

import textwrap
from dataclasses import dataclass
from typing import Any

from mlpcore import html
from mlpcore.checks import real_number

__all__ = ["Mark", "Part"]

WIDTH = 100  # of a mark as text
_LINE = "margin:0.2em 0.6em;max-width:50em"


@dataclass(frozen=True)
class Part:
    """One thing that is tested.

    Attributes
    ----------
    name : str
        Which result, on which data: "phi, a batch of 4 samples".
    points : int
        What it is worth.
    ok : bool
        Whether it is right.
    sentence : str
        What is wrong with it; "" if nothing is.
    mistake : str or None
        The mistake's name in the catalogue of `mlpcore.diagnosis`, if it is known.
    """

    name: str
    points: int
    ok: bool
    sentence: str = ""
    mistake: str | None = None


@dataclass(frozen=True)
class Mark:
    """The mark of one function: what `Exercise.check` returns.

    ``float(mark)`` is its score. A notebook shows it as a table.

    Attributes
    ----------
    exercise, title : str
        The exercise's name and title.
    seed : int or str
        What the data were drawn with.
    parts : tuple of Part
    notes : tuple of str
        What was noticed and costs nothing, such as that the function prints.

    Examples
    --------
    >>> import numpy as np, mlpcore
    >>> relu = mlpcore.exercises.all()["relu"]
    >>> relu.check(lambda z: (np.maximum(z, 0), np.where(z > 0, 1.0, 0.0))).score
    1.0
    >>> mark = relu.check(lambda z: (np.maximum(z, 0), np.where(z >= 0, 1.0, 0.0)))
    >>> print(mark)  # doctest: +ELLIPSIS
    relu: 82 % (9 of 11 points)
      2 of 2  a, ... numbers
      2 of 2  a, 0 and numbers far from it
      1 of 1  a, one number
      2 of 2  dsigma, ... numbers
      0 of 2  dsigma, 0 and numbers far from it
      1 of 1  dsigma, one number
      1 of 1  the arguments are left as they are
      - dsigma: unknown mistake, first differs at [0, 0]: got 1, expected 0; ...
    """

    exercise: str
    title: str
    seed: int | str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """The share of the points that was reached, from 0.0 to 1.0."""
        return sum(part.points for part in self.parts if part.ok) / sum(part.points for part in self.parts)

    @property
    def ok(self) -> bool:
        """Whether every part is right."""
        return all(part.ok for part in self.parts)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is wrong, each mistake once, and then the notes."""
        return tuple(dict.fromkeys([part.sentence for part in self.parts if part.sentence] + list(self.notes)))

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The names of the known mistakes that were found."""
        return tuple(dict.fromkeys(part.mistake for part in self.parts if part.mistake))

    def __float__(self) -> float:
        return self.score

    def points(self, of: float = 1.0) -> float:
        """Return the score as points of a maximum, rounded to four digits: the last line of an nbgrader test cell.

        Parameters
        ----------
        of : float, default 1.0
            The points of the cell.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If `of` is no number >= 0.
        """
        return round(self.score * real_number("of", of, at_least=0), 4)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a plain dict of strings, numbers and lists, which JSON holds.

        Returns
        -------
        dict
            "exercise", "title", "seed", "score", "ok", "parts" (each with "name", "points", "of", "ok", "sentence" and
            "mistake"), "sentences", "mistakes" and "notes".
        """
        parts = [
            {
                "name": part.name,
                "points": part.points if part.ok else 0,
                "of": part.points,
                "ok": part.ok,
                "sentence": part.sentence,
                "mistake": part.mistake,
            }
            for part in self.parts
        ]
        return {
            "exercise": self.exercise,
            "title": self.title,
            "seed": self.seed,
            "score": self.score,
            "ok": self.ok,
            "parts": parts,
            "sentences": list(self.sentences),
            "mistakes": list(self.mistakes),
            "notes": list(self.notes),
        }

    def _verdict(self) -> str:
        of = sum(part.points for part in self.parts)
        got = sum(part.points for part in self.parts if part.ok)
        return f"{100 * self.score:.0f} % ({got} of {of} points)"

    def __str__(self) -> str:
        width = max(len(str(part.points)) for part in self.parts)
        lines = [f"{self.exercise}: {self._verdict()}"]
        lines += [
            f"  {part.points if part.ok else 0:>{width}} of {part.points:>{width}}  {part.name}" for part in self.parts
        ]
        for sentence in self.sentences:
            lines += textwrap.wrap(sentence, WIDTH, initial_indent="  - ", subsequent_indent="    ")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            (part.name, "✓ right" if part.ok else "✗ wrong", f"{part.points if part.ok else 0} of {part.points}")
            for part in self.parts
        ]
        return html.block(
            html.line(f"{self.title}: {self._verdict()}", strong=True),
            html.table(("part", "", "points"), rows, numbers=(2,)),
            *(_said(sentence) for sentence in self.sentences),
        )


def _said(sentence: str) -> str:
    """Return a sentence as HTML, what stands between backticks as code."""
    pieces = [html.escaped(piece) for piece in sentence.split("`")]
    if len(pieces) % 2 == 0:  # a backtick of a student's
        return html.line(sentence)
    inside = "".join(f"<code>{piece}</code>" if i % 2 else piece for i, piece in enumerate(pieces))
    return f'<p style="{_LINE}">{inside}</p>'
