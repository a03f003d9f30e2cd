"""The border between Python and C: for any array argument the result is right or a clear error is raised.

Every array argument of every entry point meets every mutation of the table below: odd layouts, alignments, byte orders,
dtypes, shapes and objects. The result must equal, bit for bit, that of the same call on fresh contiguous copies, or the
call raises TypeError, ValueError or MemoryError with a message that names the argument; and no input is ever changed.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import nets
import numpy as np
import pytest

from mlpcore import _core, kernels

N, IN, OUT = 5, 3, 4
DTYPES = ("f4", "f8")
Arrays = dict[str, Any]
# np.matrix warns of itself, and so does the copy of a complex array that is made for comparison.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::numpy.exceptions.ComplexWarning")


# ---- the entry points ---------------------------------------------------------------------------------------------


@dataclass
class Entry:
    """An entry point: how to call it with named arrays, their shapes, and which of them it writes."""

    name: str
    call: Callable[[Arrays], Any]
    shapes: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()  # inputs whose memory `out` may be
    of_net: bool = field(default=False)  # then the call's dtype is the network's

    def __str__(self) -> str:
        return self.name


def net_like(arrays: Arrays) -> Any:
    net = nets.dense_net([IN, 2, OUT], ["tanh", "sigmoid"], arrays["net_dtype"])
    for j in range(2):
        nets.initialize(net, j, "glorot_uniform", 1)
    return net


def net_after(arrays: Arrays, *steps: str) -> Any:
    net = net_like(arrays)
    if "forward" in steps:
        net.forward(np.linspace(-1, 1, N * IN).reshape(N, IN))
    if "backward" in steps:
        net.backward(np.linspace(0, 1, N * OUT).reshape(N, OUT), "mse")
    return net


def run_epoch(arrays: Arrays, optimizer: tuple[Any, ...]) -> Any:
    net = net_like(arrays)
    scores: list[tuple[float, float]] = []
    nets.train(net, arrays["x"], arrays["y"], arrays["sample_weight"], "bce", 2, True, 3, 0, 2, optimizer, scores, None)
    return [*np.ravel(scores), net.params.copy()]


def run_step(arrays: Arrays, optimizer: tuple[Any, ...]) -> Any:
    net = net_after(arrays, "forward", "backward")
    net.step(optimizer)
    return net.params.copy()


def run_backward(arrays: Arrays) -> Any:
    net = net_after(arrays, "forward")
    return [net.backward(arrays["y"], "bce", arrays["sample_weight"]), net.grads.copy()]


def sgd_tuple(a: Arrays) -> tuple[Any, ...]:
    return nets.sgd(0.1, 0.5, True, a["velocity"])


def adam_tuple(a: Arrays) -> tuple[Any, ...]:
    return nets.adam(0.1, 0.9, 0.99, 1e-7, a["m"], a["v"], a["t"])


P = (IN + 1) * 2 + (2 + 1) * OUT
X, W, B, Z, S, W3 = (N, IN), (OUT, IN), (OUT,), (N, OUT), (N,), (2, 3, 2)
ENTRIES = [
    Entry("dense_forward", lambda a: kernels.dense_forward(a["x"], a["w"], a["b"]), {"x": X, "w": W, "b": B}),
    Entry(
        "dense_forward out",
        lambda a: kernels.dense_forward(a["x"], a["w"], a["b"], out=a["out"]),
        {"x": X, "w": W, "b": B, "out": Z},
        ("out",),
    ),
    Entry(
        "dense_backward", lambda a: list(kernels.dense_backward(a["phi"], a["x"], a["w"])), {"phi": Z, "x": X, "w": W}
    ),
    *(
        Entry(
            f"activation_forward {name}",
            lambda a, name=name: kernels.activation_forward(name, a["z"], out=a["out"]),
            {"z": Z, "out": Z},
            ("out",),
            ("z",),
        )
        for name in ("linear", "relu", "softmax")
    ),
    Entry("activation_forward", lambda a: kernels.activation_forward("sigmoid", a["z"]), {"z": Z}),
    *(
        Entry(
            f"activation_backward {name}",
            lambda a, name=name: kernels.activation_backward(name, a["z"], a["grad_a"], out=a["out"]),
            {"z": Z, "grad_a": Z, "out": Z},
            ("out",),
            ("z", "grad_a"),
        )
        for name in ("linear", "tanh", "softmax")
    ),
    Entry(
        "loss_value",
        lambda a: kernels.loss_value("bce", a["y_hat"], a["y"], sample_weight=a["sample_weight"]),
        {"y_hat": Z, "y": Z, "sample_weight": S},
    ),
    *(
        Entry(
            f"loss_gradient {name}",
            lambda a, name=name: kernels.loss_gradient(
                name, a["y_hat"], a["y"], sample_weight=a["sample_weight"], out=a["out"]
            ),
            {"y_hat": Z, "y": Z, "sample_weight": S, "out": Z},
            ("out",),
            ("y_hat",),
        )
        for name in ("mse", "cce")
    ),
    Entry(
        "output_loss",
        lambda a: kernels.output_loss("cce", "softmax", a["z"], a["y"], sample_weight=a["sample_weight"]),
        {"z": Z, "y": Z, "sample_weight": S},
    ),
    Entry(
        "output_phi",
        lambda a: kernels.output_phi("mse", "softmax", a["z"], a["y"], sample_weight=a["sample_weight"], out=a["out"]),
        {"z": Z, "y": Z, "sample_weight": S, "out": Z},
        ("out",),
    ),
    Entry("sgd_step", lambda a: kernels.sgd_step(a["w"], a["grad"], learning_rate=0.1), {"w": W3, "grad": W3}, ("w",)),
    Entry(
        "sgd_step velocity",
        lambda a: kernels.sgd_step(a["w"], a["grad"], learning_rate=0.1, momentum=0.5, velocity=a["velocity"]),
        {"w": W, "grad": W, "velocity": W},
        ("w", "velocity"),
    ),
    Entry(
        "adam_step",
        lambda a: kernels.adam_step(a["w"], a["grad"], a["m"], a["v"], t=3),
        {"w": W, "grad": W, "m": W, "v": W},
        ("w", "m", "v"),
    ),
    Entry("elementary", lambda a: _core.elementary("exp", a["x"]), {"x": W3}),
    Entry("Net.forward", lambda a: net_like(a).forward(a["x"]), {"x": X}, of_net=True),
    Entry("Net.predict", lambda a: net_like(a).predict(a["x"]), {"x": X}, of_net=True),
    Entry("Net.backward", run_backward, {"y": Z, "sample_weight": S}, of_net=True),
    Entry(
        "Net.loss",
        lambda a: list(nets.loss(net_like(a), a["x"], a["y"], "mse", a["sample_weight"])),
        {"x": X, "y": Z, "sample_weight": S},
        of_net=True,
    ),
    Entry(
        "Net.train sgd",
        lambda a: run_epoch(a, sgd_tuple(a)),
        {"x": X, "y": Z, "sample_weight": S, "velocity": (P,)},
        ("velocity",),
        of_net=True,
    ),
    Entry(
        "Net.train adam",
        lambda a: run_epoch(a, adam_tuple(a)),
        {"x": X, "y": Z, "sample_weight": S, "m": (P,), "v": (P,), "t": (1,)},
        ("m", "v", "t"),
        of_net=True,
    ),
    Entry("Net.step sgd", lambda a: run_step(a, sgd_tuple(a)), {"velocity": (P,)}, ("velocity",), of_net=True),
    Entry(
        "Net.step adam",
        lambda a: run_step(a, adam_tuple(a)),
        {"m": (P,), "v": (P,), "t": (1,)},
        ("m", "v", "t"),
        of_net=True,
    ),
]


def fresh_arrays(entry: Entry, dtype: str) -> Arrays:
    """Contiguous arrays of multiples of 1/64, which float16 holds exactly; weights and v are positive integers."""
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    for name, shape in entry.shapes.items():
        positive = name in ("sample_weight", "v", "t")
        values = rng.integers(1, 4, shape) if positive else rng.integers(-128, 128, shape) / 64
        arrays[name] = values.astype("i8" if name == "t" else dtype)
    return arrays


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


def snapshot(value: Any) -> Any:
    """What must not have changed: the bits of an array, whatever its dtype."""
    if not isinstance(value, np.ndarray) or value.size > 10**6:
        return None
    data = np.asarray(value)
    return data.shape, data.strides, data.dtype, data.tolist() if data.dtype.hasobject else data.tobytes()


def bits(result: Any) -> Any:
    if isinstance(result, list | tuple):
        return [bits(item) for item in result]
    if isinstance(result, np.ndarray):
        return result.dtype.str, result.shape, np.ascontiguousarray(result).tobytes()
    return np.float64(result).tobytes() if isinstance(result, float) else result


def contents(entry: Entry, arrays: Arrays) -> list[Any]:
    """Return the bits of the outputs that were given."""
    return [bits(np.asarray(arrays[name])) for name in entry.outputs if arrays[name] is not None]


def may_be_copied(value: Any) -> bool:
    return value is None or np.size(value) <= 10**6


def real_type(entry: Entry, arrays: Arrays) -> np.dtype:
    """The rule of the border: outputs decide, else what every input casts to safely."""
    if entry.of_net:
        return np.dtype(arrays["net_dtype"])
    given = {name: np.asarray(arrays[name]).dtype for name in entry.shapes if arrays[name] is not None}
    for name in entry.outputs:
        if name in given:
            return given[name]
    return np.dtype("f4" if all(np.can_cast(dtype, "f4") for dtype in given.values()) else "f8")


def on_fresh_copies(entry: Entry, arrays: Arrays) -> tuple[Any, Any]:
    """What the call gives for contiguous copies in the call's own dtype, and what it leaves in the outputs."""
    dtype = real_type(entry, arrays)
    copies = dict(arrays)
    for name in entry.shapes:
        if arrays[name] is not None:
            plain = np.asarray(arrays[name])
            copies[name] = np.array(plain, "i8" if name == "t" else dtype, order="C", subok=False)
    return bits(entry.call(copies)), contents(entry, copies)


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


# ---- memory that is shared ----------------------------------------------------------------------------------------


def on_one_buffer(entry: Entry, dtype: str, name: str, output: str, shift: int) -> Arrays:
    """The entry's arrays, `output` lying `shift` elements behind `name` in one buffer."""
    arrays = fresh_arrays(entry, dtype) | {"net_dtype": "float32" if dtype == "f4" else "float64"}
    size = max(arrays[name].size, arrays[output].size)
    buffer = np.zeros(5 * size + 2, dtype)
    for key, begin in ((output, 2 * size + shift), (name, 2 * size)):
        values = arrays[key]
        arrays[key] = buffer[begin : begin + values.size].reshape(values.shape)
        arrays[key][...] = values
    return arrays


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.outputs], ids=str)
def test_shared_memory_is_right_or_refused(entry: Entry, dtype: str) -> None:
    """Refused, but for an input that `out` may replace, and for a network's data, which it copies if need be."""
    for output in entry.outputs:
        for name in entry.shapes:
            if "t" in (name, output) or name == output:
                continue
            sizes = [int(np.prod(entry.shapes[key])) for key in (name, output)]
            for shift in range(-sizes[1] - 1, sizes[0] + 2):
                arrays = on_one_buffer(entry, dtype, name, output, shift)
                apart = not np.may_share_memory(arrays[name], arrays[output])
                if apart or (shift == 0 and name in entry.in_place) or (entry.of_net and name not in entry.outputs):
                    expected = on_fresh_copies(entry, arrays)
                    assert bits(entry.call(arrays)) == expected[0], f"{entry}: {output} {shift} behind {name}"
                    assert contents(entry, arrays) == expected[1]
                else:
                    before = snapshot(arrays[name]), snapshot(arrays[output])
                    with pytest.raises(ValueError, match=rf"\b({output}|{name}) overlaps ({output}|{name})\b"):
                        entry.call(arrays)
                    assert (snapshot(arrays[name]), snapshot(arrays[output])) == before


def test_no_backwards_or_transposed_view_of_an_input_is_written() -> None:
    z = np.random.default_rng(0).normal(size=(4, 4))
    for view in (z[::-1], z[:, ::-1], z.T):
        for x, out in ((z, view), (view, z)):
            with pytest.raises(ValueError, match=r"\bout\b"):
                kernels.activation_forward("relu", x, out=out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_views_of_the_network_are_inputs_like_others(dtype: str) -> None:
    name = "float32" if dtype == "f4" else "float64"

    def outcome(copy: Callable[[Any], Any]) -> Any:
        net = net_after({"net_dtype": name}, "forward", "backward")
        x, _, a, phi = nets.activity(net, 1)[0], *nets.activity(net, 1)[1:]
        loss = net.backward(copy(phi), "mse")
        first = nets.activity(net, 0)[0]
        net.forward(copy(first[::-1]))
        net.forward(copy(first[1:]))
        score = nets.loss(net, copy(first), copy(a), "mse")
        flat = copy(net.params)[:P]
        sgd = nets.sgd(0.1, 0.0, False)
        pass_over: list[tuple[float, float]] = []
        nets.train(net, copy(first), copy(a), None, "mse", 2, False, 0, 0, 1, sgd, pass_over, None)
        return bits([loss, *score, flat, *np.ravel(pass_over), net.params.copy(), x.copy()])

    assert outcome(lambda view: view) == outcome(np.copy)


# ---- arguments that fight back ------------------------------------------------------------------------------------


class Evil:
    """An argument whose conversion to an array takes away what the call was given besides."""

    def __init__(self, array: np.ndarray, attack: Callable[[], object]) -> None:
        self.array, self.attack = array, attack

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        self.attack()
        return self.array


def shrink(array: np.ndarray) -> None:
    array.resize((1,) * array.ndim, refcheck=False)


def grow_and_shrink(array: np.ndarray) -> None:
    array.resize((1000,) * min(array.ndim, 2), refcheck=False)
    array.resize((1,), refcheck=False)


@pytest.mark.parametrize("attack", [shrink, grow_and_shrink], ids=["shrink", "grow and shrink"])
@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_arrays_that_vanish_during_conversion(entry: Entry, attack: Callable[[np.ndarray], None]) -> None:
    for evil in entry.shapes:
        for victim in entry.shapes:
            if victim == evil or evil in entry.outputs or victim == "t":
                continue
            arrays = fresh_arrays(entry, "f8") | {"net_dtype": "float64"}
            prey = arrays[victim].copy()
            arrays[victim] = prey
            arrays[evil] = Evil(arrays[evil], lambda prey=prey: attack(prey))
            with pytest.raises((ValueError, RuntimeError)):
                entry.call(arrays)


class EvilNumber:
    def __init__(self, value: float, victim: np.ndarray) -> None:
        self.value, self.victim = value, victim

    def __float__(self) -> float:
        shrink(self.victim)
        return self.value

    def __index__(self) -> int:
        shrink(self.victim)
        return int(self.value)


def test_numbers_that_shrink_arrays() -> None:
    for build in (
        lambda w: kernels.sgd_step(w, np.ones(100), learning_rate=EvilNumber(0.1, w)),
        lambda w: kernels.adam_step(w, np.ones(100), np.ones(100), np.ones(100), t=EvilNumber(3, w)),
        lambda w: net_like({"net_dtype": "float64"}).train(
            w.reshape(100, 1), np.ones((100, OUT)), None, "mse", EvilNumber(2, w), True, 0, 0, 1, ("sgd",), [], None
        ),
    ):
        with pytest.raises((ValueError, TypeError)):
            build(np.ones(100))


def test_a_network_is_not_reentered() -> None:
    net = net_like({"net_dtype": "float64"})
    with pytest.raises(RuntimeError, match="busy"):
        net.forward(Evil(np.ones(X), lambda: net.forward(np.ones((100, IN)))))
    assert net.forward(np.ones(X)).shape == Z


def test_a_warning_that_reshapes_an_array_is_noticed() -> None:
    """A cast that overflows warns, and a warning handler may run any Python code, as __array__ may."""
    x, w, b, out = np.full(X, 1e300), np.ones(W, "f4"), np.ones(B, "f4"), np.ones(Z, "f4")
    with warnings.catch_warnings():
        warnings.showwarning = lambda *_args, **_kwargs: shrink(b)
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match=r"\bb has shape \(1,\)"):
            kernels.dense_forward(x, w, b, out=out)


# ---- words --------------------------------------------------------------------------------------------------------

MESSAGES = [
    (
        lambda: kernels.dense_forward(np.ones((5, 3)), np.ones((3, 4)), np.ones(4)),
        "dense_forward: w has shape (3, 4), expected (out, 3) for x of shape (5, 3)",
    ),
    (
        lambda: kernels.dense_forward(np.ones((5, 3)), np.ones((4, 3)), np.ones(3)),
        "dense_forward: b has shape (3,), expected (4,) for w of shape (4, 3)",
    ),
    (
        lambda: kernels.dense_forward(np.ones(3), np.ones((4, 3)), np.ones(4)),
        "dense_forward: x has shape (3,), expected (n, in)",
    ),
    (
        lambda: kernels.activation_forward("rleu", np.ones((1, 1))),
        "activation_forward: name is 'rleu', expected one of 'linear', 'relu', 'sigmoid', 'tanh', 'softmax'",
    ),
    (
        lambda: kernels.loss_value("mse", np.ones((2, 1)), np.ones((2, 1)), sample_weight=[1.0, -1.0]),
        "loss_value: sample_weight holds -1.0 at index 1, expected finite numbers >= 0",
    ),
    (
        lambda: kernels.loss_value("mse", np.ones((0, 1)), np.ones((0, 1))),
        "loss_value: y_hat has shape (0, 1), expected at least one sample",
    ),
    (
        lambda: kernels.sgd_step(np.ones(2), np.ones(2), learning_rate=-1.0),
        "sgd_step: learning_rate is -1.0, expected a number >= 0.0 and < inf",
    ),
    (lambda: kernels.dense_forward(1, 2), "dense_forward() missing required argument: 'b'"),
    (
        lambda: kernels.dense_forward(1, 2, 3, 4),
        "dense_forward() takes at most 3 positional arguments but 4 were given",
    ),
    (lambda: kernels.dense_forward(1, 2, 3, o=4), "dense_forward() got an unexpected keyword argument 'o'"),
    (lambda: kernels.dense_forward(1, 2, 3, x=4), "dense_forward() got multiple values for argument 'x'"),
    (lambda: kernels.adam_step(1, 2, 3, 4), "adam_step() missing required keyword-only argument: 't'"),
]


@pytest.mark.parametrize(("call", "message"), MESSAGES)
def test_messages(call: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        call()
    assert str(raised.value) == message
