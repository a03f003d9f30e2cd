"""The source distribution is complete: from it alone a fresh virtual environment builds mlpcore and runs SOME_TESTS."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import mlpcore._core

SOURCE = Path(__file__).parent.parent
NOT_SOURCE = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "*.so", "__pycache__")
SOME_TESTS = ["test_dense.py", "test_golden.py"]
THEY_NEED = ["pytest", "hypothesis"]  # installing all of the extra `test` would take longer than all else


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Extract an archive of ours; Python 3.11 knows filters from 3.11.4 on, and Debian 12 has 3.11.2."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)


@pytest.fixture
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (SOURCE / "setup.py").exists():
        pytest.skip("the sources of mlpcore do not lie beside its tests")
    pytest.importorskip("setuptools", minversion="77")
    directory = tmp_path_factory.mktemp("sdist")
    copy = shutil.copytree(SOURCE, directory / "source", ignore=NOT_SOURCE)
    backend = f"from setuptools.build_meta import build_sdist; build_sdist({str(directory)!r})"
    run(sys.executable, "-c", backend, cwd=copy)
    (archive,) = directory.glob("mlpcore-*.tar.gz")
    return archive


@pytest.mark.skipif(sys.platform == "win32", reason="extension modules are larger there")
def test_the_extension_module_is_small() -> None:
    assert Path(mlpcore._core.__file__).stat().st_size <= 3 << 20


@pytest.mark.clock
def test_the_import_is_quick() -> None:
    """60 ms at most on top of NumPy's, or three quarters of that if it takes more than 80, as on a slow machine.

    The quickest of some, since other programs run too.
    """
    code = "from time import perf_counter as t; a = t(); import numpy; b = t(); import mlpcore; print(b - a, t() - b)"
    command = [sys.executable, "-P", "-c", code]
    times = [[float(took) for took in subprocess.check_output(command, text=True).split()] for _ in range(9)]
    numpy_took, took = map(min, zip(*times, strict=True))
    assert took <= max(0.06, 0.75 * numpy_took)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without the environment of this one, and show what it printed if it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    # What takes longest is the C compiler, and then Python's: only what is imported need be compiled.
    environment |= {"CFLAGS": f"{environment.get('CFLAGS', '')} -Og", "PIP_NO_COMPILE": "1"}
    ran = subprocess.run(command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_the_installed_package_is_whole() -> None:
    package = Path(mlpcore.__file__).parent
    texts = ["export/steps.c", "export/reference/fma.h", "export/reference/dense.c"]
    assert [name for name in ["py.typed", "_core.pyi", *texts] if not (package / name).exists()] == []
    assert [*package.rglob("*.so")] == [Path(mlpcore._core.__file__)]


def test_the_sdist_installs_as_the_readme_says_and_passes_its_tests(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        extract(archive, tmp_path)
    (unpacked,) = tmp_path.iterdir()
    assert {"LICENSE", "Makefile", "README.md", "csrc", "docs", "tests"} <= {path.name for path in unpacked.iterdir()}

    steps = re.findall(r"^    ((?:pip|python) .*)$", (unpacked / "README.md").read_text(), re.MULTILINE)
    assert [step.split()[0] for step in steps] == ["pip", "python"]
    run(sys.executable, "-m", "venv", tmp_path / "fresh", cwd=tmp_path)
    script = "\n".join(
        [f". {tmp_path}/fresh/bin/activate", *steps, 'python -c "import mlpcore; print(mlpcore.__file__)"']
    )
    printed = run("sh", "-ec", script, cwd=unpacked)
    assert "test accuracy 0.9" in printed
    assert printed.endswith(f"{unpacked / 'mlpcore' / '__init__.py'}\n")

    python = tmp_path / "fresh" / "bin" / "python"
    run(python, "-m", "pip", "install", *THEY_NEED, cwd=tmp_path)
    assert f"mlpcore: {unpacked}" in run(python, "-m", "pytest", *SOME_TESTS, cwd=unpacked / "tests")
