"""The Net object: the memory of its views, concurrent calls, and stopping an epoch."""

import _thread
import gc
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import nets
import numpy as np
import pytest

from mlpcore import _core, cpu, kernels

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(11, 3)).astype("f4"), np.eye(2, dtype="f4")[rng.integers(0, 2, 11)]
SGD = nets.sgd(0.1, 0.0, False)


def small_net(dtype: str = "float32") -> _core.Net:
    net = nets.dense_net([3, 4, 2], ["tanh", "softmax"], dtype)
    for j in range(2):
        nets.initialize(net, j, "glorot_uniform", 7)
    return net


def busy_net() -> tuple[_core.Net, Callable[[Any], Any]]:
    """A network and an epoch of it that takes seconds, with a function to be called about every 50 ms."""
    net = nets.dense_net([100, 1000, 1000, 10], ["relu", "relu", "softmax"], "float32")
    for j in range(3):
        nets.initialize(net, j, "he_uniform", 7)
    x = np.zeros((100_000, 100), "f4")
    y = np.tile(np.eye(10, dtype="f4"), (10_000, 1))
    return net, lambda progress: nets.train(net, x, y, None, "cce", 32, True, 1, 0, 1, SGD, [], progress)


# ---- views --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_are_views_of_one_aligned_buffer(dtype: str) -> None:
    net = small_net(dtype)
    assert net.params.shape == net.grads.shape == (4 * 4 + 5 * 2,)
    assert net.params.dtype == net.grads.dtype == dtype
    assert net.params.ctypes.data % 64 == net.grads.ctypes.data % 64 == 0
    begin = 0
    for j, (inputs, out) in enumerate([(3, 4), (4, 2)]):
        net.params[:] = rng.normal(size=net.params.size)
        w, b, grad_w, grad_b = nets.weights(net, j)
        assert (w.shape, b.shape, grad_w.shape, grad_b.shape) == ((out, inputs), (out,), (out, inputs), (out,))
        assert (w.T.ravel() == net.params[begin : begin + w.size]).all()
        assert (b == net.params[begin + w.size : begin + w.size + out]).all()
        grad_w[...] = 1
        assert (net.grads[begin : begin + w.size] == 1).all()
        begin += w.size + out


def test_what_a_view_writes_the_network_sees() -> None:
    net = small_net()
    nets.weights(net, 1)[0][...] = 0
    nets.weights(net, 1)[1][...] = [0, 1000]
    assert (net.forward(X) == [0, 1]).all()


def test_activity_is_what_the_kernels_compute() -> None:
    net = small_net()
    a = net.forward(X)
    loss = net.backward(Y, "cce")
    x = X
    for j, sigma in enumerate(["tanh", "softmax"]):
        w, b = nets.weights(net, j)[:2]
        z = kernels.dense_forward(x, w, b)
        own_x, own_z, own_a, _ = nets.activity(net, j)
        assert (own_x == x).all()
        assert (own_z == z).all()
        x = kernels.activation_forward(sigma, z)
        assert (own_a == x).all()
    assert (a == x).all()
    assert loss == kernels.output_loss("cce", "softmax", z, Y)
    phi = kernels.output_phi("cce", "softmax", z, Y)
    assert (nets.activity(net, 1)[3] == phi).all()
    grad_x, grad_w, grad_b = kernels.dense_backward(phi, nets.activity(net, 1)[0], nets.weights(net, 1)[0])
    assert (nets.weights(net, 1)[2] == grad_w).all()
    assert (nets.weights(net, 1)[3] == grad_b).all()
    assert (nets.activity(net, 0)[3] == kernels.activation_backward("tanh", nets.activity(net, 0)[1], grad_x)).all()


def test_views_outlive_the_network_and_larger_batches() -> None:
    net = small_net()
    net.forward(X[:2])
    params, a = net.params, net.value(4)
    kept = params.copy(), a.copy()
    for n in (100, 1000):
        net.forward(np.ones((n, 3)))
    assert (a == kept[1]).all()
    del net
    gc.collect()
    assert (params == kept[0]).all()
    for view in (params, a):
        with pytest.raises(ValueError, match="own"):
            view.resize(1000, refcheck=False)


def test_predict_leaves_activity_alone() -> None:
    net = small_net()
    a = net.forward(X[:2])
    before = a.copy()
    assert net.predict(X).tobytes() == small_net().forward(X).tobytes()
    assert (a == before).all()
    assert nets.activity(net, 0)[0].shape == (2, 3)
    assert net.predict(X[:0]).shape == (0, 2)


# ---- results ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", "cce"])
def test_the_loss_of_many_rows_is_that_of_one_batch(loss: str) -> None:
    net = small_net()
    x, weight = rng.normal(size=(1000, 3)), rng.uniform(size=1000)
    y = np.eye(2)[rng.integers(0, 2, 1000)]
    value, accuracy = nets.loss(net, x, y, loss, weight)
    a = net.forward(x)
    assert value == net.backward(y, loss, weight)
    right = np.average(a.argmax(1) == y.argmax(1), weights=weight)
    assert math.isnan(accuracy) if loss == "mse" else math.isclose(accuracy, right, rel_tol=1e-6)


def large_net() -> _core.Net:
    """A network whose layers take their steps one after the other, each within its product."""
    net = nets.dense_net([3, 300, 200, 2], ["relu", "tanh", "softmax"], "float32")
    for j in range(3):
        nets.initialize(net, j, "he_uniform", 7)
    return net


def shown(net: _core.Net, depth: int) -> list[bytes]:
    """Return all that a network shows of its last batch."""
    return [part.tobytes() for j in range(depth) for part in (*nets.activity(net, j), *nets.weights(net, j))]


@pytest.mark.parametrize(("new_net", "depth"), [(small_net, 2), (large_net, 3)])
@pytest.mark.parametrize("weight", [None, rng.uniform(0.5, 1, 11)])
def test_an_epoch_is_its_batches(new_net: Callable[[], _core.Net], depth: int, weight: np.ndarray | None) -> None:
    """Forward, backward and step by hand over the same rows leave the same bits, in what the last batch shows too."""
    net, by_hand = new_net(), new_net()
    adam = [
        nets.adam(0.1, 0.9, 0.99, 1e-7, *(_core.aligned_zeros(net.params.size, "float32") for _ in "mv"), t)
        for t in np.zeros((2, 1), "i8")
    ]
    batches = nets.train(net, X, Y, weight, "cce", 4, False, 0, 0, 1, adam[0], [], None)
    for begin in range(0, 11, 4):
        rows = slice(begin, begin + 4)
        by_hand.forward(X[rows])
        by_hand.backward(Y[rows], "cce", None if weight is None else weight[rows])
        by_hand.step(adam[1])
    assert batches == 3
    assert adam[0].t == adam[1].t == 3
    assert net.params.tobytes() == by_hand.params.tobytes()
    assert (nets.activity(net, 0)[0] == X[8:]).all()
    assert shown(net, depth) == shown(by_hand, depth)


def test_the_order_of_rows_follows_from_seed_and_epoch() -> None:
    def after(seed: int, epoch: int, shuffle: bool = True) -> bytes:
        net = small_net()
        nets.train(net, X, Y, None, "cce", 4, shuffle, seed, epoch, 1, SGD, [], None)
        return net.params.tobytes()

    assert after(2**64 - 1, 2) == after(2**64 - 1, 2)
    assert len({after(1, 0), after(1, 1), after(2, 0), after(1, 0, shuffle=False)}) == 4


def test_what_must_come_first() -> None:
    net = small_net()
    for call in (lambda: nets.activity(net, 0), lambda: net.backward(Y, "cce"), lambda: net.step(SGD)):
        with pytest.raises(RuntimeError, match="there was no"):
            call()


def test_no_samples() -> None:
    net = small_net()
    assert net.forward(X[:0]).shape == (0, 2)
    for call in (
        lambda: net.backward(Y[:0], "cce"),
        lambda: nets.loss(net, X[:0], Y[:0], "cce"),
        lambda: nets.train(net, X[:0], Y[:0], None, "cce", 4, True, 0, 0, 1, SGD, [], None),
    ):
        with pytest.raises(ValueError, match="sample"):
            call()


# ---- one at a time, and how to stop -------------------------------------------------------------------------------


class StopHereError(Exception):
    """What a progress function raises here."""


@pytest.mark.clock
def test_progress_is_called_about_every_50_ms_and_may_stop_the_epoch() -> None:
    net, epoch = busy_net()
    times, counts = [time.monotonic()], []

    def progress(batches: int) -> None:
        times.append(time.monotonic())
        counts.append(batches)
        if len(counts) == 4:
            raise StopHereError

    with pytest.raises(StopHereError):
        epoch(progress)
    assert counts == sorted(set(counts))
    assert all(0.04 < gap < 1 for gap in np.diff(times))
    assert np.isfinite(net.params).all()
    net.forward(np.zeros((1, 100)))


def test_a_net_that_is_stopped_shows_its_last_batch() -> None:
    net, by_hand = large_net(), large_net()
    x = rng.normal(size=(64, 3)).astype("f4")
    y = np.eye(2, dtype="f4")[rng.integers(0, 2, 64)]
    scores: list[tuple[float, float]] = []
    counts = []

    def progress(batches: int) -> None:
        counts.append(batches)
        raise StopHereError

    with pytest.raises(StopHereError):
        nets.train(net, x, y, None, "cce", 64, False, 0, 0, 10**6, SGD, scores, progress)
    batches = counts[0] + 1
    assert len(scores) == batches
    for _ in range(batches):
        by_hand.forward(x)
        by_hand.backward(y, "cce")
        by_hand.step(SGD)
    assert shown(net, 3) == shown(by_hand, 3)


# A call ends behind 256 rows at most, for which the reference takes over a second here: its fma is a function.
AT_ONCE = 5 if cpu.info()["current"] == "reference" else 1


def seconds_until_interrupted(call: Callable[[], Any]) -> float:
    """Press Ctrl-C during `call`, and return how long it took to end."""
    pressed = []

    def press() -> None:
        pressed.append(time.monotonic())
        _thread.interrupt_main()

    timer = threading.Timer(0.2, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        call()
    timer.join()
    return time.monotonic() - pressed[0]


@pytest.mark.clock
def test_ctrl_c_ends_an_epoch_after_a_whole_batch() -> None:
    net, epoch = busy_net()
    assert seconds_until_interrupted(lambda: epoch(None)) < AT_ONCE
    assert np.isfinite(net.params).all()
    net.forward(np.zeros((1, 100)))


@pytest.mark.parametrize("call", ["predict", "loss"])
@pytest.mark.clock
def test_ctrl_c_ends_what_reads_a_network(call: str) -> None:
    net, _ = busy_net()
    x, y = np.zeros((200_000, 100), "f4"), np.zeros((200_000, 10), "f4")
    seconds = seconds_until_interrupted(lambda: net.predict(x) if call == "predict" else nets.loss(net, x, y, "cce"))
    assert seconds < AT_ONCE
    net.forward(x[:1])


def test_only_one_call_at_a_time_changes_a_network() -> None:
    net, epoch = busy_net()
    x, y = np.zeros((2, 100)), np.ones((2, 10))
    others = [
        lambda: net.forward(x),
        lambda: net.backward(y, "cce"),
        lambda: net.predict(x),
        lambda: nets.loss(net, x, y, "cce"),
        lambda: nets.activity(net, 0),
        lambda: net.step(SGD),
        lambda: nets.initialize(net, 0, "zeros", 1),
        lambda: epoch(None),
    ]
    seen = []

    def progress(_batches: int) -> None:
        for call in others:
            with pytest.raises(RuntimeError, match="busy"):
                call()
        thread.start()
        thread.join()
        raise StopHereError

    def from_another_thread() -> None:
        for call in others:
            try:
                call()
            except RuntimeError:
                seen.append(call)

    thread = threading.Thread(target=from_another_thread)
    with pytest.raises(StopHereError):
        epoch(progress)
    assert seen == others
    assert net.predict(x).shape == (2, 10)


def test_several_threads_may_predict() -> None:
    net = small_net()
    expected = net.predict(X).tobytes()
    results: list[bytes] = []

    def run() -> None:
        results.extend(net.predict(X).tobytes() for _ in range(200))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 800
