"""The layers of a trace with their neighbours, and what they are called."""

import mlpcore
from mlpcore.trace.chain import chain


def test_labels_paths_and_neighbours():
    branch = mlpcore.Residual([mlpcore.Dense(4, "relu"), mlpcore.Residual([mlpcore.Dense(4)]), mlpcore.Dense(3)])
    model = mlpcore.Sequential([mlpcore.Dense(3), branch, mlpcore.Dense(1)], input_size=2, seed=1)
    t = model.trace([1, 2], 1, "mse")
    first, second, third = chain(t.layers)
    assert [link.label for link in (first, second, third)] == [1, 2, 3]
    assert [link.below for link in (first, second, third)] == [0, 1, 2]
    assert first.above is second
    assert second.above is third
    assert third.above is None
    inner = second.branch
    assert [(link.label, link.below) for link in inner] == [("2.1", 1), ("2.2", "2.1"), ("2.3", "2.2")]
    assert inner[1].branch[0].label == "2.2.1"
    assert inner[1].branch[0].below == "2.1"
    assert inner[-1].above is None
    for link in (first, second, third, *inner, *inner[1].branch):
        assert eval(link.path, {"t": t}) is link.layer
