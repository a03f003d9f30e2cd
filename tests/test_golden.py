"""Golden hashes: trained networks have the same bits on every machine, with every compiler.

The hashes in golden_hashes.json say which bits. A change of the arithmetic changes them; where that is wanted,
`python tests/test_golden.py --update` writes new ones.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mixtures import MIXTURES, targets_of

from mlpcore import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AlphaDropout,
    AMSGrad,
    BatchNorm,
    Cosine,
    CosLog,
    Dense,
    Embedding,
    GaussianNoise,
    LayerNorm,
    Lion,
    NAdam,
    PReLU,
    RAdam,
    RMSNorm,
    RMSprop,
    Rprop,
    Scale,
    Sequential,
    Warmup,
    catalogue,
    network,
)

HASHES = Path(__file__).with_name("golden_hashes.json")

# name: hidden layers, output activation, loss, optimizer. Each optimizer comes with every loss.
CASES = {
    "relu softmax cce adam": (["relu"], "softmax", "cce", lambda: Adam(0.01)),
    "tanh softmax cce sgd": (["tanh"], "softmax", "cce", lambda: SGD(0.1)),
    "sigmoid sigmoid cce nesterov": (["sigmoid"], "sigmoid", "cce", lambda: SGD(0.02, momentum=0.8, nesterov=True)),
    "tanh tanh sigmoid bce adam": (["tanh", "tanh"], "sigmoid", "bce", lambda: Adam(0.01, epsilon=1e-4)),
    "relu relu softmax bce sgd": (["relu", "relu"], "softmax", "bce", lambda: SGD(0.05)),
    "softmax sigmoid bce nesterov": (["softmax"], "sigmoid", "bce", lambda: SGD(0.1, momentum=0.9, nesterov=True)),
    "relu sigmoid tanh linear mse adam": (["relu", "sigmoid", "tanh"], "linear", "mse", lambda: Adam(0.02, beta1=0.8)),
    "linear tanh mse momentum": (["linear"], "tanh", "mse", lambda: SGD(0.05, momentum=0.9)),
    "softmax softmax mse nesterov": (["softmax"], "softmax", "mse", lambda: SGD(0.5, momentum=0.9, nesterov=True)),
    "relu mse sgd": ([], "relu", "mse", lambda: SGD(0.1)),
    "relu6 leaky_relu elu softsign mse adam": (
        ["relu6", ("leaky_relu", 0.2), ("elu", 0.5)],
        "softsign",
        "mse",
        lambda: Adam(0.01),
    ),
    "selu celu hard_tanh hard_sigmoid mse nesterov": (
        ["selu", ("celu", 2.0), "hard_tanh"],
        "hard_sigmoid",
        "mse",
        lambda: SGD(0.05, momentum=0.9, nesterov=True),
    ),
    "gelu gelu_tanh silu log_softmax mse adam": (
        ["gelu", "gelu_tanh", "silu"],
        "log_softmax",
        "mse",
        lambda: Adam(0.01),
    ),
    "mish hard_swish log_softmax softplus mse sgd": (
        ["mish", "hard_swish", "log_softmax"],
        "softplus",
        "mse",
        lambda: SGD(0.02),
    ),
    "softplus softsign hard_sigmoid softmax cce adam": (
        ["softplus", "softsign", "hard_sigmoid"],
        "softmax",
        "cce",
        lambda: Adam(0.02),
    ),
    "exponential tanh exponential poisson sgd": (
        ["exponential", "tanh"],
        "exponential",
        "poisson",
        lambda: SGD(0.01),
    ),
    "tanh softmax cce adam coslog": (["tanh"], "softmax", "cce", lambda: Adam(CosLog(0.01))),
    "tanh softmax cce lbfgs": (["tanh"], "softmax", "cce", LBFGS),
    "relu softmax cce momentum weight decay": (
        ["relu"],
        "softmax",
        "cce",
        lambda: SGD(0.05, momentum=0.9, weight_decay=0.01),
    ),
    "relu softmax cce adamw": (["relu"], "softmax", "cce", lambda: AdamW(0.01)),
    "tanh softmax cce amsgrad": (["tanh"], "softmax", "cce", lambda: AMSGrad(0.01)),
    "relu softmax cce nadam": (["relu"], "softmax", "cce", lambda: NAdam(0.01, weight_decay=0.1)),
    "tanh softmax cce radam": (["tanh"], "softmax", "cce", lambda: RAdam(0.01)),
    "relu softmax cce adagrad": (["relu"], "softmax", "cce", lambda: Adagrad(0.05)),
    "tanh softmax cce rmsprop": (["tanh"], "softmax", "cce", lambda: RMSprop(0.003)),
    "relu softmax cce rmsprop centered": (
        ["relu"],
        "softmax",
        "cce",
        lambda: RMSprop(0.001, momentum=0.9, centered=True),
    ),
    "tanh softmax cce adadelta": (["tanh"], "softmax", "cce", Adadelta),
    "relu softmax cce lion": (["relu"], "softmax", "cce", lambda: Lion(0.001, weight_decay=0.1)),
    "tanh softmax cce rprop": (["tanh"], "softmax", "cce", lambda: Rprop(step_max=0.1)),
    "relu mse momentum warm-up cosine": (["relu"], "linear", "mse", lambda: SGD(Warmup(Cosine(0.1), 9), momentum=0.9)),
}

# name: layers below the output. Trained as "relu softmax cce adam", unweighted and weighted.
LAYERS = {
    "batch norm": lambda: [Scale(), Dense(24, use_bias=False), BatchNorm(momentum=0.9), PReLU()],
    "layer norm": lambda: [Dense(24), LayerNorm(), PReLU(shared=True), Dense(17, "tanh"), RMSNorm()],
    "noise": lambda: [GaussianNoise(0.1), Dense(24, "selu"), AlphaDropout(0.2), Dense(17, "selu"), GaussianNoise(0.3)],
    "embedding": lambda: [Embedding({0: (3, 5), 4: (2, 1), 6: (8, 9)}), Dense(24, "relu"), LayerNorm()],
}


def data():
    """100 samples of 7 inputs, one of 5 classes, and a weight: dyadic fractions from integer arithmetic alone."""
    i = np.arange(700).reshape(100, 7)
    x = (i * i * 31 + i * 17) % 256 / 128 - 1
    labels = (x[:, :5].argmax(axis=1) + (np.arange(100) % 10 == 0)) % 5
    return x, np.eye(5)[labels], 1 + np.arange(100) % 4 / 4


def trained_hash(case, dtype, weighted=True):
    """The SHA-256 of all weights, losses and predictions of 210 steps and what they led to."""
    if case in MIXTURES:
        return mixture_hash(case, dtype, weighted)
    hidden, output, loss, optimizer = CASES["relu softmax cce adam" if case in LAYERS else case]
    layers = [Dense(units, sigma) for units, sigma in zip((24, 17, 9), hidden, strict=False)]
    layers = LAYERS[case]() if case in LAYERS else layers
    model = Sequential([*layers, Dense(5, output)], dtype=dtype, seed=2026)
    x, y, weight = data()
    if case == "embedding":
        for column, categories in ((0, 3), (4, 2), (6, 8)):
            x[:, column] = np.abs(x[:, column] * 128) % categories
    batch_size = 100 if optimizer is LBFGS else 16
    options = {"epochs": 30, "batch_size": batch_size, "validation_split": 0.1, "progress": False}
    weight = weight if weighted else None
    history = model.fit(x, y, loss=loss, optimizer=optimizer(), sample_weight=weight, **options)
    if case in LAYERS:
        numbers = [model._built().params, model._built().state, model.predict(x)]
    else:
        numbers = [array for layer in model.layers for array in (layer.w, layer.b)] + [model.predict(x)]
    assert all(np.isfinite(array).all() for array in numbers)
    numbers += [np.array(history["loss"]), np.array(history["val_loss"])]
    return hashlib.sha256(b"".join(little_endian(array) for array in numbers)).hexdigest()


def mixture_hash(case, dtype, weighted):
    """The SHA-256 of all that a mixture learns in 210 steps."""
    layers, loss, optimizer = MIXTURES[case]()
    model = Sequential(layers, dtype=dtype, seed=2026)
    x, y, weight = data()
    options = {"epochs": 30, "batch_size": 16, "validation_split": 0.1, "progress": False}
    y = targets_of(loss, y, x)
    history = model.fit(x, y, loss=loss, optimizer=optimizer, sample_weight=weight if weighted else None, **options)
    numbers = [model._built().params, model._built().state, model.predict(x)]
    assert all(np.isfinite(array).all() for array in numbers)
    numbers += [np.array(history["loss"]), np.array(history["val_loss"])]
    return hashlib.sha256(b"".join(little_endian(array) for array in numbers)).hexdigest()


def little_endian(array):
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def test_the_networks_use_every_activation():
    used = {sigma if isinstance(sigma, str) else sigma[0] for case in CASES.values() for sigma in [*case[0], case[1]]}
    assert used == set(catalogue.names("activations"))


def test_the_networks_use_everything():
    mixtures = [make() for make in MIXTURES.values()]
    losses = {loss if isinstance(loss, str) else loss[0] for _, loss, _ in mixtures}
    losses |= {loss for _, _, loss, _ in CASES.values()}
    assert losses == set(catalogue.names("losses"))
    optimizers = [optimizer for *_, optimizer in mixtures] + [make() for *_, make in CASES.values()]
    assert {getattr(optimizer, "_name", "lbfgs") for optimizer in optimizers} >= set(catalogue.names("optimizers"))
    schedules = [schedule for optimizer in optimizers if (schedule := optimizer._schedule) is not None]
    schedules += [schedule.schedule for schedule in schedules if isinstance(schedule, Warmup)]
    assert {getattr(schedule, "_name", "constant") for schedule in schedules} >= set(catalogue.names("schedules"))
    layers = [layer for layers, *_ in mixtures for layer in layers]
    layers += [layer for make in LAYERS.values() for layer in make()]
    steps = {step.kind for _, layer in network.all_layers(layers) for step in layer._steps(0, 1)}
    assert steps == set(catalogue.FAMILIES["layers"]) - {"custom"}


def all_hashes():
    return {key: trained_hash(*arguments) for key, arguments in KEYS.items()}


# The names of the hashes, with what trained_hash is given for each.
KEYS = {
    f"{case} {dtype}{'' if weighted else ' unweighted'}": (case, dtype, weighted)
    for weighted in (True, False)
    for case in (*CASES, *LAYERS, *MIXTURES)
    for dtype in ("float32", "float64")
}


@pytest.mark.parametrize("key", KEYS)
def test_training_gives_the_golden_bits(key):
    golden = json.loads(HASHES.read_text())
    assert trained_hash(*KEYS[key]) == golden[key]


def test_no_golden_hash_is_left_over():
    golden = json.loads(HASHES.read_text())
    assert set(golden) == set(KEYS)


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("usage: python tests/test_golden.py --update")
    HASHES.write_text(json.dumps(all_hashes(), indent=2) + "\n")
