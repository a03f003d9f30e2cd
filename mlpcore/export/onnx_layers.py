"""The steps of a plan as nodes of ONNX: a function for each row of the catalogue's layers, by its name.

Each takes x, the step, and its parameters and buffers as `_core.Net` shows them, and returns y. What only training
does, such as dropping inputs, is not in the graph.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue
from mlpcore.engine import Choice, Step
from mlpcore.export import onnx_activations
from mlpcore.export.onnx_graph import Value

Arrays = Sequence[NDArray[Any]]


def dense(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    inputs = [x.graph.parameter(name, each) for name, each in zip("wb", parameters, strict=False)]
    return x.apply("Gemm", *inputs, transB=1)


def activation(z: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    name, *given = _tuple_of(step.constants)
    hypers = catalogue.entry("activations", name).hypers
    a: Value = getattr(onnx_activations, name)(z, *given, *(hyper.default for hyper in hypers[len(given) :]))
    return a


def dropout(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    return x


def alpha_dropout(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    return x


def gaussian_noise(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    return x


def fork(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    x.graph.forks.append(x)
    return x


def join(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    return x.graph.forks.pop() + x


def batch_norm(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    graph, (gamma, beta), (mean, variance) = x.graph, parameters, buffers
    _, epsilon = _tuple_of(step.constants)
    shift, running_mean = graph.parameter("beta", beta), graph.parameter("running_mean", mean)
    if graph.is_single:
        gamma_, variance_ = graph.parameter("gamma", gamma), graph.parameter("running_variance", variance)
        return x.apply("BatchNormalization", gamma_, shift, running_mean, variance_, epsilon=epsilon)
    return (x - running_mean) * graph.parameter("factor", gamma / np.sqrt(variance + epsilon)) + shift


def layer_norm(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    graph = x.graph
    gamma, beta = (graph.parameter(name, each) for name, each in zip(("gamma", "beta"), parameters, strict=True))
    epsilon: float = _tuple_of(step.constants)[0]
    if graph.is_single:
        return x.apply("LayerNormalization", gamma, beta, axis=1, epsilon=epsilon)
    deviation = x - x.mean()
    return deviation / ((deviation * deviation).mean() + epsilon).apply("Sqrt") * gamma + beta


def rms_norm(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    epsilon: float = _tuple_of(step.constants)[0]
    return x / ((x * x).mean() + epsilon).apply("Sqrt") * x.graph.parameter("gamma", parameters[0])


def scale(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    return x * x.graph.parameter("s", parameters[0])


def prelu(z: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    return z.apply("PRelu", z.graph.parameter("alpha", parameters[0]))


def embedding(x: Value, step: Step, parameters: Arrays, buffers: Arrays) -> Value:
    graph = x.graph
    parts = []
    begin = 0
    for column, table in zip(step.columns, parameters, strict=True):
        parts += _columns(x, begin, column)
        category = x.apply("Gather", graph.integer(column), axis=1).cast("int64")
        parts.append(graph.parameter(f"tables.{column}", table).apply("Gather", category))
        begin = column + 1
    parts += _columns(x, begin, graph.input_size)
    return graph.apply("Concat", *parts, axis=1)


def _tuple_of(choice: Choice) -> tuple[Any, ...]:
    """Return a step's constants, without the default values that a name alone stands for."""
    assert isinstance(choice, str | tuple)  # nothing of a graph is written in Python
    return (choice,) if isinstance(choice, str) else choice


def _columns(x: Value, begin: int, end: int) -> list[Value]:
    """Return the columns from `begin` to before `end`, if there are any."""
    graph = x.graph
    return [x.apply("Slice", graph.integers(begin), graph.integers(end), graph.integers(1))] if begin < end else []
