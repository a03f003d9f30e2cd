"""The files of Keras 3: `.keras`, a zip archive of the configuration and the weights, and `.weights.h5`.

Nothing in them is executed, and nothing outside of them is read: a link that leads out of a file is refused.
"""

import io
import json
import os
import zipfile
import zlib
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import extras
from mlpcore.files import quoted
from mlpcore.storage import StrPath

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MOST_PACKED = 20  # times as many bytes as there are in the file: Keras packs nothing


def parsed(name: str, text: str | bytes) -> dict[str, Any]:
    """Return the object that a text in JSON describes; ValueError, which calls it `name`, if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is no JSON: {str(error)[:100]}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{name} is {quoted(found)}, expected a JSON object, as model.to_json() returns it")
    return found


def read_archive(path: StrPath) -> tuple[dict[str, Any], bytes]:
    """Return the configuration and the weights file of a `.keras` file."""
    name = repr(os.fspath(path))
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not _is_plausible(info.file_size, info.compress_size):
                    raise ValueError(
                        f"{name}: {info.filename[:100]!r} is packed to {info.compress_size} bytes, expected no packing"
                    )
            config, weights = (archive.read(each) for each in (_CONFIG, _WEIGHTS))
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"{name} is no .keras file: {error}: expected a zip archive of {_CONFIG} and {_WEIGHTS}, as "
            "model.save('m.keras') of Keras 3 writes it"
        ) from None
    return parsed(f"{_CONFIG} of {name}", config), weights


class WeightsFile(AbstractContextManager["WeightsFile"]):
    """The arrays of a `.weights.h5` file, given by its path or its bytes.

    Raises
    ------
    ImportError
        If there is no h5py.
    OSError
        If there is no such file.
    ValueError
        If it is no HDF5 file.
    """

    def __init__(self, file: StrPath | bytes) -> None:
        h5py = extras.require("h5py", "keras")
        self.name = "model.weights.h5" if isinstance(file, bytes) else repr(os.fspath(file))
        self._hard_link = h5py.HardLink
        try:
            self._file = h5py.File(io.BytesIO(file) if isinstance(file, bytes) else file, "r")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ValueError(f"{self.name} is no HDF5 file: {error}") from None

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def array(self, path: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
        """Return the array at a path; `shape` has None where any length will do."""
        try:
            return self._array(path, shape)
        except (OSError, RuntimeError, KeyError) as error:  # as h5py tells them
            raise ValueError(f"{self.name} is damaged at {path}: {error}") from None

    def _array(self, path: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
        found = self._file
        for part in path.split("/"):
            is_group = hasattr(found, "create_group")
            if not is_group or not isinstance(found.get(part, getlink=True), self._hard_link):
                raise ValueError(f"{self.name} has no {path}: expected the weights of this model, saved by Keras 3")
            found = found[part]
        dataset: Any = found
        if not hasattr(dataset, "nbytes") or dataset.is_virtual or dataset.external or dataset.dtype.kind != "f":
            raise ValueError(f"{self.name}: {path} is no array of floating-point numbers in this file")
        check_shape(f"{self.name}: {path}", dataset.shape, shape)
        if not _is_plausible(dataset.nbytes, dataset.id.get_storage_size()):
            raise ValueError(f"{self.name}: {path} has shape {dataset.shape}, expected as many numbers in the file")
        return np.asarray(dataset)


def _is_plausible(size: int, packed: int) -> bool:
    """Tell whether so many bytes are worth their memory, which a hostile file takes with a few."""
    return size <= _MOST_PACKED * packed + 2**20


def check_shape(name: str, shape: tuple[int, ...], expected: tuple[int | None, ...]) -> None:
    """Raise ValueError unless a shape is as expected, where None stands for any length."""
    if len(shape) != len(expected) or any(want not in (None, got) for got, want in zip(shape, expected, strict=True)):
        wanted = ", ".join("any" if want is None else str(want) for want in expected)
        raise ValueError(f"{name} has shape {shape}, expected ({wanted}{',' * (len(expected) == 1)})")
