"""Compiles float32.c with $CC (cc) into build/, runs it (minutes on two cores) and exits as the program does.

Arguments are the names of functions to try alone, such as gelu.
"""

import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def main() -> int:
    """Build and run."""
    program = ROOT / "build" / "exhaustive-float32"
    program.parent.mkdir(exist_ok=True)
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    subprocess.run(
        [
            *shlex.split(os.environ.get("CC", "cc")),
            *("-std=c11", "-O3", "-ffp-contract=off", "-pthread"),
            *(["-mfma"] if x86 else []),  # without it every fma is a call of the C library
            f"-I{ROOT / 'csrc'}",
            HERE / "float32.c",
            *(ROOT / "csrc" / "reference" / f"reference_f{bits}.c" for bits in (32, 64)),
            *(path for folder in ("catalogue", "runtime") for path in (ROOT / "csrc" / folder).glob("*.c")),
            *("-lm", "-o", program),
        ],
        check=True,
    )
    return subprocess.run([program, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
