"""Metrics against scikit-learn's, on random answers with ties and weights, where the two mean the same."""

import math

import numpy as np
import pytest

import mlpcore

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed: pip install scikit-learn")

SHARES = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}


def measured(y_hat, y, loss, names, weight):
    model = mlpcore.Sequential([mlpcore.Activation("linear")], input_size=y_hat.shape[1], dtype="float64")
    return model.evaluate(y_hat, y, loss, sample_weight=weight, metrics=names)


def drawn(kind, seed):
    """Outputs of few digits, y as each library takes it, answers, and weights."""
    random = np.random.default_rng(seed)
    n = int(random.integers(20, 200))
    w = random.uniform(0.1, 3, n)
    if kind == "classes":
        y_hat = random.uniform(0.05, 1, (n, 4)).round(2)
        y_hat /= y_hat.sum(axis=1, keepdims=True)
        y = np.r_[0:4, random.integers(0, 4, n - 4)]
        return y_hat, y, y_hat.argmax(axis=1), w
    out = 1 if kind == "binary" else 3
    y_hat = random.uniform(0.05, 0.95, (n, out)).round(2)
    y = random.integers(0, 2, (n, out))
    y[:2] = [[0], [1]]
    return (y_hat, y[:, 0], y_hat[:, 0] > 0.5, w) if kind == "binary" else (y_hat, y, y_hat > 0.5, w)


@pytest.mark.parametrize("kind", ["binary", "classes", "labels"])
@pytest.mark.parametrize("seed", range(10))
def test_shares_areas_and_log_losses_are_scikit_learn_s(kind, seed):
    y_hat, y, answer, w = drawn(kind, seed)
    averages = ["macro", "micro"] + ["binary"] * (kind == "binary")
    want = {
        name if average == "binary" else f"{name}_{average}": share(
            y, answer, average=average, sample_weight=w, zero_division=0
        )
        for name, share in SHARES.items()
        for average in averages
    }
    scores = y_hat[:, 0] if kind == "binary" else y_hat
    weight = {"sample_weight": w}
    if kind == "classes":
        area = metrics.roc_auc_score(y, y_hat, multi_class="ovr", average="macro", **weight)
        want |= {"roc_auc_ovr": area, "accuracy": metrics.accuracy_score(y, answer, **weight)}
        want |= {"log_loss": metrics.log_loss(y, y_hat, **weight)}
        want |= {"balanced_accuracy": metrics.balanced_accuracy_score(y, answer, **weight)}
    elif kind == "binary":
        want |= {"roc_auc": metrics.roc_auc_score(y, scores, **weight)}
        want |= {"log_loss": metrics.log_loss(y, scores, **weight)}
        want |= {"accuracy": metrics.accuracy_score(y, answer, **weight)}
        want |= {"balanced_accuracy": metrics.balanced_accuracy_score(y, answer, **weight)}
    else:
        want |= {"roc_auc_ovr": metrics.roc_auc_score(y, scores, **weight)}
    found = measured(y_hat, y, "cce" if kind == "classes" else "bce", list(want), w)
    for name, value in want.items():
        assert found[name] == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("out", [1, 3])
def test_errors_are_scikit_learn_s(out):
    random = np.random.default_rng(out)
    y, y_hat, w = random.normal(size=(100, out)), random.normal(size=(100, out)), random.uniform(0.1, 2, 100)
    found = measured(y_hat, y, "mse", ["mae", "rmse", "r2"], w)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(y, y_hat, sample_weight=w), rel=1e-12)
    assert found["r2"] == pytest.approx(metrics.r2_score(y, y_hat, sample_weight=w), rel=1e-12)
    assert found["rmse"] == pytest.approx(math.sqrt(metrics.mean_squared_error(y, y_hat, sample_weight=w)), rel=1e-12)


def test_top_k_is_scikit_learn_s_without_ties():
    random = np.random.default_rng(3)
    y_hat, y, w = random.normal(size=(300, 6)), random.integers(0, 6, 300), random.uniform(0.1, 2, 300)
    for k in range(1, 6):
        found = measured(y_hat, y, "cce", [mlpcore.TopKAccuracy(k)], w)[f"top_k_accuracy({k})"]
        want = metrics.top_k_accuracy_score(y, y_hat, k=k, sample_weight=w, labels=range(6))
        assert found == pytest.approx(want, rel=1e-12)


def test_values_at_edges_are_scikit_learn_s():
    for y, y_hat in (([0, 0], [0.1, 0.2]), ([0, 0], [0.9, 0.2]), ([1, 1], [0.1, 0.2]), ([1, 1], [0.9, 0.8])):
        answer = np.array(y_hat) > 0.5
        found = measured(np.array(y_hat)[:, np.newaxis], y, "bce", ["precision", "recall", "f1", "f1_macro"], None)
        for name, share in SHARES.items():
            assert found[name] == share(y, answer, zero_division=0), name
        assert found["f1_macro"] == metrics.f1_score(y, answer, average="macro", zero_division=0)
    for y, y_hat in (([3, 3], [3, 3]), ([3, 3], [3, 4])):
        assert measured(np.array(y_hat)[:, np.newaxis], y, "mse", ["r2"], None)["r2"] == metrics.r2_score(y, y_hat)
