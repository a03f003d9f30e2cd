"""The lines for a shell that README and docs show: `python -m mlpcore` is run, `make` says what it would do."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlpcore import Dense, Sequential

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^    ((?:make|python -m)\b.*)$", re.MULTILINE)
NEEDS = {"onnx": "onnx"}
"""What a line with this word imports that may not be installed."""


def lines_of(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    found = [line for block in BLOCK.findall(text) for line in block.splitlines()] + INDENTED.findall(text)
    return [bare for line in found if (bare := re.sub(r"\s+#.*", "", line).strip())]


LINES = [(page, line) for page in PAGES for line in lines_of(page)]
IDS = [f"{page.name}: {line}" for page, line in LINES]
pytestmark = pytest.mark.skipif(not LINES, reason="the tests do not lie in a checkout")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the lines of a page find the files that they name, each what the ones before have left."""
    pandas = pytest.importorskip("pandas")
    path = tmp_path_factory.mktemp("shell")
    rooms = np.tile([1.0, 2.0, 3.0], 40)
    table = pandas.DataFrame({"rooms": rooms, "area": 20 * rooms + np.arange(120) % 7})
    table["price"] = 3 * table.area + 10 * table.rooms
    table.to_csv(path / "data.csv", index=False)
    model = Sequential([Dense(4, "tanh"), Dense(1)], seed=0)
    model.fit(table[["rooms", "area"]], table.price, "mse", progress=False)
    model.save(path / "model.safetensors")
    return path


@pytest.mark.parametrize(("page", "line"), LINES, ids=IDS)
def test_a_line_works_as_it_stands(page, line, folder):
    program, *arguments = shlex.split(line)
    if program == "make":
        if shutil.which("make") is None:
            pytest.skip("make is not installed")
        command, where = ["make", "--dry-run", *arguments], ROOT
    elif program == "python":
        for word in NEEDS.keys() & set(arguments):
            pytest.importorskip(NEEDS[word])
        trains_long = arguments[-1] == "demo"  # tests/test_demo.py does
        command, where = [sys.executable, "-P", *arguments, *["--help"] * trains_long], folder
    else:  # installs, clones: tests/test_packaging.py does that
        assert program in ("pip", "git"), f"nothing is known of {program}: say here how it is to be tried"
        return
    ran = subprocess.run(command, cwd=where, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


def test_lines_are_found():
    assert {"make", "python", "pip"} <= {line.split()[0] for _, line in LINES}
