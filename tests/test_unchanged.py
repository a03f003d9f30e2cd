"""An estimator whose fit was refused is as it was before."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from mlpcore.sklearn import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = {"classifier": np.repeat(["a", "b"], 20), "regressor": X[:, 0]}
ESTIMATORS = [
    MLPClassifier(max_iter=2, random_state=0),
    MLPRegressor(max_iter=2, random_state=0),
    TabularClassifier(max_iter=2, random_state=0),
    TabularRegressor(max_iter=2, random_state=0),
]


def kind_of(estimator):
    return "classifier" if sklearn.base.is_classifier(estimator) else "regressor"


def wrong_data(estimator):
    """Yield X, y and weights that are refused, early and late."""
    x, y = X[:, :2], Y[kind_of(estimator)]
    yield x[:, :0], y, None
    yield x + np.inf, y, None
    yield x, y[:-1], None
    yield x, y, -np.ones(40)
    yield x, y, np.zeros(40)
    yield x, np.full(40, np.nan), None


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("fitted", [False, True], ids=["new", "fitted"])
def test_a_refused_fit_leaves_the_estimator_as_it_was(estimator, fitted):
    estimator = sklearn.clone(estimator)
    if fitted:
        estimator.fit(X, Y[kind_of(estimator)])
    before = dict(vars(estimator))
    predicted = estimator.predict(X) if fitted else None
    for wrong in wrong_data(estimator):
        with pytest.raises((TypeError, ValueError)):
            estimator.fit(*wrong)
        assert vars(estimator).keys() == before.keys()
        assert all(vars(estimator)[name] is value for name, value in before.items())
    if fitted:
        np.testing.assert_array_equal(estimator.predict(X), predicted)


@pytest.mark.parametrize("estimator", ESTIMATORS[:2], ids=lambda each: type(each).__name__)
def test_a_refused_partial_fit_leaves_the_estimator_as_it_was(estimator):
    estimator = sklearn.clone(estimator)
    kind = kind_of(estimator)
    classes = {"classes": ["a", "b"]} if kind == "classifier" else {}
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match="NaN|infinity"):
        estimator.partial_fit(X + np.inf, Y[kind], **classes)
    assert vars(estimator) == before
    estimator.partial_fit(X, Y[kind], **classes)
    before, weights = dict(vars(estimator)), [w.copy() for w in estimator.coefs_]
    with pytest.raises(ValueError, match="3 features"):
        estimator.partial_fit(X[:, :2], Y[kind])
    assert all(vars(estimator)[name] is value for name, value in before.items())
    assert all(map(np.array_equal, weights, estimator.coefs_))


def test_an_estimator_that_trains_in_a_callback_that_fails_is_as_it_was():
    def fail(*_):
        raise RuntimeError("enough")

    model = MLPRegressor(max_iter=3, callbacks=[fail])
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, Y["regressor"])
    assert not hasattr(model, "n_features_in_")
