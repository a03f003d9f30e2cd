"""Makes the playground that needs no Python: one page, build/playground/index.html, with everything in it.

The C core is compiled to WebAssembly by ziglang from PyPI. The page asks for nothing else, wherever it is opened.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from string import Template

import mlpcore.widget
from mlpcore.widget.bundle import bundle
from mlpcore.widget.points import NAMES, NOISES, points
from mlpcore.widget.words import words

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
CSRC = ROOT / "csrc"
BUILD = ROOT / "build" / "playground"
FRONT = Path(mlpcore.widget.__file__).with_name("front")
WASM = BUILD / "playground.wasm"
SOURCES = [
    CSRC / "wasm" / "playground.c",
    *sorted(
        path
        for pattern in ("catalogue/*.c", "reference/reference_f*.c", "runtime/*.c", "isa/*.c", "net/*.c")
        for path in CSRC.glob(pattern)
    ),
]
COMPILER = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi"]
FLAGS = ["-std=c11", "-Os", "-DNDEBUG", "-fno-fast-math", "-ffp-contract=off", "-fvisibility=hidden"]
LINK = ["-mexec-model=reactor", "-Wl,--export-dynamic", "-Wl,--strip-all"]


def compile_core() -> None:
    """Compile the core, unless no file of it has changed since. The first time takes minutes: so does a C library."""
    newest = max(path.stat().st_mtime for path in CSRC.rglob("*"))
    if WASM.exists() and WASM.stat().st_mtime > newest:
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    print("Compiling the core to WebAssembly", flush=True)
    subprocess.run([*COMPILER, *FLAGS, *LINK, f"-I{CSRC}", *SOURCES, "-o", WASM], check=True)


def data() -> dict[str, dict[str, list[float]]]:
    """Return the page's data: coordinates one after the other and classes, by name and noise."""
    found = {}
    for name in NAMES:
        for noise in NOISES:
            X, classes = points(name, noise)
            found[f"{name} {noise:g}"] = {"x": X.ravel().tolist(), "classes": classes.tolist()}
    return found


def write_parts() -> None:
    """Write the engine as a module for Node, and what it is given."""
    module = bundle(FRONT, "wasm_engine.js", others=(HERE,))
    (BUILD / "engine.mjs").write_text(f"{module}\nexport {{ WasmEngine, instantiate, parse, format }};\n")
    (BUILD / "words.json").write_text(json.dumps(words()))
    (BUILD / "points.json").write_text(json.dumps(data(), separators=(",", ":")))


def write_page() -> None:
    """Write the page."""
    page = Template((HERE / "page.html").read_text(encoding="utf-8"))
    text = page.substitute(
        css=(FRONT / "playground.css").read_text(encoding="utf-8"),
        words=json.dumps(words()).replace("<", "\\u003c"),
        points=json.dumps(data(), separators=(",", ":")),
        wasm=json.dumps(base64.b64encode(WASM.read_bytes()).decode()),
        script=bundle(FRONT, "page.js", others=(HERE,)),
    )
    (BUILD / "index.html").write_text(text, encoding="utf-8")


def main() -> None:
    """Make all of it."""
    compile_core()
    write_parts()
    write_page()
    print(f"build/playground/index.html: {(BUILD / 'index.html').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
