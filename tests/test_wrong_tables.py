"""Tables that are not as they were in training: other columns, other kinds of values, gaps."""

import numpy as np
import pytest
from wrong import assert_in_order

import mlpcore

pandas = pytest.importorskip("pandas")
pytest.importorskip("sklearn")

RNG = np.random.default_rng(0)
N = 80
FRAME = pandas.DataFrame({"age": RNG.normal(size=N), "rooms": RNG.integers(1, 9, N).astype(float)})
RAW = FRAME.assign(city=RNG.choice(["Bern", "Basel", "Chur"], N))
YES = (FRAME.age > 0).to_numpy().astype(int)
PRICE = FRAME.rooms.to_numpy()


def of_sequential():
    model = mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(1, "sigmoid")], seed=0)
    model.fit(FRAME, YES, "bce", progress=False)
    return model


def of_an_estimator():
    from mlpcore.sklearn import MLPClassifier

    return MLPClassifier((4,), max_iter=5, tol=1e9, n_iter_no_change=1, random_state=0).fit(FRAME, YES)


def of_a_table():
    return tabular().fit(RAW, YES)


def tabular(classifier=True, **options):
    from mlpcore.sklearn import TabularClassifier, TabularRegressor

    return (TabularClassifier if classifier else TabularRegressor)(
        **({"max_iter": 1, "n_ensemble": 1, "random_state": 0} | options)
    )


@pytest.fixture(scope="module")
def trained():
    return {
        "Sequential": (of_sequential(), FRAME),
        "estimator": (of_an_estimator(), FRAME),
        "table": (of_a_table(), RAW),
    }


@pytest.mark.parametrize("kind", ["Sequential", "estimator", "table"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="rooms"), ["rooms"]),
        (lambda frame: frame[frame.columns[::-1]], ["order"]),
        (lambda frame: frame.assign(floor=1.0), ["floor"]),
        (lambda frame: frame.rename(columns={"rooms": "Rooms"}), ["ooms"]),
    ],
    ids=["missing", "reordered", "additional", "renamed"],
)
def test_other_columns_are_named(kind, change, words, trained):
    model, frame = trained[kind]
    before = model.predict(frame)
    with pytest.raises(ValueError, match="feature names|column") as refused:
        model.predict(change(frame))
    assert_in_order(str(refused.value), words)
    assert np.array_equal(model.predict(frame), before)


WRONG = {
    "text for numbers": (
        lambda m: m.predict(RAW.assign(age="old")),
        ["column 'age'", "'old' in row 0", "expected numbers"],
    ),
    "infinity": (lambda m: tabular().fit(RAW.assign(age=np.inf), YES), ["column 'age'", "infinity", "missing values"]),
    "nothing that tells": (
        lambda m: tabular().fit(RAW[["city"]].assign(city="Bern"), YES),
        ["X has no column that tells anything", "expected at least one", "'city' is left out: all values are the same"],
    ),
    "one class": (lambda m: tabular().fit(RAW, 0 * YES), ["y has one class, 0", "expected at least two"]),
    "no rows": (lambda m: tabular().fit(RAW[:0], YES[:0]), ["a frame with 0 sample(s)", "a minimum of 1"]),
    "gaps in y": (lambda m: tabular(False).fit(RAW, np.where(PRICE > 5, np.nan, PRICE)), ["y contains NaN"]),
    "gaps in labels": (
        lambda m: tabular().fit(RAW, [None, *["yes", "no"] * 50][: len(RAW)]),
        ["y has None in row 0", "leave out rows"],
    ),
    "labels of two types": (
        lambda m: tabular().fit(RAW, np.array([1, *["yes", "no"] * 50][: len(RAW)], object)),
        ["y has 'yes' and 1", "labels of one type", "y.astype(str)"],
    ),
    "labels for numbers": (
        lambda m: tabular(False).fit(RAW, [1.5, *["yes", "no"] * 50][: len(RAW)]),
        ["y has 'yes' in row 1", "expected numbers", "a classifier"],
    ),
    "a percentage": (lambda m: tabular(False, interval=90).fit(RAW, PRICE), ["interval is 90", "> 0 and < 1"]),
    "dropout": (lambda m: tabular(dropout=20).fit(RAW, YES), ["dropout is 20", ">= 0 and < 1"]),
    "activation": (
        lambda m: tabular(activation="rellu").fit(RAW, YES),
        ["activation is 'rellu'", "did you mean 'relu'"],
    ),
    "no networks": (lambda m: tabular(n_ensemble=0).fit(RAW, YES), ["n_ensemble is 0", "an integer >= 1"]),
}


@pytest.mark.parametrize("use", WRONG)
def test_what_is_wrong_with_a_table_is_named(use, trained):
    call, words = WRONG[use]
    with pytest.raises(ValueError) as refused:
        call(trained["table"][0])
    assert_in_order(str(refused.value), words)


def test_the_file_of_an_estimator_and_that_of_a_model_are_told_apart(trained, tmp_path):
    from mlpcore.sklearn import load

    trained["table"][0].save(tmp_path / "estimator")
    trained["Sequential"][0].save(tmp_path / "model")
    with pytest.raises(ValueError, match="holds an estimator, expected a model: mlpcore.sklearn.load reads it"):
        mlpcore.Sequential.load(tmp_path / "estimator")
    with pytest.raises(ValueError, match=r"holds no estimator.*Sequential\.load reads it"):
        load(tmp_path / "model")
    whole = (tmp_path / "estimator").read_bytes()
    for damaged in (whole[:-1], whole[:99], b""):
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot load .*damaged.*not a complete"):
            load(tmp_path / "damaged")
