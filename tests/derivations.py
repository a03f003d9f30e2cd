"""Networks whose derivations are checked, and a second opinion on what their equations say: NumPy on the nodes."""

import numpy as np
import test_record

import mlpcore
from mlpcore import kernels
from mlpcore.typeset import Call, Difference, Hadamard, Numbers, Product, Sum

CASES = test_record.CASES
NOTATIONS = ("paper", "delta", "dz")
ORIENTATIONS = ("columns", "rows")


def trace_of(name, single=False, optimizer="adam", training=True, dtype="float64", **style):
    layers, loss = CASES[name]
    x, y = test_record.data(loss)
    model = mlpcore.Sequential(layers(), input_size=3, dtype=dtype, seed=7)
    x, y = (x[0], y[0]) if single else (x, y)
    return model.trace(x, y, loss, optimizer=optimizer, training=training, **style)


def value(node, layer, rows):
    """What a side made of numbers is worth, or None if there is a symbol in it. Vectors are columns, or rows."""
    if isinstance(node, Numbers):
        values = np.asarray(node.values, float)
        return values.reshape((1, -1) if rows else (-1, 1)) if values.ndim == 1 else values
    if isinstance(node, Call) and node.function == "sigma":
        z = value(node.argument, layer, rows)
        if z is None:
            return None
        a = sigma(layer.activation, z if rows else z.T)
        return a if rows else a.T
    parts = {
        Product: lambda factors: np.multiply(*factors) if factors[0].ndim == 0 else chained(factors),
        Hadamard: lambda factors: np.prod(np.broadcast_arrays(*factors), axis=0),
        Sum: sum,
    }
    if isinstance(node, Difference):
        left, right = value(node.left, layer, rows), value(node.right, layer, rows)
        return None if left is None or right is None else left - right
    if type(node) in parts:
        factors = [value(each, layer, rows) for each in (node.terms if isinstance(node, Sum) else node.factors)]
        return None if any(each is None for each in factors) else parts[type(node)](factors)
    return None


def chained(factors):
    result = factors[0]
    for factor in factors[1:]:
        result = result @ factor
    return result


def sigma(activation, z):
    if isinstance(activation, mlpcore.CustomActivation):
        return activation.forward(z)
    return kernels.activation_forward(activation, z)


def numbers_of(node):
    """All arrays of an equation, in the order in which they are written; single numbers left out."""
    if isinstance(node, Numbers):
        return [node.values] if node.values.ndim else []
    children = [getattr(node, key) for key in ("argument", "of", "left", "right") if hasattr(node, key)]
    for key in ("factors", "terms", "sides", "equations"):
        children += getattr(node, key, ())
    return [array for child in children for array in numbers_of(child)]
