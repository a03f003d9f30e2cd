"""Arrays that share memory: a call takes them where the result is that of copies, and refuses all others."""

from collections.abc import Callable
from typing import Any

import nets
import numpy as np
import pytest
from entries import (
    DTYPES,
    ENTRIES,
    Arrays,
    Entry,
    P,
    bits,
    contents,
    fresh_arrays,
    net_after,
    on_fresh_copies,
    snapshot,
)

from mlpcore import kernels


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
