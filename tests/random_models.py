"""Random models of every layer, activation and loss of the catalogue, with samples for them."""

import numpy as np

from mlpcore import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    GaussianNoise,
    LayerNorm,
    PReLU,
    Residual,
    RMSNorm,
    Scale,
    Sequential,
    gradcheck,
    kernels,
    network,
)

PAIRS = [(loss, activation) for loss in gradcheck.LOSSES for activation in gradcheck.ACTIVATIONS]
# A logarithm needs y_hat above 0, which z of 0.1 to 0.9 gives. Outputs of log_softmax are below 0.
NEEDS_Y_HAT_IN_RANGE = [
    (loss, activation)
    for loss in ("bce", "cce")
    for activation in gradcheck.ACTIVATIONS
    if activation not in ("sigmoid", "softmax", "log_softmax")
]
HAS_LOGARITHM = [
    (loss, activation)
    for loss in ("bce", "cce", "kl_divergence", "poisson", "focal")
    for activation in gradcheck.ACTIVATIONS
    if ("bce", activation) in NEEDS_Y_HAT_IN_RANGE
]

# In a stack of layers e^z soon becomes larger than what differences can follow: it is in PAIRS, as the last layer.
BOUNDED = [name for name in gradcheck.ACTIVATIONS if name != "exponential"]
BETWEEN = {
    "dropout": lambda rng: Dropout(float(rng.choice([0.0, 0.3, 0.7]))),
    "alpha_dropout": lambda rng: AlphaDropout(0.3),
    "gaussian_noise": lambda rng: GaussianNoise(0.2),
    "batch_norm": lambda rng: BatchNorm(),
    "layer_norm": lambda rng: LayerNorm(),
    "rms_norm": lambda rng: RMSNorm(),
    "scale": lambda rng: Scale(),
    "prelu": lambda rng: PReLU(0.1, shared=bool(rng.integers(2))),
    "activation": lambda rng: Activation(str(rng.choice(BOUNDED))),
}
"""Layers that keep the width, by the name of their row; Dense and Residual, a fork and a join, come between them, and
an Embedding first."""


def log_uniform(rng, low, high):
    """Return an integer from low to high, small ones as often as large ones."""
    return int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))


def targets(rng, loss, n, out):
    """Return hard, soft or unnormalised y of any kind that the loss takes."""
    if loss == "mse":
        return rng.normal(size=(n, out))
    if "hinge" in loss:
        return rng.choice([-1.0, 1.0], (n, out))
    if rng.random() < 0.5:
        return rng.uniform(0, 1, (n, out))
    if loss == "bce":
        return rng.integers(0, 2, (n, out)).astype(float)
    return np.eye(out)[rng.integers(0, out, n)]


def weights(rng, n):
    """Return no weights, or some of which a few are 0."""
    if rng.random() < 0.5:
        return None
    weight = rng.uniform(0.1, 3, n) * (rng.random(n) < 0.8)
    weight[rng.integers(n)] = 1
    return weight


def random_layers(rng, width, depth=0):
    """Return between one and four layers from `width` inputs, and how many outputs the last of them has."""
    layers = []
    for _ in range(int(rng.integers(1, 4 if depth else 5))):
        kind = rng.choice(["dense", "dense", "between", "between", "residual"][: 5 if depth < 3 else 4])
        if kind == "dense":
            width = log_uniform(rng, 1, 20)
            layers.append(Dense(width, str(rng.choice(BOUNDED)), use_bias=bool(rng.integers(4))))
        elif kind == "between":
            layers.append(BETWEEN[str(rng.choice(list(BETWEEN)))](rng))
        else:
            branch, _ = random_layers(rng, width, depth + 1)
            layers.append(Residual([*branch, Dense(width)]))
    return layers, width


def random_columns(rng, inputs):
    """Return tables for some columns, in one of four models."""
    if rng.integers(4):
        return {}
    some = rng.choice(inputs, int(rng.integers(1, min(inputs, 3) + 1)), replace=False)
    return {int(column): (int(rng.integers(1, 6)), int(rng.integers(1, 5))) for column in some}


def random_model(seed, training=False):
    """Return a model that ends with the pair of the seed, x, y, the loss and weights of 1 to 17 samples."""
    rng = np.random.default_rng(seed)
    loss, output = PAIRS[seed % len(PAIRS)]
    inputs, n, out = log_uniform(rng, 1, 20), int(rng.integers(1, 18)), log_uniform(rng, 1, 20)
    paired = loss == "gaussian_nll"  # its y has half as many columns as there are outputs
    out += out % 2 if paired else 0
    columns = random_columns(np.random.default_rng([seed, 1]), inputs)
    first = [Embedding(columns)] if columns else []
    layers, _ = random_layers(rng, first[0]._output_size(inputs) if first else inputs)
    layers = [*first, *layers]
    last = Dense(out, output)
    model = Sequential([*layers, last], input_size=inputs, dtype="float64", seed=seed)
    params = model._built().params
    params += rng.normal(scale=0.3, size=params.shape)  # where units read only zeros: away from their kinks
    x = rng.normal(size=(n, inputs))
    for column, (categories, _) in columns.items():
        x[:, column] = rng.integers(0, categories, n)
    if (loss, output) in HAS_LOGARITHM:
        model.forward(x, training=training)
        into_range(last, np.array(last.x))
    return model, x, targets(rng, loss, n, out // 2 if paired else out), loss, weights(rng, n)


def into_range(layer, x):
    """Scale a last layer such that its z lies between 0.2 and 0.8: a logarithm of y_hat needs it without sigmoid."""
    largest = np.abs(kernels.dense_forward(x, layer.w, np.zeros(layer.units))).max()
    layer.w = layer.w * (0.3 / max(largest, 1e-3))
    layer.b = np.full(layer.units, 0.5)


def kinds_of(model):
    """Return the names of the rows of a model's steps."""
    return {step.kind for step in network.steps_of(model.layers, model.input_size)}
