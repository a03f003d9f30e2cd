"""The call that judges one answer: is it right, and if not, which mistake was made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import checks
from mlpcore.diagnosis import judging, references, wording
from mlpcore.diagnosis.answers import Answer, Fault, as_numbers, called
from mlpcore.diagnosis.case import Case
from mlpcore.diagnosis.equations import Equation
from mlpcore.diagnosis.verdict import Diagnosis
from mlpcore.engine import Choice
from mlpcore.layers.layer import Layer
from mlpcore.model import Sequential
from mlpcore.optimizers import Optimizer, optimizer_of


def diagnose(
    answer: object,
    quantity: str,
    model: Sequential | None = None,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    loss: Choice | None = None,
    layer: int | Layer | None = None,
    activation: Choice | None = None,
    optimizer: str | Optimizer | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Diagnosis:
    """Compare a student's array or function with the right one, and name the mistake.

    An answer is right if it equals what the engine computes, within the roundings of its type. Otherwise it is compared
    with what each mistake of ``mlpcore.diagnosis.MISTAKES`` would give. Each equation is judged by itself: equation 2
    at layer j with the right phi^{j+1}, so that one bug costs one mark. `diagnose_all` judges a whole pass.

    Parameters
    ----------
    answer : array_like or callable
        An array; or a function. With a model the function is called on the model's values, without one on those of
        hidden networks: no two sizes are alike, n > 1, and the numbers are random. It is given copies of what its
        parameters are called: ``def phi(phi_next, w_next, z)``. If it has other names, it is given the inputs of the
        equation in their order: see docs/diagnose.md.
    quantity : str
        "z", "a", "dsigma", "loss", "grad_a", "phi", "grad_w", "grad_b", "w_new" or "b_new". For a function without a
        model it may be the name of an equation: "phi_last" is equation 1, "phi_hidden" equation 2. "phi" is equation 2
        if the function has a parameter ``phi_next`` or ``w_next``, or no name is known and no loss given.
    model : Sequential, optional
        Of dense layers. It is left as it is.
    x, y : array_like, optional
        The batch, as ``model.forward`` and ``model.backward`` take it; needed with a model.
    loss : str or object, optional
        A loss of the catalogue; needed with a model. Without one "mse".
    layer : int or layer, optional
        Which layer, counted from 1 as in the paper; -1 is the last. Or the layer itself. Default: the last.
    activation : str or object, optional
        The activation of a hidden network's layer; default "sigmoid". With a model it is the layer's own.
    optimizer : str or Optimizer, optional
        For "w_new" and "b_new", whose step it is; default "sgd". It is left as it is: what it keeps is what it had
        before the step. For "phi" it tells what weights were updated by.
    tolerance : float, optional
        The largest error that is right, relative to the largest number of the array. Give 1e-3 for what was calculated
        by hand and rounded. Default: what roundings of the answer's type and of the model's can do.
    seed : int, default 0
        Of the hidden networks.

    Returns
    -------
    Diagnosis
        Whatever the answer is, also if the function ends with an error.

    Raises
    ------
    TypeError, ValueError
        If the call itself is wrong: an unknown quantity, data that do not fit the model, an array without a model.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(3, "sigmoid"), mlpcore.Dense(2, "sigmoid")], input_size=4, seed=1)
    >>> x, y = np.random.default_rng(0).normal(size=(5, 4)), np.eye(2)[[0, 1, 1, 0, 1]]
    >>> a = model.forward(x)
    >>> value = model.backward(y, loss="bce")
    >>> hidden, output = model.layers
    >>> mlpcore.diagnose(output.phi @ output.w, "phi", model, x, y, loss="bce", layer=1).mistake
    'missing-dsigma'
    >>> mlpcore.diagnose(hidden.phi, "phi", model, x, y, loss="bce", layer=1).right
    True

    A function needs no model:

    >>> def grad_w(phi, x):
    ...     return x.T @ phi
    >>> mlpcore.diagnose(grad_w, "grad_w").mistake
    'missing-transpose'
    >>> mlpcore.diagnose(lambda phi: phi.mean(axis=0), "grad_b").sentence.split(". ")[0]
    'grad_b is wrong: it is divided by n once too often'
    """
    if tolerance is not None:
        tolerance = checks.real_number("tolerance", tolerance, at_least=0)
    seed = checks.seed_number(seed)
    if model is None:
        if x is not None or y is not None or layer is not None:
            raise TypeError("model is missing, expected the Sequential that x, y and layer belong to")
        if not callable(answer):
            raise TypeError(
                f"model is missing, expected a Sequential, with x and y, to compare this {type(answer).__name__} with; "
                "without a model the answer is a function"
            )
        return _on_hidden_networks(answer, quantity, loss, activation, optimizer, tolerance, seed)
    if activation is not None:
        raise TypeError("activation is given, expected None with a model, whose layers have their own")
    if x is None or y is None:
        raise TypeError(f"{'x' if x is None else 'y'} is missing, expected the batch that the answer was computed from")
    if quantity in references.STEPS and optimizer is None:
        optimizer = "sgd"
    reference = references.of_model(model, x, y, loss, optimizer)
    j = len(model.layers) - 1 if quantity == "loss" else references.layer_number(model, layer)
    equation = references.asked(quantity, j == len(model.layers) - 1)
    if equation.name.endswith("_last" if j < len(model.layers) - 1 else "_hidden"):
        raise ValueError(f"quantity is {quantity!r}, expected {equation.quantity!r} for layer {j + 1}")
    return _judged(answer, reference, equation, j, j + 1, tolerance)


def _judged(
    answer: object,
    reference: references.Reference,
    equation: Equation,
    j: int,
    layer: int | None,
    tolerance: float | None,
) -> Diagnosis:
    """Judge an array, or what a function gives on the values of a pass."""

    def case(dtype: np.dtype[Any] | None = None) -> Case:
        return reference.case(equation, j, dtype, layer=layer, tolerance=tolerance)

    if callable(answer):
        answer = called(answer, equation, case().values)
    given: Answer | Fault = answer if isinstance(answer, Fault) else as_numbers(answer)
    if isinstance(given, Fault):
        return wording.fault(given, equation, layer)
    return judging.judge(given, case(given.dtype))


def _on_hidden_networks(
    function: Callable[..., object],
    quantity: str,
    loss: Choice | None,
    activation: Choice | None,
    optimizer: str | Optimizer | None,
    tolerance: float | None,
    seed: int,
) -> Diagnosis:
    equation = references.asked(quantity, _asks_for_last(function, loss))
    chosen = checks.given_loss("mse" if loss is None else loss)
    sigma = checks.choice("activations", "activation", "sigmoid" if activation is None else activation)
    for name, each in (("loss", chosen), ("activation", sigma)):
        if not isinstance(each, str | tuple):
            raise TypeError(f"{name} is {each!r}, expected one of the catalogue")
    steps = optimizer_of("sgd" if optimizer is None else optimizer)

    def on(shape: tuple[int, ...]) -> Diagnosis:
        reference, j = references.hidden(equation, sigma, chosen, steps, seed, shape)
        return _judged(function, reference, equation, j, None, tolerance)

    found = [on(shape) for shape in references.SHAPES]
    wrong = [each for each in found if not each.right]
    if not wrong:
        return found[0]
    first = wrong[0]
    if first.mistake == "raises":
        square = on(references.SQUARE)
        if not square.right and square.candidates and square.mistake not in ("raises", "wrong-shape"):
            return wording.on_square(first, square)
        return first
    common = [name for name in first.candidates if all(name in each.candidates for each in wrong)]
    return first if common == list(first.candidates) else wording.narrowed(equation, first, common, wrong[-1])


def _asks_for_last(function: Callable[..., object], loss: Choice | None) -> bool:
    """Tell whether a function of phi or grad_a is that of the last layer, by what it asks for."""
    try:
        names = set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = set()
    if names & {"phi_next", "w_next"}:
        return False
    return bool(names & {"y", "y_true", "grad_a"}) or loss is not None
