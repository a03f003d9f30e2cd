"""from_sklearn: the same predictions as the estimator, and a trace of it; what is no estimator is refused."""

import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor

import mlpcore

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_regressors_and_classifiers_predict_the_same(activation, dtype):
    x = X.astype(dtype)
    options = {"hidden_layer_sizes": (7, 5), "activation": activation, "max_iter": 20, "random_state": 1}
    classes = MLPClassifier(**options).fit(x, Y)
    assert mlpcore.from_sklearn(classes).predict(x) == pytest.approx(classes.predict_proba(x), abs=1e-6)
    yes = MLPClassifier(**options).fit(x, Y > 0)
    assert mlpcore.from_sklearn(yes).predict(x).ravel() == pytest.approx(yes.predict_proba(x)[:, 1], abs=1e-6)
    numbers = MLPRegressor(**options).fit(x, x[:, :2])
    model = mlpcore.from_sklearn(numbers)
    assert model.dtype == np.dtype(dtype).name
    assert model.predict(x) == pytest.approx(numbers.predict(x), rel=1e-5, abs=1e-6)


def test_it_can_be_traced_and_trained():
    theirs = MLPClassifier((4,), "tanh", max_iter=5, random_state=1).fit(X, Y)
    model = mlpcore.from_sklearn(theirs)
    trace = model.trace(X[:3], Y[:3], loss="cce")
    assert np.array_equal(trace[2].w, theirs.coefs_[1].T)
    before = model.evaluate(X, Y, "cce")["loss"]
    model.fit(X, Y, "cce", epochs=20, progress=False)
    assert model.evaluate(X, Y, "cce")["loss"] < before


@pytest.mark.parametrize("wrong", [None, 3, MLPClassifier(), MLPRegressor])
def test_what_is_not_fitted_is_refused(wrong):
    with pytest.raises(TypeError, match="expected a fitted MLPClassifier or MLPRegressor"):
        mlpcore.from_sklearn(wrong)


def test_what_is_no_module_of_pytorch_is_refused():
    with pytest.raises(TypeError, match="module is 3, expected a torch.nn.Sequential"):
        mlpcore.from_torch(3)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (3, TypeError, "model is 3, expected a mlpcore.Sequential"),
        (
            mlpcore.Sequential([mlpcore.Scale()], input_size=2),
            TypeError,
            r"layers.0 is Scale\(\), for which PyTorch has no module",
        ),
    ],
)
def test_what_does_not_go_to_pytorch_is_refused(model, error, message):
    with pytest.raises(error, match=message):
        mlpcore.to_torch(model)


def test_without_pytorch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"this needs torch: pip install 'mlpcore\[torch\]'"):
        mlpcore.to_torch(mlpcore.Sequential([mlpcore.Dense(1)], input_size=2))
