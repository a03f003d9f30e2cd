"""Random numbers by counter: Philox's published answers, initial weights and shuffles."""

import nets
import numpy as np
import pytest

from mlpcore._core import philox


@pytest.mark.parametrize(
    ("key", "counter", "answer"),
    [
        ([0] * 2, [0] * 4, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 2, [0xFFFFFFFF] * 4, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0xA4093822, 0x299F31D0],
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_answers_that_its_authors_published(
    key: list[int], counter: list[int], answer: list[int]
) -> None:
    assert list(philox(*key, *counter)) == answer


def initial_weights(name: str, seed: int, dtype: str = "float64", j: int = 0) -> np.ndarray:
    net = nets.dense_net([200, 100, 100], ["relu", "linear"], dtype)
    nets.initialize(net, j, name, seed)
    return nets.weights(net, j)[0].copy()


@pytest.mark.parametrize(("name", "limit"), [("glorot_uniform", (6 / 300) ** 0.5), ("he_uniform", (6 / 200) ** 0.5)])
def test_initial_weights_are_uniform_within_their_limit(name: str, limit: float) -> None:
    w = np.sort(initial_weights(name, 5).ravel()) / limit
    uniform = (2 * np.arange(w.size) + 1) / w.size - 1
    assert np.abs(w).max() < 1
    assert np.abs(w - uniform).max() < 2 * 1.63 / np.sqrt(w.size)  # Kolmogorov and Smirnov, 1 in 100


def test_initial_weights_follow_from_seed_and_layer_alone() -> None:
    w = initial_weights("glorot_uniform", 5)
    assert np.array_equal(w, initial_weights("glorot_uniform", 5))
    assert not np.isin(w, initial_weights("glorot_uniform", 6)).any()
    assert not np.isin(w, initial_weights("glorot_uniform", 5 + 2**32)).any()
    first_of_second_layer = initial_weights("glorot_uniform", 5, j=1) / (6 / 200) ** 0.5
    assert not np.isin(w / (6 / 300) ** 0.5, first_of_second_layer).any()


def test_a_float_net_begins_with_the_rounded_weights_of_a_double_net() -> None:
    assert np.array_equal(
        initial_weights("he_uniform", 9, "float32"), initial_weights("he_uniform", 9, "float64").astype(np.float32)
    )


def order_of(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch takes n rows, as its one batch lies in the net's memory afterwards."""
    net = nets.dense_net([1, 1], ["linear"], "float64")
    rows = np.arange(n, dtype=float)[:, None]
    nets.train(net, rows, rows, None, "mse", n, True, seed, epoch, 1, nets.sgd(0.0, 0.0, False), [], None)
    return nets.activity(net, 0)[0][:, 0].astype(int)


def test_a_shuffle_is_a_permutation_that_follows_from_seed_and_epoch() -> None:
    orders = [order_of(1000, seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    for order in orders:
        assert np.array_equal(np.sort(order), np.arange(1000))
        assert np.array_equal(order, order_of(1000, 1, 0)) == (order is orders[0])
    fixed_points = [np.sum(a == b) for a in orders for b in orders if a is not b]
    assert max(fixed_points) < 10  # one is expected


def test_every_permutation_of_three_comes_equally_often() -> None:
    seen = [tuple(order_of(3, seed, 0)) for seed in range(6000)]
    counts = [seen.count(permutation) for permutation in set(seen)]
    assert len(counts) == 6
    assert max(abs(count - 1000) for count in counts) < 5 * np.sqrt(1000)
