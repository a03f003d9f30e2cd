"""Reproducible builds: each compiler and instruction set gives the hashes of tests/test_golden.py."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mlpcore

TESTS = Path(__file__).parent
SETUP = TESTS.parent / "setup.py"


def build(directory: Path, compiler: str, flags: str) -> None:
    """Build the package into `directory`/lib."""
    subprocess.run(
        [sys.executable, SETUP.name, "-q", "build", "--build-base", directory, "--build-lib", directory / "lib"],
        cwd=SETUP.parent,
        env={**os.environ, "CC": compiler, "CFLAGS": flags},
        check=True,
    )


@pytest.mark.parametrize(("compiler", "flags"), [("gcc", "-O0"), ("gcc", "-O3"), ("clang", "-O3")])
def test_every_build_gives_the_same_bits(compiler: str, flags: str, tmp_path: Path) -> None:
    if not SETUP.exists():
        pytest.skip("the sources of mlpcore do not lie beside its tests")
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    build(tmp_path, compiler, flags)
    for isa in mlpcore.cpu.info()["available"]:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", TESTS / "test_golden.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "lib"), "MLPCORE_ISA": isa},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"{isa}: {ran.stdout}"
        assert f"mlpcore: {tmp_path}" in ran.stdout, "the build under test was not the one that ran"
        assert f"kernels: {isa}" in ran.stdout
