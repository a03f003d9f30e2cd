"""WebAssembly is one more machine: compiles the C core for wasm32-wasi and trains networks under Node.

WebAssembly has no fma instruction and the C library's rounds twice, so this runs the fma of csrc/reference/fma.h.

1. networks.c prints what it prints on this machine: networks of the whole catalogue, and sums that are hard to round.
2. The golden networks have the golden hashes. The program and the other end of its pipe are those of tests/neon.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE.parent))
from compiling import CSRC, ROOT, STANDARD  # noqa: E402
from neon import run as neon  # noqa: E402

BUILD = ROOT / "build" / "wasm"
FLAGS = [*STANDARD, "-O3"]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
COMPILER = ["clang", "--target=wasm32-wasi", *FLAGS]
PROGRAMS = {"train": neon.PROGRAMS["train"], "networks": [HERE / "networks.c"]}
NODE = ["node", "--no-warnings", str(HERE / "run.mjs")]
OLDEST_NODE = 20


def require_tools() -> None:
    """End with the names of the packages to install, if something is missing."""
    packages = [] if shutil.which("clang") else ["clang"]
    packages += [] if shutil.which("wasm-ld") else ["lld"]
    packages += [] if Path("/usr/include/wasm32-wasi/stdio.h").exists() else ["wasi-libc"]
    if "clang" not in packages:
        asked = [*COMPILER[:2], "-print-libgcc-file-name"]
        library = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        version = re.search(r"clang/(\d+)", library)
        packages += [] if Path(library).exists() or not version else [f"libclang-rt-{version[1]}-dev-wasm32"]
    version = shutil.which("node") and subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    if not version or int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        packages.append(f"nodejs (version {OLDEST_NODE} or newer)")
    if packages:
        sys.exit(f"test-wasm needs what is not here: apt-get install {' '.join(packages)}")


def build(name: str, compiler: list[str]) -> dict[str, Path]:
    """Compile all programs into build/wasm/name."""
    directory = BUILD / name
    directory.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in neon.CORE:
        objects.append(directory / f"{source.stem}.o")
        subprocess.run([*compiler, f"-I{CSRC}", "-c", source, "-o", objects[-1]], check=True)
    for program, sources in PROGRAMS.items():
        command = [*compiler, f"-I{CSRC}", *sources, *objects, "-lm", "-o", directory / program]
        subprocess.run(command, check=True)
    return {program: directory / program for program in PROGRAMS}


def main() -> int:
    """Build, train, and say what came out."""
    require_tools()
    wasm = build("wasi", [*COMPILER, *WARNINGS])
    native = build("native", [*shlex.split(os.environ.get("CC", "cc")), *FLAGS, "-pthread"])

    expected = subprocess.check_output([native["networks"]], text=True).splitlines()
    got = subprocess.check_output([*NODE, wasm["networks"]], text=True).splitlines()
    other = [line for line in got if line not in expected]
    assert len(got) == len(expected) > 0
    print(f"WebAssembly, reference: {'OTHER BITS: ' + ', '.join(other) if other else 'the bits of this machine'}")

    began = time.perf_counter()
    wrong = neon.wrong_hashes([*NODE, wasm["train"], "reference"])
    took = f"{time.perf_counter() - began:.1f} s"
    print(f"WebAssembly, reference: {'OTHER BITS: ' + ', '.join(wrong) if wrong else 'the golden bits'}, {took}")
    return bool(other or wrong)


if __name__ == "__main__":
    sys.exit(main())
