"""What `Sequential.fit` does with a task that task.py has checked: epochs run in the engine."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import _core, catalogue, checks, network, targets
from mlpcore._core import Net
from mlpcore.beginnings import begun, require_length
from mlpcore.engine import Choice, LBFGSState, MetricsState, OptimizerState, TrainSettings
from mlpcore.history import History
from mlpcore.layers import Activation, Dense
from mlpcore.metrics import Metrics
from mlpcore.optimizers import Claimed, Optimizer
from mlpcore.progress import progress_bar
from mlpcore.task import Task

if TYPE_CHECKING:
    from mlpcore.model import Sequential

Logs = dict[str, float]
Callback = Callable[["Sequential", int, Logs], object]

_EPOCHS_AT_ONCE = 1000


class TrainingWarning(UserWarning):
    """A training that cannot lead anywhere: the message says why, and where it was noticed."""


# --------------------------------------------------------------------------------------------------------- the training


def run(model: "Sequential", task: Task, epochs: int, callbacks: Iterable[Callback], progress: bool) -> History:
    """Train a model for some epochs; what happens is recorded in its history as it happens."""
    _warn_if_hopeless(model, task)
    rules = task.metrics.rules if task.rule is None else {"accuracy": task.rule}
    if task.validation is not None:
        rules |= {f"val_{name}": rule for name, rule in rules.items()}
    history = History(rules)
    calls = list(callbacks)
    diverged: str | None = None
    length = task.length(epochs)
    with (
        _explained(history, epochs),
        history._kept(),
        progress_bar(epochs, progress) as advance,
        begun(model, task.optimizer, task.columns, history, length) as state,
    ):
        runs_python = (
            bool(calls or task.metrics.functions) or task.optimizer._runs_python or _needs_evaluation(task, state)
        )
        if (
            task.validation is None and not runs_python
        ):  # no Python code runs between epochs: train them all in one call
            for begin in range(0, epochs, _EPOCHS_AT_ONCE):
                count = min(_EPOCHS_AT_ONCE, epochs - begin)
                found = run_epochs(model, task, state, count, history, advance, task.measured(count))
                diverged = diverged or found
        else:
            for epoch in range(epochs):
                found, measured = _run_epoch(model, task, state, history)
                diverged = diverged or found
                if task.validation is not None:
                    validated = score(model._built(), task.validation, task.loss, task.rule, task.metrics)
                    model.history = history  # a metric may have called fit itself
                    task.optimizer._observe(validated["loss"])
                    measured |= {f"val_{name}": value for name, value in validated.items()}
                logs = history._extend_last(measured)
                if advance:
                    advance(logs)
                if _call(calls, model, epoch, logs, history):
                    break
                if epoch + 1 < epochs:
                    task.optimizer._check_for(model)  # a callback may have changed it
                    state = task.optimizer._claim(model, model._built().params, length)
        task.optimizer._end_fit(model)
    layer = _layer_not_finite(model)
    if diverged is not None or layer is not None:
        _warn_of_divergence(diverged, layer)
    return history


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
                f"fit was stopped after {done} of {epochs} epochs: the model is as its last whole batch left it{held}"
            )
            error.args = (message,)
            shown = [f"{type(error).__name__}: {message}"]
            error._render_traceback_ = lambda: shown  # type: ignore[attr-defined]  # what IPython asks for
        raise


def run_once(model: "Sequential", task: Task) -> None:
    """Train a model for one epoch, which no history records."""
    require_length(task.optimizer)
    _warn_if_hopeless(model, task)
    with begun(model, task.optimizer, task.columns) as state:
        diverged = run_epochs(model, task, state, 1, History())
    if diverged is not None:
        _warn_of_divergence(diverged, _layer_not_finite(model))


def run_update(model: "Sequential", net: Net, optimizer: Optimizer) -> None:
    """Take one step with the gradients that are there."""
    if not net.has_gradients:
        raise RuntimeError("there was no backward since the last forward: call backward first")
    require_length(optimizer)
    with begun(model, optimizer) as state:
        if not isinstance(state, OptimizerState):
            raise ValueError(f"optimizer is {optimizer!r}, which takes no step by hand: train with fit or partial_fit")
        net.step(state, model._cursor)


def _needs_evaluation(task: Task, state: Claimed) -> bool:
    """Tell whether metrics of an epoch are measured by an evaluation before it: a line search passes many points."""
    return bool(task.metrics) and isinstance(state, LBFGSState)


def _run_epoch(model: "Sequential", task: Task, state: Claimed, history: History) -> tuple[str | None, Logs]:
    """Run one epoch; return where the loss ceased to be finite, and the metrics that the engine does not record."""
    if _needs_evaluation(task, state):
        logs = score(model._built(), task.train, task.loss, None, task.metrics)
        del logs["loss"]
        return run_epochs(model, task, state, 1, history), logs
    measured = task.measured(1)
    diverged = run_epochs(model, task, state, 1, history, measured=measured)
    try:
        return diverged, task.metrics.call(task.train.y, measured)
    finally:
        model.history = history  # a metric may have called fit itself


def _call(callbacks: Iterable[Callback], model: "Sequential", epoch: int, logs: Logs, history: History) -> bool:
    """Call all callbacks; return whether one of them asks to stop."""
    stops = []
    for callback in callbacks:
        try:
            stops.append(checks.is_true(callback(model, epoch, dict(logs))))
        finally:
            model.history = history  # the callback may have called fit itself
    return any(stops)


def run_epochs(
    model: "Sequential",
    task: Task,
    state: Claimed,
    epochs: int,
    history: History,
    advance: Callable[[Logs], None] | None = None,
    measured: MetricsState | None = None,
) -> str | None:
    """Run epochs in the engine, which counts them in the model's cursor and writes scores and metrics as they end.

    Returns where the loss ceased to be finite, or None.
    """
    net, cursor = model._built(), model._cursor
    scores = np.empty((epochs, 2), np.float64)
    names, values = tuple(task.metrics.choices), scores[:, :0]
    if measured is not None:
        values = measured.values
    before = int(cursor[0])
    shown = 0

    def show(batches: int = 0) -> None:
        nonlocal shown
        while advance and shown < int(cursor[0]) - before:
            shown += 1
            logs = dict(zip(task.names, scores[shown - 1].tolist(), strict=False))
            advance(logs | dict(zip(names, values[shown - 1].tolist(), strict=False)))

    steps = state if isinstance(state, OptimizerState) else None
    rates = None if steps is None or steps.schedule is None else np.empty(epochs, np.float64)
    history._follow(task.names, scores, cursor, rates, None if measured is None else (names, measured.values))
    settings = TrainSettings(
        loss=task.loss,
        metric=task.rule,
        optimizer=steps,
        batch_size=task.batch_size,
        shuffle=task.shuffle,
        seed=model.seed,
        epochs=epochs,
        mean_weight=task.mean_weight,
        cursor=cursor,
        scores=scores,
        progress=show,
        resume=False,
        rates=rates,
        lbfgs=state if isinstance(state, LBFGSState) else None,
        metrics=measured,
    )
    x, y, weight = task.train
    _, batch = net.train(x, y, weight, settings)
    show()
    if batch < 0:
        return None
    batches = math.ceil(len(x) / task.batch_size)
    return f"epoch {before + batch // batches}, batch {batch % batches} (both counted from 0)"


def score(net: Net, samples: checks.Samples, loss: Choice, rule: str | None, metrics: Metrics) -> Logs:
    """Measure a network; its own accuracy counts by the metric `rule`."""
    x, y, weight = samples
    state = metrics.state(len(x), y.dtype)
    value, accuracy = net.loss(x, y, loss, rule, weight, state)
    logs = {"loss": value} if rule is None else {"loss": value, "accuracy": accuracy}
    if state is not None:
        logs |= dict(zip(metrics.choices, state.values[0].tolist(), strict=True)) | metrics.call(y, state)
    return logs


# --------------------------------------------------------------------------------------------------------- the warnings


def _warn_if_hopeless(model: "Sequential", task: Task) -> None:
    """Warn of an output that the loss cannot be used with."""
    last = model.layers[-1]
    sigma = last.activation if isinstance(last, Dense | Activation) else None
    if not isinstance(sigma, str | tuple):  # nothing is known of what is written in Python
        return
    if task.train.y.shape[1:] == (1,) and "per_row" in catalogue.entry("activations", sigma).traits:
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


def _warn_of_divergence(where: str | None, layer: str | None) -> None:
    """Warn of a loss that was not finite from somewhere on, or of weights that a layer was left with."""
    what = f"the loss became infinite or nan in {where}" if where else "the training ended with a finite loss"
    if layer is not None:
        what += f"; weights of {layer} are infinite or nan"
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
