"""Numbers, flags and shapes as they are handed in: what is right is taken exactly, what is wrong is named."""

import inspect
import math
from fractions import Fraction

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam, Dense, Sequential, checks, gradcheck

X, Y = np.array([[0.05, 0.1], [0.2, 0.4], [0.3, 0.1]]), [0, 1, 0]
CHOICES = "loss is missing, expected 'mse' for numbers, 'bce' for yes or no, 'cce' for one class of several: give it"


def model(*layers, **options):
    return Sequential(layers or [Dense(2, "softmax")], **({"input_size": 2, "seed": 1} | options))


# ------------------------------------------------------------------------------------------------ a fraction of a count


@pytest.mark.parametrize(("fraction", "n", "train"), [(0.8, 5, 1), (0.9, 10, 1), (0.8, 10, 2), (0.9, 100, 10)])
def test_validation_split_leaves_the_rows_that_the_decimal_fraction_says(fraction, n, train):
    assert n - checks.share_of(n, fraction) == train
    x, y = np.ones((n, 1), "f4"), np.ones((n, 1), "f4")
    first, last = checks.Samples(x, y, None).split(fraction)
    assert (len(first.x), len(last.x)) == (train, n - train)


def test_shares_are_exact_for_decimal_fractions():
    for digits in (1, 2, 3):
        for numerator in range(1, 10**digits):
            exact, fraction = Fraction(numerator, 10**digits), float(f"{numerator / 10**digits:.{digits}f}")
            for n in range(1, 201):
                assert checks.share_of(n, fraction) == math.ceil(n * exact), (n, fraction)


@pytest.mark.parametrize("number", [float, np.float64, np.float32])
def test_shares_are_exact_for_ratios_of_counts(number):
    for n in range(1, 201):
        for k in range(1, n):
            assert checks.share_of(n, number(k / n)) == k, (n, k)


def test_shares_of_other_numbers():
    assert checks.share_of(5, Fraction(4, 5)) == 4
    assert checks.share_of(5, np.longdouble("0.8")) == 4
    assert checks.share_of(10**15, 0.3) == 3 * 10**14


@pytest.mark.parametrize(("n", "fraction", "parts"), [(1, 0.5, "0 and 1"), (5, 0.9, "0 and 5"), (2, 0.51, "0 and 2")])
def test_a_split_that_leaves_no_rows_to_train_is_refused(n, fraction, parts):
    with pytest.raises(ValueError, match=f"splits {n} rows into {parts}, expected >= 1 in each: choose another"):
        model().fit(X[[0] * n], [0] * n, "cce", validation_split=fraction, progress=False)


# ------------------------------------------------------------------------------------------------------------ callbacks


@pytest.mark.parametrize("answer", [True, np.True_], ids=repr)
def test_true_stops(answer):
    history = model().fit(X, Y, "cce", epochs=4, callbacks=[lambda *_: answer], progress=False)
    assert history.epoch == [0]


@pytest.mark.parametrize(
    "answer",
    [1, 1.0, "stop", {"loss": 1}, [True], np.ones(3), np.ones(1, bool), np.False_, None, X, object()],
    ids=lambda answer: type(answer).__name__,
)
def test_nothing_else_stops(answer):
    history = model().fit(X, Y, "cce", epochs=4, callbacks=[lambda *_: answer], progress=False)
    assert history.epoch == [0, 1, 2, 3]


def test_an_error_in_a_callback_passes_through():
    class OfTheUser(BaseException):
        pass

    def fail(*_):
        raise OfTheUser("mine")

    with pytest.raises(OfTheUser, match="mine"):
        model().fit(X, Y, "cce", epochs=4, callbacks=[fail], progress=False)


@pytest.mark.parametrize("fails", [False, True])
def test_a_fit_inside_a_callback_leaves_the_outer_history_alone(fails):
    seen = []

    def fit_again(model, epoch, logs):
        inner = model.fit(X[:2], Y[:2], "cce", optimizer=SGD(0.1), epochs=2, progress=False)
        assert model.history is inner
        if fails and epoch == 1:
            raise KeyboardInterrupt

    def watch(model, epoch, logs):
        seen.append((model.epochs_trained, model.history.epoch))

    outer, by_hand, options = model(), model(), {"progress": False, "batch_size": 1}
    if fails:
        with pytest.raises(KeyboardInterrupt):
            outer.fit(X, Y, "cce", optimizer=SGD(0.1), epochs=2, callbacks=[fit_again, watch], **options)
        history = outer.history
    else:
        history = outer.fit(X, Y, "cce", optimizer=SGD(0.1), epochs=2, callbacks=[fit_again, watch], **options)
        assert seen == [(3, [0]), (6, [0, 1])]
    assert outer.history is history
    losses = []
    for _ in range(2):
        losses += by_hand.fit(X, Y, "cce", optimizer=SGD(0.1), **options)["loss"]
        by_hand.fit(X[:2], Y[:2], "cce", optimizer=SGD(0.1), epochs=2, progress=False)
    assert history["loss"] == losses
    assert outer.epochs_trained == by_hand.epochs_trained == 6
    np.testing.assert_array_equal(outer.layers[0].w, by_hand.layers[0].w)


# -------------------------------------------------------------------------------------------------- arguments of calls


def test_a_call_without_loss_names_the_choices():
    one = model()
    one.forward(X)
    for use in (
        lambda: one.fit(X, Y),
        lambda: one.partial_fit(X, Y, optimizer=SGD()),
        lambda: one.evaluate(X, Y),
        lambda: one.backward(Y),
    ):
        with pytest.raises(TypeError, match=CHOICES):
            use()
    with pytest.raises(ValueError, match="loss is 'adam', expected one of 'mse', "):
        one.fit(X, Y, "adam")
    assert (one.history, one.epochs_trained) == (None, 0)


def test_loss_may_come_by_position():
    by_position, by_name, options = model(), model(), {"progress": False}
    by_position.fit(X, Y, "cce", **options)
    by_name.fit(X, Y, loss="cce", **options)
    by_position.partial_fit(X, Y, "cce", optimizer=SGD())
    by_name.partial_fit(X, Y, loss="cce", optimizer=SGD())
    assert by_position.evaluate(X, Y, "cce") == by_name.evaluate(X, Y, loss="cce")
    for each in (by_position, by_name):
        each.forward(X)
    assert by_position.backward(Y, "cce") == by_name.backward(Y, loss="cce")
    np.testing.assert_array_equal(by_position.layers[0].w, by_name.layers[0].w)


def test_one_output_with_cce_is_told_of_bce():
    with pytest.raises(ValueError, match="y has 1.0 at row 1, .* from 0 to 0: with one output use loss 'bce'"):
        model(Dense(1, "sigmoid")).fit(X, Y, "cce")


@pytest.mark.parametrize(
    ("y", "loss", "message"),
    [
        ([1, 2, 1], "cce", r"y has 2.0 at row 1, expected a class index from 0 to 1: classes, y = np\.unique"),
        ([0, 0.99999999, 0], "cce", "y has 0.99999999 at row 1, expected a class index"),
        ([[0], [1], [0]], "cce", r"y has shape \(3, 1\), expected \(3,\) class indices or \(3, 2\): .*y\.ravel\(\)"),
        (
            [0, 1, 0],
            "bce",
            r"y has shape \(3,\), expected \(3, 2\): class indices go with loss 'cce', one .*bce",
        ),
    ],
)
def test_wrong_targets_are_told_what_to_do(y, loss, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, y, loss)


@pytest.mark.parametrize(
    ("x", "input_size", "message"),
    [
        ([0.05, 0.1], 2, r"shape \(2,\), expected \(n, 2\) .*: write \[\[0\.05, 0\.1\]\] for one sample"),
        ([[0.05], [0.1]], 2, r"shape \(2, 1\), expected \(n, 2\) .*: write \[\[0\.05, 0\.1\]\] for one sample"),
        ([0.05, 0.1], None, r"write \[\[0\.05, 0\.1\]\] for one sample, or [xX]\.reshape\(-1, 1\) for samples of one"),
        ([0.05, 0.1], 1, r"give [xX]\.reshape\(-1, 1\) for samples of one number each"),
        (range(12), 12, r"shape \(12,\), expected \(n, 12\) .*: give [xX]\.reshape\(1, -1\) for one sample"),
        (np.ones((2, 5)), 2, r"shape \(2, 5\), expected \(n, 2\) .*: give [xX]\.T, one sample a row"),
        (np.ones((5, 8, 8)), 64, r"give [xX]\.reshape\(len\([xX]\), -1\) if its first axis counts samples"),
        (0.5, 1, r"shape \(\), expected \(n, 1\) .*: write \[\[0\.5\]\] for one sample of one number"),
        ([1.0, 2.0, 3.0], 2, r"shape \(3,\), expected \(n, 2\) with one sample a row, n >= 1$"),
    ],
)
def test_a_wrong_shape_is_told_how_to_become_rows(x, input_size, message):
    one = model(input_size=input_size)
    for use in (one.forward, one.predict, lambda x: one.fit(x, Y, "cce")):
        with pytest.raises(ValueError, match=message):
            use(x)
    assert one.input_size == input_size


def test_units_come_first():
    with pytest.raises(TypeError, match=r"activation is 8, expected one of 'linear', .*: units first; input_size= .*"):
        Dense(4, 8)


@pytest.mark.parametrize(("optimizer", "hyperparameters"), [
    (Adam(), "'learning_rate', 'beta1', 'beta2', 'epsilon'"), (SGD(), "'learning_rate', 'momentum', 'nesterov'"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["lr", "learningrate", "decay"])
def test_optimizers_refuse_attributes_that_they_do_not_read(optimizer, hyperparameters, name):
    message = f"{type(optimizer).__name__} has no attribute '{name}', expected one of its hyperparameters "
    with pytest.raises(AttributeError, match=message + hyperparameters):
        setattr(optimizer, name, 0.5)
    assert not hasattr(optimizer, name)
    optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 0.5


def public_callables():
    """Every public function and method, by name."""
    for owner in (mlpcore, mlpcore.cpu, gradcheck, mlpcore.kernels):
        for name in getattr(owner, "__all__", []):
            each = getattr(owner, name)
            if callable(each):
                yield f"{owner.__name__}.{name}", each
            if inspect.isclass(each):
                for method, function in inspect.getmembers(each, callable):
                    if not method.startswith("_"):
                        yield f"{name}.{method}", function


def test_signatures_print_short():
    printed = {}
    for name, each in public_callables():
        try:
            printed[name] = str(inspect.signature(each))
        except ValueError:  # a function of C without a text signature prints nothing
            continue
    assert {"Sequential.fit", "Sequential.forward", "mlpcore.Adam", "mlpcore.Sequential"} <= printed.keys()
    assert {name: text for name, text in printed.items() if len(text) > 500 or "_SupportsArray" in text} == {}
    assert "X: 'Data', y: 'ArrayLike | None' = None, loss: 'Choice | None' = None, *, " in printed["Sequential.fit"]
    long = {"Sequential.fit", "mlpcore.Dense", "mlpcore.NAdam", "mlpcore.RMSprop"}  # those with the most options
    assert max(len(text) for name, text in printed.items() if name not in long) < 350
