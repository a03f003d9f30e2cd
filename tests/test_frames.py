"""Columns of tables from NumPy, pandas, Polars and lists: the same values from all of them."""

import datetime

import numpy as np
import pandas
import polars
import pytest

pytest.importorskip("sklearn")

from mlpcore.sklearn import frames

LIBRARIES = [pandas.DataFrame, polars.DataFrame]
DATES = [datetime.datetime(2020, 1, 1, 5), None, datetime.datetime(2021, 2, 3)]


@pytest.fixture(params=LIBRARIES, ids=lambda make: make.__module__.partition(".")[0])
def frame(request):
    return request.param(
        {
            "whole": [1, 2, 3],
            "gaps": [1.5, None, 2.5],
            "text": ["a", None, "b"],
            "flag": [True, False, True],
            "when": DATES,
        }
    )


def test_a_frame_tells_the_kinds(frame):
    assert frames.names_of(frame) == ["whole", "gaps", "text", "flag", "when"]
    found = [frames.values_of(column) for column in frames.columns_of(frame)]
    assert [each.kind for each in found] == ["numeric", "numeric", "category", "category", "date"]
    assert found[0].values.tolist() == [1, 2, 3]
    assert np.array_equal(found[1].values, [1.5, np.nan, 2.5], equal_nan=True)
    assert found[2].values.tolist() == ["a", None, "b"]
    assert found[3].values.tolist() == ["True", "False", "True"]
    assert found[4].values[0] == np.datetime64("2020-01-01T05")
    assert np.isnat(found[4].values[1])


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([1, None, 3], "Int64", "numeric"),
        ([1.5, None], "Float32", "numeric"),
        ([True, None, False], "boolean", "category"),
        (["a", None], "string", "category"),
        (["a", "b"], "category", "category"),
        ([3, 1, 3], "category", "category"),
        (DATES, "datetime64[ns, Europe/Berlin]", "date"),
        ([1, 2], "uint8", "numeric"),
        (pandas.to_timedelta([1, 2], unit="s"), "timedelta64[ns]", "numeric"),
    ],
)
def test_types_of_pandas(values, dtype, kind):
    found = frames.values_of(pandas.Series(values, dtype=dtype))
    assert found.kind == kind
    missing = [value is None for value in values]
    if kind == "numeric":
        assert np.isnan(found.values).tolist() == missing
    elif kind == "category":
        assert [value is None for value in found.values] == missing


def test_labels_of_a_category_are_texts_even_if_they_are_numbers():
    assert frames.values_of(pandas.Series([3, 1, 3], dtype="category")).values.tolist() == ["3", "1", "3"]


def test_types_of_polars():
    for dtype in (polars.Categorical, polars.Enum(["a", "b"]), polars.String):
        found = frames.values_of(polars.Series(["a", None, "b"], dtype=dtype))
        assert (found.kind, found.values.tolist()) == ("category", ["a", None, "b"])
    found = frames.values_of(polars.Series([datetime.date(2020, 1, 1), None]))
    assert found.kind == "date"
    assert np.isnat(found.values).tolist() == [False, True]


def test_a_name_that_comes_twice():
    twice = pandas.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"])
    assert [frames.values_of(column).kind for column in frames.columns_of(twice)] == ["numeric", "category"]


def test_objects():
    assert frames.values_of(np.array([1, 2.5, None], object)).kind == "numeric"
    assert frames.values_of(np.array([1, "a"], object)).values.tolist() == ["1", "a"]
    assert frames.values_of(np.array([True, 1], object)).kind == "category"
    assert frames.values_of(np.array([{"a": 1}, 2.0], object)).values.tolist() == ["{'a': 1}", "2"]


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match="Complex data not supported: take the real and the imaginary part"):
        frames.values_of(np.array([1j]))


def test_numbers_and_dates_of_text():
    assert frames.numbers_of(np.array(["1", "2.5"])).tolist() == [1, 2.5]
    assert frames.numbers_of(np.array(["one"])) is None
    assert frames.numbers_of(np.array(["2020-01-01"], "M8[D]")) is None
    assert frames.dates_of(np.array(["2020-01-01"])).tolist() == [datetime.datetime(2020, 1, 1)]
    assert frames.dates_of(np.array([1.0])) is None
