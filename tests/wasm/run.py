"""Proves WebAssembly one more machine with the same bits: compiles the C core for WASI, without threads, for Node.

1. tests/fma: our fma gives what it gives on this machine, for random triples.
2. networks.c: trained networks have the bits that the same program gets on this machine.
"""

import os
import random
import shlex
import shutil
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CSRC = ROOT / "csrc"
BUILD = ROOT / "build" / "wasm"

FLAGS = ["-std=c11", "-O3", "-ffp-contract=off"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wsign-conversion", "-Werror"]
CORE = [
    path
    for pattern in ("catalogue/*.c", "reference/reference_f*.c", "runtime/*.c", "isa/*.c", "net/*.c")
    for path in sorted(CSRC.glob(pattern))
]
PROGRAMS = {"networks": [HERE / "networks.c", *CORE], "fma": [HERE.parent / "fma" / "fma.c"]}
CLANG = os.environ.get("WASM_CC", "clang --target=wasm32-wasi")
NODE = [os.environ.get("NODE", "node"), "--no-warnings", HERE / "run.mjs"]
TRIPLES = 100_000


def require_tools() -> None:
    """End with the Debian packages that are missing."""
    compiler = shlex.split(CLANG)
    packages = {"clang": shutil.which(compiler[0]), "nodejs": shutil.which(NODE[0])}
    packages["lld"] = shutil.which("wasm-ld")
    if packages["clang"]:
        asked = {"wasi-libc": "libc.a", "libclang-rt-14-dev-wasm32": "libclang_rt.builtins-wasm32.a"}
        for package, library in asked.items():
            ran = subprocess.run([*compiler, f"-print-file-name={library}"], capture_output=True, text=True)
            packages[package] = Path(ran.stdout.strip()).is_absolute()
    missing = [package for package, there in packages.items() if not there]
    if missing:
        sys.exit(f"test-wasm needs what is not there: apt-get install {' '.join(missing)}")
    version = subprocess.run([NODE[0], "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < 20:
        sys.exit(f"test-wasm: node is {version.strip()}, expected 20 or newer, for node:wasi")


def build(name: str, compiler: list[str], libraries: list[str]) -> dict[str, Path]:
    """Compile all programs into build/wasm/name."""
    directory = BUILD / name
    directory.mkdir(parents=True, exist_ok=True)
    compiler = [*compiler, *FLAGS, f"-I{CSRC}"]
    for program, sources in PROGRAMS.items():
        objects = []
        for source in sources:
            objects.append(directory / f"{source.stem}.o")
            subprocess.run([*compiler, "-c", source, "-o", objects[-1]], check=True)
        subprocess.run([*compiler, *objects, *libraries, "-o", directory / program], check=True)
    return {program: directory / program for program in PROGRAMS}


def random_triples(bits: int) -> bytes:
    """Return triples of random bits, the exponents of which are near enough to one another to matter."""
    rng = random.Random(bits)
    digits, bias = (23, 127) if bits == 32 else (52, 1023)
    numbers = []
    for _ in range(TRIPLES):
        product = rng.randint(-bias - digits - 3, bias)  # from below the subnormal numbers to the largest
        a = rng.randint(max(1 - bias, product - bias), min(bias, product + bias - 1))
        c = product + rng.randint(-2 * digits - 4, digits + 4)
        for exponent in a, product - a, c:
            biased = min(max(exponent + bias, 0), 2 * bias)
            numbers.append(rng.getrandbits(1) << (bits - 1) | biased << digits | rng.getrandbits(digits))
    return struct.pack(f"<{len(numbers)}{'I' if bits == 32 else 'Q'}", *numbers)


def main() -> int:
    """Build for WASI and for this machine, run, and say what came out."""
    require_tools()
    wasm = build("wasi", [*shlex.split(CLANG), *WARNINGS], ["-lm"])
    native = build("native", shlex.split(os.environ.get("CC", "cc")), ["-lm", "-pthread"])

    def output(program: str, *arguments: str, data: bytes = b"") -> tuple[bytes, bytes]:
        commands = ([*NODE, wasm[program], *arguments], [native[program], *arguments])
        got, expected = (
            subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout for command in commands
        )
        assert expected
        return got, expected

    failures = 0
    for bits in 32, 64:
        got, expected = output("fma", "compute", str(bits), data=random_triples(bits))
        assert len(expected) == TRIPLES * bits // 8
        failures += got != expected
        print(f"fma of float{bits}: {'the same bits' if got == expected else 'OTHER BITS'} for {TRIPLES} triples")
    got, expected = output("networks")
    lines, right = got.decode().splitlines(), expected.decode().splitlines()
    wrong = [line for line in lines if line not in right]
    failures += got != expected
    print(f"networks: {'OTHER BITS: ' + '; '.join(wrong) if got != expected else f'the same bits, {len(lines)} lines'}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
