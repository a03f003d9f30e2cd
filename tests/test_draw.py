"""What a worksheet asks for: short numbers, and nothing pointless, for each seed the same."""

from itertools import chain

import pytest

from mlpcore.worksheets import draw
from mlpcore.worksheets.exact import UNITS, LogSum
from mlpcore.worksheets.sheet import OUTPUTS


def solved(sizes, hidden, loss, numbers, seed):
    return draw.solved_sheet(sizes, [hidden] * (len(sizes) - 2) + [OUTPUTS[loss]], loss, numbers, seed)


def flat(value):
    return chain.from_iterable(map(flat, value)) if isinstance(value, tuple | list) else [value]


CASES = [((2, 2, 1), hidden, loss, "integers") for hidden in UNITS for loss in ("mse", "bce")] + [
    ((2, 3, 2), hidden, "cce", "fractions") for hidden in UNITS
] + [((2, 1), "linear", "mse", "fractions"), ((2, 2, 2, 1), "relu", "mse", "integers")]  # fmt: skip


@pytest.mark.parametrize(("sizes", "hidden", "loss", "numbers"), CASES)
def test_numbers_are_short_and_no_task_is_pointless(sizes, hidden, loss, numbers):
    for seed in range(4):
        found = solved(sizes, hidden, loss, numbers, seed)
        assert found is not None, seed
        everything = flat([found.x, found.y, found.loss, *found.forward, *found.backward])
        weights = flat([layer[:2] for layer in (*found.layers, *found.after)])
        for number in chain(everything, weights):
            parts = [number.rational, number.argument] if isinstance(number, LogSum) else [number]
            assert all(abs(part.numerator) <= 999 and part.denominator <= 999 for part in parts)
        assert float(found.loss) > 0
        for layer, passed, back in zip(found.layers, found.forward, found.backward, strict=True):
            assert any(back.phi)
            assert any(passed.a)
            assert len(set(layer.w)) == len(layer.w)
            assert all(number != 0 for row in layer.w for number in row)
            if layer.activation != "softmax":
                assert not set(passed.z) & set(UNITS[layer.activation].kinks)
        if numbers == "integers":
            assert all(number.denominator == 1 for layer in found.layers for number in flat(layer.w))


def test_a_seed_gives_the_same_sheet_and_another_seed_another():
    first, again, other = (solved((2, 2, 1), "relu", "mse", "integers", seed) for seed in (5, 5, 6))
    assert first == again
    assert first.layers != other.layers


def test_seeds_mean_the_same_everywhere():
    found = solved((2, 2, 1), "relu", "mse", "integers", 7)
    assert [layer.w for layer in found.layers] == [((-2, -2), (-3, 3)), ((2, -1),)]
