"""Activations, losses and whatever else is a row of the catalogue with constants: the objects that give them values.

An object is what the engine reads: a tuple of the row's name and the values of its constants. It stands wherever the
name alone can stand, and equals the tuple.
"""

from operator import itemgetter
from typing import Any, ClassVar, Self

from mlpcore import catalogue, checks


class Function(tuple[Any, ...]):
    """A row of the catalogue with values of its constants; a subclass for each such row.

    A subclass names its family and its row, and its `__new__` has the constants as parameters, whose default values are
    the row's. They become attributes, which cannot be set: a function does not change.
    """

    _family: ClassVar[str]
    _name: ClassVar[str]

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        row = catalogue.entry(cls._family, cls._name)
        for i, hyper in enumerate(row.hypers):
            setattr(cls, hyper.name, property(itemgetter(i + 1)))
        catalogue.CLASSES[cls._family, cls._name] = cls

    @classmethod
    def _checked(cls, *values: float) -> Self:
        hypers = catalogue.entry(cls._family, cls._name).hypers
        return cls._of(checks.hyper_value(hyper, value) for hyper, value in zip(hypers, values, strict=True))

    @classmethod
    def _of(cls, values: Any) -> Self:  # noqa: ANN401  # an iterable of numbers, or bools for flags
        return super().__new__(cls, (cls._name, *values))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self[1:])

    def __repr__(self) -> str:
        hypers = catalogue.entry(self._family, self._name).hypers
        constants = (f"{hyper.name}={value!r}" for hyper, value in zip(hypers, self[1:], strict=True))
        return f"{type(self).__name__}({', '.join(constants)})"
