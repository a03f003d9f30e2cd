"""Compiles float32.c with $CC (cc) into build/, runs it (minutes on two cores) and exits as the program does.

Arguments are the names of functions to try alone, such as gelu.
"""

import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE.parent))
from compiling import CC, CSRC, FLAGS, OF_THIS_PROCESSOR, REFERENCE, ROOT  # noqa: E402

SOURCES = [HERE / "float32.c", *REFERENCE, *CSRC.glob("catalogue/*.c"), *CSRC.glob("runtime/*.c")]


def main() -> int:
    """Build and run."""
    program = ROOT / "build" / "exhaustive-float32"
    program.parent.mkdir(exist_ok=True)
    compiler = [*shlex.split(CC), *FLAGS, *OF_THIS_PROCESSOR, f"-I{CSRC}"]
    subprocess.run([*compiler, *SOURCES, "-lm", "-o", program], check=True)
    return subprocess.run([program, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
