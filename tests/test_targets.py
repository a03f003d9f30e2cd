"""The losses by name, and the y that each accepts. Their values are tested with the kernels."""

import numpy as np
import pytest

import mlpcore
from mlpcore import catalogue, checks, targets


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("mean_squared_error", "mse"),
        ("binary_crossentropy", "bce"),
        ("categorical_crossentropy", "cce"),
        ("mean_absolute_error", "mae"),
        ("pinball", "quantile"),
        ("kullback_leibler_divergence", "kl_divergence"),
        ("poisson_nll", "poisson"),
        ("binary_focal_crossentropy", "focal"),
    ],
)
def test_long_names_stand_for_short_ones(long, short):
    assert checks.given_loss(long) == checks.given_loss(short) == checks.given_loss((long,)) == short


@pytest.mark.parametrize("name", ["MSE", "hinges", "", (), ("hinges", 1.0), 3, b"mse", ["hinges"]])
def test_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match="loss is .*, expected one of 'mse'"):
        checks.given_loss(name)


def test_y_of_one_output_may_be_flat():
    for loss in ("mse", "bce"):
        y = checks.targets_of("y", [0, 1, 1], loss, 3, 1, "float32")
        assert y.dtype == np.float32
        assert y.tolist() == [[0], [1], [1]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float32, np.float64, bool])
def test_class_indices_stay_one_number_a_row(dtype):
    y = checks.targets_of("y", np.array([1, 0, 1], dtype), "cce", 3, 2, "float64")
    assert (y.dtype, y.tolist()) == (np.float64, [1, 0, 1])
    assert targets.one_hot(y, 2).tolist() == [[0, 1], [1, 0], [0, 1]]
    assert checks.targets_of("y", np.zeros(3, dtype), "cce", 3, 1, "float64").tolist() == [[1], [1], [1]]


def test_a_class_index_that_float32_would_round_is_refused():
    assert checks.targets_of("y", [2**24], "cce", 1, 2**25, "float32").tolist() == [2**24]
    assert checks.targets_of("y", [2**24 + 1], "cce", 1, 2**25, "float64").tolist() == [2**24 + 1]
    with pytest.raises(ValueError, match="y has 16777217 at row 0, which float32 rounds, .* up to 16777216: use dtype"):
        checks.targets_of("y", [2**24 + 1], "cce", 1, 2**25, "float32")


def test_rows_need_not_be_one_hot():
    rows = [[0.2, 0.8], [3.0, 0.0]]
    assert checks.targets_of("y", rows, "cce", 2, 2, "float64").tolist() == rows
    assert checks.targets_of("y", [0.25, 0.75], "bce", 2, 1, "float64").tolist() == [[0.25], [0.75]]


@pytest.mark.parametrize(
    ("loss", "y", "out", "error", "message"),
    [
        ("cce", [0, 1, 3], 3, ValueError, "y has 3.0 at row 2, expected a class index from 0 to 2"),
        ("cce", [0, -1, 1], 3, ValueError, "y has -1.0 at row 1, expected a class index from 0 to 2"),
        ("cce", [0, 1, 0.5], 3, ValueError, "y has 0.5 at row 2, expected a class index"),
        ("cce", [[1, 0], [0, 1], [-1, 0]], 2, ValueError, "y has -1.0 at row 2, column 0, expected values from 0"),
        ("cce", [[0], [1], [2]], 3, ValueError, r"y has shape \(3, 1\), expected \(3,\) class indices or \(3, 3\)"),
        ("bce", [0, 1, 2], 1, ValueError, "y has 2.0 at row 2, column 0, expected values from 0 to 1 for loss 'bce'"),
        ("bce", [0, 1, 1], 2, ValueError, r"y has shape \(3,\), expected \(3, 2\)"),
        ("focal", [0, 1, 2], 1, ValueError, "y has 2.0 at row 2, column 0, expected values from 0 to 1"),
        ("poisson", [0, 3, -1], 1, ValueError, "y has -1.0 at row 2, column 0, expected values from 0 to inf"),
        ("kl_divergence", [[0.5, 0.5], [1, 0], [2, 0]], 2, ValueError, "y has 2.0 at row 2, column 0, expected values"),
        ("hinge", [1, -1, 0], 1, ValueError, "y has 0.0 at row 2, column 0, expected 1 or -1 .*: give 2 \\* y - 1"),
        ("squared_hinge", [1, 2, 1], 1, ValueError, "y has 2.0 at row 1, column 0, expected values from -1 to 1"),
        ("mse", [0, 1], 1, ValueError, "y has 2 rows, expected 3"),
        ("mse", 1.0, 1, ValueError, r"y has shape \(\), expected \(3,\) or \(3, 1\)"),
        ("mse", [0, np.nan, 1], 1, ValueError, "y has nan, row 1: expected numbers that are finite in float32"),
        ("mse", [[0], [1], [1e39]], 1, ValueError, "y has 1e\\+39, row 2, column 0: expected .* finite in float32"),
        ("mse", [[0], [1], [1, 2]], 1, ValueError, "y is not an array of numbers"),
        ("cce", ["a", "b", "c"], 3, TypeError, "y has dtype <U1, expected real numbers"),
        ("mse", [1j, 0, 0], 1, TypeError, "y has dtype complex128, expected real numbers"),
        ("mse", [None, 0, 0], 1, TypeError, "y has dtype object, expected real numbers"),
    ],
)
def test_wrong_y_is_named(loss, y, out, error, message):
    with pytest.raises(error, match=message):
        checks.targets_of("y", y, loss, 3, out, "float32")


@pytest.mark.parametrize("quantile", [0, 1, 0.0, 1.0, -0.5, np.nan])
def test_a_quantile_of_0_or_1_is_refused(quantile):
    with pytest.raises(ValueError, match=r"quantile is .*, expected a finite number >= 1e-30 and < 1"):
        mlpcore.Quantile(quantile)
    with pytest.raises(ValueError, match=r"quantile of loss 'quantile' is"):
        checks.given_loss(("quantile", quantile))


def test_which_losses_have_right_and_wrong_answers():
    y = np.array([[0.0], [1.0]])
    rules = {loss: targets.accuracy_rule(loss, y) for loss in catalogue.names("losses")}
    assert {loss for loss, rule in rules.items() if rule == "binary_accuracy"} == {"bce", "cce", "focal"}
    assert {loss for loss, rule in rules.items() if rule == "sign_accuracy"} == {"hinge", "squared_hinge"}
    assert sum(rule is not None for rule in rules.values()) == 5
    assert targets.accuracy_rule("hinge", np.array([[1.0, -1.0], [1.0, 1.0]])) == "sign_accuracy"
    assert targets.accuracy_rule("hinge", 2 * np.eye(3) - 1) == "categorical_accuracy"
    assert targets.accuracy_rule("focal", np.eye(3)) == "categorical_accuracy"
