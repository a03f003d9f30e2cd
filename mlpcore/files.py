"""Model files: safetensors, which cannot hold code, with the architecture as JSON in the metadata.

A file holds the tensors of each layer by name, such as "layers.<j>.w" (out, in) and "layers.<j>.b" (out,), and three
strings: "format", "version" and "model". It begins with the length of its header (8 bytes), then the header in JSON,
which says which bytes of the rest are which tensor. What the description in "model" means is up to `mlpcore.saving`;
here it and the tensors are written and read. The bytes are streamed: apart from the header, about a megabyte of them is
in memory at any time. Of a header nothing is believed that the file's own length contradicts.
"""

import io
import json
import math
import os
import reprlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

FORMAT, VERSION = "mlpcore", "1"

# numpy's names of the format's dtypes; it has some more, which numpy lacks.
DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
}
MAX_HEADER = 100_000_000  # bytes: the format's own limit

# What files of other programs begin with.
_OTHERS = {
    b"PK": "a zip archive does, such as files of Keras, PyTorch and np.savez",
    b"\x80": "a pickle does, which mlpcore never reads",
    b"\x89HDF": "an HDF5 file does, such as older ones of Keras",
}
_BLOCK = 2**20  # bytes read or written at a time
_MAX_AXES = 32
_MAX_DIGITS = 40  # of a number in JSON: no number that means something is longer, and int() takes quadratic time


class Tensor(NamedTuple):
    """What a header says of a tensor.

    Attributes
    ----------
    dtype : str
        numpy's name.
    shape : tuple of int
    begin, end : int
        Where its bytes lie, counted from the end of the header.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def quoted(value: object) -> str:
    """Return the representation of a value that comes from a file, of at most 100 characters."""
    shortened = reprlib.Repr()
    shortened.maxlevel = 2
    text = shortened.repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


# ------------------------------------------------------------------------------------------------------------- writing


def header_of(description: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> bytes:
    """Return the bytes with which the file of a model begins.

    Parameters
    ----------
    description : dict
        What JSON can express.
    tensors : dict of str to ndarray
        Of one or two axes, float32, float64 or int64.

    Raises
    ------
    ValueError
        If they are more than the format allows: about 400,000 layers.
    """
    names = {numpys: name for name, numpys in DTYPES.items()}
    header: dict[str, Any] = {"__metadata__": {"format": FORMAT, "version": VERSION, "model": json.dumps(description)}}
    begin = 0
    for name, tensor in sorted(tensors.items()):
        end = begin + tensor.nbytes
        header[name] = {"dtype": names[tensor.dtype.name], "shape": tensor.shape, "data_offsets": (begin, end)}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ValueError(f"the model's description takes {len(text)} bytes, expected at most {MAX_HEADER}")
    return len(text).to_bytes(8, "little") + text


def write(file: BinaryIO, header: bytes, tensors: dict[str, NDArray[Any]]) -> None:
    """Write a model at the position where `file` is: its header, and the tensors, of any memory order, in C order."""
    file.write(header)
    for _, tensor in sorted(tensors.items()):
        for block in _blocks(tensor):
            file.write(np.ascontiguousarray(block, block.dtype.newbyteorder("<")).tobytes())


def _blocks(tensor: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield views of a tensor of one or two axes in C order, none of more than a block of memory."""
    rows = tensor.reshape(1, -1) if tensor.ndim == 1 else tensor
    columns_at_once = max(1, min(rows.shape[1], _BLOCK // tensor.itemsize))
    rows_at_once = max(1, _BLOCK // tensor.itemsize // columns_at_once)
    for i in range(0, rows.shape[0], rows_at_once):
        for k in range(0, rows.shape[1], columns_at_once):
            yield rows[i : i + rows_at_once, k : k + columns_at_once]


# ------------------------------------------------------------------------------------------------------------- reading


class Reader:
    """A model's file whose header has been read and checked, and whose tensors are still to come.

    Parameters
    ----------
    file : binary file object
        Read from where it is to the end of the model.
    whole : bool
        Whether the model has to be all that it holds.

    Attributes
    ----------
    description : dict
        What `header_of` was given, as far as JSON tells; its meaning is unchecked.
    tensors : dict of str to Tensor
        In the order in which they lie; their bytes are there, without gaps, unless the file changes meanwhile.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no such file, is damaged, or is of a version that this mlpcore does not know.
    """

    def __init__(self, file: BinaryIO, *, whole: bool) -> None:
        self._file = file
        left = _bytes_left(file)
        length = int.from_bytes(self._take(8), "little")
        if left is not None and left < 8:  # a device that goes on for ever says that it has no length
            _refuse("it ends too early")
        if length > MAX_HEADER:
            head = length.to_bytes(8, "little")
            kinds = [f": it begins as {kind}" for begin, kind in _OTHERS.items() if head.startswith(begin)]
            _refuse(f"its header is said to take {length} bytes, expected at most {MAX_HEADER}{''.join(kinds)}")
        if left is not None and length > left - 8:
            _refuse(f"its header is said to take {length} bytes of {left - 8}")
        header = _parsed(self._take(length))
        metadata = header.pop("__metadata__", None)
        self.tensors = _tensors(header)
        size = max((tensor.end for tensor in self.tensors.values()), default=0)
        if left is not None and size > left - 8 - length:
            _refuse(f"its tensors are said to take {size} bytes of {left - 8 - length}")
        if whole and left is not None and size < left - 8 - length:
            _refuse(f"it goes on for {left - 8 - length - size} bytes behind its last tensor")
        self.description = _description(metadata)
        if left is None:  # a pipe, for example: see that the bytes are there before memory is taken for what they mean
            self._file = _buffered(self._pieces(size))

    def read_into(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Read all tensors into arrays of their shapes, of one or two axes."""
        for name, tensor in self.tensors.items():
            dtype = np.dtype(tensor.dtype).newbyteorder("<")
            for block in _blocks(arrays[name]):
                block[...] = np.frombuffer(self._take(block.size * dtype.itemsize), dtype).reshape(block.shape)

    def _take(self, count: int) -> bytes:
        """Return the next bytes, exactly so many."""
        return b"".join(self._pieces(count))

    def _pieces(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._file.read(min(count, _BLOCK))
            if piece is None:
                raise BlockingIOError("the file has no bytes now and does not wait for them: open it in blocking mode")
            if not piece:
                _refuse("it ends too early")
            yield piece
            count -= len(piece)


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"not a complete safetensors file: {reason}")


def _bytes_left(file: BinaryIO) -> int | None:
    """Return how many bytes are to come; None where that cannot be known, as with a pipe."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError, ValueError):  # what files raise that cannot seek
        return None
    return max(0, end - here)


def _buffered(pieces: Iterable[bytes]) -> BinaryIO:
    file = io.BytesIO()
    for piece in pieces:
        file.write(piece)
    file.seek(0)
    return file


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        header = _json_object(text.decode())
    except (ValueError, RecursionError) as error:
        _refuse(f"its header is damaged: {error}")
    return header


def _json_object(text: str) -> dict[str, Any]:
    """Return what `text` says; raise ValueError, or RecursionError where lists are too deep in each other."""
    value = json.loads(text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_float)
    if not isinstance(value, dict):
        raise ValueError(f"it is {quoted(value)}, expected a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError(f"one of the entries {quoted(list(entries))} comes twice")
    return entries


def _integer(digits: str) -> int:
    return int(_short_number(digits))


def _float(digits: str) -> float:
    return float(_short_number(digits))


def _short_number(digits: str) -> str:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits, expected at most {_MAX_DIGITS}")
    return digits


def _tensors(header: dict[str, Any]) -> dict[str, Tensor]:
    """Return the tensors in the order in which they lie; raise ValueError unless they follow one another."""
    tensors = {name: _tensor(name, entry) for name, entry in header.items()}
    in_order = dict(sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)))
    begin = 0
    for name, tensor in in_order.items():
        if tensor.begin != begin:
            _refuse(f"the tensor {quoted(name)} begins at byte {tensor.begin}, expected {begin}")
        begin = tensor.end
    return in_order


def _tensor(name: str, entry: object) -> Tensor:
    match entry:
        case {"dtype": str(code), "shape": list(shape), "data_offsets": [begin, end], **others} if not others:
            pass
        case _:
            _refuse(f"the tensor {quoted(name)} is {quoted(entry)}, expected dtype, shape and data_offsets")
    if code not in DTYPES:
        _refuse(f"the tensor {quoted(name)} has dtype {quoted(code)}, expected one of {', '.join(DTYPES)}")
    if len(shape) > _MAX_AXES or not all(type(size) is int and size >= 0 for size in shape):
        _refuse(f"the tensor {quoted(name)} has shape {quoted(shape)}, expected at most {_MAX_AXES} sizes >= 0")
    if type(begin) is not int or type(end) is not int or begin < 0:
        _refuse(f"the tensor {quoted(name)} has data_offsets {quoted([begin, end])}, expected two numbers >= 0")
    size = math.prod(shape) * np.dtype(DTYPES[code]).itemsize
    if end - begin != size:
        _refuse(f"the tensor {quoted(name)} has {end - begin} bytes, expected {size} for its shape {quoted(shape)}")
    return Tensor(DTYPES[code], tuple(shape), begin, end)


def _description(metadata: object) -> dict[str, Any]:
    """Return the model's description; raise ValueError if the file is another program's or another version's."""
    entries = metadata if isinstance(metadata, dict) else {}
    if entries.get("format") != FORMAT:
        raise ValueError(f"format is {quoted(entries.get('format'))}, expected {FORMAT!r}: this is no mlpcore model")
    if entries.get("version") != VERSION:
        raise ValueError(
            f"version is {quoted(entries.get('version'))}, expected {VERSION!r}: update mlpcore to read it"
        )
    text = entries.get("model")
    try:
        if not isinstance(text, str):
            raise ValueError(f"it is {quoted(text)}, expected a JSON object")
        return _json_object(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its description of the model is damaged: {error}") from None
