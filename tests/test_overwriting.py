"""Where a model is saved to: what is there already keeps what it is, and a save is whole or was none."""

import contextlib
import errno
import fcntl
import io
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from models import a_model, assert_saved

import mlpcore

NOBODY = 65534
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@pytest.fixture
def folder():
    """Return a folder that every user may reach, with a file "model" in it."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o777)
    a_model(seed=0).save(path / "model")
    yield path
    path.chmod(0o777)
    shutil.rmtree(path)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@contextlib.contextmanager
def without_privileges():
    """Be somebody whom permissions bind."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def test_saving_overwrites_through_links_with_usual_permissions(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    (tmp_path / "plain").touch()
    for _ in range(2):
        a_model().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "model", "plain"]
    mode = stat.S_IMODE((tmp_path / "model").stat().st_mode)
    assert mode == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    model = a_model()
    model.save(tmp_path / "model")
    old = (tmp_path / "model").read_bytes()
    model.layers[0].w[...] = 0

    def fail(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        model.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model").read_bytes() == old


# ------------------------------------------------------------------------------------------------------ what is kept


@pytest.mark.parametrize("name", ["m", "n" * 243, "n" * 255, "ü" * 127, "{}.{0}", ".hidden", "a\nb"])
def test_every_name_that_the_system_allows(tmp_path, name):
    for seed in (1, 2):
        a_model(seed).save(tmp_path / name)
        assert_saved(a_model(seed), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_path_in_a_deep_folder(tmp_path, monkeypatch):
    """Its own name fits into what the system takes as a path, a longer one would not."""
    monkeypatch.chdir(tmp_path)
    deep = "/".join(["d" * 200] * 20)
    Path(deep).mkdir(parents=True)
    name = deep + "/" + "m" * (4095 - len(deep) - 1)
    model = a_model()
    model.save(name)
    assert_saved(model, name)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_an_existing_mode_is_kept(tmp_path, mode):
    path = tmp_path / "model"
    a_model().save(path)
    path.chmod(mode)
    a_model(2).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert_saved(a_model(2), path)


def test_nobody_else_can_read_a_private_file_while_it_is_written(tmp_path, monkeypatch):
    path = tmp_path / "model"
    a_model().save(path)
    path.chmod(0o600)
    modes, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (modes.append(stat.S_IMODE(os.fstat(fd).st_mode)), fsync(fd)))
    a_model().save(path)
    assert modes[0] == 0o600


def test_extended_attributes_are_kept(tmp_path):
    path = tmp_path / "model"
    a_model().save(path)
    try:
        os.setxattr(path, "user.origin", b"course")
    except OSError:
        pytest.skip("this filesystem has no extended attributes")
    a_model(2).save(path)
    assert os.getxattr(path, "user.origin") == b"course"


def test_hard_links_show_the_new_model(tmp_path):
    a_model().save(tmp_path / "model")
    (tmp_path / "other").hardlink_to(tmp_path / "model")
    a_model(2, units=30).save(tmp_path / "model")
    a_model(2).save(tmp_path / "other")  # shorter than what it held
    assert_saved(a_model(2), tmp_path / "model")
    assert (tmp_path / "model").samefile(tmp_path / "other")


@root
def test_the_owner_is_kept(folder):
    os.chown(folder / "model", 1234, 4321)
    a_model(2).save(folder / "model")
    status = (folder / "model").stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)


@root
def test_an_owner_that_cannot_be_given_is_kept_by_writing_in_place(folder):
    (folder / "model").chmod(0o666)
    before = (folder / "model").stat()
    with without_privileges():
        a_model(2).save(folder / "model")
    after = (folder / "model").stat()
    assert (after.st_ino, after.st_uid, after.st_mode) == (before.st_ino, 0, before.st_mode)
    assert_saved(a_model(2), folder / "model")
    assert names_in(folder) == ["model"]


# ----------------------------------------------------------------------------------------- what folders and files allow


def test_a_writable_file_in_a_folder_that_is_not_is_overwritten(folder):
    (folder / "model").chmod(0o666)
    folder.chmod(0o555)
    with without_privileges():
        a_model(2).save(folder / "model")
        with pytest.raises(PermissionError, match=f"{folder}/new"):
            a_model(2).save(folder / "new")
    assert_saved(a_model(2), folder / "model")


def test_a_folder_that_may_be_written_and_not_read(folder):
    folder.chmod(0o333)
    with without_privileges():
        for seed in (1, 2):
            a_model(seed).save(folder / "new")
            assert_saved(a_model(seed), folder / "new")
    folder.chmod(0o777)
    assert names_in(folder) == ["model", "new"]


def test_a_file_that_may_not_be_written_is_refused(folder):
    (folder / "model").chmod(0o444)
    with without_privileges(), pytest.raises(PermissionError, match="model"):
        a_model(2).save(folder / "model")
    assert_saved(a_model(seed=0), folder / "model")
    assert names_in(folder) == ["model"]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV, errno.EPERM])
def test_a_file_that_cannot_be_renamed_over_is_written_in_place(tmp_path, monkeypatch, number):
    def replace(*arguments, **keywords):  # as where a single file is mounted, in a container for example
        raise OSError(number, os.strerror(number))

    a_model().save(tmp_path / "model")
    monkeypatch.setattr(os, "replace", replace)
    a_model(2).save(tmp_path / "model")
    assert_saved(a_model(2), tmp_path / "model")
    with pytest.raises(OSError, match=f"{tmp_path}/new"):
        a_model(2).save(tmp_path / "new")
    assert names_in(tmp_path) == ["model"]


def test_links_that_lead_in_a_circle_or_nowhere(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        a_model().save(tmp_path / "a")
    (tmp_path / "dangling").symlink_to("new")
    a_model().save(tmp_path / "dangling")
    assert_saved(a_model(), tmp_path / "new")
    assert (tmp_path / "dangling").is_symlink()


@pytest.mark.parametrize("path", ["", ".", "/", "folder"])
def test_a_folder_is_no_file(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        a_model().save(path)


# --------------------------------------------------------------------------------------------- what is no ordinary file


@pytest.mark.parametrize("link", [False, True])
def test_a_fifo_is_written_to_and_read_from(tmp_path, link):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    if link:
        (tmp_path / "link").symlink_to(path)
    model = a_model(units=3000)  # more than a pipe holds
    writer = threading.Thread(target=model.save, args=[tmp_path / "link" if link else path])
    writer.start()
    assert_saved(model, path)
    writer.join()
    assert path.is_fifo()


@pytest.mark.parametrize("link", [False, True])
def test_a_device_is_written_to(tmp_path, link):
    for name in ("null", "full"):
        path = tmp_path / name if link else Path("/dev") / name
        if link:
            path.symlink_to(f"/dev/{name}")
        with pytest.raises(OSError, match="No space left") if name == "full" else contextlib.nullcontext():
            a_model().save(path)
        assert path.is_char_device()


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(OSError, match="socket"):
            a_model().save("socket")
        assert Path("socket").is_socket()


def test_standard_output(tmp_path):
    script = "import mlpcore; mlpcore.Sequential([mlpcore.Dense(2)], input_size=3, seed=1).save('/dev/stdout')"
    command = [sys.executable, "-P", "-c", script]
    model = mlpcore.Sequential([mlpcore.Dense(2)], input_size=3, seed=1)
    piped = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    assert_saved(model, io.BytesIO(piped.stdout))
    with (tmp_path / "output").open("wb") as file:
        subprocess.run(command, stdout=file, check=True)
    assert_saved(model, tmp_path / "output")


def test_a_file_without_a_name(tmp_path):
    """Where its name leads has gone, and what is there now is none of its business."""
    with (tmp_path / "gone").open("w+b") as file:
        (tmp_path / "gone").unlink()
        a_model().save(f"/proc/self/fd/{file.fileno()}")
        assert_saved(a_model(), file)
    assert not names_in(tmp_path)


# -------------------------------------------------------------------------------------------- what is left, and by whom


def temporary_name(path, monkeypatch):
    """Return the name under which a save to `path` writes."""
    names = []
    with monkeypatch.context() as patch:
        replace = os.replace
        patch.setattr(os, "replace", lambda name, *to, **folders: (names.append(name), replace(name, *to, **folders)))
        a_model().save(path)
    return names[0]


def test_what_killed_writers_left_is_removed_by_the_next(tmp_path):
    script = "import mlpcore\nmodel = mlpcore.Sequential([mlpcore.Dense(1000)], input_size=1000, seed=1)\n"
    script += f"while True: model.save({str(tmp_path / 'model')!r}); print(flush=True)"
    for i in range(40):
        process = subprocess.Popen([sys.executable, "-P", "-c", script], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.003 * i)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        mlpcore.Sequential.load(tmp_path / "model")
        if i >= 5 and len(names_in(tmp_path)) > 1:
            break
    else:
        pytest.fail("no process was killed while it wrote: the test shows nothing")
    a_model().save(tmp_path / "model")
    assert names_in(tmp_path) == ["model"]


def test_only_what_is_stale_and_of_the_same_path_is_removed(tmp_path, monkeypatch):
    path = tmp_path / "model"
    name = temporary_name(path, monkeypatch)
    assert re.fullmatch(r"\.model\.[0-9a-f]{8}\.[0-9a-f]{8}\.tmp", name)
    start = name[: -len("01234567.tmp")]
    kept = [
        "model.tmp",
        "model.01234567.tmp",
        start + "0123456.tmp",
        start + "01234567.tmp.txt",
        f"{start}0123456g.tmp",
    ]
    kept.append(temporary_name(tmp_path / "model2", monkeypatch))
    used, stale, folder, link = (start + f"0000000{i}.tmp" for i in range(4))
    for file in (*kept, used, stale):
        (tmp_path / file).touch()
    (tmp_path / folder).mkdir()
    (tmp_path / link).symlink_to("model.tmp")
    before = set(names_in(tmp_path))
    with (tmp_path / used).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        a_model().save(path)
    assert before - set(names_in(tmp_path)) == {stale}


@root
def test_what_was_left_with_the_owner_of_the_file_is_removed(folder, monkeypatch):
    """As root leaves it, who gives a new file the old one's owner before it is written."""
    name = temporary_name(folder / "model", monkeypatch)
    (folder / name).touch()
    for file in (name, "model"):
        os.chown(folder / file, 1234, 1234)
    a_model().save(folder / "model")
    assert names_in(folder) == ["model"]


@root
def test_what_belongs_to_others_is_not_removed(folder, monkeypatch):
    name = temporary_name(folder / "model", monkeypatch)
    (folder / name).touch()
    os.chown(folder / name, 1234, 1234)
    a_model().save(folder / "model")
    assert names_in(folder) == [name, "model"]


def test_writers_beside_each_other_leave_one_whole_model(tmp_path):
    models = [a_model(seed, units=20_000) for seed in range(4)]
    path = tmp_path / "model"
    models[0].save(path)
    failures = []

    def save(model):
        for _ in range(15):
            try:
                model.save(path)
            except OSError as error:
                failures.append(error)

    writers = [threading.Thread(target=save, args=[model]) for model in models]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        loaded = mlpcore.Sequential.load(path)
        np.testing.assert_array_equal(loaded.layers[0].w, models[loaded.seed].layers[0].w)
    for writer in writers:
        writer.join()
    assert not failures
    loaded = mlpcore.Sequential.load(path)
    assert_saved(models[loaded.seed], path)
    assert names_in(tmp_path) == ["model"]
