"""Reproducible builds: each compiler and instruction set gives the hashes of tests/test_golden.py."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from compiling import CSRC, TESTS, build, check_bits

import mlpcore

# The installed build is gcc's with -O3, unless CC was another; test_packaging.py tries gcc's with -Og.
OTHERS = [("gcc", "-O3")] if os.environ.get("CC", "gcc") != "gcc" else []
BUILDS = [("clang", "-O3"), *OTHERS, *([("gcc", "-O0")] if os.environ.get("MLPCORE_TEST_BUILDS") == "full" else [])]


def check_golden_hashes(folder: Path) -> None:
    """Run tests/test_golden.py on each instruction set with the package that lies in `folder`."""
    for isa in mlpcore.cpu.info()["available"]:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", TESTS / "test_golden.py"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "MLPCORE_ISA": isa},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"{isa}: {ran.stdout}"
        assert f"mlpcore: {folder}" in ran.stdout, "the build under test was not the one that ran"
        assert f"kernels: {isa}" in ran.stdout


def test_the_installed_build_gives_the_same_bits_on_every_instruction_set() -> None:
    check_golden_hashes(Path(mlpcore.__file__).parents[1])


@pytest.mark.parametrize(("compiler", "flags"), BUILDS)
def test_every_build_gives_the_same_bits(compiler: str, flags: str, tmp_path: Path) -> None:
    if not CSRC.exists():
        pytest.skip("the sources of mlpcore do not lie beside its tests")
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    kernels = build(tmp_path, compiler, flags)
    check_golden_hashes(tmp_path)
    check_bits(tmp_path, compiler, kernels, "brief")
