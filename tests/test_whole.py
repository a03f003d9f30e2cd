"""A whole pass: every array by itself, and one mark for one bug."""

import numpy as np
import pytest

import mlpcore
from mlpcore import diagnose_all


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.fixture(scope="module")
def case():
    """A model of three layers with x and y."""
    layers = [mlpcore.Dense(5, "tanh"), mlpcore.Dense(4, "sigmoid"), mlpcore.Dense(2, "sigmoid")]
    model = mlpcore.Sequential(layers, input_size=3, dtype="float64", seed=3)
    rng = np.random.default_rng(1)
    for layer in layers:
        layer.b = rng.normal(size=layer.units)
    return model, rng.normal(size=(6, 3)), rng.integers(0, 2, (6, 2)).astype(float)


def student(bug=None):
    """Return a student's whole pass with a bug in it."""

    def backward(x, y, w, b):
        z1 = x @ w[0].T + (0 if bug == "b" else b[0])
        a1 = np.tanh(z1)
        z2 = a1 @ w[1].T + b[1]
        a2 = sigmoid(z2)
        z3 = a2 @ w[2].T + b[2]
        a3 = sigmoid(z3)
        phi3 = (y - a3 if bug == "sign" else a3 - y) / (1 if bug == "n" else len(x))
        dsigma2 = a2 if bug == "sigma" else a2 * (1 - a2)
        phi2 = phi3 @ w[2] * dsigma2
        phi1 = phi2 @ w[1] * (1 if bug == "dsigma" else 1 - a1**2)
        return {
            "z": [z1, z2, z3], "a": [a1, a2, a3], "dsigma": [1 - a1**2, dsigma2, a3 * (1 - a3)],
            "loss": -(y * np.log(a3) + (1 - y) * np.log(1 - a3)).sum() / len(x), "phi": [phi1, phi2, phi3],
            "grad_w": [phi1.T @ x, phi2.T @ a1, phi3.T @ (z2 if bug == "z" else a2)],
            "grad_b": [phi.sum(axis=0) for phi in (phi1, phi2, phi3)],
        }  # fmt: skip

    return backward


BUGS = [
    (None, None, None),
    ("b", ("z", 1), "missing-b"),
    ("sign", ("phi", 3), "sign"),
    ("n", ("phi", 3), "factor-n"),
    ("sigma", ("dsigma", 2), "sigma-for-dsigma"),
    ("dsigma", ("phi", 1), "missing-dsigma"),
    ("z", ("grad_w", 3), "z-for-a"),
]


@pytest.mark.parametrize(("bug", "where", "mistake"), BUGS)
def test_one_bug_costs_one_mark(case, bug, where, mistake):
    report = diagnose_all(student(bug), *case, loss="bce")
    assert len(report) == 19
    assert [(each.quantity, each.layer, each.mistake) for each in report.wrong] == ([(*where, mistake)] if bug else [])
    assert report.right is (bug is None)
    assert report.score == (1 if bug is None else 18 / 19)


def test_what_follows_from_a_wrong_array_is_said_to_follow(case):
    report = diagnose_all(student("sign"), *case, loss="bce")
    assert report["phi", 2].follows
    assert report["phi", 2].right
    assert "follows correctly from your phi^3" in report["phi", 2].sentence
    assert report["grad_w", 1].follows
    assert report["grad_b", 3].follows
    assert not report["a", 3].follows


def test_a_second_mistake_is_found_behind_the_first(case):
    backward = student("sign")

    def twice(x, y, w, b):
        arrays = backward(x, y, w, b)
        arrays["grad_b"][1] = arrays["phi"][1].mean(axis=0)
        arrays["phi"][0] = arrays["phi"][1] @ w[1]
        arrays["grad_w"][0], arrays["grad_b"][0] = arrays["phi"][0].T @ x, arrays["phi"][0].sum(axis=0)
        return arrays

    report = diagnose_all(twice, *case, loss="bce")
    assert {(each.subject, each.mistake) for each in report.wrong} == {
        ("phi^3", "sign"),
        ("phi^1", "missing-dsigma"),
        ("grad_b^2", "divided-by-n"),
    }


def test_the_simpler_explanation_counts(case):
    model, x, y = case
    arrays = student("sign")(x, y, [layer.w for layer in model.layers], [layer.b for layer in model.layers])
    right = student()(x, y, [layer.w for layer in model.layers], [layer.b for layer in model.layers])
    arrays["grad_w"][1] = right["grad_w"][1].T  # by the student's own phi it would be a transpose and a sign
    assert diagnose_all(arrays, *case, loss="bce")["grad_w", 2].mistake == "missing-transpose"


def test_forms_in_which_answers_come(case):
    model, x, y = case
    arrays = student("n")(x, y, [layer.w for layer in model.layers], [layer.b for layer in model.layers])
    by_layer = [{name: listed[j] for name, listed in arrays.items() if name != "loss"} for j in range(3)]
    by_layer[2]["loss"] = arrays["loss"]
    whole, listed = diagnose_all(arrays, *case, loss="bce"), diagnose_all(by_layer, *case, loss="bce")
    assert whole == listed
    some = diagnose_all({"grad_w": [None, None, arrays["grad_w"][2]]}, *case, loss="bce")
    assert list(some) == [("grad_w", 3)]
    assert some["grad_w", 3].mistake == "factor-n"


def test_steps_are_judged_with_the_students_own_gradients(case):
    model, x, y = case
    w, b = [np.array(layer.w) for layer in model.layers], [np.array(layer.b) for layer in model.layers]
    arrays = student("sign")(x, y, w, b)
    arrays["w_new"] = [one - 0.1 * grad for one, grad in zip(w, arrays["grad_w"], strict=True)]
    arrays["b_new"] = [one - 0.1 * grad for one, grad in zip(b, arrays["grad_b"], strict=True)]
    report = diagnose_all(arrays, *case, loss="bce", optimizer=mlpcore.SGD(0.1))
    assert [each.subject for each in report.wrong] == ["phi^3"]
    assert report["w_new", 2].follows


def test_a_report_shows_itself(case):
    report = diagnose_all(student("sign"), *case, loss="bce")
    lines = str(report).splitlines()
    assert len(lines) == 19
    assert lines[0] == "✓ z^1       z^1 is right."
    assert sum(line.startswith("✗ phi^3") for line in lines) == 1
    html = report._repr_html_()
    assert html.count("<tr>") == 20
    assert "18 of 19 arrays" in html
    assert "<script" not in html
    with pytest.raises(KeyError):
        report["phi", 4]


@pytest.mark.parametrize(
    ("function", "mistake"),
    [
        (lambda x, y, w, b: None, "returns-nothing"),
        (lambda x, y, w, b: 1 / 0, "raises"),
        (lambda x, y, w, b: {"phi": [x]}, "wrong-type"),
        (lambda x, y, w, b: x, "wrong-type"),
        (lambda x, y, w, b: w.append(x), "changes-input"),
        (lambda x, y, w, b: w[0].fill(0), "changes-input"),
        (lambda q: q, "wrong-arguments"),
    ],
)
def test_a_pass_that_gives_no_arrays_gets_a_sentence(case, function, mistake):
    report = diagnose_all(function, *case, loss="bce")
    assert [each.mistake for each in report.all] == [mistake]
    assert report.score == 0
    assert report.all[0].subject == "the pass"


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ({"delta": []}, ValueError, "answers has 'delta'"),
        ({"phi": [np.zeros(2)]}, ValueError, r"answers\['phi'\] has 1 arrays, expected 3"),
        ({"phi": np.zeros((3, 2))}, TypeError, r"answers\['phi'\] is a ndarray"),
        ([{}], ValueError, "answers has 1 dicts, expected 3"),
        (3, TypeError, "answers is a int, expected a dict of lists"),
    ],
)
def test_answers_of_another_form_are_refused(case, answers, error, message):
    with pytest.raises(error, match=message):
        diagnose_all(answers, *case, loss="bce")
