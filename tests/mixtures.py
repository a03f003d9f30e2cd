"""Ten networks that have between them every kind of layer, loss, optimizer and schedule: for hashes and comparisons."""

from mlpcore import (
    CELU,
    SGD,
    Activation,
    Adadelta,
    Adagrad,
    AdamW,
    AlphaDropout,
    AMSGrad,
    BatchNorm,
    Constant,
    Cosine,
    CosLog,
    Dense,
    Dropout,
    Exponential,
    Focal,
    GaussianNoise,
    Huber,
    InverseScaling,
    LayerNorm,
    LeakyReLU,
    Lion,
    NAdam,
    Normal,
    OneCycle,
    Polynomial,
    PReLU,
    Quantile,
    RAdam,
    ReduceOnPlateau,
    Residual,
    RMSNorm,
    RMSprop,
    Rprop,
    Scale,
    Step,
    Uniform,
    Warmup,
)

# name: all layers, loss, optimizer.
MIXTURES = {
    "mixture of elu and mae": lambda: (
        [Dense(16, "elu", kernel_initializer="he_normal"), Dropout(0.2), Dense(5, "tanh")],
        "mae",
        AdamW(Cosine(0.01, per="epoch"), weight_decay=0.1),
    ),
    "mixture of mish and huber": lambda: (
        [Dense(16, "mish", kernel_initializer="orthogonal"), LayerNorm(), Residual([Dense(16, "silu")]), Dense(5)],
        Huber(0.5),
        RMSprop(OneCycle(0.01), momentum=0.5, centered=True),
    ),
    "mixture of gelu and log_cosh": lambda: (
        [Dense(16, "gelu", kernel_initializer="lecun_normal"), BatchNorm(), Activation("hard_swish"), Dense(5)],
        "log_cosh",
        NAdam(Step(0.01, every=50, factor=0.5)),
    ),
    "mixture of softplus and quantile": lambda: (
        [Dense(16, "softplus", kernel_initializer="truncated_normal"), Scale(), Dense(5, "gelu_tanh")],
        Quantile(0.7),
        RAdam(Exponential(0.02, 0.99)),
    ),
    "mixture of selu and kl_divergence": lambda: (
        [Dense(16, "selu", kernel_initializer="lecun_uniform"), AlphaDropout(0.1), Dense(5, "log_softmax")],
        "kl_divergence",
        Adagrad(InverseScaling(0.05, power=0.25)),
    ),
    "mixture of prelu and poisson": lambda: (
        [Dense(16, kernel_initializer="glorot_normal"), PReLU(), RMSNorm(), Dense(5, "softplus")],
        "poisson",
        AMSGrad(Polynomial(0.02)),
    ),
    "mixture of leaky_relu and hinge": lambda: (
        [GaussianNoise(0.1), Dense(16, LeakyReLU(0.1), bias_initializer=Uniform(-0.1, 0.1)), Dense(5, "hard_tanh")],
        "hinge",
        Lion(CosLog(0.001), weight_decay=0.01),
    ),
    "mixture of celu and squared_hinge": lambda: (
        [
            Dense(16, CELU(0.5), kernel_initializer=Normal(stddev=0.2)),
            Dense(5, "softsign", bias_initializer=Constant(0.1)),
        ],
        "squared_hinge",
        SGD(ReduceOnPlateau(0.1, patience=1), momentum=0.9, gradient_accumulation_steps=3),
    ),
    "mixture of hard_sigmoid and focal": lambda: (
        [Dense(16, "hard_sigmoid", kernel_initializer="he_uniform", bias_initializer="ones"), Dense(5, "sigmoid")],
        Focal(1.5, 0.4),
        Adadelta(Warmup(1.0, 30), clip_norm=0.5),
    ),
    "mixture of relu6 and gaussian_nll": lambda: (
        [Dense(16, "relu6", kernel_initializer="uniform", max_norm=1.0), Dense(10, bias_initializer="zeros", l2=1e-3)],
        "gaussian_nll",
        Rprop(clip_value=0.5, use_ema=True, ema_momentum=0.9),
    ),
}


def targets_of(loss, y, x):
    """One-hot rows as the loss takes them."""
    name = loss if isinstance(loss, str) else loss[0]
    return {"hinge": 2 * y - 1, "squared_hinge": 2 * y - 1, "gaussian_nll": x[:, :5]}.get(name, y)
