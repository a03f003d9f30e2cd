"""What `Sequential.fit` does with a task that task.py has checked; epochs.py lets the engine run its epochs."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mlpcore import _core, catalogue, network, targets
from mlpcore._core import Net
from mlpcore.beginnings import begun, require_length
from mlpcore.callbacks.callback import Callback, Callbacks, Logs
from mlpcore.callbacks.early_stopping import EarlyStopping
from mlpcore.checks import Samples
from mlpcore.custom_loss import CustomLoss
from mlpcore.engine import Choice, LBFGSState, OptimizerState, StoppingState
from mlpcore.epochs import Between, Place, run_epochs, score
from mlpcore.history import History
from mlpcore.layers import Activation, Dense
from mlpcore.optimizers import Claimed, Optimizer
from mlpcore.progress import Advance, progress_bar
from mlpcore.task import Task

if TYPE_CHECKING:
    from mlpcore.callbacks.checkpoint import Checkpoint
    from mlpcore.model import Sequential

_EPOCHS_AT_ONCE = 1000


class TrainingWarning(UserWarning):
    """A training that cannot lead anywhere: the message says why, and where it was noticed."""


# --------------------------------------------------------------------------------------------------------- the training


def run(
    model: "Sequential", task: Task, epochs: int, callbacks: Sequence[Callback], progress: bool, resume: bool = False
) -> History:
    """Train a model for some epochs; what happens is recorded in its history as it happens."""
    stoppings = _stoppings(task, callbacks)
    writers = _checkpoints(callbacks)
    for each in writers:
        each._prepare(task, list(stoppings))
    kept = writers[0]._read(model) if resume else None
    _warn_if_hopeless(model, task)
    rules = task.metrics.rules if task.rule is None else {"accuracy": task.rule}
    if task.validation is not None:
        rules |= {f"val_{name}": rule for name, rule in rules.items()}
    history = History(rules)
    calls = Callbacks(callbacks, model, history)
    length = task.length(epochs)
    with (
        _explained(history, epochs),
        history._kept(),
        progress_bar(epochs, progress) as advance,
        begun(model, task.optimizer, task.columns, history, length, task.feature_names) as state,
        model._holder.stoppable() as stop,
    ):
        states = [
            stopping._begin(model, larger_is_better, list(task.metrics.choices))
            for stopping, larger_is_better in stoppings.items()
        ]
        if kept is not None:
            writers[0]._restore(kept, model, history)
            state = task.optimizer._claim(model, model._built().params, length)
            for epoch in history.epoch if advance else ():
                advance({name: history[name][epoch] for name in history})  # type: ignore[misc]
        with calls.around_fit():
            between = Between(history, calls, stop, validates=_engine_validates(model, task, state))
            if any(stopping.stopped for stopping in stoppings):  # before it was interrupted
                diverged = None
            elif _runs_python(task, state, between, stoppings):
                diverged = _run_one_by_one(model, task, state, epochs, between, advance)
            else:
                diverged = _run_at_once(model, task, state, epochs, between, advance, states)
            calls.end_epochs()
            task.optimizer._end_fit(model)
            left = _layer_not_finite(model)  # of the last epoch, whatever the best has
            restored = [stopping.best_epoch for stopping in stoppings if stopping._restore(model)]
    now = _layer_not_finite(model) if restored else left
    if diverged is not None or left is not None or now is not None:
        _warn_of_divergence(diverged, now or left, restored[-1] if restored and now is None else None)
    return history


def check_resume(resume: str | None, callbacks: Iterable[Callback]) -> str | None:
    """Return how `fit` is to go on, if it is; ValueError if it is not said from which file."""
    if resume is not None and resume != "auto":
        raise ValueError(f"resume is {resume!r}, expected 'auto' or None: Checkpoint(path) in callbacks names the file")
    if resume is not None and not _checkpoints(callbacks):
        raise ValueError("resume is 'auto', but callbacks has no Checkpoint, expected one: its file is gone on from")
    return resume


def _checkpoints(callbacks: Iterable[Callback]) -> list["Checkpoint"]:
    return [cast("Checkpoint", each) for each in callbacks if each._writes_checkpoints]


@contextmanager
def _explained(history: History, epochs: int) -> Iterator[None]:
    """Tell a user whose Ctrl-C or Stop button ended a fit what there is now; notebooks show this without the stack."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not error.args:
            done = len(history.epoch)
            held = f", and history holds {'that epoch' if done == 1 else 'those epochs'}" if done else ""
            message = (
                f"fit was stopped after {done:,} of {epochs:,} epochs: "
                f"the model is as its last whole batch left it{held}"
            )
            error.args = (message,)
            shown = [f"{type(error).__name__}: {message}"]
            error._render_traceback_ = lambda: shown  # type: ignore[attr-defined]  # what IPython asks for
        raise


def _stoppings(task: Task, callbacks: Iterable[Callback]) -> dict[EarlyStopping, bool]:
    """Return what can end the training early, and whether larger numbers are better there."""
    recorded = [*task.names, *task.metrics.choices, *task.metrics.functions]
    if task.validation is not None:
        recorded += [f"val_{name}" for name in recorded]
    stoppings = {}
    for i, each in enumerate(callbacks):
        if isinstance(each, EarlyStopping):
            stoppings[each] = each._check(recorded, f"callbacks[{i}]")
            if each.restore_best and getattr(task.optimizer, "use_ema", False):
                raise ValueError(
                    f"callbacks[{i}] is {each!r} and the optimizer has use_ema=True: both say with which weights fit "
                    "ends; give restore_best=False, or an optimizer without use_ema"
                )
    return stoppings


def _engine_validates(model: "Sequential", task: Task, state: Claimed) -> bool:
    """Tell whether the engine itself measures the samples to validate with after each epoch."""
    return (
        isinstance(task.validation, Samples)
        and isinstance(state, OptimizerState)
        and not (model._built().has_custom or isinstance(task.loss, CustomLoss) or task.metrics.functions)
    )


def _runs_python(task: Task, state: Claimed, between: Between, stoppings: Iterable[EarlyStopping]) -> bool:
    """Tell whether Python code runs between two epochs."""
    stoppings = list(stoppings)
    others = between.calls.without(stoppings)
    return (
        others.has("on_epoch_begin", "on_epoch_end")
        or len(stoppings) > 1
        or bool(task.metrics.functions)
        or (task.validation is not None and not between.validates)
        or task.optimizer._runs_python
        or (isinstance(state, LBFGSState) and bool(task.metrics or stoppings or others.has("on_batch_end")))
    )


def _run_at_once(
    model: "Sequential",
    task: Task,
    state: Claimed,
    count: int,
    between: Between,
    advance: Advance | None,
    stoppings: Sequence[StoppingState],
) -> str | None:
    """Run all epochs in the engine, many a call; return where the loss ceased to be finite."""
    diverged: str | None = None
    between = between._replace(stopping=stoppings[0] if stoppings else None)
    at_once = _EPOCHS_AT_ONCE if isinstance(task.train, Samples) else 1
    for begin in range(len(between.history.epoch), count, at_once):
        found = run_epochs(model, task, state, min(at_once, count - begin), between, advance)
        diverged = diverged or _where(begin, found)
        if between.is_over:
            break
    return diverged


def _run_one_by_one(
    model: "Sequential", task: Task, state: Claimed, count: int, between: Between, advance: Advance | None
) -> str | None:
    """Run epochs one a call, and what is written in Python between them."""
    diverged: str | None = None
    history, calls = between.history, between.calls
    length = task.length(count)
    for epoch in range(len(history.epoch), count):
        calls.begin_epoch(epoch)
        before = int(model._cursor[0])
        found, measured = _run_epoch(model, task, state, between)
        diverged = diverged or _where(epoch, found)
        if int(model._cursor[0]) == before:  # stopped within the epoch
            break
        if task.validation is not None and not between.validates:
            validated = score(model._built(), task.validation, task.loss, task.rule, task.metrics)
            model.history = history  # a metric may have called fit itself
            task.optimizer._observe(validated["loss"])
            measured |= {f"val_{name}": value for name, value in validated.items()}
        logs = history._extend_last(measured)
        if advance:
            advance(logs)
        if calls.end_epoch(epoch, logs) or between.is_over:
            break
        if epoch + 1 < count:
            task.optimizer._check_for(model)  # a callback may have changed it
            state = task.optimizer._claim(model, model._built().params, length)
    return diverged


def run_once(model: "Sequential", task: Task) -> None:
    """Train a model for one epoch, which no history records."""
    require_length(task.optimizer)
    _warn_if_hopeless(model, task)
    history, epoch = History(), model.epochs_trained
    with begun(model, task.optimizer, task.columns, feature_names=task.feature_names) as state:
        found = run_epochs(model, task, state, 1, Between(history, Callbacks([], model, history)))
    if found is not None:
        _warn_of_divergence(_where(epoch, found), _layer_not_finite(model))


def run_update(model: "Sequential", net: Net, optimizer: Optimizer) -> None:
    """Take one step with the gradients that are there."""
    if not net.has_gradients:
        raise RuntimeError("there was no backward since the last forward: call backward first")
    require_length(optimizer)
    with begun(model, optimizer) as state:
        if not isinstance(state, OptimizerState):
            raise ValueError(f"optimizer is {optimizer!r}, which takes no step by hand: train with fit or partial_fit")
        net.step(state, model._cursor)


def _run_epoch(model: "Sequential", task: Task, state: Claimed, between: Between) -> tuple[Place | None, Logs]:
    """Run one epoch; return where the loss ceased to be finite, and the metrics that the engine does not record."""
    if isinstance(state, LBFGSState):
        logs: Logs = {}
        if task.metrics:  # measured by an evaluation before it: a line search passes many points
            logs = score(model._built(), task.train, task.loss, None, task.metrics)
            del logs["loss"]
        diverged = run_epochs(model, task, state, 1, between)
        if between.history["loss"]:
            between.calls.end_batch(len(between.history.epoch) - 1, 0, {"loss": between.history["loss"][-1]})
        return diverged, logs
    measured = task.measured(1)
    diverged = run_epochs(model, task, state, 1, between, measured=measured)
    try:
        called = task.metrics.call(task.train.y, measured) if isinstance(task.train, Samples) else {}
        return diverged, called
    finally:
        model.history = between.history  # a metric may have called fit itself


# --------------------------------------------------------------------------------------------------------- the warnings


def _warn_if_hopeless(model: "Sequential", task: Task) -> None:
    """Warn of an output that the loss cannot be used with."""
    last = model.layers[-1]
    sigma = last.activation if isinstance(last, Dense | Activation) else None
    if not isinstance(sigma, str | tuple):  # nothing is known of what is written in Python
        return
    if task.shape_of_y == (1,) and "per_row" in catalogue.entry("activations", sigma).traits:
        _warn(
            f"the output is one unit with {sigma!r}, which is 1 whatever it is given: nothing can be learned; "
            "use Dense(1, 'sigmoid') with loss 'bce', or an output for each class"
        )
    elif _takes_probabilities(task.loss, sigma) and not _gives_probabilities(sigma):
        _warn(
            f"loss {task.loss!r} takes logarithms of probabilities, and the output activation {sigma!r} gives other "
            "numbers too: end the model with 'sigmoid' or 'softmax'"
        )


def _takes_probabilities(loss: Choice, sigma: str | tuple[Any, ...]) -> bool:
    """Tell whether a loss of yes or no, or of classes, takes logarithms of what an activation gives."""
    return (targets.has_classes(loss) or targets.is_binary(loss)) and not targets.is_from_z(loss, sigma)


@cache
def _gives_probabilities(sigma: Choice) -> bool:
    """Tell whether an activation stays between 0 and 1."""
    a = _core.activation_forward(sigma, [[-9.0, 9.0]])
    return bool((a >= 0).all() and (a <= 1).all())


def _where(first: int, found: Place | None) -> str | None:
    """Return in words where the loss ceased to be finite, in epochs of which the first has this number."""
    return None if found is None else f"epoch {first + found[0]}, batch {found[1]} (both counted from 0)"


def _warn_of_divergence(where: str | None, layer: str | None, best_epoch: int | None = None) -> None:
    """Warn of a loss that was not finite from somewhere on, or of weights that a layer was left with.

    `best_epoch` tells whose weights the model has now, if not those of the end.
    """
    what = f"the loss became infinite or nan in {where}" if where else "the training ended with a finite loss"
    if layer is not None:
        what += f"; weights of {layer} {'are' if best_epoch is None else 'were then'} infinite or nan"
    if best_epoch is not None:
        what += f"; the model has the weights of its best epoch, {best_epoch}"
    _warn(f"{what}: try a smaller learning rate, clip_norm=, or scaled inputs")


def _layer_not_finite(model: "Sequential") -> str | None:
    """Return the first layer with weights that are not finite."""
    params, input_size = model._built().params, model.input_size
    assert input_size is not None
    if np.isfinite(params).all():
        return None
    tensors = network.tensors(model.layers, input_size, params)
    return next(name.rpartition(".")[0] for name, tensor in tensors.items() if not np.isfinite(tensor).all())


def _warn(message: str) -> None:
    warnings.warn(message, TrainingWarning, stacklevel=5)
