"""TabularClassifier and TabularRegressor: scikit-learn's checks, raw tables, ensembles, intervals, and wrong uses."""

import pickle

import numpy as np
import pandas
import polars
import pytest

pytest.importorskip("sklearn")

from sklearn import clone, datasets
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import mlpcore
from mlpcore.sklearn import TabularClassifier, TabularRegressor
from mlpcore.sklearn.column_report import ColumnReport
from mlpcore.sklearn.tabular_training import Settings, epochs_of, networks_for, rows_of_batch

QUICK = {"n_ensemble": 1, "hidden_layer_sizes": (16,), "max_iter": 20, "random_state": 1}


@parametrize_with_checks(
    [TabularClassifier(hidden_layer_sizes=(64, 64)), TabularRegressor(hidden_layer_sizes=(64, 64))]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def table(n=300, seed=0):
    """A frame of all kinds of columns, and a target that follows from some of them."""
    random = np.random.default_rng(seed)
    size = random.lognormal(3, 1, n)
    kind = random.choice(["brick", "wood", "steel"], n)
    built = np.datetime64("2001-01-01") + random.integers(0, 7000, n).astype("m8[D]")
    frame = pandas.DataFrame(
        {
            "size": np.where(random.random(n) < 0.1, np.nan, size),
            "kind": pandas.Categorical(kind),
            "town": random.choice([f"town {i:02}" for i in range(60)], n),
            "new": random.random(n) < 0.5,
            "built": built,
            "constant": 7.0,
            "row": [f"row {i}" for i in range(n)],
        }
    )
    return frame, np.log(size) + 2.0 * (kind == "wood") + 0.1 * random.normal(size=n)


FRAME, NUMBERS = table()
CLASSES = np.where(np.median(NUMBERS) < NUMBERS, "dear", "cheap")
CLASSIFIER = TabularClassifier(**QUICK).fit(FRAME, CLASSES)
REGRESSOR = TabularRegressor(**QUICK, interval=0.8).fit(FRAME, NUMBERS)


# ------------------------------------------------------------------------------------------------------ what comes out


def test_a_raw_table_is_learned_from():
    train, test, y, y_test = train_test_split(FRAME, NUMBERS, random_state=0)
    assert TabularRegressor(n_ensemble=1, random_state=0).fit(train, y).score(test, y_test) > 0.85
    classes = np.where(y > np.median(y), "dear", "cheap")
    classifier = TabularClassifier(n_ensemble=1, random_state=0).fit(train, classes)
    assert classifier.score(test, np.where(y_test > np.median(y), "dear", "cheap")) > 0.85


def test_probabilities_and_classes():
    proba = CLASSIFIER.predict_proba(FRAME)
    assert CLASSIFIER.classes_.tolist() == ["cheap", "dear"]
    assert proba.shape == (len(FRAME), 2)
    assert np.allclose(proba.sum(axis=1), 1)
    assert (CLASSIFIER.predict(FRAME) == CLASSIFIER.classes_[proba.argmax(axis=1)]).all()


def test_an_ensemble_is_the_mean_of_its_networks():
    three = TabularRegressor(**QUICK | {"n_ensemble": 3}).fit(FRAME, NUMBERS)
    x = three._transformed(FRAME)
    mean = sum(model.predict(x).astype(np.float64) for model in three.models_) / 3
    assert len({model.seed for model in three.models_}) == 3
    assert np.allclose(three.predict(FRAME), mean[:, 0] * three._spread + three._mean, rtol=1e-5)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    before = mlpcore.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            mlpcore.set_num_threads(count)
            found.append(TabularRegressor(**QUICK | {"n_ensemble": 3}).fit(FRAME, NUMBERS).predict(FRAME))
    finally:
        mlpcore.set_num_threads(before)
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_several_outputs():
    both = np.column_stack([NUMBERS, -3 * NUMBERS + 1])
    fitted = TabularRegressor(**QUICK | {"max_iter": 200}, interval=0.5).fit(FRAME, both)
    assert fitted.predict(FRAME).shape == both.shape
    assert fitted.predict_interval(FRAME).shape == (*both.shape, 2)
    assert fitted.score(FRAME, both) > 0.5


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_an_interval_holds_its_share_of_rows_that_were_not_seen(share):
    frame, y = table(2000, seed=1)
    fitted = TabularRegressor(interval=share, n_ensemble=1, hidden_layer_sizes=(32,), max_iter=30, random_state=0)
    interval = fitted.fit(frame[:1000], y[:1000]).predict_interval(frame[1000:])
    inside = ((interval[:, 0] <= y[1000:]) & (y[1000:] <= interval[:, 1])).mean()
    assert (interval[:, 0] <= interval[:, 1]).all()
    assert abs(inside - share) < 0.07  # 200 rows decide where it ends: two standard deviations


def test_importances_tell_what_counts():
    frame, y = table(1000)
    found = TabularRegressor(n_ensemble=1, random_state=0, max_iter=40).fit(frame, y).feature_importances_
    by_name = dict(zip(frame.columns, found, strict=True))
    assert {*sorted(by_name, key=by_name.get)[-2:]} == {"size", "kind"}
    assert by_name["constant"] == by_name["row"] == 0


def test_what_was_done_with_each_column():
    report = CLASSIFIER.column_report_
    assert isinstance(report, ColumnReport)
    assert [row[:2] for row in report.rows] == [
        ("size", "numeric"),
        ("kind", "category"),
        ("town", "embedded"),
        ("new", "category"),
        ("built", "date"),
        ("constant", "left out"),
        ("row", "left out"),
    ]
    assert sum(row[2] for row in report.rows) == CLASSIFIER.columns_.width


def test_weights_count_as_rows_do():
    """Of a table that is so small that no row is held out."""
    frame, y = FRAME[:20], NUMBERS[:20]
    weight = np.arange(20) % 3
    weighted = TabularRegressor(**QUICK).fit(frame, y, sample_weight=weight).predict(frame)
    repeated = TabularRegressor(**QUICK).fit(frame.loc[frame.index.repeat(weight)], y.repeat(weight)).predict(frame)
    assert np.allclose(weighted, repeated, rtol=1e-6)


def test_class_weight_moves_answers():
    rare = np.where(np.quantile(NUMBERS, 0.9) < NUMBERS, "rare", "often")
    plain = TabularClassifier(**QUICK).fit(FRAME, rare).predict_proba(FRAME)[:, 1]
    heavy = TabularClassifier(**QUICK, class_weight={"rare": 20.0, "often": 1.0}).fit(FRAME, rare)
    balanced = TabularClassifier(**QUICK, class_weight="balanced").fit(FRAME, rare)
    assert heavy.predict_proba(FRAME)[:, 1].mean() > balanced.predict_proba(FRAME)[:, 1].mean() > plain.mean()


def test_arrays_lists_and_polars_frames():
    plain = FRAME[["size", "kind", "new"]].astype({"kind": str})
    expected = TabularRegressor(**QUICK).fit(plain, NUMBERS).predict(plain)
    theirs = polars.DataFrame({name: plain[name].to_list() for name in plain.columns})
    assert (TabularRegressor(**QUICK).fit(theirs, NUMBERS).predict(theirs) == expected).all()
    rows = plain.to_numpy(object)
    assert (TabularRegressor(**QUICK).fit(rows, NUMBERS).predict(rows) == expected).all()
    assert (TabularRegressor(**QUICK).fit(rows.tolist(), NUMBERS).predict(rows.tolist()) == expected).all()


def test_unseen_labels_and_gaps_are_answered():
    other = FRAME[:3].copy()
    other["kind"] = ["glass", None, "wood"]
    other["town"] = ["elsewhere", None, "town 01"]
    other["size"] = np.nan
    assert np.isfinite(REGRESSOR.predict(other)).all()


def test_pipelines_clones_pickles_and_cross_validation():
    again = pickle.loads(pickle.dumps(REGRESSOR))
    assert (again.predict(FRAME) == REGRESSOR.predict(FRAME)).all()
    assert clone(REGRESSOR).get_params() == REGRESSOR.get_params()
    assert (make_pipeline(clone(CLASSIFIER)).fit(FRAME, CLASSES).predict(FRAME) == CLASSIFIER.predict(FRAME)).all()
    assert len(cross_val_score(TabularRegressor(**QUICK), FRAME, NUMBERS, cv=2)) == 2


def test_a_bar_shows_the_networks(capsys):
    TabularRegressor(**QUICK | {"n_ensemble": 2}, verbose=True).fit(FRAME, NUMBERS)
    assert "2/2" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ the recipe


def settings(**changes):
    plain = dict(hidden=(4,), activation="relu", dropout=0.0, learning_rate=0.1, validation_fraction=0.2)
    return Settings(**plain | dict(epochs=None, batch_size=None, head="linear", loss="mse") | changes)


def test_batches_and_epochs_follow_from_the_rows():
    sizes = [10, 63, 64, 2047, 2048, 8192, 10**6]
    assert [rows_of_batch(settings(), n) for n in sizes] == [10, 63, 64, 64, 128, 256, 256]
    epochs = [epochs_of(settings(), n) for n in sizes]
    assert epochs == [64, 64, 64, 39, 64, 39, 24]
    assert epochs_of(settings(epochs=7), 100) == 7
    assert rows_of_batch(settings(batch_size=50), 20) == 20


def test_few_rows_have_more_networks():
    assert [networks_for(n) for n in (2, 1023, 1024, 10**6)] == [8, 8, 2, 2]
    assert len(TabularRegressor(**QUICK | {"n_ensemble": None}).fit(FRAME, NUMBERS).models_) == 8


def test_the_best_epoch_is_kept():
    history = REGRESSOR.history_
    assert len(history["val_loss"]) == REGRESSOR.n_iter_ == 20
    fitted = TabularRegressor(**QUICK | {"max_iter": 60, "learning_rate": 0.5}, dropout=0).fit(FRAME, NUMBERS)
    held_out = fitted._held_out[0]
    loss = fitted.models_[0].evaluate(held_out.x, held_out.target, "mse")["loss"]
    assert loss == min(fitted.history_["val_loss"])


def test_nothing_is_held_out_of_few_rows_or_on_request():
    assert "val_loss" not in TabularRegressor(**QUICK).fit(FRAME[:30], NUMBERS[:30]).history_
    fitted = TabularClassifier(**QUICK, validation_fraction=0.0).fit(FRAME, CLASSES)
    assert "val_loss" not in fitted.history_
    assert fitted.feature_importances_.shape == (7,)


def test_a_class_with_one_row():
    classes = CLASSES.astype(object)
    classes[0] = "once"
    assert TabularClassifier(**QUICK).fit(FRAME, classes).predict_proba(FRAME).shape == (len(FRAME), 3)


# ------------------------------------------------------------------------------------------------------ wrong uses


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_ensemble": 0}, ValueError, "n_ensemble is 0, expected an integer >= 1"),
        ({"hidden_layer_sizes": 64}, TypeError, "hidden_layer_sizes is 64, expected a sequence of integers"),
        ({"hidden_layer_sizes": (0,)}, ValueError, r"hidden_layer_sizes\[0\] is 0"),
        ({"activation": "rellu"}, ValueError, "activation is 'rellu'"),
        ({"dropout": 1.0}, ValueError, "dropout is 1.0"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate is 0.0"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction is 1.0"),
        ({"max_iter": 0}, ValueError, "max_iter is 0"),
        ({"batch_size": "auto"}, TypeError, "batch_size is 'auto'"),
        ({"verbose": 3}, TypeError, "verbose is 3"),
        ({"interval": 1.0}, ValueError, "interval is 1.0"),
    ],
)
def test_parameters_out_of_range(change, error, message):
    with pytest.raises(error, match=message):
        TabularRegressor(**QUICK | change).fit(FRAME, NUMBERS)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (FRAME[:0], NUMBERS[:0], r"0 sample\(s\) \(shape=\(0, 7\)\) while a minimum of 1 is required"),
        (FRAME[[]], NUMBERS, r"0 feature\(s\) \(shape=\(300, 0\)\) while a minimum of 1 is required"),
        (FRAME[:1], NUMBERS[:1], "n_samples=1, expected at least 2"),
        (FRAME, NUMBERS[:9], "inconsistent numbers of samples"),
        (
            FRAME[["constant", "row"]],
            NUMBERS,
            "X has no column that tells anything, expected at least one: 'constant' is",
        ),
        (FRAME.assign(size=np.inf), NUMBERS, "column 'size' contains infinity"),
        (FRAME, np.where(NUMBERS > 3, np.nan, 1.0), "NaN"),
        (FRAME, None, "requires y to be passed, but the target y is None"),
    ],
    ids=["no rows", "no columns", "one row", "lengths", "nothing told", "infinity", "gaps in y", "no y"],
)
def test_data_that_cannot_be_learned_from(X, y, message):
    with pytest.raises(ValueError, match=message):
        TabularRegressor(**QUICK).fit(X, y)


def test_classes_that_cannot_be_learned():
    with pytest.raises(ValueError, match="y has one class, 'a', expected at least two classes"):
        TabularClassifier(**QUICK).fit(FRAME, ["a"] * len(FRAME))
    with pytest.raises(ValueError, match="Unknown label type"):
        TabularClassifier(**QUICK).fit(FRAME, NUMBERS)
    with pytest.raises(ValueError, match="label_smoothing is 1.0"):
        TabularClassifier(**QUICK, label_smoothing=1.0).fit(FRAME, CLASSES)


def test_columns_missing_added_or_in_another_order():
    for wrong, message in (
        (FRAME.drop(columns="kind"), "Feature names seen at fit time, yet now missing:\n- kind"),
        (FRAME.assign(more=1), "Feature names unseen at fit time:\n- more"),
        (FRAME[FRAME.columns[::-1]], "Feature names must be in the same order as they were in fit"),
        (FRAME.to_numpy(object)[:, :3], "X has 3 features, but TabularClassifier is expecting 7 features"),
    ):
        with pytest.raises(ValueError, match=message):
            CLASSIFIER.predict(wrong)


def test_values_of_another_kind():
    sizes = FRAME["size"].astype(object)
    sizes.iloc[[2, 5]] = "large", "small"
    with pytest.raises(ValueError, match="column 'size' has 'large' in row 2, expected numbers as in training"):
        REGRESSOR.predict(FRAME.assign(size=sizes))
    with pytest.raises(ValueError, match="column 'built' has 'long ago' in row 0, expected dates as in training"):
        REGRESSOR.predict(FRAME.assign(built="long ago"))
    with pytest.raises(ValueError, match="column 'built' has values of type int64, expected dates as in training"):
        REGRESSOR.predict(FRAME.assign(built=2020))


def test_before_fit_and_without_an_interval():
    for call in (lambda e: e.predict(FRAME), lambda e: e.column_report_, lambda e: e.feature_importances_):
        with pytest.raises(NotFittedError):
            call(TabularRegressor())
    with pytest.raises(NotFittedError):
        TabularClassifier().save("nowhere")
    with pytest.raises(ValueError, match="interval is None, expected the share of true values, such as 0.9"):
        TabularRegressor(**QUICK).fit(FRAME, NUMBERS).predict_interval(FRAME)


def test_weights_out_of_range():
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        TabularRegressor(**QUICK).fit(FRAME, NUMBERS, sample_weight=np.full(len(FRAME), -1.0))
    with pytest.raises(ValueError, match="Sample weights must contain at least one non-zero number"):
        TabularRegressor(**QUICK).fit(FRAME, NUMBERS, sample_weight=np.zeros(len(FRAME)))
    with pytest.raises(ValueError, match="class_weight and sample_weight make all rows weigh 0"):
        TabularClassifier(**QUICK, class_weight={"dear": 0.0, "cheap": 0.0}).fit(FRAME, CLASSES)


def test_digits_with_defaults():
    X, y = datasets.load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    assert TabularClassifier(n_ensemble=1, max_iter=20, random_state=0).fit(train, y_train).score(test, y_test) > 0.96
