"""Arrays in all renderings: what is read back is what was written, and large ones are never dumped."""

from fractions import Fraction

import numpy as np
import pytest
import reading

from mlpcore import typeset
from mlpcore.typeset import Style

READERS = {
    "latex": lambda source: reading.latex_arrays(source)[0],
    "markdown": lambda source: reading.markdown_arrays(source)[0],
    "html": lambda source: reading.html_arrays(source)[0],
    "text": reading.text_array,
}
RNG = np.random.default_rng(0)
ARRAYS = {
    "matrix": RNG.normal(size=(3, 4)),
    "float32": RNG.normal(size=(2, 2)).astype(np.float32),
    "signs": np.array([[1, -2.5], [-100, 0.001]]),
    "powers": RNG.normal(size=(3, 3)) * 10.0 ** RNG.integers(-20, 20, (3, 3)),
    "not finite": np.array([[np.nan, np.inf, -np.inf, 0.25]]),
    "large": RNG.normal(size=(20, 30)),
    "tall": RNG.normal(size=(64, 2)),
    "whole": np.arange(6).reshape(2, 3),
    "fractions": np.array([[Fraction(1, 3), Fraction(-7, 2)], [2, Fraction(4, 2)]], dtype=object),
}


@pytest.mark.parametrize("rendering", READERS)
@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("digits", [2, 4, None])
def test_what_is_written_reads_back(rendering, name, digits):
    array = ARRAYS[name]
    read = READERS[rendering](getattr(typeset, rendering)(array, Style(digits=digits)))
    if digits is None and array.dtype == np.float32:  # its own digits
        read = [[np.float32(cell) for cell in row] for row in read]
    assert reading.agrees(read, array, digits)


@pytest.mark.parametrize("rendering", READERS)
def test_a_wrong_number_would_be_noticed(rendering):
    array = ARRAYS["matrix"]
    read = READERS[rendering](getattr(typeset, rendering)(array * 1.001))
    assert not reading.agrees(read, array)


@pytest.mark.parametrize("rendering", READERS)
def test_a_large_array_shows_its_edges_and_its_shape(rendering):
    source = getattr(typeset, rendering)(np.zeros((1000, 2000)))
    read = READERS[rendering](source)
    assert (len(read), len(read[0])) == (7, 7)
    assert sum(cell is None for row in read for cell in row) == 13
    assert "1000" in source
    assert "2000" in source
    assert len(source) < 8000


@pytest.mark.parametrize(("count", "shown"), [(7, 7), (8, 7), (9, 7)])
def test_so_many_rows_are_shown(count, shown):
    assert len(typeset.text(np.zeros(count)).splitlines()) == shown


@pytest.mark.parametrize(("orientation", "shape"), [("columns", (3, 1)), ("rows", (1, 3))])
def test_a_vector_is_a_column_or_a_row(orientation, shape):
    read = reading.text_array(typeset.text([1, 2, 3], Style(orientation=orientation)))
    assert np.shape(read) == shape


def test_points_stand_below_one_another():
    assert typeset.text([[1, -10.25], [0.5, 3]]) == "[1    -10.25]\n[0.5    3   ]"


@pytest.mark.parametrize("values", [np.zeros((2, 2, 2)), [], [[]], [[1, 2], [3]]])
def test_what_is_no_vector_or_matrix_is_refused(values):
    with pytest.raises(ValueError, match="values"):
        typeset.text(values)
