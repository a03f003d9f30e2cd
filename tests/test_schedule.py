"""The rates of every schedule against their formulas in NumPy and mpmath, and what of them is refused."""

import copy
import math
import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import mlpcore
from mlpcore import (
    SGD,
    Adam,
    Cosine,
    CosLog,
    Exponential,
    InverseScaling,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    Schedule,
    Step,
    Warmup,
    _core,
    catalogue,
    schedules,
)
from mlpcore.schedules.schedule import new_progress

# --------------------------------------------------------------------------------------------------------- the formulas


def half_cosine(part):
    return (1 + np.cos(np.pi * part)) / 2


def restarted(t, length, growth):
    """How far t is in its cycle, and how long that is."""
    while t >= length:
        t, length = t - length, length * growth
    return t / length


def one_cycle(t, rate, length, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    first, top = rate / div_factor, pct_start * length - 1
    if t < top:
        return rate + (first - rate) * half_cosine(t / top)
    last = first / final_div_factor
    return last + (rate - last) * half_cosine(min(1, (t - top) / (length - 1 - top)))


CASES = [
    (Step(0.1, every=3), lambda t: 0.1 * 0.1 ** (t // 3)),
    (Step(0.3, every=7, factor=0.5), lambda t: 0.3 * 0.5 ** (t // 7)),
    (Step(0.3, every=5, factor=0.0), lambda t: 0.3 if t < 5 else 0.0),
    (Exponential(0.1, 0.9), lambda t: 0.1 * 0.9**t),
    (Exponential(0.1, 0.96, every=2.5), lambda t: 0.1 * 0.96 ** (t / 2.5)),
    (InverseScaling(0.1), lambda t: 0.1 / math.sqrt(1 + t)),
    (InverseScaling(0.1, power=1.0, every=10), lambda t: 0.1 / (1 + t / 10)),
    (InverseScaling(0.1, power=0.0), lambda t: 0.1),
    (Polynomial(0.1, 13), lambda t: 0.1 * max(0, 1 - t / 13)),
    (Polynomial(0.1, 13, power=2.5, minimum=0.02), lambda t: 0.02 + 0.08 * max(0, 1 - t / 13) ** 2.5),
    (Cosine(0.1, 13), lambda t: 0.1 * half_cosine(min(1, t / 13))),
    (Cosine(0.1, 13, minimum=0.03), lambda t: 0.03 + 0.07 * half_cosine(min(1, t / 13))),
    (Cosine(0.1, 4, restarts=True), lambda t: 0.1 * half_cosine(restarted(t, 4, 1))),
    (Cosine(0.1, 3, minimum=0.01, restarts=True, growth=2), lambda t: 0.01 + 0.09 * half_cosine(restarted(t, 3, 2))),
    (Cosine(0.1, 1, restarts=True, growth=3), lambda t: 0.1 * half_cosine(restarted(t, 1, 3))),
    (CosLog(0.1, 20), lambda t: 0.05 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * min(t, 20) / 20)))),
    (CosLog(0.1, 20, cycles=2), lambda t: 0.05 * (1 - np.cos(2 * np.pi * np.log2(1 + 3 * min(t, 20) / 20)))),
    (OneCycle(0.1, 20), lambda t: one_cycle(t, 0.1, 20)),
    (OneCycle(0.1, 17, pct_start=0.5, div_factor=10, final_div_factor=7), lambda t: one_cycle(t, 0.1, 17, 0.5, 10, 7)),
    (OneCycle(0.1, 10, pct_start=0.0), lambda t: one_cycle(t, 0.1, 10, 0.0)),
    (OneCycle(0.1, 10, pct_start=0.1), lambda t: one_cycle(t, 0.1, 10, 0.1)),  # its top is t = 0
    (Warmup(0.1, 6), lambda t: 0.1 * min(1, (t + 1) / 6)),
    (Warmup(Cosine(0.1, 9), 5), lambda t: 0.1 * (t + 1) / 5 if t < 5 else 0.1 * half_cosine(min(1, (t - 5) / 9))),
    (Warmup(OneCycle(0.1, 9), 5), lambda t: 0.004 * (t + 1) / 5 if t < 5 else one_cycle(t - 5, 0.1, 9)),
]
ALL = [*(schedule for schedule, _ in CASES), ReduceOnPlateau(0.1)]
LENGTHLESS = [Polynomial(0.1), Cosine(0.1), CosLog(0.1), OneCycle(0.1), Warmup(Cosine(0.1), 3)]


@pytest.mark.parametrize(("schedule", "formula"), CASES, ids=[repr(schedule) for schedule, _ in CASES])
def test_rates_are_the_formulas(schedule, formula):
    rates = [schedule.rate(t) for t in range(40)]
    np.testing.assert_allclose(rates, [formula(t) for t in range(40)], rtol=1e-12, atol=1e-17)
    assert all(0 <= rate <= 0.3 for rate in rates)


def test_every_row_has_its_class_and_is_tried():
    tried = {schedule._name for schedule, _ in CASES if not isinstance(schedule, Warmup)}
    for row in catalogue.FAMILIES["schedules"].values():
        if row.class_name is None:
            assert row.name == "constant"  # a number
            continue
        kind = getattr(mlpcore, row.class_name)
        assert kind is getattr(schedules, row.class_name)
        assert issubclass(kind, Schedule)
        assert kind._name == row.name
        assert row.name in tried | {"reduce_on_plateau"}
        defaults = {name: each.default for name, each in kind.__dataclass_fields__.items()}
        for hyper in row.hypers:
            if isinstance(defaults.get(hyper.name), int | float):
                assert defaults[hyper.name] == hyper.default


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in CASES], ids=repr)
@pytest.mark.parametrize("t", [10**6, 2**40 + 1, 2**53])
def test_rates_long_after_the_end_are_in_range(schedule, t):
    assert 0 <= schedule.rate(t) <= schedule.learning_rate


def ulp_error(value, exact):
    return float(abs(mpmath.mpf(value) - exact) / mpmath.mpf(math.ulp(float(exact)))) if exact else abs(value)


def test_the_half_cosine_is_exact_to_5_ulp():
    """Cosine(1) is sin^2 of the angle that is left of a quarter turn, however near to its zero."""
    worst, rng = 0.0, np.random.default_rng(0)
    with mpmath.workdps(40):
        for length in (1, 2, 3, 7, 100, 2**20, 999_983, 2**50):
            for t in {*range(min(length + 1, 40)), *rng.integers(0, length + 1, 300).tolist(), length - 1, length}:
                exact = mpmath.sin(mpmath.pi * mpmath.mpf(length - t) / length / 2) ** 2
                worst = max(worst, ulp_error(Cosine(1.0, length).rate(t), exact))
    assert worst <= 5


def test_powers_are_exact_to_2e_13():
    rng, worst = np.random.default_rng(1), 0.0
    with mpmath.workdps(40):
        for _ in range(2000):
            factor, t = float(10.0 ** -rng.uniform(0, 30)), int(rng.integers(0, 1000))
            exact = mpmath.mpf(factor) ** t
            if factor < 1 and exact > 1e-300:
                worst = max(worst, float(abs(Exponential(1.0, factor).rate(t) / exact - 1)))
    assert worst <= 2e-13


def test_whole_powers_are_those_of_repeated_products():
    assert [Step(0.1, every=1, factor=0.5).rate(t) for t in range(60)] == [0.1 * 0.5**t for t in range(60)]


def test_restarts_are_found_exactly_far_away():
    for t in (10**9, 2**40 - 1, 2**52 + 12345):
        part = Fraction(t % 1000, 1000)
        assert Cosine(1.0, 1000, restarts=True).rate(t) == pytest.approx(half_cosine(float(part)), rel=1e-12)
    cycle = 10 * (2**30 - 1)  # where the cycle of length 10 * 2^30 begins
    assert Cosine(1.0, 10, restarts=True, growth=2).rate(cycle) == 1.0
    assert Cosine(1.0, 10, restarts=True, growth=2).rate(cycle - 1) < 1e-15


# ------------------------------------------------------------------------------------------------------------- plateaus


def plateau_rates(losses, schedule):
    """The rate before each of these losses, and after the last."""
    progress, rates = new_progress(), []
    state = schedule._state(progress, None)
    for loss in [*losses, None]:
        rates.append(_core.schedule_rate(state, schedule.learning_rate, 0))
        if loss is not None:
            _core.schedule_loss(state, loss)
    return rates


@pytest.mark.parametrize(
    ("losses", "options", "expected"),
    [
        ([1, 0.5, 0.25, 0.125], {"patience": 1}, [1, 1, 1, 1, 1]),
        ([1, 1, 1, 1, 1], {"patience": 2, "factor": 0.5}, [1, 1, 1, 0.5, 0.5, 0.25]),
        ([1, 2, 0.5, 2, 2], {"patience": 2, "factor": 0.5}, [1, 1, 1, 1, 1, 0.5]),
        ([1, 0.95, 0.9, 0.8], {"patience": 1, "factor": 0.5, "min_delta": 0.1}, [1, 1, 0.5, 0.25, 0.25]),
        ([1, 1, 1, 1], {"patience": 1, "minimum": 0.05}, [1, 1, 0.1, 0.05, 0.05]),
        ([math.nan, math.nan, 1, math.nan], {"patience": 2, "factor": 0.5}, [1, 1, 0.5, 0.5, 0.5]),
        ([math.inf, math.inf], {"patience": 1, "factor": 0.0}, [1, 0, 0]),
        ([-1, -2, -3], {"patience": 1}, [1, 1, 1, 1]),
    ],
)
def test_a_plateau_reduces_the_rate(losses, options, expected):
    np.testing.assert_allclose(plateau_rates(losses, ReduceOnPlateau(1.0, **options)), expected, rtol=1e-15)


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Cosine(-0.1, 10), ValueError, "learning_rate is -0.1, expected a finite number >= 0"),
        (lambda: Cosine(math.nan, 10), ValueError, "learning_rate is nan"),
        (lambda: Cosine("0.1", 10), TypeError, "learning_rate is '0.1'"),
        (lambda: Cosine(0.1, 0), ValueError, "length is 0, expected an integer from 1"),
        (lambda: Cosine(0.1, 10.5), TypeError, "length is 10.5, expected an integer"),
        (lambda: Cosine(0.1, 10, minimum=0.2), ValueError, "minimum is 0.2, expected at most the learning rate, 0.1"),
        (lambda: Cosine(0.1, 10, restarts=1), TypeError, "restarts is 1, expected True or False"),
        (lambda: Cosine(0.1, restarts=True), ValueError, "restarts is True without a length"),
        (lambda: Cosine(0.1, 10, growth=2), ValueError, "growth is 2 without restarts, expected restarts=True"),
        (lambda: Cosine(0.1, 10, restarts=True, growth=0), ValueError, "growth is 0"),
        (lambda: Cosine(0.1, 10, per="batch"), ValueError, "per is 'batch', expected 'step' or 'epoch'"),
        (lambda: Step(0.1, every=0), ValueError, "every is 0"),
        (lambda: Step(0.1, every=1, factor=1.0), ValueError, "factor is 1.0"),
        (lambda: Exponential(0.1, 1.5), ValueError, "factor is 1.5"),
        (lambda: Exponential(0.1, 0), ValueError, "factor is 0"),
        (lambda: InverseScaling(0.1, power=-1), ValueError, "power is -1"),
        (lambda: InverseScaling(0.1, every=0), ValueError, "every is 0"),
        (lambda: Polynomial(0.1, 5, power=0), ValueError, "power is 0"),
        (lambda: CosLog(0.1, cycles=64), ValueError, "cycles is 64"),
        (lambda: OneCycle(0.1, pct_start=1.0), ValueError, "pct_start is 1.0"),
        (lambda: OneCycle(0.1, div_factor=0.5), ValueError, "div_factor is 0.5"),
        (lambda: ReduceOnPlateau(0.1, patience=0), ValueError, "patience is 0"),
        (lambda: ReduceOnPlateau(0.1, monitor="accuracy"), ValueError, "monitor is 'accuracy', expected 'loss' or"),
        (lambda: Warmup(Warmup(0.1, 5), 5), TypeError, "schedule is Warmup.*, expected one that does not rise"),
        (lambda: Warmup(CosLog(0.1), 5), TypeError, "schedule is CosLog"),
        (lambda: Warmup("fast", 5), TypeError, "schedule is 'fast', expected a Schedule, a number or a function"),
        (lambda: Warmup(-1.0, 5), ValueError, "learning_rate is -1.0"),
        (lambda: Warmup(0.1, 0), ValueError, "steps is 0"),
        (lambda: Cosine(0.1).rate(0), ValueError, r"Cosine\(.* has no length, which only fit knows: give it"),
        (lambda: Cosine(0.1, 5).rate(-1), ValueError, "t is -1"),
        (lambda: SGD(lambda: 0.1, momentum=2), ValueError, "momentum is 2"),
    ],
)
def test_wrong_constants_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def state(**changes):
    values = {"choice": ("cosine", 5), "per_epoch": False, "warmup": 0, "progress": new_progress()} | changes
    return tuple(values.values())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (5, TypeError, "schedule is 5, expected a tuple"),
        (state(choice="nothing"), ValueError, "choice is 'nothing', expected one of 'constant', 'step'"),
        (state(choice="cosine"), ValueError, "choice is 'cosine', expected a length >= 1"),
        (state(choice=("cosine", math.nan)), ValueError, "length is nan"),
        (state(choice=("step", 1, 2)), ValueError, "factor is 2, expected a number >= 0.0 and < 1.0"),
        (state(warmup=-1), ValueError, "warmup is -1"),
        (state(progress=np.zeros(4)), ValueError, r"progress has shape \(4,\), expected \(5,\)"),
        (state(progress=np.zeros(5, "f4")), TypeError, "progress"),
        (state(progress=[0.0] * 5), TypeError, "progress"),
    ],
)
def test_the_engine_refuses_what_is_no_schedule(given, error, message):
    with pytest.raises(error, match=message):
        _core.schedule_rate(given, 0.1, 0)
    with pytest.raises(error, match=message):
        _core.schedule_loss(given, 0.1)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1.0, 1e300])
@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_progress_that_makes_no_sense_ends_in_some_number(schedule, number):
    for per_epoch in (False, True):
        given = schedule._state(np.full(5, number), None)._replace(per_epoch=per_epoch)
        assert isinstance(_core.schedule_rate(given, 0.1, 3), float)


# ----------------------------------------------------------------------------------------------------------- as objects


@pytest.mark.parametrize("schedule", [*ALL, *LENGTHLESS], ids=repr)
def test_a_schedule_is_a_value(schedule):
    for twin in (copy.copy(schedule), copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert twin == schedule
        assert hash(twin) == hash(schedule)
    assert repr(schedule) in repr(Adam(schedule))
    with pytest.raises(AttributeError):
        schedule.learning_rate = 0.5
