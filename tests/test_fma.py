"""The reference's own fma (csrc/reference/fma.h) rounds x y + z once: against exact fractions and the processor's.

`make test-fma` compares 10 million random triples of each type with the instruction; here are fewer of them.
"""

import math
import os
import re
import shlex
import shutil
import struct
import subprocess
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from compiling import CC, CSRC, NET, REFERENCE, STANDARD, TESTS, installed_kernels

FLAGS = [*STANDARD, f"-I{CSRC}"]
FULL = os.environ.get("MLPCORE_TEST_FMA") == "full"
TRIPLES = 10_000_000 if FULL else 300_000
NO_INSTRUCTION = 77
COMPILERS = list(dict.fromkeys([os.environ.get("CC", "gcc"), "clang"]))
BUILDS = [(compiler, level) for compiler in COMPILERS for level in ("-O0", "-O3")]
INF, NAN = math.inf, math.nan
# fraction bits, smallest number, smallest normal number, largest number
FORMATS = {
    32: (23, 2.0**-149, 2.0**-126, (2 - 2.0**-23) * 2.0**127),
    64: (52, 2.0**-1074, 2.0**-1022, (2 - 2.0**-52) * 2.0**1023),
}

pytestmark = pytest.mark.skipif(not CSRC.exists(), reason="the sources of mlpcore do not lie beside its tests")


@pytest.fixture(scope="module", params=BUILDS, ids="".join)
def program(request, tmp_path_factory):
    compiler, level = request.param
    command = shlex.split(compiler)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    path = tmp_path_factory.mktemp("fma") / "fma"
    subprocess.run([*command, *FLAGS, level, TESTS / "fma" / "fma.c", "-lm", "-o", path], check=True)
    return path


def bits_of(bits, x):
    return int.from_bytes(struct.pack(">f" if bits == 32 else ">d", x), "big")


def own(program, bits, triples):
    """The bits of x y + z for every triple, NaN as 7ff...f."""
    text = "".join(" ".join(f"{bits_of(bits, v):x}" for v in triple) + "\n" for triple in triples)
    ran = subprocess.run([program, str(bits)], input=text, capture_output=True, text=True, check=True)
    return [int(line, 16) for line in ran.stdout.split()]


def rounded(bits, exact, negative):
    """The float nearest to a fraction, ties to even; `negative` is the sign of 0."""
    fraction_bits, smallest, smallest_normal, largest = FORMATS[bits]
    size, ulp = abs(exact), Fraction(smallest)
    if size >= smallest_normal:
        exponent = size.numerator.bit_length() - size.denominator.bit_length()
        exponent -= size < Fraction(2) ** exponent
        ulp = Fraction(2) ** (exponent - fraction_bits)
    size = round(size / ulp) * ulp  # Python's round takes ties to even
    result = INF if size > largest else float(size)
    return -result if (exact < 0 or (exact == 0 and negative)) else result


def right(bits, x, y, z):
    """The bits of x y + z."""
    if not all(map(math.isfinite, (x, y, z))):
        finite = math.isfinite(x) and math.isfinite(y)
        value = z if finite else x * y + z
        return bits_of(bits, value) if value == value else (1 << (bits - 1)) - 1
    product_negative = math.copysign(1, x) * math.copysign(1, y) < 0
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    both_zero = (x == 0 or y == 0) and z == 0
    return bits_of(bits, rounded(bits, exact, both_zero and product_negative and math.copysign(1, z) < 0))


def check(program, bits, triples):
    for triple, got in zip(triples, own(program, bits, triples), strict=True):
        expected = right(bits, *triple)
        assert got == expected, f"{[v.hex() for v in triple]}: bits {got:x}, expected {expected:x}"


def directed(bits):
    """Midpoints, with something that decides about them far below; what just is or is not subnormal or infinite."""
    fraction_bits, smallest, normal, largest = FORMATS[bits]
    epsilon = 2.0**-fraction_bits
    ones = (0.0, 1.0, 1 + epsilon, 1 + 2 * epsilon, 2 - epsilon, 1 - epsilon / 2, 1.5)
    for x, y, sign in product(ones, ones, (1, -1)):
        for z in (
            smallest,
            normal,
            epsilon / 2,
            epsilon / 2 + epsilon**2,
            epsilon,
            1.0,
            1 / epsilon,
            2 / epsilon,
            largest,
        ):
            yield x, y, sign * z
            yield -x, y, sign * z
            yield x * normal, y, sign * z * normal if z <= 1 else sign * z
    for x, sign in product((1, 1.5, 2 - epsilon, 1 + epsilon), (1, -1)):
        for power in (1, 2, 3, fraction_bits - 1, fraction_bits, fraction_bits + 1):  # subnormal results and below
            small = sign * 2.0**-power
            for z in (0.0, smallest, 3 * smallest, normal, normal - smallest, 2 * normal, -normal, -smallest):
                yield x * normal, small, z
                yield x * normal, small * (1 + epsilon), z
    for x in (largest, largest / 2, largest * 0.75):
        for y, z in product(
            (1.0, 2.0, -2.0, 1 + epsilon), (largest, -largest, largest * epsilon / 4, -largest * epsilon / 4, 1)
        ):
            yield x, y, z
    scale = 2.0 ** (30 if bits == 32 else 400)
    for x in (1 + epsilon, 1 - epsilon / 2, 1 + 3 * epsilon):  # all but the product's last bits cancel
        for z in (-1.0, -(1 + 2 * epsilon), -(1 - epsilon)):
            yield x, x, z
            yield x * scale, x / scale, z


@pytest.mark.parametrize("bits", [32, 64])
def test_directed(program, bits):
    fits = [tuple(float(np.dtype(f"f{bits // 8}").type(v)) for v in triple) for triple in directed(bits)]
    check(program, bits, fits)


@pytest.mark.parametrize("bits", [32, 64])
def test_zeros_infinities_and_nan(program, bits):
    _, smallest, normal, largest = FORMATS[bits]
    some = [0.0, 1.0, smallest, normal, largest, INF]
    check(program, bits, list(product([*some, *(-v for v in some), NAN], repeat=3)))


def test_a_normal_number_that_wasi_libc_rounds_twice(program):
    x, y, z = map(float.fromhex, ("-0x1.257dap+73", "-0x1.48p+9", "-0x1.ca69ccp-84"))
    right_bits = bits_of(32, float.fromhex("0x1.7808f4p+82"))  # wasi-libc's fmaf ends in 6
    assert own(program, 32, [(x, y, z)]) == [right_bits]
    check(program, 64, [(x, y, z)])


@pytest.mark.parametrize("bits", [32, 64])
def test_random_triples_against_fractions(program, bits):
    rng = np.random.default_rng(bits)
    fraction_bits, _, normal, largest = FORMATS[bits]
    lowest, highest = math.frexp(normal)[1] - fraction_bits, math.frexp(largest)[1]
    triples = []
    while len(triples) < 3000:
        x, y = rng.integers(lowest, highest, 2)
        z = x + y + rng.integers(-2 * fraction_bits - 6, 2 * fraction_bits + 6)
        if lowest <= z < highest:
            triples.append([math.ldexp(m, int(e)) for m, e in zip(rng.uniform(-1, 1, 3), (x, y, z), strict=True)])
    check(program, bits, [tuple(float(np.dtype(f"f{bits // 8}").type(v)) for v in triple) for triple in triples])


@pytest.mark.parametrize("bits", [32, 64])
def test_random_triples_against_the_instruction(program, bits):
    ran = subprocess.run([program, str(bits), str(TRIPLES)], capture_output=True, text=True)
    if ran.returncode == NO_INSTRUCTION:
        pytest.skip("this processor has no fma")
    assert ran.returncode == 0, ran.stdout


def test_the_kernels_of_the_installed_build_use_the_instruction():
    objects = [path for path in installed_kernels() if path.suffix == ".o"]
    if not objects or shutil.which("nm") is None:
        pytest.skip("the object files of the installed build, or nm, are not there")
    check_fma(objects)


@pytest.mark.skipif(not FULL, reason="make test-fma compiles all kernels, which takes minutes")
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_kernels_use_the_instruction(compiler, level, tmp_path):
    command = shlex.split(compiler)
    if shutil.which(command[0]) is None or shutil.which("nm") is None:
        pytest.skip(f"{command[0]} or nm is not installed")
    check_fma(compiled(tmp_path, command, CSRC.glob("isa/*_f*.c"), level))


def check_fma(objects):
    """Fail if kernels of an instruction set call a function for fma."""
    kernels = [path for path in objects if re.search("_f(32|64)$", path.stem)]
    assert kernels
    for path in kernels:
        called = subprocess.run(["nm", "-u", path], capture_output=True, text=True, check=True).stdout.split()
        assert not {"fma", "fmaf"} & set(called), path.name


def compiled(folder, compiler, sources, *options):
    """Compile each of some sources, and return the object files."""
    objects = {folder / f"{source.stem}.o": source for source in sources}
    for path, source in objects.items():
        subprocess.run([*compiler, *FLAGS, *options, "-c", source, "-o", path], check=True)
    return [*objects]


def test_the_reference_gives_the_same_bits_with_our_fma(tmp_path):
    compiler = shlex.split(CC)
    others = compiled(tmp_path, compiler, [TESTS / "wasm" / "networks.c", *NET], "-Og")

    def output(*options):
        objects = [*compiled(tmp_path, compiler, REFERENCE, "-Og", *options), *others, *installed_kernels()]
        subprocess.run([*compiler, *FLAGS, *objects, "-lm", "-pthread", "-o", tmp_path / "networks"], check=True)
        return subprocess.check_output([tmp_path / "networks"], text=True).splitlines()

    ours = output("-DMLP_OWN_FMA")
    for kind in "f32", "f64":
        called = subprocess.check_output(["nm", "-u", tmp_path / f"reference_{kind}.o"], text=True).split()
        assert not {"fma", "fmaf"} & set(called), "the reference still calls the C library's fma"
    assert ours[:2] == [
        f"float32 unit {bits_of(64, float.fromhex('0x1.7808f4p+82')):016x}",
        f"float64 unit {bits_of(64, -0.0):016x}",
    ]
    assert ours == output()


def test_a_sum_just_above_a_middle(program):
    """z is even, and x y is half a unit of it and 2^-77 of that more."""
    x, y, z = map(float.fromhex, ("0x1ce8f5a85428c0p0", "0x11b5cb76b30a87p0", "0x1p158"))
    check(program, 64, [(x, y, z), (-x, y, -z), (-x, y, z)])
