"""A C file that is being written: the constants and functions that it holds so far, all named after the model."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcore.export import c_text

_REAL = {"float32": "float", "float64": "double"}
_LONGEST_NAME = 31
_LINE = 120

_INCLUDES = "\n".join(f"#include <{name}.h>" for name in ("float", "math", "stdbool", "stddef", "stdint", "string"))

# What the bits depend on: the formats, where sums are rounded, and that no x * y + z is fused that is not written so.
_CHECKS = """\
#if FLT_RADIX != 2 || FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53
#error "expected float and double of IEEE 754: avr-gcc has them with -mdouble=64"
#endif
#ifdef __FAST_MATH__
#error "expected arithmetic as it is written: compile without -ffast-math"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "expected arithmetic in the type of its numbers: compile for x86 with -msse2 -mfpmath=sse"
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif"""
_END = """\
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif"""


def check_name(name: object) -> str:
    """Return `name` if the names of a C file can begin with it."""
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}, expected a string, such as 'model'")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"name is {name[:100]!r}, expected a C identifier of at most {_LONGEST_NAME} letters, digits and _, the "
            "first a letter: all names in the file begin with it"
        )
    return name


class Parts(NamedTuple):
    """What a model is in C, and what the comment at the beginning of its file tells.

    Attributes
    ----------
    macros : dict of str to int
        Sizes by their names, the number of x's numbers first.
    public : list of str
        The declarations of what others may use, that of predict first.
    body : str
        The functions.
    told : list of str
        Paragraphs: what predict takes and gives, and the architecture.
    of : str
        The call of Python that has the same numbers.
    stack : int
        How many bytes the arrays hold that the functions compute in.
    """

    macros: dict[str, int]
    public: list[str]
    body: str
    told: list[str]
    of: str
    stack: int


class Program:
    """A C file that is being written.

    Parameters
    ----------
    name : str
        What all names in it begin with.
    dtype : str
        What it computes in.
    """

    def __init__(self, name: str, dtype: str) -> None:
        self.name = name
        self.dtype = dtype
        self.real = _REAL[dtype]
        self.itemsize = np.dtype(dtype).itemsize
        self.constant_bytes = 0
        self._constants: list[str] = []
        self._called: set[str] = set()

    def macro(self, name: str) -> str:
        """Return the name of a macro."""
        return f"{self.name}_{name}".upper()

    def call(self, function: str) -> str:
        """Return the name of a function of c_text, which the file will hold."""
        self._called.add(function)
        return self._own(function)

    def number(self, value: float) -> str:
        """Return a number of the model's type as C writes it, to the last digit."""
        return digits(float(np.dtype(self.dtype).type(value))) + ("f" if self.dtype == "float32" else "")

    def array(self, name: str, values: NDArray[np.generic]) -> str:
        """Add a constant array, in the order in which its numbers lie, and return its name."""
        full = f"{self.name}_" + re.sub(r"\W", "_", name)
        if values.dtype == np.int8:
            kind, texts = "int8_t", [str(value) for value in values.ravel().tolist()]
        else:
            suffix, kind = ("f", "float") if values.dtype == np.float32 else ("", "double")
            texts = [digits(value) + suffix for value in values.ravel().tolist()]
        self.constant_bytes += values.nbytes
        self._constants.append(f"static const {kind} {full}[{len(texts)}] = {{\n{_lines(texts)}\n}};")
        return full

    def strings(self, name: str, texts: Sequence[str | None], kind: str = "static ") -> str:
        """Add a constant array of texts, where None is NULL, and return its name."""
        written = ["NULL" if text is None else quoted(text) for text in texts]
        self.constant_bytes += sum(
            4 + (0 if text is None else len(text.encode()) + 1) for text in texts
        )  # and pointers
        full = f"{self.name}_{name}"
        self._constants.append(f"{kind}const char *const {full}[{len(written)}] = {{\n{_lines(written)}\n}};")
        return full

    def text(self, head: str, public: str, body: str) -> str:
        """Return the whole file: a comment, what others see of it, what it is made of, and its public functions."""
        functions = c_text.needed(self.dtype, self._called)
        names = {name: self._own(name) for each in functions for name in each.declared}
        fma = [self._fma(names)] if any("real_fma" in each.used for each in functions) else []
        written = [c_text.written(each.tokens, names) for each in functions]
        return "\n\n".join([head, _INCLUDES, _CHECKS, public, *fma, *written, *self._constants, body, _END]) + "\n"

    def _fma(self, names: dict[str, str]) -> str:
        """Return the text of fma.h, whose names join the others."""
        tokens = c_text.fma(self.dtype)
        names |= {name: self._own(name) for name in c_text.names_of(tokens)} | {"MLP_OWN_FMA": self.macro("OWN_FMA")}
        plain, own = ("fmaf" if self.dtype == "float32" else "fma"), names["real_fma"]
        builtin = f"#ifdef __GNUC__\n#define {own} __builtin_{plain}\n#else\n#define {own} {plain}\n#endif"
        return f"/* x y + z, rounded once */\n{builtin}\n{c_text.written(tokens, names)}"

    def _own(self, name: str) -> str:
        core = name.removeprefix("real_")
        return self.macro(core) if core == core.upper() else f"{self.name}_{core}"


def quoted(text: str) -> str:
    """Return a text as C writes it in UTF-8; ValueError if it holds the character that ends one in C."""
    if "\0" in text:
        raise ValueError(f"{text!r} holds the character 0, which ends a text in C: expected names without it")
    return '"' + "".join(map(_character, text.encode())) + '"'


def _character(byte: int) -> str:
    if chr(byte) in '"\\?':  # two ? could begin a trigraph
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def comment(paragraphs: Iterable[str]) -> str:
    """Return a comment of paragraphs; one that is indented keeps its lines."""
    wrapped = (each if each.startswith(" ") else textwrap.fill(each, _LINE - 3) for each in paragraphs)
    lines = "\n\n".join(wrapped).replace("*/", "* /").replace("/*", "/ *").split("\n")
    return "\n".join(["/*", *(f" * {line}".rstrip() for line in lines), " */"])


def function(signature: str, lines: Iterable[str]) -> str:
    """Return a function of these lines, of which long ones are broken where they have spaces."""
    body = ["" if not line else _broken(f"    {line}") for line in lines]
    return "\n".join([f"{signature} {{", *body, "}"])


def _broken(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 8)
    return textwrap.fill(line, _LINE, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def digits(value: float) -> str:
    """Return a finite number in hexadecimal digits, without the zeros at the end."""
    return re.sub(r"\.?0*p", "p", value.hex())


def _lines(texts: Iterable[str]) -> str:
    """Return the numbers of an array in lines."""
    lines, line = [], ""
    for text in texts:
        if line and len(line) + len(text) + 2 > _LINE:
            lines.append(line)
            line = ""
        line += f"{' ' if line else '    '}{text},"
    return "\n".join([*lines, line])
