"""The table of what was done with each column, as text and as HTML."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from mlpcore.sklearn.column_report import ColumnReport
from mlpcore.sklearn.preprocessing import Columns

NAMES = ["size", "<kind>", "same"]
COLUMNS = Columns.learned(NAMES, [np.array([1.0, 2, 3]), np.array(["a", "b", "a"]), np.ones(3)])


def test_text_has_a_line_for_each_column():
    lines = repr(ColumnReport(COLUMNS)).splitlines()
    assert lines[0].split() == ["column", "kind", "inputs", "what", "is", "done", "with", "it"]
    assert [line.split()[0] for line in lines[1:]] == [*NAMES, "in"]
    assert lines[2].split()[1:3] == ["category", "1"]
    assert lines[2].endswith("-1 for a, 1 for b")
    assert lines[-1].split() == ["in", "all", str(COLUMNS.width)]


def test_html_escapes_names():
    text = ColumnReport(COLUMNS)._repr_html_()
    assert "&lt;kind&gt;" in text
    assert "<kind>" not in text
    assert text.count("<tr>") == len(NAMES) + 2
