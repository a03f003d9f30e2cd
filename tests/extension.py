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
    "leaky_relu": {
        "csrc/catalogue/activations.def": (
            "/* clang-format on */",
            """UNIT(LEAKY_RELU, leaky_relu, FROM_A, HYPERS(NUMBER("slope", 0.01, 0, 1)), "z where z > 0, else slope z",
     "1 where z > 0, else slope", "Maas et al. 2013")
""",
        ),
        "csrc/reference/activations.c": (
            "/* The summary of a row",
            """static real leaky_relu_forward(real z, const real *c) { return z > 0 ? z : c[0] * z; }
static real leaky_relu_backward(real grad_a, real a, const real *c) { return a > 0 ? grad_a : c[0] * grad_a; }

""",
        ),
        "csrc/kernels/activations.inc.h": ("/* ---- softmax", "NO_VECTOR_FORM(leaky_relu)\n\n"),
    },
    # ------------------------------------------------------------------------------------------ an activation, from z
    "silu": {
        "csrc/catalogue/activations.def": (
            "/* clang-format on */",
            """UNIT(SILU, silu, FROM_Z, HYPERS(NUMBER("beta", 1, 0, INFINITY)), "z s, s = 1 / (1 + e^-(beta z))",
     "s + beta z s (1 - s)", "Ramachandran et al. 2017")
""",
        ),
        "csrc/reference/activations.c": (
            "/* The summary of a row",
            """static real silu_forward(real z, const real *c) { return z * real_sigmoid(c[0] * z); }
static real silu_backward(real grad_a, real z, const real *c) {
    const real s = real_sigmoid(c[0] * z);
    return grad_a * (s + c[0] * z * s * (1 - s));
}

""",
        ),
        "csrc/kernels/activations.inc.h": ("/* ---- softmax", "NO_VECTOR_FORM(silu)\n\n"),
    },
    # ---------------------------------------------------------------------------------------------------------- a loss
    "huber": {
        "csrc/catalogue/losses.def": (
            "/* clang-format on */",
            """LOSS(HUBER, huber, "huber_loss", MEAN, -INFINITY, INFINITY, NUMBERS,
     HYPERS(NUMBER("delta", 1, 0, INFINITY)),
     "mean over k of d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), d = y_hat_k - y_k",
     "d / out, cut off at +-delta / out", "Huber 1964")
""",
        ),
        "csrc/reference/losses.c": (
            "/* What a sample's terms are divided by. */",
            """static real huber_term(real y_hat, real y, const real *c) {
    const real d = real_abs(y_hat - y);
    return d <= c[0] ? REAL(0.5) * d * d : c[0] * (d - REAL(0.5) * c[0]);
}
static real huber_slope(real y_hat, real y, const real *c) {
    const real d = y_hat - y;
    return d > c[0] ? c[0] : d < -c[0] ? -c[0] : d;
}

""",
        ),
        "csrc/kernels/losses.inc.h": ("NO_VECTOR_PAIR(sigmoid_cce)", "NO_VECTOR_LOSS(huber)\n"),
    },
    # ---------------------------------------------------------------------------------------------------- an optimizer
    "rmsprop": {
        "csrc/catalogue/optimizers.def": (
            "/* clang-format on */",
            """OPTIMIZER(RMSPROP, rmsprop, "RMSprop", STATES("v"), NO_TRAITS,
          HYPERS(NUMBER("learning_rate", 0.001, 0, INFINITY), NUMBER("decay", 0.9, 0, DECAY),
                 NUMBER_BY_TYPE("epsilon", 1e-7, 1e-30, 1e-16, INFINITY)),
          "v = decay v + (1 - decay) grad^2; w -= learning_rate grad / (sqrt(v) + epsilon)", "Tieleman & Hinton 2012")
""",
        ),
        "csrc/reference/optimizers.c": (
            "/* ---- any of them",
            """enum { RMSPROP_RATE, RMSPROP_DECAY, RMSPROP_EPSILON };

static void rmsprop_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    for (int i = RMSPROP_RATE; i <= RMSPROP_EPSILON; i++) {
        c[i] = (real)hypers[i];
    }
}

static void rmsprop_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    const real decay = u->constants[RMSPROP_DECAY];
    real *v = u->state[0];
    for (ptrdiff_t i = begin; i < begin + count; i++) {
        const real slope = adjusted(u, grad[i - begin], w[i]);
        v[i] = flush_tiny(real_fma((1 - decay) * slope, slope, decay * v[i]), REAL_SMALLEST);
        w[i] -= u->constants[RMSPROP_RATE] * slope / (real_sqrt(v[i]) + u->constants[RMSPROP_EPSILON]);
    }
}

""",
        ),
        "csrc/kernels/optimizers.inc.h": ("VECTOR_RULE(adam)", "NO_VECTOR_RULE(rmsprop)\n"),
        "mlpcore/optimizers.py": (
            "NAMES: dict",
            '''@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """Steps of a length that follows from a moving average of the squared gradient."""

    learning_rate: float = 0.001
    decay: float = 0.9
    epsilon: float = 1e-7

    _name: ClassVar[str] = "rmsprop"


''',
        ),
        "mlpcore/__init__.py": (
            "from mlpcore.threads import",
            "from mlpcore.optimizers import RMSprop as RMSprop\n",
        ),
    },
}
FAMILIES = {"leaky_relu": "activations", "silu": "activations", "huber": "losses", "rmsprop": "optimizers"}
SLOPE, BETA, DELTA = 0.2, 1.5, 0.3
DTYPES = {"float32": 2e-6, "float64": 1e-14}


def is_close(value, expected, tolerance):
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)


def leaky_relu(z):
    return np.where(z > 0, z, SLOPE * z)


def silu(z):
    return z / (1 + np.exp(-BETA * z))


def words():
    """Find the new rows wherever names are listed."""
    for name, family in FAMILIES.items():
        assert catalogue.names(family)[-2:].count(name) == 1
    silu_row, huber = catalogue.entry("activations", "silu"), catalogue.entry("losses", "huber")
    assert "from_z" in silu_row.traits
    assert "from_z" not in catalogue.entry("activations", "leaky_relu").traits
    assert [(hyper.name, hyper.default, hyper.below) for hyper in silu_row.hypers] == [("beta", 1, np.inf)]
    assert huber.alias == "huber_loss"
    assert catalogue.entry("optimizers", "rmsprop").states == ("v",)
    with pytest.raises(ValueError, match="activation is 'nothing', expected one of 'linear', .*, 'leaky_relu', 'silu'"):
        Dense(1, "nothing")
    with pytest.raises(
        ValueError, match="slope of activation 'leaky_relu' is 1.0, expected a finite number >= 0 and < 1"
    ):
        Dense(1, ("leaky_relu", 1.0))
    with pytest.raises(TypeError, match="beta of activation 'silu' is 'x', expected a finite number >= 0"):
        Activation(("silu", "x"))
    with pytest.raises(ValueError, match=r"activation is \('silu', 1, 2\), expected at most 1 after 'silu': beta"):
        Dense(1, ("silu", 1, 2))
    model = Sequential([Dense(1)], input_size=1)
    with pytest.raises(ValueError, match="loss is 'nothing', expected one of 'mse', 'bce', 'cce', 'huber'"):
        model.fit([[0.0]], [[0.0]], loss="nothing", progress=False)
    with pytest.raises(ValueError, match="delta of loss 'huber' is -1.0, expected a finite number >= 0"):
        model.fit([[0.0]], [[0.0]], loss=("huber", -1), progress=False)
    with pytest.raises(ValueError, match="optimizer is 'nothing', expected one of 'sgd', 'adam', 'rmsprop'"):
        model.fit([[0.0]], [[0.0]], loss="mse", optimizer="nothing", progress=False)
    with pytest.raises(ValueError, match="decay is 1.0, expected a finite number >= 0 and < "):
        mlpcore.RMSprop(decay=1)
    assert "'leaky_relu', 'silu'" in str(kernels.activation_forward.__doc__)
    assert "'huber_loss'" in str(kernels.loss_value.__doc__)


def numbers():
    """Compare every new operation with its formula in NumPy, at sizes with and without a rest."""
    rng = np.random.default_rng(0)
    for dtype, tolerance in DTYPES.items():
        for n, out in [(1, 1), (3, 5), (33, 17)]:
            z, grad, y = (rng.normal(size=(n, out)).astype(dtype) for _ in range(3))
            z.flat[0] = 0
            is_close(kernels.activation_forward(("leaky_relu", SLOPE), z), leaky_relu(z), tolerance)
            slope = kernels.activation_backward(("leaky_relu", SLOPE), z, grad)
            is_close(slope, np.where(z > 0, grad, SLOPE * grad), tolerance)
            is_close(kernels.activation_forward("leaky_relu", z), np.where(z > 0, z, 0.01 * z), tolerance)
            is_close(kernels.activation_forward(("silu", BETA), z), silu(z), tolerance)
            s = 1 / (1 + np.exp(-BETA * z))
            phi = kernels.activation_backward(("silu", BETA), z, grad)
            is_close(phi, grad * (s + BETA * z * s * (1 - s)), tolerance)
            d = np.abs(z - y)
            terms = np.where(d <= DELTA, d * d / 2, DELTA * (d - DELTA / 2))
            is_close(kernels.loss_value(("huber", DELTA), z, y), terms.mean(), tolerance)
            slope = np.clip(z - y, -DELTA, DELTA) / (n * out)
            is_close(kernels.loss_gradient(("huber_loss", DELTA), z, y), slope, tolerance)
            is_close(kernels.output_loss(("huber", DELTA), "linear", z, y), terms.mean(), tolerance)
            w, v = z.copy(), np.abs(y)
            expected_v = 0.8 * v + 0.2 * grad**2
            expected = z - 0.01 * grad / (np.sqrt(expected_v) + 1e-3)
            _core.rmsprop_step(w, grad, v, learning_rate=0.01, decay=0.8, epsilon=1e-3)
            is_close(v, expected_v, tolerance)
            is_close(w, expected, tolerance)


def gradients():
    """Check the gradients of every new kernel, alone and with each other, and of models with them."""
    for name in ("leaky_relu", "silu", "huber", "huber+silu", "huber+softmax", "mse+leaky_relu", "bce+silu"):
        report = gradcheck.check_kernel(name)
        assert report.ok, report
    layers = [Dense(5, ("silu", BETA)), Dense(4), Activation(("leaky_relu", SLOPE)), Dense(2, "silu")]
    X, y = np.random.default_rng(1).normal(size=(2, 6, 3))
    for chosen in (layers, [layers[0], layers[3]]):
        free = [Dense(each.units, each.activation) if isinstance(each, Dense) else Activation(each.activation) for each in chosen]  # fmt: skip  # noqa: E501
        report = gradcheck.check_model(
            Sequential(free, input_size=3, seed=2), X, y[:, :2], ("huber", DELTA), progress=False
        )
        assert report.ok, report
        assert "silu(1.5)" in str(report)


def forward_by_hand(x, parameters):
    (w1, b1), (w2, b2) = parameters
    z = x @ w1.T + b1
    return z, silu(z), leaky_relu(silu(z) @ w2.T + b2)


def training():
    """Take one step as NumPy does, then train; a saved model comes back with its constants."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(64, 3))
    y = np.abs(X[:, :1]) - X[:, 1:2]
    layers = [Dense(16, ("silu", BETA)), Dense(1, ("leaky_relu", SLOPE))]
    model = Sequential(layers, input_size=3, dtype="float64", seed=4)
    parameters = [(layer.w.copy(), layer.b.copy()) for layer in layers]
    z, hidden, a = forward_by_hand(X, parameters)
    is_close(model.predict(X), a, 1e-12)
    phi = np.clip(a - y, -DELTA, DELTA) / len(X) * np.where(a > 0, 1, SLOPE)
    s = 1 / (1 + np.exp(-BETA * z))
    phi_below = phi @ parameters[1][0] * (s + BETA * z * s * (1 - s))
    grads = [(phi_below.T @ X, phi_below.sum(axis=0)), (phi.T @ hidden, phi.sum(axis=0))]
    optimizer = mlpcore.RMSprop(0.01)
    model.fit(X, y, loss=("huber", DELTA), optimizer=optimizer, batch_size=64, epochs=1, shuffle=False, progress=False)
    for layer, old, grad in zip(layers, parameters, grads, strict=True):
        for now, before, g in zip((layer.w, layer.b), old, grad, strict=True):
            is_close(now, before - 0.01 * g / (np.sqrt(0.1 * g * g) + 1e-7), 1e-9)
    history = model.fit(X, y, loss=("huber", DELTA), optimizer=optimizer, epochs=100, progress=False)
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert "silu(1.5)" in model.summary()
    model.save("model.safetensors")
    loaded = Sequential.load("model.safetensors")
    assert [layer.activation for layer in loaded.layers] == [("silu", BETA), ("leaky_relu", SLOPE)]
    assert (loaded.predict(X) == model.predict(X)).all()
    by_name = Sequential([Dense(1, "silu")], seed=0)
    by_name.fit(X, y, loss="huber", optimizer="rmsprop", progress=False)


def bits():
    """Print a digest of what the new kernels make of random numbers, and of a training with them."""
    rng = np.random.default_rng(5)
    digest = hashlib.sha256()
    for dtype in DTYPES:
        z, grad, y = rng.normal(size=(3, 37, 19)).astype(dtype)
        v = np.abs(y)
        for sigma in ("leaky_relu", ("silu", BETA)):
            digest.update(kernels.activation_forward(sigma, z))
            digest.update(kernels.activation_backward(sigma, z, grad))
            digest.update(kernels.output_phi("huber", sigma, z, y))
        digest.update(kernels.loss_gradient("huber", z, y))
        _core.rmsprop_step(z, grad, v)
        digest.update(z)
        model = Sequential([Dense(9, "silu"), Dense(19, "leaky_relu")], dtype=dtype, seed=6)
        model.fit(grad, y, loss="huber", optimizer="rmsprop", batch_size=1, epochs=2, progress=False)
        digest.update(model.predict(grad))
    print(digest.hexdigest())


def page():
    """Write docs/catalogue.md anew, which must show the new rows."""
    spec = importlib.util.spec_from_file_location("make_catalogue", Path("docs/make_catalogue.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PAGE.write_text(module.page(), encoding="utf-8")
    text = module.PAGE.read_text(encoding="utf-8")
    assert (
        "| `leaky_relu` | `z where z > 0, else slope z` | `1 where z > 0, else slope` | slope = 0.01 in [0, 1)" in text
    )
    assert "beta = 1 in [0, ∞)" in text
    assert "| `huber`, `huber_loss` |" in text
    assert "| `rmsprop`, `RMSprop` |" in text
