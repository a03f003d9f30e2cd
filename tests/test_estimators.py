"""MLPClassifier and MLPRegressor: scikit-learn's checks, its own tests of its MLP, and what is ours."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
from sklearn import clone, config_context, datasets
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.neural_network.tests import test_mlp
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import mlpcore
from mlpcore.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
NUMBERS = X[:, :1] - 0.5 * X[:, 1:2] ** 2

OURS = {"dropout", "normalization", "metrics", "callbacks", "dtype"}

# Tests of scikit-learn's file that ask for what its own class keeps privately, or for what we do otherwise.
NOT_THEIRS = {
    "test_fit": "sets coefs_ and the private state of an estimator that was never fitted",
    "test_gradient": "calls _backprop",
    "test_learning_rate_warmstart": "reads _optimizer.learning_rate, which is a schedule here",
    "test_adaptive_learning_rate": "reads _optimizer.learning_rate, which is a schedule here",
    "test_mlp_partial_fit_after_fit": "wants partial_fit refused with early_stopping=True; here they go together",
}


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_scikit_learns_own_tests(tmp_path):
    """Its file of tests, with our classes in the place of its own."""
    theirs = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
    with open(test_mlp.__file__, encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    assert theirs in text
    path = tmp_path / "test_theirs.py"
    path.write_text(text.replace(theirs, "from mlpcore.sklearn import MLPClassifier, MLPRegressor"), encoding="utf-8")
    seed = "import pytest\n\n\n@pytest.fixture\ndef global_random_seed():\n    return 42\n"  # of its conftest.py
    (tmp_path / "conftest.py").write_text(seed, encoding="utf-8")
    known = [name for name in NOT_THEIRS if f"def {name}(" in text]
    unwanted = " or ".join(f"({name} and not {name}_)" for name in known)
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-W",
        "ignore",
        "-p",
        "no:cacheprovider",
        "-k",
        f"not ({unwanted})",
    ]
    ran = subprocess.run([*command, str(path)], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert " passed" in ran.stdout


def test_the_parameters_are_theirs_with_the_same_defaults():
    for ours, theirs, more in (
        (MLPClassifier(), Theirs(), OURS | {"loss", "class_weight"}),
        (MLPRegressor(), TheirRegressor(), OURS),
    ):
        parameters = ours.get_params()
        assert set(parameters) - set(theirs.get_params()) == more
        assert {name: parameters[name] for name in theirs.get_params()} == theirs.get_params()


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_it_learns_as_well_as_theirs(solver):
    options = {"solver": solver, "hidden_layer_sizes": 30, "random_state": 1, "max_iter": 600}
    ours, theirs = MLPClassifier(**options).fit(X, Y), Theirs(**options).fit(X, Y)
    assert ours.score(X, Y) >= theirs.score(X, Y) - 0.03
    assert [w.shape for w in ours.coefs_] == [w.shape for w in theirs.coefs_]
    assert (ours.out_activation_, ours.n_layers_, ours.n_outputs_) == ("softmax", 3, 3)
    ours, theirs = MLPRegressor(**options).fit(X, NUMBERS.ravel()), TheirRegressor(**options).fit(X, NUMBERS.ravel())
    assert ours.score(X, NUMBERS) >= theirs.score(X, NUMBERS) - 0.05


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("out", [1, 3])
def test_the_steps_of_sgd_are_theirs(momentum, out):
    """From the same weights, with the whole data as a batch: the same weights after some steps, penalty included."""
    options = {
        "solver": "sgd",
        "hidden_layer_sizes": (5,),
        "activation": "tanh",
        "alpha": 0.3,
        "shuffle": False,
        "momentum": momentum,
        "batch_size": 150,
        "max_iter": 1,
        "warm_start": True,
        "random_state": 3,
    }
    y = np.hstack([NUMBERS, X[:, :2]])[:, :out]
    y = y.ravel() if out == 1 else y
    ours, theirs = MLPRegressor(**options).fit(X, y), TheirRegressor(**options).fit(X, y)
    for mine, others in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        mine[...] = others
    ours._optimizer = ours._optimizer.__class__(
        ours.learning_rate_init * out / 2, momentum=momentum, nesterov=momentum > 0
    )
    fresh = TheirRegressor(**options).fit(X, y)
    fresh.coefs_, fresh.intercepts_ = [w.copy() for w in theirs.coefs_], [b.copy() for b in theirs.intercepts_]
    fresh._optimizer = type(theirs._optimizer)(fresh.coefs_ + fresh.intercepts_, 0.001, "constant", momentum, True, 0.5)
    fresh._optimizer.velocities = [np.zeros_like(p) for p in fresh.coefs_ + fresh.intercepts_]
    ours.set_params(max_iter=4).fit(X, y)
    for _ in range(4):
        fresh.partial_fit(X, y)
    for mine, others in zip(ours.coefs_, fresh.coefs_, strict=True):
        assert mine == pytest.approx(others, rel=1e-9, abs=1e-12)
    penalty = 0.5 * 0.3 * sum((w**2).sum() for w in fresh.coefs_) / len(X)
    assert ours.loss_ == pytest.approx(fresh.loss_ - penalty, abs=2e-3)


def test_curves_and_counts():
    fitted = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=30).fit(X, Y)
    assert len(fitted.loss_curve_) == fitted.n_iter_ == 30
    assert fitted.t_ == 30 * 150
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    assert fitted.loss_ == fitted.loss_curve_[-1]
    early = MLPClassifier(hidden_layer_sizes=8, random_state=0, early_stopping=True, max_iter=400).fit(X, Y)
    assert early.n_iter_ == len(early.validation_scores_) == len(early.validation_loss_curve_) < 400
    assert early.best_validation_score_ == max(early.validation_scores_)
    assert early.best_loss_ is None


def test_strings_classes_of_some_weights_and_options_of_ours():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    seen = []
    fitted = MLPClassifier(
        (16, 8), ["gelu", mlpcore.LeakyReLU(0.1)], random_state=0, dropout=0.1, class_weight="balanced", max_iter=60,
        callbacks=[lambda model, epoch, logs: seen.append(epoch)],
    ).fit(X[:120], names[:120])  # fmt: skip
    assert list(fitted.classes_) == ["setosa", "versicolor", "virginica"]
    assert len(seen) == 60
    assert fitted.score(X, names) > 0.85
    assert fitted.predict_log_proba(X) == pytest.approx(np.log(fitted.predict_proba(X)))
    weighted = MLPClassifier(random_state=0, max_iter=200).fit(X, Y, sample_weight=(Y != 1).astype(float))
    assert not (weighted.predict(X) == 1).any()


def test_pickles_clones_searches_and_pipelines():
    fitted = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=20).fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert np.array_equal(clone(fitted).fit(X, Y).predict_proba(X), fitted.predict_proba(X))
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MLPClassifier(max_iter=40, random_state=0)),
        {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__hidden_layer_sizes": [4, 20]},
        cv=2,
        n_jobs=2,
    ).fit(X, Y)
    assert search.best_score_ > 0.7
    threads = joblib.Parallel(n_jobs=2)(joblib.delayed(mlpcore.get_num_threads)() for _ in range(2))
    assert threads == 2 * [max(1, joblib.cpu_count() // 2)]  # all workers together have a thread for each core
    with config_context(enable_metadata_routing=True):
        routed = MLPRegressor(max_iter=5).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        assert len(cross_val_score(routed, X, NUMBERS.ravel(), params={"sample_weight": np.ones(150)}, cv=2)) == 2


def test_float32_stays_float32_and_sparse_is_taken():
    sparse = pytest.importorskip("scipy.sparse")
    fitted = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=20).fit(X.astype(np.float32), Y)
    assert fitted.coefs_[0].dtype == np.float32
    assert fitted.predict_proba(X.astype(np.float32)).dtype == np.float32
    rows = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=20).fit(sparse.csr_matrix(X), Y)
    dense = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=20).fit(X, Y)
    assert np.array_equal(rows.predict_proba(sparse.csc_matrix(X)), dense.predict_proba(X))


def test_warm_start_goes_on_with_the_optimizer():
    warm = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=5, warm_start=True, tol=0)
    warm.fit(X, Y).fit(X, Y)
    whole = MLPClassifier(hidden_layer_sizes=8, random_state=0, max_iter=10, tol=0).fit(X, Y)
    assert np.array_equal(warm.coefs_[0], whole.coefs_[0])
    assert warm.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"solver": "newton"}, ValueError, "solver is 'newton', expected one of 'lbfgs', 'sgd', 'adam'"),
        ({"learning_rate": "fast"}, ValueError, "learning_rate is 'fast'"),
        ({"hidden_layer_sizes": (3, 0)}, ValueError, r"hidden_layer_sizes\[1\] is 0"),
        ({"hidden_layer_sizes": -1}, ValueError, r"hidden_layer_sizes\[0\] is -1"),
        ({"activation": "nope"}, ValueError, "activation is 'nope', expected one of"),
        ({"activation": ["relu", "tanh"]}, ValueError, "activation has 2 entries, expected 1"),
        ({"alpha": -1}, ValueError, "alpha is -1"),
        ({"max_iter": 0}, ValueError, "max_iter is 0"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction is 1.0"),
        ({"learning_rate_init": -1}, ValueError, "learning_rate_init is -1"),
        ({"tol": "small"}, TypeError, "tol is 'small'"),
        ({"shuffle": "yes"}, TypeError, "shuffle is 'yes'"),
        ({"dropout": 1.5}, ValueError, "dropout is 1.5"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        MLPClassifier(**parameters).fit(X, Y)


def test_other_wrong_uses():
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)
    assert not hasattr(MLPClassifier(), "coefs_")
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(ValueError, match="classes that the first call did not name"):
        MLPClassifier().partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
            MLPClassifier(max_iter=3).fit(X, Y)


def test_without_scikit_learn_the_extra_is_named():
    code = "import sys; sys.modules['sklearn'] = None; import mlpcore.sklearn"
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert ran.returncode != 0
    assert "pip install 'mlpcore[sklearn]'" in ran.stderr
