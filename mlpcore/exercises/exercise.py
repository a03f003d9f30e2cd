"""An exercise: what it asks for, the stub to fill in, hints, a solution, and how an answer is marked."""

import hashlib
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import lazy
from mlpcore.checks import real_number, whole_number
from mlpcore.diagnosis.judging import judge
from mlpcore.exercises.calling import Answer, Trouble, call, several, told
from mlpcore.exercises.mark import Mark, Part
from mlpcore.exercises.naming import Quantities, Result, case_of, usable
from mlpcore.exercises.sources import Source

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["Case", "Exercise", "Exercises", "Text", "seed_number"]

UNCHANGED = "the arguments are left as they are"
SECONDS = 10.0


class Text(str):
    """A string of Markdown, which a notebook shows as such."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Case:
    """Data that a function is tried on.

    Attributes
    ----------
    title : str
        What they are, such as "a batch of 4 samples".
    arguments : mapping
        By the names of the stub's parameters, in order.
    points : int
        What each result is worth.
    tip : str
        A sentence for those whose function fails here.
    hidden : mapping
        What else is known of the data: for the right answers and for naming mistakes.
    """

    title: str
    arguments: Mapping[str, Any]
    points: int = 2
    tip: str = ""
    hidden: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Judged:
    """What is to be said of one result on one case; `candidates` are the mistakes that explain it."""

    result: str
    case: Case
    ok: bool
    sentence: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Exercise:
    """One task: write a function of NumPy arrays for an equation.

    Attributes
    ----------
    name : str
        Also the function's.
    title : str
    source : str
        Where the equation stands: "section 2.2, equation 2".
    text : str
        Markdown: the equation and what it is about; the middle of `statement`.
    hints : tuple of str
        From the vaguest to the plainest; `hint` gives them one at a time.
    results : tuple of Result
        What the function returns.
    cases : callable
        A NumPy generator -> the cases that a function is tried on.
    answer : callable
        A right answer. `stub` and `solution` are its source; its docstring has a line for each parameter and result.

    Examples
    --------
    >>> import numpy as np, mlpcore
    >>> sgd = mlpcore.exercises.all()["sgd"]
    >>> print(sgd.hint(1))
    Hint 1 of 2: Downhill is against the gradient.
    >>> sgd.check(lambda w, grad_w, learning_rate: w - learning_rate * grad_w, seed="ada").score
    1.0
    """

    name: str
    title: str
    source: str
    text: str
    hints: tuple[str, ...]
    results: tuple[Result, ...]
    cases: "Callable[[Generator], list[Case]]"
    answer: Callable[..., Any]
    _told: list[int] = field(default_factory=lambda: [0], init=False, repr=False)

    @property
    def _source(self) -> Source:
        return Source(self.answer)

    @property
    def statement(self) -> Text:
        """The task as Markdown: the equation in the paper's symbols, the function asked for, and the shapes."""
        source = self._source
        shapes = "\n".join(
            f"- returns {_named(name.removeprefix('returns '))}: {told}"
            if name.startswith("returns ")
            else f"- {_named(name)}: {told}"
            for name, told in source.shapes
        )
        return Text(
            f"### {self.title}\n\n*{self.source}*\n\n{self.text.strip()}\n\n"
            f"Write `{source.signature}`. {source.summary}\n\n{shapes}\n"
        )

    @property
    def stub(self) -> str:
        """The source text that a student fills in."""
        return self._source.stub

    def solution(self) -> str:
        """Return the source text of a right answer, for teachers.

        Returns
        -------
        str
        """
        return self._source.solution

    def solution_between(self, begin: str, end: str) -> str:
        """Return the solution with a line before and a line after what a student writes: for nbgrader.

        Parameters
        ----------
        begin, end : str
            Such as ``### BEGIN SOLUTION`` and ``### END SOLUTION``.

        Returns
        -------
        str
        """
        source = self._source
        return f"{source.head}    {begin}\n{source.body}    {end}\n"

    def hint(self, number: int | None = None) -> Text:
        """Return the next hint, which says a little more than the one before.

        Parameters
        ----------
        number : int, optional
            Return this one, counted from 1, and do not go on.

        Returns
        -------
        Text
            A str that a notebook shows as Markdown. After the last hint it says that there are no more.

        Raises
        ------
        TypeError, ValueError
            If `number` is no integer from 1 to the number of hints.
        """
        of = len(self.hints)
        if number is None:
            if self._told[0] == of:
                return Text(f"There are no more hints: `hint(1)` to `hint({of})` gives each of them again.")
            self._told[0] += 1
            number = self._told[0]
        number = whole_number("number", number, at_least=1, at_most=of)
        return Text(f"Hint {number} of {of}: {self.hints[number - 1]}")

    def check(self, function: Callable[..., Any], *, seed: int | str = 0, seconds: float = SECONDS) -> Mark:
        """Return the mark of a function: its score, and what is wrong with it in words.

        The function is called with data that it has not seen. What it raises, prints or returns becomes a sentence of
        the mark; nothing of it is raised here, but for Ctrl-C.

        Parameters
        ----------
        function : callable
            The student's.
        seed : int >= 0 or str, default 0
            What the data are drawn with. A student's name or number gives each student data of their own.
        seconds : float, default 10.0
            All calls together are stopped after so long, in the main thread of a Unix system, and between two steps of
            Python. Elsewhere only the grader's own limit stops a function that does not end.

        Returns
        -------
        Mark

        Raises
        ------
        TypeError
            If `function` cannot be called, or `seed` is neither an int nor a str.
        ValueError
            If `seed` is negative or `seconds` not above 0.
        """
        if not callable(function):
            raise TypeError(
                f"function is a {type(function).__name__}, expected a function of "
                f"({', '.join(self._source.parameters)}): check({self.name}), without parentheses after its name"
            )
        end = time.monotonic() + real_number("seconds", seconds, above=0)
        judged: list[_Judged] = []
        notes: dict[str, None] = {}
        changed: dict[str, None] = {}
        answer = Answer()
        for case in self.data(seed):
            if answer.trouble is None or not answer.trouble.hopeless:
                answer = call(function, self.name, case.arguments, max(end - time.monotonic(), 1e-3))
            with np.errstate(all="ignore"):  # a warning on standard error would cost the points of an nbgrader cell
                judged += self._judge(case, answer)
            notes |= dict.fromkeys(answer.notes)
            changed |= dict.fromkeys(answer.changed)
        parts = _parts(judged)
        parts.append(self._unchanged(tuple(changed), any(part.ok for part in parts)))
        return Mark(self.name, self.title, seed, tuple(parts), tuple(notes))

    def data(self, seed: int | str = 0) -> list[Case]:
        """Return what the function is tried on, as `check` draws it: for teachers.

        Parameters
        ----------
        seed : int >= 0 or str, default 0

        Returns
        -------
        list of Case

        Raises
        ------
        TypeError, ValueError
            If `seed` is neither an int >= 0 nor a str.
        """
        return self.cases(lazy.random_generator([seed_number(seed), zlib.crc32(self.name.encode())]))

    def parts(self, seed: int | str = 0) -> tuple[Part, ...]:
        """Return the parts of a mark in order, as they are for a right answer: for graders.

        Parameters
        ----------
        seed : int >= 0 or str, default 0
            As in `check`: the sizes of the data, which the names tell, depend on it. How many parts there are, and what
            they are worth, does not.

        Returns
        -------
        tuple of Part
        """
        judged = [_Judged(result.name, case, True, "", ()) for case in self.data(seed) for result in self.results]
        return (*_parts(judged), self._unchanged((), True))

    def _judge(self, case: Case, answer: Answer) -> list[_Judged]:
        """Return what is to be said of each result of a case."""
        names = tuple(result.name for result in self.results)
        values = answer.trouble or several(self.name, answer.value, names)
        if isinstance(values, Trouble):
            faults = () if values.fault is None else (values.fault,)
            return [_Judged(name, case, False, values.sentence, faults) for name in names]
        judged = []
        right, own = (Quantities(**case.arguments, **case.hidden) for _ in range(2))
        astray = False  # whether a result before is wrong
        for result, value in zip(self.results, values, strict=True):
            by_right = case_of(result, right)
            verdict = judge(value, by_right)
            by_own = case_of(result, own)  # by what the student has before it
            if astray and not verdict.right and by_own.value_of(by_own.equation.right) is not None:
                verdict = judge(value, by_own)
            astray = astray or not verdict.right
            sentence = "" if verdict.right else f"{verdict.sentence} {case.tip}".strip()
            judged.append(_Judged(result.name, case, verdict.right, sentence, verdict.candidates))
            expected = by_right.expected
            setattr(right, result.name, expected)
            setattr(own, result.name, usable(value, expected))
        return judged

    def _unchanged(self, changed: tuple[str, ...], any_ok: bool) -> Part:
        """Return the part that tells whether the arguments are left alone, which counts once anything is right."""
        if not changed:
            return Part(UNCHANGED, 1, any_ok)
        trouble = told(self.name, "changes-input", f"`{'` and `'.join(changed)}` after the call is not what it was")
        return Part(UNCHANGED, 1, False, trouble.sentence, trouble.fault)

    def __repr__(self) -> str:
        return f"<Exercise {self.name}: {self.title}>"

    def _repr_markdown_(self) -> str:
        return f"{self.statement}\n```python\n{self.stub}```\n"


class Exercises(Mapping[str, Exercise]):
    """All exercises by name, in the order of a course.

    Examples
    --------
    >>> import mlpcore
    >>> exercises = mlpcore.exercises.all()
    >>> list(exercises)[:3]
    ['neuron', 'pre_activation', 'relu']
    >>> exercises["eq2"]
    <Exercise eq2: Equation 2: down to a hidden layer>
    """

    def __init__(self, listed: tuple[Exercise, ...]) -> None:
        self._by_name = {exercise.name: exercise for exercise in listed}

    def __getitem__(self, name: str) -> Exercise:
        if name not in self._by_name:
            raise KeyError(f"no exercise is called {name!r}, expected one of {', '.join(map(repr, self._by_name))}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        width = max(map(len, self))
        return "\n".join(
            f"{number:>2}  {name:<{width}}  {self[name].title}" for number, name in enumerate(self, start=1)
        )

    def to_markdown(self) -> str:
        """Return a table of all exercises as Markdown.

        Returns
        -------
        str
        """
        head = "| | name | what to write | where it stands | returns |\n|---|---|---|---|---|\n"
        return head + "".join(
            f"| {number} | `{name}` | {each.title} | {each.source} | "
            f"{', '.join(f'`{result.name}`' for result in each.results)} |\n"
            for number, (name, each) in enumerate(self.items(), start=1)
        )

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


def _parts(judged: list[_Judged]) -> list[Part]:
    """Return a part for each, the results one after the other."""
    by_result: dict[str, list[_Judged]] = {}
    for each in judged:
        by_result.setdefault(each.result, []).append(each)
    return [_part(each, [other for other in group if not other.ok]) for group in by_result.values() for each in group]


def _part(judged: _Judged, wrong: list[_Judged]) -> Part:
    """Return the part of a result on one case, given all cases on which that result is wrong.

    A mistake that cannot be told from another one on small data is told as other data tell it; of an unknown one the
    first difference is told, once.
    """
    said = judged
    if not judged.ok:
        alike = [other for other in wrong if set(other.candidates) <= set(judged.candidates)]
        said = min((other for other in alike if other.candidates), key=lambda o: len(o.candidates), default=alike[0])
    name = " or ".join(said.candidates) or None
    return Part(f"{judged.result}, {judged.case.title}", judged.case.points, judged.ok, said.sentence, name)


def seed_number(seed: int | str) -> int:
    """Return a seed as a number; a text has one that is its own."""
    if isinstance(seed, str):
        return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")
    return whole_number("seed", seed, at_least=0)


def _named(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", "))
