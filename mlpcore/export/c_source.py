"""`mlpcore.to_c`: a model as one file of C99, without dependencies and without allocation."""

import textwrap
from typing import BinaryIO, overload

import mlpcore
from mlpcore import storage
from mlpcore.export.c_network import Forward, forward
from mlpcore.export.c_program import Program, check_name, function
from mlpcore.stack import Stack

__all__ = ["to_c"]

_EXAMPLE = """\
    #include <stdio.h>
    #include "{name}.c"

    int main(void) {{
        const {real} x[{NAME}_INPUTS] = {{0}};
        {real} y[{NAME}_OUTPUTS];
        if ({name}_predict(x, y) != 0) {{
            return 1;
        }}
        for (int i = 0; i < {NAME}_OUTPUTS; i++) {{
            printf("%.9g\\n", (double)y[i]);
        }}
        return 0;
    }}"""


@overload
def to_c(model: Stack, file: None = None, *, name: str = "model", weights: str | None = None) -> str: ...
@overload
def to_c(
    model: Stack, file: storage.StrPath | BinaryIO, *, name: str = "model", weights: str | None = None
) -> None: ...
def to_c(
    model: Stack, file: storage.StrPath | BinaryIO | None = None, *, name: str = "model", weights: str | None = None
) -> str | None:
    """Write a model as one file of C99, without dependencies and without allocation, for microcontrollers too.

    The file has one function for one sample::

        int model_predict(const float *x, float *y);

    It computes the same bits as `Sequential.predict`, in the model's dtype, on every processor whose numbers are those
    of IEEE 754: its functions are cut out of ``csrc/reference``. A comment at its beginning tells how to compile it,
    how much memory it needs, and how to call it. It returns 0; for a model that begins with an `Embedding` it returns
    c + 1, and leaves y as it is, if x[c] is no category.

    Parameters
    ----------
    model : Sequential
        With weights. Layers that only do something in training are left out.
    file : str, path-like or binary file object, optional
        What is written to. None: the text is returned.
    name : str, default "model"
        A C identifier of at most 31 characters, with which all names in the file begin: in a program with several
        models each has its own.
    weights : {"float32", "float64", "int8"}, optional
        What the weights of dense layers are kept in; None is the model's own dtype, which is the only one beside
        "int8". int8 takes a quarter of float32's memory: whole numbers from -127 to 127 with a scale for each unit, by
        which a weight is off by max abs(w_i) / 254 at most, w_i being the weights of its unit. z_i is then off by that
        times the sum of abs(x_k). Everything else stays in the model's dtype.

    Returns
    -------
    str or None
        The text, if `file` is None.

    Raises
    ------
    TypeError
        If `model` is no Sequential, a part of it is written in Python, or another argument is of the wrong type.
    ValueError
        If `name` is no such identifier, `weights` is none of these, or a weight is not finite.
    RuntimeError
        If the model has no weights yet, or another thread is training it.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(2, "relu")], input_size=3, seed=1)
    >>> text = mlpcore.to_c(model, name="tiny")
    >>> begin, end = text.index("int tiny_predict(const float *x, float *y) {"), text.rindex("#if")
    >>> print(text[begin:end].strip())
    int tiny_predict(const float *x, float *y) {
        /* layers.0: Dense */
        tiny_dense_forward(1, 3, 2, y, x, tiny_layers_0_w, tiny_layers_0_b);
        for (ptrdiff_t i = 0; i < 2; i++) {
            y[i] = tiny_relu_forward(y[i], NULL);
        }
        return 0;
    }
    """
    if not isinstance(model, Stack):
        raise TypeError(f"model is {model!r}, expected a mlpcore.Sequential")
    check_name(name)
    text = _text(model, name, _is_quantized(weights, model.dtype))
    if file is None:
        return text

    def write(stream: BinaryIO) -> None:
        stream.write(text.encode())

    storage.write_to(file, write)
    return None


def _is_quantized(weights: object, dtype: str) -> bool:
    if weights not in (None, "float32", "float64", "int8"):
        raise ValueError(f"weights is {weights!r}, expected None, 'float32', 'float64' or 'int8'")
    if weights not in (None, dtype, "int8"):
        raise ValueError(
            f"weights is {weights!r}, expected {dtype!r}, which the model computes in, or 'int8': make a model with "
            f"dtype={weights!r} and give it these weights"
        )
    return weights == "int8"


def _text(model: Stack, name: str, quantize: bool) -> str:
    program = Program(name, model.dtype)
    written = forward(program, model, quantize)
    inputs, outputs = written.inputs, written.outputs
    real, memory = program.real, program.macro("MEMORY")
    signature = f"int {name}_predict(const {real} *x, {real} *y)"
    macros = [f"#define {program.macro(each)} {size}" for each, size in (("INPUTS", inputs), ("OUTPUTS", outputs))]
    public = "\n".join([*macros, f"#ifndef {memory}", f"#define {memory}", "#endif", "", f"{signature};"])
    buffers = [f"{memory} {real} {buffer}[{width}];" for buffer, width in written.buffers.items()]
    body = function(signature, [*buffers, *written.checks, *written.statements, "return 0;"])
    return program.text(_head(program, model, written, quantize), public, body)


def _head(program: Program, model: Stack, written: Forward, quantize: bool) -> str:
    """Return the comment at the beginning of the file."""
    name, real, upper = program.name, program.real, program.name.upper()
    size = 4 if program.dtype == "float32" else 8
    returns = "It returns 0."
    if written.checks:
        returns = "It returns 0; or c + 1, with y as it was, if x[c] is no category."
    bits = f"It gives the bits of Sequential.predict in {program.dtype}."
    if quantize:
        bits = (
            "The weights of dense layers have 8 bits and a scale for each unit: a weight is off by max |w_i| / 254 at "
            f"most, w_i being the weights of its unit. All else is {program.dtype}."
        )
    stack = size * sum(written.buffers.values())
    paragraphs = [
        f"{name}.c: a trained model in C99, written by mlpcore {mlpcore.__version__}.",
        f"    int {name}_predict(const {real} *x, {real} *y);",
        f"takes a sample of {written.inputs} numbers, x, and writes {written.outputs} to y, which does not overlap x. "
        f"{returns} {bits} It allocates nothing and keeps nothing from call to call.",
        textwrap.indent(str(model.summary()), "    "),
        f"Memory: {program.constant_bytes:,} bytes of constants and {stack:,} bytes of the stack for what lies between "
        f"layers. With -D{upper}_MEMORY=static these are in static memory, and one call can run at a time.",
        f"    cc -std=c99 -O2 -ffp-contract=off -c {name}.c        (and -lm where it is linked)",
        "Options such as -ffast-math change last digits, and the file refuses them. All names begin with "
        f"{name}_ or {upper}_, so that a file which uses it can include it:",
        _EXAMPLE.format(name=name, real=real, NAME=upper),
        "The functions are those of mlpcore's reference, under the MIT licence.",
    ]
    wrapped = (each if each.startswith(" ") else textwrap.fill(each, 117) for each in paragraphs)
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in "\n\n".join(wrapped).split("\n")), " */"])
