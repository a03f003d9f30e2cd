"""Trainings with a bug beside the right one: the same where there is no bug, and another where there is one."""

import importlib.util

import numpy as np
import pytest

import mlpcore
from mlpcore import mutate
from mlpcore.diagnosis import MISTAKES
from mlpcore.diagnosis.plain_training import PLAIN

OPTIMIZERS = [
    mlpcore.SGD(0.1), mlpcore.SGD(0.05, momentum=0.9), mlpcore.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
    mlpcore.Adam(0.01), mlpcore.AdamW(0.01, weight_decay=0.1), mlpcore.RMSprop(0.01), mlpcore.Rprop(0.001),
]  # fmt: skip
ENDS = [("mse", "linear"), ("bce", "sigmoid"), ("cce", "softmax"), ("huber", "tanh"), ("hinge", "tanh"),
        ("kl_divergence", "softmax"), ("gaussian_nll", "linear")]  # fmt: skip


def small(loss="mse", last="linear", dtype="float64", **options):
    layers = [mlpcore.Dense(5, "tanh", **options), mlpcore.Dense(5, "sigmoid"), mlpcore.Dense(2, last, **options)]
    return mlpcore.Sequential(layers, input_size=3, dtype=dtype, seed=2)


@pytest.mark.parametrize(("loss", "last"), ENDS)
def test_without_a_bug_the_plain_training_is_the_engines_for_every_loss(loss, last):
    both = mutate(small(loss, last, l2=0.01, l1=0.001), loss=loss, bug=None, epochs=6)
    np.testing.assert_allclose(both.wrong["loss"], both.right["loss"], rtol=1e-9)
    assert len(both.right.epoch) == 6
    assert both.right["loss"][-1] < both.right["loss"][0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_and_for_every_optimizer(optimizer):
    both = mutate(small(use_bias=False), bug=None, optimizer=optimizer, epochs=6)
    np.testing.assert_allclose(both.wrong["loss"], both.right["loss"], rtol=1e-7)


def test_the_right_training_is_fit_where_the_order_is_the_same():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    both = mutate(small(), X, y, "mse", bug="sign", optimizer=mlpcore.SGD(0.1), epochs=5, batch_size=20)
    model = small()
    history = model.fit(X, y, "mse", optimizer=mlpcore.SGD(0.1), epochs=5, batch_size=20, shuffle=False, progress=False)
    np.testing.assert_allclose(both.right["loss"], history["loss"], rtol=1e-12)


def test_the_model_and_the_optimizer_stay_as_they_are():
    model, optimizer = small(dtype="float32"), mlpcore.Adam(0.01)
    before = [np.array(layer.w) for layer in model.layers]
    mutate(model, bug="missing-bias-correction", optimizer=optimizer, epochs=2)
    assert all(np.array_equal(layer.w, w) for layer, w in zip(model.layers, before, strict=True))
    assert optimizer._steps == 0
    assert model.history is None


def test_a_bug_changes_the_training_and_no_more_than_its_equation():
    both = mutate(small(), bug="missing-dsigma", epochs=5)
    assert (both.bug, both.equation) == ("missing-dsigma", "phi_hidden")
    assert both.right["loss"][0] != both.wrong["loss"][0]
    assert both.right["loss"] == mutate(small(), bug=None, epochs=5).right["loss"]
    assert set(both.weights) == {f"layers.{j}.{name}" for j in range(3) for name in "wb"}


def test_uphill_the_loss_grows_and_numbers_that_are_too_large_are_inf():
    both = mutate(small(), bug="uphill", optimizer=mlpcore.SGD(0.5), epochs=60)
    assert both.wrong["loss"][3] > both.right["loss"][3]
    assert not np.isfinite(both.wrong["loss"][-1])
    assert np.isfinite(both.right["loss"]).all()


@pytest.mark.parametrize(
    ("equation", "name"), [(1, "phi_last"), (2, "phi_hidden"), ("grad_b", "grad_b"), (3, "grad_w")]
)
def test_where_the_bug_is_made_can_be_chosen(equation, name):
    both = mutate(small(), bug="factor-n", equation=equation, epochs=2)
    assert both.equation == name
    assert both.wrong["loss"] != both.right["loss"]


SQUARE = mlpcore.Sequential(
    [mlpcore.Dense(4, "tanh"), mlpcore.Dense(4, "softmax"), mlpcore.Dense(4)], input_size=4, seed=1
)
NETWORKS = [
    (SQUARE, "mse", mlpcore.SGD(0.1)),
    (small(l2=0.1), "mse", mlpcore.SGD(0.1, momentum=0.9, weight_decay=0.1)),
    (small("bce", "sigmoid"), "bce", mlpcore.AdamW(0.01, weight_decay=0.1)),
    (small("mse", "softmax"), "mse", mlpcore.SGD(0.1)),
]
OTHER_SHAPES = {"matrix-for-elementwise", "elementwise-for-matrix", "not-summed", "wrong-axis"}
"""Mistakes whose arrays have another shape than the right ones: a training ends there."""


@pytest.mark.parametrize("name", [name for name, row in MISTAKES.items() if set(row.equations) & set(PLAIN)])
def test_every_mistake_of_a_training_can_be_made(name):
    done = []
    for model, loss, optimizer in NETWORKS:
        try:
            done.append(mutate(model, loss=loss, bug=name, optimizer=optimizer, epochs=2))
        except ValueError as error:
            assert "which is no mistake that can be made in this training" in str(error)  # noqa: PT017  some of them
            if name in OTHER_SHAPES:
                break
    assert bool(done) is (name not in OTHER_SHAPES)
    assert all(both.wrong["loss"] != both.right["loss"] for both in done)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"bug": "typo"}, ValueError, "bug is 'typo', which is no mistake: expected one of 'missing-dsigma'"),
        ({"bug": "raises"}, ValueError, "which is no mistake that can be made in this training"),
        ({"bug": "sign-of-momentum"}, ValueError, "which is no mistake that can be made in this training"),
        (
            {"bug": "sign", "equation": 5},
            ValueError,
            "equation is 5, expected where 'sign' can be made in this training",
        ),
        ({"X": np.zeros((3, 3))}, TypeError, "y is missing"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"optimizer": mlpcore.SGD(0.1, clip_norm=1.0)}, ValueError, "without clip_norm"),
        ({"model": mlpcore.Sequential([mlpcore.Dense(2), mlpcore.Dropout(0.5)])}, TypeError, r"layers\[1\] of model"),
        ({"model": mlpcore.Sequential([mlpcore.Dense(2)])}, TypeError, "X is missing"),
    ],
)
def test_a_call_that_is_wrong_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        mutate(**({"model": small(), "bug": "sign", "epochs": 1} | change))


def test_what_it_shows():
    both = mutate(small(), bug="missing-dsigma", epochs=30)
    lines = str(both).splitlines()
    assert "missing-dsigma in phi (equation 2)" in lines[0]
    assert len(lines) == 9
    assert lines[1].split()[0] == "0"
    assert lines[-1].split()[0] == "29"
    html = both._repr_html_()
    assert html.count("<tr>") == 9
    assert "<script" not in html
    assert "sigma" in html


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_plot():
    import matplotlib as mpl

    mpl.use("Agg")
    both = mutate(small(), bug="uphill", optimizer=mlpcore.SGD(0.5), epochs=60)
    ax = both.plot()
    drawn = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    assert list(drawn) == ["right", "uphill"]
    assert list(drawn["right"]) == both.right["loss"]
    assert "off the scale from epoch" in ax.get_title()
    assert mutate(small(), bug="sign", epochs=2).plot(ax) is ax
