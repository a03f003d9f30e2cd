"""The steps of an optimizer in a derivation."""

import pytest

import mlpcore

PLAIN = "new w¹ = w¹ - η ∇w¹ L"


def update_of(optimizer, **options):
    model = mlpcore.Sequential([mlpcore.Dense(1, **options)], input_size=2, dtype="float64", seed=1)
    return model.steps([1, 2], 3, "mse", optimizer=optimizer).find("update")


def test_plain_descent_has_its_numbers():
    w, b = update_of(mlpcore.SGD(0.25))
    assert w.symbols == PLAIN
    assert b.symbols == "new b¹ = b¹ - η ∇b¹ L"
    before, gradient = w.inputs.values()
    assert (w.output == before - 0.25 * gradient).all()


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (mlpcore.SGD(0.25, momentum=0.9), {}),
        (mlpcore.SGD(mlpcore.Exponential(0.25, 0.9)), {}),
        (mlpcore.SGD(0.25, clip_norm=1e-3), {}),
        (mlpcore.SGD(0.25), {"l2": 0.1}),
        (mlpcore.SGD(0.25), {"trainable": False}),
        (mlpcore.SGD(0.25), {"learning_rate_factor": 0.5}),
        (mlpcore.SGD(0.25), {"max_norm": 0.1}),
        (mlpcore.Adam(0.25), {}),
    ],
)
def test_any_other_step_has_before_gradient_and_after(optimizer, options):
    w = update_of(optimizer, **options)[0]
    assert w.symbols.startswith("new w¹ = [")
    assert [len(equation.sides) for equation in w.lines.equations[-3:]] == [2, 2, 2]


def test_the_formula_stands_at_the_first_step():
    steps = update_of("adam")
    assert "learning_rate" in str(steps[0])
    assert "learning_rate" not in str(steps[1])


def test_without_an_optimizer_there_is_none():
    with pytest.raises(ValueError, match="equation is 'update', expected one of"):
        update_of(None)
