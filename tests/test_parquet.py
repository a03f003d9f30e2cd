"""Files of Parquet: row group by row group, with the bits of arrays in the same order."""

import numpy as np
import pytest

import mlpcore
from mlpcore import Adam, BatchNorm, Dense, Dropout, Parquet, Sequential, _core

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

N, GROUP = 700, 150
NAMES = ["a", "b", "c"]
RNG = np.random.default_rng(9)
X = RNG.normal(size=(N, 3)).astype(np.float32)
Y = RNG.integers(0, 3, N)
WEIGHT = RNG.uniform(0.5, 2, N)
WEIGHT[::5] = 0
WEIGHT[150:300] = 0  # a whole row group
METRICS = ["precision_macro", "log_loss"]


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "x.parquet")
    return tmp_path / "x.parquet"


def write(path, **changes):
    columns = {name: X[:, i] for i, name in enumerate(NAMES)} | {"kind": Y, "weight": WEIGHT}
    parquet.write_table(arrow.table(columns | changes), path, row_group_size=GROUP)


def trained(x, y=None, **options):
    model = Sequential([Dense(8, "relu"), Dropout(0.3), BatchNorm(), Dense(3, "softmax")], seed=1)
    options = {"optimizer": Adam(mlpcore.Cosine(0.01)), "epochs": 3, "progress": False} | options
    history = model.fit(x, y, "cce", **options)
    return model, dict(history), model._built().params.copy()


def assert_same(one, other):
    assert one[1] == other[1]
    np.testing.assert_array_equal(one[2], other[2])


@pytest.mark.parametrize("batch_size", [32, 64, 200])
def test_a_file_trains_like_an_array_in_order(path, batch_size):
    options = {"shuffle": False, "batch_size": batch_size, "metrics": METRICS}
    file = Parquet(path, target="kind", features=NAMES)
    one = trained(file, validation_data=file, **options)
    expected = trained(X, Y, validation_data=(X, Y), **options)
    assert_same(one, expected)
    assert one[0].feature_names_in_ == NAMES


def test_weights_count_as_with_arrays(path):
    file = Parquet(path, target="kind", sample_weight="weight")
    one = trained(file, shuffle=False, metrics=METRICS)
    expected = trained(X, Y, sample_weight=WEIGHT, shuffle=False, metrics=METRICS)
    for name, values in expected[1].items():
        assert one[1][name] == pytest.approx(values, rel=1e-6)  # the mean of all weights is summed up in another order
    np.testing.assert_allclose(one[2], expected[2], rtol=1e-4, atol=1e-6)
    measured = one[0].evaluate(file, loss="cce")
    assert measured == pytest.approx(one[0].evaluate(X, Y, "cce", sample_weight=WEIGHT), rel=1e-12)


def test_a_shuffle_takes_row_groups_and_their_rows_in_a_new_order(path):
    model, adam = Sequential([Dense(3, "softmax")], seed=1), Adam(0.01)
    for epoch in range(2):
        order = []
        for group in _core.shuffled(1, epoch, 5, 2**32 - 1):
            begin = group * GROUP
            order += list(begin + _core.shuffled(1, epoch, min(GROUP, N - begin), int(group)))
        assert sorted(order) == list(range(N))
        model.fit(X[order], Y[order], "cce", optimizer=adam, shuffle=False, progress=False)
    other = Sequential([Dense(3, "softmax")], seed=1)
    other.fit(Parquet(path, "kind", features=NAMES), loss="cce", optimizer=Adam(0.01), epochs=2, progress=False)
    np.testing.assert_array_equal(model.layers[0].w, other.layers[0].w)


def test_columns_are_those_of_the_file_or_those_trained_on(path):
    file = Parquet(path, target="kind", sample_weight="weight")
    model, *_ = trained(file)
    assert model.feature_names_in_ == NAMES  # all but target and weight
    np.testing.assert_array_equal(model.predict(Parquet(path)), model.predict(X))  # the others are left out
    with pytest.raises(ValueError, match="X has the columns in another order than the model was trained on: column 0"):
        model.predict(Parquet(path, features=["b", "a", "c"]))
    write(path, c=X[:, 2])
    parquet.write_table(arrow.table({"a": X[:, 0], "kind": Y}), path)
    with pytest.raises(ValueError, match=r"X has other columns .*: it lacks 'b', 'c'"):
        model.evaluate(Parquet(path, "kind"), loss="cce")


def test_several_targets_and_other_types(tmp_path):
    table = {"a": np.arange(50), "b": np.arange(50) % 2 == 0, "y": X[:50, 0], "z": X[:50, 1].astype(np.float64)}
    parquet.write_table(arrow.table(table), tmp_path / "t", row_group_size=20)
    one, other = (Sequential([Dense(2)], seed=1) for _ in range(2))
    one.fit(Parquet(tmp_path / "t", ["y", "z"]), loss="mse", shuffle=False, progress=False)
    x = np.stack([table["a"], table["b"]], axis=1)
    other.fit(x, X[:50, :2], "mse", shuffle=False, progress=False)
    np.testing.assert_array_equal(one.layers[0].w, other.layers[0].w)


def test_a_training_goes_on_from_a_checkpoint(path, tmp_path):
    def train(epochs):
        checkpoint = mlpcore.Checkpoint(tmp_path / "model")
        return trained(
            Parquet(path, "kind"), epochs=epochs, callbacks=[checkpoint], resume="auto", optimizer=Adam(0.01)
        )

    train(1)
    assert_same(train(3), trained(Parquet(path, "kind"), optimizer=Adam(0.01)))


def gaps(values):
    return arrow.array([None if i == 160 else value for i, value in enumerate(values.tolist())])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"a": np.where(np.arange(N) == 310, np.nan, X[:, 0])},
            ValueError,
            "X of row group 2, column 'a', has nan, row 10",
        ),
        (
            {"a": gaps(X[:, 0])},
            ValueError,
            "X of row group 1, column 'a', has no value in row 10, expected one in every",
        ),
        ({"kind": gaps(Y)}, ValueError, "y of row group 1, column 'kind', has no value in row 10"),
        ({"kind": Y + 1}, ValueError, "y of row group 0 has 3.0 at row .*, expected a class index from 0 to 2"),
        ({"a": ["x"] * N}, TypeError, "X of row group 0, column 'a', has dtype object, expected real numbers"),
        ({"weight": -WEIGHT}, ValueError, "sample_weight of row group 0 has .*, expected weights >= 0"),
        ({"weight": 0 * WEIGHT}, ValueError, "X is Parquet.*, which has no row of a weight > 0"),
    ],
)
def test_what_cannot_be_trained_on_is_named_and_changes_nothing(path, changes, error, message):
    write(path, **changes)
    model = Sequential([Dense(3, "softmax")], seed=1)
    with pytest.raises(error, match=message):
        model.fit(Parquet(path, "kind", features=NAMES, sample_weight="weight"), loss="cce", progress=False)
    assert model.input_size is None
    assert model.history is None


def test_wrong_files_columns_and_arguments_are_refused(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        Parquet(tmp_path / "nothing")
    (tmp_path / "text").write_text("no parquet")
    with pytest.raises(ValueError, match="'text' is no file of Parquet|text.* is no file of Parquet"):
        Parquet(tmp_path / "text")
    with pytest.raises(ValueError, match="has no column 'price', expected one of a, b, c, kind, weight"):
        Parquet(path, "price")
    model = Sequential([Dense(3, "softmax")], seed=1)
    with pytest.raises(ValueError, match=r"X is Parquet\(.*\), expected a target: Parquet\(path, target="):
        model.fit(Parquet(path), loss="cce", progress=False)
    with pytest.raises(ValueError, match="class_weight is given, but X stands for y and weights too"):
        model.fit(Parquet(path, "kind"), loss="cce", class_weight={0: 2}, progress=False)
    with pytest.raises(ValueError, match=r"X has shape \(1, 4\), expected \(n, 2\)"):
        Sequential([Dense(3, "softmax")], input_size=2).fit(Parquet(path, "kind"), loss="cce", progress=False)


def test_tables_of_arrow_in_memory_are_frames(path):
    table = parquet.read_table(path).select(NAMES)
    one = trained(table, Y)
    assert_same(one, trained(X, Y))
    assert one[0].feature_names_in_ == NAMES
    with pytest.raises(ValueError, match="X has the columns in another order"):
        one[0].predict(table.select(NAMES[::-1]))
