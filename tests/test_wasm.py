"""The C that the page without Python exports fits the core as it is now; `make test-playground` runs it."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "csrc" / "wasm" / "playground.c"
ENGINE = ROOT / "docs" / "playground" / "wasm_engine.js"

pytestmark = pytest.mark.skipif(not SOURCE.exists(), reason="the sources of mlpcore do not lie beside its tests")


def test_it_compiles_against_the_core():
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not installed")
    ran = subprocess.run(
        [*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", SOURCE], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def test_the_engine_calls_what_is_exported():
    exported = set(re.findall(r"^EXPORT [\w ]+?\**\s?\**(\w+)\(", SOURCE.read_text(encoding="utf-8"), re.MULTILINE))
    called = set(re.findall(r"core\.(\w+)\(", ENGINE.read_text(encoding="utf-8")))
    assert len(called) > 10
    assert called <= exported
