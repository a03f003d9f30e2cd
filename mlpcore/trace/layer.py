"""What a trace holds of one layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from mlpcore import catalogue
from mlpcore.engine import Choice

Array = NDArray[Any]


class Arrays(Mapping[str, Array]):
    """Arrays by name, which cannot be replaced."""

    def __init__(self, arrays: Mapping[str, Array] | None = None) -> None:
        self._arrays = dict(arrays or {})

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return repr(self._arrays)


@dataclass(frozen=True, eq=False, repr=False)
class LayerTrace:
    """What one layer has computed, by the paper's names: read-only copies.

    For n samples the shapes are those of the layer; for one sample given as a vector the first axis is left out. What a
    layer does not have is None: only `Dense` and `Activation` have z, activation and dsigma, and backward goes no
    further than the lowest layer with parameters.

    Attributes
    ----------
    j : int
        The number of the layer, from 1 as in the paper.
    name : str
        The class of the layer; `expression` is the call that makes it.
    kind : str
        Its name in the family "layers" of the catalogue, "residual" for a branch, "custom" for one written in Python.
    activation : str, object or None
        sigma, as the layer has it.
    x, z, a : ndarray
        The input a^{j-1}, (n, in); z^j and the output a^j, (n, out).
    dsigma : ndarray
        sigma'(z), (n, out). Where each a depends on all z of its row, as in softmax, the Jacobian (n, out, out):
        ``dsigma[s, k, i]`` is the derivative of a_k with respect to z_i.
    grad_a, phi, grad_x : ndarray
        The gradients of the loss with respect to a, z and x. Of a layer without z phi is the one to its input, as the
        layer's own attribute is.
    params, grads, after : dict of str to ndarray
        The parameters by name, such as "w" and "b", their gradients (equations 3 and 4), and the parameters after the
        optimizer's step; `after` is empty without an optimizer.
    extras : dict of str to ndarray
        What else tells how a comes from x: the mask of dropout, x_hat of the norms, mean and variance of `BatchNorm`,
        the noise.
    layers : tuple of LayerTrace
        The layers of the branch of a `Residual`, counted from 1 by themselves.
    formula, derivative : str
        What the layer computes forward and backward, as the catalogue writes it.

    All parameters, gradients and extras are attributes too: ``w``, ``b``, ``grad_w``, ``grad_b``, ``gamma``, ``mask``.
    """

    j: int
    name: str
    expression: str
    kind: str
    x: Array
    a: Array
    activation: Choice | None = None
    z: Array | None = None
    dsigma: Array | None = None
    grad_a: Array | None = None
    phi: Array | None = None
    grad_x: Array | None = None
    params: Arrays = field(default_factory=Arrays)
    grads: Arrays = field(default_factory=Arrays)
    after: Arrays = field(default_factory=Arrays)
    extras: Arrays = field(default_factory=Arrays)
    layers: tuple[LayerTrace, ...] = ()
    formula: str = ""
    derivative: str = ""

    @property
    def sigma(self) -> str:
        """The activation's name with its constants, "" for a layer without one."""
        return "" if self.activation is None else catalogue.label(self.activation)

    @property
    def w(self) -> Array:
        """The weights (out, in) of a `Dense` layer, before the optimizer's step."""
        return self._own("w", self.params)

    @property
    def b(self) -> Array | None:
        """The biases (out,), before the optimizer's step; None if the layer has weights only."""
        return self.params.get("b") if "w" in self.params else self._own("b", self.params)

    @property
    def grad_w(self) -> Array:
        """The gradient with respect to w, (out, in): equation 3."""
        return self._own("w", self.grads, "grad_w")

    @property
    def grad_b(self) -> Array | None:
        """The gradient with respect to b, (out,): equation 4; None without b."""
        return self.grads.get("b") if "w" in self.grads else self._own("b", self.grads, "grad_b")

    def __getattr__(self, name: str) -> Array:
        """Return a parameter, a gradient or an extra by its name."""
        if name.startswith("__") or "params" not in self.__dict__:
            raise AttributeError(name)
        if name in self.params:
            return self.params[name]
        if name.startswith("grad_") and name[5:] in self.grads:
            return self.grads[name[5:]]
        return self._own(name, self.extras)

    def _own(self, name: str, where: Arrays, shown: str = "") -> Array:
        if name in where:
            return where[name]
        names = [*self.params, *(f"grad_{each}" for each in self.grads), *self.extras]
        raise AttributeError(
            f"layer {self.j}, {self.expression}, has no {shown or name}; beside x, z, a, dsigma, grad_a, phi it has "
            f"{', '.join(names) or 'nothing'}"
        )

    @property
    def expression_in_short(self) -> str:
        """The layer as a reader names it: Dense(2, sigmoid)."""
        if "w" in self.params and self.activation is not None:
            return f"{self.name}({len(self.w)}, {self.sigma})"
        return (
            f"{self.name}({', '.join(each.expression_in_short for each in self.layers)})"
            if self.layers
            else self.expression
        )

    @property
    def is_jacobian(self) -> bool:
        """Whether dsigma is a matrix for each sample."""
        return self.dsigma is not None and self.dsigma.ndim > self.a.ndim

    def __repr__(self) -> str:
        return f"layer {self.j} of a trace, {self.expression}: a {self.a.shape}"
