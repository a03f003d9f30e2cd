"""What `Sequential.fit` does: every argument is checked before anything changes, then epochs run in the engine."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import catalogue, checks, losses, network
from mlpcore._core import BusyError, Net
from mlpcore.engine import Entry, OptimizerState, TrainSettings
from mlpcore.history import History
from mlpcore.layers import Activation, Dense
from mlpcore.optimizers import Optimizer
from mlpcore.progress import progress_bar

if TYPE_CHECKING:
    from mlpcore.model import Sequential

Logs = dict[str, float]
Callback = Callable[["Sequential", int, Logs], object]

LAST_EPOCH = 2**32 - 1  # the engine counts epochs in 32 bits
_EPOCHS_AT_ONCE = 1000
_MAX_BATCH = 2**63 - 1


class TrainingWarning(UserWarning):
    """A training that cannot lead anywhere: the message says why, and where it was noticed."""


@dataclass(frozen=True)
class Task:
    """A training, all of it checked: nothing in it can be refused any more."""

    train: checks.Samples
    validation: checks.Samples | None
    loss: Entry
    optimizer: Optimizer
    batch_size: int
    shuffle: bool
    mean_weight: float
    """What a sample's weight is relative to."""
    rule: str | None
    """The metric by which accuracies count."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what the engine measures in each epoch."""
        return ("loss",) if self.rule is None else ("loss", "accuracy")


# ----------------------------------------------------------------------------------------------------------- the checks


def samples_of(
    model: "Sequential",
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    loss: Entry,
    of: str = "",
    columns: int | None = None,
) -> checks.Samples:
    """Return rows for a model to learn from or to be measured on."""
    return checks.samples_of(
        X,
        y,
        sample_weight,
        loss=loss,
        columns=columns or model.input_size,
        out=model._output_size,
        dtype=model.dtype,
        of=of,
    )


def task_of(
    model: "Sequential",
    X: ArrayLike,
    y: ArrayLike,
    loss: Entry | None,
    optimizer: Optimizer,
    batch_size: int,
    shuffle: bool,
    sample_weight: ArrayLike | None,
    *,
    validation_data: Sequence[ArrayLike] | None = None,
    validation_split: float = 0.0,
    class_weight: Mapping[int, float] | None = None,
    relative: bool = True,
) -> Task:
    """Check the arguments of a training; the model and the optimizer stay as they are.

    `relative`: weights are relative to their mean. Otherwise they are taken as they are, and rows may all weigh 0.
    """
    loss = checks.given_loss(loss)
    optimizer._check_for(model)
    batch_size = checks.whole_number("batch_size", batch_size, at_least=1, at_most=_MAX_BATCH)
    shuffle = checks.flag("shuffle", shuffle)
    train = samples_of(model, X, y, sample_weight, loss)
    rule = losses.accuracy_rule(loss, train.y)  # one for all rows, also those to validate with
    validation = None
    if checks.real_number("validation_split", validation_split, at_least=0, below=1) > 0:
        if validation_data is not None:
            raise ValueError("validation_data and validation_split are both given, expected one of them")
        train, validation = train.split(validation_split)
        for part, rows in (("training", train), ("validation", validation)):
            if rows.weight is not None and not rows.weight.any():
                raise ValueError(
                    f"sample_weight is 0 in every row of the {part} part that validation_split={validation_split} "
                    "leaves, expected at least one weight > 0 there: shuffle the rows first, or choose another fraction"
                )
    elif validation_data is not None:
        validation = _validation_of(model, validation_data, train.x.shape[1], loss)
    if class_weight is not None:
        train = checks.weighted_by_class(train, class_weight, loss)
    train = train.without_zero_weights()
    mean = 1.0 if train.weight is None or not relative else float(train.weight.mean(dtype=np.float64))
    return Task(train, validation, loss, optimizer, batch_size, shuffle, mean, rule)


def _validation_of(model: "Sequential", data: Sequence[ArrayLike], columns: int, loss: Entry) -> checks.Samples:
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise ValueError("validation_data is expected to be (X, y) or (X, y, sample_weight)")
    sample_weight = data[2] if len(data) == 3 else None
    return samples_of(model, data[0], data[1], sample_weight, loss, " of validation_data", columns)


def check_epochs(model: "Sequential", epochs: int) -> int:
    """Return how many epochs are asked for, if the model can count so many more."""
    epochs = checks.whole_number("epochs", epochs, at_least=1)
    if epochs > LAST_EPOCH + 1 - model.epochs_trained:
        raise ValueError(
            f"epochs is {epochs} after {model.epochs_trained}, expected at most {LAST_EPOCH + 1} in all: "
            "set epochs_trained to 0 to count anew"
        )
    return epochs


# --------------------------------------------------------------------------------------------------------- the training


def run(model: "Sequential", task: Task, epochs: int, callbacks: Iterable[Callback], progress: bool) -> History:
    """Train a model for some epochs; what happens is recorded in its history as it happens."""
    _warn_if_hopeless(model, task)
    rules = {} if task.rule is None else {"accuracy": task.rule}
    if task.validation is not None and task.rule is not None:
        rules["val_accuracy"] = task.rule
    history = History(rules)
    calls = list(callbacks)
    with progress_bar(epochs, progress) as advance, _undone_if_refused(model, task.optimizer):
        state = _begin(model, task)
        model.history = history
        if task.validation is None and not calls:  # no Python code runs between epochs: train them all in one call
            for begin in range(0, epochs, _EPOCHS_AT_ONCE):
                run_epochs(model, task, state, min(_EPOCHS_AT_ONCE, epochs - begin), history, advance)
            return history
        for epoch in range(epochs):
            run_epochs(model, task, state, 1, history)
            if task.validation is not None:
                measured = score(model, task.validation, task.loss, task.rule)
                history._extend_last({f"val_{name}": value for name, value in measured.items()})
            logs = history._logs[-1]
            if advance:
                advance(logs)
            if _call(calls, model, epoch, logs, history):
                break
            task.optimizer._check_for(model)  # a callback may have changed it
            state = task.optimizer._claim(model, model._built().params)
    return history


def run_once(model: "Sequential", task: Task) -> None:
    """Train a model for one epoch, which no history records."""
    with _undone_if_refused(model, task.optimizer):
        run_epochs(model, task, _begin(model, task), 1, History())


@contextmanager
def _undone_if_refused(model: "Sequential", optimizer: Optimizer) -> Iterator[None]:
    """Take everything back if an exception leaves before a batch was done: another call has the network, say."""
    bound, history, cursor = model._holder.bound, model.history, model._cursor.copy()
    state, owner = optimizer._state, optimizer._owner
    try:
        yield
    except BaseException as error:
        if isinstance(error, BusyError) or (model._cursor == cursor).all():
            model._holder.bound, model.history = bound, history
            optimizer._state, optimizer._owner = state, owner
        raise


def _begin(model: "Sequential", task: Task) -> OptimizerState:
    """Build the model if it has no weights yet, and give it the optimizer: the first change that a training makes."""
    bound = model._bound_for(task.train.x.shape[1])
    state = task.optimizer._claim(model, bound.net.params)
    model._bind_net(bound)
    model._cursor[1] = 0
    return state


def _call(callbacks: Iterable[Callback], model: "Sequential", epoch: int, logs: Logs, history: History) -> bool:
    """Call all callbacks; return whether one of them asks to stop."""
    stops = []
    for callback in callbacks:
        try:
            stops.append(checks.is_true(callback(model, epoch, dict(logs))))
        finally:
            model.history = history  # the callback may have called fit itself
    return any(stops)


def run_update(model: "Sequential", net: Net, optimizer: Optimizer) -> None:
    """Take one step with the gradients that are there."""
    if not net.has_gradients:
        raise RuntimeError("there was no backward since the last forward: call backward first")
    with _undone_if_refused(model, optimizer):
        net.step(optimizer._claim(model, net.params))
        model._cursor[1] += 1


def run_epochs(
    model: "Sequential",
    task: Task,
    state: OptimizerState,
    epochs: int,
    history: History,
    advance: Callable[[Logs], None] | None = None,
) -> None:
    """Run epochs in the engine, which counts them in the model's cursor and writes their scores as they end."""
    net, cursor = model._built(), model._cursor
    scores = np.empty((epochs, 2), np.float64)
    before = int(cursor[0])
    shown = 0

    def show(batches: int = 0) -> None:
        nonlocal shown
        while advance and shown < int(cursor[0]) - before:
            shown += 1
            advance(dict(zip(task.names, scores[shown - 1].tolist(), strict=False)))

    history._follow(task.names, scores, cursor)
    settings = TrainSettings(
        loss=task.loss,
        metric=task.rule,
        optimizer=state,
        batch_size=task.batch_size,
        shuffle=task.shuffle,
        seed=model.seed,
        epochs=epochs,
        mean_weight=task.mean_weight,
        cursor=cursor,
        scores=scores,
        progress=show,
    )
    x, y, weight = task.train
    try:
        _, first_not_finite = net.train(x, y, weight, settings)
    finally:
        show()
    if first_not_finite >= 0:
        _warn_of_divergence(model, task, before, first_not_finite)


def score(model: "Sequential", samples: checks.Samples, loss: Entry, rule: str | None) -> Logs:
    """Measure a model, which has weights."""
    x, y, weight = samples
    value, accuracy = model._built().loss(x, y, loss, rule, weight)
    return {"loss": value} if rule is None else {"loss": value, "accuracy": accuracy}


# --------------------------------------------------------------------------------------------------------- the warnings


def _warn_if_hopeless(model: "Sequential", task: Task) -> None:
    """Warn of an output that the loss cannot be used with."""
    last = model.layers[-1]
    sigma = last.activation if isinstance(last, Dense | Activation) else None
    out = task.train.y.shape[1]
    if out == 1 and sigma is not None and "per_row" in catalogue.entry("activations", sigma).traits:
        _warn(
            f"the output is one unit with {sigma!r}, which is 1 whatever it is given: nothing can be learned; "
            "use Dense(1, 'sigmoid') with loss 'bce', or an output for each class"
        )
    elif task.rule is not None and sigma in ("linear", "relu", "tanh"):
        _warn(
            f"loss {task.loss!r} takes logarithms of probabilities, and the output activation {sigma!r} gives other "
            "numbers too: end the model with 'sigmoid' or 'softmax'"
        )


def _warn_of_divergence(model: "Sequential", task: Task, first_epoch: int, batch: int) -> None:
    """Warn of the first batch whose loss was not finite."""
    batches = math.ceil(len(task.train.x) / task.batch_size)
    layer = _first_layer_not_finite(model, model._built())
    where = "" if layer is None else f"; weights of {layer} are not finite"
    _warn(
        f"the loss became infinite or nan in epoch {first_epoch + batch // batches}, batch {batch % batches} "
        f"(both counted from 0){where}: try a smaller learning rate, clip_norm=, or scaled inputs"
    )


def _first_layer_not_finite(model: "Sequential", net: Net) -> str | None:
    input_size = model.input_size
    assert input_size is not None
    tensors = network.tensors(model.layers, input_size, net.params)
    return next((name.rpartition(".")[0] for name, tensor in tensors.items() if not np.isfinite(tensor).all()), None)


def _warn(message: str) -> None:
    warnings.warn(message, TrainingWarning, stacklevel=5)
