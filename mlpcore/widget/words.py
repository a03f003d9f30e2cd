"""What the front end of the playground knows about names: rows of the catalogue and of the state, as plain data."""

from __future__ import annotations

from typing import Any

from mlpcore import catalogue
from mlpcore.initializers import default_of
from mlpcore.widget import points, state

GRID, SPREAD = 60, 20
"""Points along a side of the picture of the output, and of the small ones of the units."""


def words() -> dict[str, Any]:
    """Return all of it, ready for JSON.

    Returns
    -------
    dict
        fields, defaults: how a state is read, and the text of the default one. outputs: output activation and loss by
        name. activations, losses, optimizers, initializers: by name, with the place in the catalogue, and formulas.
    """
    return {
        "fields": state.FIELDS,
        "defaults": str(state.DEFAULTS),
        "outputs": {name: list(pair) for name, pair in state.OUTPUTS.items()},
        "activations": {name: row | {"initializer": default_of(name)} for name, row in _rows("activations").items()},
        "losses": _rows("losses"),
        "optimizers": _rows("optimizers"),
        "initializers": _rows("initializers"),
        "lowest": state.LOWEST,
        "limit": points.LIMIT,
        "grid": GRID,
        "spread": SPREAD,
    }


def _rows(family: str) -> dict[str, dict[str, Any]]:
    return {
        name: {"id": i, "formula": row.formula, "derivative": row.derivative, "row": "per_row" in row.traits}
        for i, (name, row) in enumerate(catalogue.FAMILIES[family].items())
    }
