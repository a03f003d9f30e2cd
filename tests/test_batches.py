"""Iterables of batches: each batch is a step, with the bits of arrays in the same order, and errors name the batch."""

import time

import numpy as np
import pytest

import mlpcore
from mlpcore import Adam, BatchNorm, Dense, Dropout, EarlyStopping, Sequential

N = 230
RNG = np.random.default_rng(5)
X = RNG.normal(size=(N, 6)).astype(np.float32)
Y = RNG.integers(0, 3, N)
WEIGHT = RNG.uniform(0.5, 2, N)
METRICS = ["precision_macro", "log_loss"]


def batches(x=X, y=Y, weight=None, size=50):
    for begin in range(0, len(x), size):
        rows = slice(begin, begin + size)
        yield (x[rows], y[rows]) if weight is None else (x[rows], y[rows], weight[rows])


def into_one_buffer():
    x, y = np.empty((50, 6), np.float32), np.empty(50, np.int64)
    for one, other in batches():
        x[: len(one)], y[: len(one)] = one, other
        yield x[: len(one)], y[: len(one)]


class Loader:
    """What PyTorch's DataLoader is to a training: it has a length, and yields lists."""

    def __iter__(self):
        return map(list, batches())

    def __len__(self):
        return 5


def trained(x, y=None, epochs=3, **options):
    model = Sequential([Dense(8, "relu"), Dropout(0.3), BatchNorm(), Dense(3, "softmax")], seed=1)
    options = {"optimizer": Adam(0.01), "progress": False} | options
    history = model.fit(x, y, "cce", epochs=epochs, **options)
    return model, dict(history), model._built().params.copy(), model._built().state.copy()


def of_arrays(**options):
    return trained(X, Y, shuffle=False, batch_size=50, **options)


def assert_same(one, other):
    assert one[1] == other[1]
    np.testing.assert_array_equal(one[2], other[2])
    np.testing.assert_array_equal(one[3], other[3])


KINDS = {
    "list": lambda: list(batches()),
    "tuple": lambda: tuple(batches()),
    "function": lambda: batches,
    "function of a list": lambda: lambda: list(batches()),
    "loader": Loader,
    "one buffer": lambda: into_one_buffer,
    "lists": lambda: [(x.tolist(), y.tolist()) for x, y in batches()],
    "float64": lambda: [(x.astype(np.float64), y) for x, y in batches()],
}


@pytest.mark.parametrize("kind", KINDS)
def test_batches_train_like_arrays_in_the_same_order(kind):
    assert_same(trained(KINDS[kind]()), of_arrays())


def test_batches_may_be_sparse_and_frames():
    sparse = pytest.importorskip("scipy.sparse")
    pandas = pytest.importorskip("pandas")
    names = list("abcdef")
    assert_same(trained([(sparse.csr_array(x), y) for x, y in batches()]), of_arrays())
    frames = [(pandas.DataFrame(x, columns=names), y) for x, y in batches()]
    one = trained(frames)
    assert_same(one, of_arrays())
    assert one[0].feature_names_in_ == names
    frames[3] = frames[3][0][names[::-1]], frames[3][1]
    with pytest.raises(ValueError, match="X in batch 3 has the columns in another order"):
        trained(frames)


def test_metrics_validation_callbacks_and_schedules_go_on_as_with_arrays():
    def options():
        return {
            "metrics": METRICS,
            "validation_data": (X[:90], Y[:90]),
            "callbacks": [EarlyStopping("val_loss", patience=1)],
            "optimizer": Adam(mlpcore.Cosine(0.01)),
        }

    assert_same(trained(Loader(), **options()), of_arrays(**options()))
    with_batches = options() | {"validation_data": lambda: batches(X[:90], Y[:90], size=30)}
    one, expected = trained(Loader(), **with_batches), of_arrays(**options())
    np.testing.assert_array_equal(one[2], expected[2])
    assert one[1]["val_loss"] == pytest.approx(expected[1]["val_loss"], rel=1e-12)


def test_weights_count_as_they_are():
    assert_same(trained(list(batches(weight=np.ones(N)))), of_arrays())
    doubled = trained(list(batches(weight=np.full(N, 2.0))), optimizer=mlpcore.SGD(0.1))
    twice_the_rate = of_arrays(optimizer=mlpcore.SGD(0.2))
    np.testing.assert_array_equal(doubled[2], twice_the_rate[2])


def test_rows_of_weight_0_are_left_out():
    weight = np.ones(N)
    weight[::3] = 0
    weight[50:100] = 0  # a whole batch
    kept = [(x[w > 0], y[w > 0]) for x, y, w in batches(weight=weight) if w.any()]
    assert_same(trained(list(batches(weight=weight))), trained(kept))


def test_a_generator_is_consumed_once():
    assert_same(trained(batches(), epochs=1), of_arrays(epochs=1))
    generator = batches()
    with pytest.raises(
        ValueError,
        match=r"X can be iterated once, being a generator, and epochs is 3: give a list of batches, a function that "
        "returns a new iterator, or epochs=1",
    ):
        trained(generator)
    assert len(list(generator)) == 5  # nothing was taken


def test_what_is_iterable_once_in_disguise_is_noticed():
    generator = batches()
    model = Sequential([Dense(3, "softmax")], seed=1)
    with pytest.raises(ValueError, match="X yields no batch when it is iterated again: give a list of batches"):
        model.fit(lambda: generator, loss="cce", epochs=2, progress=False)
    assert model.epochs_trained == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], ValueError, "X yields no batch, expected at least one with a row of a weight > 0"),
        ([(X, Y, np.zeros(N))], ValueError, "X yields no batch, expected at least one with a row of a weight > 0"),
        (
            [X[:2]],
            TypeError,
            r"batch 0 of X is an array of shape \(2, 6\), expected \(X, y\) or \(X, y, sample_weight\)",
        ),
        ([(X,)], TypeError, "batch 0 of X is a tuple of length 1, expected"),
        ([{"x": 1}], TypeError, "batch 0 of X is of type dict, expected"),
        (lambda: 3, TypeError, r"X is a function that returns 3, expected an iterable of \(X, y\)"),
        (X, TypeError, "y is missing: X alone is expected to be an iterable of batches"),
        (3, TypeError, "y is missing: X alone is expected to be an iterable of batches"),
        ([(X, Y[:5])], ValueError, "y in batch 0 has 5 rows, expected 230"),
        ([(X[:0], Y[:0])], ValueError, r"X in batch 0 has shape \(0, 6\)"),
        ([(X * np.nan, Y)], ValueError, "X in batch 0 has nan, row 0, column 0"),
    ],
)
def test_wrong_batches_are_refused_before_anything_changes(given, error, message):
    model = Sequential([Dense(3, "softmax")], seed=1)
    with pytest.raises(error, match=message):
        model.fit(given, loss="cce", progress=False)
    assert model.input_size is None
    assert model.history is None
    with pytest.raises(error, match=message):
        model.evaluate(given, loss="cce")


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((X[:5] + np.inf, Y[:5]), "X in batch 2 has inf, row 0, column 0"),
        ((X[:5, :3], Y[:5]), r"X in batch 2 has shape \(5, 3\), expected \(n, 6\)"),
        ((X[:5], Y[:5] + 7), "y in batch 2 has .* expected a class index from 0 to 2"),
        ((X[:5], Y[:5], -np.ones(5)), "sample_weight in batch 2 has -1.0 at row 0"),
    ],
)
def test_a_wrong_batch_later_ends_the_training_at_a_whole_batch(batch, message):
    first = list(batches())[:2]
    model = Sequential([Dense(3, "softmax")], seed=1, input_size=6)
    with pytest.raises(ValueError, match=message):
        model.fit([*first, batch], loss="cce", optimizer=Adam(0.01), progress=False)
    other = Sequential([Dense(3, "softmax")], seed=1, input_size=6)
    other.fit(
        first[:1], loss="cce", optimizer=Adam(0.01), progress=False
    )  # the second is held until the third is there
    np.testing.assert_array_equal(model.layers[0].w, other.layers[0].w)
    assert (model.epochs_trained, model.history.epoch) == (0, [])


def test_memory_that_is_reused_late_is_no_matter_for_small_batches_and_refused_for_large_ones():
    x = np.array(X[:50])

    def late(weight=()):
        yield X[:50].copy(), Y[:50], *weight
        yield X[50:100].copy(), Y[50:100], *weight
        x[:] = X[100:150]
        yield x, Y[100:150], *weight
        x[:] = X[150:200]
        yield x, Y[150:200], *weight

    assert_same(trained(late), trained(X[:200], Y[:200], shuffle=False, batch_size=50))
    with pytest.raises(ValueError, match="X yields a batch in the memory of the one before, and did not so at first"):
        trained(lambda: late([np.ones(50)]))  # batches with weights are not joined, nor are large ones


def test_batches_are_joined_where_they_are_small_and_alike(monkeypatch):
    def parts_of(given):
        counts = []
        parts = mlpcore.streams.batches.BatchSource.parts

        def counted(self, *shuffle):
            for part in parts(self, *shuffle):
                counts.append((len(part.samples.x), part.batch_size))
                yield part

        with monkeypatch.context() as patched:
            patched.setattr(mlpcore.streams.batches.BatchSource, "parts", counted)
            patched.setattr(mlpcore.streams.batches, "_JOINED_SECONDS", 10)
            assert_same(trained(given, epochs=1), of_arrays(epochs=1))
        return counts

    assert parts_of(list(batches())) == [(50, 50), (150, 50), (30, 30)]
    mixed = [(x.astype(np.float64) if i == 2 else x, y) for i, (x, y) in enumerate(batches())]
    assert parts_of(mixed) == [(50, 50), (50, 50), (50, 50), (50, 50), (30, 30)]
    monkeypatch.setattr(mlpcore.streams.batches, "_JOINED_BYTES", 5000)  # four batches are
    assert parts_of(list(batches())) == [(50, 50), (150, 50), (30, 30)]
    monkeypatch.setattr(mlpcore.streams.batches, "_JOINED_BYTES", 4799)
    assert parts_of(list(batches())) == [(50, 50), (50, 50), (50, 50), (50, 50), (30, 30)]


def test_a_batch_waits_no_longer_than_a_millisecond_for_others():
    def slow():
        for each in batches():
            yield each
            time.sleep(0.002)
            asked.append(len(trained_on))

    asked, trained_on = [], []
    callback = mlpcore.LambdaCallback(on_batch_end=lambda *_: trained_on.append(0))
    trained(slow, epochs=1, callbacks=[callback])
    assert asked[-1] >= 2  # of four that were there, the last is held


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 16}, "batch_size is 16, but X yields batches, each of which is a step: leave it out"),
        ({"sample_weight": WEIGHT}, "sample_weight is given, but X stands for y and weights too: give it there"),
        ({"class_weight": {0: 2}}, "class_weight is given, but X stands for y .*: give weights there"),
        ({"validation_split": 0.1}, "validation_split is given, but X stands for y .*: give validation_data"),
        ({"optimizer": mlpcore.LBFGS()}, "optimizer is LBFGS.*, which takes all samples as one batch"),
        ({"metrics": ["r2"]}, "metrics has 'r2', which is computed from all rows at once"),
        (
            {"validation_data": list(batches())},
            r"validation_data has length 5, expected \(X, y\) or .* or a function that returns",
        ),
        ({"validation_data": batches()}, "X of validation_data can be iterated once, being a generator"),
    ],
)
def test_what_does_not_go_with_batches_is_refused(options, message):
    model = Sequential([Dense(3, "softmax")], seed=1)
    with pytest.raises(ValueError, match=message):
        model.fit(batches, loss="cce", epochs=2, progress=False, **options)
    assert model.history is None


def test_a_schedule_over_the_fit_needs_to_know_how_long_it_is():
    cosine = mlpcore.Cosine(0.01)
    with pytest.raises(ValueError, match="has no length, which only fit knows"):
        trained(batches, optimizer=Adam(cosine))
    trained(batches, optimizer=Adam(mlpcore.Cosine(0.01, per="epoch")))


def test_a_training_goes_on_from_a_checkpoint(tmp_path):
    def train(epochs):
        return trained(
            batches, epochs=epochs, callbacks=[mlpcore.Checkpoint(tmp_path / "model")], resume="auto", metrics=METRICS
        )

    train(2)
    assert_same(train(4), trained(batches, epochs=4, metrics=METRICS))


def test_predict_and_evaluate_take_batches():
    model, *_ = trained(X, Y)
    for given in (batches, batches(), Loader(), lambda: (x for x, _ in batches())):
        np.testing.assert_array_equal(model.predict(given), model.predict(X))
    measured = model.evaluate(list(batches(weight=WEIGHT)), loss="cce", metrics=METRICS)
    assert measured == pytest.approx(model.evaluate(X, Y, "cce", sample_weight=WEIGHT, metrics=METRICS), rel=1e-12)
    with pytest.raises(ValueError, match="sample_weight is given beside batches"):
        model.evaluate(batches, loss="cce", sample_weight=WEIGHT)
    with pytest.raises(ValueError, match="X yields no batch, expected at least one"):
        model.predict(iter([]))


def test_partial_fit_takes_rows_alone():
    with pytest.raises(TypeError, match="y is None, expected the ground truth of the rows of X: batches go to fit"):
        Sequential([Dense(3)]).partial_fit(batches, None, "mse", optimizer=Adam())


def test_a_loss_that_diverges_is_reported_with_its_batch():
    with pytest.warns(mlpcore.TrainingWarning) as warned:
        trained(batches, optimizer=mlpcore.SGD(1e30))
    with pytest.warns(mlpcore.TrainingWarning) as expected:
        of_arrays(optimizer=mlpcore.SGD(1e30))
    assert [str(each.message) for each in warned] == [str(each.message) for each in expected]
