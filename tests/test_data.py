"""Whatever holds numbers becomes an array of the same numbers; what does not is named, with what to do about it."""

import datetime
import decimal
import fractions
import importlib
import subprocess
import sys

import numpy as np
import pytest

from mlpcore import SGD, Dense, Sequential, kernels
from mlpcore.data import finite_array, real_array

X = np.array([[0.5, 1.0], [1.5, 0.0], [2.5, 1.0], [-0.5, 0.0]])
Y = [0, 1, 1, 0]


def fit(x, y=Y, loss="cce"):
    """The weights after a short training."""
    model = Sequential([Dense(2, "softmax")], seed=1)
    model.fit(x, y, loss, optimizer=SGD(0.1), epochs=2, progress=False)
    return model.layers[0].w


def frames():
    """Each library of frames that is installed."""
    for name in ("pandas", "polars"):
        try:
            yield pytest.param(importlib.import_module(name), id=name)
        except ImportError:
            yield pytest.param(None, id=name, marks=pytest.mark.skip(f"{name} is not installed"))


FRAMES = list(frames())


def test_plain_arrays_are_passed_on_as_they_are():
    for dtype in ("f2", "f4", "f8", ">f8", "i1", "i8", "u8", "?"):
        array = np.zeros((3, 2), dtype)
        assert real_array("X", array) is array


@pytest.mark.parametrize(
    "value",
    [
        X.astype(object),
        np.array([[np.float32(0.5), True], [decimal.Decimal("1.5"), 0], [fractions.Fraction(5, 2), 1], [-0.5, 0]]),
        [[0.5, np.True_], [1.5, np.False_], [2.5, np.int8(1)], [np.float16(-0.5), 0]],
    ],
    ids=["floats", "mixed", "list"],
)
def test_objects_that_are_real_numbers_are_converted(value):
    np.testing.assert_array_equal(real_array("X", value), X)
    np.testing.assert_array_equal(fit(value), fit(X))


WRONG = [
    (
        np.array([[1, None]]),
        r"X has dtype object, expected real numbers.*, not None, row 0, column 1: fill the gaps",
    ),
    (np.array([[1.0, "a"]], object), r"X has dtype object, .*, not 'a', row 0, column 1: encode text as numbers"),
    ([["a"], ["b"]], r"X has dtype <U1, expected real numbers of at most 64 bits: encode text"),
    ([["1.5"], ["2"]], r"X has dtype <U3, .*: convert numbers that are written as text with \.astype\(float\)"),
    (np.array([[1, "2.5"]], object), r"X has dtype object, .*, not '2.5', row 0, column 1: convert numbers"),
    (np.array([["a"]], np.dtypes.StringDType()), r"X has dtype StringDType\(\), .*: encode text"),
    (np.zeros((0, 2), str), r"X has dtype <U1, .*: encode text"),
    ([[b"a"]], r"X has dtype \|S1, .*: encode text"),
    (np.array([[1, 2j]], object), r"X has dtype object, .*, not 2j, row 0, column 1: take the real and the imaginary"),
    (np.ones((2, 2), complex), "X has dtype complex128, .*: take the real and the imaginary part"),
    (np.array([["2020-01-01"]], "M8[D]"), r"X has dtype datetime64\[D\], .*: subtract a start and divide by a unit"),
    (np.array([[3]], "m8[s]"), r"X has dtype timedelta64\[s\], .*: divide by a unit"),
    (
        np.array([[datetime.datetime(2020, 1, 1)]]),
        r"X has dtype object, .*, not datetime.*, row 0, .*: subtract",
    ),
    (np.array([[1, np.timedelta64(3, "s")]], object), r"X has dtype object, .*, not .*, row 0, column 1: divide by a"),
    (np.ones((1, 1), np.longdouble), r"X has dtype (longdouble|float128), .*: convert with .astype\(float\)"),
    (np.zeros(2, [("a", "f4"), ("b", "f4")]), "X has dtype .*structured_to_unstructured"),
    (np.array([[1, [2]]], object), r"X has dtype object, .*, not \[2\], row 0, column 1: .* type list is no number"),
    ({}, "X has dtype object, .*: it is an object of type dict, give rows of numbers"),
    (None, "X has dtype object, .*: it is None, give rows"),
]


@pytest.mark.parametrize(("value", "message"), WRONG, ids=[message[6:40] for _, message in WRONG])
def test_what_is_no_number_is_named_with_a_cure(value, message):
    model = Sequential([Dense(2, "softmax")], seed=1)
    for use in (lambda: fit(value), lambda: model.forward(value), lambda: model.predict(value)):
        with pytest.raises(TypeError, match=f"(?i){message}"):
            use()
    assert model.input_size is None


def test_an_integer_beyond_float64_is_refused():
    with pytest.raises(ValueError, match="X has dtype object, .*: int too large to convert to float"):
        real_array("X", [[10**400]])


@pytest.mark.parametrize("y", [["no", "yes", "yes", "no"], np.array(["no", "yes", "yes", "no"], object)])
def test_text_labels_are_told_how_to_become_class_indices(y):
    with pytest.raises(TypeError, match=r"y has dtype .*classes, y = np\.unique\(y, return_inverse=True\)"):
        fit(X, y)
    classes, labels = np.unique(y, return_inverse=True)
    assert classes.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(fit(X, labels), fit(X, Y))


def test_an_iterator_is_no_rows():
    for use in (lambda rows: fit(rows), Sequential([Dense(2)]).forward):
        with pytest.raises(TypeError, match="(?i)X has dtype object, .*: it is an object of type list_iterator"):
            use(iter([[1.0]]))


def test_sparse_matrices_are_told_to_become_arrays_where_a_batch_is_shown():
    sparse = pytest.importorskip("scipy.sparse")
    model = Sequential([Dense(2, "softmax")], input_size=2)
    for make in (sparse.csr_matrix, sparse.csc_array, sparse.coo_array):
        with pytest.raises(TypeError, match=r"x is a sparse \w+, expected .*: give x\.toarray\(\)"):
            model.forward(make(X))
    with pytest.raises(TypeError, match=r"y is a sparse csr_matrix, .*: give y\.toarray\(\)"):
        fit(X, sparse.csr_matrix(np.eye(2)[Y]))
    np.testing.assert_array_equal(fit(sparse.csr_matrix(X).toarray()), fit(X))


# --------------------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize("library", FRAMES)
def test_frames_of_numbers_are_converted(library):
    columns = {"size": X[:, 0].tolist(), "new": [True, False, True, False]}
    np.testing.assert_array_equal(fit(library.DataFrame(columns)), fit(X))
    floats = library.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    np.testing.assert_array_equal(fit(floats), fit(X))
    np.testing.assert_array_equal(fit(X, library.Series(Y)), fit(X))
    one = Sequential([Dense(1, "sigmoid")], input_size=2, seed=1)
    assert one.evaluate(X, library.DataFrame({"y": Y}), "bce") == one.evaluate(X, Y, "bce")


@pytest.mark.parametrize("library", FRAMES)
def test_frames_name_the_column_that_is_not_numeric(library):
    frame = library.DataFrame({"size": [0.5, 1.5, 2.5, -0.5], "city": ["Rome", "Oslo", "Rome", "Bern"]})
    with pytest.raises(
        TypeError, match="X has dtype (object|str|String), column 'city', expected real numbers.*: encode"
    ):
        fit(frame)
    with pytest.raises(TypeError, match="y has dtype .* np.unique"):
        fit(X, frame["city"])
    days = [datetime.datetime(2020, 1, 1 + i) for i in range(4)]
    with pytest.raises(TypeError, match=r"(?i)X has dtype datetime.*, column 'when', .*: subtract a start"):
        fit(library.DataFrame({"size": [0.5, 1.5, 2.5, -0.5], "when": days}))


@pytest.mark.parametrize("library", FRAMES)
def test_frames_name_the_column_and_row_of_a_gap(library):
    with pytest.raises(ValueError, match=r"X has (nan, row 2, column 1 \('age'\)|no value, row 2, column 'age')"):
        fit(library.DataFrame({"size": [0.5, 1.5, 2.5, -0.5], "age": [1, 2, None, 4]}))
    with pytest.raises((ValueError, TypeError), match=r"X has .*, column 'new'|X has no value, row 1, column 'new'"):
        fit(library.DataFrame({"size": [0.5, 1.5, 2.5, -0.5], "new": [True, None, True, False]}))


@pytest.mark.parametrize("dtype", ["Float64", "Float32", "Int64", "UInt8", "boolean"])
def test_nullable_columns_of_pandas(dtype):
    pandas = pytest.importorskip("pandas")
    values = [True, False, True, False] if dtype == "boolean" else [1, 0, 1, 0]
    frame = pandas.DataFrame({"size": X[:, 0], "n": pandas.array(values, dtype=dtype)})
    np.testing.assert_array_equal(fit(frame), fit(X))
    np.testing.assert_array_equal(fit(X, frame["n"]), fit(X, values))
    np.testing.assert_array_equal(real_array("X", frame[["n"]]), np.reshape(values, (4, 1)))
    frame.loc[2, "n"] = pandas.NA
    gap = "X has no value, row 2, column 'n', expected one in every place: fill the gaps"
    for part in (frame, frame[["n"]]):
        with pytest.raises(ValueError, match=gap):
            real_array("X", part)
    with pytest.raises(ValueError, match="y has no value, row 2, expected one in every place"):
        fit(X, frame["n"])


def test_frames_with_labels_twice_and_with_categories():
    pandas = pytest.importorskip("pandas")
    twice = pandas.DataFrame(X).assign(other=True).set_axis(["a", "a", "b"], axis=1)
    np.testing.assert_array_equal(real_array("X", twice), np.hstack([X, np.ones((4, 1))]))
    numbers = pandas.DataFrame({"a": pandas.Categorical([3, 1, 3]), "b": [0.5, 1, 2]})
    np.testing.assert_array_equal(real_array("X", numbers), [[3, 0.5], [1, 1], [3, 2]])
    with pytest.raises(TypeError, match="X has dtype category, column 'a', .*, not 'x', row 0: encode"):
        real_array("X", pandas.DataFrame({"a": pandas.Categorical(["x", "y"]), "b": [0.5, 1]}))


MASKED = np.ma.array([1.0, 2.0], mask=[False, True])


@pytest.mark.filterwarnings("ignore:.*converting a masked element to nan")
@pytest.mark.parametrize(
    "value", [MASKED, [MASKED, MASKED], [(1.0, 2.0), MASKED], [[np.ma.masked, 1.0]], [[[1.0, 2.0], MASKED]]]
)
def test_masked_values_are_refused_in_lists_too(value):
    with pytest.raises(ValueError, match="X has masked entries, expected a value in every place"):
        real_array("X", value)
    with pytest.raises(ValueError, match="z has masked elements"):
        kernels.activation_forward("relu", value)


def test_masked_arrays_without_masked_values_are_arrays():
    clear = np.ma.array([1.0, 2.0], mask=[False, False])
    assert real_array("X", [clear, clear]).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert kernels.activation_forward("relu", [clear, clear]).tolist() == [[1.0, 2.0], [1.0, 2.0]]


def test_the_first_value_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match=r"X has inf, row 1, column 0: expected numbers that are finite in float32"):
        finite_array("X", [[1.0, 2.0], [np.inf, np.nan]], "float32")


def test_nothing_is_imported_while_data_are_looked_at():
    # numpy.ma comes with the first masked array, and nobody can hand one in before.
    code = (
        "import sys, numpy as np; from mlpcore.data import real_array\n"
        "before = set(sys.modules)\n"
        "real_array('X', [[1.0]]), real_array('X', np.zeros((2, 2), object)), real_array('X', np.zeros((2, 2)))\n"
        "print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
