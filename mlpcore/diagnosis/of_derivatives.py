"""Mistakes with sigma and sigma': left out, taken of the wrong thing, one in the place of the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlpcore import catalogue, kernels
from mlpcore.diagnosis.equations import Formula
from mlpcore.diagnosis.mistakes import mistake
from mlpcore.diagnosis.values import Array, Values, through

IN_A: dict[str, Callable[[Array], Array]] = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a}
"""sigma' as the two activations' formula has it that students write in a, and feed with z."""

SLIPS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "sigmoid": ("a (1 + a)", lambda a: a * (1 + a)),
    "tanh": ("1 + a^2", lambda a: 1 + a * a),
}


def upstream_last(v: Values) -> Array:
    """grad_a^J, from the loss."""
    return kernels.loss_gradient(v.loss, v.a, v.y)


def upstream_hidden(v: Values) -> Array:
    """grad_a^j = (w^{j+1})^T phi^{j+1}."""
    return np.asarray(v.phi_next @ v.w_next)


def name_of(v: Values) -> str:
    """Return the name of the layer's activation."""
    return catalogue.entry("activations", v.activation).name


def with_dsigma(dsigma: Formula, symbols: str) -> dict[str, tuple[str, Formula]]:
    """Return the wrong forms of equations 1 and 2 for another thing in the place of sigma'(z)."""

    def formula(upstream: Formula) -> Formula:
        def wrong(v: Values) -> Array | None:
            instead = dsigma(v)
            return None if instead is None else through(upstream(v), instead)

        return wrong

    return {
        "phi_hidden": (f"phi^j = (w^{{j+1}})^T phi^{{j+1}} ∘ {symbols}", formula(upstream_hidden)),
        "phi_last": (f"phi^J = grad_a^J ∘ {symbols.replace('^j', '^J')}", formula(upstream_last)),
    }


def _twice(v: Values) -> Array:
    dsigma = v.dsigma_at(v.z)
    return np.asarray(np.einsum("nkm,nmi->nki", dsigma, dsigma) if dsigma.ndim == 3 else dsigma**2)


def _in_a_of_z(v: Values) -> Array | None:
    formula = IN_A.get(name_of(v))
    return None if formula is None else formula(v.z)


def _slip(v: Values) -> Array | None:
    slip = SLIPS.get(name_of(v))
    return None if slip is None else slip[1](v.a)


def _diagonal(v: Values) -> Array | None:
    """Return a (1 - a), what is left of softmax's Jacobian without its other entries."""
    return np.asarray(v.a * (1 - v.a)) if name_of(v) == "softmax" else None


def _of_next_layer(v: Values) -> Array | None:
    return None if v.dsigma_next is None or v.dsigma_next.ndim == 3 else v.dsigma_next


def _of_layer_before(v: Values) -> Array | None:
    return None if v.z_before is None or v.z_before.shape != v.z.shape else v.dsigma_at(v.z_before)


def _matrix_product(upstream: Formula) -> list[tuple[str, Formula]]:
    def product(v: Values, samples: bool) -> Array | None:
        dsigma = v.dsigma_at(v.z)
        if dsigma.ndim == 3:
            return None
        return np.asarray(upstream(v) @ dsigma.T if samples else upstream(v).T @ dsigma)

    return [
        ("a matrix product in place of ∘", lambda v: product(v, True)),
        ("a matrix product in place of ∘", lambda v: product(v, False)),
    ]


def _normalised(axis: int | None) -> Formula:
    def softmax(v: Values) -> Array | None:
        if name_of(v) != "softmax":
            return None
        e = np.exp(v.z - v.z.max())
        return np.asarray(e / e.sum(axis=axis, keepdims=axis is not None))

    return softmax


def _instead(name: str) -> Formula:
    def other(v: Values) -> Array | None:  # sigmoid for softmax has a row of its own
        return None if (name, name_of(v)) == ("sigmoid", "softmax") else kernels.activation_forward(name, v.z)

    return other


ROWS = (
    mistake(
        "missing-dsigma",
        "the factor sigma'(z) is missing",
        "Multiply element by element by sigma' at this layer's own z.",
        phi_hidden=("phi^j = (w^{j+1})^T phi^{j+1}", upstream_hidden),
        phi_last=("phi^J = grad_a^J", upstream_last),
    ),
    mistake(
        "dsigma-of-a",
        "sigma' is taken at a, where z belongs",
        "sigma'(z) for sigmoid is a (1 - a), with a = sigma(z) computed once: a function that applies sigma itself "
        "must be given z.",
        **with_dsigma(lambda v: v.dsigma_at(v.a), "sigma'(a^j)"),
        dsigma=("sigma'(a^j)", lambda v: v.dsigma_at(v.a)),
    ),
    mistake(
        "z-in-dsigma",
        "the formula for sigma' that is written in a was given z",
        "a (1 - a) and 1 - a^2 are formulas in a = sigma(z): give them a.",
        **with_dsigma(_in_a_of_z, "sigma' written in a, of z^j"),
        dsigma=("z (1 - z) or 1 - z^2", _in_a_of_z),
    ),
    mistake(
        "sigma-for-dsigma",
        "sigma(z) stands where its derivative sigma'(z) belongs",
        "Multiply by the slope of the activation, not by its value. The paper prints sigma for sigma' in section 2.2: "
        "see docs/errata.md.",
        **with_dsigma(lambda v: v.a, "sigma(z^j)"),
        dsigma=("sigma(z^j)", lambda v: v.a),
    ),
    mistake(
        "slip-in-dsigma",
        "the formula for sigma' has a wrong sign in it",
        "sigma' is a (1 - a) for sigmoid and 1 - a^2 for tanh.",
        **with_dsigma(_slip, "sigma'(z^j) with a wrong sign inside"),
        dsigma=("a (1 + a) or 1 + a^2", _slip),
    ),
    mistake(
        "missing-square",
        "the square is missing",
        "sigma' of tanh is 1 - a^2; a squared error is squared.",
        dsigma=("1 - a for tanh", lambda v: 1 - v.a if name_of(v) == "tanh" else None),
        loss=("the mean of y_hat - y", lambda v: np.array((v.a - v.y).mean()) if v.loss == "mse" else None),
    ),
    mistake(
        "dsigma-twice",
        "sigma'(z) is multiplied in twice",
        "a - y, for sigmoid with bce and softmax with cce, has sigma' in it already; so has phi of the layer above.",
        **with_dsigma(_twice, "sigma'(z^j) ∘ sigma'(z^j)"),
    ),
    mistake(
        "wrong-layer-dsigma",
        "sigma' is taken at another layer's z",
        "The factor in equation 2 is sigma'(z^j), of the layer whose phi is computed.",
        phi_hidden=[
            ("phi^j = (w^{j+1})^T phi^{j+1} ∘ sigma'(z^{j+1})", with_dsigma(_of_next_layer, "")["phi_hidden"][1]),
            ("phi^j = (w^{j+1})^T phi^{j+1} ∘ sigma'(z^{j-1})", with_dsigma(_of_layer_before, "")["phi_hidden"][1]),
        ],
    ),
    mistake(
        "softmax-elementwise",
        "softmax is treated as if each output depended on its own z only",
        "All outputs share a denominator: go through the Jacobian, phi_i = a_i (grad_a_i - sum_k a_k grad_a_k).",
        **with_dsigma(_diagonal, "a^j (1 - a^j)"),
        dsigma=[
            ("a (1 - a)", _diagonal),
            ("a (1 - a) on the diagonal, 0 beside it", lambda v: _on_diagonal(_diagonal(v))),
        ],
        a=("1 / (1 + e^-z) for softmax", lambda v: kernels.activation_forward("sigmoid", v.z)
           if name_of(v) == "softmax" else None),
    ),
    mistake(
        "missing-diagonal",
        "the diagonal of softmax's Jacobian lacks its a_i",
        "The derivative of a_k to z_i is a_k ([i = k] - a_i): where i = k, a_i (1 - a_i).",
        dsigma=("-a_k a_i", lambda v: -v.a[:, :, None] * v.a[:, None, :] if name_of(v) == "softmax" else None),
    ),
    mistake(
        "matrix-for-elementwise",
        "two arrays are multiplied as matrices that belong together element by element",
        "∘ is the product element by element: * in NumPy, not @.",
        phi_hidden=_matrix_product(upstream_hidden),
        phi_last=_matrix_product(upstream_last),
    ),
    mistake(
        "missing-sigma",
        "this is z: the activation is missing",
        "Apply sigma to z.",
        a=("a^j = z^j", lambda v: v.z),
    ),
    mistake(
        "sigma-applied",
        "this is a: sigma is applied already",
        "z is what the activation is given: w a + b and no more.",
        z=("z^j = sigma(w^j a^{j-1} + b^j)", lambda v: kernels.activation_forward(
            v.activation, kernels.dense_forward(v.x, v.w, v.b))),
    ),
    mistake(
        "sigma-twice",
        "sigma is applied twice",
        "Apply it to z, and once.",
        a=("a^j = sigma(sigma(z^j))", lambda v: v.sigma(v.sigma(v.z))),
    ),
    mistake(
        "dsigma-for-sigma",
        "sigma'(z) stands where sigma(z) belongs",
        "a is the activation's value; its derivative is for the way back.",
        a=("a^j = sigma'(z^j)", lambda v: v.dsigma_at(v.z)),
    ),
    mistake(
        "sign-of-z",
        "z has the wrong sign inside sigma",
        "For sigmoid write 1 / (1 + exp(-z)).",
        a=("a^j = sigma(-z^j)", lambda v: v.sigma(-v.z)),
        dsigma=("sigma'(-z^j)", lambda v: v.dsigma_at(-v.z)),
    ),
    mistake(
        "another-activation",
        "another activation than the layer's is applied",
        "Look up which activation this layer has.",
        a=[(f"a^j = {name}(z^j)", _instead(name)) for name in ("relu", "sigmoid", "tanh", "softmax")],
    ),
    mistake(
        "softmax-wrong-axis",
        "softmax is normalised over the wrong axis",
        "Each sample, a row, sums to 1: divide by the sum over the classes, axis=1 with keepdims=True.",
        a=[("a = e^z / its sum over the batch", _normalised(0)), ("a = e^z / its sum over all", _normalised(None))],
    ),
    mistake(
        "softmax-not-normalised",
        "the exponentials are not divided by their sum",
        "Divide each row by its sum.",
        a=("a = e^z", lambda v: np.exp(v.z) if name_of(v) == "softmax" else None),
    ),
)  # fmt: skip


def _on_diagonal(values: Array | None) -> Array | None:
    return None if values is None else values[:, :, None] * np.eye(values.shape[1])
