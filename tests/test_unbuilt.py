"""An import that finds mlpcore without its compiled part says so, and what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mlpcore

PACKAGE = Path(mlpcore.__file__).parent
THIS = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
CURE = "build it there with `pip install -e .`, or leave that folder to use the one that is installed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A source folder without its extension."""
    shutil.copytree(PACKAGE, tmp_path / "mlpcore", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    (tmp_path / "setup.py").touch()
    return tmp_path


def last_line(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONSAFEPATH", "PYTHONPATH")}
    ran = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stdout
    return ran.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", [("-c", "import mlpcore"), ("-c", "from mlpcore import Dense"), ("-m", "mlpcore")]
)
def test_source_folder_that_was_not_built(folder: Path, arguments: tuple[str, ...]) -> None:
    expected = f"mlpcore is imported from its source folder, {folder}, where it has not been built: {CURE}"
    assert f"ImportError: {expected}" in last_line(folder, *arguments)


def test_installation_without_its_compiled_part(folder: Path) -> None:
    (folder / "setup.py").unlink()
    said = last_line(folder, "-c", "import mlpcore")
    assert f"imported from {folder}, where its compiled part is missing" in said
    assert "pip install --force-reinstall mlpcore" in said


def test_extension_of_another_python(folder: Path) -> None:
    (folder / "mlpcore" / "_core.cpython-39-x86_64-linux-gnu.so").touch()
    said = last_line(folder, "-c", "import mlpcore")
    assert f"which was built for another Python (_core.cpython-39-x86_64-linux-gnu.so) than this {THIS}" in said
    assert said.endswith(CURE)


def test_extension_that_cannot_be_loaded(folder: Path) -> None:
    (folder / "mlpcore" / Path(mlpcore._core.__file__).name).write_bytes(b"no library")
    said = last_line(folder, "-c", "import mlpcore")
    assert said.startswith(f"ImportError: mlpcore is imported from its source folder, {folder}, whose _core.")
    assert f"this {THIS}" in said
    assert said.endswith(CURE)


def test_other_import_errors_pass(folder: Path) -> None:
    (folder / "mlpcore" / "_core.py").write_text("raise ImportError('mlpcore needs NumPy 2.0 or newer')\n")
    assert last_line(folder, "-c", "import mlpcore") == "ImportError: mlpcore needs NumPy 2.0 or newer"
    (folder / "mlpcore" / "_core.py").write_text("import nothing_of_this_name\n")
    assert last_line(folder, "-c", "import mlpcore") == "ModuleNotFoundError: No module named 'nothing_of_this_name'"
