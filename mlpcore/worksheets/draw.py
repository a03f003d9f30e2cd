"""The choice of a worksheet's numbers: small ones, short results, and nothing that would make a task pointless.

Numbers are drawn until all that is worked out from them is short and tells something; the same seed always draws the
same. What that means stands in `is_short` and `_tells_something`.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from mlpcore.worksheets.exact import (
    UNITS,
    Backward,
    ExactLayer,
    Forward,
    LogSum,
    Matrix,
    Number,
    Numbers,
    Vector,
    backward,
    forward,
    forward_where_exact,
    log_of,
    loss_after,
    loss_of,
    step,
)

LARGEST = 999
"""The largest numerator and denominator of the numbers of a sheet and its key: three digits."""

RATES = tuple(Fraction(1, k) for k in (2, 4, 5, 10, 20, 50, 100))
"""The learning rates, of which the largest is taken that lowers the loss and leaves short numbers."""

_ATTEMPTS = 2000
_SHALLOW = 3  # sizes: with more, weights are smaller
_LOGARITHMS = tuple(Fraction(*r) for r in ((2, 1), (3, 1), (4, 1), (1, 2), (1, 3), (1, 4)))
_LOGARITHMS_OF_TANH = tuple(Fraction(*r) for r in ((2, 1), (3, 1), (1, 2), (1, 3)))
_DENOMINATORS = {"integers": (1,), "fractions": (1, 2, 2, 3, 4)}


@dataclass(frozen=True)
class Solved:
    """A network, a sample, and everything that is worked out from them.

    Attributes
    ----------
    x, y : tuple of Fraction
    layers : list of ExactLayer
    forward : list of Forward
    backward : list of Backward
    loss : Number
    learning_rate : Fraction
    after : list of ExactLayer
        The layers after the step.
    """

    x: Vector
    y: Vector
    layers: list[ExactLayer]
    forward: list[Forward]
    backward: list[Backward]
    loss: Number
    learning_rate: Fraction
    after: list[ExactLayer]


def solved_sheet(sizes: Sequence[int], activations: Sequence[str], loss: str, numbers: str, seed: int) -> Solved | None:
    """Return numbers for a network of these sizes, or None if none were found that are short enough."""
    drawing = _Drawing(seed, numbers, deep=len(sizes) > _SHALLOW)
    for _ in range(_ATTEMPTS):
        found = _attempt(drawing, sizes, activations, loss)
        if found is not None:
            return found
    return None


class _Drawing:
    """Random numbers of a seed: made from `random.Random.random`, whose sequence all versions of Python share."""

    def __init__(self, seed: int, numbers: str, *, deep: bool) -> None:
        self._random = random.Random(seed).random
        self._sizes = (1, 1, 1, 1, 2) if deep else (1, 1, 1, 2, 2, 3)
        self._denominators = _DENOMINATORS[numbers]

    def one_of(self, options: Sequence[Fraction | int]) -> Fraction:
        return Fraction(options[int(self._random() * len(options))])

    def weight(self) -> Fraction:
        return self.one_of(self._sizes) * self.one_of((1, -1)) / self.one_of(self._denominators)

    def bias(self) -> Fraction:
        return self.one_of((-2, -1, -1, 0, 1, 1, 2)) / self.one_of(self._denominators)

    def x(self) -> Fraction:
        return self.one_of(self._sizes) * self.one_of((1, 1, -1))


def _attempt(drawing: _Drawing, sizes: Sequence[int], activations: Sequence[str], loss: str) -> Solved | None:
    x = tuple(drawing.x() for _ in range(sizes[0]))
    layers: list[ExactLayer] = []
    passed: list[Forward] = []
    for inputs, units, activation in zip(sizes, sizes[1:], activations, strict=False):
        w = tuple(tuple(drawing.weight() for _ in range(inputs)) for _ in range(units))
        layer = ExactLayer(w, _biases(drawing, activation, w, passed[-1].a if passed else x), activation)
        here = forward([layer], passed[-1].a if passed else x)
        layers.append(layer)
        passed.extend(here)
        if not _all_short(chain(layer.b, here[0].z, here[0].a)) or not _is_alive(layer, here[0]):
            return None
    y = _target(drawing, loss, activations[-1], passed[-1].a)
    back = backward(layers, passed, y, loss)
    numbers = chain(y, *(chain(g.grad_a, _flat(g.dsigma), g.phi, _flat(g.grad_w)) for g in back))
    if not _all_short(numbers) or not _tells_something(back):
        return None
    before = loss_of(loss, passed[-1].a, y)
    if not is_short(before):
        return None
    steepness = sum(float(g) ** 2 for each in back for g in chain(each.grad_b, _flat(each.grad_w)))
    for rate in RATES:
        if float(rate) * steepness >= 4 * float(before):  # it would step over the minimum of a parabola, and up again
            continue
        after = step(layers, back, rate)
        if not _all_short(chain.from_iterable(chain(layer.b, _flat(layer.w)) for layer in after)):
            continue
        if _all_short(iter(forward_where_exact(after, x))) and float(loss_after(after, x, y, loss)) < float(before):
            return Solved(x, y, layers, passed, back, before, rate, after)
    return None


def _biases(drawing: _Drawing, activation: str, w: Matrix, x: Vector) -> Numbers:
    """Return b; for activations of logarithms the b with which z is the logarithm of a fraction."""
    if activation != "softmax" and not UNITS[activation].of_logarithm:
        return tuple(drawing.bias() for _ in w)
    options = _LOGARITHMS_OF_TANH if activation == "tanh" else _LOGARITHMS
    return tuple(
        log_of(drawing.one_of(options), -sum((w_k * x_k for w_k, x_k in zip(row, x, strict=True)), Fraction(0)))
        for row in w
    )


def _target(drawing: _Drawing, loss: str, activation: str, a: Vector) -> Vector:
    """Return y: for "mse" and outputs without bounds near a, so that a - y is short; otherwise a 0 or 1."""
    if loss == "cce":
        right = int(drawing.one_of(range(len(a))))
        return tuple(Fraction(k == right) for k in range(len(a)))
    if loss == "bce" or activation in ("sigmoid", "hard_sigmoid", "softmax"):
        return tuple(drawing.one_of((0, 1)) for _ in a)
    if activation in ("tanh", "hard_tanh", "softsign"):
        return tuple(drawing.one_of((-1, 1)) for _ in a)
    unit = Fraction(1) if len(a) < 3 else Fraction(len(a), 2)
    return tuple(a_k - unit * drawing.one_of((-2, -1, -1, 1, 1, 2)) for a_k in a)


def is_short(number: Number) -> bool:
    """Tell whether numerators and denominators, those of a logarithm's argument too, are at most `LARGEST`."""
    if isinstance(number, LogSum):
        return is_short(number.rational) and is_short(number.argument)
    return abs(number.numerator) <= LARGEST and number.denominator <= LARGEST


def _all_short(numbers: Iterator[Number]) -> bool:
    return all(is_short(number) for number in numbers)


def _is_alive(layer: ExactLayer, here: Forward) -> bool:
    """Tell whether no z lies on a kink, a is not all zeros, and no two units have the same weights."""
    kinks = () if layer.activation == "softmax" else UNITS[layer.activation].kinks
    return not any(z in kinks for z in here.z) and any(here.a) and len(set(layer.w)) == len(layer.w)


def _tells_something(back: Sequence[Backward]) -> bool:
    """Tell whether phi^J has no zeros, and neither has (w^(j+1))^T phi^(j+1), and each phi^j something but zeros.

    Of several units with sigma' = 0, such as ReLUs with z < 0, some are on in each layer.
    """
    return all(back[-1].phi) and all(all(g.grad_a) and any(g.phi) for g in back[:-1])


def _flat(rows: Vector | Matrix) -> Iterator[Fraction]:
    for row in rows:
        if isinstance(row, tuple):
            yield from row
        else:
            yield row
