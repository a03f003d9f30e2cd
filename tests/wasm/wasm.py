"""WebAssembly is one more machine: compiles the C core for wasm32-wasi and trains the golden networks under Node.

WebAssembly has no fma instruction and the C library's rounds twice, so this runs the fma of csrc/reference/fma.h. The
program and the other end of its pipe are those of tests/neon.
"""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "wasm"

sys.path.insert(0, str(HERE.parent / "neon"))
import run as neon  # noqa: E402

COMPILER = ["clang", "--target=wasm32-wasi", "-std=c11", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
NODE = ["node", "--no-warnings", str(HERE / "train.mjs")]
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


def main() -> int:
    """Build, train, and say what came out."""
    require_tools()
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "train.wasm"
    subprocess.run([*COMPILER, f"-I{neon.CSRC}", *neon.PROGRAMS["train"], *neon.CORE, "-lm", "-o", program], check=True)
    began = time.perf_counter()
    wrong = neon.wrong_hashes([*NODE, program, "reference"])
    took = f"{time.perf_counter() - began:.1f} s"
    print(f"WebAssembly, reference: {'OTHER BITS: ' + ', '.join(wrong) if wrong else 'the golden bits'}, {took}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
