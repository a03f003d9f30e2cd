"""What a notebook shows of a model, a layer and a history: tables of what they hold."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue, html, summary
from mlpcore.layers import Activation, Dense, Layer

if TYPE_CHECKING:
    from mlpcore.history import History
    from mlpcore.stack import Stack

MOST_EPOCHS = 12  # that a table shows: of more, the first and the last
_AT_EACH_END = 5
_ORDER = ("x", "", "z", "a", "phi", "grad")  # of a layer's arrays; "" are the parameters


def model(shown: "Stack") -> str:
    """Return a model as a table of its layers.

    Parameters
    ----------
    shown : Sequential

    Returns
    -------
    str
    """
    width = "not known yet" if shown.input_size is None else f"{shown.input_size:,}"
    epochs = shown.epochs_trained
    head = f"{type(shown).__name__}: inputs {width}, {shown.dtype}, seed {shown.seed}, epochs trained {epochs:,}"
    return html.block(html.line(head, strong=True), layers_table(summary.summary(shown)))


def layers_table(shown: "summary.Summary") -> str:
    """Return the summary of a model as a table.

    Parameters
    ----------
    shown : Summary

    Returns
    -------
    str
    """
    return html.table(summary.HEAD, shown.rows, foot=shown.last, numbers=(len(summary.HEAD) - 1,))


def layer(shown: Layer) -> str:
    """Return a layer as its formula and a table of the arrays that it has by now.

    Parameters
    ----------
    shown : Layer

    Returns
    -------
    str
    """
    parts = [html.line(shown._expression(), strong=True)]
    sigma = shown.activation if isinstance(shown, Dense | Activation) else None
    if isinstance(sigma, str | tuple):
        row = catalogue.entry("activations", sigma)
        derivative = "" if row.derivative is None else f"\N{EN SPACE}\N{EN SPACE}σ' = {row.derivative}"
        parts.append(html.line(f"σ(z) = {row.formula}{derivative}"))
    rows = [(name, *_described(array), what) for name, what, array in _arrays(shown)]
    if rows:
        head = ("array", "shape", "min", "mean", "max", "what it is")
        parts.append(html.table(head, rows, numbers=(1, 2, 3, 4)))
    else:
        parts.append(html.line("no arrays yet: they come with the first data, or with input_size="))
    return html.block(*parts)


def history(shown: "History") -> str:
    """Return a history as a table with a row for each epoch, or for the first and the last of many.

    Parameters
    ----------
    shown : History

    Returns
    -------
    str
    """
    values: Mapping[str, list[float]] = dict(shown)
    epochs = max(map(len, values.values()), default=0)
    names = [name for name, column in values.items() if len(column) == epochs]
    which: list[int | None] = list(range(epochs))
    if epochs > MOST_EPOCHS:
        which[_AT_EACH_END : epochs - _AT_EACH_END] = [None]
    rows = [
        ("⋮",) * (len(names) + 1) if epoch is None else (epoch, *(_short(values[name][epoch]) for name in names))
        for epoch in which
    ]
    counted = f"History of {epochs:,} epoch{'' if epochs == 1 else 's'}{', counted from 0' if epochs else ''}"
    rules = [html.line(f"{name}: {rule}") for name, rule in shown.rules.items() if name in values]
    numbers = range(len(names) + 1)
    table = [html.table(("epoch", *names), rows, numbers=numbers)] if epochs else []
    return html.block(html.line(counted, strong=True), *table, *rules)


def _arrays(shown: Layer) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """Yield name, description and values of every array that a layer shows, the input first, the gradients last."""
    found: dict[str, tuple[str, NDArray[Any]]] = {}
    for name, described in _properties(type(shown)).items():
        try:
            value = described.__get__(shown)
        except RuntimeError:  # not there before the first forward, or backward
            continue
        named = value if isinstance(value, dict) else {"": value}
        for key, array in named.items():
            if isinstance(array, np.ndarray):
                what = (described.__doc__ or "").split("\n")[0].split(". ")[0].rstrip(".")
                found[f"{name}[{key!r}]" if key else name] = what, array
    for name in sorted(found, key=_place):
        yield (name, *found[name])


def _properties(kind: type) -> dict[str, property]:
    """Return the public properties that classes of mlpcore itself give a class of layers."""
    own = [base for base in reversed(kind.__mro__) if base.__module__.partition(".")[0] == "mlpcore"]
    named = {name: value for base in own for name, value in vars(base).items() if isinstance(value, property)}
    return {name: value for name, value in named.items() if not name.startswith("_")}


def _place(name: str) -> int:
    """Return where an array stands among those of its layer."""
    first = name.partition("_")[0].partition("[")[0]
    return _ORDER.index("grad" if first == "grads" else first if first in _ORDER else "")


def _described(array: NDArray[Any]) -> tuple[str, str, str, str]:
    """Return the shape of an array, and its smallest, mean and largest value."""
    shape = " × ".join(map(str, array.shape))
    if not array.size:
        return shape, "", "", ""
    with np.errstate(all="ignore"):
        numbers = float(array.min()), float(array.mean(dtype=np.float64)), float(array.max())
    return (shape, *map(_short, numbers))  # type: ignore[return-value]  # three numbers


def _short(value: float) -> str:
    return f"{value:#.4g}" if math.isfinite(value) else str(value)
