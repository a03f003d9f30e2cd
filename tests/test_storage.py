"""File objects: written and read where they are, and what is no file."""

import gzip
import io
import os
import threading

import pytest
from models import a_model, assert_saved

import mlpcore


def test_file_objects_are_written_from_where_they_are_and_left_open(tmp_path):
    first, second = a_model(1), a_model(2, units=5)
    for file in (io.BytesIO(), (tmp_path / "buffered").open("w+b"), (tmp_path / "raw").open("w+b", buffering=0)):
        with file:
            file.write(b"before")
            first.save(file)
            second.save(file)
            file.write(b"behind")
            file.seek(6)
            assert_saved(first, file)
            assert_saved(second, file)
            assert file.read() == b"behind"


def test_compressed_files(tmp_path):
    model = a_model(units=2000)
    with gzip.open(tmp_path / "model.gz", "wb") as file:
        model.save(file)
    with gzip.open(tmp_path / "model.gz") as file:
        assert_saved(model, file)


def test_a_pipe_that_takes_and_gives_little_at_a_time():
    model = a_model(units=30_000)
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb", buffering=0) as file:
            model.save(file)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb", buffering=0) as file:
        assert_saved(model, file)
    writer.join()


@pytest.mark.parametrize("file", [3, None, b"name", io.StringIO(), ["name"], object()])
def test_what_is_no_file_is_refused(file):
    for call in (a_model().save, mlpcore.Sequential.load):
        with pytest.raises(TypeError, match="file is .*, expected a path or a binary file object"):
            call(file)


def test_a_file_opened_for_the_other_purpose(tmp_path):
    a_model().save(tmp_path / "model")
    with (tmp_path / "model").open("rb") as file, pytest.raises(OSError, match="write"):
        a_model().save(file)
    with (tmp_path / "model").open("ab") as file, pytest.raises(OSError, match="read"):
        mlpcore.Sequential.load(file)
    closed = io.BytesIO()
    closed.close()
    for call in (a_model().save, mlpcore.Sequential.load):
        with pytest.raises(ValueError, match="closed file"):
            call(closed)
