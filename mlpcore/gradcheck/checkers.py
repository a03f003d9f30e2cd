"""The functions, kernels and layers whose gradients can be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from mlpcore import catalogue, kernels
from mlpcore.checks import flag
from mlpcore.custom_activation import CustomActivation
from mlpcore.custom_loss import CustomLoss
from mlpcore.engine import Choice
from mlpcore.gradcheck.compare import Arrays, compare
from mlpcore.gradcheck.differentiate import Array
from mlpcore.gradcheck.layers import layer_sides
from mlpcore.gradcheck.report import Report
from mlpcore.gradcheck.sides import activation_sides, loss_sides
from mlpcore.layers import Dense, Layer
from mlpcore.lazy import random_generator

ACTIVATIONS = catalogue.names("activations")
LOSSES = catalogue.names("losses")


def check_function(
    f: Callable[..., float],
    inputs: Mapping[str, ArrayLike],
    analytic: Mapping[str, ArrayLike],
    *,
    tolerance: float = 1e-7,
    subject: str = "function",
) -> Report:
    """Check the gradient of a scalar function.

    Parameters
    ----------
    f : callable
        Called as ``f(**inputs)`` with float64 arrays; must return a number and must not keep or change the arrays.
        Outside its domain it may return NaN or raise ValueError or ArithmeticError: such a step is not used.
    inputs : mapping of str to array_like
        The point at which to differentiate. Arrays are copied.
    analytic : mapping of str to array_like
        The gradient to check for each input named here, of that input's shape. Inputs without one are held fixed.
    tolerance : float, default 1e-7
        Largest relative error that passes. The error is abs(analytic - numeric) / max(abs(analytic), abs(numeric),
        floor). Below the floor the rounding of f alone moves a difference by more than the tolerance, so smaller
        components are compared on that scale: floor = 16 eps (abs(f) / 2 + g) / (h tolerance), where g is the largest
        abs(gradient * input) of all components, and h the smallest step the difference rests on.
    subject : str, default "function"
        What the report calls it.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If ``analytic`` names no input, or a gradient's shape is not its input's.
    """
    arrays = copies_of(inputs)
    gradients = copies_of(analytic)
    for name, gradient in gradients.items():
        if name not in arrays:
            raise ValueError(f"analytic names {name!r}, which is not one of the inputs ({', '.join(arrays)})")
        if gradient.shape != arrays[name].shape:
            raise ValueError(
                f"analytic[{name!r}] has shape {gradient.shape}, expected {arrays[name].shape}: its input's"
            )
    moved = {name: arrays[name] for name in gradients}
    return compare([(lambda: float(f(**arrays)), moved)], gradients, tolerance, subject)


def check_kernel(
    name: Choice,
    inputs: Mapping[str, ArrayLike] | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    seed: int = 0,
    tolerance: float = 1e-7,
) -> Report:
    """Check a backward function of ``mlpcore.kernels`` against its forward function.

    An output that is an array is contracted with a random upstream gradient, so that every entry of it counts.

    Parameters
    ----------
    name : str, CustomActivation or CustomLoss
        ``"dense"`` (eq. 2 without sigma', eq. 3 and 4), an activation (``"relu"``), a loss (``"mse"``), or an output
        pair (``"cce+softmax"``: phi^J, eq. 1). Or an activation or loss that is written in Python, to be checked by
        itself.
    inputs : mapping of str to array_like, optional
        ``x`` (n, in), ``w`` (out, in), ``b`` (out,) for dense; ``z`` (n, out) for an activation; ``y_hat`` and ``y``
        (n, out) for a loss; ``z`` and ``y`` for a pair. Default: small random arrays inside the function's domain.
    sample_weight : array_like, optional
        Weights (n,) for a loss or a pair.
    seed : int, default 0
        Seeds the upstream gradient and the default inputs.
    tolerance : float, default 1e-7
        See `check_function`.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If there is no such kernel, an input is missing or is none of the kernel's, or weights are given to a kernel
        that has none.
    """
    rng = random_generator(seed)
    terms = 0.0
    loss, _, activation = name.partition("+") if isinstance(name, str) else (name, "", "")
    if sample_weight is not None and loss not in LOSSES and not isinstance(name, CustomLoss):
        raise ValueError(f"sample_weight is given, expected None for {name!r}: only a loss or a pair has weights")
    if name == "dense":
        if inputs is None:
            at = {"x": rng.normal(size=(5, 3)), "w": rng.normal(size=(4, 3)), "b": rng.normal(size=4)}
        else:
            at = _inputs_of(name, inputs, "x", "w", "b")
        upstream = rng.normal(size=(len(at["x"]), len(at["w"])))
        analytic = dict(zip(("x", "w", "b"), kernels.dense_backward(upstream, at["x"], at["w"]), strict=True))

        def f() -> float:
            return float(np.vdot(upstream, kernels.dense_forward(at["x"], at["w"], at["b"])))

        terms = _size_of_terms(upstream, kernels.dense_forward(at["x"], at["w"], at["b"]))

    elif isinstance(name, CustomActivation) or name in ACTIVATIONS:
        forward, backward = activation_sides(name)
        at = {"z": rng.normal(size=(5, 4))} if inputs is None else _inputs_of(name, inputs, "z")
        upstream = rng.normal(size=at["z"].shape)
        analytic = {"z": backward(at["z"], upstream)}

        def f() -> float:
            return float(np.vdot(upstream, forward(at["z"])))

        terms = _size_of_terms(upstream, forward(at["z"]))

    elif isinstance(name, CustomLoss) or name in LOSSES:
        value, gradient = loss_sides(name, sample_weight)
        if inputs is None:
            at = {"y_hat": rng.uniform(0.1, 0.9, (5, 4)), "y": rng.uniform(0, 1, (5, 4))}
        else:
            at = _inputs_of(name, inputs, "y_hat", "y")
        analytic = {"y_hat": gradient(at["y_hat"], at["y"])}

        def f() -> float:
            return value(at["y_hat"], at["y"])

    elif loss in LOSSES and activation in ACTIVATIONS:
        if inputs is None:
            at = {"z": rng.uniform(0.1, 0.9, (5, 4)), "y": rng.uniform(0, 1, (5, 4))}
        else:
            at = _inputs_of(name, inputs, "z", "y")
        analytic = {"z": kernels.output_phi(loss, activation, at["z"], at["y"], sample_weight=sample_weight)}

        def f() -> float:
            return kernels.output_loss(loss, activation, at["z"], at["y"], sample_weight=sample_weight)

    else:
        raise ValueError(
            f"name is {name!r}, expected 'dense', an activation ({', '.join(ACTIVATIONS)}), "
            f"a loss ({', '.join(LOSSES)}), a pair of the two like 'cce+softmax', or one written in Python"
        )
    return compare([(f, {key: at[key] for key in analytic})], analytic, tolerance, str(name), terms=terms)


def check_layer(
    layer: Layer, x: ArrayLike, *, training: bool = False, seed: int = 0, tolerance: float = 1e-7
) -> Report:
    """Check a layer's gradients to ``x`` and to its parameters, for a random upstream gradient.

    Of a dense layer, its activation included, both sides are what `mlpcore.kernels` compute; of any other they are
    forward and backward of a float64 twin. An `Embedding` has no gradient to ``x``.

    Parameters
    ----------
    layer : Layer
        A layer of a model that has its arrays; they are copied to float64, and it is left as it is.
    x : array_like
        Inputs of shape (n, in).
    training : bool, default False
        Let the layer act as in training: `BatchNorm` takes the mean and variance of x, and dropout drops.
    seed : int, default 0
        Seeds the upstream gradient.
    tolerance : float, default 1e-7
        See `check_function`.

    Returns
    -------
    Report

    Raises
    ------
    TypeError, ValueError
        If it is no layer, or cannot read x.
    RuntimeError
        If the layer has no arrays yet.
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"layer is {layer!r}, expected a layer of a model, such as model.layers[0]")
    training = flag("training", training)
    if isinstance(layer, Dense):
        return _check_dense(layer, x, seed, tolerance)
    f, moved, analytic, (upstream, y) = layer_sides(layer, copies_of({"x": x})["x"], training, seed)
    return compare([(f, moved)], analytic, tolerance, str(layer), terms=_size_of_terms(upstream, y))


def _check_dense(layer: Dense, x: ArrayLike, seed: int, tolerance: float) -> Report:
    bias = np.zeros(layer.units) if layer.b is None else layer.b
    at = copies_of({"x": x, "w": layer.w, "b": bias})
    forward, backward = activation_sides(layer.activation)
    upstream = random_generator(seed).normal(size=(len(at["x"]), len(at["w"])))

    def f() -> float:
        z = kernels.dense_forward(at["x"], at["w"], at["b"])
        return float(np.vdot(upstream, forward(z)))

    z = kernels.dense_forward(at["x"], at["w"], at["b"])
    phi = backward(z, upstream)
    analytic = dict(zip(("x", "w", "b"), kernels.dense_backward(phi, at["x"], at["w"]), strict=True))
    terms = _size_of_terms(upstream, forward(z))
    moved = {name: values for name, values in at.items() if name != "b" or layer.use_bias}
    return compare([(f, moved)], analytic, tolerance, str(layer), terms=terms)


def _inputs_of(name: object, given: Mapping[str, ArrayLike], *expected: str) -> Arrays:
    """Return the inputs given for a kernel as arrays, or raise an error that says which it takes."""
    missing = [repr(key) for key in expected if key not in given]
    unknown = [repr(key) for key in given if key not in expected]
    if missing or unknown:
        wrong = [f"{what} {', '.join(keys)}" for what, keys in (("lack", missing), ("have", unknown)) if keys]
        raise ValueError(f"inputs of {name!r} {' and '.join(wrong)}, expected {', '.join(map(repr, expected))}")
    return copies_of(given)


def _size_of_terms(upstream: Array, output: Array) -> float:
    """Return how large the sum of upstream * output is where its terms do not cancel."""
    return float(np.linalg.norm(upstream * output))


def copies_of(arrays: Mapping[str, ArrayLike]) -> Arrays:
    """Return arrays as float64, in memory of their own."""
    return {name: np.array(value, dtype=np.float64) for name, value in arrays.items()}
