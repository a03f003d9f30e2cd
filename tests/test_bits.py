"""Every kernel of every instruction set equals the reference to the bit and touches nothing else: runs tests/bits.

Here a sample of the sizes, a smaller one with a second compiler; `make test-bits` takes all.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import mlpcore

TESTS = Path(__file__).parent
CSRC = TESTS.parent / "csrc"
PROGRAM = [TESTS / "bits" / name for name in ("bits.c", "bits_f32.c", "bits_f64.c")]
KERNELS = [
    *CSRC.glob("reference/reference_f*.c"),
    *(path for folder in ("catalogue", "runtime", "isa") for path in CSRC.glob(f"{folder}/*.c")),
]
FLAGS = ["-std=c11", "-O3", "-fno-fast-math", "-ffp-contract=off", "-pthread"]  # setup.py's, with assertions
# As -march=native has it: the reference, which calls a function for fma otherwise, takes a third of the time.
OF_THIS_PROCESSOR = ["-mfma"] if "avx2" in mlpcore.cpu.info()["available"] else []
MODES = {"clang": "brief", os.environ.get("CC", "cc"): "quick"}  # by compiler

pytestmark = pytest.mark.skipif(not CSRC.exists(), reason="the sources of mlpcore do not lie beside its tests")


@pytest.mark.parametrize("compiler", MODES)
def test_kernels_equal_the_reference(compiler: str, tmp_path: Path) -> None:
    command = shlex.split(compiler)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    program = tmp_path / "bits"
    subprocess.run(
        [*command, *FLAGS, *OF_THIS_PROCESSOR, f"-I{CSRC}", *PROGRAM, *KERNELS, "-lm", "-o", program], check=True
    )
    ran = subprocess.run(
        [program, os.environ.get("MLPCORE_TEST_BITS", MODES[compiler])], stdout=subprocess.PIPE, text=True
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout


def test_sizes_reach_past_two_of_every_page_s_tiles() -> None:
    most = re.search(
        r"TILE_ROWS_MOST = (\d+), TILE_COLUMNS_MOST = (\d+) \* (\d+) /", (TESTS / "bits" / "bits.inc.c").read_text()
    )
    assert most is not None
    rows, vectors, bytes_of_vector = map(int, most.groups())
    sets = [stub.stem.removesuffix("_f32") for stub in CSRC.glob("isa/*_f32.c")]
    assert sets
    for name in sets:
        page = (CSRC / "simd" / f"vec_{name}.h").read_text()
        tile = re.search(r"#define TILE_ROWS (\d+)\n#define TILE_VECS (\d+)", page)
        assert tile is not None, name
        assert int(tile[1]) <= rows, name
        assert int(tile[2]) * 64 <= vectors * bytes_of_vector, name  # no register is wider than 64 bytes
