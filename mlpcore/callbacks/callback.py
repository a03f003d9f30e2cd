"""What a callback is: a class with methods that `fit` calls, or any function of (model, epoch, logs)."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from mlpcore import checks
from mlpcore.history import History

if TYPE_CHECKING:
    from mlpcore.model import Sequential

Logs = dict[str, float]
CallbackFunction = Callable[["Sequential", int, Logs], object]


class Callback:
    """Base class of the objects that `fit` calls while it trains: override what is wanted.

    Epochs and batches are counted from 0 in each `fit`. An error that a method raises ends the call of `fit`. A method
    may use the model, train it even, except `on_batch_end`, which is called while the network is busy: there the model
    can be asked to stop, and w and b of its layers can be read.

    Examples
    --------
    >>> import mlpcore
    >>> class Largest(mlpcore.Callback):
    ...     def on_epoch_end(self, model, epoch, logs):
    ...         print(epoch, abs(model.layers[0].w).max() < 10)
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> history = model.fit([[0.0], [1.0]], [1, 2], "mse", epochs=2, callbacks=[Largest()], progress=False)
    0 True
    1 True
    """

    _writes_checkpoints: ClassVar[bool] = False

    def on_fit_begin(self, model: "Sequential") -> None:
        """Take notice of a training that begins; all its arguments have been checked."""

    def on_epoch_begin(self, model: "Sequential", epoch: int) -> None:
        """Take notice of an epoch that begins."""

    def on_batch_end(self, model: "Sequential", epoch: int, batch: int, logs: Logs) -> None:
        """Take notice of a batch that has been trained on; `logs` has its loss, taken before the update."""

    def on_epoch_end(self, model: "Sequential", epoch: int, logs: Logs) -> object:
        """Take notice of an epoch that is over, and of all that `History` records of it; return True to end `fit`."""
        return None

    def on_fit_end(self, model: "Sequential", history: History) -> None:
        """Take notice of the end of the training, however it came: by the last epoch, a stop, or an error."""

    def _end_epochs(self, model: "Sequential") -> None:
        """Take notice of the last epoch, before the model gets the weights that `fit` ends with."""


_METHODS = {
    "on_fit_begin": ("model",),
    "on_epoch_begin": ("model", "epoch"),
    "on_batch_end": ("model", "epoch", "batch", "logs"),
    "on_epoch_end": ("model", "epoch", "logs"),
    "on_fit_end": ("model", "history"),
}
"""What each method is called with."""


class LambdaCallback(Callback):
    """A callback made of functions, each called with what the method of its name gets after the model.

    Parameters
    ----------
    on_fit_begin, on_epoch_begin, on_batch_end, on_epoch_end, on_fit_end : callable, optional
        Functions of (model), (model, epoch), (model, epoch, batch, logs), (model, epoch, logs), (model, history).

    Raises
    ------
    TypeError
        If one of them is not callable.

    Examples
    --------
    >>> import mlpcore
    >>> begins = mlpcore.LambdaCallback(on_epoch_begin=lambda model, epoch: print("epoch", epoch))
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> history = model.fit([[0.0], [1.0]], [1, 2], "mse", epochs=2, callbacks=[begins], progress=False)
    epoch 0
    epoch 1
    """

    def __init__(
        self,
        *,
        on_fit_begin: Callable[..., object] | None = None,
        on_epoch_begin: Callable[..., object] | None = None,
        on_batch_end: Callable[..., object] | None = None,
        on_epoch_end: Callable[..., object] | None = None,
        on_fit_end: Callable[..., object] | None = None,
    ) -> None:
        given = {
            "on_fit_begin": on_fit_begin,
            "on_epoch_begin": on_epoch_begin,
            "on_batch_end": on_batch_end,
            "on_epoch_end": on_epoch_end,
            "on_fit_end": on_fit_end,
        }
        for name, function in given.items():
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"{name} is {function!r}, expected a callable")
            setattr(self, name, function)


AnyCallback = Callback | CallbackFunction


def as_callbacks(given: Iterable[AnyCallback]) -> list[Callback]:
    """Return what `fit` was given as callbacks: functions are called at the end of each epoch."""
    if isinstance(given, Callback) or callable(given) or not isinstance(given, Iterable):
        raise TypeError(f"callbacks is {given!r}, expected a list of callables or Callback objects")
    listed = list(given)
    for i, each in enumerate(listed):
        if isinstance(each, type) and issubclass(each, Callback):
            raise TypeError(f"callbacks[{i}] is the class {each.__name__}, expected an object: {each.__name__}(...)")
        if not isinstance(each, Callback) and not callable(each):
            raise TypeError(f"callbacks[{i}] is {each!r}, expected a Callback or a callable (model, epoch, logs)")
        if isinstance(each, Callback):
            _check_methods(f"callbacks[{i}]", each)
            if any(each is other for other in listed[:i]):
                raise ValueError(f"callbacks[{i}] is {each!r}, which is there twice, expected another object")
        else:
            _check_takes(f"callbacks[{i}]", each, _METHODS["on_epoch_end"])
    return [each if isinstance(each, Callback) else LambdaCallback(on_epoch_end=each) for each in listed]


def _check_methods(name: str, callback: Callback) -> None:
    """Raise TypeError for a method that would never be called, or not as it is: those of Keras, for example."""
    for method in dir(callback):
        if not method.startswith("on_"):
            continue
        if method not in _METHODS:
            raise TypeError(f"{name} has a method {method}, which fit does not call, expected {', '.join(_METHODS)}")
        if getattr(type(callback), method) is not getattr(Callback, method) or method in vars(callback):
            _check_takes(f"{name}.{method}", getattr(callback, method), _METHODS[method])


def _check_takes(name: str, function: Callable[..., object], arguments: Sequence[str]) -> None:
    """Raise TypeError unless a function can be called with these arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of some functions in C nothing is known
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise TypeError(f"{name} takes {signature}, expected to be called with ({', '.join(arguments)})") from None


class Callbacks:
    """The callbacks of one `fit`, called one after the other; those last that write down what the others decide."""

    def __init__(self, callbacks: Iterable[Callback], model: "Sequential", history: History) -> None:
        self.all = sorted(callbacks, key=lambda each: each._writes_checkpoints)
        self.model, self.history = model, history

    def without(self, some: Iterable[Callback]) -> "Callbacks":
        """Return those that are none of these."""
        return Callbacks([each for each in self.all if each not in some], self.model, self.history)

    def has(self, *methods: str) -> bool:
        """Tell whether any of them does something in one of these methods."""
        return any(
            getattr(type(each), name) is not getattr(Callback, name) or name in vars(each)
            for each in self.all
            for name in methods
        )

    @contextmanager
    def around_fit(self) -> Iterator[None]:
        """Call those that want to know of the beginning and the end; the end of those that have begun, in any case."""
        begun: list[Callback] = []
        try:
            for each in self.all:
                begun.append(each)
                self._call(each.on_fit_begin, self.model)
            yield
        finally:
            for each in begun:
                self._call(each.on_fit_end, self.model, self.history)

    def begin_epoch(self, epoch: int) -> None:
        """Call all before an epoch."""
        for each in self.all:
            self._call(each.on_epoch_begin, self.model, epoch)

    def end_batch(self, epoch: int, batch: int, logs: Logs) -> None:
        """Call all after a batch."""
        for each in self.all:
            self._call(each.on_batch_end, self.model, epoch, batch, dict(logs))

    def end_epoch(self, epoch: int, logs: Logs) -> bool:
        """Call all after an epoch; return whether one of them asks to stop."""
        stops = [checks.is_true(self._call(each.on_epoch_end, self.model, epoch, dict(logs))) for each in self.all]
        return any(stops)

    def end_epochs(self) -> None:
        """Call all after the last epoch."""
        for each in self.all:
            self._call(each._end_epochs, self.model)

    def _call(self, function: Callable[..., object], *arguments: Any) -> object:  # noqa: ANN401  what the method takes
        try:
            return function(*arguments)
        finally:
            self.model.history = self.history  # the callback may have called fit itself
