"""The steps of a derivation: each equation holds with its own numbers, and one can go through them both ways."""

import derivations
import numpy as np
import pytest
import random_models

import mlpcore
from mlpcore.typeset import Numbers


def model_of():
    layers = [mlpcore.Dense(2, "sigmoid"), mlpcore.Dense(1, "sigmoid")]
    model = mlpcore.Sequential(layers, input_size=2, dtype="float64")
    layers[0].w, layers[1].w, layers[1].b = [[2, -1], [-1, 1]], [[1, -2]], [1]
    return model


@pytest.fixture
def steps():
    return model_of().steps([1, 2], 1, "bce", optimizer="sgd")


def layer_at(trace, j):
    numbers = [int(part) for part in str(j).split(".")]
    layer = trace[numbers[0]]
    for part in numbers[1:]:
        layer = layer.layers[part - 1]
    return layer


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("orientation", derivations.ORIENTATIONS)
@pytest.mark.parametrize("name", derivations.CASES)
def test_every_equation_holds_with_its_numbers(name, orientation, single):
    t = derivations.trace_of(name, single, optimizer=mlpcore.SGD(0.1), orientation=orientation)
    rows, evaluated = orientation == "rows", 0
    for step in t.steps:
        result = derivations.value(step.main.sides[-1], None, rows)
        for side in step.main.sides[1:-1]:
            worth = derivations.value(side, layer_at(t, step.j), rows)
            if worth is not None:
                evaluated += 1
                np.testing.assert_allclose(worth, result, rtol=1e-9, atol=1e-12, err_msg=str(step))
    assert evaluated >= 3


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("orientation", derivations.ORIENTATIONS)
@pytest.mark.parametrize("name", derivations.CASES)
def test_the_result_is_the_output_and_stands_in_the_trace(name, orientation, single):
    t = derivations.trace_of(name, single, orientation=orientation)
    for step in t.steps:
        last = step.main.sides[-1]
        assert isinstance(last, Numbers)
        output = step.output
        if step.equation in (1, 2) and layer_at(t, step.j).is_jacobian and not single:
            output = output[0]
        assert sorted(last.values.ravel().tolist()) == sorted(np.ravel(output).tolist())
        for where, array in [(step.output_name, step.output), *step.inputs.items()]:
            found = eval(where, {"t": t})
            assert found is array or np.array_equal(found, array), where


@pytest.mark.parametrize("name", derivations.CASES)
def test_all_equations_are_there(name):
    t = derivations.trace_of(name)
    steps = t.steps
    for layer in t:
        own = [step.equation for step in steps if step.j == layer.j]
        dense = layer.name == "Dense"
        assert ("z" in own) == dense
        assert "a" in own
        assert (3 in own) == dense
        if layer.z is not None and layer.phi is not None:
            assert (1 in own or "short" in own) if layer.j == len(t) else 2 in own
        assert own.count("update") == len(layer.params)
        if not dense:
            assert all(f"grad_{key}" in own for key in layer.params)
    assert [step.equation for step in steps].count("loss") == 1
    assert all(step.explain().endswith(".") for step in steps)


def test_the_order_is_forward_loss_backward_update(steps):
    assert [(step.equation, step.j) for step in steps] == [
        *[("z", 1), ("a", 1), ("z", 2), ("a", 2), ("loss", 2)],
        *[("grad_a", 2), (1, 2), ("short", 2), (3, 2), (4, 2), (2, 1), (3, 1), (4, 1)],
        *[("update", 1), ("update", 1), ("update", 2), ("update", 2)],
    ]


def test_next_and_back(steps):
    assert steps.current is steps[0]
    assert steps.next() is steps[1]
    assert steps.next() is steps[2]
    assert steps.back() is steps[1]
    assert steps.position == 1
    seen = [steps.current]
    for _ in range(len(steps) - 2):
        seen.append(steps.next())
    with pytest.raises(StopIteration, match="this is the last step"):
        steps.next()
    assert steps.current is steps[-1]
    back = [steps.current, *(steps.back() for _ in range(len(steps) - 2))]
    assert back == seen[::-1]
    steps.back()
    with pytest.raises(StopIteration, match="this is the first step"):
        steps.back()
    steps.position = -1
    assert steps.current is steps[-1]
    with pytest.raises(IndexError):
        steps.position = len(steps)


def test_as_an_iterator_and_as_a_sequence(steps):
    assert list(steps) == list(steps) == [steps[i] for i in range(len(steps))]
    taken = []
    while True:
        try:
            taken.append(next(steps))
        except StopIteration:
            break
    assert taken == list(steps)
    assert steps.back() is steps[-1]
    assert steps[2:4] == (steps[2], steps[3])


def test_a_step(steps):
    (step,) = steps.find(equation=2)
    assert step.symbols == "φ¹ = (w²)ᵀ φ² ∘ σ'(z¹)"
    assert list(step.inputs) == ["t[2].w", "t[2].phi", "t[1].dsigma"]
    assert step.output is steps.trace[1].phi
    assert step.direction == "backward"
    assert "feeds all units of the layer above" in step.explain()
    assert repr(step) == "<equation 2: phi of layer 1: φ¹ = (w²)ᵀ φ² ∘ σ'(z¹)>"
    assert repr(steps).startswith("<step 1 of 17, z of layer 1: z¹ = w¹ a⁰ + b¹>")


@pytest.mark.parametrize(
    ("notation", "orientation", "symbols"),
    [
        ("paper", "columns", ["z¹ = w¹ a⁰ + b¹", "φ¹ = (w²)ᵀ φ² ∘ σ'(z¹)", "∇w¹ L = φ¹ (a⁰)ᵀ", "∇b¹ L = φ¹"]),
        ("paper", "rows", ["Z¹ = X (W¹)ᵀ + b¹", "Φ¹ = Φ² W² ∘ σ'(Z¹)", "∇W¹ L = (Φ¹)ᵀ X", "∇b¹ L = Φ¹"]),
        ("delta", "columns", ["z¹ = w¹ a⁰ + b¹", "δ¹ = (w²)ᵀ δ² ⊙ σ'(z¹)", "∂C/∂w¹ = δ¹ (a⁰)ᵀ", "∂C/∂b¹ = δ¹"]),
        (
            "dz",
            "columns",
            ["z[1] = W[1] a[0] + b[1]", "dz[1] = (W[2])ᵀ dz[2] * g'(z[1])", "dW[1] = dz[1] (a[0])ᵀ", "db[1] = dz[1]"],
        ),
    ],
)
def test_symbols(notation, orientation, symbols):
    steps = model_of().steps([1, 2], 1, "bce", notation=notation, orientation=orientation)
    shown = [steps.find(equation, j=1)[0].symbols for equation in ("z", 2, 3, 4)]
    assert shown == symbols


def test_symbols_of_a_batch():
    steps = model_of().steps([[1, 2], [3, 4]], [1, 0], "bce", notation="dz", orientation="rows")
    assert [step.symbols for step in steps.find(j=1)][-3:] == [
        "dZ[1] = dZ[2] W[2] * g'(Z[1])",
        "dW[1] = (dZ[1])ᵀ X",
        "db[1] = (1)ᵀ dZ[1]",
    ]


def test_both_routes_to_a_minus_y():
    for layers, y, loss in (
        ([mlpcore.Dense(2, "sigmoid")], [[1, 0], [0, 1]], "bce"),
        ([mlpcore.Dense(3, "softmax")], [2, 0], "cce"),
    ):
        steps = mlpcore.Sequential(layers, input_size=2, seed=1).steps([[1, 2], [3, 4]], y, loss)
        factors, short = steps.find(equation=1)
        assert short.symbols == "φ¹ = 1/2 (a¹ - y)"
        np.testing.assert_allclose(factors.output, short.output, rtol=1e-5, atol=1e-7)
        assert short.output is steps.trace[1].phi


@pytest.mark.parametrize(
    ("loss", "sigma", "symbols"),
    [
        ("cce", "sigmoid", "φ¹ = -y (1 - a)"),
        (mlpcore.BinaryCrossentropy(0.1), "sigmoid", "φ¹ = a - y"),
        ("mse", "sigmoid", None),
    ],
)
def test_a_minus_y_is_nowhere_else(loss, sigma, symbols):
    steps = mlpcore.Sequential([mlpcore.Dense(2, sigma)], input_size=2, seed=1).steps([1, 2], [0.5, 0.25], loss)
    short = [step for step in steps if step.equation == "short"]
    assert [step.symbols for step in short] == ([] if symbols is None else [symbols])
    assert all(len(step.main.sides) == 3 for step in short)  # no numbers that would be others than a - y


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"equation": 5}, "equation is 5, expected one of those: 'z', 'a', 'loss', 'grad_a', 1, 'short', 3, 4, 2"),
        ({"equation": 2, "j": 2}, "equation is 2, expected one of those of layer 2: 'z', 'a', 'loss'"),
        ({"j": 3}, "j is 3, expected the number of a layer: 1, 2"),
    ],
)
def test_what_is_not_there(options, message):
    steps = model_of().steps([1, 2], 1, "bce")
    with pytest.raises(ValueError, match=message):
        steps.find(**options)
    with pytest.raises(ValueError, match=message):
        steps.trace.latex(**options)


@pytest.mark.parametrize("seed", range(0, 240, 12))
def test_random_models(seed):
    rows, training = seed % 24 == 0, seed % 36 == 0
    model, x, y, loss, weight = random_models.random_model(seed, training)
    orientation = "rows" if rows else "columns"
    t = model.trace(x, y, loss, training=training, sample_weight=weight, orientation=orientation)
    model.forward(x, training=training, sample_weight=weight)
    assert t.loss == model.backward(y, loss, sample_weight=weight)
    evaluated = 0
    for step in t.steps:
        result = derivations.value(step.main.sides[-1], None, rows)
        for side in step.main.sides[1:-1]:
            worth = derivations.value(side, layer_at(t, step.j), rows)
            if worth is not None:
                evaluated += 1
                np.testing.assert_allclose(worth, result, rtol=1e-6, atol=1e-8, err_msg=str(step))
    assert evaluated >= 3


def test_an_optimizer_written_in_python_and_penalties():
    class Halving(mlpcore.CustomOptimizer):
        def step(self, w, grad, state, t):
            w *= 0.5

    model = mlpcore.Sequential([mlpcore.Dense(1, l2=0.1)], input_size=2, dtype="float64", seed=1)
    step = model.steps([1, 2], 3, "mse", optimizer=Halving()).find("update")[0]
    np.testing.assert_allclose(step.output, model.layers[0].w / 2, rtol=1e-12)
    step = model.steps([1, 2], 3, "mse", optimizer=mlpcore.SGD(0.5)).find("update")[0]
    assert len(step.main.sides) == 2  # w - eta grad_w would not be what comes out
    assert "Penalties" in step.explain()


def test_gaussian_nll_shows_the_y_that_is_read():
    model = mlpcore.Sequential([mlpcore.Dense(4)], input_size=2, seed=1)
    assert model.trace([1, 2], [3, 4], "gaussian_nll").y.tolist() == [3, 4]


def test_words_are_those_of_the_notation():
    for notation, name in (("paper", "phi"), ("delta", "delta"), ("dz", "dz")):
        (step,) = model_of().steps([1, 2], 1, "bce", notation=notation).find(2)
        assert step.title == f"equation 2: {name} of layer 1"
        assert f"their {name} come back" in step.explain()
    (step,) = model_of().steps([[1, 2]], [1], "bce", notation="dz").find(2)
    assert step.title == "equation 2: dZ of layer 1"
    assert "g'(z) tells" in step.explain()
