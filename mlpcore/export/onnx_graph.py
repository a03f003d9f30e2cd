"""An ONNX graph that is being written: its nodes and constants, and values that nodes are made of by arithmetic."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import extras

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 17, 8
"""The versions of operators and of the file format: those of 2022, which every runtime of today reads."""


class Graph:
    """The nodes and constants of a graph, whose numbers are all of one type.

    Parameters
    ----------
    dtype : str
        "float32" or "float64".
    input_size : int
        The number of columns of x.
    """

    def __init__(self, dtype: str, input_size: int) -> None:
        self._onnx = extras.require("onnx", "onnx")
        self.dtype, self.input_size = dtype, input_size
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self._counts: dict[str, int] = {}
        self.place = ""
        """What the names of the next nodes begin with: the layer's."""

        self.forks: list[Value] = []
        """What the branches that are open began with, from the outermost."""

    @property
    def is_single(self) -> bool:
        """Whether numbers are float32: then ONNX's own operators serve, also those that runtimes lack in float64."""
        return self.dtype == "float32"

    def element_type(self, dtype: str) -> int:
        """Return the number that ONNX has for a type."""
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def constant(self, name: str, values: NDArray[Any]) -> "Value":
        """Return a constant of this name; it is taken once, however often it is asked for."""
        if name not in self.constants:
            self.constants[name] = self._onnx.numpy_helper.from_array(values, name)
        return Value(self, name)

    def parameter(self, name: str, values: NDArray[Any]) -> "Value":
        """Return an array of the layer whose nodes are being written, named as model files name it."""
        return self.constant(f"{self.place}.{name}", values)

    def number(self, value: float) -> "Value":
        """Return a constant of one number."""
        return self.constant(repr(float(value)), np.array(value, self.dtype))

    def integer(self, value: int) -> "Value":
        """Return a constant of one integer."""
        return self.constant(str(value), np.array(value, np.int64))

    def integers(self, *values: int) -> "Value":
        """Return a constant of a few integers on one axis."""
        return self.constant(str(list(values)), np.array(values, np.int64))

    def apply(self, operator: str, *inputs: "Value | float", **attributes: Any) -> "Value":  # noqa: ANN401
        """Add a node; return its output."""
        names = [(each if isinstance(each, Value) else self.number(each)).name for each in inputs]
        name = f"{self.place}.{operator}"
        self._counts[name] = count = self._counts.get(name, 0) + 1
        name = name if count == 1 else f"{name}.{count}"
        self.nodes.append(self._onnx.helper.make_node(operator, names, [name], name, **attributes))
        return Value(self, name)


@dataclass(frozen=True)
class Value:
    """A value of a graph. What is computed with it becomes a node."""

    graph: Graph
    name: str

    def apply(self, operator: str, *others: "Value | float", **attributes: Any) -> "Value":  # noqa: ANN401
        """Return what an operator makes of this value, its first input, and of others."""
        return self.graph.apply(operator, self, *others, **attributes)

    def __add__(self, other: "Value | float") -> "Value":
        return self.apply("Add", other)

    def __sub__(self, other: "Value | float") -> "Value":
        return self.apply("Sub", other)

    def __mul__(self, other: "Value | float") -> "Value":
        return self.apply("Mul", other)

    def __truediv__(self, other: "Value | float") -> "Value":
        return self.apply("Div", other)

    def clip(self, low: float, high: float) -> "Value":
        """Return it between two bounds."""
        return self.apply("Clip", low, high)

    def cast(self, dtype: str) -> "Value":
        """Return it as numbers of another type."""
        return self.apply("Cast", to=self.graph.element_type(dtype))

    def where_positive(self, other: "Value") -> "Value":
        """Return it where it is above 0, and another value elsewhere."""
        return self.graph.apply("Where", self.apply("Greater", 0.0), self, other)

    def mean(self) -> "Value":
        """Return its mean along each row, (N, 1)."""
        return self.apply("ReduceMean", axes=[1], keepdims=1)
