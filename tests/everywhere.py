"""Results on every instruction set and number of threads, and trainings batch by batch, for tests that compare bits."""

import mlpcore
from mlpcore import _core


def everywhere(result):
    """What `result()` returns on each set with 1 and 3 threads: a Python set."""
    isa, threads, seen = _core.current_isa(), mlpcore.get_num_threads(), set()
    try:
        for name in _core.isa_names():
            assert _core.use_isa(name)
            for count in (1, 3):
                mlpcore.set_num_threads(count)
                seen.add(result())
    finally:
        _core.use_isa(isa)
        mlpcore.set_num_threads(threads)
    return seen


def bits_everywhere(trained):
    """The parameters, as bytes, that the models of `trained()` have everywhere."""
    return everywhere(lambda: trained()._built().params.tobytes())


def train_batches(model, X, Y, loss, optimizer, batches, size=8):
    """Take one step by hand with each of the first batches, in order."""
    for begin in range(0, size * batches, size):
        model.forward(X[begin : begin + size], training=True)
        model.backward(Y[begin : begin + size], loss)
        model.update(optimizer)
