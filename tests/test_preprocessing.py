"""What the columns of a raw table become, of every kind of column and of value."""

import contextlib
import datetime
import itertools
import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from mlpcore.sklearn import preprocessing
from mlpcore.sklearn.described_columns import columns_from
from mlpcore.sklearn.preprocessing import Category, Columns, Date, Embedded, LeftOut, Numeric


def learned(*columns, weight=None):
    names = [f"c{j}" for j in range(len(columns))]
    return Columns.learned(names, [np.asarray(column) for column in columns], weight)


def only(values, weight=None):
    return learned(values, weight=weight).columns[0]


def test_numbers_are_centred_scaled_and_clipped():
    column = only(np.arange(1.0, 102.0))
    assert isinstance(column, Numeric)
    assert (column.median, column.factor) == (51.0, 1 / 50)
    z = column.transform(np.array([51.0, 101.0, 1e9, -1e9]))[:, 0]
    assert z[0] == 0
    assert z[1] == pytest.approx(1 / np.sqrt(1 + 1 / 9))
    assert z[2] == pytest.approx(3)
    assert z[3] == pytest.approx(-3)


def test_the_place_in_each_interval():
    column = only(np.arange(0.0, 9.0))
    assert column.edges == tuple(np.arange(0.0, 9.0))
    places = column.transform(np.array([2.5, -5.0, 50.0]))[:, 1:] / 0.3
    assert (places[0] == [1, 1, 0, *[-1] * 5]).all()
    assert (places[1] == -1).all()
    assert (places[2] == 1).all()


def test_many_rows_have_more_intervals():
    for n, intervals in ((preprocessing.MANY_ROWS - 1, 8), (preprocessing.MANY_ROWS, 16)):
        assert len(only(np.arange(float(n))).edges) == intervals + 1


def test_a_missing_number_is_the_median_and_told():
    column = only([1.0, 2.0, np.nan, 4.0, 5.0])
    found = column.transform(np.array([np.nan, column.median]))
    assert column.tells_missing
    assert column.width == found.shape[1]
    assert (found[0, :-1] == found[1, :-1]).all()
    assert found[:, -1].tolist() == [1, 0]


def test_a_number_missing_only_later_is_the_median():
    column = only([1.0, 2.0, 3.0])
    assert not column.tells_missing
    assert (column.transform(np.array([np.nan])) == column.transform(np.array([2.0]))).all()


def test_quartiles_that_are_equal():
    column = only([0.0] * 50 + [4.0])
    assert column.factor == 2 / 4


def test_a_weight_of_2_is_two_rows():
    values, weight = np.array([1.0, 5.0, 9.0, 2.0]), np.array([1.0, 3.0, 2.0, 1.0])
    assert only(values, weight) == only(np.repeat(values, [1, 3, 2, 1]))


def test_two_labels_are_one_column_and_more_one_each():
    two, three = only(["b", "a", "b"]), only(["z", "x", "y"])
    assert isinstance(two, Category)
    assert two.labels == ("a", "b")
    assert two.transform(np.array(["a", "b", "c"])).tolist() == [[-1], [1], [0]]
    assert three.transform(np.array(["y", "?"])).tolist() == [[0, 1, 0], [0, 0, 0]]


def test_booleans_are_labels():
    column = only([True, False, True])
    assert column.labels == ("False", "True")
    assert column.transform(np.array([True, False])).tolist() == [[1], [-1]]


def test_a_missing_label_is_one_where_training_had_some():
    column = only(np.array(["a", None, "b", np.nan], object))
    assert column.labels == ("a", "b", None)
    assert column.transform(np.array([None, "a"], object)).tolist() == [[0, 0, 1], [1, 0, 0]]
    without = only(["a", "b", "c"])
    assert without.transform(np.array([None], object)).tolist() == [[0, 0, 0]]


def test_whole_numbers_keep_their_label_where_some_are_missing():
    column = only(np.array(["1", "2", "3"], object))
    assert column.transform(np.array([1.0, 2, None], object)).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_many_labels_are_an_index():
    labels = [f"town {i:03}" for i in range(preprocessing.MOST_ONE_HOT + 1)]
    columns = learned(labels * 3, np.arange(3.0 * len(labels)))
    column = columns.columns[0]
    assert isinstance(column, Embedded)
    assert columns.embedded == {0: len(labels) + 1}
    assert column.transform(np.array(["town 000", "town 040", "elsewhere"])).tolist() == [[1], [41], [0]]


def test_labels_that_tell_rows_apart_are_left_out():
    column = only([f"row {i}" for i in range(100)])
    assert isinstance(column, LeftOut)
    assert "nearly every row has its own" in column.done


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([2.0, 2.0], "the same"),
        ([np.nan, np.nan], "missing"),
        (["a", "a"], "the same"),
        (np.array([None, None], object), "missing"),
        (np.array(["2020-01-01"] * 3, "M8[D]"), "the same"),
    ],
)
def test_what_tells_nothing_is_left_out(values, reason):
    column = only(values)
    assert isinstance(column, LeftOut)
    assert column.width == 0
    assert reason in column.done
    assert column.transform(np.asarray(values)).shape == (len(values), 0)


def test_a_constant_with_gaps_tells_where_they_are():
    column = only([2.0, np.nan, 2.0])
    assert column.transform(np.array([2.0, np.nan])).tolist() == [[0, 0], [0, 1]]


def test_dates_have_a_place_in_the_week_and_the_year():
    days = np.arange("2020-01-01", "2022-01-01", dtype="M8[D]")
    column = only(days)
    assert isinstance(column, Date)
    assert column.periods == ("year", "week")
    found = column.transform(days)
    assert found.shape == (len(days), column.width)
    sine, cosine = found[:, -2:].T  # of the week
    assert np.abs(sine[:-7] - sine[7:]).max() < 1e-6
    assert np.abs(sine**2 + cosine**2 - 1).max() < 1e-12


def test_hours_have_a_place_in_the_day():
    hours = np.arange("2020-01-01T00", "2020-01-03T00", dtype="M8[h]")
    assert only(hours).periods == ("day",)


def test_dates_that_are_missing_and_dates_as_text():
    column = only(np.array(["2020-01-01", "NaT", "2021-06-01"], "M8[D]"))
    found = column.transform(np.array(["NaT", "2020-01-01"], "M8[D]"))
    assert np.isfinite(found).all()
    assert (column.transform(np.array(["2020-01-01"])) == found[1]).all()
    with pytest.raises(ValueError, match="column 'c0' has 'yesterday' in row 0, expected dates as in training"):
        column.transform(np.array(["yesterday"]))


def test_dates_of_python():
    dates = np.array([datetime.date(2020, 1, 1), None, datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)], object)
    assert isinstance(only(dates), Date)


def test_numbers_that_come_as_text():
    column = only([1.0, 2.0, 3.0])
    assert (column.transform(np.array(["2", "3"])) == column.transform(np.array([2, 3]))).all()
    with pytest.raises(ValueError, match="column 'c0' has 'two' in row 0, expected numbers as in training"):
        column.transform(np.array(["two"]))


def test_infinity_is_refused_by_name():
    with pytest.raises(ValueError, match="column 'c0' contains infinity"):
        only([1.0, np.inf])
    with pytest.raises(ValueError, match="column 'c0' contains infinity"):
        only([1.0, 2.0, 3.0]).transform(np.array([-np.inf]))


def test_huge_and_tiny_numbers_stay_finite():
    for values in ([-1e308, 0.0, 1e308], [0.0, 5e-324, 1e-323], [1e299, 1e299, 2e299]):
        with np.errstate(all="raise", under="ignore"):
            found = only(values).transform(np.array([*values, -1.7e308, 1.7e308]))
        assert np.isfinite(found).all(), values
        assert found[-1, 0] >= 0 >= found[-2, 0]


def test_unseen_labels_are_told():
    assert only(["a", "b", "c"]).unseen(np.array(["b", "z", "y", "z"])) == ["y", "z"]


def mixed():
    labels = [f"town {i:03}" for i in range(preprocessing.MOST_ONE_HOT + 1)] * 3
    n = len(labels)
    return learned(
        np.where(np.arange(n) % 5, np.arange(float(n)), np.nan),
        ["a", "b", "c"] * (n // 3),
        labels,
        np.datetime64("2020-01-01") + np.arange(n) * np.timedelta64(9, "D"),
        np.ones(n),
    )


def test_a_description_is_read_back():
    columns = mixed()
    text = json.dumps(columns.described())
    assert columns_from(json.loads(text)).columns == columns.columns
    assert {type(each) for each in columns.columns} == {Numeric, Category, Embedded, Date, LeftOut}
    places = [place for place in columns.places if place.start < place.stop]
    assert [place.start for place in places] == [0, *(place.stop for place in places[:-1])]
    assert columns.width == places[-1].stop


def test_a_description_that_was_changed_is_refused():
    """Each entry of each column, in turn, holds what does not belong there."""
    described = mixed().described()
    wrong = [None, {}, [], "x", [None, None], -1j.imag, float("inf"), [1, 1], ["year", 3], {"kind": "left out"}]
    refused = 0
    for i, column in enumerate(described):
        for key, value in itertools.product(column, wrong):
            changed = [*described[:i], column | {key: value}, *described[i + 1 :]]
            with contextlib.suppress(ValueError):
                columns_from(changed)
                continue
            refused += 1
    assert refused > 100
    for other in (None, [], "columns", [{"kind": "numeric"}], [{"kind": []}]):
        with pytest.raises(ValueError, match="expected"):
            columns_from(other)
