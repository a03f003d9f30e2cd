"""Batches that an iterable yields, each of which is a step."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import checks
from mlpcore.columns import feature_names
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
    ) -> None:
        self._name, self._given, self._check = name, given, check
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
        self._begun: tuple[checks.Samples, Iterator[checks.Samples]] | None = first, samples
        self.columns = first.x.shape[1]
        self._is_known = True
        self.shape_of_y = first.y.shape[1:]
        self.answers = answers(first)

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

    def _samples(self, iterator: Iterator[Any]) -> Iterator[checks.Samples]:
        """Yield the batches of an iterator, checked, without those that have no row of a weight > 0."""
        for number, batch in enumerate(iterator):
            if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
                raise TypeError(
                    f"batch {number} of {self._name} is {_short(batch)}, expected (X, y) or (X, y, sample_weight)"
                )
            x, y, *weight = batch
            like = self if self._is_known else None
            samples = self._check(number, x, y, weight[0] if weight else None, like).without_zero_weights()
            self.feature_names = self.feature_names or feature_names(x)
            if len(samples.x):
                yield samples

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
        last, held, is_copy = held, _copied(held), True
        for following in samples:
            is_reused = _overlap(last, following)
            if is_reused and not is_copy:
                raise ValueError(
                    f"{self._name} yields a batch in the memory of the one before, and did not so at first: yield "
                    "arrays of their own"
                )
            yield Part(held, False, 0, False, len(held.x))
            last, held, is_copy = following, _copied(following) if is_reused else following, is_reused
        yield Part(held, True, 0, False, len(held.x))


def _overlap(one: checks.Samples, other: checks.Samples) -> bool:
    pairs = zip(one, other, strict=True)
    return any(a is not None and b is not None and np.may_share_memory(a, b) for a, b in pairs)


def _copied(samples: checks.Samples) -> checks.Samples:
    return checks.Samples(*(None if each is None else each.copy() for each in samples))  # type: ignore[arg-type]


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"of type {type(value).__name__}"
