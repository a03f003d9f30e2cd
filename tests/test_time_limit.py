"""TimeLimit ends a fit in time, and leaves one that is quicker alone."""

import time

import pytest

from mlpcore import Dense, Sequential, TimeLimit

X, Y = [[0.0], [1.0]], [[1.0], [2.0]]


@pytest.mark.parametrize("others", [[], [lambda *_: None]], ids=["in C", "with Python between epochs"])
def test_it_ends_a_fit(others):
    limit = TimeLimit(0.2)
    began = time.perf_counter()
    history = Sequential([Dense(1)], seed=1).fit(X, Y, "mse", epochs=10**9, callbacks=[limit, *others], progress=False)
    assert 0.2 <= time.perf_counter() - began < 10
    assert limit.reached
    assert history["loss"]


def test_a_quicker_fit_is_left_alone():
    limit, model = TimeLimit(3600), Sequential([Dense(1)], seed=1)
    assert len(model.fit(X, Y, "mse", epochs=3, callbacks=[limit], progress=False)["loss"]) == 3
    assert not limit.reached
    assert limit._timer is None


@pytest.mark.parametrize(
    ("seconds", "error"), [(0, ValueError), (-1.0, ValueError), ("1", TypeError), (1e300, ValueError)]
)
def test_wrong_numbers_are_refused(seconds, error):
    with pytest.raises(error, match="seconds is"):
        TimeLimit(seconds)
