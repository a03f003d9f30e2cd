"""Calls a student's function and takes its results apart: whatever it does, the outcome is values or a sentence."""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpcore.diagnosis.table import FAULTS
from mlpcore.exercises.limits import OutOfTime, time_limit

__all__ = ["Answer", "Trouble", "call", "several"]

MOST = 1000  # characters of what a function prints that are kept
SHORT, LONG = 90, 250  # characters that a sentence quotes: of a student's code, and of an error


@dataclass(frozen=True)
class Trouble:
    """Why there are no values: a sentence, and the name of the fault in the catalogue of mistakes, if it is there.

    Attributes
    ----------
    sentence : str
    fault : str or None
    hopeless : bool
        Whether another call would end the same way.
    """

    sentence: str
    fault: str | None = None
    hopeless: bool = False


@dataclass(frozen=True)
class Answer:
    """What one call brought.

    Attributes
    ----------
    value : object
        What the function returned.
    trouble : Trouble or None
        Why there is no value.
    changed : tuple of str
        The arguments that the function changed.
    notes : tuple of str
        What costs nothing: that it prints, that NumPy warned.
    """

    value: Any = None
    trouble: Trouble | None = None
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Printed(io.TextIOBase):
    """Where a function prints to: only the beginning is kept, however much it prints."""

    def __init__(self) -> None:
        super().__init__()
        self.beginning = ""

    def write(self, text: str, /) -> int:
        if len(self.beginning) < MOST:
            self.beginning += text[:MOST]
        return len(text)


def told(name: str, fault: str, seen: str, *, hopeless: bool = False) -> Trouble:
    """Return a fault of the catalogue with what was seen of it."""
    row = FAULTS[fault]
    return Trouble(f"`{name}`: {row.what}: {seen}. {row.do}", fault, hopeless)


def call(function: Callable[..., Any], name: str, arguments: Mapping[str, Any], seconds: float) -> Answer:
    """Call a function with copies of arguments, in their order, and keep what it prints and warns of.

    Parameters
    ----------
    function : callable
    name : str
        What sentences call it.
    arguments : mapping
        Arrays, numbers and functions, by the names that the stub gives them.
    seconds : float
        The call is stopped after so long, where `time_limit` can.

    Returns
    -------
    Answer
    """
    misfit = _misfit(function, name, arguments)
    if misfit is not None:
        return Answer(trouble=misfit)
    given = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in arguments.items()}
    printed = _Printed()
    value, trouble = None, None
    redirected = contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"), redirected[0], redirected[1]:
        warnings.simplefilter("always")
        try:
            with time_limit(seconds):
                value = function(*given.values())
        except NotImplementedError:
            trouble = Trouble(f"`{name}` is not written yet: it raises NotImplementedError.", hopeless=True)
        except OutOfTime:
            trouble = Trouble(f"`{name}` does not end in time: look for a loop that never ends.", hopeless=True)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit and GeneratorExit too
            trouble = told(name, "raises", _raised(function, error), hopeless=not isinstance(error, Exception))
    changed = tuple(key for key in given if _differs(given[key], arguments[key]))
    return Answer(value, trouble, changed, _notes(name, printed, caught))


def several(name: str, value: Any, names: tuple[str, ...]) -> tuple[Any, ...] | Trouble:  # noqa: ANN401
    """Return what a function returned as one value for each of its results, or why that cannot be done.

    What holds True and False is taken for ones and zeros.
    """
    if value is None:
        return told(name, "returns-nothing", f"expected `return {', '.join(names)}`")
    if callable(value):
        return told(name, "wrong-type", "it returns a function, expected the function's value")
    values: tuple[Any, ...] = (value,)
    if len(names) > 1:
        expected = f"expected {len(names)} results, `return {', '.join(names)}`"
        if not isinstance(value, tuple | list):
            return told(name, "wrong-type", f"it returns one {type(value).__name__}, {expected}")
        if len(value) != len(names):
            return told(name, "wrong-type", f"it returns {len(value)} results, {expected}")
        values = tuple(value)
    elif isinstance(value, tuple) and len(value) == 1:
        values = value
    return tuple(_as_numbers(each) for each in values)


def _as_numbers(value: Any) -> Any:  # noqa: ANN401
    """Return an array of True and False as ones and zeros, and anything else as it is."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "b":
        return np.asarray(value, np.float64)
    return value


def _misfit(function: Callable[..., Any], name: str, arguments: Mapping[str, Any]) -> Trouble | None:
    """Return why the function cannot be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions in C do not tell
        return None
    try:
        signature.bind(*arguments.values())
    except TypeError:
        seen = f"it takes {_short(str(signature))}, expected ({', '.join(arguments)})"
        return told(name, "wrong-arguments", seen, hopeless=True)
    return None


def _raised(function: Callable[..., Any], error: BaseException) -> str:
    """Return what a function raised and in which of its lines."""
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    where = ""
    if inside:
        line = linecache.getline(inside[-1].filename, inside[-1].lineno or 0).strip()
        where = f" in its line `{_short(line)}`" if line else ""
    said = _short(_text_of(error), LONG)
    return f"{type(error).__name__}{where}{': ' + said if said else ''}"


def _notes(name: str, printed: _Printed, caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    notes = []
    if printed.beginning.strip():
        line = _short(printed.beginning.strip().splitlines()[0])
        notes.append(f"`{name}` prints, first of all `{line}`: only what it returns counts.")
    texts = dict.fromkeys(
        _text_of(warning.message) for warning in caught if issubclass(warning.category, RuntimeWarning)
    )
    notes += [f"NumPy warns: `{_short(text)}`." for text in texts]
    return tuple(notes)


def _differs(after: Any, before: Any) -> bool:  # noqa: ANN401
    """Whether an array is not what it was, but for rounding: adding h and taking it away again is allowed."""
    if not isinstance(before, np.ndarray):
        return False
    scale = float(np.abs(before).max(initial=0.0))
    return after.shape != before.shape or not bool(np.all(np.abs(after - before) <= 1e-9 * scale))


def _text_of(said: object) -> str:
    """Return what an error or a warning says, which may be a class of a student's."""
    try:
        return str(said).strip()
    except Exception:
        return ""


def _short(text: str, most: int = SHORT) -> str:
    line = " ".join(text.split()).replace("`", "'")
    return line if len(line) <= most else line[: most - 3] + "..."
