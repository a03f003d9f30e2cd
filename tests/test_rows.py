"""Mapped files and sparse matrices, of which a block at a time is in memory: the bits of arrays in the same order."""

import itertools

import numpy as np
import pytest

import mlpcore
from mlpcore import Adam, BatchNorm, Dense, Dropout, EarlyStopping, Sequential, _core
from mlpcore.streams import rows

N, COLUMNS = 1700, 12
RNG = np.random.default_rng(3)
X = RNG.normal(size=(N, COLUMNS)).astype(np.float32)
X[RNG.random(X.shape) < 0.5] = 0
Y = RNG.integers(0, 3, N)
WEIGHT = RNG.uniform(0.5, 2, N)
WEIGHT[::7] = 0
METRICS = ["precision_macro", "f1_macro", "log_loss", "mae", mlpcore.TopKAccuracy(2)]

WAYS = {
    "plain": {},
    "weights": {"sample_weight": WEIGHT, "class_weight": {0: 2.0}},
    "metrics": {"metrics": METRICS, "sample_weight": WEIGHT + 0.1},
    "split": {"validation_split": 0.3, "metrics": METRICS, "sample_weight": WEIGHT},
    "stopping": {"validation_data": (X[:100], Y[:100]), "callbacks": [EarlyStopping("val_loss", patience=1)]},
    "batch_size": {"batch_size": 100, "schedule": mlpcore.OneCycle(0.1), "gradient_accumulation_steps": 3},
}


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Blocks of 224 rows of float32 with batches of 32."""
    monkeypatch.setattr(rows, "BLOCK_BYTES", 200 * COLUMNS * 4)


@pytest.fixture
def mapped(tmp_path):
    """X in a file."""
    np.save(tmp_path / "x.npy", X)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def trained(x, y=Y, **options):
    """The history and all numbers of a model after three epochs of everything that draws or moves."""
    layers = [Dense(8, "relu"), Dropout(0.3), BatchNorm(), Dense(3, "softmax")]
    model = Sequential(layers, seed=1, dtype=options.pop("dtype", "float32"))
    rate = options.pop("schedule", 0.01)
    optimizer = Adam(rate, gradient_accumulation_steps=options.pop("gradient_accumulation_steps", None))
    options = {"optimizer": optimizer, "epochs": 3, "progress": False} | options
    history = model.fit(x, y, "cce", **options)
    net = model._built()
    return model, dict(history), net.params.copy(), net.state.copy()


def assert_same(one, other):
    assert one[1] == other[1]
    np.testing.assert_array_equal(one[2], other[2])
    np.testing.assert_array_equal(one[3], other[3])


@pytest.mark.parametrize("way", WAYS)
def test_a_mapped_file_trains_like_an_array_in_order(mapped, way):
    assert_same(trained(mapped, shuffle=False, **WAYS[way]), trained(X, shuffle=False, **WAYS[way]))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_sparse_matrix_trains_like_a_dense_one(way, shuffle):
    sparse = pytest.importorskip("scipy.sparse")
    dense = trained(X, shuffle=shuffle, **WAYS[way])
    assert_same(trained(sparse.csr_array(X), shuffle=shuffle, **WAYS[way]), dense)


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "csc_matrix", "coo_array", "coo_matrix", "lil_array"])
def test_each_sparse_format(kind):
    sparse = getattr(pytest.importorskip("scipy.sparse"), kind)(X)
    model, *_ = one = trained(sparse)
    assert_same(one, trained(X))
    np.testing.assert_array_equal(model.predict(sparse), model.predict(X))
    assert model.evaluate(sparse, Y, "cce", metrics=METRICS) == model.evaluate(X, Y, "cce", metrics=METRICS)


def shuffled_in_blocks(epoch, n=N, size=224):
    """The order of rows that a shuffle in blocks has, by its definition."""
    order = []
    for block in _core.shuffled(1, epoch, -(-n // size), 2**32 - 1):
        begin = block * size
        order += list(begin + _core.shuffled(1, epoch, min(size, n - begin), int(block)))
    return np.array(order)


def test_a_mapped_file_is_shuffled_in_blocks(mapped):
    orders = [shuffled_in_blocks(epoch) for epoch in range(2)]
    for order in orders:
        assert sorted(order) == list(range(N))
        assert set(order[:32]) < set(range(order[0] // 224 * 224, order[0] // 224 * 224 + 224))  # all of one block
    assert (orders[0] != orders[1]).any()
    model = Sequential([Dense(3, "softmax")], seed=1)
    model.fit(mapped, Y, "cce", optimizer=Adam(0.01), epochs=2, batch_size=32, progress=False)
    other, adam = Sequential([Dense(3, "softmax")], seed=1), Adam(0.01)
    for order in orders:
        # The last block is shorter, and what it ends with is a batch of its own wherever it comes.
        cuts = [0]
        while cuts[-1] < N:
            left_in_block = min(224, N - order[cuts[-1]] // 224 * 224) - sum(
                1 for row in order[: cuts[-1]] if row // 224 == order[cuts[-1]] // 224
            )
            cuts.append(cuts[-1] + min(32, left_in_block))
        batches = [(X[order[a:b]], Y[order[a:b]]) for a, b in itertools.pairwise(cuts)]
        other.fit(batches, loss="cce", optimizer=adam, progress=False)
    np.testing.assert_array_equal(model.layers[0].w, other.layers[0].w)


def test_what_fits_into_a_block_is_shuffled_as_a_whole(mapped, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 2**25)
    assert_same(trained(mapped), trained(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", ["<f8", ">f4", "i2", "F"])
def test_other_types_and_layouts_are_converted_block_by_block(tmp_path, given, dtype):
    x = np.asfortranarray(X) if given == "F" else (X * 100).astype(given)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_same(
        trained(mapped, shuffle=False, dtype=dtype, batch_size=20),
        trained(x, shuffle=False, dtype=dtype, batch_size=20),
    )


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_changes_of_a_map_are_seen_and_stay(tmp_path, mode):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode=mode)
    if mode != "r":
        mapped[5] += 1
    x = np.array(mapped)
    assert_same(trained(mapped[3:], Y[3:], shuffle=False), trained(x[3:], Y[3:], shuffle=False))
    np.testing.assert_array_equal(mapped, x)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy")[5], X[5] if mode == "c" else x[5])


def test_y_may_lie_in_a_file_too(mapped, tmp_path):
    one_hot = np.eye(3, dtype=np.float32)[Y]
    for i, y in enumerate((Y, one_hot)):
        np.save(tmp_path / f"{i}.npy", y)
        of_file = np.load(tmp_path / f"{i}.npy", mmap_mode="r")
        for way in ("plain", "weights", "split"):
            assert_same(trained(mapped, of_file, shuffle=False, **WAYS[way]), trained(X, y, shuffle=False, **WAYS[way]))
    one_hot[-1] = 0.2, 0.5, 0.3
    np.save(tmp_path / "y.npy", one_hot)
    model = Sequential([Dense(3, "sigmoid")], seed=1)
    of_file = np.load(tmp_path / "y.npy", mmap_mode="r")
    history = model.fit(mapped, of_file, "bce", progress=False)
    assert history.rules == {"accuracy": "binary_accuracy"}  # since one row in the last block is not one-hot


def test_predict_and_evaluate_take_a_block_at_a_time(mapped, monkeypatch):
    model, *_ = trained(X)
    expected = model.predict(X), model.evaluate(X, Y, "cce", sample_weight=WEIGHT, metrics=METRICS)
    read = []
    monkeypatch.setattr("mlpcore.streams.readers.Mapped.forget", lambda self, rows: read.append(rows))
    np.testing.assert_array_equal(model.predict(mapped), expected[0])
    assert len(read) == 7
    assert model.evaluate(mapped, Y, "cce", sample_weight=WEIGHT, metrics=METRICS) == expected[1]


REFUSED = {
    "nan": (
        lambda x, y: (x, y, (700, 3)),
        r"X\[512:768\] has nan, row 188, column 3: expected numbers that are finite",
    ),
    "rows": (lambda x, y: (x, y[:-1]), r"y has 1699 rows, expected 1700"),
    "labels": (lambda x, y: (x, np.where(np.arange(N) == 5, 3, y)), r"y has 3.0 at row 5, expected a class index"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_file_changes_nothing(tmp_path, case):
    make, message = REFUSED[case]
    x, y, *at = make(X.copy(), Y)
    for place in at:
        x[place] = np.nan
    np.save(tmp_path / "x.npy", x)
    model = Sequential([Dense(3, "softmax")], seed=1)
    with pytest.raises(ValueError, match=message):
        model.fit(np.load(tmp_path / "x.npy", mmap_mode="r"), y, "cce", progress=False)
    assert model.input_size is None
    assert model.history is None


def test_what_a_model_cannot_read_is_refused(mapped, tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    model = Sequential([Dense(3, "softmax")], seed=1, input_size=4)
    for x in (mapped, sparse.csr_array(X)):
        with pytest.raises(ValueError, match=r"X has shape \(1700, 12\), expected \(n, 4\)"):
            model.fit(x, Y, "cce", progress=False)
    complex_ones = sparse.csr_array(X.astype(complex))
    with pytest.raises(TypeError, match="X has dtype complex128, expected real numbers"):
        trained(complex_ones)
    np.save(tmp_path / "text.npy", np.full((N, 400), "a"))
    with pytest.raises(TypeError, match="X has dtype <U1, expected real numbers"):
        trained(np.load(tmp_path / "text.npy", mmap_mode="r"))
    embedding = Sequential([mlpcore.Embedding({0: (3, 2)}), Dense(3, "softmax")], seed=1)
    with pytest.raises(ValueError, match=r"X\[0:256\] has .* column 0: expected a category"):
        embedding.fit(mapped, Y, "cce", progress=False)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            "roc_auc_ovr",
            "metrics has 'roc_auc_ovr', which is computed from all rows at once, and these are read a part",
        ),
        ("r2", "metrics has 'r2', which is computed from all rows at once"),
        (lambda y, y_hat: 0, "metrics has the function '<lambda>', which is shown all rows at once"),
    ],
)
def test_metrics_of_all_rows_are_refused(mapped, metric, message):
    with pytest.raises(ValueError, match=message):
        trained(mapped, metrics=[metric])
    with pytest.raises(ValueError, match=message):
        trained(X, validation_data=(mapped, Y), metrics=[metric])
    with pytest.raises(ValueError, match=message):
        trained(X)[0].evaluate(mapped, Y, "cce", metrics=[metric])


def test_lbfgs_is_refused(mapped):
    with pytest.raises(ValueError, match=r"optimizer is LBFGS\(.*\), which takes all samples as one batch"):
        Sequential([Dense(3, "softmax")]).fit(mapped, Y, "cce", optimizer=mlpcore.LBFGS(), progress=False)


def test_validation_in_parts_is_that_of_an_array(mapped):
    sparse = pytest.importorskip("scipy.sparse")
    expected = trained(X, validation_data=(X, Y, WEIGHT), metrics=METRICS)
    for x in (mapped, sparse.csr_array(X)):
        assert_same(trained(X, validation_data=(x, Y, WEIGHT), metrics=METRICS), expected)


def test_a_training_goes_on_from_a_checkpoint(mapped, tmp_path):
    def train(epochs, **options):
        checkpoint = mlpcore.Checkpoint(tmp_path / "model")
        return trained(mapped, epochs=epochs, callbacks=[checkpoint], resume="auto", **options)

    whole = trained(mapped, epochs=4)
    train(2)
    assert_same(train(4), whole)
    with pytest.raises(ValueError, match="its rows is 1700, expected 1699"):
        trained(mapped[1:], Y[1:], callbacks=[mlpcore.Checkpoint(tmp_path / "model")], resume="auto")


def test_partial_fit_takes_a_block_at_a_time(mapped):
    one, other = (Sequential([Dense(3, "softmax")], seed=1) for _ in range(2))
    for model, x in ((one, mapped), (other, X)):
        model.partial_fit(x, Y, "cce", optimizer=Adam(0.01), shuffle=False, sample_weight=WEIGHT)
    np.testing.assert_array_equal(one.layers[0].w, other.layers[0].w)


class Stopping(mlpcore.Callback):
    """Stop after a batch, and count the batches."""

    def __init__(self, after):
        self.after, self.seen = after, []

    def on_batch_end(self, model, epoch, batch, logs):
        self.seen.append((epoch, batch, logs["loss"]))
        if len(self.seen) == self.after:
            model.stop()


@pytest.mark.parametrize("after", [3, 7, 54, 60])  # in a block, with its end, with the epoch's end, in the next epoch
def test_stopping_after_a_batch(mapped, after):
    of_file, of_array = Stopping(after), Stopping(after)
    assert_same(trained(mapped, shuffle=False, callbacks=[of_file]), trained(X, shuffle=False, callbacks=[of_array]))
    assert of_file.seen == of_array.seen
    assert len(of_file.seen) == after


def test_a_loss_that_diverges_is_reported_with_its_batch(mapped):
    with pytest.warns(mlpcore.TrainingWarning) as warned:
        trained(mapped, optimizer=mlpcore.SGD(1e30), shuffle=False)
    with pytest.warns(mlpcore.TrainingWarning) as expected:
        trained(X, optimizer=mlpcore.SGD(1e30), shuffle=False)
    assert [str(each.message) for each in warned] == [str(each.message) for each in expected]


def test_another_training_in_between_is_noticed(mapped):
    model = Sequential([Dense(3, "softmax")], seed=1)

    original = rows.RowSource.samples

    def meddling(self, where):
        if not model._is_at_whole_epoch:
            model.epochs_trained = 7
        return original(self, where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows.RowSource, "samples", meddling)
        with pytest.raises(RuntimeError, match="trained by another call between two parts of an epoch"):
            model.fit(mapped, Y, "cce", progress=False)
