"""Builds the extension module; everything else about the package stands in pyproject.toml."""

import os
from pathlib import Path

import numpy
from setuptools import Extension, setup

ROOT = Path(__file__).parent
SOURCES = [
    "csrc/reference/reference_f32.c",
    "csrc/reference/reference_f64.c",
    *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("csrc/net/*.c") if not p.name.endswith(".inc.c")),
    *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("csrc/python/*.c")),
]
# The result of every operation is defined to the bit: no contraction of a * b + c behind our back, no fast-math.
FLAGS = ["/O2", "/fp:precise", "/std:c11"] if os.name == "nt" else ["-std=c11", "-O3", "-ffp-contract=off", "-fvisibility=hidden"]

setup(
    ext_modules=[
        Extension(
            "mlpcore._core",
            sources=SOURCES,
            depends=[str(p.relative_to(ROOT)) for p in ROOT.glob("csrc/**/*.[ch]")],
            include_dirs=["csrc", numpy.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")],
            extra_compile_args=FLAGS + os.environ.get("MLPCORE_CFLAGS", "").split(),
            extra_link_args=os.environ.get("MLPCORE_LDFLAGS", "").split(),
        )
    ]
)
