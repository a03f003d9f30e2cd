"""The symbols of each notation, for all renderings.

What a layer computes has the name of its attribute in the code: x, z, a, phi, grad_w, ... A notation tells how each is
written, in LaTeX and in Unicode, and how the number of the layer is attached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

_SUPERSCRIPTS = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")


class Letter(NamedTuple):
    """A symbol without its layer, and its capital form, in LaTeX and in Unicode."""

    latex: str
    text: str
    capital_latex: str
    capital_text: str


def _plain(small: str, capital: str | None = None) -> Letter:
    capital = capital or small
    return Letter(small, small, capital, capital)


def _greek(name: str, small: str, capital_name: str, capital: str) -> Letter:
    return Letter(f"\\{name}", small, capital_name, capital)


_SHARED = {
    "x": _plain("x", "X"),
    "z": _plain("z", "Z"),
    "a": _plain("a", "A"),
    "y": _plain("y", "Y"),
    "y_hat": Letter(r"\hat{y}", "ŷ", r"\hat{Y}", "Ŷ"),
    "w": _plain("w", "W"),
    "b": _plain("b"),
    "n": _plain("n"),
    "ones": Letter(r"\mathbf{1}", "1", r"\mathbf{1}", "1"),
    "s": _plain("s"),
    "t": _plain("t"),
    "m": _plain("m"),
    "v": _plain("v"),
    "alpha": _greek("alpha", "α", r"\alpha", "α"),
    "gamma": _greek("gamma", "γ", r"\gamma", "γ"),
    "beta": _greek("beta", "β", r"\beta", "β"),
    "epsilon": _greek("epsilon", "ε", r"\epsilon", "ε"),
    "eta": _greek("eta", "η", r"\eta", "η"),
}


@dataclass(frozen=True)
class Notation:
    """Whose symbols.

    Attributes
    ----------
    name : str
    description : str
        Whose they are, for a reader.
    letters : dict of str to Letter
        By the names of the code.
    loss, sigma, hadamard : Letter
        The loss, the activation, and the product element by element.
    index_latex : str
        How the number of a layer is attached in LaTeX, with ``{}`` for it.
    bracket : bool
        Whether the number is in square brackets.
    last : str
        The number of the last layer.
    gradient_latex, gradient_text : str
        The gradient of the loss with respect to ``{of}``.
    phi : str
        The name of the symbol that phi is the gradient to, "z", where phi has no letter of its own; else "".
    capitals_for_batches : bool
        Whether capital letters tell a batch; otherwise they tell samples that are rows.
    """

    name: str
    description: str
    letters: dict[str, Letter]
    loss: Letter
    sigma: Letter
    hadamard: Letter
    index_latex: str
    bracket: bool
    last: str
    gradient_latex: str
    gradient_text: str
    phi: str = ""
    capitals_for_batches: bool = False

    def name_of_phi(self, capitals: bool) -> str:
        """Return what phi is called in a sentence: phi, delta, dz or dZ."""
        latex = self.symbol("phi", None, "latex", False)
        return self.symbol("phi", None, "text", capitals) if self.phi else latex.removeprefix("\\")

    @property
    def name_of_sigma(self) -> str:
        """What sigma is called in a sentence: sigma or g."""
        return self.sigma.latex.removeprefix("\\")

    def index(self, layer: int | str, markup: str) -> str:
        """Return the number of a layer as it is attached to a symbol."""
        if markup == "latex":
            return self.index_latex.format(layer)
        if markup == "html":
            return f"<sup>[{layer}]</sup>" if self.bracket else f"<sup>{layer}</sup>"
        return f"[{layer}]" if self.bracket else str(layer).translate(_SUPERSCRIPTS)

    def letter(self, name: str, markup: str, capitals: bool) -> str:
        """Return a symbol without its layer; a name that no table has is its own symbol."""
        letter = self.letters.get(name)
        if letter is None:
            return r"\mathrm{" + name.replace("_", r"\_") + "}" if markup == "latex" else name
        if markup == "latex":
            return letter.capital_latex if capitals else letter.latex
        return letter.capital_text if capitals else letter.text

    def symbol(self, name: str, layer: int | str | None, markup: str, capitals: bool) -> str:
        """Return a symbol of a layer, such as z^2; `grad_` before its name tells the gradient of the loss to it."""
        if name.startswith("grad_") or (name == "phi" and self.phi):
            of = self.phi if name == "phi" else name.removeprefix("grad_")
            inner = self.symbol(of, layer, markup, capitals)
            return (self.gradient_latex if markup == "latex" else self.gradient_text).format(of=inner)
        if name == "loss":
            return self.loss.latex if markup == "latex" else self.loss.text
        per_sample = name in ("x", "z", "a", "y", "y_hat", "phi") or (name == "w" and capitals)
        return self.letter(name, markup, capitals and per_sample) + ("" if layer is None else self.index(layer, markup))


NOTATIONS: dict[str, Notation] = {
    notation.name: notation
    for notation in (
        Notation(
            name="paper",
            description="the symbols of Menon's Deriving Backpropagation: phi is the gradient with respect to z",
            letters=_SHARED | {"phi": _greek("phi", "φ", r"\Phi", "Φ")},
            loss=_plain("L"),
            sigma=_greek("sigma", "σ", r"\sigma", "σ"),
            hadamard=Letter(r"\circ", "∘", r"\circ", "∘"),
            index_latex="^{{{}}}",
            bracket=False,
            last="J",
            gradient_latex=r"\nabla_{{{of}}} L",
            gradient_text="∇{of} L",
        ),
        Notation(
            name="delta",
            description="the symbols of Nielsen's Neural Networks and Deep Learning: delta is the gradient with "
            "respect to z, C the loss; he counts the inputs as layer 1, here they are layer 0",
            letters=_SHARED | {"phi": _greek("delta", "δ", r"\Delta", "Δ")},
            loss=_plain("C"),
            sigma=_greek("sigma", "σ", r"\sigma", "σ"),
            hadamard=Letter(r"\odot", "⊙", r"\odot", "⊙"),
            index_latex="^{{{}}}",
            bracket=False,
            last="L",
            gradient_latex=r"\frac{{\partial C}}{{\partial {of}}}",
            gradient_text="∂C/∂{of}",
        ),
        Notation(
            name="dz",
            description="the symbols of Ng's courses: dZ is the gradient with respect to Z; the factor 1/m of a batch, "
            "which he writes in dW and db, is in dZ here",
            letters=_SHARED | {"w": _plain("W")},
            loss=Letter(r"\mathcal{L}", "L", r"\mathcal{L}", "L"),
            sigma=_plain("g"),
            hadamard=Letter("*", "*", "*", "*"),
            index_latex="^{{[{}]}}",
            bracket=True,
            last="L",
            gradient_latex="d{of}",
            gradient_text="d{of}",
            phi="z",
            capitals_for_batches=True,
        ),
    )
}
"""The notations by name."""
