"""Mapped files and sparse matrices are read a block at a time, and what was read leaves the memory."""

import subprocess
import sys

import numpy as np
import pytest

from mlpcore.streams.readers import Mapped, Sparse, reader_of

PROGRAM = """
import sys
import numpy as np
import mlpcore
from mlpcore.streams import rows

rows.BLOCK_BYTES = 2**20

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

class Watch(mlpcore.Callback):
    peak = 0
    def on_batch_end(self, model, epoch, batch, logs):
        self.peak = max(self.peak, resident())

def model():
    return mlpcore.Sequential([mlpcore.Dense(1)], seed=1)

x = np.memmap(sys.argv[1], np.float32, "r", shape=(2**16, 256))
y = np.memmap(sys.argv[2], np.float32, "r", shape=(2**16, 64))
model().fit(x[:1000], np.zeros(1000), "mse", progress=False)
before = resident()
watch = Watch()
wide = mlpcore.Sequential([mlpcore.Dense(64)], seed=1)
wide.fit(x, y, "mse", batch_size=256, epochs=2, callbacks=[watch], progress=False)
wide.evaluate(x, y, "mse")
wide.predict(x[:, :256])
print(watch.peak - before)
"""


@pytest.mark.unsanitized
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_training_takes_the_memory_of_some_blocks(tmp_path):
    """64 MB of X and 16 MB of y, in blocks of 1 MB."""
    for name, columns in (("x", 256), ("y", 64)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(2**16 * columns * 4)  # of zeros that take no place on the disk
    program = [sys.executable, "-P", "-c", PROGRAM, str(tmp_path / "x"), str(tmp_path / "y")]
    peak = int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
    assert peak < 2**23


def test_what_lies_in_memory_has_no_reader():
    for value in (np.zeros((3, 2)), [[1.0]], None, "x"):
        assert reader_of("X", value) is None


def test_views_of_a_mapped_file_are_read_as_such(tmp_path):
    file = np.memmap(tmp_path / "x", np.float32, "w+", shape=(40, 6))
    file[:] = np.arange(240).reshape(40, 6)
    for view in (file, file[3:, ::2], np.asarray(file)[5:], file.T, file[:, 0]):
        reader = reader_of("X", view)
        assert isinstance(reader, Mapped)
        assert reader.shape == view.shape
        for rows in (slice(1, 3), slice(0, len(view)), np.array([2, 0])):
            reader.expect(rows)
            np.testing.assert_array_equal(reader.read(rows), np.array(view)[rows])
            reader.forget(rows)
    np.testing.assert_array_equal(file, np.arange(240).reshape(40, 6))


def test_a_map_with_an_offset_is_forgotten_where_it_lies(tmp_path):
    path = tmp_path / "x"
    np.arange(2**16, dtype=np.float32).tofile(path)
    file = np.memmap(path, np.float32, "r", offset=4 * 5000, shape=(60, 1000))
    reader = reader_of("X", file)
    for begin in range(0, 60, 20):
        np.testing.assert_array_equal(
            reader.read(slice(begin, begin + 20)).ravel()[:2], 5000 + begin * 1000 + np.arange(2)
        )
        reader.forget(slice(begin, begin + 20))
        reader.expect(slice(begin, begin + 20))


def test_sparse_rows_are_made_dense_in_any_order():
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.eye(5)[:, [3, 1, 0]]
    reader = reader_of("X", sparse.coo_array(dense))
    assert isinstance(reader, Sparse)
    np.testing.assert_array_equal(reader.read(slice(1, 4)), dense[1:4])
    np.testing.assert_array_equal(reader.read(np.array([4, 0, 3])), dense[[4, 0, 3]])
