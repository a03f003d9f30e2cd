"""What a mistake looks like in training: a network with a bug beside the right one, from the same weights and data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import catalogue, checks, extras, html, targets
from mlpcore.diagnosis import EQUATIONS, MISTAKES, references
from mlpcore.diagnosis.equations import Formula
from mlpcore.diagnosis.passes import given_y
from mlpcore.diagnosis.plain_training import PLAIN, PlainTraining
from mlpcore.diagnosis.values import Values, through
from mlpcore.engine import Choice
from mlpcore.gradcheck.models import float64_twin
from mlpcore.history import History
from mlpcore.lazy import random_generator
from mlpcore.model import Sequential
from mlpcore.optimizers import BATCH_SIZE, Optimizer, optimizer_of

__all__ = ["Mutation", "mutate"]

Array = NDArray[Any]
SHOWN = 8  # epochs in a table
MOST = 1e4  # times the largest loss of the right training: what is drawn of the other


@dataclass(frozen=True)
class Mutation:
    """Two trainings from the same weights, on the same batches: the right one, and one with a bug.

    Attributes
    ----------
    bug : str or None
        The name of the mistake, as in ``mlpcore.diagnosis.MISTAKES``; None: no bug, the same training twice.
    equation : str or None
        In which equation it was made.
    symbols : str
        What stood there instead.
    right, wrong : History
        The loss of each epoch. Where the numbers of the wrong training have become too large it is inf or nan.
    weights : dict of str to ndarray
        The weights that the wrong training ended with, by name: ``"layers.0.w"``.
    """

    bug: str | None
    equation: str | None
    symbols: str
    right: History
    wrong: History
    weights: Mapping[str, Array] = field(repr=False, compare=False)

    def __str__(self) -> str:
        head = [f"{'epoch':>7}{'right':>12}{'wrong':>12}  {self._title}"]
        return "\n".join(head + [f"{epoch:>7}{right:>12.4g}{wrong:>12.4g}" for epoch, right, wrong in self._rows()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(epoch, f"{right:.4g}", f"{wrong:.4g}") for epoch, right, wrong in self._rows()]
        head = ("epoch", "loss, right", "loss, wrong")
        parts = [html.line(self._title, strong=True), html.table(head, rows, numbers=(0, 1, 2))]
        if self.bug is not None:
            parts.append(html.line(f"{self.symbols}: {MISTAKES[self.bug].what}."))
        return html.block(*parts)

    @property
    def _title(self) -> str:
        if self.bug is None or self.equation is None:
            return "no bug"
        row = EQUATIONS[self.equation]
        return f"{self.bug} in {row.quantity} ({row.number})"

    def _rows(self) -> Iterator[tuple[int, float, float]]:
        """Yield some epochs, the first and the last among them, with both losses."""
        right, wrong = self.right["loss"], self.wrong["loss"]
        for epoch in sorted({round(k) for k in np.linspace(0, len(right) - 1, min(SHOWN, len(right)))}):
            yield epoch, right[epoch], wrong[epoch]

    def plot(self, ax: Any = None) -> Any:  # noqa: ANN401  axes of matplotlib, which need not be installed
        """Draw both loss curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed; it comes with ``pip install 'mlpcore[plot]'``.
        """
        if ax is None:
            _, ax = extras.require("matplotlib.pyplot", "plot").subplots(layout="constrained")
        right, wrong = self.right["loss"], self.wrong["loss"]
        too_large = MOST * max(map(abs, right))
        shown = [loss if abs(loss) <= too_large else math.nan for loss in wrong]  # nan is neither
        ax.plot(right, label="right", color="tab:blue")
        ax.plot(shown, label=self.bug or "the same", color="tab:red", linestyle="--", marker=".")
        drawn = [loss for loss in (*right, *shown) if not math.isnan(loss)]
        if min(drawn) > 0 and max(drawn) > 20 * min(drawn):
            ax.set_yscale("log")
        lost = next((epoch for epoch, loss in enumerate(shown) if math.isnan(loss)), None)
        ax.set_title(self._title if lost is None else f"{self._title}: off the scale from epoch {lost} on", fontsize=10)
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.legend()
        return ax


def mutate(
    model: Sequential,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    loss: Choice | None = None,
    *,
    bug: str | None,
    equation: str | int | None = None,
    optimizer: str | Optimizer = "sgd",
    epochs: int = 50,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
) -> Mutation:
    """Train with a bug beside the right training, from the same weights and on the same batches.

    The right training is the engine's. The wrong one runs the equations in NumPy, with one replaced; without a bug it
    gives the same losses. Both compute in float64. The model stays as it is.

    Parameters
    ----------
    model : Sequential
        Of dense layers, with an input size; its weights are where both begin.
    X, y : array_like, optional
        Data to train on. Without them 200 random samples of a smooth function are taken.
    loss : str or object, optional
        A loss of the catalogue. Without data: the one that goes with the output's activation.
    bug : str or None
        A mistake of ``mlpcore.diagnosis.MISTAKES`` that is made in training: see docs/diagnose.md. None: no bug.
    equation : str or int, optional
        Where it is made: 1 to 4, or a name such as "w_new". Default: the first equation in which it is usual, and that
        this network has.
    optimizer : str or Optimizer, default "sgd"
        Begins anew: its hyperparameters are taken, its state is not.
    epochs : int, default 50
    batch_size : int, default 32
    seed : int, default 0
        Of the order of the rows in each epoch.

    Returns
    -------
    Mutation

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, or the bug cannot be made in this network: the message lists those that
        can.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(8, "tanh"), mlpcore.Dense(1)], input_size=2, seed=1)
    >>> both = mlpcore.mutate(model, bug="sign", equation=1, optimizer=mlpcore.SGD(0.1), epochs=10)
    >>> both.right["loss"][-1] < both.right["loss"][0] < both.wrong["loss"][-1]
    True
    >>> both.equation, both.symbols
    ('phi_last', "phi^J = -(grad_a^J ∘ sigma'(z^J))")
    """
    epochs = checks.whole_number("epochs", epochs, at_least=1)
    batch_size = checks.whole_number("batch_size", batch_size, at_least=1)
    rng = random_generator(checks.seed_number(seed))
    if (X is None) != (y is None):
        raise TypeError(f"{'X' if X is None else 'y'} is missing, expected both X and y, or neither")
    if X is None or y is None:
        X, y, loss = _some_data(model, loss)
    chosen = references.usable(optimizer_of(optimizer))
    fresh = type(chosen)(**{hyper.name: getattr(chosen, hyper.name) for hyper in chosen._entry().hypers})
    reference = references.of_model(model, X, y, loss, fresh)
    x, target, chosen_loss = reference.exact[0].x, reference.exact[-1].y, reference.exact[-1].loss
    instead, where, symbols = _replaced(bug, equation, _elsewhere(model, x, y, loss, fresh))
    hypers = {hyper.name: getattr(fresh, hyper.name) for hyper in fresh._entry().hypers}
    layers = [
        v.but(use_bias=layer.use_bias) for v, layer in zip(reference.exact, references.dense_layers(model), strict=True)
    ]
    wrong = PlainTraining(layers, chosen_loss, hypers | {"optimizer": fresh._name}, reference.states, instead)
    right = float64_twin(model)
    histories = History(), History()
    for _ in range(epochs):
        sums = [0.0, 0.0]
        order = rng.permutation(len(x))
        for begin in range(0, len(x), batch_size):
            rows = order[begin : begin + batch_size]
            right.forward(x[rows])
            sums[0] += len(rows) * right.backward(given_y(target[rows], chosen_loss), chosen_loss)
            right.update(fresh)
            if math.isfinite(sums[1]):
                with np.errstate(all="ignore"):
                    sums[1] += len(rows) * _stepped(wrong, x[rows], target[rows])
        for history, total in zip(histories, sums, strict=True):
            history.append({"loss": total / len(x)})
    weights = {f"layers.{j}.{name}": getattr(v, name) for j, v in enumerate(wrong.layers) for name in ("w", "b")}
    return Mutation(bug, where, symbols, *histories, weights)


def _stepped(training: PlainTraining, x: Array, y: Array) -> float:
    """Return the loss of a step; inf where the numbers have become too large for it."""
    value = training.step(x, y)
    ended = all(np.isfinite(v.w).all() and np.isfinite(v.b).all() for v in training.layers)
    return value if ended and math.isfinite(value) else math.inf


def _replaced(
    bug: str | None, equation: str | int | None, reference: references.Reference
) -> tuple[dict[str, Formula], str | None, str]:
    """Return the formulas to replace, the equation in which the bug is made, and what stands there."""
    if bug is None:
        return {}, None, ""
    forms = dict(_forms(bug, reference)) if bug in MISTAKES else {}
    if not forms:
        known = "is no mistake that can be made in this training" if bug in MISTAKES else "is no mistake"
        possible = ", ".join(repr(name) for name in MISTAKES if next(_forms(name, reference), None))
        raise ValueError(f"bug is {bug!r}, which {known}: expected one of {possible}, or None")
    where = next(iter(forms)) if equation is None else _equation_name(equation, bug, forms)
    formula, symbols = forms[where]
    if where in references.STEPS:  # an optimizer's mistake is made with every array
        return {name: forms[name][0] for name in references.STEPS if name in forms}, where, symbols
    if where == "grad_a_last":  # equation 1 as it stands, where a - y would not need it
        return {where: formula, "phi_last": lambda v: through(v.grad_a, v.dsigma)}, where, symbols
    return {where: formula}, where, symbols


def _elsewhere(
    model: Sequential, x: ArrayLike, y: ArrayLike, loss: Choice | None, optimizer: Optimizer
) -> references.Reference:
    """Return a pass with other weights, and an optimizer's arrays that are not 0: what a training comes to."""
    other, rng = float64_twin(model), random_generator(0)
    for layer in references.dense_layers(other):
        layer.w = layer.w + rng.normal(0, 0.1, layer.w.shape)
        if layer.b is not None:
            layer.b = layer.b + rng.normal(0, 0.1, layer.units)
    return references.with_random_states(references.of_model(other, x, y, loss, optimizer))


def _equation_name(equation: str | int, bug: str, forms: Mapping[str, object]) -> str:
    for name in forms:
        if equation == name or f"equation {equation}" == EQUATIONS[name].number:
            return name
    there = ", ".join(f"{name!r} ({EQUATIONS[name].number})" for name in forms)
    raise ValueError(f"equation is {equation!r}, expected where {bug!r} can be made in this training: {there}")


def _forms(bug: str, reference: references.Reference) -> Iterator[tuple[str, tuple[Formula, str]]]:
    """Yield the equations in which a bug changes something in this training, with its formula there."""
    J = len(reference.exact)
    for name, wrong in MISTAKES[bug].wrong.items():
        if name not in PLAIN:
            continue
        for form in wrong:
            if any(_changes(form.formula, name, j, reference) for j in range(J) if _belongs(name, j, J)):
                yield name, (_guarded(form.formula, name), form.symbols)
                break


def _belongs(name: str, j: int, J: int) -> bool:
    """Tell whether layer j has the equation, and what it gives is used there: a^J is not, where phi^J is of z^J."""
    if name.endswith(("_last", "_hidden")):
        return name.endswith("_last") == (j == J - 1)
    return name != "a" or j < J - 1


def _changes(formula: Formula, name: str, j: int, reference: references.Reference) -> bool:
    """Tell whether a formula gives an array of the right shape in layer j, and another one than the right formula."""
    case = reference.case(EQUATIONS[name], j, None, layer=None, tolerance=None)
    value, expected = case.value_of(formula), case.expected
    if value is None or value.shape != expected.shape:
        return False
    return bool((np.abs(value - expected) > 1e-13 * np.abs(expected).max()).any())


def _guarded(formula: Formula, name: str) -> Formula:
    """Return a formula that gives the right value in layers in which the mistake cannot be made."""

    def either(v: Values) -> Any:  # noqa: ANN401  an array, or a step
        right = PLAIN[name](v)
        try:
            wrong = formula(v)
        except ValueError:
            return right
        array, like = (each[0] if isinstance(each, tuple) else each for each in (wrong, right))
        return right if array is None or np.shape(array) != np.shape(like) else wrong

    return either


def _some_data(model: Sequential, loss: Choice | None) -> tuple[Array, Array, Choice]:
    """Return 200 samples of a smooth function as the model's output, and the loss, want them."""
    layers = references.dense_layers(model)
    if model.input_size is None:
        raise TypeError("X is missing, expected data, or a model with an input_size=")
    out, rng = layers[-1].units, random_generator(0)
    X = rng.uniform(-1, 1, (200, model.input_size))
    values = np.sin(2 * X @ rng.normal(size=(model.input_size, out)) + rng.uniform(-1, 1, out))
    sigma = str(catalogue.label(layers[-1].activation))
    if loss is None:
        loss = next((row for row in ("bce", "cce") if f"{sigma}_{row}" in _A_MINUS_Y), "mse")
    chosen = checks.given_loss(loss)
    if targets.has_classes(chosen):
        return X, np.eye(out)[values.argmax(axis=1)], chosen
    if targets.is_binary(chosen):
        return X, (values > 0).astype(float), chosen
    if targets.has_signs(chosen):
        return X, np.where(values > 0, 1.0, -1.0), chosen
    if targets.target_range(chosen)[0] == 0:
        return X, (1 + values) / (2 * out), chosen
    return X, given_y(values, chosen), chosen


_A_MINUS_Y = {name for name, row in catalogue.FAMILIES["pairs"].items() if row.derivative in ("a - y", "a sum(y) - y")}
"""The pairs that belong together: sigma' cancels."""
