"""The calls of csrc/net agree with each other to the bit, on 200 random networks: runs tests/plan."""

from pathlib import Path

import pytest
from compiling import CC, CSRC, NET, REFERENCE, TESTS, installed_kernels, run_program

PROGRAM = (TESTS / "plan").glob("*.c")

pytestmark = pytest.mark.skipif(not CSRC.exists(), reason="the sources of mlpcore do not lie beside its tests")


def test_random_plans_agree_with_themselves(tmp_path: Path) -> None:
    # What takes longest is the compiler: -Og spares it most.
    run_program(tmp_path / "plan", CC, ["-Og", *PROGRAM, *REFERENCE, *NET, *installed_kernels()])
