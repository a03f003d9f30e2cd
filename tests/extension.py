"""Two activations, a loss and an optimizer that mlpcore does not have, and what a package built with them must do.

tests/test_extension.py writes PIECES into a copy of the sources, at the places that CONTRIBUTING.md names, builds it,
and calls the functions below in it, once on each instruction set.
"""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import mlpcore
from mlpcore import Activation, Dense, Sequential, _core, catalogue, gradcheck, kernels

PIECES = {
    # ------------------------------------------------------------------------------------------ an activation, from a
    "cutoff": {
        "csrc/catalogue/activations.def": (
            "/* clang-format on */",
            """UNIT(CUTOFF, cutoff, FROM_A, HYPERS(NUMBER("theta", 0.5, 0, 10)), "z where z > theta, else 0",
     "1 where z > theta, else 0", "Konda et al. 2015")
""",
        ),
        "csrc/reference/activations.c": (
            '#include "softmax.c"',
            """static real cutoff_forward(real z, const real *c) { return z > c[0] ? z : 0; }
static real cutoff_backward(real grad_a, real a, const real *c) { return (void)c, a > 0 ? grad_a : 0; }

""",
        ),
        "csrc/kernels/activations.inc.h": ("VECTOR_FORM(linear)", "NO_VECTOR_FORM(cutoff)\n\n"),
        "docs/elsewhere.toml": ("[losses]", 'cutoff = ["", "nn.Threshold", ""]\n\n'),
    },
    # ------------------------------------------------------------------------------------------ an activation, from z
    "swish": {
        "csrc/catalogue/activations.def": (
            "/* clang-format on */",
            """UNIT(SWISH, swish, FROM_Z, HYPERS(NUMBER("beta", 1, 0, INFINITY)), "z s, s = 1 / (1 + e^-(beta z))",
     "s + beta z s (1 - s)", "Ramachandran et al. 2017")
""",
        ),
        "csrc/reference/activations.c": (
            '#include "softmax.c"',
            """static real swish_forward(real z, const real *c) { return z * real_sigmoid(c[0] * z); }
static real swish_backward(real grad_a, real z, const real *c) {
    const real s = real_sigmoid(c[0] * z);
    return grad_a * (s + c[0] * z * s * (1 - s));
}

""",
        ),
        "csrc/kernels/activations.inc.h": ("VECTOR_FORM(linear)", "NO_VECTOR_FORM(swish)\n\n"),
        "docs/elsewhere.toml": ("[losses]", 'swish = ["", "", ""]\n\n'),
    },
    # ---------------------------------------------------------------------------------------------------------- a loss
    "cauchy": {
        "csrc/catalogue/losses.def": (
            "/* clang-format on */",
            """LOSS(CAUCHY, cauchy, "cauchy_loss", MEAN, -INFINITY, INFINITY, NUMBERS,
     HYPERS(NUMBER("scale", 1, 1e-30, INFINITY)),
     "mean over k of scale^2 / 2 log(1 + (d / scale)^2), d = y_hat_k - y_k", "d / (1 + (d / scale)^2) / out",
     "Black & Anandan 1996")
""",
        ),
        "csrc/reference/losses.c": (
            "/* What a sample's terms are divided by. */",
            """static real cauchy_term(real y_hat, real y, const real *c) {
    const real d = (y_hat - y) / c[0];
    return REAL(0.5) * c[0] * c[0] * real_log1p(d * d);
}
static real cauchy_slope(real y_hat, real y, const real *c) {
    const real d = (y_hat - y) / c[0];
    return (y_hat - y) / (1 + d * d);
}

""",
        ),
        "csrc/kernels/losses.inc.h": ("VECTOR_LOSS(mse)", "NO_VECTOR_LOSS(cauchy)\n"),
        "docs/elsewhere.toml": ("[optimizers]", 'cauchy = ["", "", ""]\n\n'),
    },
    # ---------------------------------------------------------------------------------------------------- an optimizer
    "signum": {
        "csrc/catalogue/optimizers.def": (
            "/* clang-format on */",
            """OPTIMIZER(SIGNUM, signum, "Signum", STATES(STATE("m")), NO_TRAITS,
          HYPERS(NUMBER("learning_rate", 0.001, 0, INFINITY), NUMBER("decay", 0.9, 0, DECAY)),
          "m = decay m + (1 - decay) grad; w -= learning_rate sign(m)", "Bernstein et al. 2018")
""",
        ),
        "csrc/reference/optimizers.c": (
            "/* ---- any of them",
            """enum { SIGNUM_RATE = MLP_FIRST_OWN, SIGNUM_DECAY };

static void signum_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[SIGNUM_RATE] = (real)hypers[0];
    c[SIGNUM_DECAY] = (real)hypers[1];
    c[MLP_DECAY] = 0;
}

static real signum_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    const real decay = u->constants[SIGNUM_DECAY];
    real *m = u->state[0];
    m[i] = real_fma(decay, m[i], (1 - decay) * slope);
    return w - u->constants[SIGNUM_RATE] * sign_of(m[i]);
}

""",
        ),
        "csrc/kernels/optimizers.inc.h": ('#include "descent.inc.h"', "NO_VECTOR_RULE(signum)\n\n"),
        "docs/elsewhere.toml": ("[schedules]", 'signum = ["", "", ""]\n\n'),
        "mlpcore/optimizers/descent.py": (
            "@dataclass(eq=False, repr=False)\nclass Rprop",
            '''@dataclass(eq=False, repr=False)
class Signum(Optimizer):
    """Steps of one length in the direction of a moving average of the gradient.

    >>> Signum()
    Signum(learning_rate=0.001, decay=0.9)
    """

    learning_rate: float = 0.001
    decay: float = 0.9

    _name: ClassVar[str] = "signum"


''',
        ),
        "mlpcore/optimizers/__init__.py": (
            "from mlpcore.optimizers.optimizer import",
            "from mlpcore.optimizers.descent import Signum as Signum\n",
        ),
        "mlpcore/__init__.py": (
            "from mlpcore.threads import",
            "from mlpcore.optimizers import Signum as Signum\n",
        ),
    },
}
FAMILIES = {"cutoff": "activations", "swish": "activations", "cauchy": "losses", "signum": "optimizers"}
THETA, BETA, SCALE = 0.2, 1.5, 0.3
DTYPES = {"float32": 2e-6, "float64": 1e-14}


def is_close(value, expected, tolerance):
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)


def cutoff(z):
    return np.where(z > THETA, z, 0)


def swish(z):
    return z / (1 + np.exp(-BETA * z))


def cauchy(d):
    return SCALE**2 / 2 * np.log1p((d / SCALE) ** 2)


def cauchy_slope(d):
    return d / (1 + (d / SCALE) ** 2)


def words():
    """Find the new rows wherever names are listed."""
    for name, family in FAMILIES.items():
        assert catalogue.names(family)[-2:].count(name) == 1
    swish_row, cauchy = catalogue.entry("activations", "swish"), catalogue.entry("losses", "cauchy")
    assert "from_z" in swish_row.traits
    assert "from_z" not in catalogue.entry("activations", "cutoff").traits
    assert [(hyper.name, hyper.default, hyper.below) for hyper in swish_row.hypers] == [("beta", 1, np.inf)]
    assert cauchy.alias == "cauchy_loss"
    assert catalogue.entry("optimizers", "signum").states == ("m",)
    with pytest.raises(ValueError, match="activation is 'nothing', expected one of 'linear', .*, 'cutoff', 'sw"):
        Dense(1, "nothing")
    with pytest.raises(
        ValueError, match="theta of activation 'cutoff' is 10.0, expected a finite number >= 0 and < 10"
    ):
        Dense(1, ("cutoff", 10.0))
    with pytest.raises(TypeError, match="beta of activation 'swish' is 'x', expected a finite number >= 0"):
        Activation(("swish", "x"))
    with pytest.raises(ValueError, match=r"activation is \('swish', 1, 2\), expected at most 1 after 'swish': beta"):
        Dense(1, ("swish", 1, 2))
    model = Sequential([Dense(1)], input_size=1)
    with pytest.raises(ValueError, match="loss is 'nothing', expected one of 'mse', 'bce', 'cce', .*'cauchy'"):
        model.fit([[0.0]], [[0.0]], loss="nothing", progress=False)
    with pytest.raises(ValueError, match="scale of loss 'cauchy' is -1.0, expected a finite number >= 1e-30"):
        model.fit([[0.0]], [[0.0]], loss=("cauchy", -1), progress=False)
    with pytest.raises(ValueError, match="optimizer is 'nothing', expected one of 'sgd', 'adam', .*'signum'"):
        model.fit([[0.0]], [[0.0]], loss="mse", optimizer="nothing", progress=False)
    with pytest.raises(ValueError, match="decay is 1.0, expected a finite number >= 0 and < "):
        mlpcore.Signum(decay=1)
    assert "'cutoff', 'swish'" in " ".join(str(kernels.activation_forward.__doc__).split())
    assert "'cauchy_loss'" in str(kernels.loss_value.__doc__)


def numbers():
    """Compare every new operation with its formula in NumPy, at sizes with and without a rest."""
    rng = np.random.default_rng(0)
    for dtype, tolerance in DTYPES.items():
        for n, out in [(1, 1), (3, 5), (33, 17)]:
            z, grad, y = (rng.normal(size=(n, out)).astype(dtype) for _ in range(3))
            z.flat[0] = 0
            is_close(kernels.activation_forward(("cutoff", THETA), z), cutoff(z), tolerance)
            slope = kernels.activation_backward(("cutoff", THETA), z, grad)
            is_close(slope, np.where(z > THETA, grad, 0), tolerance)
            is_close(kernels.activation_forward("cutoff", z), np.where(z > 0.5, z, 0), tolerance)
            is_close(kernels.activation_forward(("swish", BETA), z), swish(z), tolerance)
            s = 1 / (1 + np.exp(-BETA * z))
            phi = kernels.activation_backward(("swish", BETA), z, grad)
            is_close(phi, grad * (s + BETA * z * s * (1 - s)), tolerance)
            is_close(kernels.loss_value(("cauchy", SCALE), z, y), cauchy(z - y).mean(), tolerance)
            slope = cauchy_slope(z - y) / (n * out)
            is_close(kernels.loss_gradient(("cauchy_loss", SCALE), z, y), slope, tolerance)
            is_close(kernels.output_loss(("cauchy", SCALE), "linear", z, y), cauchy(z - y).mean(), tolerance)
            w, m = z.copy(), y.copy()
            expected_m = 0.8 * m + 0.2 * grad
            _core.signum_step(w, grad, m, learning_rate=0.01, decay=0.8)
            is_close(m, expected_m, tolerance)
            is_close(w, z - 0.01 * np.sign(expected_m), tolerance)


def gradients():
    """Check the gradients of every new kernel, alone and with each other, and of models with them."""
    for name in (
        "cutoff",
        "swish",
        "cauchy",
        "cauchy+swish",
        "cauchy+softmax",
        "mse+cutoff",
        "bce+swish",
    ):
        report = gradcheck.check_kernel(name)
        assert report.ok, report
    layers = [Dense(5, ("swish", BETA)), Dense(4), Activation(("cutoff", THETA)), Dense(2, "swish")]
    X, y = np.random.default_rng(1).normal(size=(2, 6, 3))
    for chosen in (layers, [layers[0], layers[3]]):
        free = [Dense(each.units, each.activation) if isinstance(each, Dense) else Activation(each.activation) for each in chosen]  # fmt: skip  # noqa: E501
        report = gradcheck.check_model(
            Sequential(free, input_size=3, seed=2), X, y[:, :2], ("cauchy", SCALE), progress=False
        )
        assert report.ok, report
        assert "swish(1.5)" in str(report)


def forward_by_hand(x, parameters):
    (w1, b1), (w2, b2) = parameters
    z = x @ w1.T + b1
    return z, swish(z), cutoff(swish(z) @ w2.T + b2)


def training():
    """Take one step as NumPy does, then train; a saved model comes back with its constants."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(64, 3))
    y = np.abs(X[:, :1]) + 1
    layers = [Dense(16, ("swish", BETA)), Dense(1, ("cutoff", THETA))]
    model = Sequential(layers, input_size=3, dtype="float64", seed=4)
    parameters = [(layer.w.copy(), layer.b.copy()) for layer in layers]
    z, hidden, a = forward_by_hand(X, parameters)
    is_close(model.predict(X), a, 1e-12)
    phi = cauchy_slope(a - y) / len(X) * (a > 0)
    s = 1 / (1 + np.exp(-BETA * z))
    phi_below = phi @ parameters[1][0] * (s + BETA * z * s * (1 - s))
    grads = [(phi_below.T @ X, phi_below.sum(axis=0)), (phi.T @ hidden, phi.sum(axis=0))]
    optimizer = mlpcore.Signum(0.01)
    model.fit(X, y, loss=("cauchy", SCALE), optimizer=optimizer, batch_size=64, epochs=1, shuffle=False, progress=False)
    for layer, old, grad in zip(layers, parameters, grads, strict=True):
        for now, before, g in zip((layer.w, layer.b), old, grad, strict=True):
            is_close(now, before - 0.01 * np.sign(g), 1e-9)
    history = model.fit(X, y, loss=("cauchy", SCALE), optimizer=optimizer, epochs=100, progress=False)
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert "swish(1.5)" in model.summary()
    model.save("model.safetensors")
    loaded = Sequential.load("model.safetensors")
    assert [layer.activation for layer in loaded.layers] == [("swish", BETA), ("cutoff", THETA)]
    assert (loaded.predict(X) == model.predict(X)).all()
    by_name = Sequential([Dense(1, "swish")], seed=0)
    by_name.fit(X, y, loss="cauchy", optimizer="signum", progress=False)


def bits():
    """Print a digest of what the new kernels make of random numbers, and of a training with them."""
    rng = np.random.default_rng(5)
    digest = hashlib.sha256()
    for dtype in DTYPES:
        z, grad, y = rng.normal(size=(3, 37, 19)).astype(dtype)
        v = np.abs(y)
        for sigma in ("cutoff", ("swish", BETA)):
            digest.update(kernels.activation_forward(sigma, z))
            digest.update(kernels.activation_backward(sigma, z, grad))
            digest.update(kernels.output_phi("cauchy", sigma, z, y))
        digest.update(kernels.loss_gradient("cauchy", z, y))
        _core.signum_step(z, grad, v)
        digest.update(z)
        model = Sequential([Dense(9, "swish"), Dense(19, "cutoff")], dtype=dtype, seed=6)
        model.fit(grad, y, loss="cauchy", optimizer="signum", batch_size=1, epochs=2, progress=False)
        digest.update(model.predict(grad))
    print(digest.hexdigest())


def page():
    """Write docs/catalogue.md anew, which must show the new rows."""
    spec = importlib.util.spec_from_file_location("make_catalogue", Path("docs/make_catalogue.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PAGE.write_text(module.page(), encoding="utf-8")
    text = module.PAGE.read_text(encoding="utf-8")
    assert "| `cutoff` | `z where z > theta, else 0` | `1 where z > theta, else 0` | theta = 0.5 in [0, 10)" in text
    assert "beta = 1 in [0, ∞)" in text
    assert "| `cauchy`, `cauchy_loss` |" in text
    assert "| `signum`, `Signum` |" in text
