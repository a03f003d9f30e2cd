"""`mlpcore.to_c`: a model as one file of C99, without dependencies and without allocation."""

import re
import sys
import textwrap
from typing import TYPE_CHECKING, BinaryIO, overload

import mlpcore
from mlpcore import storage
from mlpcore.export import c_tabular
from mlpcore.export.c_network import forward
from mlpcore.export.c_program import Parts, Program, check_name, comment
from mlpcore.stack import Stack

if TYPE_CHECKING:
    from mlpcore.sklearn.tabular import Tabular

__all__ = ["to_c"]

_EXAMPLE = """\
    #include <stdio.h>
    #include "{name}.c"

    int main(void) {{
        const {x} x[{INPUTS}] = {{0}};
        {y} y[{OUTPUTS}];
        if ({name}_predict(x, y) != 0) {{
            return 1;
        }}
        for (int i = 0; i < {OUTPUTS}; i++) {{
            printf("%.9g\\n", (double)y[i]);
        }}
        return 0;
    }}"""


@overload
def to_c(model: "Stack | Tabular", file: None = None, *, name: str = "model", weights: str | None = None) -> str: ...
@overload
def to_c(
    model: "Stack | Tabular", file: storage.StrPath | BinaryIO, *, name: str = "model", weights: str | None = None
) -> None: ...
def to_c(
    model: "Stack | Tabular",
    file: storage.StrPath | BinaryIO | None = None,
    *,
    name: str = "model",
    weights: str | None = None,
) -> str | None:
    """Write a model as one file of C99, without dependencies and without allocation, for microcontrollers too.

    The file has one function for one sample::

        int model_predict(const float *x, float *y);

    It computes the same bits as `Sequential.predict`, in the model's dtype, wherever float and double are those of IEEE
    754: its functions are cut out of ``csrc/reference``. A comment at its beginning tells how to compile it,
    how much memory it needs, and how to call it. It returns 0; for a model that begins with an `Embedding` it returns
    c + 1, and leaves y as it is, if x[c] is no category.

    Of a tabular estimator the file holds the preparation of the columns too, and all networks. Its function takes a raw
    row: a number for each column, NAN where one is missing, and of a label what a function of the file gives for a
    text::

        int model_predict(const double *x, float *y);               of a regressor, or of few rows, double *y
        double model_label(int column, const char *label);          if there are columns of labels
        int model_class(const float *y);                            of a classifier: the place of the largest y in
        extern const char *const model_class_names[];               these

    y is what `predict_proba` or a regressor's `predict` gives. The networks of a regressor's intervals are left out.

    Parameters
    ----------
    model : Sequential, TabularClassifier or TabularRegressor
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
        If `model` is none of these, a part of it is written in Python, or another argument is of the wrong type.
    ValueError
        If `name` is no such identifier, `weights` is none of these, a weight is not finite, or a label holds the
        character 0.
    NotFittedError
        If an estimator is not fitted.
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
    check_name(name)
    tabular = sys.modules.get("mlpcore.sklearn.tabular")  # not imported: there is no such estimator
    if isinstance(model, Stack):
        program = Program(name, model.dtype)
        quantize = _is_quantized(weights, model.dtype)
        parts = _parts(program, model, quantize)
    elif tabular is not None and isinstance(model, tabular.Tabular):
        dtype = c_tabular.dtype_of(model)
        program = Program(name, dtype)
        quantize = _is_quantized(weights, dtype)
        parts = c_tabular.parts(program, model, quantize)
    else:
        raise TypeError(
            f"model is {model!r}, expected a mlpcore.Sequential, a TabularClassifier or a TabularRegressor: of another "
            "estimator of mlpcore.sklearn its model_"
        )
    text = program.text(_head(program, parts, quantize), _public(program, parts), parts.body)
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


def _parts(program: Program, model: Stack, quantize: bool) -> Parts:
    """Return what a model is in C: one function."""
    written = forward(program, model, quantize)
    real = program.real
    signature = f"int {program.name}_predict(const {real} *x, {real} *y)"
    returns = "It returns 0."
    if written.checks:
        returns = "It returns 0; or c + 1, with y as it was, if x[c] is no category."
    told = [
        f"takes a sample of {written.inputs} numbers, x, and writes {written.outputs} to y, which does not overlap x. "
        + returns,
        textwrap.indent(str(model.summary()), "    "),
    ]
    return Parts(
        {"INPUTS": written.inputs, "OUTPUTS": written.outputs},
        [signature],
        written.function(program, signature),
        told,
        f"Sequential.predict in {program.dtype}",
        sum(written.buffers.values()) * program.itemsize,
    )


def _public(program: Program, parts: Parts) -> str:
    """Return what others see of the file."""
    memory = program.macro("MEMORY")
    macros = [f"#define {program.macro(name)} {size}" for name, size in parts.macros.items()]
    declared = [f"{each};" for each in parts.public]
    return "\n".join([*macros, f"#ifndef {memory}", f"#define {memory}", "#endif", "", *declared])


def _head(program: Program, parts: Parts, quantize: bool) -> str:
    """Return the comment at the beginning of the file."""
    name, upper = program.name, program.name.upper()
    bits = f"The numbers are those of {parts.of}, to the bit, wherever float and double are those of IEEE 754."
    if "double" in parts.public[0]:
        bits += (
            " GCC's library for ARM processors that have no double of their own, such as Cortex-M4, rounds a few "
            "differences of doubles wrongly: the last digit can differ there."
        )
    if quantize:
        bits = (
            f"The numbers are those of {parts.of}, but that the weights of dense layers have 8 bits and a scale for "
            "each unit: a weight is off by max |w_i| / 254 at most, w_i being the weights of its unit."
        )
    inputs = program.macro(next(iter(parts.macros)))
    x, y = re.findall(r"(float|double) \*[xy]", parts.public[0])
    return comment(
        [
            f"{name}.c: a trained model in C99, written by mlpcore {mlpcore.__version__}.",
            "\n".join(f"    {each};" for each in parts.public),
            *parts.told,
            f"{bits} Nothing is allocated or kept from call to call. There are {program.constant_bytes:,} bytes of "
            f"constants, and {parts.stack:,} bytes of the stack are for what lies between layers. With "
            f"-D{upper}_MEMORY=static these are in static memory, and one call can run at a time.",
            f"    cc -std=c99 -O2 -ffp-contract=off -c {name}.c        (and -lm where it is linked)",
            "Options such as -ffast-math change last digits, and the file refuses them. All names begin with "
            f"{name}_ or {upper}_, so that a file which uses it can include it:",
            _EXAMPLE.format(name=name, x=x, y=y, INPUTS=inputs, OUTPUTS=program.macro("OUTPUTS")),
            "The functions are those of mlpcore's reference, under the MIT licence.",
        ]
    )
