"""Mistakes with the arrays that are multiplied and added: of the wrong layer, transposed, not summed, left out."""

from __future__ import annotations

import numpy as np

from mlpcore import kernels
from mlpcore.diagnosis.equations import Formula
from mlpcore.diagnosis.mistakes import mistake
from mlpcore.diagnosis.values import Array, Values, through


def _hidden(upstream: Formula, symbols: str) -> dict[str, tuple[str, Formula]]:
    """Return the wrong forms of equation 2, and of its first factor, for another upstream gradient."""

    def phi(v: Values) -> Array | None:
        grad_a = upstream(v)
        return None if grad_a is None or grad_a.shape != v.z.shape else through(grad_a, v.dsigma_at(v.z))

    return {
        "phi_hidden": (f"phi^j = {symbols} ∘ sigma'(z^j)", phi),
        "grad_a_hidden": (f"grad_a^j = {symbols}", upstream),
    }


def _after_next_step(v: Values) -> Array | None:
    return None if v.w_next_new is None else v.phi_next @ v.w_next_new


def _above(v: Values) -> Array | None:
    return None if v.grad_a_next is None else v.grad_a_next @ v.w_next


def _of_other_w(v: Values) -> Array | None:
    return None if v.w.shape != v.w_next.shape else v.phi_next @ v.w


def _as_printed(v: Values) -> Array | None:
    return v.phi_next * v.w_next.sum(axis=0) if v.phi_next.shape[1] == v.w_next.shape[1] else None


def _untransposed(v: Values) -> Array | None:
    return v.phi_next @ v.w_next.T if v.w_next.shape[0] == v.w_next.shape[1] else None


def _square(v: Values) -> bool:
    return bool(v.w.shape[0] == v.w.shape[1])


def _z(x: Formula) -> Formula:
    """Return z with something else in the place of a^{j-1}, if it is as wide."""

    def formula(v: Values) -> Array | None:
        other = x(v)
        return None if other is None or other.shape != v.x.shape else kernels.dense_forward(other, v.w, v.b)

    return formula


def _grad_w(x: Formula) -> Formula:
    def formula(v: Values) -> Array | None:
        other = x(v)
        return None if other is None else v.phi.T @ other

    return formula


def _if_deeper(v: Values) -> Array | None:
    """Return the network's input, of a layer that has another."""
    return None if v.z_before is None else v.x_network


def _elements(v: Values) -> Array | None:
    return v.x * v.w + v.b if v.x.shape == v.w.shape and _square(v) else None


ROWS = (
    mistake(
        "missing-b",
        "b is not added",
        "Add the bias of each unit to its sum: z = w a + b.",
        z=("z^j = w^j a^{j-1}", lambda v: v.x @ v.w.T),
        a=("a^j = sigma(w^j a^{j-1})", lambda v: v.sigma(v.x @ v.w.T)),
    ),
    mistake(
        "sign-of-b",
        "b is subtracted",
        "z = w a + b: the bias is added.",
        z=("z^j = w^j a^{j-1} - b^j", lambda v: v.x @ v.w.T - v.b),
    ),
    mistake(
        "missing-transpose",
        "a transpose is missing, or one too many",
        "Row i of w holds the weights of unit i. For samples as rows: z = x w^T + b forwards, phi w backwards, and "
        "grad_w = phi^T x.",
        **_hidden(_untransposed, "w^{j+1} phi^{j+1}"),
        z=("z^j = (w^j)^T a^{j-1} + b^j", lambda v: v.x @ v.w + v.b if _square(v) else None),
        grad_w=("grad_w^j = a^{j-1} (phi^j)^T", lambda v: v.x.T @ v.phi),
        w_new=("w - learning_rate grad_w^T", lambda v: v.weight - v.learning_rate * v.grad.T
               if v.optimizer == "sgd" and v.weight.shape[0] == v.weight.shape[1] else None),
    ),
    mistake(
        "z-for-a",
        "z stands where a belongs",
        "What a layer hands on is a = sigma(z).",
        grad_w=("grad_w^j = phi^j (z^{j-1})^T", _grad_w(lambda v: v.z_before)),
        z=("z^j = w^j z^{j-1} + b^j", _z(lambda v: v.z_before)),
        loss=("L of z^J", lambda v: np.array(kernels.loss_value(v.loss, v.z, v.y))),
        grad_a_last=("the derivative of L, at z^J", lambda v: kernels.loss_gradient(v.loss, v.z, v.y)),
    ),
    mistake(
        "a-for-a-before",
        "a^j stands where a^{j-1} belongs",
        "The second factor of equation 3 is the layer's input x = a^{j-1}, not its output.",
        grad_w=("grad_w^j = phi^j (a^j)^T", _grad_w(lambda v: v.a)),
        z=("z^j = w^j a^j + b^j", _z(lambda v: v.a)),
    ),
    mistake(
        "input-for-a-before",
        "the network's input stands where this layer's input belongs",
        "Only the first layer reads the data; the others read a^{j-1}.",
        grad_w=("grad_w^j = phi^j (a^0)^T", _grad_w(_if_deeper)),
        z=("z^j = w^j a^0 + b^j", _z(_if_deeper)),
    ),
    mistake(
        "grad-a-for-phi",
        "grad_a stands where phi belongs: sigma' of that layer is missing",
        "phi is the derivative to z, grad_a the one to a: multiply by sigma'(z) before you go on.",
        grad_w=("grad_w^j = grad_a^j (a^{j-1})^T", lambda v: v.grad_a.T @ v.x),
        grad_b=("grad_b^j = grad_a^j", lambda v: v.grad_a.sum(axis=0)),
        **_hidden(_above, "(w^{j+1})^T grad_a^{j+1}"),
    ),
    mistake(
        "phi-for-grad-a",
        "this is phi: sigma'(z) is multiplied in already",
        "grad_a is the derivative of the loss to a; sigma' comes after it.",
        grad_a_last=("grad_a^J = phi^J", lambda v: through(kernels.loss_gradient(v.loss, v.a, v.y), v.dsigma_at(v.z))),
        grad_a_hidden=("grad_a^j = phi^j", lambda v: through(v.phi_next @ v.w_next, v.dsigma_at(v.z))),
    ),
    mistake(
        "updated-w",
        "phi is computed with w that a step of the optimizer has changed already",
        "Compute phi of all layers first, then update w and b of all layers.",
        **_hidden(_after_next_step, "(w^{j+1} after its step)^T phi^{j+1}"),
    ),
    mistake(
        "wrong-layer-w",
        "w of another layer is used",
        "Equation 2 goes back through the weights that lead from layer j to layer j + 1: w^{j+1}.",
        **_hidden(_of_other_w, "(w^j)^T phi^{j+1}"),
        z=("z^j = w^{j+1} a^{j-1} + b^j", lambda v: None if v.w_next is None or v.w_next.shape != v.w.shape
           else kernels.dense_forward(v.x, v.w_next, v.b)),
    ),
    mistake(
        "printed-index",
        "phi^{j+1} has the index i in the sum over k, as the paper prints it in section 2.2",
        "Unit i reaches the loss through every unit k of the next layer: sum over k of w_{k,i} phi_k^{j+1}. See "
        "docs/errata.md.",
        **_hidden(_as_printed, "phi_i^{j+1} sum over k of w_{k,i}^{j+1}"),
    ),
    mistake(
        "elementwise-for-matrix",
        "two arrays are multiplied element by element that belong together as matrices",
        "A matrix product, @ in NumPy, adds up over the inputs of a unit, or over the samples.",
        z=("z^j = w^j ∘ a^{j-1} + b^j", _elements),
        grad_w=("grad_w^j = phi^j ∘ a^{j-1}", lambda v: v.phi * v.x if v.phi.shape == v.x.shape else None),
    ),
    mistake(
        "not-summed",
        "the samples' gradients are not added up",
        "All samples share w and b: add over the batch. For grad_b that is phi.sum(axis=0).",
        grad_b=("grad_b^j of each sample", lambda v: v.phi),
        grad_w=("grad_w^j of each sample", lambda v: np.einsum("no,ni->noi", v.phi, v.x)),
    ),
    mistake(
        "one-sample",
        "only one sample of the batch counts",
        "Add over all samples of the batch.",
        grad_w=[("grad_w^j of the last sample", lambda v: np.outer(v.phi[-1], v.x[-1])),
                ("grad_w^j of the first sample", lambda v: np.outer(v.phi[0], v.x[0]))],
        grad_b=[("grad_b^j of the last sample", lambda v: v.phi[-1]),
                ("grad_b^j of the first sample", lambda v: v.phi[0])],
    ),
    mistake(
        "wrong-axis",
        "the sum runs over the wrong axis",
        "Samples are rows: add over axis 0.",
        grad_b=[("the sum of phi^j over the units", lambda v: v.phi.sum(axis=1)),
                ("the sum of everything in phi^j", lambda v: np.array(v.phi.sum()))],
    ),
    mistake(
        "bias-times-input",
        "phi is multiplied by an activation before it is added up",
        "b is added to z as it is, so its derivative is phi itself: equation 4.",
        grad_b=("grad_b^j = phi^j ∘ a^j", lambda v: (v.phi * v.a).sum(axis=0)),
    ),
)  # fmt: skip
