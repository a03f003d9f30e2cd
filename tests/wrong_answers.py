"""Random networks, and answers to every equation: right ones in many forms, wrong ones, corrupted ones."""

import numpy as np

import mlpcore
from mlpcore.diagnosis import EQUATIONS, MISTAKES, references

HIDDEN = ["sigmoid", "tanh", "sigmoid", "tanh", "relu", "elu", "gelu", "softplus", "silu", "leaky_relu", "softmax"]
LAST = [
    ("mse", "linear"),
    ("mse", "sigmoid"),
    ("mse", "tanh"),
    ("bce", "sigmoid"),
    ("cce", "softmax"),
    ("mse", "softmax"),
    ("huber", "linear"),
    ("bce", "softmax"),
    ("log_cosh", "tanh"),
    ("gaussian_nll", "linear"),
]
OPTIMIZERS = [
    mlpcore.SGD(0.1),
    mlpcore.SGD(0.1, momentum=0.9),
    mlpcore.SGD(0.1, momentum=0.8, nesterov=True),
    mlpcore.Adam(0.01),
    mlpcore.AdamW(0.01, weight_decay=0.1),
    mlpcore.SGD(0.1, weight_decay=0.01),
]


def network(rng, dtype="float64"):
    """Return a random model with data, its loss and an optimizer that has taken two steps."""
    loss, last = LAST[rng.integers(len(LAST))]
    square = rng.random() < 0.3  # where a transpose or another layer's w fits
    width = int(rng.integers(2, 7))
    widths = [width if square else int(rng.integers(1, 8)) for _ in range(int(rng.integers(1, 5)))]
    n, inputs = int(rng.integers(2, 9)), width if square else int(rng.integers(1, 8))
    if last == "softmax":
        widths[-1] = max(widths[-1], 3)
    if loss == "gaussian_nll":  # two outputs for each number of y
        widths[-1] = 2 * (1 + widths[-1] // 2)
    layers = [mlpcore.Dense(units, str(rng.choice(HIDDEN)), l2=float(rng.choice([0, 0.1]))) for units in widths[:-1]]
    layers.append(mlpcore.Dense(widths[-1], last, l2=float(rng.choice([0, 0.1]))))
    model = mlpcore.Sequential(layers, input_size=inputs, dtype=dtype, seed=int(rng.integers(2**32)))
    for layer in layers:
        layer.w = rng.normal(0, 0.8, layer.w.shape)
        layer.b = rng.normal(0, 0.5, layer.units)
    x, y = rng.normal(size=(n, inputs)), references._targets(rng, loss, n, widths[-1])
    optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))]
    optimizer = type(optimizer)(**{h.name: getattr(optimizer, h.name) for h in optimizer._entry().hypers})
    for _ in range(2):
        model.forward(x)
        model.backward(y, loss)
        model.update(optimizer)
    return model, x, y, loss, optimizer


def equation_at(rng, model, equation):
    """Return a layer of the model, from 0, in which the equation is solved; None if there is none."""
    J = len(model.layers)
    if equation.endswith("_hidden"):
        return int(rng.integers(J - 1)) if J > 1 else None
    return J - 1 if equation.endswith("_last") or equation == "loss" else int(rng.integers(J))


def forms():
    """Yield every form of every mistake: its name, the equation, the formula."""
    for name, row in MISTAKES.items():
        for equation, wrong in row.wrong.items():
            if equation not in EQUATIONS:  # no model computes it
                continue
            for form in wrong:
                yield name, equation, form


def wrong_answer(rng, name, equation, form, tries=200):
    """Return what to give to diagnose, in which the mistake is made and makes a difference; None if none was found."""
    for _ in range(tries):
        dtype = "float32" if rng.random() < 0.3 else "float64"
        model, x, y, loss, optimizer = network(rng, dtype)
        j = equation_at(rng, model, equation)
        if j is None:
            continue
        steps = optimizer if equation in references.STEPS or name == "updated-w" else None
        reference = references.of_model(model, x, y, loss, steps)
        case = reference.case(EQUATIONS[equation], j, None, layer=j + 1, tolerance=None)
        value = case.value_of(form.formula)
        if value is None or not 1e-6 < np.abs(value).max() < 1e30:  # 0 but for rounding, or infinite in float32
            continue
        expected = case.expected
        close = 1e-3 if "float32" in (dtype, model.dtype) else 1e-6
        largest = np.abs(expected).max()
        if value.shape == expected.shape and (np.abs(value - expected) <= close * largest).all():
            continue
        answer = value.astype(dtype) if dtype == "float32" else value
        return dict(
            answer=answer,
            quantity=EQUATIONS[equation].quantity,
            model=model,
            x=x,
            y=y,
            loss=loss,
            layer=j + 1,
            optimizer=steps,
        )
    return None


def corrupted(rng, right):
    """Return an array with something random done to it that no mistake does."""
    wrong = np.array(right, dtype=np.float64)
    size = np.abs(wrong).max() or 1.0
    kind = rng.integers(5)
    if kind == 0:  # one number
        wrong.flat[rng.integers(wrong.size)] += size * rng.uniform(0.01, 1)
    elif kind == 1:
        wrong += size * rng.normal(0, 0.1, wrong.shape)
    elif kind == 2:
        wrong *= rng.uniform(0.5, 1.5, wrong.shape)
    elif kind == 3:
        wrong += size * rng.uniform(0.1, 1)
    else:
        wrong = np.sin(3 * wrong + rng.uniform(1, 2))
    return wrong
