"""Teaching code, slow and short: training dense layers in plain NumPy, each equation a line that can be replaced.

It exists to run a mistake where the equation belongs (`mlpcore.mutate`). The engine trains; this file is checked
against it, and nothing else uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlpcore import kernels
from mlpcore.diagnosis import stepping
from mlpcore.diagnosis.equations import Formula
from mlpcore.diagnosis.values import Array, Values, through
from mlpcore.engine import Choice

PLAIN: dict[str, Formula] = {
    "z": lambda v: v.x @ v.w.T + v.b,
    "a": lambda v: v.sigma(v.z),
    "grad_a_last": lambda v: kernels.loss_gradient(v.loss, v.a, v.y),
    "grad_a_hidden": lambda v: v.phi_next @ v.w_next,
    "phi_last": lambda v: kernels.output_phi(v.loss, v.activation, v.z, v.y),  # eq. 1, a - y where sigma' cancels
    "phi_hidden": lambda v: through(v.grad_a, v.dsigma),  # eq. 2
    "grad_w": lambda v: v.phi.T @ v.x,  # eq. 3
    "grad_b": lambda v: v.phi.sum(axis=0),  # eq. 4
    "w_new": stepping.step,
    "b_new": stepping.step,
}
"""The equations of a step of training, in the order in which they are used."""


class PlainTraining:
    """A network of dense layers that trains itself, with some equations replaced.

    Parameters
    ----------
    layers : list of Values
        Of each layer ``w``, ``b``, ``activation``, ``l1``, ``l2``; copied.
    loss : str or tuple
    optimizer : mapping
        Its name, as ``optimizer``, and its hyperparameters.
    states : list of dict
        For each layer the optimizer's arrays for "w_new" and "b_new", t among them.
    instead : mapping of str to callable
        Formulas in the place of those of `PLAIN`.

    Attributes
    ----------
    layers : list of Values
        What they are after the steps taken so far.
    """

    def __init__(
        self,
        layers: list[Values],
        loss: Choice,
        optimizer: Mapping[str, Any],
        states: list[dict[str, dict[str, Any]]],
        instead: Mapping[str, Formula],
    ) -> None:
        self.layers = list(layers)
        self.loss = loss
        self.optimizer = dict(optimizer)
        self.states = [{name: dict(arrays) for name, arrays in each.items()} for each in states]
        self.formulas = PLAIN | dict(instead)

    def forward(self, x: Array) -> list[Values]:
        """Return the values of each layer after a forward pass."""
        passed: list[Values] = []
        before: Array | None = None
        network_input = x
        for layer in self.layers:
            v = layer.but(x=x, x_network=network_input, z_before=before, n=len(x), loss=self.loss)
            v = v.but(z=self.formulas["z"](v))
            v = v.but(a=self.formulas["a"](v), dsigma=v.dsigma_at(v.z))
            passed.append(v)
            x, before = v.a, v.z
        return passed

    def backward(self, passed: list[Values], y: Array) -> None:
        """Compute phi and the gradients, from the last layer to the first, into `passed`."""
        for j in reversed(range(len(passed))):
            v, end = passed[j].but(y=y), "last" if j == len(passed) - 1 else "hidden"
            if j + 1 < len(passed):
                above = passed[j + 1]
                v = v.but(
                    **{f"{name}_next": getattr(above, name) for name in ("w", "z", "a", "dsigma", "grad_a", "phi")},
                    w_next_new=self._stepped(above, j + 1, "w_new")[0],
                )
            v = v.but(grad_a=self.formulas[f"grad_a_{end}"](v))
            v = v.but(phi=self.formulas[f"phi_{end}"](v))
            passed[j] = v.but(grad_w=self.formulas["grad_w"](v), grad_b=self.formulas["grad_b"](v))

    def step(self, x: Array, y: Array) -> float:
        """Take a step with a batch; return its loss before it."""
        passed = self.forward(x)
        last = passed[-1]
        value = kernels.output_loss(self.loss, last.activation, last.z, y)
        self.backward(passed, y)
        for j, v in enumerate(passed):
            w, w_states = self._stepped(v, j, "w_new")
            b, b_states = self._stepped(v, j, "b_new")
            self.layers[j] = self.layers[j].but(w=w, b=b if v.use_bias else v.b)
            for name, states in (("w_new", w_states), ("b_new", b_states)):
                self.states[j][name] |= states | {"t": self.states[j][name]["t"] + 1}
        return value

    def _stepped(self, v: Values, j: int, name: str) -> tuple[Array, dict[str, Array]]:
        weight, grad = (v.w, v.grad_w) if name == "w_new" else (v.b, v.grad_b)
        given = v.but(weight=np.array(weight), grad=grad, **self.optimizer, **self.states[j][name])
        new = self.formulas[name](given)
        return new if isinstance(new, tuple) else (new, {})
