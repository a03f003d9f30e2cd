"""Messages to the playground: which there are, and what each takes. Whatever comes is checked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlpcore import checks
from mlpcore.widget import state as states

Message = dict[str, Any]
MOST_BATCHES = 1000


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, expected a string")
    return value


def _row(name: str, value: Any) -> int:  # noqa: ANN401  whatever comes
    return checks.whole_number(name, value, at_least=0)


def _batches(name: str, value: Any) -> int:  # noqa: ANN401
    return checks.whole_number(name, value, at_least=1, at_most=MOST_BATCHES)


def _rate(name: str, value: Any) -> float:  # noqa: ANN401
    return states.parse(f"rate={checks.real_number(name, value)!r}").rate_at(0)


_NEEDED: dict[str, dict[str, Callable[[str, object], object]]] = {
    "start": {"state": _text},
    "resume": {},
    "train": {"batches": _batches},
    "rate": {"rate": _rate},
    "forward": {},
    "backward": {},
    "update": {},
    "frame": {},
    "look": {"row": _row},
    "params": {},
}
_OPTIONAL = {name: {"row": _row} for name in ("train", "update", "frame")}


def parsed(message: object) -> tuple[str, Message]:
    """Return what a message asks for, and its checked arguments.

    Raises
    ------
    TypeError, ValueError
        If it is no message that session.py knows, or an argument is not what that takes.
    """
    if not isinstance(message, dict):
        raise TypeError(f"message is {message!r}, expected a dict")
    do = message.get("do")
    if not isinstance(do, str) or do not in _NEEDED:
        raise ValueError(f"do is {do!r}, expected one of {', '.join(_NEEDED)}")
    known = _NEEDED[do] | _OPTIONAL.get(do, {})
    given = {name: value for name, value in message.items() if name != "do"}
    for name in given:
        if name not in known:
            raise ValueError(f"message {do!r} has {name!r}, expected {', '.join(known) or 'nothing'}")
    for name in _NEEDED[do]:
        if name not in given:
            raise ValueError(f"message {do!r} has no {name!r}")
    return do, {name: known[name](name, value) for name, value in given.items()}
