"""Builds the extension module; everything else about the package stands in pyproject.toml."""

import os
from pathlib import Path

import numpy
from setuptools import Extension, setup

ROOT = Path(__file__).parent
SOURCES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("csrc/reference/reference_f*.c", "csrc/catalogue/*.c", "csrc/runtime/*.c", "csrc/net/*.c", "csrc/isa/*.c", "csrc/python/*.c")
    for path in ROOT.glob(pattern)
    if not path.name.endswith(".inc.c")
)
DEPENDS = ["setup.py", *(str(path.relative_to(ROOT)) for path in ROOT.glob("csrc/**/*.[ch]"))]

# The result of every operation is defined to the bit: no a * b + c contracted behind our back, no fast-math.
# These come last on the command line, whatever CFLAGS says.
if os.name == "nt":
    FLAGS = ["/O2", "/fp:precise", "/std:c11"]
    LIBRARIES = []
else:
    FLAGS = ["-std=c11", "-fno-fast-math", "-ffp-contract=off", "-fvisibility=hidden"]
    LIBRARIES = ["m", "pthread"]
    os.environ["CFLAGS"] = "-O3 -DNDEBUG " + os.environ.get("CFLAGS", "")

setup(
    ext_modules=[
        Extension(
            "mlpcore._core",
            sources=SOURCES,
            depends=DEPENDS,
            include_dirs=["csrc", numpy.get_include()],
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
            ],
            extra_compile_args=FLAGS,
            libraries=LIBRARIES,
        )
    ]
)
