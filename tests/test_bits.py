"""Every kernel of every instruction set equals the reference to the bit and touches nothing else: runs tests/bits.

Here a sample of the sizes on the installed build; test_builds.py takes some of them with another compiler, and
`make test-bits` all.
"""

import os
import re
from pathlib import Path

import pytest
from compiling import CC, CSRC, KERNELS, TESTS, check_bits, installed_kernels

pytestmark = pytest.mark.skipif(not CSRC.exists(), reason="the sources of mlpcore do not lie beside its tests")


def test_kernels_equal_the_reference(tmp_path: Path) -> None:
    kernels = KERNELS if "-fsanitize" in CC else installed_kernels()
    check_bits(tmp_path, CC, kernels, os.environ.get("MLPCORE_TEST_BITS", "quick"))


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
