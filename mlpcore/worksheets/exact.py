"""A network in exact numbers: forward, backward and a step of gradient descent with fractions instead of floats.

The numbers are `fractions.Fraction`. Sigmoid, tanh and softmax take most fractions to irrational numbers, but the
logarithm of a fraction to a fraction: sigmoid(ln 3) = 3/4. So b and z may also be a fraction plus a logarithm, a
`LogSum`, and so is the loss that belongs to these activations.

Formulas are the engine's; ``tests/test_exact.py`` compares each function here with it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeAlias

Vector: TypeAlias = tuple[Fraction, ...]
Matrix: TypeAlias = tuple[Vector, ...]


@dataclass(frozen=True)
class LogSum:
    """The number rational + ln(argument).

    Attributes
    ----------
    rational : Fraction
    argument : Fraction
        > 0, and not 1: a number without logarithm is a Fraction.
    """

    rational: Fraction
    argument: Fraction

    def __float__(self) -> float:
        return float(self.rational) + math.log(self.argument)


Number: TypeAlias = Fraction | LogSum
Numbers: TypeAlias = tuple[Number, ...]


def plus(number: Number, fraction: Fraction) -> Number:
    """Return number + fraction."""
    if isinstance(number, LogSum):
        return LogSum(number.rational + fraction, number.argument)
    return number + fraction


def log_of(argument: Fraction, rational: Fraction = Fraction(0)) -> Number:
    """Return rational + ln(argument), a Fraction where the logarithm is 0."""
    return rational if argument == 1 else LogSum(rational, argument)


class NotExactError(ArithmeticError):
    """What an activation makes of a number is no fraction."""


def _exponential(z: Number) -> Fraction:
    """Return e^z of a logarithm."""
    if isinstance(z, LogSum) and z.rational == 0:
        return z.argument
    if z == 0:
        return Fraction(1)
    raise NotExactError(f"e^z is no fraction for z = {z}")


def _fraction(z: Number) -> Fraction:
    if isinstance(z, Fraction):
        return z
    raise NotExactError(f"{z} is no fraction")


class ExactUnit(NamedTuple):
    """An activation that works element by element.

    Attributes
    ----------
    forward : callable
        a of z.
    derivative : callable
        sigma'(z) of z.
    kinks : tuple of Fraction
        Where sigma has no derivative.
    of_logarithm : bool
        Whether z has to be the logarithm of a fraction.
    """

    forward: Callable[[Number], Fraction]
    derivative: Callable[[Number], Fraction]
    kinks: tuple[int, ...] = ()
    of_logarithm: bool = False


def _between(low: int, high: int | None, inside: Callable[[Fraction], Fraction]) -> Callable[[Number], Fraction]:
    """Return the derivative that is 0 outside of low < z < high."""
    return lambda z: (
        inside(_fraction(z)) if low < _fraction(z) and (high is None or _fraction(z) < high) else Fraction(0)
    )


def _one(_: Fraction) -> Fraction:
    return Fraction(1)


def _share(z: Number) -> Fraction:
    """Return min(max(0, z / 6 + 1/2), 1)."""
    return min(max(Fraction(0), _fraction(z) / 6 + Fraction(1, 2)), Fraction(1))


def _sigmoid(z: Number) -> Fraction:
    e = _exponential(z)
    return e / (1 + e)


def _tanh(z: Number) -> Fraction:
    e = _exponential(z) ** 2
    return (e - 1) / (e + 1)


UNITS: dict[str, ExactUnit] = {
    "linear": ExactUnit(_fraction, lambda z: Fraction(1)),
    "relu": ExactUnit(lambda z: max(Fraction(0), _fraction(z)), _between(0, None, _one), (0,)),
    "relu6": ExactUnit(lambda z: min(max(Fraction(0), _fraction(z)), Fraction(6)), _between(0, 6, _one), (0, 6)),
    "hard_tanh": ExactUnit(lambda z: min(max(Fraction(-1), _fraction(z)), Fraction(1)), _between(-1, 1, _one), (-1, 1)),
    "hard_sigmoid": ExactUnit(_share, _between(-3, 3, lambda z: Fraction(1, 6)), (-3, 3)),
    "sigmoid": ExactUnit(_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z)), of_logarithm=True),
    "tanh": ExactUnit(_tanh, lambda z: 1 - _tanh(z) ** 2, of_logarithm=True),
}
"""The activations of the catalogue that fractions, or logarithms of fractions, go through."""


def activate(name: str, z: Numbers) -> Vector:
    """Return a = sigma(z) of an activation of `UNITS`, or of softmax."""
    if name == "softmax":
        e = [_exponential(number) for number in z]
        return tuple(each / sum(e) for each in e)
    return tuple(UNITS[name].forward(number) for number in z)


def derivative(name: str, z: Numbers) -> Vector | Matrix:
    """Return sigma'(z); of softmax the Jacobian, row i of which is the gradient of a_i with respect to z."""
    if name == "softmax":
        a = activate(name, z)
        return tuple(tuple(a_i * ((i == k) - a_k) for k, a_k in enumerate(a)) for i, a_i in enumerate(a))
    return tuple(UNITS[name].derivative(number) for number in z)


def loss_of(name: str, a: Vector, y: Vector) -> Number:
    """Return the loss of one sample: "mse", "bce" or "cce", the y of the last two being 0 or 1."""
    if name == "mse":
        return sum(((a_k - y_k) ** 2 for a_k, y_k in zip(a, y, strict=True)), Fraction(0)) / len(a)
    if name == "bce":
        return log_of(
            1 / math.prod((a_k if y_k else 1 - a_k for a_k, y_k in zip(a, y, strict=True)), start=Fraction(1))
        )
    return log_of(1 / math.prod((a_k for a_k, y_k in zip(a, y, strict=True) if y_k), start=Fraction(1)))


def loss_gradient(name: str, a: Vector, y: Vector) -> Vector:
    """Return the gradient of the loss with respect to a."""
    if name == "mse":
        return tuple(2 * (a_k - y_k) / len(a) for a_k, y_k in zip(a, y, strict=True))
    if name == "bce":
        return tuple(-y_k / a_k + (1 - y_k) / (1 - a_k) for a_k, y_k in zip(a, y, strict=True))
    return tuple(-y_k / a_k for a_k, y_k in zip(a, y, strict=True))


class ExactLayer(NamedTuple):
    """A dense layer: w (out, in), b (out,), and the name of its activation."""

    w: Matrix
    b: Numbers
    activation: str


class Forward(NamedTuple):
    """What a layer computes forward: x (in,), z (out,), a (out,)."""

    x: Vector
    z: Numbers
    a: Vector


class Backward(NamedTuple):
    """What a layer computes backward: the factors of phi, phi (out,), grad_w (out, in), grad_b (out,)."""

    grad_a: Vector
    dsigma: Vector | Matrix
    phi: Vector
    grad_w: Matrix
    grad_b: Vector


def forward(layers: Sequence[ExactLayer], x: Vector) -> list[Forward]:
    """Compute z = w x + b and a = sigma(z) of every layer, from the first to the last."""
    passed: list[Forward] = []
    for w, b, activation in layers:
        z = tuple(plus(b_i, _dot(row, x)) for row, b_i in zip(w, b, strict=True))
        passed.append(Forward(x, z, activate(activation, z)))
        x = passed[-1].a
    return passed


def backward(layers: Sequence[ExactLayer], passed: Sequence[Forward], y: Vector, loss: str) -> list[Backward]:
    """Compute equations 1 to 4 of every layer; the list too runs from the first layer to the last."""
    grad_a = loss_gradient(loss, passed[-1].a, y)
    back: list[Backward] = []
    for layer, (x, z, _) in zip(reversed(layers), reversed(passed), strict=True):
        dsigma = derivative(layer.activation, z)
        if layer.activation == "softmax":
            phi = _back_through(dsigma, grad_a)  # type: ignore[arg-type]  # the Jacobian
        else:
            phi = tuple(g * d for g, d in zip(grad_a, dsigma, strict=True))  # type: ignore[operator]  # a vector
        back.append(Backward(grad_a, dsigma, phi, tuple(tuple(p * x_k for x_k in x) for p in phi), phi))
        grad_a = _back_through(layer.w, phi)
    return back[::-1]


def step(layers: Sequence[ExactLayer], back: Sequence[Backward], learning_rate: Fraction) -> list[ExactLayer]:
    """Return the layers after w - learning_rate grad_w and b - learning_rate grad_b."""
    return [
        layer._replace(
            w=tuple(
                tuple(w_ik - learning_rate * g_ik for w_ik, g_ik in zip(row, grads, strict=True))
                for row, grads in zip(layer.w, grad.grad_w, strict=True)
            ),
            b=tuple(plus(b_i, -learning_rate * g_i) for b_i, g_i in zip(layer.b, grad.grad_b, strict=True)),
        )
        for layer, grad in zip(layers, back, strict=True)
    ]


def forward_where_exact(layers: Sequence[ExactLayer], x: Vector) -> list[Number]:
    """Return every z and a from the first layer on, up to the first that takes more than fractions and a logarithm."""
    numbers: list[Number] = []
    for layer in layers:
        numbers.extend(plus(b_i, _dot(row, x)) for row, b_i in zip(layer.w, layer.b, strict=True))
        try:
            x = forward([layer], x)[0].a
        except NotExactError:
            break
        numbers.extend(x)
    return numbers


def loss_after(layers: Sequence[ExactLayer], x: Vector, y: Vector, loss: str) -> Fraction | float:
    """Return the loss of one sample: a fraction if it is one, otherwise a float, infinity where that is too coarse."""
    try:
        exact = loss_of(loss, forward(layers, x)[-1].a, y)
    except NotExactError:
        try:
            return _loss_in_floats(layers, x, y, loss)
        except (OverflowError, ZeroDivisionError):
            return math.inf
    return exact if isinstance(exact, Fraction) else float(exact)


def _loss_in_floats(layers: Sequence[ExactLayer], x: Vector, y: Vector, loss: str) -> float:
    a = [float(x_k) for x_k in x]
    for w, b, activation in layers:
        products = [math.fsum(float(w_k) * a_k for w_k, a_k in zip(row, a, strict=True)) for row in w]
        z = [product + float(b_i) for product, b_i in zip(products, b, strict=True)]
        if activation == "softmax":
            total = math.fsum(math.exp(z_k) for z_k in z)
            a = [math.exp(z_k) / total for z_k in z]
        elif activation == "sigmoid":
            a = [1 / (1 + math.exp(-z_k)) for z_k in z]
        elif activation == "tanh":
            a = [math.tanh(z_k) for z_k in z]
        else:
            a = [float(UNITS[activation].forward(Fraction(z_k))) for z_k in z]
    return float(loss_of(loss, tuple(Fraction(a_k) for a_k in a), y))


def _dot(row: Vector, x: Vector) -> Fraction:
    return sum((w_k * x_k for w_k, x_k in zip(row, x, strict=True)), Fraction(0))


def _back_through(w: Matrix, phi: Vector) -> Vector:
    """Return w^T phi."""
    return tuple(_dot(column, phi) for column in zip(*w, strict=True))
