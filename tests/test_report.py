"""The report of a gradient check: a line for each array, what all components are off by, the components as data."""

import copy
import pickle

import numpy as np
import pytest

import mlpcore
from mlpcore import gradcheck

RNG = np.random.default_rng(4)
AT = {"u": RNG.normal(size=(2, 3)), "v": RNG.normal(size=4)}


def check(du=1.0, dv=1.0, **options):
    """Check d/du sum u^2 and d/dv sum v^3, times what they are to be off by."""
    right = {"u": 2 * AT["u"], "v": 3 * AT["v"] ** 2}
    wrong = {"u": du * right["u"], "v": dv * right["v"]}
    return gradcheck.check_function(lambda u, v: float(np.sum(u**2) + np.sum(v**3)), AT, wrong, **options)


def rows(report):
    """Return the lines of the table, without its head, split at spaces."""
    lines = str(report).splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[:1] == ["array"])
    assert {len(line) for line in lines[head : head + 1]} <= {len("  array  components  failed  worst error")}
    return [line.split(maxsplit=4) for line in lines[head + 1 :]]


def test_every_array_has_a_line():
    report = check()
    assert report.ok
    assert [row[:3] for row in rows(report)] == [["u", "6", "0"], ["v", "4", "0"]]
    assert [float(row[3]) for row in rows(report)] == [
        pytest.approx(array.worst.error, rel=0.05, abs=1e-30) for array in report.arrays.values()
    ]


def test_the_lines_are_aligned():
    lines = str(check(dv=-1.0)).splitlines()
    assert lines[-3:] == [
        "  array  components  failed  worst error",
        f"  u               6       0      {check().arrays['u'].worst.error:.1e}",
        "  v               4       4      2.0e+00  analytic = -numeric everywhere",
    ]


def test_one_array_needs_no_table():
    report = gradcheck.check_function(lambda x: float(x @ x), {"x": [1.0, 2.0]}, {"x": [2.0, 4.0]})
    assert "array" not in str(report)
    assert list(report.arrays) == ["x"]


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.5, "analytic = 0.5 x numeric everywhere"),
        (-1, "analytic = -numeric everywhere"),
        (-2, "analytic = -2 x numeric everywhere"),
        (32, "analytic = 32 x numeric everywhere"),
        (1 / 3, "analytic = 0.333333 x numeric everywhere"),
        (1 + 1e-5, "analytic = 1.00001 x numeric everywhere"),
        (0, "analytic = 0 everywhere"),
    ],
)
def test_a_factor_common_to_all_is_told_once(factor, words):
    report = check(factor, factor)
    assert report.failed == 10
    assert report.factor == pytest.approx(factor, rel=1e-8)
    assert [array.factor for array in report.arrays.values()] == pytest.approx([factor, factor], rel=1e-8)
    assert str(report).count("everywhere") == 1
    assert f"  factor {words}" in str(report).splitlines()


def test_a_factor_of_one_array_is_told_in_its_line():
    report = check(dv=0.25)
    assert report.factor is None
    assert report.arrays["u"].factor is None
    assert report.arrays["v"].factor == pytest.approx(0.25)
    assert rows(report)[1][4] == "analytic = 0.25 x numeric everywhere"
    report = check(0.5, -1)
    assert report.factor is None
    assert [row[4] for row in rows(report)] == [
        "analytic = 0.5 x numeric everywhere",
        "analytic = -numeric everywhere",
    ]


def test_one_component_that_is_off_otherwise_leaves_no_factor():
    off = np.full((2, 3), 0.5)
    off[1, 1] = 0.5 + 1e-5
    report = check(off, 0.5)
    assert report.factor is None
    assert report.arrays["u"].factor is None
    assert report.arrays["v"].factor == pytest.approx(0.5)


def test_a_factor_needs_two_components_unless_it_is_a_sign_or_nothing():
    def factor(value):
        return gradcheck.check_function(lambda x: float(x**2), {"x": 3.0}, {"x": value}).factor

    assert factor(3.0) is None
    assert factor(-6.0) == -1
    assert factor(0.0) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_have_no_factor(bad):
    assert check(bad, bad).factor is None
    off = np.full(4, 0.5)
    off[2] = bad
    assert check(dv=off).arrays["v"].factor is None


def test_components_without_a_slope_say_nothing_of_the_factor():
    x = np.array([0.0, 1.0, 2.0])
    report = gradcheck.check_function(lambda x: float(np.sum(x**2)), {"x": x}, {"x": x})
    assert report.failed == 2
    assert report.factor == pytest.approx(0.5)


def test_a_kink_says_nothing_of_the_factor():
    x = np.array([0.0, 1.0, 2.0])
    f = lambda x: float(np.sum(np.maximum(x, 0) * [1, 2, 3]))  # noqa: E731
    report = gradcheck.check_function(f, {"x": x}, {"x": [0.0, 1.0, 1.5]})
    assert len(report.kinks) == 1
    assert report.arrays["x"].kink.tolist() == [True, False, False]
    assert report.arrays["x"].failed == report.failed == 2
    assert report.factor == pytest.approx(0.5)


def test_the_components_are_there_as_data():
    wrong = np.ones((2, 3))
    wrong[1, 2] = 1.5
    report = check(wrong)
    u = report.arrays["u"]
    assert (u.name, u.count, u.total, u.failed) == ("u", 6, 6, 1)
    assert u.which.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    np.testing.assert_array_equal(u.analytic, (2 * AT["u"] * wrong).ravel())
    np.testing.assert_allclose(u.numeric, 2 * AT["u"].ravel(), rtol=1e-8)
    assert (u.error > report.tolerance).tolist() == [False] * 5 + [True]
    assert report.worst == u.worst
    assert u.worst.index == (1, 2)
    assert all(u.analytic[i] == (2 * AT["u"] * wrong)[tuple(u.which[i])] for i in range(6))
    assert repr(u) == "u: 1 of 6 components failed"
    assert repr(report.arrays["v"]) == "v: 4 components agree"
    assert repr(check(-1).arrays["u"]) == "u: 6 of 6 components failed  analytic = -numeric everywhere"


def test_of_a_sample_the_data_tell_which_components():
    model = mlpcore.Sequential([mlpcore.Dense(40, "tanh"), mlpcore.Dense(2)], input_size=30, seed=0, dtype="float64")
    x, y = RNG.normal(size=(3, 30)), RNG.normal(size=(3, 2))
    report = gradcheck.check_model(model, x, y, "mse", max_components=200)
    w = report.arrays["layers[0].w"]
    assert w.count == len(w.which) == (200 - 2 - 40) // 2
    assert w.total == 1200
    assert f"{w.count} of 1200" in str(report)
    model.forward(x)
    model.backward(y, "mse")
    np.testing.assert_allclose(w.analytic, model.layers[0].grad_w[tuple(w.which.T)], rtol=1e-12)
    assert sum(array.count for array in report.arrays.values()) == report.count
    assert sum(array.total for array in report.arrays.values()) == report.total


def test_a_number_and_an_empty_array_have_data_too():
    report = gradcheck.check_function(lambda x, e: float(x**2), {"x": 3.0, "e": []}, {"x": 6.0, "e": []})
    assert report.ok
    assert report.arrays["x"].which.shape == (1, 0)
    assert report.arrays["e"].which.shape == (0, 1)
    assert report.arrays["e"].worst is None
    assert rows(report)[1] == ["e", "0", "0", "-"]


def test_of_many_arrays_those_that_failed_are_listed():
    at = {f"x{i}": np.array([1.0, 2.0]) for i in range(50)}
    right = {name: 2 * x for name, x in at.items()} | {"x49": np.array([2.0, 5.0])}
    report = gradcheck.check_function(lambda **at: float(sum(x @ x for x in at.values())), at, right)
    lines = str(report).splitlines()
    assert len(lines) == 1 + 1 + 1 + 20 + 1
    assert lines[-2].split()[:3] == ["x49", "2", "1"]
    assert lines[-1] == "  ... and 30 more arrays, in which 0 failed"
    assert len(report.arrays) == 50


def test_reports_compare_copy_and_pickle():
    report = check(dv=2)
    assert report == check(dv=2) != check(dv=3)
    assert hash(report) == hash(check(dv=2))
    for other in (copy.deepcopy(report), pickle.loads(pickle.dumps(report))):
        assert other == report
        assert str(other) == str(report)
        np.testing.assert_array_equal(other.arrays["v"].error, report.arrays["v"].error)
