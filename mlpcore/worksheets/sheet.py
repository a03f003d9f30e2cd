"""`worksheet`: a network small enough to be worked out by hand, with tasks and exact answers."""

from __future__ import annotations  # so that signatures show names

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue, checks
from mlpcore.layers import Dense
from mlpcore.model import Sequential
from mlpcore.typeset import Equation, Numbers, Style, Symbol
from mlpcore.worksheets.draw import Solved, solved_sheet
from mlpcore.worksheets.exact import UNITS, LogSum
from mlpcore.worksheets.page import LayerRow, Page
from mlpcore.worksheets.tasks import PARTS, Part, given_answers, node_of, tasks_of

OUTPUTS = {"mse": "linear", "bce": "sigmoid", "cce": "softmax"}
"""The activation of the last layer for each loss."""

NUMBERS = ("integers", "fractions")
_MOST_UNITS = 4
_MOST_LAYERS = 3


@dataclass(frozen=True)
class Worksheet(Page):
    """A sheet, which shows itself in a notebook; made by `mlpcore.worksheet`.

    Attributes
    ----------
    key : Page
        The same with answers; it has `to_markdown` and `to_latex` too.
    answers : dict
        The exact answers by name and layer: ``answers["phi", 1]`` is a tuple of `fractions.Fraction`. Names are "z",
        "a", "phi", "grad_w", "grad_b", after the step "new_w" and "new_b", and of the last layer "grad_a" and "dsigma";
        ``answers["loss", None]`` and ``answers["new_loss", None]``. A number with a logarithm has the attributes
        `rational` and `argument`: it is rational + ln(argument). The loss after the step is a float where it is
        no fraction.
    x : ndarray of shape (1, in)
    y : ndarray of shape (1, out)
        The sample, for `Sequential.forward` and `Sequential.backward`.
    loss : str
    learning_rate : float
    seed : int
    """

    key: Page
    answers: dict[tuple[str, int | None], Any]
    x: NDArray[Any]
    y: NDArray[Any]
    loss: str
    learning_rate: float
    seed: int
    _layers: tuple[tuple[Any, Any, str], ...]

    def model(self) -> Sequential:
        """Return the network of the sheet in float64, with its numbers, to check answers with.

        Returns
        -------
        Sequential

        Examples
        --------
        >>> import mlpcore
        >>> sheet = mlpcore.worksheet(seed=1)
        >>> model = sheet.model()
        >>> a = model.forward(sheet.x)
        >>> loss = model.backward(sheet.y, sheet.loss)
        >>> [float(number) for number in sheet.answers["phi", 1]] == model.layers[0].phi[0].tolist()
        True
        """
        dense = [Dense(len(b), activation) for _, b, activation in self._layers]
        model = Sequential(dense, input_size=self.x.shape[1], dtype="float64", seed=0)
        for layer, (w, b, _) in zip(dense, self._layers, strict=True):
            layer.w, layer.b = _floats(w), _floats(b)
        return model

    def __repr__(self) -> str:
        return f"<{self.title}>"


def worksheet(
    layers: Sequence[SupportsIndex] = (2, 2, 1),
    *,
    seed: SupportsIndex,
    activation: str = "relu",
    loss: str = "mse",
    numbers: str = "integers",
    ask: Iterable[Part] = PARTS,
    notation: str = "paper",
) -> Worksheet:
    """Make a sheet on which a small network is worked out by hand, and its key with exact answers.

    The weights are small, and no number of the sheet or its key has a numerator or denominator of more than three
    digits. Nothing is pointless: of every layer's ReLUs some are on, no phi is all zeros, the step lowers the loss.

    Parameters
    ----------
    layers : sequence of int, default (2, 2, 1)
        How many inputs, units of each hidden layer, and outputs: 2 to 4 numbers from 1 to 4.
    seed : int
        Which sheet: each seed gives another one, the same on every machine.
    activation : str, default "relu"
        Of the hidden layers: "linear", "relu", "relu6", "hard_tanh", "hard_sigmoid", "sigmoid" or "tanh". The last two
        take logarithms to fractions: sigmoid(ln 3) = 3/4. So b is chosen such that every z is a logarithm.
    loss : {"mse", "bce", "cce"}, default "mse"
        The last layer is "linear", "sigmoid" or "softmax" accordingly.
    numbers : {"integers", "fractions"}, default "integers"
        What weights and biases are, apart from logarithms: fractions have denominators up to 4.
    ask : iterable, default ("forward", "loss", 1, 2, 3, 4, "step")
        The tasks; a number is an equation of the paper. What they need and the sheet does not ask for is given, so
        that ``ask=[2]`` makes a sheet on equation 2 alone. With "step", 1 or 2 ask for 3 and 4 too.
    notation : {"paper", "delta", "dz"}, default "paper"
        Whose symbols: see `mlpcore.typeset.Style`.

    Returns
    -------
    Worksheet

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these, or no numbers were found that are short enough.

    Examples
    --------
    >>> import mlpcore
    >>> sheet = mlpcore.worksheet(seed=7)
    >>> sheet
    <Worksheet 7: a 2-2-1 network by hand>
    >>> [str(number) for number in sheet.answers["new_b", 1]]
    ['12/5', '-1']
    >>> print(mlpcore.worksheet(seed=7, ask=[4]).key)  # doctest: +ELLIPSIS
    Worksheet 7: a 2-2-1 network by hand: key
    ...
    ∇b¹ L = φ¹
          = [-8]
            [ 0]
    """
    sizes = _checked_sizes(layers)
    number = checks.seed_number(seed)
    _check_name("activation", activation, tuple(UNITS))
    row = catalogue.resolve("losses", "loss", loss)
    _check_name("loss", row.name, tuple(OUTPUTS))
    _check_name("numbers", numbers, NUMBERS)
    style = Style(notation=notation)
    if row.name == "cce" and sizes[-1] == 1:
        raise ValueError("layers ends with 1 output, expected 2 to 4 for loss 'cce': one for each class")
    asked = _checked_parts(ask, len(sizes) - 1)
    activations = [activation] * (len(sizes) - 2) + [OUTPUTS[row.name]]
    solved = solved_sheet(sizes, activations, row.name, numbers, number)
    if solved is None:
        raise ValueError(
            f"layers is {list(sizes)}, for which seed {number} finds no numbers of at most three digits: "
            "expected fewer layers or units, or another seed"
        )
    return _sheet(solved, row.name, asked, style, number)


def _sheet(solved: Solved, loss: str, asked: tuple[Part, ...], style: Style, seed: int) -> Worksheet:
    sizes = [len(solved.x), *(len(layer.b) for layer in solved.layers)]
    name = f"Worksheet {seed}: a {'-'.join(map(str, sizes))} network by hand"
    tasks = tasks_of(solved, loss, asked)
    rows = tuple(LayerRow(len(layer.b), layer.activation) for layer in solved.layers)
    given = tuple(_given(solved, loss, asked))
    words = tuple(_introduction(solved))
    everything = [answer for task in tasks_of(solved, loss, PARTS) for answer in task.answers]
    return Worksheet(
        title=name,
        words=words,
        layers=rows,
        given=given,
        tasks=tasks,
        is_key=False,
        style=style,
        key=Page(f"{name}: key", (), rows, given, tasks, is_key=True, style=style),
        answers={(answer.name, answer.layer): answer.value for answer in everything},
        x=_floats(solved.x).reshape(1, -1),
        y=_floats(solved.y).reshape(1, -1),
        loss=loss,
        learning_rate=float(solved.learning_rate),
        seed=seed,
        _layers=tuple(solved.layers),
    )


def _introduction(solved: Solved) -> list[str]:
    words = [
        "Work with fractions, not with decimal numbers. "
        "The inputs are the activations of layer 0; y is what the output should be."
    ]
    if any(isinstance(b_i, LogSum) for layer in solved.layers for b_i in layer.b):
        words.append(
            "ln is the natural logarithm, taken of each number by itself. You need no calculator for it: "
            "e to the power of ln r is r."
        )
    return words


def _given(solved: Solved, loss: str, asked: tuple[Part, ...]) -> list[tuple[Equation, ...]]:
    """Return what is given, in lines."""
    sample = [Equation(Symbol("a", 0), Numbers(solved.x)), Equation(Symbol("y"), Numbers(solved.y))]
    if "step" in asked:
        sample.append(Equation(Symbol("eta"), Numbers(solved.learning_rate)))
    lines = [tuple(sample)]
    for j, layer in enumerate(solved.layers, start=1):
        lines.append((Equation(Symbol("w", j), Numbers(layer.w)), Equation(Symbol("b", j), node_of(layer.b))))
    answers = given_answers(solved, loss, asked)
    for name in dict.fromkeys(answer.name for answer in answers):
        lines.append(tuple(answer.given() for answer in answers if answer.name == name))
    return lines


def _checked_sizes(layers: Sequence[SupportsIndex]) -> tuple[int, ...]:
    expected = (
        f"expected 2 to {_MOST_LAYERS + 1} numbers, such as [2, 2, 1]: inputs, units of each hidden layer, outputs"
    )
    if isinstance(layers, str) or not isinstance(layers, Sequence):
        raise TypeError(f"layers is {layers!r}, {expected}")
    if not 2 <= len(layers) <= _MOST_LAYERS + 1:
        raise ValueError(f"layers has {len(layers)} numbers, {expected}")
    return tuple(
        checks.whole_number(f"layers[{i}]", size, at_least=1, at_most=_MOST_UNITS) for i, size in enumerate(layers)
    )


def _checked_parts(ask: Iterable[Part], count: int) -> tuple[Part, ...]:
    known = ", ".join(map(repr, PARTS))
    if isinstance(ask, str) or not isinstance(ask, Iterable):
        raise TypeError(f"ask is {ask!r}, expected a list of some of {known}")
    asked = tuple(ask)
    for part in asked:
        if isinstance(part, bool) or part not in PARTS:
            raise ValueError(f"ask has {part!r}, expected some of {known}")
    if not asked:
        raise ValueError(f"ask is empty, expected some of {known}")
    if set(asked) == {2} and count == 1:
        raise ValueError("ask is [2], expected a network with a hidden layer for equation 2: layers=[2, 2, 1]")
    if "step" in asked and (1 in asked or 2 in asked):  # given gradients would tell the answers to these
        asked += (3, 4)
    return tuple(part for part in PARTS if part in asked)


def _check_name(argument: str, value: object, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{argument} is {value!r}, expected one of {', '.join(map(repr, known))}")


def _floats(numbers: Any) -> NDArray[Any]:  # noqa: ANN401  fractions, or tuples of them
    return np.array([_floats(each) if isinstance(each, tuple) else float(each) for each in numbers])
