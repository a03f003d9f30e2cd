"""Draw the pictures of docs/plots.md: `make docs-plots`."""

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from mlpcore import Adam, Dense, Sequential
from mlpcore.plot import (
    BoundaryRecorder,
    CalibrationDisplay,
    ConfusionMatrixDisplay,
    DecisionBoundaryDisplay,
    LossCurveDisplay,
    LossSurfaceDisplay,
    NetworkDisplay,
    PartialDependenceDisplay,
    PathRecorder,
    ResidualsDisplay,
    SignalDisplay,
    SignalRecorder,
    WeightsDisplay,
)
from mlpcore.sklearn import MLPClassifier, MLPRegressor

DPI = 80


def spirals() -> tuple[np.ndarray, np.ndarray]:
    """Return three arms of 60 points each, and their numbers."""
    rng, arm, radius = np.random.default_rng(0), np.repeat([0, 1, 2], 60), np.tile(np.linspace(0.1, 1, 60), 3)
    angle = 4 * radius + 2.1 * arm
    X = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]) + rng.normal(0, 0.04, (180, 2))
    order = rng.permutation(180)
    return X[order], arm[order]


def main(folder: Path) -> None:
    """Draw all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)

    def keep(display: object, name: str) -> None:
        display.figure_.savefig(folder / f"{name}.png", dpi=DPI, metadata={"Software": None})
        plt.close("all")

    small = Sequential([Dense(3, "tanh"), Dense(2, "tanh"), Dense(1, "sigmoid")], input_size=2, seed=1)
    small.forward([[0.27, -0.46]])
    small.backward([[1]], "bce")
    keep(NetworkDisplay.from_model(small), "forward")
    keep(NetworkDisplay.from_model(small, "backward"), "backward")

    X, y = spirals()
    model = Sequential([Dense(16, "tanh"), Dense(16, "tanh"), Dense(3, "softmax")], input_size=2, seed=2)
    boundary, path, signals = BoundaryRecorder(X, y, every=12), PathRecorder(model), SignalRecorder(X, y, "cce")
    callbacks = [boundary, path, signals]
    history = model.fit(
        X, y, "cce", optimizer=Adam(0.01), epochs=120, validation_split=0.2, callbacks=callbacks, progress=False
    )
    keep(history.plot(), "history")
    keep(DecisionBoundaryDisplay.from_model(model, X, y), "boundary")
    keep(LossSurfaceDisplay.from_model(model, X, y, "cce", path=path), "surface")
    keep(SignalDisplay.from_recorder(signals), "signals")
    boundary.save(folder / "boundary.gif")
    plt.close("all")

    keep(SignalDisplay.from_choices(X, y, "cce", output="softmax"), "choices")

    images, digits = load_digits(return_X_y=True)
    reader = Sequential([Dense(16, "relu"), Dense(10, "softmax")], seed=1)
    reader.fit(images / 16, digits, "cce", epochs=30, progress=False)
    keep(WeightsDisplay.from_model(reader, shape=(8, 8)), "weights")

    of_estimators(folder)

    with plt.style.context("dark_background"):
        keep(DecisionBoundaryDisplay.from_model(model, X, y), "boundary-dark")


def of_estimators(folder: Path) -> None:
    """Draw how good the predictions of a classifier and of a regressor are."""
    images, digits = load_digits(return_X_y=True)
    classifier = MLPClassifier(early_stopping=True, max_iter=100, random_state=0)
    classifier.fit(images[:1200] / 16, digits[:1200])
    unseen = images[1200:] / 16, digits[1200:]
    figure, axes = plt.subplots(1, 3, figsize=(14.5, 4.4), layout="constrained")
    LossCurveDisplay.from_estimator(classifier, ax=axes[0])
    ConfusionMatrixDisplay.from_estimator(classifier, *unseen, ax=axes[1])
    CalibrationDisplay.from_estimator(classifier, *unseen, ax=axes[2])
    figure.savefig(folder / "classifier.png", dpi=DPI, metadata={"Software": None})

    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X, y = X * 20, y / 100
    regressor = MLPRegressor(early_stopping=True, max_iter=300, learning_rate_init=0.01, random_state=0)
    regressor.fit(X[:300], y[:300])
    figure, axes = plt.subplots(1, 3, figsize=(14.5, 4.4), layout="constrained", width_ratios=[1, 1, 1.6])
    ResidualsDisplay.from_estimator(regressor, X[300:], y[300:], ax=axes[0])
    ResidualsDisplay.from_estimator(regressor, X[300:], y[300:], kind="actual_vs_predicted", ax=axes[1])
    PartialDependenceDisplay.from_estimator(regressor, X[300:], ["bmi", "s5"], ax=axes[2])
    figure.savefig(folder / "regressor.png", dpi=DPI, metadata={"Software": None})
    plt.close("all")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "plots")
