"""A trace: all numbers of one step of backpropagation, as a frozen copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mlpcore import catalogue
from mlpcore.engine import Choice
from mlpcore.trace.layer import Array, Arrays, LayerTrace
from mlpcore.typeset import Style

if TYPE_CHECKING:
    from mlpcore.optimizers import Optimizer
    from mlpcore.trace.step import Key, Step


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """What one batch, or one sample, does in a network: every number of the four equations, as a frozen copy.

    `Sequential.trace` makes it. ``t[j]`` is layer j, counted from 1 as in the paper; ``t[-1]`` is the last one.

    Attributes
    ----------
    layers : tuple of LayerTrace
    y : ndarray of shape (n, out)
        The ground truth as the engine had it: class indices as rows with a 1. For loss "gaussian_nll" (n, out / 2).
    loss : float
        The mean of the samples' losses.
    n : int
        How many samples there are.
    is_single : bool
        Whether the sample came as a vector, so that no array has an axis of samples.
    dtype : str
    training : bool
        Whether layers acted as in training.
    sample_weight : ndarray or None
    phi_by_factors : ndarray or None
        phi^J as equation 1 has it, ``grad_a`` through ``sigma'(z)``, where the last layer ends with an activation in C.
        The engine computes ``t[-1].phi`` of pairs such as sigmoid and "bce" in their short form, a - y; the two agree
        up to rounding.
    optimizer : Optimizer or None
        A copy, after the step.
    style : Style
        How it is written: see `styled`.
    before, after : dict of str to ndarray
        All parameters by paths such as "layers.0.w", before and after the step; `after` is empty without an optimizer.
    """

    layers: tuple[LayerTrace, ...]
    y: Array
    loss: float
    loss_choice: Choice
    n: int
    is_single: bool
    dtype: str
    training: bool
    sample_weight: Array | None
    phi_by_factors: Array | None
    optimizer: Optimizer | None
    style: Style = field(default_factory=Style)
    before: Arrays = field(default_factory=Arrays)
    after: Arrays = field(default_factory=Arrays)

    @property
    def x(self) -> Array:
        """The inputs a^0."""
        return self.layers[0].x

    @property
    def y_hat(self) -> Array:
        """The outputs a^J."""
        return self.layers[-1].a

    @property
    def grad_a(self) -> Array | None:
        """The gradient of the loss with respect to the outputs a^J."""
        return self.layers[-1].grad_a

    @property
    def loss_name(self) -> str:
        """The loss, as `mlpcore.catalogue.label` writes it."""
        return catalogue.label(self.loss_choice)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerTrace]:
        return iter(self.layers)

    def __getitem__(self, j: int) -> LayerTrace:
        """Return layer j, from 1 to J, or from the end: -1 is layer J."""
        count = len(self.layers)
        if isinstance(j, bool) or not isinstance(j, int):
            raise TypeError(f"j is {j!r}, expected the number of a layer, from 1 to {count}")
        if not (1 <= j <= count or -count <= j <= -1):
            raise IndexError(f"j is {j}, expected the number of a layer, from 1 to {count}: layers count from 1")
        return self.layers[j - 1 if j > 0 else j]

    # ------------------------------------------------------------------------------------------------------- renderings

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The derivation: every equation with the numbers of this trace, in its style."""
        from mlpcore.trace.steps import derivation

        return derivation(self, self.style)

    def styled(
        self,
        notation: str | None = None,
        orientation: str | None = None,
        *,
        digits: int | str | None = None,
        most: int | None = None,
    ) -> Trace:
        """Return the same trace written in another way.

        Parameters
        ----------
        notation : {"paper", "delta", "dz"}, optional
            Whose symbols: those of the paper, of Nielsen's book, of Ng's courses.
        orientation : {"columns", "rows"}, optional
            Whether a sample is a column, z = w a + b, or a row, Z = X W^T + b.
        digits : int or "all", optional
            Significant digits of each number, 4 at first; "all" shows as many as give the engine's number again.
        most : int, optional
            Of how many rows and columns all are shown, 7 at first; of more, the first ones and the last two are.

        Returns
        -------
        Trace

        Raises
        ------
        TypeError, ValueError
            If an argument is none of these.
        """
        changes: dict[str, object] = {
            name: value
            for name, value in (("notation", notation), ("orientation", orientation), ("most", most))
            if value is not None
        }
        if digits is not None:
            changes["digits"] = None if digits == "all" else digits
        return replace(self, style=self.style.with_(**changes))

    def latex(self, j: Key | None = None, equation: Key | None = None) -> str:
        """Return equations as LaTeX, without delimiters, for MathJax or a document with amsmath.

        Parameters
        ----------
        j : int or str, optional
            The number of a layer. None: all of them.
        equation : int or str, optional
            1 to 4, "z", "a", "loss", "short", "update", ...: see `mlpcore.trace.Step`. None: all of them. 1 has the
            short form a - y too, where there is one.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If there is no such equation; the message says which there are.
        """
        from mlpcore.trace import document
        from mlpcore.trace.steps import found

        return document.joined_latex(found(self.steps, equation, j))

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX document, which compiles with amsmath and geometry.

        Returns
        -------
        str
        """
        from mlpcore.trace import document

        return document.as_latex(self, self.steps)

    def to_markdown(self) -> str:
        """Return the derivation as Markdown, with its mathematics between $$ signs.

        Returns
        -------
        str
        """
        from mlpcore.trace import document

        return document.as_markdown(self, self.steps)

    def to_html(self) -> str:
        """Return the derivation as a fragment of HTML, which needs no script and no network.

        Returns
        -------
        str
        """
        from mlpcore.trace import document

        return document.as_html(self, self.steps)

    def __str__(self) -> str:
        from mlpcore.trace import document

        return document.as_text(self, self.steps)

    def __repr__(self) -> str:
        from mlpcore.trace import document

        advice = "print it, or see t[1], t.latex(j=1, equation=3)"
        return f"<trace of {document.headline(self)}; loss {self.loss:.4g}: {advice}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what notebooks show, of which each takes the richest that it can."""
        return {
            "text/plain": str(self),
            "text/html": self.to_html(),
            "text/markdown": self.to_markdown(),
            "text/latex": "\n".join(f"$$\n{step.latex()}\n$$" for step in self.steps),
        }
