"""The calls of csrc/net agree with each other to the bit, on 200 random networks: runs tests/plan."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from test_bits import CSRC, FLAGS, KERNELS, OF_THIS_PROCESSOR, TESTS

NET = CSRC.glob("net/*.c")
PROGRAM = (TESTS / "plan").glob("*.c")

pytestmark = pytest.mark.skipif(not CSRC.exists(), reason="the sources of mlpcore do not lie beside its tests")


def test_random_plans_agree_with_themselves(tmp_path: Path) -> None:
    program = tmp_path / "plan"
    # What takes longest is the compiler: -Og spares it most.
    command = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS, *OF_THIS_PROCESSOR, "-Og", f"-I{CSRC}", *PROGRAM]
    subprocess.run([*command, *KERNELS, *NET, "-lm", "-o", program], check=True)
    ran = subprocess.run([program], stdout=subprocess.PIPE, text=True)
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout
