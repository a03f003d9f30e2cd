"""Overwrite a file, whole or not at all.

What lies at a path is replaced: the new file is written beside it under a temporary name and renamed over it, so that
the path holds, whatever happens, either what it held before or the whole new file. What cannot be replaced without
loss is written in place instead. Room for all of it is made first, where the filesystem can do so, and a disk that is
full leaves what was there; any other failure leaves an incomplete file:

- what is no ordinary file: a device, a FIFO, what /dev/stdout leads to;
- a file that has several names (hard links), which shall go on to show the same;
- a file whose owner, group or access control list no new file can be given;
- a file where no other can be made or renamed over it: in a folder that is not writable, or mounted by itself.

A process that is killed leaves its temporary file. The next one that writes to the same path removes it: a file of
this path's pattern, whose owner is this user or that of the file at the path, and on which nobody holds the lock that
every writer keeps until it ends.
"""

import contextlib
import errno
import fcntl
import io
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Write = Callable[[BinaryIO], None]

# What a folder answers where a file in it may be written but not replaced; ENOENT is the answer of /proc.
_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV, errno.ENOENT}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}


class _Refused(Exception):  # noqa: N818
    """The folder does not let a file be replaced; the cause is an OSError."""


def overwrite(path: str, write: Write) -> None:
    """Let `write` fill the file at `path`, which is replaced if it can be.

    Parameters
    ----------
    path : str
        Links are followed.
    write : callable
        Called with a binary file object; if it is called again, it writes the same.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    try:
        existing, target = _open_existing(path)
    except FileNotFoundError:  # nothing there, or a link to nothing
        try:
            _replace(os.path.realpath(path), write, None)
        except _Refused as refused:
            raise OSError(*refused.args, path) from None
        return
    with open(existing, "wb") as file:
        if target is not None:
            with contextlib.suppress(_Refused):
                _replace(target, write, existing)
                return
        if stat.S_ISREG(os.fstat(existing).st_mode):
            _write_in_place(existing, file, write)
        else:
            write(file)
            file.flush()
            _sync(existing)


def _open_existing(path: str) -> tuple[int, str | None]:
    """Open what is at `path` for writing, and return with it where it can be replaced; None: nowhere."""
    target = os.path.realpath(path)
    while True:
        existing = os.open(path, os.O_WRONLY | os.O_NOCTTY)
        status = os.fstat(existing)
        # What /proc/self/fd/1 leads to can have lost its name, so that there is another file at `target`, or none.
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and _leads_to(target, status):
            return existing, target
        if _leads_to(path, status):
            return existing, None
        os.close(existing)  # another writer has replaced it in this moment


def _leads_to(path: str, status: os.stat_result) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path), status)
    return False


def _replace(target: str, write: Write, existing: int | None) -> None:
    """Put a new file in the place of `target`; raise _Refused, with nothing changed, if that is not allowed here."""
    directory, name = os.path.split(target)
    folder = _open_folder(directory)
    try:
        pattern = _pattern(name)
        _remove_stale(
            folder, pattern, {os.geteuid()} if existing is None else {os.geteuid(), os.fstat(existing).st_uid}
        )
        temporary = pattern.format(os.urandom(4).hex())
        with _refusals():
            descriptor = _create(folder, temporary, 0o666 if existing is None else 0o600)
        try:
            with open(descriptor, "wb") as file:
                if existing is not None:
                    with _refusals():
                        _copy_status(existing, descriptor)
                write(file)
                file.flush()
                os.fsync(descriptor)
                with _refusals():
                    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        _sync(folder)  # the new name too must outlive a power cut
    finally:
        os.close(folder)


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise _Refused(error.errno, error.strerror) from error


def _open_folder(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # one may write in a folder that one may not read
        return os.open(path, os.O_PATH | os.O_DIRECTORY)


def _sync(descriptor: int) -> None:
    """Have the system write to the disk what it keeps in memory, where there is a disk."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _write_in_place(existing: int, file: BinaryIO, write: Write) -> None:
    """Write over what an ordinary file holds.

    The file is one byte too long until all is on the disk: new weights before the rest of the old ones would look like
    a whole file. It is not cut to 0 first, which would give away the room that was made.
    """
    length = _length_of(write)
    _make_room(existing, length + 1)
    file.truncate(length + 1)
    write(file)
    file.flush()
    _sync(existing)
    file.truncate(length)
    _sync(existing)


class _Length(io.BytesIO):
    """Counts what is written to it."""

    length = 0

    def write(self, data: "ReadableBuffer", /) -> int:
        size = memoryview(data).nbytes
        self.length += size
        return size


def _length_of(write: Write) -> int:
    counter = _Length()
    write(counter)
    return counter.length


def _make_room(descriptor: int, length: int) -> None:
    """Have the filesystem set room aside for so many bytes; if it has none, raise OSError with the file as it was."""
    if not hasattr(os, "posix_fallocate"):
        return
    before = os.fstat(descriptor).st_size
    try:
        os.posix_fallocate(descriptor, 0, length)
    except OSError as error:
        os.ftruncate(descriptor, before)  # a part of the room may have been made
        if error.errno in _NO_ROOM:
            raise


def _copy_status(existing: int, descriptor: int) -> None:
    """Give a new file the owner, mode and extended attributes (access control lists) of an existing one."""
    old, new = os.fstat(existing), os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    try:
        attributes = os.listxattr(existing)
    except OSError:  # this filesystem has none
        return
    already = os.listxattr(descriptor)
    for name in attributes:
        value = os.getxattr(existing, name)
        if name not in already or os.getxattr(descriptor, name) != value:
            os.setxattr(descriptor, name, value)


# ----------------------------------------------------------------------------------------------------- temporary files


def _pattern(name: str) -> str:
    """Return what the temporary files for `name` are called, with {} for what tells them apart; short for any name."""
    start = name.encode(errors="ignore")[:32].decode(errors="ignore").translate({ord(brace): "_" for brace in "{}"})
    return f".{start}.{zlib.crc32(os.fsencode(name)):08x}.{{}}.tmp"


def _create(folder: int, name: str, mode: int) -> int:
    """Make a file and lock it, which says that it is in use as long as this process has it open."""
    while True:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=folder)
        with contextlib.suppress(OSError):  # this filesystem has no locks, and nobody can find the file stale
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # another writer found it before it was locked, and removed it


def _remove_stale(folder: int, pattern: str, owners: set[int]) -> None:
    stale = re.compile(re.escape(pattern).replace(r"\{\}", "[0-9a-f]{8}"))
    with contextlib.suppress(OSError):  # a folder that may not be read
        for name in filter(stale.fullmatch, os.listdir(folder)):
            with contextlib.suppress(OSError):  # in use, gone or not ours
                _remove_unlocked(folder, name, owners)


def _remove_unlocked(folder: int, name: str, owners: set[int]) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid in owners:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(descriptor)
