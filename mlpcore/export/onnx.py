"""to_onnx: a model as a file of ONNX, which other programs compute without mlpcore."""

from __future__ import annotations  # so that signatures show names

import json
from typing import TYPE_CHECKING, BinaryIO

import mlpcore
from mlpcore import catalogue, extras, network, storage
from mlpcore.custom_activation import CustomActivation
from mlpcore.engine import Step
from mlpcore.export import onnx_layers
from mlpcore.export.given import require_model
from mlpcore.export.onnx_graph import IR_VERSION, OPSET, Graph, Value
from mlpcore.layers import CustomLayer
from mlpcore.layers.layer import Bound
from mlpcore.model import Sequential
from mlpcore.storage import StrPath

if TYPE_CHECKING:
    import onnx

__all__ = ["to_onnx"]

_INPUT, _OUTPUT = "x", "a"
_MOST_BYTES = 2**31 - 2**20  # of a message of protobuf, less what stands beside the parameters


def to_onnx(model: Sequential, file: StrPath | BinaryIO | None = None) -> onnx.ModelProto:
    """Return a model in the format ONNX: what `predict` computes, for onnxruntime and other programs.

    Every layer and activation of mlpcore can be written. Its input ``x`` is (N, in) and its output ``a`` (N, out), both
    of the model's dtype, with any number N of rows. Parameters have the names of `Sequential.save`. The versions are
    opset 17 and IR 8, so that runtimes from 2022 on read it.

    Parameters
    ----------
    model : Sequential
        With weights. Of an estimator of `mlpcore.sklearn` its ``model_``.
    file : str, path-like or binary file object, optional
        Where to write it too: a path is overwritten, atomically, as by `Sequential.save`.

    Returns
    -------
    onnx.ModelProto
        Which passes ``onnx.checker.check_model(..., full_check=True)``.

    Raises
    ------
    ImportError
        If there is no ``onnx``: ``pip install 'mlpcore[onnx]'``.
    TypeError
        If model is no `Sequential`, or a layer or an activation of it is written in Python.
    ValueError
        If the model has more than the 2 GiB that an ONNX file can hold.
    RuntimeError
        If the model has no weights yet, or another thread is training it.
    OSError
        If the file cannot be written.

    Notes
    -----
    The numbers are those of `predict` up to rounding, which is each runtime's own. In float64 the erf of "gelu" is
    computed in float32, for onnxruntime has no other: see ``docs/interop.md``.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(1)], input_size=2, seed=1)
    >>> [node.op_type for node in mlpcore.to_onnx(model).graph.node]
    ['Gemm', 'Tanh', 'Gemm']
    """
    require_model(model)
    _refuse_python(model)
    bytes_needed = model._built().params.nbytes
    if bytes_needed > _MOST_BYTES:
        raise ValueError(f"model has {bytes_needed} bytes of parameters, expected at most {_MOST_BYTES}: ONNX's limit")
    written = model._read(lambda bound: _written(model, bound))
    if file is not None:
        storage.write_to(file, lambda stream: _write(stream, written))
    return written


def _refuse_python(model: Sequential) -> None:
    """Raise TypeError if a part of the model is written in Python."""
    for path, layer in network.all_layers(model.layers):
        activation = getattr(layer, "activation", None)
        if isinstance(layer, CustomLayer) or isinstance(activation, CustomActivation):
            what = "" if isinstance(layer, CustomLayer) else "the activation of "
            raise TypeError(
                f"{what}{path}, {layer._expression()}, is written in Python, and ONNX has no operator for it: expected "
                "layers and activations of mlpcore"
            )


def _write(stream: BinaryIO, written: onnx.ModelProto) -> None:
    stream.write(written.SerializeToString(deterministic=True))


def _written(model: Sequential, bound: Bound | None) -> onnx.ModelProto:
    assert bound is not None  # it is built
    onnx, helper = extras.require("onnx", "onnx"), extras.require("onnx.helper", "onnx")
    graph = Graph(model.dtype, bound.input_size)
    paths = [path for path, _ in network.all_layers(model.layers)]
    value = Value(graph, _INPUT)
    for i, step in enumerate(network.steps_of(model.layers, bound.input_size)):
        graph.place = paths[step.layer]
        before = len(graph.nodes)
        value = getattr(onnx_layers, step.kind)(value, step, bound.net.parameters(i), bound.net.buffers(i))
        if len(graph.nodes) > before:
            graph.nodes[-1].doc_string = _formula(step)
    if value.name == _INPUT:  # of layers that do nothing but in training
        value = value.apply("Identity")
    graph.nodes[-1].output[0] = _OUTPUT
    out = model._output_size(bound.input_size)
    kind = graph.element_type(model.dtype)
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "mlpcore",
            [helper.make_tensor_value_info(_INPUT, kind, ["N", bound.input_size], "one sample a row")],
            [helper.make_tensor_value_info(_OUTPUT, kind, ["N", out], "what predict returns")],
            list(graph.constants.values()),
        ),
        producer_name="mlpcore",
        producer_version=mlpcore.__version__,
        doc_string=str(model.summary()),
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    names = model.feature_names_in_
    columns = {} if names is None else {"columns": json.dumps(names)}
    helper.set_model_props(made, {"model": repr(model), "epochs_trained": str(model.epochs_trained)} | columns)
    onnx.checker.check_model(made, full_check=True)
    return made


def _formula(step: Step) -> str:
    """Return the formula of a step, by the catalogue."""
    choice = step.constants
    if step.kind == "activation" and isinstance(choice, str | tuple):
        return catalogue.entry("activations", choice).formula
    return catalogue.entry("layers", step.kind).formula
