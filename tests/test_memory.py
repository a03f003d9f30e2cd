"""Memory: alignment, the number of allocations, and failed allocations."""

import time
from collections.abc import Callable

import nets
import numpy as np
import pytest

import mlpcore
from mlpcore import _core

ADDRESSES = 2**47  # bytes that a process can address: more than any machine has
rng = np.random.default_rng(0)


def small_net() -> _core.Net:
    net = nets.dense_net([3, 8, 2], ["tanh", "softmax"], "float32")
    for j in range(2):
        nets.initialize(net, j, "glorot_uniform", 7)
    return net


def samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(n, 3)).astype("f4"), np.eye(2, dtype="f4")[rng.integers(0, 2, n)]


def adam(net: _core.Net) -> tuple[object, ...]:
    m, v = (_core.aligned_zeros(net.params.size, "float32") for _ in "mv")
    return nets.adam(0.01, 0.9, 0.999, 1e-7, m, v, np.zeros(1, "i8"))


def allocations(call: Callable[[], object]) -> int:
    """Return how often the engine asks for memory while `call` runs."""
    before = _core.allocation_count()
    call()
    return _core.allocation_count() - before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 100_001])
def test_memory_of_the_engine_begins_on_a_cache_line(dtype: str, count: int) -> None:
    zeros = _core.aligned_zeros(count, dtype)
    assert zeros.ctypes.data % 64 == 0
    assert zeros.shape == (count,)
    assert zeros.dtype == dtype
    assert not zeros.any()
    net = nets.dense_net([count + 1, 3, 2], ["relu", "softmax"], dtype)
    assert net.params.ctypes.data % 64 == net.grads.ctypes.data % 64 == 0
    net.forward(np.zeros((5, count + 1)))
    assert all(part.ctypes.data % 64 == 0 for j in range(2) for part in nets.activity(net, j)[:3])


@pytest.mark.parametrize(("shuffle", "expected"), [(False, 0), (True, 1)], ids=["in order", "shuffled"])
def test_an_epoch_allocates_equally_often_however_many_batches_it_has(shuffle: bool, expected: int) -> None:
    """The order of the rows is all that an epoch needs beside the workspace, and the thread's scratch in its first."""
    first = small_net()
    nets.train(first, *samples(32), None, "cce", 16, shuffle, 1, 0, 1, adam(first), [], None)
    net = small_net()
    recipe = adam(net)

    def epoch(batches: int) -> Callable[[], object]:
        x, y = samples(16 * batches)
        return lambda: nets.train(net, x, y, None, "cce", 16, shuffle, 1, 0, 1, recipe, [], None)

    assert allocations(epoch(2)) == expected + 1
    assert allocations(epoch(2)) == allocations(epoch(2000)) == expected


def test_what_is_repeated_allocates_nothing() -> None:
    net = small_net()
    recipe = adam(net)
    x, y = samples(16)

    def step() -> None:
        net.forward(x)
        net.backward(y, "cce")
        net.step(recipe)

    assert allocations(step) == 1
    assert allocations(lambda: [step() for _ in range(10)]) == 0
    assert allocations(lambda: net.forward(x[:3])) == 0, "fewer rows fit into the workspace that there is"
    assert allocations(lambda: net.forward(samples(17)[0])) == 1


@pytest.mark.parametrize(("call", "expected"), [("predict", [0, 1, 1]), ("loss", [1, 1, 1])])
def test_scratch_is_one_block_however_many_rows_there_are(call: str, expected: list[int]) -> None:
    """And none at all for a prediction of few rows, whose numbers fit on the stack."""
    net = small_net()
    for n, count in zip((1, 1000, 10_000), expected, strict=True):
        x, y = samples(n)
        read = lambda: net.predict(x) if call == "predict" else nets.loss(net, x, y, "cce")  # noqa: B023, E731
        assert allocations(read) == count


def test_a_fit_allocates_equally_often_however_many_batches_an_epoch_has() -> None:
    def fit(batches: int) -> int:
        model = mlpcore.Sequential([mlpcore.Dense(8, "relu"), mlpcore.Dense(2, "softmax")], input_size=3, seed=1)
        x, y = samples(16 * batches)
        return allocations(lambda: model.fit(x, y, loss="cce", batch_size=16, epochs=3, progress=False))

    assert fit(2) == fit(2000)


HUGE_ROWS = np.broadcast_to(np.zeros(3), (ADDRESSES, 3))

TOO_LARGE: dict[str, Callable[[], object]] = {
    "more than addresses": lambda: _core.aligned_zeros(ADDRESSES, "float32"),
    "bytes overflow": lambda: _core.aligned_zeros(2**62, "float32"),
    "padding overflows": lambda: _core.aligned_zeros(2**60 - 1, "float64"),
    "bytes of 2^63 - 1": lambda: _core.aligned_zeros(2**63 - 1, "float64"),
    "a product of sizes overflows": lambda: nets.dense_net([2**31, 2**31, 2], ["relu", "relu"], "float32"),
    "a sum of sizes overflows": lambda: nets.dense_net([2**62, 4, 2], ["relu", "relu"], "float32"),
    "sizes beyond 64 bits": lambda: nets.dense_net([2**64, 2**64, 2], ["relu", "relu"], "float32"),
    "the bias overflows": lambda: nets.dense_net([3, 2**63 - 1, 2], ["relu", "relu"], "float32"),
    "the last layer overflows": lambda: nets.dense_net([1, 1, 2**61], ["relu", "relu"], "float32"),
    "rows to predict": lambda: small_net().predict(HUGE_ROWS),
    "rows to go forward with": lambda: small_net().forward(HUGE_ROWS),
}


@pytest.mark.parametrize("call", TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.clock
def test_what_does_not_fit_into_memory_is_refused_at_once(call: Callable[[], object]) -> None:
    start = time.perf_counter()
    with pytest.raises((MemoryError, ValueError)):
        call()
    assert time.perf_counter() - start < 0.1


def test_a_network_that_got_no_memory_stays_usable() -> None:
    net = small_net()
    x, _ = samples(5)
    expected = net.forward(x).tobytes()
    with pytest.raises(MemoryError):
        net.forward(HUGE_ROWS)
    assert nets.activity(net, 1)[2].tobytes() == net.forward(x).tobytes() == expected
