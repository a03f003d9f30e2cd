"""to_torch: a model as an nn.Sequential of PyTorch."""

from __future__ import annotations  # so that signatures show names

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import catalogue, extras
from mlpcore.engine import Choice
from mlpcore.export.given import require_model
from mlpcore.imports import TORCH_NAMES
from mlpcore.layers import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    PReLU,
    RMSNorm,
)
from mlpcore.model import Sequential

if TYPE_CHECKING:
    import torch

__all__ = ["to_torch"]

_TAKEN = (Dense, Activation, Dropout, AlphaDropout, BatchNorm, LayerNorm, RMSNorm, PReLU)


def to_torch(model: Sequential) -> torch.nn.Sequential:
    """Return a model as an nn.Sequential of PyTorch with the same weights: the inverse of `from_torch`.

    Parameters
    ----------
    model : Sequential
        With weights, of `Dense`, `Activation`, `Dropout`, `AlphaDropout`, `BatchNorm`, `LayerNorm`, `RMSNorm` and
        `PReLU`, with any activation of the catalogue but "exponential", for which PyTorch has no module.

    Returns
    -------
    torch.nn.Sequential
        On the CPU, of the model's dtype, with copies of its weights, and in the state of ``eval()``: it predicts. An
        activation is a module of its own. Parameters of layers that are not trainable have ``requires_grad=False``.

    Raises
    ------
    ImportError
        If there is no PyTorch.
    TypeError
        If model is no `Sequential`, or has a layer or an activation that PyTorch has not.
    RuntimeError
        If the model has no weights yet, or another thread is training it.
    """
    require_model(model)
    for j, layer in enumerate(model.layers):
        _check(f"layers.{j}", layer)
    torch = extras.require("torch", "torch")
    for j, layer in enumerate(model.layers):
        _check_activation(f"layers.{j}", layer)
    modules: Iterable[Any] = model._read(lambda _: [module for layer in model.layers for module in _modules_of(layer)])
    return torch.nn.Sequential(*modules).eval()


def _check(path: str, layer: Layer) -> None:
    """Raise TypeError unless PyTorch has the layer and its activation."""
    if not isinstance(layer, _TAKEN):
        expected = ", ".join(kind.__name__ for kind in _TAKEN)
        raise TypeError(f"{path} is {layer._expression()}, for which PyTorch has no module, expected {expected}")
    if not isinstance(getattr(layer, "activation", ""), str | tuple):
        raise TypeError(f"{path} is {layer._expression()}, expected an activation of the catalogue")


def _check_activation(path: str, layer: Layer) -> None:
    """Raise TypeError unless PyTorch has a module for the layer's activation."""
    choice = getattr(layer, "activation", None)
    name = choice if isinstance(choice, str | None) else choice[0]
    if name is not None and _class_of(name) is None:
        raise TypeError(
            f"{path} has activation {name!r}, for which PyTorch has no module, expected another: train with one that "
            "it has, or export the model with to_onnx"
        )


def _modules_of(layer: Layer) -> list[Any]:
    """Return the modules that compute what a layer does."""
    if isinstance(layer, Dense):
        sigma = [] if layer.activation == "linear" else [_activation(layer.activation)]
        return [_filled(layer, _linear(layer), weight=layer.w, bias=layer.b), *sigma]
    if isinstance(layer, Activation):
        return [_activation(layer.activation)]
    return [_same_size(layer)]


def _linear(layer: Dense) -> Any:  # noqa: ANN401
    nn, size = extras.require("torch.nn", "torch"), layer.w.shape
    made = extras.require("torch.nn.utils", "torch").skip_init  # draws nothing from the random numbers of PyTorch
    return made(nn.Linear, size[1], size[0], bias=layer.use_bias)


def _same_size(layer: Layer) -> Any:  # noqa: ANN401
    nn, width = extras.require("torch.nn", "torch"), layer.input_size
    if isinstance(layer, Dropout | AlphaDropout):
        return getattr(nn, type(layer).__name__)(layer.rate)
    if isinstance(layer, PReLU):
        return _filled(layer, nn.PReLU(1 if layer.shared else width), weight=layer.alpha)
    if isinstance(layer, RMSNorm):
        return _filled(layer, nn.RMSNorm(width, eps=layer.epsilon), weight=layer.gamma)
    assert isinstance(layer, LayerNorm | BatchNorm)
    if isinstance(layer, LayerNorm):
        return _filled(layer, nn.LayerNorm(width, eps=layer.epsilon), weight=layer.gamma, bias=layer.beta)
    return _filled(
        layer,
        nn.BatchNorm1d(width, eps=layer.epsilon, momentum=1 - layer.momentum),
        weight=layer.gamma,
        bias=layer.beta,
        running_mean=layer.running_mean,
        running_var=layer.running_variance,
    )


def _filled(layer: Any, module: Any, **arrays: np.ndarray[Any, Any] | None) -> Any:  # noqa: ANN401
    """Return a module of the layer's dtype with these numbers."""
    torch = extras.require("torch", "torch")
    given = {name: torch.from_numpy(np.array(each)) for name, each in arrays.items() if each is not None}
    module.to(given["weight"].dtype)
    with torch.no_grad():
        for name, values in given.items():
            getattr(module, name).copy_(values)
    return module.requires_grad_(layer.trainable)


def _activation(choice: Choice) -> Any:  # noqa: ANN401
    assert isinstance(choice, str | tuple)  # checked before
    name, *constants = (choice,) if isinstance(choice, str) else choice
    settings = {"dim": 1} if "per_row" in catalogue.entry("activations", name).traits else {}
    return _class_of(name)(*constants, **settings)


def _class_of(name: str) -> Any:  # noqa: ANN401
    """Return the class of PyTorch that a row of the catalogue is named like; None if there is none."""
    nn = extras.require("torch.nn", "torch")
    if name == "gelu_tanh":
        return partial(nn.GELU, approximate="tanh")
    theirs = {ours: each for each, ours in TORCH_NAMES.items()}
    by_name = {each.lower(): each for each in vars(nn)}
    found = theirs.get(name) or by_name.get(name.replace("_", ""))
    return None if found is None else getattr(nn, found)
