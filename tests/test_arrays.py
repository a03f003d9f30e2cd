"""The border between Python and C: for any array argument the result is right or a clear error is raised.

Every array argument of every entry point meets every mutation of the table below: odd layouts, alignments, byte orders,
dtypes, shapes and objects. The result must equal, bit for bit, that of the same call on fresh contiguous copies, or the
call raises TypeError, ValueError or MemoryError with a message that names the argument; and no input is ever changed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from entries import (
    DTYPES,
    ENTRIES,
    IN,
    Arrays,
    Entry,
    N,
    bits,
    contents,
    fresh_arrays,
    on_fresh_copies,
    real_type,
    snapshot,
)

# np.matrix warns of itself, and so does the copy of a complex array that is made for comparison.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::numpy.exceptions.ComplexWarning")


# ---- the mutations ------------------------------------------------------------------------------------------------

SAME = "the same bits"  # a verdict; others: the error that is due, or None: either will do


@dataclass
class Mutation:
    """What is done to one array, and what has to come of it where it is an input and where it is an output."""

    name: str
    make: Callable[[np.ndarray], Any]
    as_input: Any = SAME
    as_output: Any = ValueError


def in_buffer(array: np.ndarray, offset: int) -> np.ndarray:
    buffer = np.empty(array.nbytes + 32, np.uint8)
    skip = -buffer.ctypes.data % 8 + offset
    view = buffer[skip : skip + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def every_other(array: np.ndarray) -> np.ndarray:
    wide = np.zeros(tuple(2 * size for size in array.shape), array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def backwards(array: np.ndarray) -> np.ndarray:
    flip = tuple(slice(None, None, -1) for _ in array.shape)
    return np.ascontiguousarray(array[flip])[flip]


def broadcast(array: np.ndarray) -> np.ndarray:
    return np.broadcast_to(array[:1], array.shape)


def one_number_everywhere(array: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.as_strided(array, array.shape, (0,) * array.ndim)


def field_of_packed_struct(array: np.ndarray) -> np.ndarray:
    struct = np.zeros(array.shape, [("pad", "u1"), ("value", array.dtype)])
    struct["value"] = array
    return struct["value"]


def field_of_aligned_struct(array: np.ndarray) -> np.ndarray:
    struct = np.zeros(array.shape, np.dtype([("pad", "u1"), ("value", array.dtype)], align=True))
    struct["value"] = array
    return struct["value"]


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def swapped(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder())


def with_first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def make(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array.flat[0] = value
        return array

    return make


class Subclass(np.ndarray):
    def __array_finalize__(self, other: object) -> None:
        self.note = getattr(other, "note", "new")


class WithArray:
    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array


class WithInterface:
    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__


class Raising:
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise ValueError("no array today")


class SparseLike:
    """As scipy.sparse: a matrix that NumPy does not know."""

    shape, dtype, nnz = (N, IN), np.dtype("f4"), 0


def masked(array: np.ndarray) -> np.ma.MaskedArray:
    mask = np.zeros(array.shape, bool)
    mask.flat[0] = True
    return np.ma.MaskedArray(array, mask=mask)


def to_dtype(dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: array.astype(dtype)


def empty_axis(axis: int) -> Callable[[np.ndarray], Any]:
    return lambda array: np.delete(array, np.s_[:], axis % array.ndim)


def fake_shape(size: int) -> Callable[[np.ndarray], Any]:
    def make(array: np.ndarray) -> Any:
        return np.lib.stride_tricks.as_strided(array, (size, *array.shape[1:]), (0,) * array.ndim)

    return make


def fake_last(size: int) -> Callable[[np.ndarray], Any]:
    def make(array: np.ndarray) -> Any:
        return np.lib.stride_tricks.as_strided(array, (*array.shape[:-1], size), (0,) * array.ndim)

    return make


def grown(axis: int) -> Callable[[np.ndarray], Any]:
    return lambda array: np.concatenate([array, array], axis % array.ndim)


MUTATIONS = [
    Mutation("as it is", np.copy, as_output=SAME),
    Mutation("Fortran order", np.asfortranarray, as_output=None),
    Mutation("every other", every_other, as_output=None),  # a single element is contiguous all the same
    Mutation("backwards", backwards, as_output=None),
    Mutation("first row repeated", broadcast, as_output=None),
    Mutation("stride 0", one_number_everywhere, as_output=None),
    *(Mutation(f"{k} bytes off", lambda a, k=k: in_buffer(a, k), as_output=None) for k in range(8)),
    Mutation("field of a packed struct", field_of_packed_struct, as_output=None),
    Mutation("field of an aligned struct", field_of_aligned_struct, as_output=None),
    Mutation("swapped bytes", swapped, as_output=TypeError),
    Mutation("swapped and strided", lambda a: every_other(swapped(a)), as_output=TypeError),
    *(
        Mutation(f"dtype {d}", to_dtype(d), as_output=None if d in ("f4", "f8", "i8", "l") else TypeError)
        for d in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "l", "u1", "u2", ">f4", ">f8", ">i2", "<f2")
    ),
    Mutation("dtype u8", to_dtype("u8"), None, TypeError),
    Mutation("dtype b1", to_dtype("b1"), None, TypeError),  # weights may then add up to 0
    *(
        Mutation(f"dtype {d}", to_dtype(d), TypeError, TypeError)
        for d in ("g", "c8", "c16", "G", "O", "U", "S", "V8", "M8[s]", "m8[s]")
    ),
    Mutation("structured", lambda a: a.astype([("value", a.dtype)]), TypeError, TypeError),
    Mutation("read-only", read_only),
    Mutation("read-only and strided", lambda a: read_only(every_other(a)), as_output=ValueError),
    Mutation("0-d", lambda a: np.array(a.flat[0]), None, None),
    Mutation("empty first axis", empty_axis(0), None, None),
    Mutation("empty last axis", empty_axis(-1), None, None),
    Mutation("twice as long", grown(0), None, None),
    Mutation("twice as wide", grown(-1), None, None),
    Mutation("one axis more", lambda a: a[None], None, ValueError),
    Mutation("flat", lambda a: a.reshape(-1), None, None),
    Mutation("64 axes", lambda a: a.reshape((1,) * (64 - a.ndim) + a.shape), None, ValueError),
    Mutation("masked", masked, ValueError, ValueError),
    Mutation("masked nowhere", np.ma.MaskedArray, SAME, SAME),
    Mutation("matrix", lambda a: np.matrix(a) if a.ndim == 2 else None, None, None),
    Mutation("subclass", lambda a: a.copy().view(Subclass), SAME, SAME),
    Mutation("list", np.ndarray.tolist, SAME, TypeError),
    Mutation("list of arrays", list, SAME, TypeError),
    Mutation("ragged list", lambda a: [*a.tolist(), [1, 2]] if a.ndim > 1 else [a.tolist(), 1], ValueError, TypeError),
    Mutation("memoryview", lambda a: memoryview(a.copy()), SAME, TypeError),
    Mutation("__array__", lambda a: WithArray(a.copy()), SAME, TypeError),
    Mutation("__array_interface__", lambda a: WithInterface(a.copy()), SAME, TypeError),
    Mutation("__array__ of None", lambda a: WithArray(None), None, TypeError),
    Mutation("__array__ that raises", lambda a: Raising(), ValueError, TypeError),
    Mutation("None", lambda a: None, None, None),
    *(
        Mutation(repr(thing), lambda a, thing=thing: thing, TypeError, TypeError)
        for thing in (object(), "text", b"bytes", {}, {1.0}, 1j, SparseLike(), Ellipsis, len)
    ),
    Mutation("a number", lambda a: 1.5, None, TypeError),
    Mutation("a huge integer", lambda a: 10**400, TypeError, TypeError),
    Mutation("NaN", with_first(np.nan), None, None),
    Mutation("infinity", with_first(np.inf), None, None),
    Mutation("-0.0", with_first(-0.0), None, None),
    Mutation("smallest subnormal", with_first(1e-45), None, None),
    *(Mutation(f"{size} rows, all one", fake_shape(size), None, None) for size in (2**40, 2**58, 2**60)),
    *(Mutation(f"{size} columns, all one", fake_last(size), None, None) for size in (2**31, 2**40, 2**58, 2**60)),
]


def cases(entry: Entry, dtype: str) -> Iterator[tuple[str, Mutation, Arrays]]:
    """Every argument of the entry with every mutation that can be made of it."""
    for name in entry.shapes:
        for mutation in MUTATIONS:
            arrays = fresh_arrays(entry, dtype)
            try:
                with np.errstate(all="ignore"):
                    arrays[name] = mutation.make(arrays[name])
            except (ValueError, OverflowError):  # NumPy itself does not make such an array
                continue
            yield name, mutation, {**arrays, "net_dtype": "float32" if dtype == "f4" else "float64"}


# ---- the judgement ------------------------------------------------------------------------------------------------


def may_be_copied(value: Any) -> bool:
    return value is None or np.size(value) <= 10**6


def outcome_of(entry: Entry, arrays: Arrays) -> tuple[Any, Exception | None]:
    try:
        return entry.call(arrays), None
    except (TypeError, ValueError, MemoryError) as error:
        return None, error


def judge(entry: Entry, name: str, mutation: Mutation, arrays: Arrays) -> None:
    is_output = name in entry.outputs
    verdict = mutation.as_output if is_output else mutation.as_input
    if name == "t" and verdict is SAME and mutation.name != "as it is":
        verdict = None  # the table is about real numbers, and t is an integer
    where = f"{entry}: {name}: {mutation.name}"
    before = {key: snapshot(value) for key, value in arrays.items()}
    try:
        expected = (
            on_fresh_copies(entry, arrays)
            if verdict is SAME or (verdict is None and may_be_copied(arrays[name]))
            else None
        )
    except (TypeError, ValueError, MemoryError, OverflowError):
        expected = None
    result, error = outcome_of(entry, arrays)
    if error is not None:
        assert verdict is not SAME, f"{where}: {error}"
        assert verdict is None or isinstance(error, verdict), f"{where}: {error!r}, expected {verdict}"
        assert re.search(rf"\b{name}\b", str(error)), f"{where}: the message does not name it: {error}"
        assert {key: snapshot(value) for key, value in arrays.items()} == before, f"{where}: changed, though refused"
        return
    assert verdict in (SAME, None), f"{where}: was taken, expected {verdict}"
    assert expected is not None, f"{where}: gives {result!r}, but a fresh copy does not"
    assert bits(result) == expected[0], f"{where}: other bits than on fresh copies"
    assert getattr(result, "dtype", real_type(entry, arrays)) == real_type(entry, arrays), f"{where}: {result.dtype}"
    assert contents(entry, arrays) == expected[1], f"{where}: other bits in the outputs"
    for key in entry.shapes:
        assert key in entry.outputs or snapshot(arrays[key]) == before[key], f"{where}: {key} was changed"
    if "out" in entry.outputs and arrays["out"] is not None:
        assert result is arrays["out"], f"{where}: out is not what is returned"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_right_or_refused(entry: Entry, dtype: str) -> None:
    for name, mutation, arrays in cases(entry, dtype):
        judge(entry, name, mutation, arrays)


def test_there_are_enough_cases() -> None:
    assert sum(1 for entry in ENTRIES for dtype in DTYPES for _ in cases(entry, dtype)) >= 2000
