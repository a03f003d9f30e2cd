"""The activations as nodes of ONNX: a function for each row of the catalogue, by its name.

Each takes z and the constants of its row and returns a. In float32 it is ONNX's own operator where opset 17 has one; in
float64 it is composed of operators that onnxruntime has in float64, with constants that are not rounded to float32.
Only erf, which it has not, is computed in float32.
"""

from math import pi, sqrt

from mlpcore.export.onnx_graph import Value


def linear(z: Value) -> Value:
    return z


def relu(z: Value) -> Value:
    return z.apply("Relu")


def relu6(z: Value) -> Value:
    return z.clip(0, 6)


def leaky_relu(z: Value, negative_slope: float) -> Value:
    if z.graph.is_single:
        return z.apply("LeakyRelu", alpha=negative_slope)
    return z.where_positive(z * negative_slope)


def elu(z: Value, alpha: float) -> Value:
    if z.graph.is_single:
        return z.apply("Elu", alpha=alpha)
    return z.where_positive((z.apply("Min", 0.0).apply("Exp") - 1.0) * alpha)


def selu(z: Value) -> Value:
    if z.graph.is_single:
        return z.apply("Selu")
    return elu(z, 1.6732632423543772848) * 1.0507009873554804934


def celu(z: Value, alpha: float) -> Value:
    if z.graph.is_single:
        return z.apply("Celu", alpha=alpha)
    return z.where_positive(((z.apply("Min", 0.0) / alpha).apply("Exp") - 1.0) * alpha)


def gelu(z: Value) -> Value:
    scaled = z / sqrt(2)
    erf = scaled.apply("Erf") if z.graph.is_single else scaled.cast("float32").apply("Erf").cast("float64")
    return z * ((erf + 1.0) * 0.5)


def gelu_tanh(z: Value) -> Value:
    return z * ((z + z * z * z * 0.044715) * sqrt(8 / pi)).apply("Sigmoid")


def silu(z: Value) -> Value:
    if z.graph.is_single:
        return z * z.apply("Sigmoid")
    return z / (
        z.apply("Neg").apply("Exp") + 1.0
    )  # onnxruntime 1.19 fuses z sigmoid(z) into what it has in float32 only


def mish(z: Value) -> Value:
    return z * softplus(z).apply("Tanh")


def softplus(z: Value) -> Value:
    if z.graph.is_single:
        return z.apply("Softplus")
    rest = (z.apply("Abs").apply("Neg").apply("Exp") + 1.0).apply("Log")  # log(1 + e^z) = max(0, z) + log(1 + e^-|z|)
    return z.apply("Relu") + rest


def softsign(z: Value) -> Value:
    if z.graph.is_single:
        return z.apply("Softsign")
    return z / (z.apply("Abs") + 1.0)


def sigmoid(z: Value) -> Value:
    return z.apply("Sigmoid")


def hard_sigmoid(z: Value) -> Value:
    if z.graph.is_single:
        return z.apply("HardSigmoid", alpha=1 / 6, beta=0.5)
    return (z / 6.0 + 0.5).clip(0, 1)


def hard_swish(z: Value) -> Value:
    return z.apply("HardSwish") if z.graph.is_single else z * hard_sigmoid(z)


def tanh(z: Value) -> Value:
    return z.apply("Tanh")


def exponential(z: Value) -> Value:
    return z.apply("Exp")


def hard_tanh(z: Value) -> Value:
    return z.clip(-1, 1)


def softmax(z: Value) -> Value:
    return z.apply("Softmax", axis=1)


def log_softmax(z: Value) -> Value:
    return z.apply("LogSoftmax", axis=1)
