"""A whole pass: every array of a student's judged by itself, so that what follows from a mistake costs nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import checks
from mlpcore.diagnosis import judging, references, wording
from mlpcore.diagnosis.answers import Answer, Fault, as_numbers, called
from mlpcore.diagnosis.case import Case
from mlpcore.diagnosis.equations import EQUATIONS, QUANTITIES, Equation
from mlpcore.diagnosis.references import Reference
from mlpcore.diagnosis.values import Array, Values
from mlpcore.diagnosis.verdict import Diagnoses, Diagnosis
from mlpcore.engine import Choice
from mlpcore.lazy import random_generator
from mlpcore.model import Sequential
from mlpcore.optimizers import Optimizer

Answers = dict[tuple[str, int], Any]
"""By quantity and layer, counted from 0."""

# What an equation reads of what the student has computed before: its name there, the quantity, how many layers on.
READS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "z": (("x", "a", -1),),
    "a": (("z", "z", 0),),
    "dsigma": (("z", "z", 0),),
    "loss": (("z", "z", 0), ("a", "a", 0)),
    "grad_a_last": (("a", "a", 0),),
    "grad_a_hidden": (("phi_next", "phi", 1),),
    "phi_last": (("z", "z", 0), ("a", "a", 0), ("dsigma", "dsigma", 0), ("grad_a", "grad_a", 0)),
    "phi_hidden": (("phi_next", "phi", 1), ("z", "z", 0), ("a", "a", 0), ("dsigma", "dsigma", 0)),
    "grad_w": (("phi", "phi", 0), ("x", "a", -1)),
    "grad_b": (("phi", "phi", 0),),
    "w_new": (("grad_w", "grad_w", 0),),
    "b_new": (("grad_b", "grad_b", 0),),
}


WHOLE = Equation("pass", "the pass", "section 2", "equations 1 to 4", "", lambda v: None, ("x", "y", "w", "b"))
"""What a function is asked for that computes everything."""


def diagnose_all(
    answers: Mapping[str, Any] | Sequence[Mapping[str, ArrayLike]] | Callable[..., object],
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Choice,
    optimizer: str | Optimizer | None = None,
    tolerance: float | None = None,
) -> Diagnoses:
    """Judge all arrays of a student's pass, one line for each.

    Each array is judged by the right inputs, and, if it is wrong by those, by what the student computed before: what
    follows correctly from a wrong phi^3 is no second mistake.

    Parameters
    ----------
    answers : mapping, sequence of mappings, or callable
        By quantity, a list with an array for each layer, from the first to the last: ``{"phi": [phi1, phi2], "grad_w":
        [...]}``, in which None stands for what is not to be judged; or for each layer a mapping from quantity to array.
        "loss" is a number. Quantities are those of `diagnose`. Or a function, called with what its parameters are
        called: ``x``, ``y``, ``w`` and ``b``, the last two lists with an array for each layer, that returns either.
    model : Sequential
        Of dense layers. It is left as it is.
    x, y : array_like
        The batch.
    loss : str or object
        A loss of the catalogue.
    optimizer : str or Optimizer, optional
        For "w_new" and "b_new"; default "sgd".
    tolerance : float, optional
        As in `diagnose`.

    Returns
    -------
    Diagnoses
        One `Diagnosis` for each array, in the order in which a pass computes them.

    Raises
    ------
    TypeError, ValueError
        If the call itself is wrong: an unknown quantity, more arrays than layers, data that do not fit the model.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(2)], input_size=4, seed=1)
    >>> x, y = np.random.default_rng(0).normal(size=(5, 4)), np.zeros((5, 2))
    >>> def backward(x, y, w, b):
    ...     a1 = np.tanh(x @ w[0].T + b[0])
    ...     phi2 = 2 * (y - a1 @ w[1].T - b[1]) / y.size            # y - a, where a - y belongs
    ...     phi1 = phi2 @ w[1] * (1 - a1**2)
    ...     return {"phi": [phi1, phi2], "grad_w": [phi1.T @ x, phi2.T @ a1]}
    >>> report = mlpcore.diagnose_all(backward, model, x, y, loss="mse")
    >>> report.score, report["phi", 2].mistake, report["phi", 1].follows
    (0.75, 'sign', True)
    """
    if tolerance is not None:
        tolerance = checks.real_number("tolerance", tolerance, at_least=0)
    reference = references.of_model(model, x, y, loss, optimizer)
    if callable(answers):
        returned = _called(answers, reference)
        if isinstance(returned, Fault):
            return Diagnoses((wording.fault(returned, WHOLE, None),))
        answers = returned
    given = _by_layer(answers, len(model.layers))
    if optimizer is None and any(quantity in references.STEPS for quantity, _ in given):
        reference = references.of_model(model, x, y, loss, "sgd")
    numbers = {key: as_numbers(value) for key, value in given.items()}
    found: dict[tuple[str, int], Diagnosis] = {}
    for equation, j in _in_order(len(model.layers)):
        key = (equation.quantity, j)
        if key in numbers:
            found[key] = _judged(numbers[key], reference, equation, j, numbers, found, tolerance)
    return Diagnoses(tuple(found.values()))


def _in_order(J: int) -> Iterator[tuple[Equation, int]]:
    """Yield equations and layers as a pass computes them: forwards, the loss, backwards, the steps."""
    for j in range(J):
        yield from ((EQUATIONS[name], j) for name in ("z", "a", "dsigma"))
    yield EQUATIONS["loss"], J - 1
    for j in reversed(range(J)):
        end = "last" if j == J - 1 else "hidden"
        yield from ((EQUATIONS[name], j) for name in (f"grad_a_{end}", f"phi_{end}", "grad_w", "grad_b"))
    for j in range(J):
        yield from ((EQUATIONS[name], j) for name in references.STEPS)


def _by_layer(answers: object, J: int) -> Answers:
    """Return answers by quantity and layer, or raise if they are not what `diagnose_all` takes."""
    expected = "expected a dict of lists such as {'phi': [phi1, phi2]}, or a list of dicts, one for each layer"
    given: Answers = {}
    if isinstance(answers, Mapping):
        for quantity, listed in answers.items():
            _require_quantity(quantity)
            if quantity == "loss":
                given[quantity, J - 1] = listed
                continue
            if J == 1 and isinstance(listed, np.ndarray):
                listed = [listed]
            if not isinstance(listed, list | tuple):
                raise TypeError(f"answers[{quantity!r}] is a {type(listed).__name__}, {expected}")
            if len(listed) != J:
                raise ValueError(f"answers[{quantity!r}] has {len(listed)} arrays, expected {J}: one for each layer")
            given |= {(quantity, j): each for j, each in enumerate(listed) if each is not None}
        return given
    if not isinstance(answers, list | tuple) or not all(isinstance(each, Mapping) for each in answers):
        raise TypeError(f"answers is a {type(answers).__name__}, {expected}")
    if len(answers) != J:
        raise ValueError(f"answers has {len(answers)} dicts, expected {J}: one for each layer")
    for j, each in enumerate(answers):
        for quantity, value in each.items():
            _require_quantity(quantity)
            given[quantity, J - 1 if quantity == "loss" else j] = value
    return given


def _require_quantity(quantity: object) -> None:
    if quantity not in QUANTITIES:
        raise ValueError(f"answers has {quantity!r}, expected quantities: {', '.join(map(repr, QUANTITIES))}")


def _called(function: Callable[..., object], reference: Reference) -> Any:  # noqa: ANN401  whatever it returns
    """Return what a student's pass returns, or what went wrong."""
    first, layers = reference.exact[0], reference.exact
    named = {"x": first.x, "y": layers[-1].y, "w": [v.w for v in layers], "b": [v.b for v in layers]}
    returned = called(function, WHOLE, Values(named))
    if isinstance(returned, Fault):
        return returned
    if returned is None:
        return Fault("returns-nothing", "the answer is None")
    try:
        _by_layer(returned, len(layers))
    except (TypeError, ValueError) as error:
        return Fault("wrong-type", str(error).replace("answers", "what it returns", 1))
    return returned


def _judged(
    given: Answer | Fault,
    reference: Reference,
    equation: Equation,
    j: int,
    numbers: Mapping[tuple[str, int], Answer | Fault],
    found: Mapping[tuple[str, int], Diagnosis],
    tolerance: float | None,
) -> Diagnosis:
    """Judge an array by the right inputs, then by the student's own where these are not right."""
    dtype = given.dtype if isinstance(given, Answer) else None
    case = reference.case(equation, j, dtype, layer=j + 1, tolerance=tolerance)
    by_right = judging.judge(given, case)
    if by_right.right or not isinstance(given, Answer):
        return by_right
    own: dict[str, Array] = {}
    from_wrong = []
    for name, quantity, further in READS[equation.name]:
        key = (quantity, j + further)
        before, of_before = numbers.get(key), found.get(key)
        if not isinstance(before, Answer) or of_before is None:
            continue
        value = getattr(case.values, name)
        if value is None or before.numbers.shape != value.shape or not np.isfinite(before.numbers).all():
            continue
        own[name] = before.numbers
        if not of_before.right or of_before.follows:
            from_wrong.append(of_before.subject)
    if not from_wrong:
        return by_right
    return judging.judge_by_own(given, by_right, _with(case, own), from_wrong)


def _with(case: Case, own: Mapping[str, Array]) -> Case:
    """Return a case with some of the student's own arrays, and with what follows from them."""
    rng = random_generator(1)

    def put(v: Values, amount: float) -> Values:
        moved: dict[str, Any] = {n: a * (1 + amount * rng.uniform(-1, 1, a.shape)) for n, a in own.items()}
        if "grad_w" in moved or "grad_b" in moved:
            moved["grad"] = moved.get("grad_w", moved.get("grad_b"))
        new = v.but(**moved)
        if case.equation.name == "loss" and "z" not in moved:
            return new
        if "z" in moved and "a" not in moved and v.z is not None:
            new = new.but(a=v.sigma(new.z))
        if "z" in moved and "dsigma" not in moved:
            new = new.but(dsigma=v.dsigma_at(new.z))
        if case.equation.name == "phi_last" and "grad_a" not in moved:
            new = new.but(grad_a=EQUATIONS["grad_a_last"].right(new))
        return new

    return Case(
        case.equation,
        put(case.values, 0.0),
        tuple(put(v, case.epsilon) for v in case.moved),
        case.epsilon,
        case.layer,
        case.tolerance,
    )
