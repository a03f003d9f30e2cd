"""What our programs in C are compiled of and with, and builds of the package by other compilers."""

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import mlpcore

TESTS = Path(__file__).parent
ROOT = TESTS.parent
CSRC = ROOT / "csrc"
CC = os.environ.get("CC", "cc")
STANDARD = ["-std=c11", "-fno-fast-math", "-ffp-contract=off"]  # setup.py's: without them other bits
FLAGS = [*STANDARD, "-O3", "-pthread"]  # setup.py's, with assertions
# As -march=native has it: the reference, which calls a function for fma otherwise, takes a third of the time.
OF_THIS_PROCESSOR = ["-mfma"] if "avx2" in mlpcore.cpu.info()["available"] else []
REFERENCE = list(CSRC.glob("reference/reference_f*.c"))
NET = list(CSRC.glob("net/*.c"))
BITS = [TESTS / "bits" / name for name in ("bits.c", "bits_f32.c", "bits_f64.c")]
KERNELS = [path for folder in ("catalogue", "runtime", "isa") for path in CSRC.glob(f"{folder}/*.c")]


def built_kernels(build_base: Path) -> list[Path]:
    """Return the object files of KERNELS that setup.py has left in a folder; none if it has not built there."""
    folder = build_base / f"temp.{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    if not (folder / "built-with").exists():  # setup.py's last act
        return []
    return [folder / path.relative_to(ROOT).with_suffix(".o") for path in KERNELS]


def installed_kernels() -> list[Path]:
    """Return the object files of the installed build, which `make` leaves in build/; without them what makes them."""
    return built_kernels(ROOT / "build") or KERNELS


def build(directory: Path, compiler: str, flags: str) -> list[Path]:
    """Build the package into a directory with setup.py, and return the object files of KERNELS."""
    base = directory / "build"
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build", "--build-base", base, "--build-lib", directory],
        cwd=ROOT,
        env={**os.environ, "CC": compiler, "CFLAGS": flags},
        check=True,
    )
    return built_kernels(base)


def run_program(path: Path, compiler: str, parts: Iterable[str | Path], *arguments: str) -> None:
    """Make a program of sources, object files and options, run it, and show what it printed if it fails."""
    command = [*shlex.split(compiler), *FLAGS, *OF_THIS_PROCESSOR, *parts, f"-I{CSRC}", "-lm", "-o", path]
    subprocess.run(command, check=True)
    ran = subprocess.run([path, *arguments], stdout=subprocess.PIPE, text=True)
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout


def check_bits(directory: Path, compiler: str, kernels: Iterable[Path], how_much: str) -> None:
    """Compare kernels with the reference (tests/bits)."""
    run_program(directory / "bits", compiler, [*BITS, *REFERENCE, *kernels], how_much)
