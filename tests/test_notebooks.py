"""Every lesson of notebooks/ runs from a clean kernel, with no error, no warning and no network."""

import os
import re
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

FOLDER = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9]*.md"))
NOTEBOOKS = [*LESSONS, *FOLDER.glob("teacher-notes.md")]

# What Python runs first in a kernel: sockets reach this machine only. Jupyter's own are not Python's.
WITHOUT_NETWORK = """
import socket

connect, look_up = socket.socket.connect, socket.getaddrinfo

def refuse(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"no network in a lesson: {address}")
    return connect(self, address)

def refuse_name(host, *rest, **named):
    if host not in (None, "", "127.0.0.1", "::1", "localhost"):
        raise OSError(f"no network in a lesson: {host}")
    return look_up(host, *rest, **named)

socket.socket.connect, socket.getaddrinfo = refuse, refuse_name
"""

pytestmark = pytest.mark.skipif(not LESSONS, reason="the tests do not lie in a checkout")


def run(notebook, folder: Path):
    """Run a notebook in a kernel of its own and return it with its outputs."""
    (folder / "sitecustomize.py").write_text(WITHOUT_NETWORK)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    there = {"PYTHONPATH": path, "MLPCORE_NUM_THREADS": "1"}
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(
        env=os.environ | there | {"IPYTHONDIR": str(folder / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    )
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_runs(path, tmp_path):
    notebook = run(jupytext.read(path, fmt="md:myst"), tmp_path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 5, path.stem
    outputs = [output for cell in code for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert all(cell.execution_count for cell in code if cell.source.strip())


def test_a_lesson_reaches_no_network(tmp_path):
    source = "import urllib.request\nurllib.request.urlopen('http://192.0.2.1/', timeout=1)"
    notebook = jupytext.reads(f"```{{code-cell}}\n{source}\n```\n", fmt="md:myst")
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="no network in a lesson"):
        run(notebook, tmp_path)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_a_title_exercises_and_short_lines(path):
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"^# Lesson {int(path.stem[:2])}: ", text, re.M)
    exercises = re.search(r"^## Exercises\n(.*)", text, re.M | re.S)
    assert len(re.findall(r"^\d+\. ", exercises[1], re.M)) >= 4
    assert [line for line in text.splitlines() if len(line) > 120] == []


def test_the_lesson_on_equations_1_to_4_needs_no_helper_of_the_teachers():
    (path,) = (path for path in LESSONS if path.stem.startswith("03"))
    lesson = jupytext.read(path, fmt="md:myst")
    code = [line for cell in lesson.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    code = [line for line in code if line.strip() and not line.startswith("#")]
    assert len(code) < 40
    assert not any(re.match(r"\s*(def|class)\b|.*\blambda\b", line) for line in code)


def test_the_c_that_a_lesson_quotes_is_in_the_sources():
    blocks = [block for path in LESSONS for block in re.findall(r"^```c\n(.*?)^```$", path.read_text(), re.M | re.S)]
    sources = [path.read_text() for path in (FOLDER.parent / "csrc").rglob("*.[ch]")]
    assert len(blocks) >= 4
    assert [block for block in blocks if not any(block in source for source in sources)] == []


def test_the_teachers_notes_answer_every_exercise():
    notes = (FOLDER / "teacher-notes.md").read_text(encoding="utf-8")
    for path in LESSONS:
        lesson = path.read_text(encoding="utf-8")
        exercises = re.search(r"^## Exercises\n(.*)", lesson, re.M | re.S)[1]
        asked = re.findall(r"^(\d+)\. ", exercises, re.M)
        section = re.search(rf"^## Lesson {int(path.stem[:2])}: [^\n]*\n(.*?)(?=^## |\Z)", notes, re.M | re.S)[1]
        assert re.findall(r"^(\d+)\. ", section, re.M) == asked, path.stem
