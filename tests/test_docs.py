"""Every example runs as written: the Python blocks of the README and of docs/, and those of every docstring."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import mlpcore

ROOT = Path(__file__).parent.parent
PAGES = [
    page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))) if page.exists()
]
PYTHON_BLOCK = re.compile(r"^ *```(?:python|py|pycon)\b[^\n]*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# These two do something when they are imported: run the command line, ask for the demo's packages.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(mlpcore.__path__, "mlpcore.")
    if module.name not in ("mlpcore.__main__", "mlpcore.demo")
]


@pytest.mark.parametrize("name", ["mlpcore", *MODULES])
def test_docstring(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(page: Path) -> None:
    blocks = PYTHON_BLOCK.findall(page.read_text(encoding="utf-8"))
    for block in blocks:
        assert block.lstrip().startswith(">>> "), f"doctest does not run this block: begin it with >>>\n{block}"
    ran = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert ran.failed == 0
    assert ran.attempted >= len(blocks)


@pytest.mark.skipif(not PAGES, reason="the tests do not lie in a checkout")
def test_pages_with_examples_are_found() -> None:
    with_blocks = {page.name for page in PAGES if PYTHON_BLOCK.search(page.read_text(encoding="utf-8"))}
    assert {"README.md", "paper.md", "gradcheck.md"} <= with_blocks


NAMED_FILE = re.compile(r"`((?:csrc|mlpcore|tests|docs|benchmarks)/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = NAMED_FILE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.skipif(not PAGES, reason="the tests do not lie in a checkout")
def test_functions_that_the_architecture_names_are_in_their_files() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    pairs = re.findall(r"`((?:csrc|mlpcore)/[\w./]+)` `(\w+)`", text)
    assert len(pairs) > 5
    for file, function in pairs:
        assert re.search(rf"\b{function}\(", (ROOT / file).read_text(encoding="utf-8")), f"{file}: {function}"
