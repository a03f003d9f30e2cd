"""Numbers as text: so many digits, all digits, fractions."""

from fractions import Fraction

import numpy as np
import pytest

from mlpcore.typeset import number


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1 / 3, "0.3333"),
        (0.50001, "0.5000"),  # rounded: it shows its zeros
        (0.5, "0.5"),  # exact
        (12345.0, "12345"),
        (12345.6, "1.235e4"),
        (1234.56, "1235"),
        (999.96, "1000"),
        (9.99999, "10.00"),
        (1e6, "1e6"),
        (0.00012345678, "0.0001235"),
        (0.000012345678, "1.235e-5"),
        (-1.5e-7, "-1.5e-7"),
        (5e-324, "5e-324"),
        (1e300, "1e300"),
        (np.nan, "nan"),
        (-np.inf, "-inf"),
        (np.float32(0.1), "0.1"),
        (np.int64(-7), "-7"),
        (10**20, str(10**20)),
        (Fraction(-3, 4), "-3/4"),
        (Fraction(6, 3), "2"),
    ],
)
def test_four_digits(value, written):
    assert number(value) == written


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_digits_give_the_same_number_again(dtype):
    rng = np.random.default_rng(1)
    values = (rng.normal(size=500) * 10.0 ** rng.integers(-30, 30, 500)).astype(dtype)
    for value in [*values, dtype(0.1), dtype(-0.0), np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal]:
        read = dtype(number(value, digits=None))
        assert read.tobytes() == dtype(value).tobytes()


@pytest.mark.parametrize("digits", [1, 2, 3, 5, 9, 16, 17])
def test_an_error_of_half_a_unit_in_the_last_digit_at_most(digits):
    rng = np.random.default_rng(digits)
    for value in rng.normal(size=300) * 10.0 ** rng.integers(-9, 9, 300):
        written = number(value, digits)
        error = abs(Fraction(float(value)) - Fraction(written))
        assert float(written) == value or error <= Fraction(1, 2) * Fraction(10) ** (
            int(np.floor(np.log10(abs(value)))) - digits + 1
        )


@pytest.mark.parametrize("value", ["1", 1j, None, True, np.bool_(True)])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="value is .*, expected a real number"):
        number(value)


@pytest.mark.parametrize(("digits", "error"), [(0, ValueError), (18, ValueError), (1.5, TypeError), (True, TypeError)])
def test_digits_out_of_range_are_refused(digits, error):
    with pytest.raises(error, match="digits is .*, expected an integer from 1 to 17"):
        number(1.0, digits)
