"""SGD and Adam against their formulas in NumPy, refused arguments, and the state of each model."""

import copy
import pickle

import numpy as np
import pytest

import mlpcore
from mlpcore import SGD, Adam


def textbook(optimizer, w, grads):
    """The weights after one step for each of `grads`, as the papers write it."""
    velocity = m = v = np.zeros_like(w)
    for t, grad in enumerate(grads, 1):
        if isinstance(optimizer, SGD):
            velocity = optimizer.momentum * velocity + grad
            step = grad + optimizer.momentum * velocity if optimizer.nesterov else velocity
        else:
            m = optimizer.beta1 * m + (1 - optimizer.beta1) * grad
            v = optimizer.beta2 * v + (1 - optimizer.beta2) * grad**2
            m_hat, v_hat = m / (1 - optimizer.beta1**t), v / (1 - optimizer.beta2**t)
            step = m_hat / (np.sqrt(v_hat) + optimizer.epsilon)
        w = w - optimizer.learning_rate * step
    return w


OPTIMIZERS = [
    SGD(0.1),
    SGD(0.05, momentum=0.9),
    SGD(0.05, momentum=0.7, nesterov=True),
    Adam(),
    Adam(0.02, beta1=0.8, beta2=0.95, epsilon=1e-3),
    Adam(0.02, beta1=0.0, beta2=0.0),
]


def small_model(dtype="float64", seed=5):
    return mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(2)], input_size=3, dtype=dtype, seed=seed)


def data(n=12, dtype=np.float64):
    i = np.arange(n * 3).reshape(n, 3)
    return (i * 7 % 11 / 5 - 1).astype(dtype), (i[:, :2] * 5 % 7 / 3 - 1).astype(dtype)


def flat(model, names=("w", "b")):
    return np.concatenate([np.ravel(getattr(layer, name)) for layer in model.layers for name in names])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_steps_are_the_textbooks(optimizer):
    optimizer = copy.copy(optimizer)
    model, (x, y) = small_model(), data()
    first, grads = flat(model), []
    for step in range(20):
        batch = slice(step % 4 * 3, step % 4 * 3 + 3)
        model.forward(x[batch])
        model.backward(y[batch], loss="mse")
        grads.append(flat(model, ("grad_w", "grad_b")))
        model.update(optimizer)
    np.testing.assert_allclose(flat(model), textbook(optimizer, first, grads), rtol=1e-12, atol=1e-14)


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
    for name, optimizer in (("sgd", SGD), ("adam", Adam)):
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
    ],
)
def test_wrong_hyperparameters_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_what_is_no_optimizer_is_refused():
    (x, y), model = data(), small_model()
    with pytest.raises(ValueError, match="optimizer is 'lion', expected one of 'sgd', 'adam'"):
        model.fit(x, y, loss="mse", optimizer="lion")
    with pytest.raises(TypeError, match="optimizer is 0.1, expected an object such as"):
        model.fit(x, y, loss="mse", optimizer=0.1)
    with pytest.raises(TypeError, match="optimizer is 'adam', expected an object .* which keeps its state"):
        model.partial_fit(x, y, loss="mse", optimizer="adam")
    with pytest.raises(TypeError, match="optimizer is <class .*Adam'>, expected an object"):
        model.update(Adam)
    assert model.epochs_trained == 0
