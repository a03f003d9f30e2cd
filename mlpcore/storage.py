"""Paths and binary file objects, opened for a model to be written to or read from."""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import BinaryIO

from mlpcore.files import quoted
from mlpcore.overwriting import Write, overwrite

StrPath = str | os.PathLike[str]


def write_to(file: StrPath | BinaryIO, write: Write) -> None:
    """Let `write` fill a file.

    Parameters
    ----------
    file : str, path-like or binary file object
        A path is overwritten, as `mlpcore.overwriting` says; an object is written to from where it is, and left open.
    write : callable
        Called with a binary file object; if it is called again, it writes the same.

    Raises
    ------
    OSError
        If the file cannot be written.
    TypeError
        If it is neither a path nor a binary file object.
    """
    if isinstance(file, str | os.PathLike):
        overwrite(os.fsdecode(file) or ".", write)
        return
    _require_binary(file, "write")
    if not isinstance(file, io.RawIOBase):
        write(file)
        return
    buffered = io.BufferedWriter(file)  # writes on where an unbuffered file takes only a part
    try:
        write(buffered)
        buffered.flush()
    finally:
        with contextlib.suppress(OSError):
            buffered.detach()


@contextlib.contextmanager
def opened(file: StrPath | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file to read it; an object that is a file already is left open where reading ends."""
    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as stream:  # noqa: PTH123
            yield stream
    else:
        _require_binary(file, "read")
        yield file


def quoted_name(file: StrPath | BinaryIO) -> str:
    """Return a path as it is written in Python, or what stands for a file object."""
    return repr(os.fspath(file)) if isinstance(file, str | os.PathLike) else quoted(file)


def require_path(name: str, value: object) -> None:
    """Raise TypeError unless an argument is a path."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {quoted(value)}, expected a path: a str, or an object such as pathlib.Path(...)")


def _require_binary(file: BinaryIO, method: str) -> None:
    if isinstance(file, io.TextIOBase) or not callable(getattr(file, method, None)):
        raise TypeError(f"file is {quoted(file)}, expected a path or a binary file object, such as open(..., 'wb')")
