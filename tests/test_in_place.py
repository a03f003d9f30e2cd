"""A file that is written in place, as one with two names is: what it holds when that fails."""

import contextlib
import errno
import io
import os
import re
import subprocess

import pytest
from models import a_model, assert_saved

import mlpcore


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system sets no room aside")
def test_no_room_leaves_a_file_with_two_names_as_it_was(tmp_path):
    """The limit is that of a process; a full disk refuses in the same call."""
    resource = pytest.importorskip("resource")
    a_model().save(tmp_path / "model")
    (tmp_path / "other").hardlink_to(tmp_path / "model")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            a_model(2, units=3000).save(tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_saved(a_model(), tmp_path / "other")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL])
def test_what_a_filesystem_says_about_room(tmp_path, monkeypatch, number):
    """It has none, and what is there stays; or it cannot tell, and the model is written."""

    def fallocate(descriptor, offset, length):
        os.ftruncate(descriptor, 1_000_000)  # a part may be done before it fails
        raise OSError(number, os.strerror(number))

    a_model().save(tmp_path / "model")
    (tmp_path / "other").hardlink_to(tmp_path / "model")
    monkeypatch.setattr(os, "posix_fallocate", fallocate, raising=False)
    if number in (errno.ENOSPC, errno.EDQUOT):
        with pytest.raises(OSError, match=re.escape(os.strerror(number))):
            a_model(2).save(tmp_path / "model")
        assert_saved(a_model(), tmp_path / "other")
    else:
        a_model(2).save(tmp_path / "model")
        assert_saved(a_model(2), tmp_path / "other")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_full_disk_leaves_a_file_with_two_names_as_it_was(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount")
    try:
        a_model().save(tmp_path / "model")
        (tmp_path / "other").hardlink_to(tmp_path / "model")
        with pytest.raises(OSError, match="No space left"):
            a_model(2, units=30_000).save(tmp_path / "model")
        assert_saved(a_model(), tmp_path / "other")
        a_model(2, units=5000).save(tmp_path / "model")
        assert_saved(a_model(2, units=5000), tmp_path / "other")
        with (tmp_path / "rest").open("wb", 0) as rest, contextlib.suppress(OSError):
            while rest.write(bytes(4096)):
                pass
        a_model(3, units=5000).save(tmp_path / "model")  # the room that it has is enough
        assert_saved(a_model(3, units=5000), tmp_path / "other")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("most", [0, 8, 300, None])
def test_a_file_that_was_written_in_part_is_no_model(tmp_path, monkeypatch, most):
    """Also where the new model is as long as the old one, and where all of it is there but not on the disk."""
    a_model().save(tmp_path / "model")
    (tmp_path / "other").hardlink_to(tmp_path / "model")
    write = mlpcore.files.write

    def fail(stream, header, tensors):
        whole = io.BytesIO()
        write(whole, header, tensors)
        if isinstance(stream, io.BytesIO):  # asks for the length
            stream.write(whole.getvalue())
            return
        stream.write(whole.getvalue()[:most])
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(mlpcore.files, "write", fail)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EIO))):
        a_model(2).save(tmp_path / "model")
    with pytest.raises(ValueError, match="cannot load"):
        mlpcore.Sequential.load(tmp_path / "other")
