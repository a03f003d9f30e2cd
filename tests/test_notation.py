"""Symbols: one table for all renderings, and equations in each notation."""

import pytest

from mlpcore import typeset
from mlpcore.typeset import (
    Call,
    Difference,
    Equation,
    Hadamard,
    Numbers,
    Product,
    Style,
    Sum,
    Symbol,
    Transposed,
    Words,
)

EQ2 = Equation(
    Symbol("phi", 2),
    Hadamard(Product(Transposed(Symbol("w", 3)), Symbol("phi", 3)), Call("dsigma", Symbol("z", 2))),
)


@pytest.mark.parametrize(
    ("notation", "latex", "text"),
    [
        ("paper", r"\phi^{2} &= (w^{3})^T \phi^{3} \circ \sigma'(z^{2})", "φ² = (w³)ᵀ φ³ ∘ σ'(z²)"),
        ("delta", r"\delta^{2} &= (w^{3})^T \delta^{3} \odot \sigma'(z^{2})", "δ² = (w³)ᵀ δ³ ⊙ σ'(z²)"),
        ("dz", r"dz^{[2]} &= (W^{[3]})^T dz^{[3]} * g'(z^{[2]})", "dz[2] = (W[3])ᵀ dz[3] * g'(z[2])"),
    ],
)
def test_equation_2(notation, latex, text):
    style = Style(notation=notation)
    assert typeset.latex(EQ2, style) == f"\\begin{{aligned}}\n{latex}\n\\end{{aligned}}"
    assert typeset.text(EQ2, style) == text


@pytest.mark.parametrize(
    ("notation", "latex", "text"),
    [
        ("paper", r"\nabla_{w^{12}} L", "∇w¹² L"),
        ("delta", r"\frac{\partial C}{\partial w^{12}}", "∂C/∂w¹²"),
        ("dz", "dW^{[12]}", "dW[12]"),
    ],
)
def test_gradient(notation, latex, text):
    style = Style(notation=notation)
    assert typeset.latex(Symbol("grad_w", 12), style) == latex
    assert typeset.text(Symbol("grad_w", 12), style) == text


def test_capitals_tell_rows_or_with_dz_a_batch():
    z = Symbol("z", 1)
    assert typeset.text(z, Style(orientation="rows")) == "Z¹"
    assert typeset.text(z, Style(batch=True)) == "z¹"
    assert typeset.text(z, Style(notation="dz", orientation="rows")) == "z[1]"
    assert typeset.text(z, Style(notation="dz", batch=True)) == "Z[1]"
    assert typeset.text(Symbol("b", 1), Style(notation="dz", batch=True)) == "b[1]"


@pytest.mark.parametrize("notation", typeset.NOTATIONS)
@pytest.mark.parametrize(
    "name", ["x", "z", "a", "phi", "grad_a", "grad_w", "grad_b", "w", "b", "y", "loss", "gamma", "own"]
)
def test_every_symbol_is_in_every_rendering(notation, name):
    style = Style(notation=notation)
    written = [render(Symbol(name, 3), style) for render in (typeset.latex, typeset.text, typeset.html)]
    assert all(written)
    assert written[2].count("<") == written[2].count(">")


def test_sums_and_differences_as_factors_have_parentheses():
    node = Product(Sum(Symbol("a"), Symbol("b")), Difference(Symbol("y"), Sum(Symbol("z"), Words("one"))))
    assert typeset.text(node) == "(a + b) (y - (z + one))"
    assert typeset.latex(node) == r"\left(a + b\right) \left(y - \left(z + \text{one}\right)\right)"


def test_words_are_escaped():
    words = Words("50 % <b> & a_b")
    assert typeset.latex(words) == r"\text{50 \% \textless{}b\textgreater{} \& a\_b}"
    assert typeset.html(words) == "<span>50 % &lt;b&gt; &amp; a_b</span>"


def test_matrices_of_different_heights_stand_beside_each_other():
    node = Equation(Symbol("z"), Product(Numbers([[1, 2]]), Numbers([3, 4])), Numbers([11]))
    assert typeset.text(node) == "z = [1  2] [3]\n           [4]\n  = [11]"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"notation": "phi"}, "notation is 'phi', expected one of 'paper', 'delta', 'dz'"),
        ({"orientation": "row"}, "orientation is 'row', expected one of 'columns', 'rows'"),
        ({"digits": 0}, "digits is 0, expected an integer from 1 to 17"),
        ({"most": 3}, "most is 3, expected an integer >= 4"),
    ],
)
def test_wrong_options_are_refused(options, error):
    with pytest.raises(ValueError, match=error):
        Style(**options)
