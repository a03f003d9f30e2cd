"""Common properties of the functions of mlpcore.kernels; other files test the arithmetic, test_arrays bad input."""

import inspect
import threading
from typing import Any

import numpy as np
import pytest

from mlpcore import kernels

FUNCTIONS = [getattr(kernels, name) for name in kernels.__all__]
rng = np.random.default_rng(0)


@pytest.mark.parametrize("function", FUNCTIONS, ids=kernels.__all__)
def test_every_function_documents_its_signature(function: Any) -> None:
    doc = inspect.getdoc(function)
    parameters = inspect.signature(function).parameters
    for name in parameters:
        assert f"\n{name} : " in doc or f"{name}, " in doc or f", {name} : " in doc, name
    assert "Raises\n------\n" in doc
    assert all(len(line) <= 120 for line in doc.splitlines())


@pytest.mark.parametrize("function", FUNCTIONS, ids=kernels.__all__)
def test_keywords_are_the_names_of_the_signature(function: Any) -> None:
    """All parameters by name get past the names, to the first one that is wrong."""
    arguments = dict.fromkeys(inspect.signature(function).parameters, object())
    with pytest.raises(TypeError) as raised:
        function(**arguments)
    assert "keyword" not in str(raised.value)


@pytest.mark.parametrize(
    ("dtypes", "result"),
    [
        (("f4", "f4", "f4"), "f4"),
        (("f4", "f8", "f4"), "f8"),
        (("f2", "i1", "?"), "f4"),
        (("u2", "i2", "u1"), "f4"),
        (("f4", "i4", "f4"), "f8"),
        (("f4", "f4", "u8"), "f8"),
    ],
)
def test_the_dtype_follows_from_all_arrays(dtypes: tuple[str, str, str], result: str) -> None:
    x, w, b = (np.ones(shape, dtype) for shape, dtype in zip(((5, 3), (4, 3), 4), dtypes, strict=True))
    assert kernels.dense_forward(x, w, b).dtype == result
    out = np.zeros((5, 4), "f4")
    assert kernels.dense_forward(x, w, b, out=out) is out
    assert (out == 4).all()


def test_w_in_either_memory_order() -> None:
    """(out, in) as Python shows it, (in, out) as a layer keeps it: the same bits; and grad_w comes in the latter."""
    x, w, b = (rng.normal(size=shape).astype("f4") for shape in ((5, 3), (4, 3), 4))
    as_kept = np.asfortranarray(w)
    z = kernels.dense_forward(x, w, b)
    assert z.tobytes() == kernels.dense_forward(x, as_kept, b).tobytes()
    np.testing.assert_allclose(z, x @ w.T + b, rtol=1e-5)
    _, grad_w, _ = kernels.dense_backward(z, x, as_kept)
    assert grad_w.shape == w.shape
    assert grad_w.T.flags.c_contiguous
    kernels.sgd_step(as_kept, grad_w, learning_rate=0.5)
    np.testing.assert_allclose(as_kept, w - 0.5 * z.T @ x, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 100])
def test_any_number_of_samples(n: int) -> None:
    x, w, b = rng.normal(size=(n, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)
    z = kernels.dense_forward(x, w, b)
    assert z.shape == (n, 4)
    assert kernels.activation_forward("softmax", z).shape == (n, 4)
    grad_x, grad_w, grad_b = kernels.dense_backward(z, x, w)
    assert (grad_x.shape, grad_w.shape, grad_b.shape) == ((n, 3), (4, 3), (4,))
    np.testing.assert_allclose(grad_w, z.T @ x, atol=1e-12)


def test_calls_on_several_threads_at_once() -> None:
    """The work is large enough for the lock of the interpreter to be released."""
    x, w, b = rng.normal(size=(200, 50)), rng.normal(size=(40, 50)), rng.normal(size=40)
    expected = kernels.dense_forward(x, w, b).tobytes()
    wrong = []

    def run() -> None:
        for _ in range(20):
            if kernels.dense_forward(x, w, b).tobytes() != expected:
                wrong.append(threading.current_thread())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
