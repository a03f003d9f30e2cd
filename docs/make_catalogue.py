"""Writes docs/catalogue.md, the tables of the catalogue, from what the built package says: `make docs-tables`."""

import io
import tomllib
from collections.abc import Iterable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from mlpcore import catalogue
from mlpcore.catalogue import Entry, Hyper

PAGE = Path(__file__).with_name("catalogue.md")
ELSEWHERE = tomllib.loads(Path(__file__).with_name("elsewhere.toml").read_text(encoding="utf-8"))
LIBRARIES = ("Keras", "PyTorch", "scikit-learn")
HEAD = """# The catalogue

Everything in mlpcore that has a name. The rows stand in `csrc/catalogue/*.def`, where checks, error messages, gradient
checks and tests read them too; this page is made from them by `make docs-tables`. In Python, `mlpcore.catalogue` has
the same rows.

Where a row has constants, its name stands for their default values, and an object of its class gives others:
`LeakyReLU(0.2)`. [At the end](#in-other-libraries) stands what Keras, PyTorch and scikit-learn call the same things.
"""
PORTING = """
## In other libraries

What the same thing is called in Keras 3, PyTorch 2 and scikit-learn 1.5 (`elsewhere.toml`). An empty cell: it is not
there.
"""
TITLES = {
    "activations": ("Activations", "a = σ(z) and its derivative", "derivative σ'"),
    "losses": ("Losses", "The loss of a sample from ŷ = a^J, and its derivative with respect to ŷ_k", "derivative"),
    "pairs": (
        "Pairs of a loss and an output activation",
        "The loss of a sample from z^J, and φ^J, its gradient to z^J. A pair without a row goes `through_a`",
        "φ^J",
    ),
    "optimizers": (
        "Optimizers",
        "One step; grad is the gradient of the batch's loss, states begin as 0. With a weight_decay, "
        "`w -= learning_rate weight_decay w` comes first. `LBFGS`, which takes no such steps, "
        "has no row: its docstring and `csrc/net/lbfgs.c` tell what it does",
        "",
    ),
    "schedules": (
        "Schedules",
        "The learning rate of a step; t counts steps or epochs since the schedule began",
        "",
    ),
    "initializers": ("Initializers", "The first weights of a layer with `in` inputs and `out` outputs", ""),
    "metrics": (
        "Metrics",
        "What `fit` and `evaluate` measure beside the loss, of ŷ = a^J ([metrics.md](metrics.md)); right_c, "
        "predicted_c and actual_c are the weights of the rows that are rightly, that are at all, and that should be "
        "taken for class c",
        "",
    ),
    "layers": ("Steps of a plan", "What layers are made of: forward and backward", "backward"),
    "elementaries": ("Elementary functions", "Computed by mlpcore itself, to the bit", ""),
}

# What is shown of each row below the table of its family: run here, and again by the tests of the docs.
EXAMPLES = {
    "activations": """
import numpy as np
from mlpcore import catalogue, kernels
for name in catalogue.names("activations"):
    a = kernels.activation_forward(name, [[-2.0, 0.5, 3.0]])
    print(f"{name:13}", *np.round(a[0], 4))
""",
    "losses": """
for name in catalogue.names("losses"):
    y_hat, y = [[0.9, 0.3]], [[1.0, 0.0]]
    print(f"{name:13}", round(kernels.loss_value(name, y_hat, y), 4))
""",
    "initializers": """
from mlpcore import Dense, Sequential
for name in catalogue.names("initializers"):
    layer = Dense(2, kernel_initializer=name)
    model = Sequential([layer], input_size=2, dtype="float64", seed=1)
    print(f"{name:16}", *np.round(layer.w.ravel(), 3))
""",
}


def number(value: float) -> str:
    """Return a number in a few characters."""
    return f"{value:.10g}".replace("inf", "∞")


def constant(hyper: Hyper) -> str:
    """Return a constant with its default and its range."""
    if hyper.is_flag:
        return f"{hyper.name} = {bool(hyper.default)}"
    in_float32 = f", in float32 from {number(hyper.least_float32)}" if hyper.least_float32 > hyper.least else ""
    return f"{hyper.name} = {number(hyper.default)} in [{number(hyper.least)}, {number(hyper.below)}){in_float32}"


def state(name: str, only_if: str | None) -> str:
    """Return the name of an array that an optimizer keeps, and when it does."""
    return name if only_if is None else f"{name} if {only_if} is not 0"


def remarks(row: Entry) -> str:
    """Return what else the row says: traits, the states of an optimizer, the range of y of a loss."""
    parts = [trait.replace("_", " ") for trait in row.traits]
    if row.states:
        parts.append("keeps " + ", ".join(map(state, row.states, row.states_if)))
    if (row.least, row.most) != (0, 0):
        parts.append(f"y from {number(row.least)} to {number(row.most)}")
    return "; ".join(parts)


def name(family: str, row: Entry) -> str:
    """Return the name with the alias and the class in Python."""
    made = catalogue.CLASSES.get((family, row.name))
    others = (row.alias, row.class_name, made and made.__name__)
    return ", ".join(f"`{each}`" for each in (row.name, *others) if each)


def called(text: str) -> str:
    """Return names that semicolons part as code, each without the remark after it."""
    parts = (name.partition(" (") for name in text.split("; ") if name)
    return ", ".join(f"`{name}`{bracket}{remark}" for name, bracket, remark in parts)


def table(family: str) -> str:
    """Return the table of a family; a column that is empty in every row is left out."""
    title, text, derivative = TITLES[family]
    columns = {
        "name": partial(name, family),
        "formula": lambda row: code(row.formula),
        derivative or "derivative": lambda row: code(row.derivative),
        "constants": lambda row: "<br>".join(map(constant, row.hypers)),
        "remarks": remarks,
        "source": lambda row: row.source or "",
    }
    rows = catalogue.FAMILIES[family].values()
    filled = {head: cells for head, cell in columns.items() if any(cells := [cell(row) for row in rows])}
    return "\n".join([f"\n## {title}\n", f"{text}.\n", *drawn(filled, zip(*filled.values(), strict=True))])


def porting(family: str) -> str:
    """Return the table of what the rows of a family are called elsewhere."""
    rows = [[f"`{row}`", *map(called, ELSEWHERE[family][row])] for row in catalogue.FAMILIES[family]]
    return "\n".join([f"\n### {TITLES[family][0]}, elsewhere\n", *drawn(("mlpcore", *LIBRARIES), rows), ""])


def drawn(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the lines of a table."""
    head = list(head)
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


def example(source: str, names: dict[str, object]) -> str:
    """Run lines of Python among `names`; return them with what they print, as an interpreter shows it."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(source, names)
    lines = source.strip().split("\n")
    shown = [("... " if line.startswith(" ") else ">>> ") + line for line in lines]
    return "\n".join(["", "```python", *shown, printed.getvalue(), "```", ""])


def code(text: str | None) -> str:
    """Return formulas, which semicolons part, as code."""
    return "<br>".join(f"`{part}`" for part in (text or "").replace("|", "\\|").split("; ") if part)


def page() -> str:
    """Return the whole page."""
    names: dict[str, object] = {}  # what one example imports is there in the next
    parts = [HEAD]
    for family in catalogue.FAMILIES:
        parts += [table(family), "\n", example(EXAMPLES[family], names) if family in EXAMPLES else ""]
    return "".join([*parts, PORTING, *(porting(family) for family in catalogue.FAMILIES if family in ELSEWHERE)])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
