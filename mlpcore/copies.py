"""Attributes of an object as pickle and copy take them: all of them, those of subclasses and users too.

Copies are made without `__init__`, whose arguments only the class itself knows.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast


def attributes_of(thing: object, *, without: Iterable[str] = (), instead: Mapping[str, object] | None = None) -> object:
    """Return what `object.__getstate__` does, with some attributes left out and some replaced."""
    state: Any = object.__getstate__(thing)
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    left = {name: value for name, value in attributes.items() if name not in without} | dict(instead or {})
    return left if slots is None else (left, slots)


def set_attributes(thing: object, state: object) -> None:
    """Give `thing` the attributes of a state, which is a dict, or a pair of dicts if a class has slots."""
    attributes, slots = cast(tuple[dict[str, Any], dict[str, Any]], state if isinstance(state, tuple) else (state, {}))
    thing.__dict__.update(attributes)
    for name, value in slots.items():
        setattr(thing, name, value)
