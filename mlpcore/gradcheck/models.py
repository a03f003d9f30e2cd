"""The models whose gradients can be checked."""

from __future__ import annotations

import copy
import re
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import catalogue, checks, kernels, network, saving, targets
from mlpcore.custom_activation import CustomActivation
from mlpcore.custom_loss import CustomLoss
from mlpcore.engine import Choice
from mlpcore.gradcheck.checkers import copies_of
from mlpcore.gradcheck.compare import Arrays, Problems, compare
from mlpcore.gradcheck.differentiate import Array
from mlpcore.gradcheck.report import Report
from mlpcore.layers import Dense
from mlpcore.model import Sequential


def check_model(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    loss: Choice,
    *,
    sample_weight: ArrayLike | None = None,
    include_input: bool = False,
    training: bool = False,
    max_components: int | None = 5000,
    seed: int = 0,
    progress: bool = True,
    tolerance: float = 1e-7,
) -> Report:
    """Check the gradient of the loss to every weight and bias of a model.

    The analytic side is ``backward`` of a float64 twin with the model's weights, so the model is left as it is. The
    numeric side is the loss as `mlpcore.kernels` compute it, layer by layer; with other layers than dense ones, or with
    parts written in Python, it is the loss of the twin.

    Parameters
    ----------
    model : Sequential
        The model.
    x : array_like
        Inputs of shape (n, in).
    y : array_like
        Ground truth, as ``model.backward`` takes it.
    loss : str, tuple or CustomLoss
        The loss, as ``model.backward`` takes it.
    sample_weight : array_like, optional
        Weights (n,).
    include_input : bool, default False
        Check the gradient to ``x`` too, of a model that begins with a dense layer.
    training : bool, default False
        Let layers act as in training: dropout drops and noise is added, as in the model's next batch.
    max_components : int or None, default 5000
        If there are more components, check a random sample of so many. Every array gets an equal share; what a small
        one, such as a bias, leaves of it goes to the larger ones. None checks all.
    seed : int, default 0
        Seeds the sample.
    progress : bool, default True
        Show a bar if the check takes more than 2 s.
    tolerance : float, default 1e-7
        See `check_function`.

    Returns
    -------
    Report
        Components are named ``layers[0].w``, ``layers[0].b``, ... and ``x``.

    Raises
    ------
    ValueError
        If ``max_components`` is less than one of each array, or the data do not fit the model and the loss.
    """
    if max_components is not None:
        max_components = checks.whole_number("max_components", max_components, at_least=1)
    seed, shown = checks.seed_number(seed), checks.flag("progress", progress)
    training = checks.flag("training", training)
    twin = float64_twin(model)
    at = copies_of({"x": x})
    twin.forward(at["x"], training=training)
    twin.backward(y, loss=loss, sample_weight=sample_weight)
    target = checks.targets_of(
        "y", y, checks.given_loss(loss), len(at["x"]), twin._output_size(at["x"].shape[1]), np.float64
    )
    target = target if target.ndim > 1 else targets.one_hot(target, twin._output_size(at["x"].shape[1]))
    in_kernels = not isinstance(loss, CustomLoss) and all(
        isinstance(layer, Dense) and not isinstance(layer.activation, CustomActivation) for layer in twin.layers
    )
    problems, analytic = (
        _dense_problems(twin, at["x"], target, loss, sample_weight)
        if in_kernels
        else _problems(twin, at["x"], y, loss, sample_weight, training)
    )
    if include_input:
        first = twin.layers[0]
        if not isinstance(first, Dense):
            raise ValueError(
                f"include_input is True for a model that begins with {first!r}, expected a dense layer there"
            )
        analytic["x"] = kernels.dense_backward(first.phi, at["x"], first.w)[0]
        problems.append((problems[0][0], at))
    note = (
        "" if model.dtype == twin.dtype else f"a {model.dtype} model, checked on a {twin.dtype} twin with its weights"
    )
    return compare(
        problems,
        analytic,
        tolerance,
        f"{_names(model)} with {catalogue.label(loss)}",
        note,
        max_components=max_components,
        seed=seed,
        progress=shown,
    )


def _dense_problems(
    twin: Sequential, x: Array, target: Array, loss: Choice, sample_weight: ArrayLike | None
) -> tuple[Problems, Arrays]:
    """Return the loss as a function of each dense layer's parameters, computed from there up, and the gradients."""
    layers = twin.layers
    parameters = [
        (np.array(layer.w), np.array(layer.b) if layer.use_bias else np.zeros(layer.units)) for layer in layers
    ]

    def loss_from(j: int, x: Array) -> float:
        z = kernels.dense_forward(x, *parameters[j])
        for below, parameter in zip(layers[j:], parameters[j + 1 :], strict=False):
            z = kernels.dense_forward(kernels.activation_forward(below.activation, z), *parameter)
        return kernels.output_loss(loss, layers[-1].activation, z, target, sample_weight=sample_weight)

    problems: Problems = []
    analytic: Arrays = {}
    for j, layer in enumerate(layers):
        names = (f"layers[{j}].w", f"layers[{j}].b")[: 1 + layer.use_bias]
        at = x if j == 0 else np.array(layer.x)
        problems.append((partial(loss_from, j, at), dict(zip(names, parameters[j], strict=False))))
        analytic |= dict(zip(names, (layer.grad_w, layer.grad_b), strict=False))
    return problems, analytic


def _problems(
    twin: Sequential, x: Array, y: ArrayLike, loss: Choice, sample_weight: ArrayLike | None, training: bool
) -> tuple[Problems, Arrays]:
    """Return the loss as a function of the parameters of any layers, computed by the twin itself, and the gradients."""
    net = twin._built()
    gradients = network.tensors(twin.layers, x.shape[1], net.grads.copy())

    def loss_of_twin() -> float:
        twin.forward(x, training=training)
        return twin.backward(y, loss, sample_weight=sample_weight)

    parameters = network.tensors(twin.layers, x.shape[1], net.params)
    problems: Problems = [(loss_of_twin, {_label(name): values for name, values in parameters.items()})]
    return problems, {_label(name): values for name, values in gradients.items()}


def _label(path: str) -> str:
    """Return layers.2.layers.0.w as layers[2].layers[0].w."""
    return re.sub(r"\.(\d+)", r"[\1]", path)


def float64_twin(model: Sequential) -> Sequential:
    """Return a model like this one, with its numbers in float64."""
    twin = Sequential(copy.deepcopy(model.layers), input_size=model.input_size, dtype="float64", seed=model.seed)
    twin._built().params[...], twin._built().state[...] = saving.snapshot(model._built())
    twin._cursor[...] = model._cursor
    return twin


def _names(model: Sequential) -> str:
    """Return the model in a few characters, such as 64-32 relu-10 softmax."""
    layers = (
        f"{layer.units} {catalogue.label(layer.activation)}" if isinstance(layer, Dense) else layer._expression()
        for layer in model.layers
    )
    return "-".join([str(model.input_size), *layers])
