"""Everything that has a name: activations, losses, optimizers, ... as the rows of the engine's catalogue.

Names, default values, ranges, formulas and sources stand once, in ``csrc/catalogue/*.def``. Checks, error messages,
tables of the docs, gradient checks and tests read them here.

Examples
--------
>>> from mlpcore import catalogue
>>> catalogue.names("losses")[:3]
('mse', 'bce', 'cce')
>>> catalogue.entry("activations", "tanh").derivative
'1 - a^2'
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from mlpcore import _core

__all__ = ["FAMILIES", "Entry", "Hyper", "entry", "label", "names", "resolve"]


class Hyper(NamedTuple):
    """A constant or hyperparameter of a row: a number in [least, below), or a flag.

    In a float32 model it is at least `least_float32`.

    Attributes
    ----------
    name : str
    default, least, below : float
    is_flag : bool
    least_float32 : float
    """

    name: str
    default: float
    least: float
    below: float
    is_flag: bool
    least_float32: float


class Entry(NamedTuple):
    """A row of the catalogue.

    Attributes
    ----------
    name : str
    alias : str or None
        A longer name that is accepted too.
    class_name : str or None
        The class in `mlpcore`, if there is one.
    formula, derivative, source : str
        What it computes, its derivative or gradients, and where it comes from.
    hypers : tuple of Hyper
        Its constants or hyperparameters, in order.
    states : tuple of str
        The arrays that an optimizer keeps.
    states_if : tuple of (str or None)
        For each of them the hyperparameter that must not be 0 for it to be kept; None: always.
    traits : tuple of str
    least, most : float
        The range of y for a loss.
    """

    name: str
    alias: str | None
    class_name: str | None
    formula: str
    derivative: str | None
    source: str | None
    hypers: tuple[Hyper, ...]
    states: tuple[str, ...]
    states_if: tuple[str | None, ...]
    traits: tuple[str, ...]
    least: float
    most: float


def _entry_of(row: dict[str, Any]) -> Entry:
    return Entry(**(row | {"hypers": tuple(Hyper(*hyper) for hyper in row["hypers"])}))


FAMILIES: dict[str, dict[str, Entry]] = {
    family: {row["name"]: _entry_of(row) for row in rows} for family, rows in _core.catalogue().items()
}
"""The rows of each family by name, in the order of the catalogue."""

CLASSES: dict[tuple[str, str], Any] = {}
"""By family and name: the class of `mlpcore` whose objects are the row with values of its constants (functions.py)."""


def names(family: str) -> tuple[str, ...]:
    """Return the names of a family, in order.

    Parameters
    ----------
    family : str
        "activations", "losses", "pairs", "optimizers", "schedules", "initializers", "metrics", "layers" or
        "elementaries".

    Returns
    -------
    tuple of str
    """
    return tuple(FAMILIES[family])


def entry(family: str, name: str | tuple[Any, ...]) -> Entry:
    """Return the row of a name.

    Parameters
    ----------
    family : str
        As in `names`.
    name : str or tuple
        A name, or a function with constants such as `mlpcore.LeakyReLU(0.2)`.

    Returns
    -------
    Entry

    Raises
    ------
    KeyError
        If the family has no such row.
    """
    return FAMILIES[family][name if isinstance(name, str) else name[0]]


def label(name: object) -> str:
    """Return a name as it is, a function with constants as name(constant, ...), another object as its repr.

    Parameters
    ----------
    name : str, tuple or object

    Returns
    -------
    str
    """
    if isinstance(name, tuple):
        return f"{name[0]}({', '.join(map(str, name[1:]))})"
    return name if isinstance(name, str) else repr(name)


def resolve(family: str, argument: str, value: object) -> Entry:
    """Return the row that an argument names, by its name or alias.

    Parameters
    ----------
    family : str
        As in `names`.
    argument : str
        What the argument is called, for the error.
    value : object
        What came.

    Returns
    -------
    Entry

    Raises
    ------
    ValueError
        If it is no name of the family; the message lists them.
    """
    for row in FAMILIES[family].values():
        if isinstance(value, str) and value in (row.name, row.alias):
            return row
    names = ", ".join(map(repr, FAMILIES[family]))
    raise ValueError(f"{argument} is {value!r}, expected one of {names}{did_you_mean(value, _known(family))}")


def _known(family: str) -> list[str]:
    return [name for row in FAMILIES[family].values() for name in (row.name, row.alias) if name]


def did_you_mean(value: object, known: Iterable[str]) -> str:
    """Return, for an error, which known name may be meant by one that is not; nothing if none is near.

    Parameters
    ----------
    value : object
        What came.
    known : iterable of str

    Returns
    -------
    str
    """
    if not isinstance(value, str) or not 2 < len(value) < 50:
        return ""
    from difflib import get_close_matches  # only an error needs it

    written, known = value.lower(), list(known)
    near = [name for name in known if name.startswith(written)] or get_close_matches(written, known, 2)
    return f": did you mean {' or '.join(map(repr, near[:2]))}?" if near else ""
