"""Batches that an iterable yields, each of which is a step."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import checks
from mlpcore.columns import feature_names
from mlpcore.data import Array
from mlpcore.streams.parquet import Parquet
from mlpcore.streams.source import Part, Source

Batches = Iterable[Any] | Callable[[], Iterable[Any]]
"""What yields batches: an iterable, such as a list, a loader or a generator, or a function that returns one."""

Data = ArrayLike | Batches | Parquet
"""What `fit` takes as X."""

Validation = Sequence[ArrayLike] | Batches | Parquet
"""(X, y) or (X, y, sample_weight), or what stands for X and y together."""

Check = Callable[[int, Any, Any, Any, "BatchSource | None"], checks.Samples]
"""Returns the samples of a batch: of its number, X, y, weights, and the source whose columns it must have, if any."""


def yields_batches(value: object) -> bool:
    """Tell whether this is a function, or an iterable that is neither an array nor a sequence."""
    holds_numbers = any(hasattr(value, name) for name in ("__array__", "__array_interface__", "__getitem__"))
    return callable(value) or (isinstance(value, Iterable) and not holds_numbers)


_JOINED_BYTES = 2**20
"""So much of X is checked and trained on in one go."""
_JOINED_SECONDS = 0.001
"""Batches that have been there for so long wait for no other one."""


class _Taken(NamedTuple):
    """Batches that were taken from an iterable, to be trained on in one go.

    Attributes
    ----------
    samples : Samples
    batch_size : int
    is_own : bool
        Whether nobody else can write into its memory.
    """

    samples: checks.Samples
    batch_size: int
    is_own: bool = False


class _Joined:
    """Small arrays of one shape, each of which is a batch, one behind the other in memory of their own.

    What Python does for a batch, to check it and to call the engine, takes longer than a small batch itself.
    """

    def __init__(self) -> None:
        self.count = 0
        self._x = self._y = np.empty(0)
        self._first, self._begun = 0, 0.0

    def _are_like(self, x: Array, y: Array) -> bool:
        return (
            self._x.shape[1:] == x.shape
            and self._y.shape[1:] == y.shape
            and self._x.dtype == x.dtype
            and self._y.dtype == y.dtype
        )

    def takes(self, x: Array, y: Array) -> bool:
        """Tell whether a batch can stand behind these."""
        is_early = time.perf_counter() - self._begun < _JOINED_SECONDS
        return is_early and 0 < self.count < len(self._x) and self._are_like(x, y)

    def begin(self, number: int, x: Array, y: Array) -> None:
        """Let a batch take the place of all; memory that suits it is used again."""
        if not self._are_like(x, y):
            room = _JOINED_BYTES // x.nbytes
            self._x, self._y = (np.empty((room, *each.shape), each.dtype) for each in (x, y))
        self.count, self._first, self._begun = 0, number, time.perf_counter()
        self.add(x, y)

    def add(self, x: Array, y: Array) -> None:
        """Copy the batch that follows."""
        self._x[self.count], self._y[self.count] = x, y
        self.count += 1

    def together(self) -> tuple[int, Array, Array]:
        """Return the number of the first batch, and all rows of X and of y."""
        x, y = (each[: self.count].reshape(-1, *each.shape[2:]) for each in (self._x, self._y))
        return self._first, x, y

    def each(self) -> Iterator[tuple[int, Array, Array]]:
        """Yield the number of each batch, its X and its y."""
        yield from ((self._first + i, self._x[i], self._y[i]) for i in range(self.count))


def _is_small(x: object, y: object) -> bool:
    """Tell whether these are arrays that can be joined with others."""
    if type(x) is not np.ndarray or type(y) is not np.ndarray:
        return False
    return x.ndim == 2 and 0 < x.nbytes <= _JOINED_BYTES // 4 and y.shape[:1] == x.shape[:1] and y.dtype != object


class BatchSource(Source):
    """What an iterable of (X, y) or (X, y, sample_weight) yields, or a function without arguments that returns one.

    The first batch is taken and checked at once, the others as they come. Each is held until the next one is there:
    that tells whether it is the last.

    Parameters
    ----------
    name : str
        What an error calls it.
    given : iterable or callable
    check : callable
    answers : callable
        Returns what y of the first batch tells.
    epochs : int
        How often it will be asked for batches.
    joins : bool
        Whether small batches may come together in a part.
    """

    rows = None
    mean_weight = 1.0

    def __init__(
        self,
        name: str,
        given: Any,  # noqa: ANN401  # an iterable or a callable
        check: Check,
        answers: Callable[[checks.Samples], str],
        epochs: int,
        joins: bool,
    ) -> None:
        self._name, self._given, self._check, self._joins = name, given, check, joins
        self.batches = len(given) if isinstance(given, Sized) else None
        self.feature_names: tuple[str, ...] | None = None
        self._is_known = False  # what the batches are like
        iterator = self._iterator()
        if iterator is given and epochs > 1:
            raise ValueError(
                f"{name} can be iterated once, being a {type(given).__name__}, and epochs is {epochs}: give a list of "
                "batches, a function that returns a new iterator, or epochs=1"
            )
        samples = self._samples(iterator)
        first = next(samples, None)
        if first is None:
            raise ValueError(f"{name} yields no batch, expected at least one with a row of a weight > 0")
        self._begun: tuple[_Taken, Iterator[_Taken]] | None = first, samples
        self.columns = first.samples.x.shape[1]
        self._is_known = True
        self.shape_of_y = first.samples.y.shape[1:]
        self.answers = answers(first.samples)

    def _iterator(self) -> Iterator[Any]:
        given = self._given
        found = given() if not isinstance(given, Iterable) else given
        try:
            return iter(found)
        except TypeError:
            raise TypeError(
                f"{self._name} is a function that returns {found!r}, expected an iterable of (X, y) or "
                "(X, y, sample_weight)"
            ) from None

    def _samples(self, iterator: Iterator[Any]) -> Iterator[_Taken]:
        """Yield the batches of an iterator, checked, without those that have no row of a weight > 0."""
        joined, other = _Joined(), _Joined()  # one is held, or trained on, while batches are copied into the other
        for number, batch in enumerate(iterator):
            if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
                raise TypeError(
                    f"batch {number} of {self._name} is {_short(batch)}, expected (X, y) or (X, y, sample_weight)"
                )
            x, y, *weight = batch
            is_small = self._joins and self._is_known and not weight and _is_small(x, y)
            if is_small and joined.takes(x, y):
                joined.add(x, y)
                continue
            yield from self._checked(joined)
            if is_small:
                joined, other = other, joined
                joined.begin(number, x, y)
            else:
                joined.count = 0
                yield from self._checked_alone(number, x, y, weight[0] if weight else None)
        yield from self._checked(joined)

    def _checked(self, joined: _Joined) -> Iterator[_Taken]:
        if joined.count == 0:
            return
        number, x, y = joined.together()
        try:
            samples = self._check(number, x, y, None, self)
        except (TypeError, ValueError):  # one of them is wrong: those before it are trained on, and it is named
            for each in joined.each():
                yield from self._checked_alone(*each)
        else:
            yield _Taken(samples, len(x) // joined.count, is_own=True)

    def _checked_alone(self, number: int, x: Any, y: Any, weight: Any = None) -> Iterator[_Taken]:  # noqa: ANN401
        like = self if self._is_known else None
        samples = self._check(number, x, y, weight, like).without_zero_weights()
        self.feature_names = self.feature_names or feature_names(x)
        if len(samples.x):
            yield _Taken(samples, len(samples.x))

    def parts(self, seed: int | None = None, epoch: int = 0) -> Iterator[Part]:
        """Yield the batches of an epoch; a shuffle is the iterable's own affair."""
        if self._begun is not None:
            held, samples = self._begun
            self._begun = None
        else:
            samples = self._samples(self._iterator())
            held = next(samples, None)  # type: ignore[assignment]
            if held is None:
                raise ValueError(
                    f"{self._name} yields no batch when it is iterated again: give a list of batches, or a function "
                    "that returns a new iterator"
                )
        # Whoever writes each batch over the last one has done so by the time that the last one is trained on: the first
        # is held in a copy, and the others if the second shares memory with it.
        last, held = held, _copied(held)
        for following in samples:
            is_reused = _overlap(last, following)
            if is_reused and not held.is_own:
                raise ValueError(
                    f"{self._name} yields a batch in the memory of the one before, and did not so at first: yield "
                    "arrays of their own"
                )
            yield Part(held.samples, False, 0, False, held.batch_size)
            last, held = following, _copied(following) if is_reused else following
        yield Part(held.samples, True, 0, False, held.batch_size)


def _overlap(one: _Taken, other: _Taken) -> bool:
    pairs = zip(one.samples, other.samples, strict=True)
    return any(a is not None and b is not None and np.may_share_memory(a, b) for a, b in pairs)


def _copied(taken: _Taken) -> _Taken:
    arrays = (None if each is None else each.copy() for each in taken.samples)
    return _Taken(checks.Samples(*arrays), taken.batch_size, is_own=True)  # type: ignore[arg-type]


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"of type {type(value).__name__}"
