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


def lines_of(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    found = [line for block in BLOCK.findall(text) for line in block.splitlines()] + INDENTED.findall(text)
    return [bare for line in found if (bare := re.sub(r"\s+#.*", "", line).strip())]


def tried_with(*programs: str) -> dict[Path, list[str]]:
    found = {page: [line for line in lines_of(page) if line.split()[0] in programs] for page in PAGES}
    return {page: lines for page, lines in found.items() if lines}


MAKE, PYTHON = tried_with("make"), tried_with("python")
pytestmark = pytest.mark.skipif(not PYTHON, reason="the tests do not lie in a checkout")


def run(*command, cwd):
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == 0, " ".join(command) + ran.stdout[-2000:] + ran.stderr[-2000:]


@pytest.mark.parametrize("page", MAKE, ids=lambda page: page.name)
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_knows_what_a_page_asks_it_for(page):
    for line in MAKE[page]:
        program, *arguments = shlex.split(line)
        run(program, "--dry-run", *arguments, cwd=ROOT)


@pytest.fixture
def folder(tmp_path):
    """Where the lines of a page find the files that they name: a table and a model of it."""
    pandas = pytest.importorskip("pandas")
    for package in "sklearn", "matplotlib", "onnx":
        pytest.importorskip(package)
    rooms = np.tile([1.0, 2.0, 3.0], 40)
    table = pandas.DataFrame({"rooms": rooms, "area": 20 * rooms + np.arange(120) % 7})
    table["price"] = 3 * table.area + 10 * table.rooms
    table.to_csv(tmp_path / "data.csv", index=False)
    model = Sequential([Dense(4, "tanh"), Dense(1)], seed=0)
    model.fit(table[["rooms", "area"]], table.price, "mse", progress=False)
    model.save(tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.name)
def test_the_commands_of_a_page_work_one_after_the_other(page, folder):
    for line in PYTHON[page]:
        _, *arguments = shlex.split(line)
        help_only = ["--help"] if arguments[-1] == "demo" else []  # tests/test_demo.py runs it
        run(sys.executable, "-P", *arguments, *help_only, cwd=folder)


def test_nothing_else_is_shown():
    """Installing and cloning are tried by tests/test_packaging.py; say here how another is to be tried."""
    shown = {line.split()[0] for page in PAGES for line in lines_of(page)}
    assert shown <= {"make", "python", "pip", "git"}
    assert len(MAKE) >= 3
