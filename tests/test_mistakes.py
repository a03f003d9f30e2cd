"""The catalogue of mistakes and its page."""

import re
from pathlib import Path

import pytest
from docs_scripts import docs_script

from mlpcore.diagnosis import EQUATIONS, MISTAKES

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(not (ROOT / "docs").exists(), reason="the tests do not lie in a checkout")
def test_the_page_is_what_the_catalogue_says():
    module = docs_script("make_tables")
    assert (module.DOCS / "diagnose.md").read_text(encoding="utf-8") == module.page("diagnose.md"), (
        "run make docs-tables"
    )


@pytest.mark.skipif(not (ROOT / "docs").exists(), reason="the tests do not lie in a checkout")
def test_the_page_lists_what_functions_are_given():
    text = (ROOT / "docs" / "diagnose.md").read_text(encoding="utf-8")
    for name, equation in EQUATIONS.items():
        if name not in ("w_new", "b_new"):
            given = ", ".join(f"`{each}`" for each in equation.inputs)
            rows = re.findall(rf"^\| `\"{equation.quantity}\"`.*$", text, re.M)
            assert any(f"| {given} |" in row for row in rows), name


def test_the_mistakes_that_every_course_meets_are_there():
    asked = {
        "missing-dsigma", "dsigma-of-a", "sigma-for-dsigma", "missing-transpose", "a-for-a-before", "updated-w",
        "factor-n", "divided-by-n", "factor-2", "missing-factor-2", "not-summed", "sign", "softmax-elementwise",
        "a-minus-y", "printed-bce-sign", "z-for-a", "wrong-layer-w", "mean-over-outputs", "sum-over-outputs",
        "missing-b", "matrix-for-elementwise", "elementwise-for-matrix", "sign-of-momentum", "missing-bias-correction",
        "epsilon-inside-root", "coupled-decay", "l2-on-b",
    }  # fmt: skip
    assert asked <= set(MISTAKES)
