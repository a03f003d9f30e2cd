"""The tasks of a worksheet as data: words, and equations whose last side is the answer."""

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from mlpcore import catalogue
from mlpcore.typeset import (
    Call,
    Difference,
    Equation,
    Hadamard,
    Node,
    Numbers,
    Product,
    Sum,
    Symbol,
    Transposed,
    Words,
)
from mlpcore.worksheets import exact
from mlpcore.worksheets.draw import Solved, is_short

Part: TypeAlias = str | int

PARTS: tuple[Part, ...] = ("forward", "loss", 1, 2, 3, 4, "step")
"""What a sheet can ask for, in the order of work: numbers are equations of the paper."""

_NEEDS: dict[Part, tuple[Part, ...]] = {
    "forward": (),
    "loss": ("forward",),
    1: ("forward",),
    2: ("forward", 1),
    3: ("forward", 1, 2),
    4: (1, 2),
    "step": (3, 4),
}
_TITLES: dict[Part, str] = {
    "forward": "Forward: the weighted inputs and the activations of each layer",
    "loss": "The loss of this sample",
    1: "Equation 1: from the loss to the last layer",
    2: "Equation 2: from a layer to the one below",
    3: "Equation 3: the gradient of the loss with respect to the weights",
    4: "Equation 4: the gradient of the loss with respect to the biases",
    "step": "One step of gradient descent",
}


class Answer(NamedTuple):
    """A quantity that is asked for.

    Attributes
    ----------
    name : str
        As in the code: "z", "a", "phi", "grad_w", "loss", ...; after the step "new_w", "new_b" and "new_loss".
    layer : int or None
        From 1; None for the loss.
    value : Fraction, float, LogSum, or tuples of them
    symbols : tuple of Node
        What it is called, and how it is worked out.
    numbers : Node or None
        The latter with this network's numbers.
    """

    name: str
    layer: int | None
    value: object
    symbols: tuple[Node, ...]
    numbers: Node | None = None

    def asked(self) -> Equation:
        """Return the equation with a question mark for the answer."""
        return Equation(*self.symbols, Words("?"))

    def answered(self) -> Equation:
        """Return the equation with numbers and the answer."""
        return Equation(*self.symbols, *([] if self.numbers is None else [self.numbers]), node_of(self._shown()))

    def given(self) -> Equation:
        """Return what it is called and its value."""
        return Equation(self.symbols[0], node_of(self.value))

    def _shown(self) -> object:
        """Return the value, as a float if it is a fraction with many digits."""
        return float(self.value) if isinstance(self.value, Fraction) and not is_short(self.value) else self.value


class Task(NamedTuple):
    """A part of a sheet: its title, words that explain it, the answers, and words for the key alone."""

    part: Part
    title: str
    words: str
    answers: tuple[Answer, ...]
    remark: str = ""


def node_of(value: object) -> Node:
    """Return numbers as a node: those with logarithms as a sum of fractions and logarithms, element by element."""
    if isinstance(value, exact.LogSum):
        log = Call("ln", Numbers(value.argument))
        return Sum(Numbers(value.rational), log) if value.rational else log
    if isinstance(value, tuple) and any(isinstance(number, exact.LogSum) for number in value):
        rational = [number.rational if isinstance(number, exact.LogSum) else number for number in value]
        arguments = [number.argument if isinstance(number, exact.LogSum) else Fraction(1) for number in value]
        logs = Call("ln", Numbers(arguments))
        return Sum(Numbers(rational), logs) if any(rational) else logs
    return Numbers(value)


def tasks_of(solved: Solved, loss: str, parts: Collection[Part]) -> tuple[Task, ...]:
    """Return the tasks of these parts, in the order of work."""
    made = {
        "forward": _forward(solved),
        "loss": _loss(solved, loss),
        1: _equation_1(solved, loss),
        2: _equation_2(solved),
        3: _equation_3(solved),
        4: _equation_4(solved),
        "step": _step(solved, loss),
    }
    return tuple(made[part] for part in PARTS if part in parts and made[part].answers)


def given_answers(solved: Solved, loss: str, parts: Collection[Part]) -> list[Answer]:
    """Return what the tasks of these parts need and do not ask for."""
    needed = {need for part in parts for need in _NEEDS[part]} - set(parts)
    answers = [answer for task in tasks_of(solved, loss, needed) for answer in task.answers]
    return [answer for answer in answers if _is_read(answer, len(solved.layers), parts)]


def _is_read(answer: Answer, last: int, parts: Collection[Part]) -> bool:
    """Tell whether one of these parts needs an answer of those before it."""
    if answer.name in ("z", "a"):
        readers: tuple[Part, ...] = ("loss", 1) if answer.layer == last else (2,) if answer.name == "z" else (2, 3)
        return any(part in readers for part in parts)
    return answer.name not in ("grad_a", "dsigma")


def _task(part: Part, words: str, answers: Sequence[Answer], remark: str = "") -> Task:
    return Task(part, _TITLES[part], words, tuple(answers), remark)


def _forward(solved: Solved) -> Task:
    answers = []
    for j, (layer, passed) in enumerate(zip(solved.layers, solved.forward, strict=True), start=1):
        z, below = Symbol("z", j), Symbol("a", j - 1)
        symbols = Sum(Product(Symbol("w", j), below), Symbol("b", j))
        numbers = Sum(Product(Numbers(layer.w), Numbers(passed.x)), node_of(layer.b))
        answers.append(Answer("z", j, passed.z, (z, symbols), numbers))
        answers.append(Answer("a", j, passed.a, (Symbol("a", j), Call("sigma", z)), Call("sigma", node_of(passed.z))))
    return _task("forward", "", answers)


def _loss(solved: Solved, loss: str) -> Task:
    formula = catalogue.entry("losses", loss).formula.split(";")[0]
    remark = "" if isinstance(solved.loss, Fraction) else f"That is about {float(solved.loss):.4f}."
    answers = [Answer("loss", None, solved.loss, (Symbol("loss"), Words(formula, is_formula=True)))]
    return _task("loss", "y with a hat is the output of the last layer.", answers, remark)


def _equation_1(solved: Solved, loss: str) -> Task:
    J, back, passed = len(solved.layers), solved.backward[-1], solved.forward[-1]
    z, grad_a = Symbol("z", J), Symbol("grad_a", J)
    dsigma = Call("dsigma", z)
    slope = catalogue.entry("losses", loss).derivative or ""
    answers = [
        Answer("grad_a", J, back.grad_a, (grad_a, Words(slope, is_formula=True))),
        Answer("dsigma", J, back.dsigma, (dsigma,), Call("dsigma", node_of(passed.z))),
    ]
    words = ""
    if solved.layers[-1].activation == "softmax":
        words = "Each output of softmax depends on every z, so its derivatives are a matrix, the Jacobian."
        symbols: Node = Product(Transposed(dsigma), grad_a)
        numbers: Node = Product(_transposed(back.dsigma), Numbers(back.grad_a))
    else:
        symbols = Hadamard(grad_a, dsigma)
        numbers = Hadamard(Numbers(back.grad_a), Numbers(back.dsigma))
    answers.append(Answer("phi", J, back.phi, (Symbol("phi", J), symbols), numbers))
    is_difference = back.phi == tuple(a_k - y_k for a_k, y_k in zip(passed.a, solved.y, strict=True))
    return _task(1, words, answers, "It is the output minus y." if is_difference else "")


def _equation_2(solved: Solved) -> Task:
    answers = []
    for j in range(len(solved.layers) - 1, 0, -1):
        back, above = solved.backward[j - 1], solved.backward[j]
        symbols = Hadamard(
            Product(Transposed(Symbol("w", j + 1)), Symbol("phi", j + 1)), Call("dsigma", Symbol("z", j))
        )
        numbers = Hadamard(Product(_transposed(solved.layers[j].w), Numbers(above.phi)), Numbers(back.dsigma))
        answers.append(Answer("phi", j, back.phi, (Symbol("phi", j), symbols), numbers))
    return _task(2, "", answers)


def _equation_3(solved: Solved) -> Task:
    answers = []
    for j in range(len(solved.layers), 0, -1):
        back, passed = solved.backward[j - 1], solved.forward[j - 1]
        symbols = Product(Symbol("phi", j), Transposed(Symbol("a", j - 1)))
        numbers = Product(Numbers(back.phi), Numbers((passed.x,)))
        answers.append(Answer("grad_w", j, back.grad_w, (Symbol("grad_w", j), symbols), numbers))
    return _task(3, "", answers)


def _equation_4(solved: Solved) -> Task:
    answers = [
        Answer("grad_b", j, solved.backward[j - 1].grad_b, (Symbol("grad_b", j), Symbol("phi", j)))
        for j in range(len(solved.layers), 0, -1)
    ]
    return _task(4, "", answers)


def _step(solved: Solved, loss: str) -> Task:
    answers = []
    eta = Symbol("eta")
    for j, (layer, back, after) in enumerate(zip(solved.layers, solved.backward, solved.after, strict=True), start=1):
        for name, before, grad, value in (
            ("w", layer.w, back.grad_w, after.w),
            ("b", layer.b, back.grad_b, after.b),
        ):
            symbols = Difference(Symbol(name, j), Product(eta, Symbol(f"grad_{name}", j)))
            numbers = Difference(node_of(before), Product(Numbers(solved.learning_rate), Numbers(grad)))
            answers.append(Answer(f"new_{name}", j, value, (symbols,), numbers))
    lower = exact.loss_after(solved.after, solved.x, solved.y, loss)
    answers.append(Answer("new_loss", None, lower, (Words("the loss after the step"),)))
    remark = f"The loss was {float(solved.loss):.4g} and is {float(lower):.4g} after the step: it is lower."
    words = (
        "Take the step in each w and b. Then work out the loss with the new ones, to four digits; a calculator helps."
    )
    return _task("step", words, answers, remark)


def _transposed(matrix: object) -> Numbers:
    return Numbers(tuple(zip(*matrix, strict=True)))  # type: ignore[misc]  # a tuple of rows
