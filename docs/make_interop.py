"""Writes the table of operators in docs/interop.md, from the files that `to_onnx` makes: `make docs-tables`."""

from pathlib import Path

import mlpcore
from mlpcore import catalogue

PAGE = Path(__file__).with_name("interop.md")
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


def table() -> str:
    """Return a row for each layer and each activation."""
    lines = ["| layer or activation | float32 | float64 |", "|---|---|---|"]
    for name, make in LAYERS.items():
        lines.append(f"| `{name}` | {operators(make(), 'float32')} | {operators(make(), 'float64')} |")
    for name in catalogue.names("activations"):
        single, double = (operators(mlpcore.Activation(name), dtype) for dtype in ("float32", "float64"))
        lines.append(f"| `{name}` | {single} | {double} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with its table as it is to be."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
