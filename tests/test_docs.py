"""Every example runs as written: the Python blocks of the README and of docs/, and those of every docstring."""

import doctest
import importlib.util
import os
import pkgutil
import re
import tomllib
import warnings
from pathlib import Path

import pytest

import mlpcore

ROOT = Path(__file__).parent.parent
# But for docs/api/, which the site makes from the docstrings.
PAGES = [
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
    if page.exists() and page.parent.name != "api"
]
PYTHON_BLOCK = re.compile(r"^ *```(?:python|py|pycon)\b[^\n]*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# What a page may import that `make test` does not bring along: `make test-peers` does.
os.environ.setdefault("KERAS_BACKEND", "torch")
NOT_EVERYWHERE = re.compile(r"^ *>>> (?:import|from) (sklearn|keras|torch|matplotlib|onnxruntime)\b", re.MULTILINE)
# These two do something when they are imported: run the command line, ask for the demo's packages.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(mlpcore.__path__, "mlpcore.")
    if module.name not in ("mlpcore.__main__", "mlpcore.demo")
]

# What the examples of a package, or of a page, draw with.
NEEDED = {"mlpcore.plot": "matplotlib", "plots.md": "matplotlib"}


@pytest.mark.parametrize("name", ["mlpcore", *MODULES])
def test_docstring(name: str) -> None:
    pytest.importorskip(NEEDED.get(".".join(name.split(".")[:2]), "mlpcore"))
    assert doctest.testmod(importlib.import_module(name)).failed == 0


SECTION = re.compile(r"^(?=##)", re.MULTILINE)


def is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(page: Path) -> None:
    """All of it, but for the sections that import what is not installed."""
    pytest.importorskip(NEEDED.get(page.name, "mlpcore"))
    text = page.read_text(encoding="utf-8")
    for block in PYTHON_BLOCK.findall(text):
        assert block.lstrip().startswith(">>> "), f"doctest does not run this block: begin it with >>>\n{block}"
    others, left_out, runs = set(), set(), ""
    for section in SECTION.split(text):
        imported = set(NOT_EVERYWHERE.findall(section))
        missing = {module for module in imported if not is_installed(module)}
        others, left_out = others | imported, left_out | missing
        runs += "\n" * section.count("\n") if missing else section  # so that lines keep their numbers
    blocks = len(PYTHON_BLOCK.findall(runs))
    if left_out and not blocks:
        pytest.skip(f"not installed: {', '.join(sorted(left_out))}")
    example = doctest.DocTestParser().get_doctest(runs, {"__name__": "__main__"}, page.name, str(page), 0)
    with warnings.catch_warnings():
        if others:  # what they have deprecated is not ours
            warnings.simplefilter("ignore", DeprecationWarning)
        ran = doctest.DocTestRunner().run(example)
    assert ran.failed == 0
    assert ran.attempted >= blocks


@pytest.mark.skipif(not PAGES, reason="the tests do not lie in a checkout")
def test_pages_with_examples_are_found() -> None:
    with_blocks = {page.name for page in PAGES if PYTHON_BLOCK.search(page.read_text(encoding="utf-8"))}
    assert {"README.md", "paper.md", "by-hand.md", "gradcheck.md"} <= with_blocks


COMMAND = re.compile(r"(?:^    |^|`)make ([a-z][a-z-]*)", re.MULTILINE)
EXTRA = re.compile(r"pip install [^\n`]*\[([a-z,]+)\]")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_that_a_page_shows_are_there(page: Path) -> None:
    """Targets of the Makefile, and extras of the package."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [command for command in COMMAND.findall(text) if command not in targets] == []
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert [extra for extras in EXTRA.findall(text) for extra in extras.split(",") if extra not in known] == []


NAMED_FILE = re.compile(r"`((?:csrc|mlpcore|tests|docs|benchmarks)/[\w./-]*|[\w./-]+\.(?:py|c|h|def|toml|json|md))`")
FOLDERS = ("csrc", "mlpcore", "tests", "docs", "benchmarks", "notebooks")
FILES = [
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.iterdir(), *(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*"))]
]
SOURCES = [name for name in FILES if name.endswith((".py", ".pyi", ".c", ".h", ".def")) or name == "Makefile"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """By their whole paths, or the ends of these."""
    named = NAMED_FILE.findall(page.read_text(encoding="utf-8"))
    ends = [f"/{name.rstrip('/')}" for name in named]
    assert [end for end in ends if not any(f"/{file}".endswith(end) for file in FILES)] == []


@pytest.mark.parametrize("page", ["architecture.md", "engine.md"])
@pytest.mark.skipif(not PAGES, reason="the tests do not lie in a checkout")
def test_what_a_page_names_is_in_the_code(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(r"`(\w*_\w+)`", text)
    code = "".join((ROOT / name).read_text(encoding="utf-8") for name in SOURCES)
    words = set(re.findall(r"\w+", code))
    pasted = [re.compile(word.replace("##id##", r"\w+") + "$") for word in re.findall(r"\w+##id##\w+", code)]
    assert len(named) > 10
    assert [name for name in named if name not in words and not any(form.match(name) for form in pasted)] == []


@pytest.mark.skipif(not PAGES, reason="the tests do not lie in a checkout")
def test_functions_that_the_architecture_names_are_in_their_files() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    pairs = re.findall(r"`((?:csrc|mlpcore)/[\w./]+)` `(\w+)`", text)
    assert len(pairs) > 5
    for file, function in pairs:
        assert re.search(rf"\b{function}\(", (ROOT / file).read_text(encoding="utf-8")), f"{file}: {function}"
