"""Arguments that run Python code while they are converted: no array that they change under way is read or written."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from entries import ENTRIES, IN, OUT, B, Entry, W, X, Z, fresh_arrays, net_like

from mlpcore import kernels


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
