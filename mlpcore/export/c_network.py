"""A network's forward as statements of C for one sample, and the buffers that they compute in.

The plan is that of `csrc/net/plan.c`: what changes numbers one by one or row by row writes in place, unless a residual
branch or the caller still needs its input. The last value lies in y itself.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore import catalogue, network, saving
from mlpcore.engine import Step
from mlpcore.export import int8
from mlpcore.export.c_program import Program, function
from mlpcore.layers import Layer
from mlpcore.stack import Stack

Arrays = dict[str, NDArray[Any]]

_ONLY_IN_TRAINING = {"dropout", "alpha_dropout", "gaussian_noise"}
_NOT_IN_PLACE = {"dense", "embedding"}


class Value:
    """The numbers of a sample between two steps.

    Attributes
    ----------
    width : int
    first, last : int
        The operations that write it first and read it last.
    buffer : str
        The name of the array that it lies in.
    """

    def __init__(self, width: int, first: int, buffer: str = "") -> None:
        self.width = width
        self.first = self.last = first
        self.buffer = buffer


class Operation(NamedTuple):
    """A step that computes something: it reads x, and a join reads skip too, and writes y, which can be x.

    Attributes
    ----------
    step : Step
    path : str
        Of its layer.
    layer : Layer
    arrays : dict of str to ndarray
        The layer's numbers by their names.
    x, y : Value
    skip : Value or None
    """

    step: Step
    path: str
    layer: Layer
    arrays: Arrays
    x: Value
    y: Value
    skip: Value | None


class Forward(NamedTuple):
    """The forward of a network in C.

    Attributes
    ----------
    inputs, outputs : int
    buffers : dict of str to int
        How many numbers each of the arrays holds that the statements compute in.
    checks, statements : list of str
        What leaves the function before anything is written, and what computes; x and y are its arguments.
    """

    inputs: int
    outputs: int
    buffers: dict[str, int]
    checks: list[str]
    statements: list[str]

    def function(self, program: Program, signature: str) -> str:
        """Return the function that computes it."""
        memory, real = program.macro("MEMORY"), program.real
        buffers = [f"{memory} {real} {buffer}[{width}];" for buffer, width in self.buffers.items()]
        return function(signature, [*buffers, *self.checks, *self.statements, "return 0;"])


def forward(program: Program, model: Stack, quantize: bool, prefix: str = "") -> Forward:
    """Return a model's forward, whose constants and functions `program` takes; names of constants begin with `prefix`.

    RuntimeError if the model has no weights yet, TypeError if a part of it is written in Python, ValueError if a weight
    is not finite.
    """
    net, inputs = model._built(), model.input_size
    assert inputs is not None
    params, state = saving.snapshot(net)
    arrays = network.tensors(model.layers, inputs, params) | network.buffers(model.layers, inputs, state)
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise ValueError(
                f"{name} holds numbers that are not finite, as a training leaves them that diverged: expected numbers "
                "that C can write"
            )
    operations, last = _operations(model.layers, inputs, arrays)
    buffers = _lay_out(operations)
    writer = _Writer(program, quantize, prefix)
    for i, each in enumerate(operations):
        if i == 0 or operations[i - 1].layer is not each.layer:
            writer.statements.append(f"/* {each.path}: {type(each.layer).__name__} */")
        writer.write(each)
    if not operations:
        writer.statements.append(f"{program.call('copy')}({inputs}, y, x);")
    return Forward(inputs, last.width, buffers, writer.checks, writer.statements)


def _operations(layers: Sequence[Layer], inputs: int, arrays: Arrays) -> tuple[list[Operation], Value]:
    """Return what computes, in order, and the last value, which lies in y as soon as the others have a place."""
    owners: dict[int, tuple[str, Layer]] = {}  # of the steps; a layer inside another comes after it
    places = network.places(layers, inputs)
    for path, layer in network.all_layers(layers):
        owners |= dict.fromkeys(range(places[layer].first, places[layer].last + 1), (path, layer))
    operations: list[Operation] = []
    open_forks: list[Value] = []
    value = given = Value(inputs, -1, "x")
    for i, step in enumerate(network.steps_of(layers, inputs)):
        path, layer = owners[i]
        if step.kind == "custom":
            raise TypeError(f"{path}, {layer._expression()}, is written in Python: C has only mlpcore's own layers")
        if step.kind == "fork":
            open_forks.append(value)
        if step.kind == "fork" or step.kind in _ONLY_IN_TRAINING:
            continue
        now = len(operations)
        skip = open_forks.pop() if step.kind == "join" else None
        for each in (value, skip):
            if each is not None:
                each.last = now
        x = value
        if step.kind in _NOT_IN_PLACE or x is given or any(x is each for each in open_forks):
            width = layer._output_size(x.width) if step.kind in _NOT_IN_PLACE else x.width
            value = Value(width, now)
        own = {name: arrays[f"{path}.{name}"] for name in _names_of(layer, places[layer].input_size)}
        operations.append(Operation(step, path, layer, own, x, value, skip))
    if operations:
        value.buffer = "y"
        value.last = len(operations)
    return operations, value


def _names_of(layer: Layer, inputs: int) -> list[str]:
    return [*layer._tensor_shapes(inputs), *layer._buffer_shapes(inputs)]


def _lay_out(operations: Sequence[Operation]) -> dict[str, int]:
    """Give each value a buffer that no other needs meanwhile; return how many numbers each buffer holds."""
    occupants: list[Value] = []
    widths: list[int] = []
    for value in (each.y for each in operations):
        if value.buffer:
            continue
        free = (i for i, each in enumerate(occupants) if each.last < value.first)
        i = next(free, len(occupants))
        occupants[i : i + 1] = [value]
        widths[i : i + 1] = [max([value.width, *widths[i : i + 1]])]
        value.buffer = f"a{i}"
    return {f"a{i}": width for i, width in enumerate(widths)}


class _Writer:
    """Writes the statements of operations: a method for each kind of step, named after it."""

    def __init__(self, program: Program, quantize: bool, prefix: str) -> None:
        self.checks: list[str] = []
        self.statements: list[str] = []
        self._program = program
        self._quantize = quantize
        self._prefix = prefix

    def write(self, operation: Operation) -> None:
        getattr(self, f"_{operation.step.kind}")(operation)

    def _call(self, function: str, *arguments: object) -> None:
        self.statements.append(f"{self._program.call(function)}({', '.join(map(str, arguments))});")

    def _array(self, operation: Operation, name: str, values: NDArray[Any] | None = None) -> str:
        """Return the name of one of the layer's arrays, or of one that is made of it."""
        values = operation.arrays[name] if values is None else values
        return self._program.array(f"{self._prefix}{operation.path}.{name}", values)

    def _constants(self, operation: Operation) -> list[str]:
        """Return the constants of a step, those left out too."""
        given = operation.step.constants
        assert isinstance(given, tuple)
        hypers = catalogue.entry("layers", operation.step.kind).hypers
        return [self._program.number(value) for value in (*given, *(each.default for each in hypers[len(given) :]))]

    def _dense(self, operation: Operation) -> None:
        w = operation.arrays["w"]
        x, y = operation.x, operation.y
        b = self._array(operation, "b") if "b" in operation.arrays else "NULL"
        if self._quantize:
            q, scale = int8.quantized(w)
            names = self._array(operation, "w", q.T), self._array(operation, "scale", scale)
            self._call("dense_int8_forward", x.width, y.width, y.buffer, x.buffer, *names, b)
        else:
            self._call("dense_forward", 1, x.width, y.width, y.buffer, x.buffer, self._array(operation, "w", w.T), b)

    def _activation(self, operation: Operation) -> None:
        chosen = operation.step.constants
        assert isinstance(chosen, str | tuple)
        row = catalogue.entry("activations", chosen)
        given = () if isinstance(chosen, str) else chosen[1:]
        constants = [*given, *(each.default for each in row.hypers[len(given) :])]
        c = "NULL"
        if constants:
            c = self._array(operation, "constants", np.array(constants, self._program.dtype))
        y, x, width = operation.y.buffer, operation.x.buffer, operation.y.width
        if "per_row" in row.traits:
            self._call(f"{row.name}_forward", width, y, x, c)
        else:
            self._each(width, f"{y}[i] = {self._program.call(f'{row.name}_forward')}({x}[i], {c});")

    def _each(self, width: int, statement: str) -> None:
        self.statements += [f"for (ptrdiff_t i = 0; i < {width}; i++) {{", f"    {statement}", "}"]

    def _join(self, operation: Operation) -> None:
        assert operation.skip is not None
        self._call("add", operation.y.width, operation.y.buffer, operation.skip.buffer, operation.x.buffer)

    def _batch_norm(self, operation: Operation) -> None:
        y, x = operation.y, operation.x
        names = [self._array(operation, name) for name in ("running_mean", "running_variance", "gamma", "beta")]
        self._call("batch_norm_forward", 1, y.width, y.buffer, x.buffer, *names, self._constants(operation)[1])

    def _layer_norm(self, operation: Operation) -> None:
        y, x = operation.y, operation.x
        gamma = self._array(operation, "gamma")
        beta = self._array(operation, "beta") if "beta" in operation.arrays else "NULL"
        centred = "true" if operation.step.kind == "layer_norm" else "false"
        (epsilon,) = self._constants(operation)
        self._call("layer_norm_forward", centred, 1, y.width, y.buffer, "NULL", x.buffer, gamma, beta, epsilon)

    _rms_norm = _layer_norm

    def _scale(self, operation: Operation) -> None:
        y, x = operation.y, operation.x
        self._call("scale", 1, y.width, y.buffer, x.buffer, self._array(operation, "s"))

    def _prelu(self, operation: Operation) -> None:
        y, x = operation.y, operation.x
        shared = "false" if operation.arrays["alpha"].size == y.width else "true"  # of one unit it is the same
        self._call("prelu_forward", shared, 1, y.width, y.buffer, x.buffer, self._array(operation, "alpha"))

    def _embedding(self, operation: Operation) -> None:
        """Copy the columns, and rows of tables in place of those that tell a category: it is the first layer."""
        x, y = 0, 0  # columns read and written
        for column, (categories, numbers) in zip(operation.step.columns, operation.step.shapes, strict=True):
            self._copy(operation, y, x, column - x)
            y += column - x
            table = self._array(operation, f"tables.{column}")
            row = f"row_{column}"
            category_of = self._program.call("category_of")
            self.checks += [
                f"const ptrdiff_t {row} = {category_of}(x[{column}], {categories});",
                f"if ({row} < 0) {{",
                f"    return {column + 1};",
                "}",
            ]
            self._call("copy", numbers, f"{operation.y.buffer} + {y}", f"{table} + {row} * {numbers}")
            x, y = column + 1, y + numbers
        self._copy(operation, y, x, operation.x.width - x)

    def _copy(self, operation: Operation, y: int, x: int, count: int) -> None:
        if count:
            self._call("copy", count, f"{operation.y.buffer} + {y}", f"x + {x}")
