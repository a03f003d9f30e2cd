"""diagnose itself: arrays and functions of any kind, calls that are wrong, and what is said."""

import numpy as np
import pytest

import mlpcore
from mlpcore import diagnose
from mlpcore.diagnosis import EQUATIONS, MISTAKES
from mlpcore.diagnosis.others import OTHERS


@pytest.fixture(scope="module")
def case():
    """A model with x, y and its loss, after a forward and a backward."""
    model = mlpcore.Sequential(
        [mlpcore.Dense(3, "sigmoid"), mlpcore.Dense(2, "sigmoid")], input_size=4, dtype="float64", seed=1
    )
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4)), rng.integers(0, 2, (5, 2)).astype(float)
    model.forward(x)
    model.backward(y, "bce")
    return model, x, y


def judged(case, answer, quantity, **options):
    model, x, y = case
    return diagnose(answer, quantity, model, x, y, **({"loss": "bce"} | options))


# ------------------------------------------------------------------------------------------------------------- arrays


@pytest.mark.parametrize("form", [np.asarray, np.ndarray.tolist, lambda a: a.astype(np.float32), np.asfortranarray])
def test_numbers_of_any_kind_are_read(case, form):
    assert judged(case, form(np.array(case[0].layers[0].phi)), "phi", layer=1).right


def test_a_layer_is_counted_from_1_or_given_itself(case):
    model = case[0]
    phi = np.array(model.layers[0].phi)
    assert judged(case, phi, "phi", layer=1).right
    assert judged(case, phi, "phi", layer=-2).right
    assert judged(case, phi, "phi", layer=model.layers[0]).right
    assert not judged(case, phi, "phi").right  # the last


def test_what_every_diagnosis_tells(case):
    last = case[0].layers[1]
    diagnosis = judged(case, last.phi @ last.w, "phi", layer=1)
    assert not diagnosis
    assert (diagnosis.quantity, diagnosis.layer, diagnosis.subject) == ("phi", 1, "phi^1")
    assert diagnosis.mistake == "missing-dsigma"
    assert diagnosis.candidates == ("missing-dsigma",)
    assert diagnosis.first_difference == (0, 0)
    assert diagnosis.equation == "equation 2: phi^j = (w^{j+1})^T phi^{j+1} ∘ sigma'(z^j)"
    assert str(diagnosis) == diagnosis.sentence == (
        "phi^1 is wrong: the factor sigma'(z) is missing. Equation 2: phi^j = (w^{j+1})^T phi^{j+1} ∘ sigma'(z^j). "
        "Multiply element by element by sigma' at this layer's own z."
    )  # fmt: skip
    assert repr(diagnosis).startswith("<phi^1: missing-dsigma> phi^1 is wrong")
    html = diagnosis._repr_html_()
    assert "missing-dsigma" in html
    assert "<script" not in html
    assert "sigma&#x27;(z)" in html


@pytest.mark.parametrize(
    ("make", "mistake", "said"),
    [
        (lambda phi: None, "returns-nothing", "None"),
        (lambda phi: "phi", "wrong-type", "str"),
        (lambda phi: phi > 0, "wrong-type", "True and False"),
        (lambda phi: phi + 0j, "wrong-type", "complex"),
        (lambda phi: {"phi": phi}, "wrong-type", "dict"),
        (lambda phi: [[1.0], [1.0, 2.0]], "wrong-type", "list"),
        (lambda phi: phi.T, "wrong-shape", "it has shape (3, 5), expected (5, 3): (n, out). It is the transpose"),
        (lambda phi: phi.ravel(), "wrong-shape", "It holds the right numbers"),
        (lambda phi: phi[:, :2], "wrong-shape", "it has shape (5, 2), expected (5, 3)"),
        (lambda phi: np.where(phi == phi[2, 1], np.nan, phi), "not-finite", "the number at [2, 1] is nan"),
        (lambda phi: phi / 0, "not-finite", "at [0, 0] is"),
        (lambda phi: phi * 0, None, "all that came are 0"),
        (lambda phi: phi * 1.7, None, "each is 1.7 times what is expected"),
        (lambda phi: phi.astype(int), None, "unknown mistake"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_no_right_array_gets_a_sentence(case, make, mistake, said):
    diagnosis = judged(case, make(np.array(case[0].layers[0].phi)), "phi", layer=1)
    assert not diagnosis.right
    assert diagnosis.mistake == mistake
    assert said in diagnosis.sentence


def test_grad_b_and_the_loss_may_have_an_axis_of_one(case):
    grad_b = np.array(case[0].layers[0].grad_b)
    assert judged(case, grad_b[None], "grad_b", layer=1).right
    value = case[0].backward(case[2], "bce")
    assert judged(case, value, "loss").right
    assert judged(case, [value], "loss").right
    assert judged(case, 5 * value, "loss").mistake == "factor-n"
    assert judged(case, value, "loss").subject == "L"


def test_a_step_of_an_optimizer_that_has_a_state():
    rng = np.random.default_rng(0)
    model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(2)], input_size=4, dtype="float64", seed=1)
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    optimizer = mlpcore.SGD(0.1, momentum=0.9)
    for _ in range(2):
        model.forward(x)
        model.backward(y, "mse")
        model.update(optimizer)
    model.forward(x)
    model.backward(y, "mse")
    before = model.layers[0].w.copy()
    grad_w = model.layers[0].grad_w.copy()
    check = dict(model=model, x=x, y=y, loss="mse", layer=1, optimizer=optimizer)
    assert diagnose(before - 0.1 * grad_w, "w_new", **check).mistake == "missing-momentum"
    assert np.array_equal(model.layers[0].w, before)
    assert optimizer._steps == 2
    twin = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(2)], input_size=4, dtype="float64", seed=1)
    own = mlpcore.SGD(0.1, momentum=0.9)
    for _ in range(3):
        twin.forward(x)
        twin.backward(y, "mse")
        twin.update(own)
    assert diagnose(twin.layers[0].w, "w_new", **check).right
    assert diagnose(twin.layers[0].b, "b_new", **check).right


# ---------------------------------------------------------------------------------------------------------- functions


def relu_in_place(z):
    z[z < 0] = 0
    return z


def stops(z):
    raise SystemExit


@pytest.mark.parametrize(
    ("function", "quantity", "options", "mistake"),
    [
        (lambda x, w, b: x @ w.T + b, "z", {}, None),
        (lambda X, W, b: X @ W.T + b, "z", {}, None),
        (lambda p, q, r: p @ q.T + r, "z", {}, None),
        (lambda x, w, b: x @ w.T, "z", {}, "missing-b"),
        (lambda x, w, b: x @ w + b, "z", {}, "missing-transpose"),
        (lambda z: np.maximum(z, 0), "a", {"activation": "relu"}, None),
        (lambda z: z, "a", {"activation": "relu"}, "missing-sigma"),
        (relu_in_place, "a", {"activation": "relu"}, "changes-input"),
        (lambda z: 1 / (1 + np.exp(z)), "a", {}, "sign-of-z"),
        (lambda z: np.tanh(z), "a", {}, "another-activation"),
        (lambda z: np.exp(z) / np.exp(z).sum(), "a", {"activation": "softmax"}, "softmax-wrong-axis"),
        (lambda z: np.exp(z), "a", {"activation": "softmax"}, "softmax-not-normalised"),
        (lambda a: a * (1 - a), "dsigma", {}, None),
        (lambda z: z * (1 - z), "dsigma", {}, "z-in-dsigma"),
        (lambda z: 1 - np.tanh(np.tanh(z)) ** 2, "dsigma", {"activation": "tanh"}, "dsigma-of-a"),
        (lambda a: 1 - a, "dsigma", {"activation": "tanh"}, "missing-square"),
        (lambda a: a * (1 - a), "dsigma", {"activation": "softmax"}, "softmax-elementwise"),
        (lambda a, y: ((a - y) ** 2).mean(), "loss", {}, None),
        (lambda a, y: ((a - y) ** 2).sum(), "loss", {}, "nothing-averaged"),
        (lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean(), "loss", {"loss": "bce"}, "mean-over-outputs"),
        (lambda a, y: -(y * np.log(a)).sum() / len(a), "loss", {"loss": "bce"}, "half-of-bce"),
        (lambda a, y: 2 * (a - y) / a.size, "grad_a", {}, None),
        (lambda a, y: (a - y) / a.size, "grad_a", {}, "missing-factor-2"),
        (lambda y, a: (-y / a - (1 - y) / (1 - a)) / len(a), "grad_a", {"loss": "bce"}, "printed-bce-sign"),
        (lambda a, y: (a - y) / len(a), "phi", {"loss": "bce"}, None),
        (lambda a, y: (y - a) / len(a), "phi", {"loss": "cce", "activation": "softmax"}, "sign"),
        (lambda a, y: (a - y) / len(a), "phi", {"loss": "mse"}, "a-minus-y"),
        (lambda a, y: a - y, "phi_last", {"loss": "cce", "activation": "softmax"}, "factor-n"),
        (lambda phi_next, w_next, a: phi_next @ w_next * a * (1 - a), "phi", {}, None),
        (lambda phi_next, w_next: phi_next @ w_next, "phi", {}, "missing-dsigma"),
        (lambda phi_next, w_next, a: phi_next @ w_next * a, "phi", {}, "sigma-for-dsigma"),
        (lambda p, w, z: p @ w * (1 - np.tanh(z) ** 2), "phi", {"activation": "tanh"}, None),
        (lambda phi, x: phi.T @ x, "grad_w", {}, None),
        (lambda phi, x: x.T @ phi, "grad_w", {}, "missing-transpose"),
        (lambda phi, a: phi.T @ a, "grad_w", {}, "a-for-a-before"),
        (lambda phi, x: phi.T @ x / len(x), "grad_w", {}, "divided-by-n"),
        (lambda phi, x: phi[:, :, None] * x[:, None, :], "grad_w", {}, "not-summed"),
        (lambda phi: phi.sum(axis=0), "grad_b", {}, None),
        (lambda phi: phi.sum(axis=0, keepdims=True), "grad_b", {}, None),
        (lambda phi: phi, "grad_b", {}, "not-summed"),
        (lambda phi: phi.sum(axis=1), "grad_b", {}, "wrong-axis"),
        (lambda phi: phi.sum(), "grad_b", {}, "wrong-axis"),
        (lambda phi: None, "grad_b", {}, "returns-nothing"),
        (lambda phi, more: phi, "grad_b", {}, "wrong-arguments"),
        (lambda p, q: p, "grad_b", {}, "wrong-arguments"),
        (lambda phi: phi.total(), "grad_b", {}, "raises"),
        (stops, "a", {}, "raises"),
        (lambda w, grad_w, learning_rate: w - learning_rate * grad_w, "w_new", {}, None),
        (lambda w, grad_w, lr: w + lr * grad_w, "w_new", {}, "uphill"),
        (lambda w, grad_w: w - grad_w, "w_new", {}, "missing-learning-rate"),
        (lambda b, grad_b, lr: -lr * grad_b, "b_new", {}, "step-only"),
        (lambda w, grad_w, lr, momentum, velocity: w - lr * (grad_w - momentum * velocity), "w_new",
         {"optimizer": mlpcore.SGD(0.1, momentum=0.9)}, "sign-of-momentum"),
    ],
)  # fmt: skip
def test_functions(function, quantity, options, mistake):
    diagnosis = diagnose(function, quantity, **options)
    assert diagnosis.right is (mistake is None), diagnosis
    assert diagnosis.mistake == mistake
    assert diagnosis.layer is None


def adam(w, grad_w, m, v, t, learning_rate, beta1, beta2, epsilon, *, corrected=True, inside=False):
    m, v = beta1 * m + (1 - beta1) * grad_w, beta2 * v + (1 - beta2) * grad_w**2
    if corrected:
        m, v = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - learning_rate * m / (np.sqrt(v + epsilon) if inside else np.sqrt(v) + epsilon)


def test_adam():
    def uncorrected(w, grad_w, m, v, t, learning_rate, beta1, beta2, epsilon):
        return adam(w, grad_w, m, v, t, learning_rate, beta1, beta2, epsilon, corrected=False)

    def inside(w, grad_w, m, v, t, learning_rate, beta1, beta2, epsilon):
        return adam(w, grad_w, m, v, t, learning_rate, beta1, beta2, epsilon, inside=True)

    assert diagnose(adam, "w_new", optimizer="adam").right
    assert diagnose(uncorrected, "w_new", optimizer="adam").mistake == "missing-bias-correction"
    assert diagnose(inside, "w_new", optimizer="adam").mistake == "epsilon-inside-root"


def test_a_function_is_called_on_the_values_of_a_model(case):
    assert judged(case, lambda phi_next, w_next, a: phi_next @ w_next * a * (1 - a), "phi", layer=1).right
    assert judged(case, lambda phi_next, w_next, a: phi_next @ w_next, "phi", layer=1).mistake == "missing-dsigma"


def test_an_error_is_quoted_and_a_mistake_behind_it_named():
    diagnosis = diagnose(lambda phi_next, w_next, a: phi_next @ w_next.T * a * (1 - a), "phi")
    assert diagnosis.mistake == "missing-transpose"
    assert "Where sizes differ the function ends with ValueError: matmul" in diagnosis.sentence


def test_the_seed_chooses_the_hidden_network():
    seen = []
    for seed in (0, 0, 1):
        diagnose(lambda x, w, b: seen.append(x) or x @ w.T + b, "z", seed=seed)
    assert np.array_equal(seen[0], seen[2])
    assert not np.array_equal(seen[0], seen[4])


@pytest.mark.parametrize("name", EQUATIONS)
def test_every_equation_is_right_by_itself_on_hidden_networks(name):
    inputs = EQUATIONS[name].inputs
    assert diagnose(eval(f"lambda {', '.join(inputs)}: None"), name).mistake == "returns-nothing"


# ------------------------------------------------------------------------------------------------- calls that are wrong


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"quantity": "delta"}, ValueError, "quantity is 'delta', expected one of 'z', 'a'"),
        ({"layer": 0}, ValueError, "layer is 0, expected 1 to 2: layer 1 is model.layers\\[0\\]"),
        ({"layer": 3}, ValueError, "layer is 3"),
        ({"layer": mlpcore.Dense(2)}, ValueError, "none of the model's"),
        ({"quantity": "phi_hidden", "layer": 2}, ValueError, "quantity is 'phi_hidden', expected 'phi' for layer 2"),
        ({"loss": None}, TypeError, "loss is missing"),
        ({"loss": "nse"}, ValueError, "loss is 'nse'"),
        ({"x": None}, TypeError, "x is missing"),
        ({"y": None}, TypeError, "y is missing"),
        ({"x": np.zeros((5, 3))}, ValueError, "x has shape"),
        ({"y": np.zeros((4, 2))}, ValueError, "y has 4 rows"),
        ({"model": None}, TypeError, "model is missing"),
        ({"model": None, "x": None, "y": None, "layer": None}, TypeError, "to compare this ndarray with"),
        ({"model": "net"}, TypeError, "expected a Sequential"),
        ({"model": mlpcore.Sequential([mlpcore.Dropout(0.5)], input_size=4)}, TypeError, r"layers\[0\]"),
        ({"activation": "relu"}, TypeError, "activation is given"),
        ({"optimizer": "sdg"}, ValueError, "optimizer is 'sdg'"),
        ({"optimizer": mlpcore.SGD(0.1, clip_norm=1.0)}, ValueError, "without clip_norm"),
        ({"optimizer": mlpcore.SGD(mlpcore.Cosine(0.1))}, ValueError, "learning rate is a number"),
        ({"tolerance": -1}, ValueError, "tolerance"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)  # fmt: skip
def test_a_call_that_is_wrong_is_refused(case, change, error, message):
    model, x, y = case
    given = {"answer": np.zeros((5, 3)), "quantity": "phi", "model": model, "x": x, "y": y, "loss": "bce", "layer": 1}
    with pytest.raises(error, match=message):
        diagnose(**(given | change))


def test_every_mistake_can_be_read():
    for name, row in MISTAKES.items():
        assert name == row.name == name.lower()
        assert row.what
        assert not row.what.endswith(".")
        assert row.do.endswith(".")
        assert set(row.equations) <= set(EQUATIONS | OTHERS)
