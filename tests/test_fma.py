"""Our fma (csrc/fma.h) rounds once: as the processor does, as fractions say, and inside of the reference."""

import os
import random
import re
import shlex
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parent
CSRC = TESTS.parent / "csrc"
CORE = [
    path
    for pattern in ("catalogue/*.c", "reference/reference_f*.c", "runtime/*.c", "isa/*.c", "net/*.c")
    for path in sorted(CSRC.glob(pattern))
]
FLAGS = ["-std=c11", "-ffp-contract=off", f"-I{CSRC}"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wsign-conversion", "-Werror"]
TRIPLES = 50_000_000 if os.environ.get("MLPCORE_TEST_FMA") == "full" else 2_000_000

pytestmark = pytest.mark.skipif(not CSRC.exists(), reason="the sources of mlpcore do not lie beside its tests")


@pytest.fixture(
    scope="module", params=[(cc, level) for cc in ("gcc", "clang") for level in ("-O0", "-O3")], ids="".join
)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler, level = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    built = tmp_path_factory.mktemp("fma") / "fma"
    subprocess.run([compiler, level, *FLAGS, *WARNINGS, TESTS / "fma" / "fma.c", "-lm", "-o", built], check=True)
    return built


class Format:
    """A format of IEEE 754, and a * b + c in it by the definition: exact, then rounded to nearest, ties to even."""

    def __init__(self, bits: int, digits: int, lowest: int):
        self.bits, self.digits, self.lowest = bits, digits, lowest
        self.highest = 2 - lowest - digits  # the exponent of the largest number
        self.dtype = np.dtype(f"f{bits // 8}")

    def rounded(self, exact: Fraction) -> float:
        """Return the nearest number, infinity from half a unit above the largest one on. 0 is positive."""
        if exact == 0:
            return 0.0
        exponent = abs(exact.numerator).bit_length() - exact.denominator.bit_length()
        exponent -= abs(exact) < Fraction(2) ** exponent  # 2^exponent <= |exact| < 2^(exponent + 1)
        unit = Fraction(2) ** max(exponent - self.digits + 1, self.lowest)
        nearest = round(exact / unit) * unit  # Fraction rounds ties to even
        if abs(nearest) >= Fraction(2) ** (self.highest + 1):
            return float("inf") if exact > 0 else float("-inf")
        if nearest == 0 and exact < 0:
            return -0.0
        return float(nearest)

    def number(self, rng: random.Random, exponent: int) -> float:
        """Return a number of about this exponent, subnormal or 0 where it must be, often with few digits."""
        few = rng.random() < 0.3
        significand = rng.getrandbits(3 if few else self.digits - 1) << (self.digits - 4 if few else 0)
        significand |= 1 << (self.digits - 1)
        return self.rounded(rng.choice((-1, 1)) * Fraction(significand) * Fraction(2) ** (exponent - self.digits + 1))

    def triples(self, count: int) -> list[tuple[float, float, float]]:
        """Return triples whose three numbers all matter: most near the subnormal numbers, some near the largest."""
        rng = random.Random(754)
        triples = []
        while len(triples) < count:
            top = self.highest
            subnormal = rng.randint(self.lowest - 3, self.lowest + self.digits + 2)
            product = rng.choice((subnormal, rng.randint(self.lowest, top), rng.randint(top - 2, top + 1)))
            a = rng.randint(max(self.lowest, product - top), min(top, product - self.lowest))
            b, c = product - a, product + rng.randint(-2 * self.digits - 2, self.digits + 2)
            if max(a, b, c) <= top:
                numbers = self.number(rng, a), self.number(rng, b), self.number(rng, c)
                if not any(map(np.isinf, numbers)):
                    triples.append(numbers)
        return triples

    def computed(self, program: Path, triples: list[tuple[float, float, float]]) -> np.ndarray:
        """Return what csrc/fma.h makes of them."""
        data = np.array(triples, self.dtype).tobytes()
        ran = subprocess.run([program, "compute", str(self.bits)], input=data, capture_output=True, check=True)
        return np.frombuffer(ran.stdout, self.dtype)


FORMATS = [Format(32, 24, -149), Format(64, 53, -1074)]


def test_our_fma_is_the_instruction_s(program: Path) -> None:
    ran = subprocess.run([program, str(TRIPLES)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:]
    if "no fma" in ran.stdout:
        pytest.skip(ran.stdout)


@pytest.mark.parametrize("kind", FORMATS, ids=["float32", "float64"])
def test_our_fma_rounds_the_exact_sum_once(program: Path, kind: Format) -> None:
    triples = kind.triples(5000)
    expected = [kind.rounded(Fraction(a) * Fraction(b) + Fraction(c)) for a, b, c in triples]
    got = kind.computed(program, triples)
    wrong = [
        f"{a.hex()} * {b.hex()} + {c.hex()}: {x.hex()}, expected {y.hex()}"
        for (a, b, c), x, y in zip(triples, map(float, got), expected, strict=True)
        if x.hex() != y.hex()
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", FORMATS, ids=["float32", "float64"])
def test_the_triples_tell_one_rounding_from_two(kind: Format) -> None:
    different = 0
    for a, b, c in kind.triples(2000):
        product = Fraction(a) * Fraction(b)
        rounded = kind.rounded(product)
        if not np.isinf(rounded):
            different += kind.rounded(product + Fraction(c)) != kind.rounded(Fraction(rounded) + Fraction(c))
    assert different > 50


def test_a_triple_that_wasi_libc_rounds_twice(program: Path) -> None:
    a, b, c = map(float.fromhex, ("-0x1.257dap+73", "-0x1.48p+9", "-0x1.ca69ccp-84"))
    assert FORMATS[0].computed(program, [(a, b, c)]).tolist() == [float.fromhex("0x1.7808f4p+82")]  # not ...f6


def test_the_reference_gives_the_same_bits_with_our_fma(tmp_path: Path) -> None:
    compiler = shlex.split(os.environ.get("CC", "cc"))

    def output(*options: str) -> list[str]:
        objects = []
        for source in [TESTS / "wasm" / "networks.c", *CORE]:
            objects.append(tmp_path / f"{source.stem}.o")
            # The kernels of instruction sets are linked and not run: they need not be fast.
            level = "-O0" if source.parent.name == "isa" else "-O2"
            subprocess.run([*compiler, level, *FLAGS, *options, "-c", source, "-o", objects[-1]], check=True)
        subprocess.run([*compiler, *objects, "-lm", "-pthread", "-o", tmp_path / "networks"], check=True)
        return subprocess.check_output([tmp_path / "networks"], text=True).splitlines()

    ours = output("-DMLP_OWN_FMA")
    for built in tmp_path.glob("*_f??.o"):
        symbols = re.findall(r"\b_?(?:mlp_)?fmaf?\b", subprocess.check_output(["nm", built], text=True))
        if built.stem.startswith("reference"):
            assert not {"fma", "fmaf"} & set(symbols), "the reference still calls the C library's fma"
        elif built.stem.startswith("avx"):
            assert symbols == [], f"{built.stem} calls a function for fma, expected the instruction"
    assert ours[:2] == [
        "float32 unit " + struct.pack(">d", float.fromhex("0x1.7808f4p+82")).hex(),
        "float64 unit 8000000000000000",
    ]
    assert ours == output()
