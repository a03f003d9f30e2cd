"""Every optimizer against its formula in NumPy, refused arguments, and the state of each model."""

import copy
import pickle
import re

import numpy as np
import pytest
from textbook import Twin

import mlpcore
from mlpcore import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
    kernels,
)
from mlpcore.optimizers import NAMES

OPTIMIZERS = [
    SGD(0.1),
    SGD(0.05, momentum=0.9),
    SGD(0.05, momentum=0.7, nesterov=True),
    Adam(),
    Adam(0.02, beta1=0.8, beta2=0.95, epsilon=1e-3),
    Adam(0.02, beta1=0.0, beta2=0.0),
    SGD(0.05, momentum=0.9, weight_decay=0.3),
    Adam(0.02, weight_decay=0.3),
    AdamW(0.02),
    AMSGrad(0.02, beta2=0.5),
    NAdam(0.02),
    NAdam(0.02, beta1=0.7, momentum_decay=3.0, weight_decay=0.3),
    RAdam(0.02, beta2=0.99),
    Adagrad(0.1),
    RMSprop(0.01),
    RMSprop(0.01, momentum=0.9, centered=True, weight_decay=0.3),
    Adadelta(),
    Lion(0.01, weight_decay=0.3),
    Rprop(),
    Rprop(step_max=0.02, step_min=0.005),
]


def small_model(dtype="float64", seed=5):
    return mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(2)], input_size=3, dtype=dtype, seed=seed)


def data(n=12, dtype=np.float64):
    i = np.arange(n * 3).reshape(n, 3)
    return (i * 7 % 11 / 5 - 1).astype(dtype), (i[:, :2] * 5 % 7 / 3 - 1).astype(dtype)


def flat(model, names=("w", "b")):
    return np.concatenate([np.ravel(getattr(layer, name)) for layer in model.layers for name in names])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_20_steps_are_the_textbooks(optimizer):
    optimizer = copy.copy(optimizer)
    model, (x, y) = small_model(), data()
    twin = Twin(flat(model))
    for step in range(20):
        batch = slice(step % 4 * 3, step % 4 * 3 + 3)
        model.forward(x[batch])
        model.backward(y[batch], loss="mse")
        twin.step(optimizer, flat(model, ("grad_w", "grad_b")))
        model.update(optimizer)
    np.testing.assert_allclose(flat(model), twin.w, rtol=1e-11, atol=1e-13)


def test_every_optimizer_is_compared_with_its_formula():
    assert {type(optimizer) for optimizer in OPTIMIZERS} == set(NAMES.values())


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fit_is_forward_backward_update(optimizer, dtype):
    by_fit, by_hand, (x, y) = small_model(dtype), small_model(dtype), data()
    by_fit.fit(
        x, y, loss="mse", optimizer=copy.deepcopy(optimizer), epochs=3, batch_size=5, shuffle=False, progress=False
    )
    own = copy.deepcopy(optimizer)
    for _ in range(3):
        for start in range(0, len(x), 5):
            by_hand.forward(x[start : start + 5])
            by_hand.backward(y[start : start + 5], loss="mse")
            by_hand.update(own)
    np.testing.assert_array_equal(flat(by_fit), flat(by_hand))


def test_names_are_new_optimizers_with_default_hyperparameters():
    (x, y), options = data(), {"loss": "mse", "progress": False}
    for name, optimizer in NAMES.items():
        by_name, by_object = small_model(), small_model()
        for _ in range(2):
            by_name.fit(x, y, optimizer=name, **options)
            by_object.fit(x, y, optimizer=optimizer(), **options)
        np.testing.assert_array_equal(flat(by_name), flat(by_object))


def test_hyperparameters_may_change_between_epochs():
    (x, y), optimizer = data(), SGD(0.1, momentum=0.5)
    changed, apart = small_model(), small_model()

    def halve(model, epoch, logs):
        optimizer.learning_rate /= 2

    options = {"loss": "mse", "progress": False}
    changed.fit(x, y, optimizer=optimizer, epochs=3, callbacks=[halve], **options)
    other = SGD(0.1, momentum=0.5)
    for rate in (0.1, 0.05, 0.025):
        other.learning_rate = rate
        apart.fit(x, y, optimizer=other, **options)
    np.testing.assert_array_equal(flat(changed), flat(apart))

    optimizer.learning_rate = -1.0
    before = flat(changed)
    with pytest.raises(ValueError, match="learning_rate is -1.0"):
        changed.fit(x, y, optimizer=optimizer, **options)
    np.testing.assert_array_equal(flat(changed), before)


def test_state_belongs_to_one_model():
    (x, y), optimizer = data(), Adam()
    small_model().fit(x, y, loss="mse", optimizer=optimizer, progress=False)
    other = small_model()
    other.forward(x)
    other.backward(y, loss="mse")
    before = flat(other)
    for use in (
        lambda: other.fit(x, y, loss="mse", optimizer=optimizer, progress=False),
        lambda: other.partial_fit(x, y, loss="mse", optimizer=optimizer),
        lambda: other.update(optimizer),
    ):
        with pytest.raises(ValueError, match="keeps the state of another model: make a new one"):
            use()
    np.testing.assert_array_equal(flat(other), before)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_model_and_optimizer_go_on_as_a_pair_after_copying(duplicate):
    (x, y), optimizer, model = data(), Adam(), small_model()
    options = {"loss": "mse", "batch_size": 5, "progress": False}
    model.fit(x, y, optimizer=optimizer, epochs=2, **options)
    twin, its_optimizer = duplicate((model, optimizer))
    for each, own in ((model, optimizer), (twin, its_optimizer)):
        each.fit(x, y, optimizer=own, epochs=2, **options)
    np.testing.assert_array_equal(flat(model), flat(twin))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD(-0.1), ValueError, "learning_rate is -0.1, expected a finite number >= 0"),
        (lambda: SGD(float("nan")), ValueError, "learning_rate is nan"),
        (lambda: SGD(float("inf")), ValueError, "learning_rate is inf"),
        (lambda: SGD("0.1"), TypeError, "learning_rate is '0.1'"),
        (lambda: SGD(None), TypeError, "learning_rate is None"),
        (lambda: SGD(0.1, momentum=1), ValueError, "momentum is 1.0, expected a finite number >= 0 and < 1"),
        (lambda: SGD(0.1, momentum=-0.5), ValueError, "momentum is -0.5"),
        (lambda: SGD(0.1, nesterov=True), ValueError, "nesterov is True with momentum 0.0"),
        (lambda: SGD(0.1, momentum=0.9, nesterov="yes"), TypeError, "nesterov is 'yes', expected True or False"),
        (lambda: Adam(beta1=1.0), ValueError, "beta1 is 1.0"),
        (lambda: Adam(beta2=-0.1), ValueError, "beta2 is -0.1"),
        (lambda: Adam(epsilon=0), ValueError, "epsilon is 0.0"),
        (lambda: Adam(epsilon=[1e-7]), TypeError, r"epsilon is \[1e-07\]"),
        (lambda: AdamW(weight_decay=-1), ValueError, "weight_decay is -1.0, expected a finite number >= 0"),
        (lambda: SGD(0.1, 0.9, False, 0.1), TypeError, "positional"),
        (lambda: RMSprop(rho=1), ValueError, "rho is 1.0"),
        (lambda: RMSprop(centered=2), TypeError, "centered is 2, expected True or False"),
        (lambda: Rprop(eta_minus=1.0), ValueError, "eta_minus is 1.0"),
        (lambda: Rprop(eta_plus=0.9), ValueError, "eta_plus is 0.9"),
        (lambda: Rprop(step_min=0), ValueError, "step_min is 0.0"),
        (lambda: Rprop(step_min=2, step_max=1), ValueError, "step_min is 2.0, expected at most step_max, 1.0"),
        (lambda: Rprop(weight_decay=0.1), TypeError, "weight_decay"),
    ],
)
def test_wrong_hyperparameters_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_what_is_no_optimizer_is_refused():
    (x, y), model = data(), small_model()
    with pytest.raises(ValueError, match="optimizer is 'sdg', expected one of 'sgd', 'adam'"):
        model.fit(x, y, loss="mse", optimizer="sdg")
    with pytest.raises(TypeError, match="optimizer is 0.1, expected an object such as"):
        model.fit(x, y, loss="mse", optimizer=0.1)
    with pytest.raises(TypeError, match="optimizer is 'adam', expected an object .* which keeps its state"):
        model.partial_fit(x, y, loss="mse", optimizer="adam")
    with pytest.raises(TypeError, match="optimizer is <class .*Adam'>, expected an object"):
        model.update(Adam)
    assert model.epochs_trained == 0


# ---------------------------------------------------------------------------- hyperparameters changed between the steps


def test_velocity_follows_its_formula_while_momentum_is_0():
    x = np.array([[1.0, 0], [0, 1], [1, 1], [2, 1]])
    y = x @ [[2.0], [-1.0]]
    model = mlpcore.Sequential([mlpcore.Dense(1)], input_size=2, dtype="float64", seed=3)
    optimizer = SGD(0.05, momentum=0.9)
    for momentum in (0.9, 0.9, 0.0, 0.0, 0.0, 0.9):
        optimizer.momentum = momentum
        model.partial_fit(x, y, loss="mse", optimizer=optimizer, batch_size=4, shuffle=False)
    np.testing.assert_allclose(model.layers[0].w, [[0.4474, 0.4249]], atol=5e-5)


CHANGES = {
    "sgd": (
        lambda: SGD(0.1),
        [{"momentum": 0.9}, {"learning_rate": 0.02}, {"nesterov": True}, {"nesterov": False, "momentum": 0.0}, {},
         {"momentum": 0.5, "nesterov": True}],
    ),
    "adam": (
        lambda: Adam(0.01),
        [{"beta1": 0.5}, {"beta2": 0.9}, {"epsilon": 1e-2}, {"learning_rate": 0.1}, {"beta1": 0.0},
         {"beta1": 0.99, "beta2": 0.0, "epsilon": 1e-8}],
    ),
    "adamw": (lambda: AdamW(0.01), [{"weight_decay": 0.0}, {"weight_decay": 0.5}, {"learning_rate": 0.1}]),
    "nadam": (lambda: NAdam(0.01), [{"beta1": 0.5}, {"momentum_decay": 2.0}, {"beta1": 0.99, "momentum_decay": 0.0}]),
    "rmsprop": (
        lambda: RMSprop(0.01),
        [{}, {"weight_decay": 0.5}, {"rho": 0.5}, {"epsilon": 1e-2}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2e-4), ("float64", 1e-11)])
def test_each_step_follows_the_formula_with_the_hyperparameters_of_that_step(name, dtype, rtol):
    make, changes = CHANGES[name]
    optimizer, model, (x, y) = make(), small_model(dtype), data(dtype=dtype)
    twin = Twin(flat(model))
    for change in changes:
        for hyper, value in change.items():
            setattr(optimizer, hyper, value)
        for _ in range(3):
            model.forward(x)
            model.backward(y, loss="mse")
            twin.step(optimizer, flat(model, ("grad_w", "grad_b")).astype("f8"))
            model.update(optimizer)
            np.testing.assert_allclose(flat(model), twin.w, rtol=rtol, atol=rtol / 10)


# -------------------------------------------------------------------------------------------------------- tiny averages


def adam_move(dtype, grad, t=1, steps=1, **hypers):
    """The weight after `steps` steps with one gradient, from 0."""
    w, m, v = (np.zeros(1, dtype) for _ in range(3))
    for number in range(t, t + steps):
        kernels.adam_step(w, np.full(1, grad, dtype), m, v, t=number, **hypers)
    return float(w[0])


@pytest.mark.parametrize(("epsilon", "step"), [(1e-16, -9.9e-4), (1e-14, -5e-4)])
def test_a_tiny_gradient_steps_as_the_formula_says(epsilon, step):
    assert adam_move("f4", 1e-14, learning_rate=1e-3, epsilon=epsilon) == pytest.approx(step, rel=1e-3)


def test_an_epsilon_that_float32_cannot_use_is_refused():
    with pytest.raises(ValueError, match="adam_step: epsilon is 1e-20, expected at least 1e-16 in float32"):
        adam_move("f4", 1.0, epsilon=1e-20)
    assert adam_move("f8", 1.0, epsilon=1e-20) == pytest.approx(-1e-3)


@pytest.mark.parametrize("t", [1, 2, 50, 10_000])
@pytest.mark.parametrize("beta2", [0.0, 0.9, 0.999, 0.999999])
def test_flushing_never_changes_a_float32_step_by_more_than_rounding(beta2, t):
    """Against the same step in float64, wherever grad^2 and its share in v are no subnormal numbers."""
    beta2, rate = float(np.float32(beta2)), 2.0**-10
    for grad in (np.float32(10.0) ** np.arange(-30, 10, dtype="f4")).tolist():
        v = (1 - beta2) * grad**2
        for epsilon in (np.float32(10.0) ** np.arange(-16, 3, 2, dtype="f4")).tolist():
            # v itself is rounded: by half a step of the smallest numbers where it is subnormal.
            least, most = (
                rate * grad / (np.sqrt(max(v + off, 0) / (1 - beta2**t)) + epsilon) for off in (2.0**-149, -(2.0**-149))
            )
            move = -adam_move("f4", grad, t=t, beta1=0.0, beta2=beta2, learning_rate=rate, epsilon=epsilon)
            assert least * (1 - 1e-6) <= move <= most * (1 + 1e-6), (grad, epsilon)


def test_flushing_does_not_keep_v_from_growing():
    """Each step adds (1 - beta2) grad^2, which is lost beside epsilon; what they add up to is not."""
    epsilon, beta2 = float(np.float32(1e-10)), float(np.float32(0.9999))
    grad = np.float32(50 * 2.0**-25 * epsilon)
    moves = []
    for dtype in ("f4", "f8"):
        w, m, v = (np.zeros(1, dtype) for _ in range(3))
        for t in range(100_000, 150_000):
            w[0] = 0
            kernels.adam_step(w, np.full(1, grad, dtype), m, v, t=t, beta1=0.0, beta2=beta2, epsilon=epsilon)
        moves.append(float(w[0]))
    assert moves[0] == pytest.approx(moves[1], rel=3e-7, abs=0)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_averages_of_a_gradient_that_became_0_decay_to_0(dtype):
    """They never stay among the subnormal numbers, which are slow."""
    smallest = float(np.finfo(dtype).smallest_normal)
    w, m, v, velocity = (np.ones(40, dtype) * 1e-3 for _ in range(4))
    zero, seen = np.zeros(40, dtype), []
    for t in range(1, 20_001):
        kernels.adam_step(w, zero, m, v, t=t, beta1=0.9, beta2=0.95, epsilon=1e-7)
        kernels.sgd_step(w, zero, velocity, momentum=0.9)
        seen += [float(average[0]) for average in (m, v, velocity)]
    assert not any(0 < number < smallest for number in seen)
    assert not m.any()
    assert not v.any()
    assert not velocity.any()


# ---------------------------------------------------------------------------- numbers that the model's type cannot hold


@pytest.mark.parametrize("rate", [1e39, 1e-60])
def test_a_rate_that_float32_cannot_hold_is_refused_everywhere(rate):
    (x, y), model = data(), small_model("float32")
    before, message = flat(model), f"learning_rate.* is {re.escape(str(rate))}, which float32"
    for optimizer in (SGD(rate), Adam(rate)):
        with pytest.raises(ValueError, match=message):
            model.fit(x, y, loss="mse", optimizer=optimizer, progress=False)
    w = np.ones(3, "f4")
    with pytest.raises(ValueError, match=message):
        kernels.sgd_step(w, np.zeros(3, "f4"), learning_rate=rate)
    with pytest.raises(ValueError, match=message):
        kernels.adam_step(w, np.zeros(3, "f4"), np.zeros(3, "f4"), np.zeros(3, "f4"), t=1, learning_rate=rate)
    assert (w == 1).all()
    kernels.sgd_step(np.ones(3), np.zeros(3), learning_rate=rate)
    np.testing.assert_array_equal(flat(model), before)


@pytest.mark.parametrize("clip", [{"clip_value": 1e39}, {"clip_norm": 1e-60}])
def test_a_limit_that_float32_cannot_hold_is_refused(clip):
    (x, y), model = data(), small_model("float32")
    with pytest.raises(ValueError, match="clip_.* is .*, which float32"):
        model.fit(x, y, loss="mse", optimizer=SGD(**clip), progress=False)
    small_model("float64").fit(x, y, loss="mse", optimizer=SGD(**clip), progress=False)


def test_a_layers_settings_that_float32_cannot_hold_are_refused_before_anything_changes():
    x, y = data()
    for settings in ({"l1": 1e39}, {"l2": 1e-60}, {"max_norm": 1e39}, {"learning_rate_factor": 1e-60}):
        model = mlpcore.Sequential([mlpcore.Dense(2, **settings)], dtype="float32")
        (name,) = settings
        with pytest.raises(
            ValueError, match=f"{ {'learning_rate_factor': 'rate_factor'}.get(name, name) } is .*float32"
        ):
            model.fit(x, y, loss="mse", optimizer=SGD(), progress=False)
        assert model.epochs_trained == 0
        mlpcore.Sequential([mlpcore.Dense(2, **settings)], dtype="float64").fit(x, y, loss="mse", progress=False)
    model = mlpcore.Sequential([mlpcore.Dense(2, learning_rate_factor=1e30)], input_size=3, dtype="float32")
    before = flat(model)
    with pytest.raises(
        ValueError, match="learning_rate times a layer's learning_rate_factor is .*e\\+39, which float32"
    ):
        model.fit(x, y, loss="mse", optimizer=SGD(5e9), progress=False)
    np.testing.assert_array_equal(flat(model), before)


@pytest.mark.parametrize(("rate", "dtype"), [(1e38, "float32"), (5e37, "float32"), (1e308, "float64")])
def test_a_rate_that_adams_first_step_makes_infinite_is_refused_everywhere(rate, dtype):
    """The first step divides by 1 - beta1, and 0 times infinity is no step: it would be NaN."""
    message = f"learning_rate is {re.escape(str(rate))}, which makes the first step of 'adam' infinite in {dtype}"
    (x, y), model = data(), small_model(dtype)
    before = flat(model)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            train(x, y, loss="mse", optimizer=Adam(rate))
    model.forward(x)
    model.backward(y, loss="mse")
    with pytest.raises(ValueError, match=message):
        model.update(Adam(rate))
    np.testing.assert_array_equal(flat(model), before)
    assert (model.epochs_trained, model.history) == (0, None)
    w, zeros = np.ones(3, dtype), np.zeros(3, dtype)
    for t in (1, 100):
        with pytest.raises(ValueError, match=f"adam_step: {message}"):
            kernels.adam_step(w, zeros, zeros.copy(), zeros.copy(), t=t, learning_rate=rate)
    kernels.adam_step(w, zeros, zeros.copy(), zeros.copy(), t=1, learning_rate=rate, beta1=0.0)
    assert (w == 1).all()


def test_a_layers_factor_that_makes_adams_first_step_infinite_is_refused():
    x, y = data()
    model = mlpcore.Sequential([mlpcore.Dense(2, learning_rate_factor=1e20)], input_size=3, dtype="float32")
    before = flat(model)
    with pytest.raises(ValueError, match="factor is 1e\\+38, which makes the first step of 'adam' infinite in float32"):
        model.fit(x, y, loss="mse", optimizer=Adam(1e18), progress=False)
    np.testing.assert_array_equal(flat(model), before)
