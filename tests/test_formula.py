"""The catalogue's formulas as LaTeX."""

import re

import pytest

from mlpcore import catalogue
from mlpcore.typeset import formula_latex
from mlpcore.typeset.formula import formula_html

FORMULAS = sorted(
    {
        formula
        for family in ("activations", "losses", "pairs", "optimizers")
        for row in catalogue.FAMILIES[family].values()
        for formula in (row.formula, row.derivative)
        if formula
    }
)


@pytest.mark.parametrize(
    ("plain", "latex"),
    [
        ("e^z_i / sum_k e^z_k", r"e^{z_{i}} / \sum_{k} e^{z_{k}}"),
        ("a_k ([i=k] - a_i)", "a_{k} ([i = k] - a_{i})"),
        ("Phi(z) + z e^(-z^2 / 2) / sqrt(2 pi)", r"\Phi (z) + z e^{{-}z^{2} / 2} / \sqrt{2 \pi}"),
        ("mean over k of (y_hat_k - y_k)^2", r"\mathrm{mean}_{k} \, (\hat{y}_{k} - y_{k})^{2}"),
        ("1/6 where -3 < z < 3, else 0", r"1 / 6 \text{ where } {-}3 < z < 3, \text{ else } 0"),
        ("negative_slope z", r"\mathrm{negative\_slope} \, z"),
        ("mask x / (1 - rate)", r"\mathrm{mask} \, x / (1 - \mathrm{rate})"),
        ("phi = alpha grad_a where z > 0", r"\phi = \alpha \, \mathrm{grad}_{a} \text{ where } z > 0"),
        ("sum of grad_y x_hat", r"\text{ sum of } \, \mathrm{grad}_{y} \, \hat{x}"),
        ("e^2z + 2", "e^{2 z} + 2"),
    ],
)
def test_formula(plain, latex):
    assert formula_latex(plain) == latex


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_of_the_catalogue(formula):
    latex = formula_latex(formula)
    assert latex.count("{") == latex.count("}")
    assert re.findall(r"\d+(?:\.\d+)?", latex) == re.findall(r"\d+(?:\.\d+)?", formula)
    outside = re.sub(r"\\(?:text|mathrm|operatorname)\{[^}]*\}|\\[a-z]+", "", latex, flags=re.I)
    assert re.search(r"[a-zA-Z]{2}", outside) is None, outside  # a word in italics would be a product of letters


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("1 / (1 + e^-z)", "1 / (1 + e<sup>-z</sup>)"),
        ("z_i - log(sum_k e^z_k)", "z<sub>i</sub> - log(sum<sub>k</sub> e<sup>z<sub>k</sub></sup>)"),
        ("(y_hat_k - y_k)^2", "(ŷ<sub>k</sub> - y<sub>k</sub>)<sup>2</sup>"),
        ("Phi(z) + z e^(-z^2 / 2)", "Phi(z) + z e<sup>(-z<sup>2</sup> / 2)</sup>"),
        ("negative_slope z where z < 0", "negative_slope z where z &lt; 0"),
    ],
)
def test_formula_as_html(plain, written):
    assert formula_html(plain) == written
