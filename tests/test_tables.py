"""Tables in files: what is read of CSV and Parquet, and the message of whatever cannot be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlpcore import extras
from mlpcore.cli import tables
from mlpcore.cli.refusals import CommandError


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x,city\n1,Ulm\n2.5,Bonn\n"),
        ("a.CSV", "x,city\r\n1,Ulm\r\n2.5,Bonn\r\n"),
        ("a.txt", "x;city\n1;Ulm\n2.5;Bonn\n"),
        ("a.tsv", "x\tcity\n1\tUlm\n2.5\tBonn\n"),
        ("a.csv", "\ufeffx, city\n1, Ulm\n2.5, Bonn\n"),
        ("a.csv", '"x","city"\n1,"Ulm"\n2.5,"Bonn"\n'),
    ],
)
def test_columns_are_found_whatever_separates_them(tmp_path, name, text):
    frame = tables.read(write(tmp_path / name, text))
    assert frame.columns.tolist() == ["x", "city"]
    assert frame["x"].tolist() == [1.0, 2.5]
    assert frame["city"].tolist() == ["Ulm", "Bonn"]


def test_a_single_column_and_commas_in_quotes_are_no_trouble(tmp_path):
    assert tables.read(write(tmp_path / "a.csv", "x\n1\n2\n"))["x"].tolist() == [1, 2]
    frame = tables.read(write(tmp_path / "b.csv", 'x,"a; b"\n1,"u, v"\n'))
    assert frame.iloc[0].tolist() == [1, "u, v"]


def test_packed_files_are_read(tmp_path):
    pd.DataFrame({"x": [1, 2]}).to_csv(tmp_path / "a.csv.gz", index=False)
    assert tables.read(tmp_path / "a.csv.gz")["x"].tolist() == [1, 2]


def test_dates_become_dates_and_other_texts_stay(tmp_path):
    text = "day,time,mixed,none\n2024-05-31,2024-05-31T12:30,2024-05-31,\n,2024-06-01 12:31:05,soon,\n"
    frame = tables.read(write(tmp_path / "a.csv", text))
    assert [frame[name].dtype.kind for name in ("day", "time")] == ["M", "M"]
    assert frame["time"][1] == pd.Timestamp("2024-06-01 12:31:05")
    assert pd.isna(frame["day"][1])
    assert frame["mixed"].tolist() == ["2024-05-31", "soon"]
    assert frame["none"].isna().all()


def test_a_column_that_numbers_the_rows_is_left_out_and_said_so(tmp_path, capsys):
    pd.DataFrame({"x": [5, 6]}).to_csv(tmp_path / "a.csv")
    assert tables.read(tmp_path / "a.csv").columns.tolist() == ["x"]
    assert "the first column, which has no name, numbers the rows and is left out" in capsys.readouterr().err
    pd.DataFrame({"x": [5, 6]}, index=[3, 9]).to_csv(tmp_path / "a.csv")
    assert len(tables.read(tmp_path / "a.csv").columns) == 2


def test_parquet_is_written_and_read(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"x": [1.5, np.nan], "city": ["Ulm", None], "day": pd.to_datetime(["2024-05-31", None])})
    tables.write(frame, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(tables.read(tmp_path / "a.parquet"), frame)


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t")])
def test_csv_is_written_without_numbers_of_rows(tmp_path, name, separator):
    tables.write(pd.DataFrame({"x": [1.5], "y": ["a"]}), tmp_path / name)
    assert (tmp_path / name).read_text() == f"x{separator}y\n1.5{separator}a\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.xlsx", "", "a.xlsx ends with '.xlsx', expected .csv, .tsv, .txt, .parquet, .pq"),
        ("a", "", "a ends with 'nothing', expected .csv"),
        ("a.csv.rar", "", "ends with '.rar', expected .csv"),
        ("a.csv", "", "a.csv is empty, expected a line with the names of the columns, and rows"),
        ("a.csv", "\n\n", "a.csv is empty"),
        ("a.csv", "x,y\n", "a.csv has no rows"),
        ("a.csv", "x,y,x,y\n1,2,3,4\n", "cannot read {}: the columns 'x', 'y' come more than once"),
        ("a.csv", "x,y\n1,2,3\n", "cannot read {}: "),
        ("a.csv", "x,y\n1,2\n1,2,3\n", "cannot read {}: Error tokenizing data. C error: Expected 2 fields in line 3"),
        ("a.csv", 'x,y\n1,"2\n', "cannot read {}: "),
        ("a.csv.gz", "x,y\n1,2\n", "cannot read {}: "),
        ("a.parquet", "x,y\n1,2\n", "cannot read {}: "),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_a_line(tmp_path, name, text, message):
    if "parquet" in name:
        pytest.importorskip("pyarrow")
    path = write(tmp_path / name, text)
    with pytest.raises(CommandError) as refused:
        tables.read(path)
    assert message.format(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_another_encoding_is_refused(tmp_path):
    path = write(tmp_path / "a.csv", "x,städte\n1,Köln\n", "latin-1")
    with pytest.raises(CommandError, match="cannot read .*'utf-8' codec can't decode byte"):
        tables.read(path)


def test_missing_files_and_folders_are_told_apart(tmp_path):
    with pytest.raises(CommandError, match="there is no file .*nothing.csv"):
        tables.read(tmp_path / "nothing.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CommandError, match=r"folder.csv is a folder, expected a file"):
        tables.read(tmp_path / "folder.csv")


def test_packages_that_are_missing_are_named_with_their_extra(tmp_path, monkeypatch):
    def missing(module):
        def importing(name):
            if name == module:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return pd

        return importing

    path = write(tmp_path / "a.parquet", "")
    monkeypatch.setattr(extras, "import_module", missing("pyarrow"))
    for call in (lambda: tables.read(path), lambda: tables.write(pd.DataFrame({"x": [1]}), path)):
        with pytest.raises(ImportError, match=r"this needs pyarrow: pip install 'mlpcore\[cli\]'"):
            call()
    monkeypatch.setattr(extras, "import_module", missing("pandas"))
    with pytest.raises(ImportError, match=r"this needs pandas: pip install 'mlpcore\[cli\]'"):
        tables.read(path)


# ------------------------------------------------------------------------------------------------------------- columns

FRAME = pd.DataFrame({"Rooms": [1, 2, 3], "price": [1.0, np.nan, np.nan], "city": ["a", "b", "c"]})


def test_the_target_is_taken_out():
    X, y = tables.target_of(FRAME, "city", Path("a.csv"))
    assert X.columns.tolist() == ["Rooms", "price"]
    assert y.tolist() == ["a", "b", "c"]


def test_columns_come_in_the_order_of_the_model():
    assert tables.features_of(FRAME, ["city", "Rooms"], Path("a.csv")).columns.tolist() == ["city", "Rooms"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tables.target_of(FRAME, "prise", Path("a.csv")), r"a.csv has no column 'prise' \(is it 'price'\?\)$"),
        (lambda: tables.target_of(FRAME, "zzz", Path("a.csv")),
         r"no column 'zzz' \(there are: 'Rooms', 'price', 'city'\)$"),
        (lambda: tables.target_of(FRAME, "price", Path("a.csv")),
         "the column 'price' of a.csv has no value in 2 of 3 rows, the first in row 2: leave these rows out"),
        (lambda: tables.features_of(FRAME, ["rooms", "city"], Path("a.csv")),
         r"a.csv has no column 'rooms' \(is it 'Rooms'\?\), on which the model was trained"),
        (lambda: tables.features_of(FRAME, ["area", "garden", "city"], Path("a.csv")),
         r"a.csv has no columns 'area', 'garden' \(those that the model does not know: 'Rooms', 'price'\), on which"),
        (lambda: tables.features_of(FRAME[["city"]], ["area", "garden", "city"], Path("a.csv")), "does not know: none"),
        (lambda: tables.features_of(FRAME, [f"x{k}" for k in range(9)], Path("a.csv")), "'x4' and 4 more"),
    ],
)  # fmt: skip
def test_columns_that_are_missing_are_named_and_similar_ones_too(call, message):
    with pytest.raises(CommandError, match=message):
        call()
