"""What the engine asks of a part of an epoch, and refuses."""

import numpy as np
import pytest

import mlpcore
from mlpcore import _core
from mlpcore.engine import MetricsState, PartState, TrainSettings, sums_of_epoch

X, Y = np.zeros((4, 2), np.float32), np.zeros((4, 1), np.float32)


def train(part, **changes):
    model = mlpcore.Sequential([mlpcore.Dense(1)], input_size=2, seed=1)
    net, optimizer = model._built(), mlpcore.SGD(0.1)
    settings = TrainSettings(
        loss="mse",
        metric=None,
        optimizer=optimizer._claim(model, net.params),
        batch_size=2,
        shuffle=False,
        seed=1,
        epochs=1,
        mean_weight=1.0,
        cursor=np.zeros(2, np.int64),
        scores=np.empty((changes.get("epochs", 1), 2)),
        progress=None,
        part=part,
    )
    return settings.cursor, net.train(X, Y, None, settings._replace(**changes))


@pytest.mark.parametrize(("is_last", "cursor"), [(False, [0, 2]), (True, [1, 0])])
def test_an_epoch_ends_with_its_last_part(is_last, cursor):
    found, (batches, _) = train(PartState(0, is_last, sums_of_epoch(0, 1)))
    assert (found.tolist(), batches) == (cursor, 2)


R2 = MetricsState(("r2",), "numbers", 0.5, np.empty((1, 1)))


@pytest.mark.parametrize(
    ("part", "changes", "error", "message"),
    [
        ((0, True), {}, TypeError, "sums"),
        ((-1, True, np.zeros(5)), {}, ValueError, "block is -1"),
        ((2**32 - 1, True, np.zeros(5)), {}, ValueError, "block is 4294967295"),
        ((0, True, np.zeros(4)), {}, ValueError, "has 4 numbers, expected 5"),
        ((0, True, np.zeros(5, np.float32)), {}, TypeError, "sums"),
        ((0, True, np.zeros(5)), {"epochs": 2}, ValueError, "several epochs, expected an optimizer and one epoch"),
        ((0, True, np.zeros(50)), {"metrics": R2}, ValueError, "metrics that all samples together are needed for"),
    ],
)
def test_what_is_no_part_is_refused(part, changes, error, message):
    with pytest.raises(error, match=message):
        train(part, **changes)


def test_orders_are_permutations_of_their_own():
    orders = [_core.shuffled(1, epoch, 50, block).tolist() for epoch in (0, 1) for block in (0, 1, 2**32 - 1)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == len(orders)
    for wrong in ((1, -1, 5), (1, 0, -1), (-1, 0, 5), (1, 0, 5, 2**32)):
        with pytest.raises(ValueError, match="expected"):
            _core.shuffled(*wrong)


def test_finite_numbers_are_told_from_others():
    for dtype in (np.float32, np.float64):
        x = np.array([0.0, -1.0, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal], dtype)
        assert _core.all_finite(x)
        for value in (np.nan, np.inf, -np.inf):
            for place in range(4):
                other = x.copy()
                other[place] = value
                assert not _core.all_finite(other)
    assert _core.all_finite(np.empty(0))
    for wrong in (np.zeros(3, int), np.zeros((3, 4))[:, ::2], [1.0], np.zeros(3, ">f8")):
        with pytest.raises(TypeError, match="expects a contiguous array"):
            _core.all_finite(wrong)
