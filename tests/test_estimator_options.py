"""What MLPClassifier and MLPRegressor have beside scikit-learn's parameters: losses, normalization, schedules, ..."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import clone, datasets

import mlpcore
from mlpcore import LBFGS, SGD, Adam, AdamW, BatchNorm, Cosine, Dense, Huber, ReduceOnPlateau, Warmup
from mlpcore.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = datasets.load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
LABELS = np.stack([Y == 0, Y != 1], axis=1).astype(int)
NUMBERS = X[:, 0] - 0.5 * X[:, 1] ** 2
SMALL = {"hidden_layer_sizes": 12, "random_state": 0, "learning_rate_init": 0.02}


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        ("log_loss", "softmax"),
        ("categorical_crossentropy", "softmax"),
        (mlpcore.CategoricalCrossentropy(0.1), "softmax"),
        ("bce", "logistic"),
        ("focal", "logistic"),
        (mlpcore.Focal(1.0, 0.5), "logistic"),
        ("hinge", "identity"),
        ("squared_hinge", "identity"),
    ],
    ids=str,
)
def test_every_loss_of_a_right_answer_classifies(loss, activation):
    for y, names in ((Y, ["setosa", "versicolor", "virginica"]), (np.minimum(Y, 1), ["no", "yes"])):
        target = np.array(names)[y]
        early = MLPClassifier(**SMALL, loss=loss, early_stopping=True, max_iter=150).fit(X, target)
        assert early.best_validation_score_ == max(early.validation_scores_)
        fitted = MLPClassifier(**SMALL, loss=loss, max_iter=150).fit(X, target)
        assert fitted.score(X, target) > 0.93
        if len(names) == 3:
            assert fitted.out_activation_ == activation
        if activation == "identity":
            assert not hasattr(fitted, "predict_proba")
            margins = fitted.decision_function(X)
            assert margins.shape == ((150, 3) if len(names) == 3 else (150,))
            index = margins.argmax(axis=1) if len(names) == 3 else (margins > 0).astype(int)
            assert np.array_equal(fitted.classes_[index], fitted.predict(X))
        else:
            assert not hasattr(fitted, "decision_function")
            assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1)
            assert np.array_equal(fitted.classes_[fitted.predict_proba(X).argmax(axis=1)], fitted.predict(X))


@pytest.mark.parametrize("loss", ["log_loss", "bce", "focal", "hinge"])
def test_losses_of_labels(loss):
    fitted = MLPClassifier(**SMALL, loss=loss, max_iter=150).fit(X, LABELS)
    assert (fitted.predict(X) == LABELS).mean() > 0.95


def test_a_class_alone_and_label_smoothing():
    assert (MLPClassifier(**SMALL, loss="cce", max_iter=5).fit(X, Y * 0).predict(X) == 0).all()
    assert MLPClassifier(**SMALL, loss="cce", max_iter=5).fit(X, Y * 0).predict_proba(X).shape == (150, 1)
    sure, smooth = (
        MLPClassifier(**SMALL, loss=loss, max_iter=150).fit(X, Y).predict_proba(X).max(axis=1).mean()
        for loss in ("log_loss", mlpcore.CategoricalCrossentropy(0.3))
    )
    assert smooth < 0.85 < sure


@pytest.mark.parametrize("normalization", ["batch_norm", "layer_norm", "rms_norm"])
def test_normalization_stands_between_weights_and_activation(normalization):
    options = SMALL | {"hidden_layer_sizes": (12, 8), "n_iter_no_change": 150}
    fitted = MLPClassifier(**options, normalization=normalization, dropout=0.1, max_iter=150).fit(X, Y)
    assert fitted.score(X, Y) > 0.9
    kinds = [layer.kind for layer in fitted.model_.layers]
    assert kinds == 2 * ["dense", normalization, "activation", "dropout"] + ["dense"]
    assert [w.shape for w in fitted.coefs_] == [(4, 12), (12, 8), (8, 3)]
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_metrics_are_recorded():
    def largest(y, y_hat):
        return np.abs(y - y_hat).max()

    options = {**SMALL, "early_stopping": True, "max_iter": 6, "warm_start": True}
    fitted = MLPRegressor(**options, metrics=["mae", largest]).fit(X, NUMBERS)
    names = ["loss", "mae", "r2", "largest"]
    assert set(fitted.history_) == {*names, *(f"val_{name}" for name in names)}
    assert fitted.history_["val_r2"] == fitted.validation_scores_
    assert len(fitted.fit(X, NUMBERS).history_["mae"]) == 12
    assert len(fitted.validation_scores_) == len(fitted.validation_loss_curve_) == len(fitted.loss_curve_) == 12
    assert fitted.validation_loss_curve_ == [loss / 2 for loss in fitted.history_["val_loss"]]
    fitted.partial_fit(X, NUMBERS)
    assert len(fitted.history_["val_mae"]) == len(fitted.validation_scores_) == 13
    assert dict.__len__(fitted.history_) == 8
    both = MLPClassifier(**SMALL, metrics=["accuracy", "f1_macro"], max_iter=3).fit(X, Y)
    assert list(both.history_) == ["loss", "accuracy", "f1_macro"]
    assert list(both.history_.rules) == ["accuracy"]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize(
    "rate", [Cosine(0.05), Warmup(Cosine(0.05, minimum=0.01), 20), lambda epoch: 0.05 / (epoch + 1)]
)
def test_a_schedule_as_learning_rate(solver, rate):
    options = {"hidden_layer_sizes": 12, "random_state": 0, "max_iter": 30, "n_iter_no_change": 30}
    fitted = MLPRegressor(**options, solver=solver, learning_rate_init=rate).fit(X, NUMBERS)
    scale = 2.0 if solver == "sgd" else 1.0
    rates = fitted.history_["learning_rate"]
    assert max(rates) <= 0.05 / scale < 1.1 * max(rates)
    assert rates[-1] < 0.3 * max(rates)
    assert fitted.score(X, NUMBERS) > 0.5


def test_the_steps_of_a_schedule_are_those_of_the_number():
    options = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 10, "solver": "sgd"}
    for rate in (lambda epoch: 0.02, Cosine(0.02, length=10**15), Warmup(0.02, 1), ReduceOnPlateau(0.02, minimum=0.01)):
        fitted = MLPRegressor(**options, learning_rate_init=rate).fit(X, NUMBERS)
        number = MLPRegressor(**options, learning_rate_init=0.02).fit(X, NUMBERS)
        assert fitted.coefs_[0] == pytest.approx(number.coefs_[0], rel=1e-6 if isinstance(rate, Cosine) else 1e-12)


def test_an_optimizer_as_solver_is_copied_for_each_fit():
    solver = AdamW(0.02, weight_decay=0.01)
    fitted = MLPClassifier((12,), random_state=0, solver=solver, max_iter=40).fit(X, Y)
    assert solver._state == {}
    assert fitted._optimizer is not solver
    other = clone(fitted).fit(X, Y)
    assert np.array_equal(other.coefs_[0], fitted.coefs_[0])
    layers = [Dense(12, "relu", l2=0.0001 / 150, kernel_initializer="glorot_uniform")]
    layers.append(Dense(3, "softmax", l2=0.0001 / 150, kernel_initializer="glorot_uniform"))
    model = mlpcore.Sequential(layers, input_size=4, dtype="float64", seed=fitted.model_.seed)
    model.fit(X, Y, "cce", optimizer=AdamW(0.02, weight_decay=0.01), epochs=40, batch_size=150, progress=False)
    assert np.array_equal(model.layers[0].w, fitted.model_.layers[0].w)
    whole = MLPClassifier((12,), random_state=0, solver=LBFGS(), max_iter=40)
    assert whole.fit(X, Y).score(X, Y) > 0.97
    assert not hasattr(whole, "partial_fit")
    assert MLPClassifier(solver=Adam()).partial_fit(X, Y).n_iter_ == 1


def test_an_optimizer_of_ones_own_as_solver():
    class Plain(mlpcore.CustomOptimizer):
        def __init__(self, rate):
            super().__init__()
            self.rate = rate

        def step(self, w, grad, state, t):
            w -= self.rate * grad

    options = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 10}
    fitted = MLPClassifier(**options, solver=Plain(0.1)).fit(X, Y)
    engine = MLPClassifier(**options, solver=SGD(0.1)).fit(X, Y)
    assert fitted.coefs_[0] == pytest.approx(engine.coefs_[0], rel=1e-12)


def test_dtype_chooses_the_type_of_the_network():
    for data, dtype, expected in (
        (X, None, "float64"),
        (X, "float32", "float32"),
        (X.astype("f4"), None, "float32"),
        (X.astype("f4"), "float64", "float64"),
    ):
        fitted = MLPClassifier(**SMALL, dtype=dtype, max_iter=5).fit(data, Y)
        assert fitted.model_.dtype == fitted.predict_proba(data).dtype == fitted.coefs_[0].dtype == expected
        assert fitted.partial_fit(data, Y).model_.dtype == expected


def test_it_ends_where_scikit_learn_ends():
    """With the rule of scikit-learn: no loss below the best of all by tol."""
    fitted = MLPClassifier(**SMALL, max_iter=2000, tol=1e-3).fit(X, Y)
    best, waited, ends = np.inf, 0, []
    for epochs, loss in enumerate(fitted.loss_curve_, 1):
        waited = waited + 1 if loss > best - 1e-3 else 0
        best = min(best, loss)
        ends += [epochs] if waited > 10 else []
    assert ends == [fitted.n_iter_]
    assert fitted.n_iter_ < 2000
    assert fitted.best_loss_ == best
    early = MLPClassifier(**SMALL, max_iter=2000, early_stopping=True).fit(X, Y)
    assert early.best_validation_score_ == max(early.validation_scores_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "mse"}, "loss is 'mse', expected one for y of classes: 'log_loss', 'bce', 'cce', 'hinge'"),
        ({"loss": "nope"}, "loss is 'nope', expected one of 'mse'"),
        ({"normalization": "group_norm"}, "normalization is 'group_norm', expected one of 'batch_norm', 'layer_norm'"),
        ({"normalization": BatchNorm()}, "normalization is BatchNorm"),
        ({"solver": 3}, "solver is 3, expected one of 'lbfgs', 'sgd', 'adam', or an optimizer such as"),
        ({"dtype": "float16"}, "dtype is 'float16', expected 'float32' or 'float64'"),
        ({"metrics": ["r3"]}, r"metrics\[0\] is 'r3'"),
        ({"learning_rate_init": ReduceOnPlateau(0.1, monitor="val_loss")}, "expected early_stopping=True"),
        ({"solver": Adam(ReduceOnPlateau(0.1, monitor="val_loss"))}, "solver is Adam.*expected early_stopping=True"),
        (
            {"learning_rate_init": Cosine(0.1), "learning_rate": "adaptive"},
            "learning_rate is 'adaptive', expected 'con",
        ),
        ({"solver": Adam(use_ema=True), "early_stopping": True}, "expected one of them only"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**parameters).fit(X, Y)


def test_losses_that_do_not_go_with_y():
    with pytest.raises(ValueError, match="loss is 'cce', expected one for y of labels: 'log_loss', 'bce', 'hinge'"):
        MLPClassifier(loss="cce").fit(X, LABELS)
    for loss in ("cce", "gaussian_nll"):
        with pytest.raises(ValueError, match=f"loss is '{loss}', expected 'squared_error', 'poisson' or one that"):
            MLPRegressor(loss=loss).fit(X, NUMBERS)
    assert MLPRegressor(loss=Huber(0.5), hidden_layer_sizes=5, max_iter=3).fit(X, NUMBERS).predict(X).shape == (150,)
    with pytest.raises(ValueError, match="Cosine.* has no length, which only fit knows"):
        MLPClassifier(learning_rate_init=Cosine(0.1)).partial_fit(X, Y)
