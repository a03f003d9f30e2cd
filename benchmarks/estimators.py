"""Cross-validation and grid search on handwritten digits: mlpcore's MLPClassifier beside scikit-learn's.

Each search runs in a process of its own, which has imported everything and started its workers before the time is
taken. The processes take turns, and the least time of each counts: other work on the machine makes times longer only.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from argparse import ArgumentParser
from typing import Any

import numpy as np

import report
from worker import thread_settings

GRID: dict[str, list[Any]] = {
    "mlp__hidden_layer_sizes": [(32,), (64,), (100,), (64, 32)],
    "mlp__alpha": [1e-4, 1e-2],
    "mlp__learning_rate_init": [1e-3, 3e-3, 1e-2],
}
STATES = 5  # of the random numbers, on which accuracies depend by half a percent
QUICK_GRID = {name: values[:1] for name, values in GRID.items()}
WHO = {
    "mlpcore": "mlpcore, float64",
    "mlpcore32": 'mlpcore, dtype="float32"',
    "sklearn": "scikit-learn",
}
SEARCHES = {"cv": "5-fold cross-validation", "grid": "grid search, 24 candidates, 3 folds"}


def estimator(who: str, quick: bool) -> Any:
    """Return the pipeline that is searched: scikit-learn's defaults, but for the most epochs."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    options: dict[str, Any] = {"random_state": 0, "max_iter": 5 if quick else 400}
    if who == "sklearn":
        from sklearn.neural_network import MLPClassifier as Theirs

        mlp = Theirs(**options)
    else:
        from mlpcore.sklearn import MLPClassifier

        mlp = MLPClassifier(**options, dtype="float32" if who == "mlpcore32" else None)
    return Pipeline([("scale", StandardScaler()), ("mlp", mlp)])


def search(who: str, what: str, jobs: int, quick: bool) -> dict[str, float]:
    """Return how long all states take, the CPU time of this process meanwhile, and the mean accuracy that is found."""
    import joblib
    from sklearn.base import clone
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV, cross_val_score

    warnings.simplefilter("ignore")
    X, y = load_digits(return_X_y=True)
    pipeline = estimator(who, quick)
    joblib.Parallel(jobs)(joblib.delayed(clone(pipeline).set_params(mlp__max_iter=2).fit)(X, y) for _ in range(4))
    begin, cpu = time.perf_counter(), time.process_time()
    accuracies = []
    for state in range(1 if quick else STATES):
        each = clone(pipeline).set_params(mlp__random_state=state)
        if what == "cv":
            accuracies.append(cross_val_score(each, X, y, cv=5, n_jobs=jobs).mean())
        else:
            grid = QUICK_GRID if quick else GRID
            accuracies.append(GridSearchCV(each, grid, cv=3, n_jobs=jobs, refit=False).fit(X, y).best_score_)
    took = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    return took | {"accuracy": float(np.mean(accuracies))}


def turn(who: str, what: str, jobs: int, quick: bool) -> dict[str, float]:
    """Return the same of a process of its own."""
    command = [sys.executable, __file__, "--search", who, what, str(jobs), *(["--quick"] if quick else [])]
    environment = os.environ | (thread_settings(1) if jobs == 1 else {})  # joblib sets it for its workers
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def measure(who: list[str], rounds: int, quick: bool) -> tuple[str, Any]:
    """Return the table, and the numbers in it."""
    rows, data = [], []
    for what, jobs in [("cv", 1), ("grid", 2)] if quick else [("cv", 1), ("cv", 2), ("grid", 1), ("grid", 2)]:
        turns: dict[str, list[dict[str, float]]] = {each: [] for each in who}
        for _ in range(rounds):
            for each in who:
                turns[each].append(turn(each, what, jobs, quick))
        clock = "cpu" if jobs == 1 else "seconds"
        least = {each: min(took[clock] for took in turns[each]) for each in who}
        for each in who:
            accuracy = turns[each][0]["accuracy"]
            lead = f"{least['sklearn'] / least[each]:.1f}" if "sklearn" in least else ""
            rows.append([SEARCHES[what], str(jobs), WHO[each], report.digits(least[each]), lead, f"{accuracy:.4f}"])
            data.append({"search": what, "jobs": jobs, "who": each, clock: least[each], "accuracy": accuracy})
    header = ["search on digits", "n_jobs", "MLPClassifier of", "s", "times as fast", "accuracy"]
    text = (
        f"StandardScaler before it, max_iter=400, {1 if quick else STATES} random states: the time of all, the mean of "
        f"their accuracies; least of {rounds} turns. With n_jobs=1 seconds of "
        "CPU of one thread, with n_jobs=2 of the clock, workers having been started before.\n\n"
    )
    return text + report.table(header, rows), data


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    parser: ArgumentParser = report.parser(__doc__, ["mlpcore", "sklearn"])
    parser.add_argument("--search", nargs=3, help="one of them: who, what, n_jobs")
    options = report.options(parser)
    if options.search:
        who, what, jobs = options.search
        print(json.dumps(search(who, what, int(jobs), options.quick)))
        return
    who = [each for each in WHO if each != "sklearn" or "sklearn" in options.peers]
    text, data = measure(who, min(options.rounds, 3), options.quick)
    report.write(options.output, "estimators", "Estimators", text, data)


if __name__ == "__main__":
    main()
