"""What a playground is doing as one line of text, such as a page's address can carry: it reproduces every number.

``data=xor&noise=0&layers=8,8&activation=tanh&output=softmax-cce&optimizer=adam&rate=0.03&batch=10&seed=1&steps=100`` is
a network, its data and how it is trained, after 100 batches. All that is left out has its default. Numbers follow from
these and from nothing else: the first weights and each shuffle from the seed, the rest from the engine, whose bits are
the same everywhere. The page's front end reads the same lines, by the rules of `FIELDS`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

from mlpcore import catalogue
from mlpcore.widget import points

MOST_UNITS, MOST_LAYERS, MOST_STEPS, MOST_SEED = 16, 6, 1_000_000, 2**32 - 1
GIVEN = "given"
OUTPUTS = {
    f"{sigma}-{loss}": (sigma, loss)
    for sigma, loss in (("softmax", "cce"), ("sigmoid", "bce"), ("sigmoid", "mse"), ("tanh", "mse"), ("linear", "mse"))
}
"""The output activations with their losses, by the name of both."""
LOWEST = {"tanh": -1.0}
"""What an output is for the first of two classes, where it is not 0."""


def hidden_activations() -> list[str]:
    """Return the names of the activations that a hidden layer can have: those that work element by element."""
    rows = catalogue.FAMILIES["activations"].values()
    return [row.name for row in rows if "per_row" not in row.traits]


@dataclass(frozen=True)
class State:
    """What a playground is doing. Immutable.

    Attributes
    ----------
    data : str
        A name of `points.NAMES`, or "given" for the X and y that a `Playground` was given.
    noise : float
        One of `points.NOISES`.
    layers : tuple of int
        The units of each hidden layer.
    activation : str
        Of all hidden layers.
    output : str
        A name of `OUTPUTS`: output activation and loss.
    start : {"seed", "given"}
        Where the first weights come from: the seed, or the model that a `Playground` was given.
    optimizer : str
        A name of the catalogue's optimizers; all hyperparameters but the learning rate have their defaults.
    rate : tuple of (int, float)
        The learning rate from so many steps on, in ascending order, the first from step 0.
    batch : int
        Samples of a batch.
    seed : int
    steps : int
        How many batches were trained on.
    equation : int
        How many equations of the next batch have been shown.
    """

    data: str = "xor"
    noise: float = 0.0
    layers: tuple[int, ...] = (4, 4)
    activation: str = "tanh"
    output: str = "softmax-cce"
    start: str = "seed"
    optimizer: str = "adam"
    rate: tuple[tuple[int, float], ...] = ((0, 0.03),)
    batch: int = 10
    seed: int = 1
    steps: int = 0
    equation: int = 0

    def __str__(self) -> str:
        return "&".join(f"{name}={_text_of(value)}" for name, value in asdict(self).items())

    def rate_at(self, step: int) -> float:
        """Return the learning rate of the batch after so many."""
        return next(rate for begin, rate in reversed(self.rate) if begin <= step)


FIELDS: list[dict[str, Any]] = [
    {"name": "data", "kind": "choice", "choices": [*points.NAMES, GIVEN]},
    {"name": "noise", "kind": "number", "choices": list(points.NOISES)},
    {"name": "layers", "kind": "integers", "least": 1, "most": MOST_UNITS, "longest": MOST_LAYERS},
    {"name": "activation", "kind": "choice", "choices": hidden_activations()},
    {"name": "output", "kind": "choice", "choices": list(OUTPUTS)},
    {"name": "start", "kind": "choice", "choices": ["seed", GIVEN]},
    {"name": "optimizer", "kind": "choice", "choices": list(catalogue.names("optimizers"))},
    {"name": "rate", "kind": "rates", "least": 1e-6, "most": 100},
    {"name": "batch", "kind": "integer", "least": 1, "most": points.COUNT},
    {"name": "seed", "kind": "integer", "least": 0, "most": MOST_SEED},
    {"name": "steps", "kind": "integer", "least": 0, "most": MOST_STEPS},
    {"name": "equation", "kind": "integer", "least": 0, "most": 99},
]
"""How each part is read; the front end gets these rows and their defaults."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?")
_BY_NAME = {field["name"]: field for field in FIELDS}
DEFAULTS = State()


def parse(text: str) -> State:
    """Return the state that a line describes.

    Parameters
    ----------
    text : str
        As `str` of a `State` gives it, in any order. A "#" or "?" before it is skipped.

    Returns
    -------
    State

    Raises
    ------
    TypeError
        If it is no string.
    ValueError
        If a name is unknown or comes twice, or a value is none that it can have; the message says which and what is
        expected.

    Examples
    --------
    >>> from mlpcore.widget import state
    >>> state.parse("layers=3,2&seed=7").layers
    (3, 2)
    >>> str(state.parse("seed=7&noise=0.1"))
    'data=xor&noise=0.1&layers=4,4&activation=tanh&output=softmax-cce&start=seed&optimizer=adam&rate=0.03&batch=10&seed=7&steps=0&equation=0'
    """
    if not isinstance(text, str):
        raise TypeError(f"state is {text!r}, expected a string such as 'data=xor&layers=8,8&seed=1'")
    values: dict[str, Any] = {}
    for name, value in parse_qsl(text.lstrip("#?"), keep_blank_values=True):
        if name not in _BY_NAME:
            raise ValueError(f"state has {name!r}, expected some of {', '.join(_BY_NAME)}")
        if name in values:
            raise ValueError(f"state has {name!r} twice, expected it once")
        values[name] = _value_of(_BY_NAME[name], value)
    return State(**values)


def _text_of(value: object) -> str:
    if isinstance(value, tuple):
        parts = (part if isinstance(part, tuple) else (0, part) for part in value)
        return ",".join(f"{begin}:{_text_of(part)}" if begin else _text_of(part) for begin, part in parts)
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _value_of(field: dict[str, Any], text: str) -> Any:  # noqa: ANN401  of the field's kind
    name, kind = field["name"], field["kind"]
    if kind == "choice":
        return _one_of(name, text, field["choices"])
    if kind == "number":
        return _one_of(name, _number(name, text), field["choices"])
    if kind == "integer":
        return _integer(field, text)
    if kind == "integers":
        parts = [_integer(field, part) for part in text.split(",")] if text else []
        if len(parts) > field["longest"]:
            raise ValueError(f"{name} is {text!r}, expected at most {field['longest']} numbers")
        return tuple(parts)
    return _rates(field, text)


def _one_of(name: str, value: object, choices: list[Any]) -> object:
    """Return a value that is one of `choices`; raise ValueError, which lists them, if it is not."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(str, choices))}")
    return value


def _integer(field: dict[str, Any], text: str) -> int:
    least, most = field["least"], field["most"]
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):
        raise ValueError(f"{field['name']} is {text!r}, expected a whole number from {least} to {most}")
    return int(text)


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{name} is {text!r}, expected a number")
    return float(text)


def _rates(field: dict[str, Any], text: str) -> tuple[tuple[int, float], ...]:
    name, rates = field["name"], []
    for part in text.split(","):
        begin, _, rate = part.rpartition(":")
        rates.append((_integer(_BY_NAME["steps"], begin) if begin else 0, _number(name, rate)))
    begins = [begin for begin, _ in rates]
    if begins != sorted(set(begins)) or begins[0] != 0:
        raise ValueError(f"{name} is {text!r}, expected a number, or several from ascending steps on: 0.1,200:0.01")
    for _, each in rates:
        if not field["least"] <= each <= field["most"]:
            raise ValueError(f"{name} is {text!r}, expected numbers from {field['least']:g} to {field['most']}")
    return tuple(rates)
