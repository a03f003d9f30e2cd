"""Data to try functions on are such that no two formulas agree by chance."""

import numpy as np
import pytest

from mlpcore.exercises import draws


@pytest.mark.parametrize("seed", range(20))
def test_draws(seed):
    rng = np.random.default_rng(seed)
    widths = draws.sizes(rng, 4, least=3)
    assert len(set(widths)) == 4
    assert min(widths) >= 3
    numbers = draws.signed(rng, 3, 5)
    assert numbers.shape == (3, 5)
    assert (numbers > 0).sum() == 8
    assert 0.2 <= np.abs(numbers).min() <= np.abs(numbers).max() <= 2.0
    assert (draws.one_hot(rng, 4, 3).sum(axis=1) == 1).all()
    answers = draws.yes_or_no(rng, 1, 3)
    assert sorted(answers.ravel()) == [0, 0, 1]
    inside = draws.probabilities(rng, 3, 2)
    assert 0.1 <= inside.min() <= inside.max() <= 0.9
