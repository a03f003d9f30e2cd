"""Renderings of a derivation: every number reads back as the engine's, in each of them, notation and orientation."""

import derivations
import numpy as np
import pytest
import reading

import mlpcore
from mlpcore.typeset import Style

NETS = ["dense", "bce", "cce", "batch norm", "residual", "embedding"]
RENDERINGS = {
    "latex": lambda t: reading.latex_arrays(t.to_latex()),
    "markdown": lambda t: reading.markdown_arrays(t.to_markdown()),
    "html": lambda t: reading.html_arrays(t.to_html()),
}


def as_written(array, style):
    if array.ndim == 2:
        return array
    return array.reshape((1, -1) if style.rows else (-1, 1))


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize(
    ("notation", "orientation"), [("paper", "columns"), ("paper", "rows"), ("delta", "columns"), ("dz", "rows")]
)
@pytest.mark.parametrize("name", NETS)
def test_every_number_reads_back(name, notation, orientation, rendering):
    for single, digits in ((True, 4), (False, 4), (False, "all")):
        t = derivations.trace_of(name, single, notation=notation, orientation=orientation)
        t = t.styled(digits=digits)
        expected = [as_written(array, t.style) for step in t.steps for array in derivations.numbers_of(step.lines)]
        read = RENDERINGS[rendering](t)
        assert len(read) == len(expected) > 20
        for one, other in zip(read, expected, strict=True):
            assert reading.agrees(one, other, None if digits == "all" else digits), (one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_with_all_digits_the_engines_bits_come_back(dtype):
    t = derivations.trace_of("bce", dtype=dtype, optimizer="sgd", orientation="rows").styled(digits="all")
    for j in (1, 2):
        read = {
            "z": reading.latex_arrays(t.latex(j, "z"))[-1],
            "phi": reading.latex_arrays(t.latex(j, 2 if j == 1 else "short"))[-1],
            "grad_w": reading.latex_arrays(t.latex(j, 3))[-1],
        }
        for name, rows in read.items():
            assert np.array_equal(np.array(rows, dtype), getattr(t[j], name))


def test_plain_text_reads_back():
    t = derivations.trace_of("dense", single=True)
    (step,) = [step for step in t.steps if (step.equation, step.j) == (3, 1)]
    block = [line[line.index("[") :] for line in str(step).splitlines() if "[" in line]
    assert reading.agrees(reading.text_array("\n".join(block[-4:])), t[1].grad_w)


GOLDEN = """\
equation 2: phi of layer 1
  σ'(z) = 1 where z > 0, else 0
     φ¹ = (w²)ᵀ φ² ∘ σ'(z¹)
        = [ 1  0.5] [-1  ] ∘ [1]
          [-1  1  ] [ 0.5]   [1]
          [ 2  1  ]          [0]
        = [-0.75] ∘ [1]
          [ 1.5 ]   [1]
          [-1.5 ]   [0]
        = [-0.75]
          [ 1.5 ]
          [ 0   ]"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_worked_by_hand(dtype):
    """2-3-2 with relu and mse: every number is a fraction with a power of 2 below, found with pencil and paper."""
    layers = [mlpcore.Dense(3, "relu"), mlpcore.Dense(2)]
    model = mlpcore.Sequential(layers, input_size=2, dtype=dtype)
    layers[0].w, layers[0].b = [[1, 0], [-1, 1], [1 / 2, -1]], [0, 1, 1 / 2]
    layers[1].w, layers[1].b = [[1, -1, 2], [1 / 2, 1, 1]], [1 / 2, -1]
    t = model.trace([1, 2], [1 / 2, 1], "mse", optimizer=mlpcore.SGD(1 / 2))
    by_hand = {
        "z": ([1, 2, -1], [-1 / 2, 3 / 2]),
        "a": ([1, 2, 0], [-1 / 2, 3 / 2]),
        "dsigma": ([1, 1, 0], [1, 1]),
        "grad_a": ([-3 / 4, 3 / 2, -3 / 2], [-1, 1 / 2]),
        "phi": ([-3 / 4, 3 / 2, 0], [-1, 1 / 2]),
        "grad_w": ([[-3 / 4, -3 / 2], [3 / 2, 3], [0, 0]], [[-1, -2, 0], [1 / 2, 1, 0]]),
        "grad_b": ([-3 / 4, 3 / 2, 0], [-1, 1 / 2]),
    }
    for name, (first, second) in by_hand.items():
        assert getattr(t[1], name).tolist() == first, name
        assert getattr(t[2], name).tolist() == second, name
    assert t.loss == 5 / 8
    assert t[1].after["w"].tolist() == [[11 / 8, 3 / 4], [-7 / 4, -1 / 2], [1 / 2, -1]]
    assert t[1].after["b"].tolist() == [3 / 8, 1 / 4, 1 / 2]
    assert t[2].after["w"].tolist() == [[3 / 2, 0, 2], [1 / 4, 1 / 2, 1]]
    assert t[2].after["b"].tolist() == [1, -5 / 4]
    (step,) = [step for step in t.steps if step.equation == 2]
    assert str(step) == GOLDEN


def test_large_layers_are_elided():
    layers = [mlpcore.Dense(500, "tanh"), mlpcore.Dense(300, "relu"), mlpcore.Dense(40, "softmax")]
    model = mlpcore.Sequential(layers, input_size=200, seed=1)
    x, y = np.random.default_rng(0).normal(size=(64, 200)), np.arange(64) % 40
    t = model.trace(x, y, "cce", optimizer="adam")
    for text in (str(t), t.to_markdown(), t.to_html(), t.to_latex()):
        assert len(text) < 300_000
        assert "300" in text
        assert "500" in text
    assert max(map(len, str(t).splitlines())) < 250


def test_styles():
    t = derivations.trace_of("dense", single=True)
    assert t.style == Style()
    other = t.styled("dz", "rows", digits=2, most=4)
    assert (other.style.notation, other.style.orientation, other.style.digits, other.style.most) == ("dz", "rows", 2, 4)
    assert other.styled(digits="all").style.digits is None
    assert other[1].z is t[1].z
    for wrong in ({"notation": "x"}, {"orientation": "x"}, {"digits": 99}, {"most": 1}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
            t.styled(**wrong)
    with pytest.raises(ValueError, match="notation is 'x'"):
        derivations.trace_of("dense", notation="x")


def test_what_notebooks_show():
    t = derivations.trace_of("bce", single=True)
    bundle = t._repr_mimebundle_()
    assert bundle["text/plain"] == str(t)
    assert bundle["text/html"] == t.to_html()
    for forbidden in ("<script", "http", "<style", "<link", "src="):
        assert forbidden not in bundle["text/html"]
    assert bundle["text/latex"].count("$$") == 2 * len(t.steps)
    assert "print it" in repr(t)
    assert t.steps[0]._repr_html_().count("<table") == t.steps[0]._repr_html_().count("</table>")


def test_names_of_users_are_escaped():
    class Tricky(mlpcore.CustomLayer):
        def build(self, input_size):
            return input_size, {"s_1": (input_size,)}

        def forward(self, x, training):
            return x

        def backward(self, grad_y, x):
            return grad_y

        def _expression(self):
            return "<b>50 % & $x_1$"

    t = mlpcore.Sequential([mlpcore.Dense(2), Tricky()], input_size=2).trace([1, 2], [1, 2], "mse")
    assert "<b>50" not in t.to_html() + t.to_markdown().replace("{<b>", "")
    assert r"\textless{}b\textgreater{}50 \% \& \$x\_1\$" in t.to_latex()
