"""Metrics of `fit` and `evaluate`: names of the catalogue, one with a constant as an object, and functions in Python.

docs/catalogue.md has the formulas of all. Those of the catalogue are measured by the engine, batch by batch.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self, cast

import numpy as np
from numpy.typing import DTypeLike

from mlpcore import catalogue, checks, targets
from mlpcore.data import Array
from mlpcore.engine import Choice, MetricsState
from mlpcore.files import quoted
from mlpcore.functions import Function

Metric = str | tuple[Any, ...] | Callable[[Array, Array], object]
"""What `fit` takes as a metric: a name, an object such as `TopKAccuracy(3)`, or a function of (y, y_hat)."""

_SPOKEN = {
    "binary": "a yes or no as y",
    "classes": "one class of {out} as y",
    "labels": "{out} times yes or no as y",
    "numbers": "numbers as y",
}

_OF_ALL_ROWS = {"r2"}
"""Metrics that need all y before the first is measured."""
_NOT_AT_ONCE = "all rows at once, and these are read a part at a time: leave it out, or evaluate rows in memory with it"


class TopKAccuracy(Function):
    """The weighted share of the rows whose class is among the k largest outputs, of equal ones the first.

    Rows with an output that is nan are never right, nor are rows of y without a class. The name "top_k_accuracy" alone
    stands for k = 5.

    Parameters
    ----------
    k : int, default 5
        >= 1 and at most the number of outputs; with 1 it is "categorical_accuracy".

    Raises
    ------
    TypeError, ValueError
        If k is no integer in its range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(3, "softmax", kernel_initializer="zeros")], input_size=1)
    >>> model.evaluate([[1], [2]], [1, 2], "cce", metrics=[mlpcore.TopKAccuracy(2)])["top_k_accuracy(2)"]
    0.5
    """

    _family, _name = "metrics", "top_k_accuracy"
    __slots__ = ()
    k: int

    def __new__(cls, k: int = 5) -> Self:
        return cls._of([checks.whole_number("k", k, at_least=1, at_most=2**31 - 1)])

    @classmethod
    def _of(cls, values: Iterable[float]) -> Self:
        (k,) = values
        if k != int(k):
            raise ValueError(f"k is {k}, expected an integer")
        return super()._of([int(k)])


class Metrics(NamedTuple):
    """The metrics of a training or an evaluation, all of them checked.

    Attributes
    ----------
    choices : dict of str to Choice
        Those that the engine measures, by the names under which they are recorded.
    functions : dict of str to callable
        Those that are written in Python.
    answers : str
        What y tells, as `targets.answers_of` says.
    threshold : float
        What parts yes from no.
    out : int
        The number of outputs.
    columns : int
        How many columns of y a function is shown.
    """

    choices: Mapping[str, Choice] = {}
    functions: Mapping[str, Callable[[Array, Array], object]] = {}
    answers: str = "numbers"
    threshold: float = 0.5
    out: int = 1
    columns: int = 1

    def __bool__(self) -> bool:
        return bool(self.choices or self.functions)

    @property
    def rules(self) -> dict[str, str]:
        """By which metric each accuracy counts that is named "accuracy"."""
        return {"accuracy": targets.rule_of(self.answers, self.threshold == 0)} if "accuracy" in self.choices else {}

    def state(self, rows: int, dtype: DTypeLike, epochs: int = 1) -> MetricsState | None:
        """Return what the engine needs to measure them over so many rows, with new arrays; None: nothing to measure."""
        if not self:
            return None
        rows_are_kept = bool(self.functions) or any(
            "keeps_outputs" in catalogue.entry("metrics", choice).traits for choice in self._rows
        )
        return MetricsState(
            tuple(self.choices.values()),
            self.answers,
            self.threshold,
            np.empty((epochs, len(self.choices)), np.float64),
            np.empty((rows, self.out), dtype) if rows_are_kept else None,
        )

    def check_for_source(self) -> None:
        """Raise ValueError if one of them needs all rows at once."""
        for name, choice in self.choices.items():
            row = catalogue.entry("metrics", cast(Any, choice))
            if "keeps_outputs" in row.traits or row.name in _OF_ALL_ROWS:
                raise ValueError(f"metrics has {name!r}, which is computed from {_NOT_AT_ONCE}")
        for name in self.functions:
            raise ValueError(f"metrics has the function {name!r}, which is shown {_NOT_AT_ONCE}")

    @property
    def _rows(self) -> list[str | tuple[Any, ...]]:
        return [choice for choice in self.choices.values() if isinstance(choice, str | tuple)]

    def call(self, y: Array, state: MetricsState | None) -> dict[str, float]:
        """Return the values of those that are written in Python, for the outputs that the engine has kept."""
        if not self.functions or state is None or state.predictions is None:
            return {}
        y = targets.one_hot(y, self.out) if y.ndim == 1 else y[:, : self.columns]
        return {
            name: _number(name, function(_read_only(y), _read_only(state.predictions)))
            for name, function in self.functions.items()
        }


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _number(name: str, value: Any) -> float:  # noqa: ANN401  # whatever a user's function returns
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}, of metrics, returned {quoted(value)}, expected a number") from None


def metrics_of(
    metrics: Iterable[Metric], loss: Choice, out: int, answers_of_y: Callable[[], str], *, has_accuracy: bool
) -> Metrics:
    """Return the metrics that a call was given, for `out` outputs and what y tells, if there are any.

    `has_accuracy`: "accuracy" is measured anyway.
    """
    listed = _listed(metrics)
    if not listed:
        return Metrics()
    answers = answers_of_y()
    threshold = 0.0 if targets.has_signs(loss) else 0.5
    choices: dict[str, Choice] = {}
    functions: dict[str, Callable[[Array, Array], object]] = {}
    places = {"loss": "the loss", "learning_rate": "the learning rate"}
    if has_accuracy:
        places["accuracy"] = "the accuracy"
    for i, value in enumerate(listed):
        argument = f"metrics[{i}]"
        if callable(value):
            name = _name_of(argument, value)
            functions[name] = value
        else:
            choice = checks.choice("metrics", argument, value)
            name = catalogue.label(choice)
            if name == "accuracy" and has_accuracy:
                continue
            _check(argument, choice, loss, answers, out)
            choices[name] = choice
        if name in places or name.startswith("val_"):
            other = places.get(name, "a metric of validation data")
            raise ValueError(
                f"{argument} is named {name!r}, as {other} is: give each metric once, and a function a name of its own"
            )
        places[name] = argument
    return Metrics(choices, functions, answers, threshold, out, out // 2 if targets.is_paired(loss) else out)


def _listed(metrics: Iterable[Metric]) -> list[Metric]:
    if isinstance(metrics, str | Function) or callable(metrics) or not isinstance(metrics, Iterable):
        raise TypeError(f"metrics is {metrics!r}, expected a list such as ['accuracy', mlpcore.TopKAccuracy(3)]")
    return list(metrics)


def _name_of(argument: str, value: Any) -> str:  # noqa: ANN401  # a callable
    if isinstance(value, type) and issubclass(value, Function):
        raise TypeError(f"{argument} is the class {value.__name__}, expected an object: {value.__name__}()")
    return str(getattr(value, "__name__", type(value).__name__))


def _check(argument: str, choice: Choice, loss: Choice, answers: str, out: int) -> None:
    """Raise ValueError if a metric does not go with what y tells."""
    if targets.is_paired(loss):
        raise ValueError(
            f"{argument} is {catalogue.label(choice)!r}, which compares y with as many outputs, and loss "
            f"{catalogue.label(loss)!r} has two for each number of y: give a function of (y, y_hat)"
        )
    signs = targets.has_signs(loss)
    fitting = [name for name, row in catalogue.FAMILIES["metrics"].items() if _fits(row, answers, signs, out)]
    name = choice if isinstance(choice, str) else choice[0]  # type: ignore[index]  # never an object of one's own
    if name not in fitting:
        raise ValueError(
            f"{argument} is {catalogue.label(choice)!r}, which does not go with {_SPOKEN[answers].format(out=out)} "
            f"under loss {catalogue.label(loss)!r}: expected one of {', '.join(map(repr, fitting))}"
        )
    if name == "top_k_accuracy":
        k = catalogue.entry("metrics", name).hypers[0].default if isinstance(choice, str) else choice[1]  # type: ignore[index]
        if k > out:
            raise ValueError(
                f"{argument} has k = {k:g}, expected at most {out}, the number of outputs: give a smaller one, such as "
                f"TopKAccuracy({max(1, out - 1)})"
            )


def _fits(row: catalogue.Entry, answers: str, signs: bool, out: int) -> bool:
    if "numbers" in row.traits:
        return True
    if answers == "numbers" or signs != (signs and "signs" in row.traits):
        return False
    kinds = {"binary", "classes", "labels"}.intersection(row.traits)
    if not signs and not kinds:
        return False
    return not kinds or answers in kinds or ("binary" in kinds and answers == "classes" and out == 2)
