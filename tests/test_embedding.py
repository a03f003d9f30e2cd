"""Embedding: rows of tables in place of columns, their gradients, and what is refused before anything changes."""

import copy
import pickle
import re

import numpy as np
import pytest
from everywhere import bits_everywhere, train_batches

from mlpcore import (
    LBFGS,
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    GaussianNoise,
    Normal,
    Residual,
    Sequential,
    _core,
)
from mlpcore.engine import Step
from mlpcore.gradcheck import check_model

RNG = np.random.default_rng(3)
COLUMNS = {1: (5, 3), 4: (7, 9), 2: (2, 1)}  # not in order, and narrower and wider than vectors
N = 23
X = RNG.normal(size=(N, 6))
X[:, 1], X[:, 2], X[:, 4] = RNG.integers(0, 4, N), RNG.integers(0, 2, N), RNG.integers(0, 7, N)
Y = RNG.integers(0, 3, N)

both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])


def network(dtype="float64", columns=COLUMNS, **options):
    branch = Residual([Dense(8, "tanh"), Dropout(0.2), Dense(16)])
    layers = [Embedding(columns, **options), Dense(16, "relu"), branch, BatchNorm()]
    return Sequential([*layers, Dense(3, "softmax")], input_size=6, dtype=dtype, seed=4)


def everything(model):
    return model._built().params.tobytes(), model._built().state.tobytes(), model.epochs_trained


def embedded(x, tables):
    """y, by NumPy."""
    parts = [tables[c][x[:, c].astype(int)] if c in tables else x[:, [c]] for c in range(x.shape[1])]
    return np.concatenate(parts, axis=1)


# --------------------------------------------------------------------------------------------------------- what it does


@both_types
@pytest.mark.parametrize(
    "columns", [COLUMNS, {0: (5, 2)}, {5: (3, 4)}, {c: (4, c + 1) for c in range(6)}, {3: (1, 2)}, {2: (6, 1)}]
)
def test_it_is_its_equation(columns, dtype):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(N, 6)).astype(dtype)
    for column, (categories, _) in columns.items():
        x[:, column] = rng.integers(0, categories, N)
    model = Sequential([Embedding(columns), Dense(2)], input_size=6, dtype=dtype, seed=1)
    layer, above = model.layers
    tables = {column: table.copy() for column, table in layer.tables.items()}
    assert {column: table.shape for column, table in tables.items()} == columns
    model.forward(x)
    np.testing.assert_array_equal(layer.a, embedded(x, tables))
    np.testing.assert_array_equal(model.predict(x), model.forward(x))
    model.backward(np.ones((N, 2)), "mse")
    grad_y, k = above.phi @ above.w, 0
    for column in range(6):
        width = columns[column][1] if column in columns else 1
        if column in columns:
            expected = np.zeros(columns[column])
            np.add.at(expected, x[:, column].astype(int), grad_y[:, k : k + width])
            tolerance = 1e-5 if dtype == "float32" else 1e-13
            np.testing.assert_allclose(layer.grad_tables[column], expected, rtol=tolerance, atol=tolerance)
        k += width
    assert k == layer.a.shape[1]


def test_it_can_be_the_only_layer_and_below_any_other():
    for above in ([], [Dropout(0.5)], [GaussianNoise(0.1), Dense(2)], [BatchNorm()], [Residual([Dense(7)])]):
        model = Sequential([Embedding({0: (3, 4)}), *above], input_size=4, dtype="float64", seed=2)
        x = np.array([[2, 0.5, -1, 3], [0, 1, 2, 3.5]])
        y_hat = model.forward(x, training=True)
        report = check_model(model, x, np.ones_like(y_hat), "mse", training=True, progress=False)
        assert report.ok, report


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("rows", [1, N])
def test_gradients_agree_with_differences(training, rows):
    weight = RNG.uniform(0.1, 2, rows)
    report = check_model(network(), X[:rows], Y[:rows], "cce", sample_weight=weight, training=training, progress=False)
    assert report.ok, report
    assert {name for name in report.arrays if "tables" in name} == {f"layers[0].tables[{c}]" for c in COLUMNS}


def test_a_row_that_no_sample_has_stays_under_sgd_and_goes_on_under_adam():
    x = np.where(np.arange(12)[:, None] < 6, 0, 1) * np.ones((12, 1))
    for optimizer, moves in ((SGD(0.1), False), (Adam(0.1), True)):
        model = Sequential([Embedding({0: (3, 2)}), Dense(1)], input_size=1, seed=1)
        before = model.layers[0].tables[0].copy()
        model.fit(x, np.arange(12), "mse", optimizer=optimizer, batch_size=6, shuffle=False, progress=False)
        after = model.layers[0].tables[0]
        assert (before[:2] != after[:2]).all()
        assert (before[2] == after[2]).all()
        once = after.copy()
        model.fit(x[6:], np.arange(6), "mse", optimizer=optimizer, batch_size=6, progress=False)
        assert (model.layers[0].tables[0][0] != once[0]).all() == moves


@both_types
def test_the_same_bits_whoever_trains_and_on_every_instruction_set(dtype):
    def trained():
        model, steps = network(dtype), network(dtype)
        model.fit(X, Y, "cce", optimizer=Adam(0.01), batch_size=8, shuffle=False, progress=False)
        train_batches(steps, X, Y, "cce", Adam(0.01), 3)
        assert everything(steps)[:2] == everything(model)[:2]
        return model

    assert len(bits_everywhere(trained)) == 1


def test_one_sample_a_batch_and_large_tables_take_their_step_with_the_gradient():
    columns = {1: (400, 50), 3: (2, 3)}  # more than fusion.c's FEW_PARAMETERS
    x = np.random.default_rng(2).integers(0, 2, (9, 5)) * [1, 199, 1, 1, 1]
    for batch_size in (1, 4):
        models = [Sequential([Embedding(columns), Dense(1)], input_size=5, dtype="float64", seed=3) for _ in range(2)]
        models[0].fit(x, x[:, 0], "mse", optimizer=Adam(), batch_size=batch_size, shuffle=False, progress=False)
        train_batches(models[1], x, x[:, 0], "mse", Adam(), -(-9 // batch_size), size=batch_size)
        assert everything(models[0])[0] == everything(models[1])[0]


def test_frozen_tables_stay_and_the_rate_is_multiplied():
    frozen, slow = (
        Sequential([Embedding({0: (3, 2)}, **options), Dense(1)], input_size=1, dtype="float64", seed=1)
        for options in ({"trainable": False}, {"learning_rate_factor": 0.5})
    )
    for model in (frozen, slow):
        before = model.layers[0].tables[0].copy()
        model.forward([[0], [2]])
        model.backward([1, 2], "mse")
        grad = model.layers[0].grad_tables[0].copy()
        model.update(SGD(0.1))
        rate = 0 if model is frozen else 0.05
        np.testing.assert_allclose(model.layers[0].tables[0], before - rate * grad, rtol=1e-14)


def test_it_learns_what_categories_mean():
    x = np.random.default_rng(0).integers(0, 10, (200, 1))
    y = np.sin(7.0 * x[:, 0])
    model = Sequential([Embedding({0: (10, 2)}), Dense(1)], seed=1)
    history = model.fit(x, y, "mse", optimizer=Adam(0.05), epochs=60, progress=False)
    assert history["loss"][-1] < 1e-3
    assert (
        Sequential([Embedding({0: (10, 2)}), Dense(1)], seed=1).fit(
            x, y, "mse", optimizer=LBFGS(), epochs=30, progress=False
        )["loss"][-1]
        < 1e-3
    )


# -------------------------------------------------------------------------------------------------- keeping and showing


def test_files_pickles_and_copies_keep_it(tmp_path):
    model = network("float32", initializer=Normal(stddev=1.0), learning_rate_factor=2.0)
    model.fit(X, Y, "cce", optimizer="sgd", progress=False)
    model.save(tmp_path / "model.safetensors")
    loaded = Sequential.load(tmp_path / "model.safetensors")
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model)), loaded):
        assert other.layers[0].columns == dict(sorted(COLUMNS.items()))
        assert other.layers[0].initializer == Normal(stddev=1.0)
        assert repr(other.layers[0]) == repr(model.layers[0])
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        assert everything(other) == everything(model)


def test_the_summary_counts_the_tables():
    assert re.search(r"1 Embedding +80\n", Sequential([Embedding(COLUMNS)], input_size=6).summary())


def test_initializers_draw_each_table():
    tables = network("float64").layers[0].tables
    assert all(np.abs(table).max() < 0.05 for table in tables.values())
    assert len({float(number) for table in tables.values() for number in table.flat}) == 80
    orthogonal = network("float64", initializer="orthogonal").layers[0].tables[4]
    np.testing.assert_allclose(orthogonal @ orthogonal.T, np.eye(7), atol=1e-12)


# ------------------------------------------------------------------------------------------------------------- refusals

BAD = [5, -1, 1.5, np.nan, np.inf, -np.inf, 1e30, 2**24]


@both_types
@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_category_is_refused_before_anything_changes(bad, dtype):
    x = X.copy()
    x[7, 1] = bad
    model = network(dtype)
    history = model.fit(X, Y, "cce", progress=False)
    before = everything(model)
    text = r"has (inf|-inf|nan|[-\d.e+]+), row 7, column 1: expected "
    data = {"progress": False, "validation_data": (x, Y)}
    calls = {
        "x": [lambda: model.forward(x), lambda: check_model(model, x, Y, "cce", progress=False)],
        "X": [
            lambda: model.predict(x),
            lambda: model.evaluate(x, Y, "cce"),
            lambda: model.fit(x, Y, "cce", progress=False),
            lambda: model.partial_fit(x, Y, "cce", optimizer=Adam()),
        ],
        "X of validation_data": [lambda: model.fit(X, Y, "cce", **data)],
    }
    for name, those in calls.items():
        for call in those:
            with pytest.raises(ValueError, match=f"^{name} {text}"):
                call()
    assert everything(model) == before
    assert model.history is history
    new = Sequential([Embedding(COLUMNS), Dense(3)])
    for call in (new.forward, new.predict):
        with pytest.raises(ValueError, match=text):
            call(x)
    assert new.input_size is None


def test_the_engine_itself_refuses_what_is_no_category():
    net = _core.Net(2, [Step("embedding", shapes=((3, 2),), columns=(1,))], "float64")
    x = np.array([[0.5, 1.0], [7.0, 3.0]])
    for call in (net.forward, net.predict, lambda x: net.loss(x, np.zeros((2, 3)), "mse", None)):
        with pytest.raises(ValueError, match=r"x has 3\.0, row 1, column 1, expected a category, .* from 0 to 2"):
            call(x)


def test_a_shown_x_that_is_overwritten_with_anything_reaches_no_other_memory():
    model = Sequential([Embedding({1: (3, 2)}), Dense(1)], input_size=2, dtype="float64", seed=1)
    for bad in BAD:
        model.forward([[0.5, 1.0], [7.0, 2.0]])
        model.layers[0].x[:, 1] = bad
        model.backward([1, 1], "mse")
        nearest = 2 if bad > 2 else int(bad) if bad > 0 else 0
        assert model.layers[0].grad_tables[1].any(axis=1).tolist() == [k == nearest for k in range(3)]


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        ({}, ValueError, "columns is empty"),
        ([3], TypeError, "expected a dict"),
        ({-1: (3, 2)}, ValueError, "columns: a column is -1"),
        ({1.5: (3, 2)}, TypeError, "columns: a column is 1.5"),
        ({True: (3, 2)}, TypeError, "columns: a column is True"),
        ({"a": (3, 2)}, TypeError, "columns: a column is 'a'"),
        ({1: 3}, TypeError, r"columns\[1\] is 3, expected \(categories, numbers\)"),
        ({1: (3,)}, TypeError, r"columns\[1\] is \(3,\)"),
        ({1: (0, 2)}, ValueError, r"columns\[1\]: the number of categories is 0"),
        ({1: (3, 0)}, ValueError, r"columns\[1\]: the numbers for each is 0"),
        ({1: (3.0, 2)}, TypeError, r"columns\[1\]: the number of categories is 3.0"),
        ({1: (2**60, 2)}, ValueError, r"columns\[1\]: the number of categories is"),
    ],
)
def test_bad_columns_are_refused(columns, error, text):
    with pytest.raises(error, match=text):
        Embedding(columns)


def test_it_is_the_first_layer_and_has_its_columns():
    embedding = {0: (3, 2)}
    for layers in ([Dense(2), Embedding(embedding)], [Residual([Dense(2)]), Embedding(embedding)]):
        with pytest.raises(ValueError, match=r"layers\[1\], Embedding.*first layer of a model"):
            Sequential(layers)
    with pytest.raises(ValueError, match=r"layers\[0\], Embedding.*first layer of a model"):
        Residual([Embedding(embedding), Dense(2)])
    with pytest.raises(ValueError, match=r"layers\[0\] has a table for column 2, expected columns from 0 to 1"):
        Sequential([Embedding({2: (3, 2)})], input_size=2)
    with pytest.raises(ValueError, match="has a table for column 6"):
        Sequential([Embedding({6: (3, 2)}), Dense(1)]).fit(X, Y, "mse", progress=False)
    with pytest.raises(ValueError, match="expected as the first step"):
        _core.Net(2, [Step("dense", units=2), Step("embedding", 1, shapes=((3, 2),), columns=(1,))], "float64")


def test_float32_counts_to_2_to_the_24():
    for dtype, most in (("float32", 2**24), ("float64", 2**53 - 1)):
        with pytest.raises((ValueError, MemoryError), match="categories for column 1|no memory"):
            _core.Net(2, [Step("embedding", shapes=((most + 1, 2),), columns=(1,))], dtype)
    with pytest.raises(ValueError, match=r"at most 16777216, up to which float32 counts: give dtype='float64'"):
        Sequential([Embedding({1: (2**24 + 1, 1)})], input_size=2)
    model = Sequential([Embedding({1: (2**24, 1)})], input_size=2, seed=1)
    for code in (2**24, 2**24 + 1):
        with pytest.raises(ValueError, match="column 1"):
            model.predict(np.array([[0, code]]))
    assert model.predict(np.array([[0, 2**24 - 1]]))[0, 1] == model.layers[0].tables[1][-1, 0]


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step("embedding", shapes=((3, 2),), columns=()), TypeError),
        (Step("embedding", shapes=(), columns=()), TypeError),
        (Step("embedding", shapes=((3, 2), (3, 2)), columns=(1, 1)), ValueError),
        (Step("embedding", shapes=((3, 2), (3, 2)), columns=(1, 0)), ValueError),
        (Step("embedding", shapes=((3, 2),), columns=(2,)), ValueError),
        (Step("embedding", shapes=((3, 2),), columns=(-1,)), ValueError),
        (Step("embedding", shapes=((3, 2),), columns=("a",)), TypeError),
        (Step("embedding", shapes=((0, 2),), columns=(1,)), ValueError),
        (Step("embedding", shapes=((2, 2**62), (2, 2**62)), columns=(0, 1)), ValueError),
    ],
)
def test_bad_steps_are_refused(step, error):
    with pytest.raises(error):
        _core.Net(2, [step], "float64")


@pytest.mark.parametrize("columns", [[[1, 5]], [[1, 5, 3], [1, 5, 3]], [1], "a", [["1", 5, 3]], [[1, 5, 3.5]], {}, []])
def test_a_file_with_other_columns_is_refused(columns):
    from mlpcore.saving import _layer

    with pytest.raises((ValueError, TypeError)):
        _layer("layers[0]", {"kind": "embedding", "columns": columns})
