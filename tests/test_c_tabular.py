"""Tabular estimators as C: the preparation of columns, labels, classes, and the bits of what they predict."""

import ctypes
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from c_models import compile_c
from c_targets import TARGETS, call, run_elsewhere

from mlpcore import to_c

pytest.importorskip("sklearn")

from sklearn.exceptions import NotFittedError

from mlpcore.export import c_tabular
from mlpcore.sklearn import MLPClassifier, TabularClassifier, TabularRegressor
from mlpcore.sklearn.preprocessing import Category, Column

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
LABELS = ["Rome", "Oslo", '"?*/', "/* ??/ \\", "é\n\t", "??="]
SMALL = {"hidden_layer_sizes": (8, 6), "max_iter": 3, "random_state": 1}


def frame_of(n=240, seed=0):
    """A frame with columns of all kinds but dates."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "ci*/ty": rng.choice(LABELS, n),
            "many": rng.permutation(np.arange(n) % 60).astype(str),
            "const": 1,
            "flag": rng.random(n) < 0.5,
            "count": rng.integers(0, 4, n),
            "wide": rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-12, 12, n),
            "yes": rng.choice(["no", "yes"], n),
        }
    )
    frame.loc[rng.choice(n, 9, replace=False), "age"] = np.nan
    frame.loc[rng.choice(n, 9, replace=False), "ci*/ty"] = None
    return frame


def rows_of(library, frame, name="model"):
    """The rows of a frame as C takes them; whatever is no number is looked up."""
    find = getattr(library, f"{name}_label", None)
    if find is not None:
        find.restype, find.argtypes = ctypes.c_double, [ctypes.c_int, ctypes.c_char_p]
    x = np.zeros(frame.shape)
    for j, column in enumerate(frame):
        values = frame[column]
        if values.dtype.kind == "M":
            x[:, j] = (values - pd.Timestamp("1970-01-01")) / pd.Timedelta("1s")
        elif values.dtype.kind in "iuf":
            x[:, j] = values
        else:
            x[:, j] = [find(j, None if pd.isna(each) else str(each).encode()) for each in values]
    return x


def predict(library, x, outputs, dtype):
    y = np.full((len(x), outputs), np.nan, dtype)
    pairs = zip(x, y, strict=True)
    codes = [library.model_predict(*(ctypes.c_void_p(each.ctypes.data) for each in pair)) for pair in pairs]
    return codes, y


@pytest.mark.parametrize(("n_ensemble", "classes"), [(1, ["no", "yes"]), (3, [-2, 0, 7])])
def test_a_classifier_has_the_bits_of_predict_proba(n_ensemble, classes, tmp_path):
    frame = frame_of()
    y = np.array(classes)[(frame["count"] + frame["flag"]) % len(classes)]
    estimator = TabularClassifier(n_ensemble=n_ensemble, **SMALL).fit(frame, y)
    kinds = {each.kind for each in estimator.columns_.columns}
    assert kinds == {"numeric", "category", "embedded", "left out"}
    library = compile_c(to_c(estimator), tmp_path, "-O1")
    new = frame_of(seed=1)
    new.loc[:4, "ci*/ty"] = "nowhere"
    new.loc[:4, "many"] = "61"
    new.loc[5:9, "count"] = 99
    new.loc[10:14, "wide"] = [1e308, -1e308, 1e-320, 0.0, -0.0]  # the first two count as less
    codes, p = predict(library, rows_of(library, new), len(estimator.classes_), np.float32)
    assert codes == [0] * len(new)
    expected = estimator.predict_proba(new)
    assert expected.dtype == np.float32
    assert (p.view(np.uint32) == expected.view(np.uint32)).all()
    names = (ctypes.c_char_p * len(classes)).in_dll(library, "model_class_names")
    found = [library.model_class(ctypes.c_void_p(row.ctypes.data)) for row in p]
    assert [names[k].decode() for k in found] == [str(each) for each in estimator.predict(new)]


@pytest.mark.parametrize("n_ensemble", [1, 2])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_regressor_has_the_bits_of_predict(n_ensemble, outputs, tmp_path):
    frame = frame_of()
    y = 1e3 + 50 * np.random.default_rng(2).normal(size=(len(frame), outputs))
    y[:, 0] += np.nan_to_num(frame["age"])
    estimator = TabularRegressor(n_ensemble=n_ensemble, interval=0.8, **SMALL).fit(frame, y if outputs > 1 else y[:, 0])
    library = compile_c(to_c(estimator), tmp_path, "-O1")
    codes, found = predict(library, rows_of(library, frame), outputs, np.float64)
    assert codes == [0] * len(frame)
    expected = estimator.predict(frame).reshape(len(frame), outputs)
    assert (found.view(np.uint64) == expected.view(np.uint64)).all()
    assert not hasattr(library, "model_class")


@pytest.mark.parametrize("target", TARGETS)
def test_the_bits_on_other_processors(target, tmp_path):
    frame = frame_of()
    classifier = TabularClassifier(n_ensemble=2, **SMALL).fit(frame, frame["flag"])
    regressor = TabularRegressor(n_ensemble=1, **SMALL).fit(frame, frame["age"].fillna(0))
    x = rows_of(compile_c(to_c(classifier), tmp_path), frame)
    calls = [call("a", x, classifier.predict_proba(frame)), call("b", x, regressor.predict(frame)[:, None])]
    run_elsewhere(target, to_c(classifier, name="a") + to_c(regressor, name="b"), calls, tmp_path)


def test_networks_of_few_rows_compute_in_float64(tmp_path):
    frame = frame_of(40)
    estimator = TabularClassifier(n_ensemble=2, **SMALL).fit(frame, frame["flag"])
    assert estimator.models_[0].dtype == "float64"
    text = to_c(estimator)
    assert "int model_class(const double *y);" in text
    library = compile_c(text, tmp_path)
    codes, p = predict(library, rows_of(library, frame), 2, np.float64)
    assert codes == [0] * 40
    assert (p == estimator.predict_proba(frame)).all()
    _, off = predict(
        compile_c(to_c(estimator, weights="int8"), tmp_path, name="int8"), rows_of(library, frame), 2, np.float64
    )
    assert 0 < np.abs(off - p).max() < 0.05


def test_arrays_and_columns_without_labels(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    estimator = TabularRegressor(n_ensemble=1, **SMALL).fit(X, X[:, 0])
    library = compile_c(to_c(estimator), tmp_path)
    codes, found = predict(library, X, 1, np.float64)
    assert codes == [0] * 100
    assert (found[:, 0] == estimator.predict(X)).all()
    assert not hasattr(library, "model_label")


def test_dates_differ_in_the_last_digits_at_most(tmp_path):
    rng = np.random.default_rng(0)
    days = pd.to_datetime("2019-03-01") + pd.to_timedelta(rng.integers(0, 900 * 86400, 300), unit="s")
    frame = pd.DataFrame({"day": days, "year": days.year})
    frame.loc[:5, "day"] = pd.NaT
    estimator = TabularRegressor(n_ensemble=1, **SMALL).fit(frame, days.day_of_week)
    assert estimator.columns_.columns[0].periods == ("year", "week", "day")
    text = to_c(estimator)
    assert "Sine and cosine of a date are the C library's" in text
    library = compile_c(text, tmp_path)
    codes, found = predict(library, rows_of(library, frame), 1, np.float64)
    assert codes == [0] * 300
    np.testing.assert_allclose(found[:, 0], estimator.predict(frame), rtol=1e-5)


def test_what_is_no_value_of_a_column_gets_its_number(tmp_path):
    frame = frame_of()
    estimator = TabularClassifier(n_ensemble=1, **SMALL).fit(frame, frame["flag"])
    library = compile_c(to_c(estimator), tmp_path)
    x = rows_of(library, frame)[:1]
    for column, values in {0: [np.inf, -np.inf], 1: [-2, 7, 0.5, np.inf], 2: [60, -1.5], 4: [2], 6: [np.inf]}.items():
        for value in values:
            bad = x.copy()
            bad[0, column] = value
            codes, y = predict(library, bad, 2, np.float32)
            assert codes == [column + 1], (column, value)
            assert np.isnan(y).all()
    x[0, [3, 5]] = np.inf, np.nan  # one is not read, the other is missing
    assert predict(library, x, 2, np.float32)[0] == [0]
    find = library.model_label
    assert [find(1, None), find(1, b"Oslo"), find(1, b"oslo"), find(2, None), find(0, b"1"), find(99, b"1")] == [
        estimator.columns_.columns[1].labels.index(None),
        estimator.columns_.columns[1].labels.index("Oslo"),
        *[-1] * 4,
    ]


def test_weights_of_8_bits(tmp_path):
    frame = frame_of()
    estimator = TabularClassifier(n_ensemble=2, **SMALL).fit(frame, frame["flag"])
    text = to_c(estimator, weights="int8")
    library = compile_c(text, tmp_path)
    codes, p = predict(library, rows_of(library, frame), 2, np.float32)
    assert codes == [0] * len(frame)
    off = np.abs(p - estimator.predict_proba(frame)).max()
    assert 0 < off < 0.05
    assert "those of TabularClassifier.predict_proba, but that the weights" in re.sub(r"\s+(\* )?", " ", text)
    with pytest.raises(ValueError, match="weights is 'float64', expected 'float32'"):
        to_c(estimator, weights="float64")


def test_the_comment_tells_of_each_column():
    frame = frame_of()
    text = to_c(TabularClassifier(n_ensemble=2, **SMALL).fit(frame, frame["flag"]), name="tab")
    head = text[: text.index("*/")]
    assert 'x[0]  "age": a number, or NAN if it is missing' in head
    assert 'x[1]  "ci* /ty": tab_label(1, ...) of one of "\\"\\?* /", ' in head
    assert 'x[2]  "many": tab_label(2, ...) of one of "0", "1", "10", "11", "12" ... (60 labels)' in head
    assert 'x[3]  "const": not read' in head
    assert "The mean of 2 networks" in head
    assert "int tab_class(const float *y);" in head


@pytest.mark.parametrize("kind", [*Column.__subclasses__(), *Category.__subclasses__()])
def test_every_kind_of_column_is_written(kind):
    assert callable(getattr(c_tabular._Columns, f"_{kind.kind.replace(' ', '_')}"))


def test_refusals():
    with pytest.raises(NotFittedError):
        to_c(TabularClassifier())
    with pytest.raises(TypeError, match="of another estimator of mlpcore.sklearn its model_"):
        to_c(MLPClassifier())
    frame = pd.DataFrame({"a\0": ["x", "y\0", "z"] * 10})
    estimator = TabularClassifier(n_ensemble=1, **SMALL).fit(frame, [0, 1, 0] * 10)
    with pytest.raises(ValueError, match="holds the character 0, which ends a text in C"):
        to_c(estimator)
