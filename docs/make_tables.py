"""Writes the tables in docs/interop.md and docs/diagnose.md from what the package says: `make docs-tables`."""

from pathlib import Path

import mlpcore
from mlpcore import catalogue
from mlpcore.diagnosis import EQUATIONS, MISTAKES
from mlpcore.diagnosis.others import OTHERS

DOCS = Path(__file__).parent
BEGIN, END = "<!-- The table is made by `make docs-tables`. -->\n\n", "\n<!-- The end of the table. -->\n"
LAYERS = {
    "Dense": lambda: mlpcore.Dense(2),
    "BatchNorm": mlpcore.BatchNorm,
    "LayerNorm": mlpcore.LayerNorm,
    "RMSNorm": mlpcore.RMSNorm,
    "Scale": mlpcore.Scale,
    "PReLU": mlpcore.PReLU,
    "Residual": lambda: mlpcore.Residual([mlpcore.Dense(3)]),
    "Embedding": lambda: mlpcore.Embedding({1: (3, 2)}),
    "Dropout": mlpcore.Dropout,
    "AlphaDropout": mlpcore.AlphaDropout,
    "GaussianNoise": lambda: mlpcore.GaussianNoise(0.1),
}


def operators(layer: mlpcore.Layer, dtype: str) -> str:
    """Return the operators that a layer becomes."""
    made = mlpcore.to_onnx(mlpcore.Sequential([layer], input_size=3, dtype=dtype, seed=1))
    names = [node.op_type for node in made.graph.node]
    return "none" if names == ["Identity"] else ", ".join(names)


def operators_table() -> str:
    """Return a row for each layer and each activation."""
    lines = ["| layer or activation | float32 | float64 |", "|---|---|---|"]
    for name, make in LAYERS.items():
        lines.append(f"| `{name}` | {operators(make(), 'float32')} | {operators(make(), 'float64')} |")
    for name in catalogue.names("activations"):
        single, double = (operators(mlpcore.Activation(name), dtype) for dtype in ("float32", "float64"))
        lines.append(f"| `{name}` | {single} | {double} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Return a text as a cell of a table."""
    return text.replace("|", "\\|")


def mistakes_table() -> str:
    """Return the rows of all mistakes that have a formula, and of what is seen without one."""
    lines = ["| name | what is wrong | where, and what stands there |", "|---|---|---|"]
    equations = EQUATIONS | OTHERS
    for row in MISTAKES.values():
        forms = "; ".join(
            f"{equations[name].quantity} ({equations[name].number}): `{'`, `'.join(form.symbols for form in wrong)}`"
            for name, wrong in row.wrong.items()
        )
        lines.append(f"| `{row.name}` | {cell(row.what)} | {cell(forms) or 'any answer'} |")
    return "\n".join(lines) + "\n"


TABLES = {"interop.md": operators_table, "diagnose.md": mistakes_table}
"""What the table of each page is made by."""


def page(name: str) -> str:
    """Return a page with its table as it is to be."""
    text = (DOCS / name).read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + TABLES[name]() + END + after


if __name__ == "__main__":
    for each in TABLES:
        (DOCS / each).write_text(page(each), encoding="utf-8")
