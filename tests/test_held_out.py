"""partial_fit with early_stopping=True: which rows are set aside, and whose weights predict."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import datasets

from mlpcore.sklearn import MLPClassifier, MLPRegressor
from mlpcore.sklearn.held_out import HeldOut, Rows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
LABELS = np.eye(3, dtype=int)[Y]
RNG = np.random.default_rng(0)
OPTIONS = {"early_stopping": True, "random_state": 0, "hidden_layer_sizes": 16, "learning_rate_init": 0.01}


def rows_of(n, columns=5, dtype=np.float64):
    x = RNG.normal(size=(n, columns)).astype(dtype)
    return Rows(x, x[:, :1] + 1, None)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_about_the_fraction_is_set_aside(fraction, dtype):
    rows = rows_of(20_000, dtype=dtype)
    held = HeldOut(fraction, 1)
    left = held.split(rows)
    count = 0 if held.rows is None else len(held.rows.x)
    assert len(left.x) + count == 20_000
    assert count == pytest.approx(min(20_000 * fraction, 10_000), abs=200)
    assert left.weight is None


def test_a_row_that_comes_again_is_on_the_same_side():
    rows = rows_of(600)
    whole, pieces = HeldOut(0.2, 3), HeldOut(0.2, 3)
    left = whole.split(rows).x
    order = RNG.permutation(600)
    parts = [pieces.split(Rows(rows.x[i], rows.target[i], None)).x for i in np.split(order, 6)]
    assert {row.tobytes() for row in np.concatenate(parts)} == {row.tobytes() for row in left}
    for each in (whole, pieces):
        each.split(rows)
        assert len(each.rows.x) == 600 - len(left)
        assert not {row.tobytes() for row in each.rows.x} & {row.tobytes() for row in left}
        assert np.array_equal(each.rows.target, each.rows.x[:, :1] + 1)
    other = HeldOut(0.2, 4)
    other.split(rows)
    assert not np.array_equal(other.rows.x, whole.rows.x)


def test_zeros_have_no_sign_and_columns_an_order():
    x = RNG.normal(size=(500, 2))
    x[::2, 0] = 0
    plus, minus, swapped = (HeldOut(0.3, 0) for _ in range(3))
    left = plus.split(Rows(x, x, None))
    x[::2, 0] *= -1
    assert np.array_equal(np.abs(left.x), np.abs(minus.split(Rows(x, x, None)).x))
    assert not np.array_equal(swapped.split(Rows(x[:, ::-1], x, None)).x[:20, ::-1], left.x[:20])


def test_the_last_ten_thousand_are_kept():
    held = HeldOut(0.5, 0)
    first, second = rows_of(15_000, 2), rows_of(15_000, 2)
    held.split(first)
    early = len(held.rows.x)
    held.split(second)
    assert early == pytest.approx(7_500, abs=300)
    assert len(held.rows.x) == 10_000
    kept = {row.tobytes() for row in held.rows.x}
    assert {row.tobytes() for row in second.x} & kept == kept - {row.tobytes() for row in first.x}
    assert len(kept - {row.tobytes() for row in first.x}) == pytest.approx(7_500, abs=300)


def test_where_nothing_would_be_left_all_are_trained_on_and_rows_of_no_weight_do_not_count():
    held = HeldOut(0.99, 0)
    assert len(held.split(rows_of(1)).x) == 1
    weight = np.zeros(100)
    weight[:50] = 2.0
    half = HeldOut(0.5, 0)
    left = half.split(rows_of(100)._replace(weight=weight))
    assert len(left.x) == len(left.weight)
    assert (half.rows.weight == 2).all()
    assert len(half.rows.x) + len(left.x) < 100


@pytest.mark.parametrize("y", [Y, LABELS, np.array(["a", "b", "c"])[Y]], ids=["classes", "labels", "strings"])
def test_the_weights_that_did_best_predict(y):
    fitted, scores = MLPClassifier(**OPTIONS), []
    for _ in range(120):
        fitted.partial_fit(X, y)
        rows = fitted._held_out.rows
        own = fitted.model_.evaluate(rows.x, rows.target, fitted._loss)["accuracy"]
        scores.append(own)
        assert own == fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert scores == sorted(scores)
    assert fitted.score(X, y) > 0.9
    assert len(fitted.validation_scores_) == len(fitted.validation_loss_curve_) == fitted.n_iter_ == 120
    assert fitted.t_ == 120 * (150 - len(rows.x))


def test_training_goes_on_from_the_last_weights():
    """As it would without early_stopping on the rows that are left."""
    early = MLPRegressor(**OPTIONS)
    y = X[:, 0] - 0.5 * X[:, 1] ** 2
    for _ in range(5):
        early.partial_fit(X, y)
    left = HeldOut(0.1, early.model_.seed).split(Rows(X, y, None))
    plain = MLPRegressor(**OPTIONS | {"early_stopping": False, "batch_size": len(left.x), "alpha": 0.0})
    early = MLPRegressor(**OPTIONS | {"batch_size": len(left.x), "alpha": 0.0})
    for _ in range(5):
        early.partial_fit(X, y)
        plain.partial_fit(left.x, left.target)
    assert np.array_equal(early._latest.layers[0].w, plain.model_.layers[0].w)
    assert early.loss_curve_ == plain.loss_curve_


def test_it_goes_with_fit_before_and_after_it():
    fitted = MLPClassifier(**OPTIONS, warm_start=True, max_iter=5).fit(X, Y)
    for _ in range(5):
        fitted.partial_fit(X, Y)
    steps = fitted._optimizer._steps
    again = pickle.loads(pickle.dumps(fitted)).partial_fit(X, Y)
    assert np.array_equal(again.predict_proba(X), fitted.partial_fit(X, Y).predict_proba(X))
    assert fitted._optimizer._steps == steps + 1
    assert len(fitted.fit(X, Y).validation_scores_) == 16
    assert fitted._latest is None


def test_early_stopping_can_begin_and_end_between_calls():
    fitted = MLPClassifier(**OPTIONS | {"early_stopping": False})
    fitted.partial_fit(X, Y).set_params(early_stopping=True).partial_fit(X, Y).partial_fit(X, Y)
    assert np.isnan(fitted.validation_scores_).tolist() == [True, False, False]
    assert np.isnan(fitted.validation_loss_curve_).tolist() == [True, False, False]
    fitted.set_params(early_stopping=False).partial_fit(X, Y)
    assert fitted.n_iter_ == fitted._optimizer._steps == 4
    assert np.array_equal(fitted.model_.layers[0].w, fitted._latest.layers[0].w)


def test_before_a_row_is_set_aside_there_is_no_score():
    fitted = MLPRegressor(**OPTIONS)
    y = X[:, 0]
    held = HeldOut(0.1, MLPRegressor(**OPTIONS).partial_fit(X, y).model_.seed)
    rows = np.array([len(held.split(Rows(X[i : i + 2], y[i : i + 2], None)).x) == 2 for i in range(0, 150, 2)])
    first = 2 * int(np.flatnonzero(rows)[0])
    fitted.partial_fit(X[first : first + 2], y[first : first + 2])
    assert np.isnan(fitted.validation_scores_).all()
    assert np.array_equal(fitted.model_.layers[0].w, fitted._latest.layers[0].w)
    fitted.partial_fit(X, y)
    assert np.isfinite(fitted.validation_scores_[1])
