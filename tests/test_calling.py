"""Whatever a student's function does, the mark says so in a sentence, and nothing of it is raised."""

import sys

import numpy as np
import pytest

import mlpcore

EXERCISES = mlpcore.exercises.all()


def raising(phi, x):
    return phi @ x


def exiting(phi, x):
    sys.exit("bye")


def recursive(phi, x):
    return recursive(phi, x)


def one_parameter(phi):
    return phi


def a_function(phi, x):
    return raising


def nothing(phi, x):
    phi.T @ x


def ragged(phi, x):
    return [[1.0], [1.0, 2.0]]


def words(phi, x):
    return "phi.T @ x"


def complex_numbers(phi, x):
    return phi.T @ x + 0j


def not_numbers(phi, x):
    return np.full((phi.shape[1], x.shape[1]), np.nan)


def transposed(phi, x):
    return x.T @ phi


def one_by_one(phi, x):
    return np.zeros((7, 7))


@pytest.mark.parametrize(
    ("function", "fault", "sentence"),
    [
        (raising, "raises", "ValueError in its line `return phi @ x`: matmul"),
        (exiting, "raises", 'SystemExit in its line `sys.exit("bye")`'),
        (recursive, "raises", "RecursionError"),
        (one_parameter, "wrong-arguments", "it takes (phi), expected (phi, x)"),
        (a_function, "wrong-type", "it returns a function"),
        (nothing, "returns-nothing", "expected `return grad_w`"),
        (ragged, "wrong-type", "list"),
        (words, "wrong-type", "str"),
        (complex_numbers, "wrong-type", "complex"),
        (not_numbers, "not-finite", "nan"),
        (transposed, "missing-transpose", "a transpose is missing"),
        (one_by_one, "wrong-shape", "it has shape (7, 7), expected"),
    ],
)
def test_what_goes_wrong_becomes_a_sentence(function, fault, sentence):
    mark = EXERCISES["eq3"].check(function, seed=1)
    assert mark.score == 0.0
    assert mark.mistakes == (fault,)
    assert any(sentence in told for told in mark.sentences), mark
    assert len(mark.sentences) <= 2


class Odd:
    """Refuses whatever is asked of it."""

    def __array__(self, *given, **named):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError


class OddError(Exception):
    def __str__(self):
        raise RuntimeError


ODD = [
    0, np.nan, -np.inf, "x", b"y", [], (), {}, {1}, [[1, 2], [3]], [None], np.zeros(0), np.zeros((0, 3)), 10**400,
    range(5), np.zeros((2, 2, 2, 2)), np.array([object()]), np.array([True]), Odd(), [Odd()], Odd, ...,
    np.ma.masked_array([1.0, 2.0], [1, 0]), np.array([10**30], object), np.datetime64("2020-01-01"),
    np.zeros(3, [("a", float)]), np.full((300, 300), 1e308), 1e308,
]  # fmt: skip


@pytest.mark.parametrize("name", ["neuron", "relu", "eq3", "backward_pass", "adam_step", "softmax_jacobian"])
def test_whatever_is_returned_or_raised_there_is_a_mark(name):
    results = len(EXERCISES[name].results)
    for value in ODD:
        for returned in (value, (value,) * results):
            mark = EXERCISES[name].check(lambda *given, returned=returned: returned, seed=1)
            assert mark.score == 0.0
            assert mark._repr_html_()
    for error in (
        OddError(),
        MemoryError(),
        StopIteration(),
        GeneratorExit(),
        SystemExit(3),
        ExceptionGroup("g", [OSError()]),
    ):

        def refusing(*given, error=error):
            raise error

        assert EXERCISES[name].check(refusing, seed=1).mistakes == ("raises",)


@pytest.mark.filterwarnings("error")
def test_results_that_are_too_large_to_go_on_with():
    def huge(grad_y, x_hat, gamma, variance, epsilon):
        return np.full(gamma.shape, 1e308), np.full(gamma.shape, -1e308), grad_y

    mark = EXERCISES["batch_norm_backward"].check(huge, seed=1)
    assert mark.score == 0.0
    assert len(mark.sentences) == 3


def test_an_argument_that_is_changed_costs_its_point_and_no_more():
    def in_place(w, grad_w, learning_rate):
        w -= learning_rate * grad_w
        return w

    mark = EXERCISES["sgd"].check(in_place, seed=1)
    assert [part.ok for part in mark.parts] == [True, True, False]
    assert mark.mistakes == ("changes-input",)
    assert "`w`" in mark.sentences[0]


def test_an_argument_that_is_moved_and_put_back_is_not_changed():
    def numeric(f, w, h):
        slopes = np.zeros_like(w)
        for index in np.ndindex(w.shape):
            w[index] += h
            up = f(w)
            w[index] -= 2 * h
            slopes[index] = (up - f(w)) / (2 * h)
            w[index] += h
        return slopes

    assert EXERCISES["gradient_check"].check(numeric, seed=1).score == 1.0


def test_the_wrong_number_of_results():
    def one(z):
        return np.maximum(z, 0)

    def three(z):
        return z, z, z

    relu = EXERCISES["relu"]
    assert "it returns one ndarray, expected 2 results, `return a, dsigma`" in relu.check(one).sentences[0]
    assert "it returns 3 results" in relu.check(three).sentences[0]


def test_true_and_false_count_as_ones_and_zeros_and_lists_as_arrays():
    assert EXERCISES["relu"].check(lambda z: (np.maximum(z, 0), z > 0)).score == 1.0
    assert EXERCISES["relu"].check(lambda z: [np.maximum(z, 0).tolist(), (z > 0) * 1]).score == 1.0


def test_a_tuple_of_one_is_taken_for_what_is_in_it():
    assert EXERCISES["eq4"].check(lambda phi: (phi.sum(axis=0),)).score == 1.0


def test_printing_and_warnings_are_kept_and_cost_nothing(capsys):
    def loud(z):
        with np.errstate(all="warn"):
            np.log(np.zeros(1))
        print("z is", z.shape)
        print("to stderr", file=sys.stderr)
        return np.maximum(z, 0), z > 0

    mark = EXERCISES["relu"].check(loud)
    assert mark.score == 1.0
    assert "`relu` prints, first of all `z is (" in mark.notes[0]
    assert any("divide by zero" in note for note in mark.notes)
    assert capsys.readouterr() == ("", "")


def test_what_prints_without_end_is_stopped_and_not_kept():
    def endless(phi):
        while True:
            print("z" * 1000)

    mark = EXERCISES["eq4"].check(endless, seconds=0.2)
    assert mark.score == 0.0
    assert len(str(mark)) < 2000


def test_a_function_that_hides_warnings_hides_its_own_only():
    def quiet(phi):
        np.seterr(all="ignore")
        return phi.sum(axis=0)

    before = np.geterr()
    assert EXERCISES["eq4"].check(quiet).score == 1.0
    assert np.geterr() == before


def test_ctrl_c_passes_through():
    def interrupted(phi):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EXERCISES["eq4"].check(interrupted)


def test_functions_of_any_kind_are_called():
    class Sum:
        def __call__(self, phi):
            return phi.sum(axis=0)

    assert EXERCISES["eq4"].check(Sum()).score == 1.0
    assert EXERCISES["softmax_jacobian"].check(lambda *given: np.diag(*given) - np.outer(*given, *given)).score == 1.0


def test_a_function_sees_copies():
    kept = []

    def keeping(phi):
        kept.append(phi)
        return phi.sum(axis=0)

    EXERCISES["eq4"].check(keeping, seed=1)
    kept[1][...] = 7
    assert EXERCISES["eq4"].check(lambda phi: phi.sum(axis=0), seed=1).score == 1.0
