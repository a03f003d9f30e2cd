"""The layout of the code, as docs/architecture.md has it: rows know only the rows above them, a file is one page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CSRC = ROOT / "csrc"
# From the top; "" are the headers that lie in csrc itself. The folders in a row's folder belong to the row.
ROWS = ["catalogue", "", "runtime", "reference", "simd", "kernels", "isa", "net", "wasm", "python"]
C_FILES = sorted(path for path in CSRC.rglob("*") if path.suffix in (".c", ".h", ".def"))
NETWORK = re.compile(r"mlpcore\.h|operations\.h|\bmlp_(net|step|plan|layer|segment|optimizer|loss|activation)", re.I)
LONGEST = 400


def row_of(path: Path) -> str:
    parts = path.relative_to(CSRC).parts
    return parts[0] if len(parts) > 1 else ""


def includes_of(path: Path) -> list[Path]:
    text = path.read_text(encoding="utf-8")
    return [(path.parent / name).resolve() for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)]


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


INCLUDES = [(path, included) for path in C_FILES for included in includes_of(path)]


def test_every_folder_is_a_row():
    assert {row_of(path) for path in C_FILES} == set(ROWS)


def test_every_include_names_a_file_of_csrc():
    assert len(INCLUDES) > 100
    assert [(path, included) for path, included in INCLUDES if included not in C_FILES] == []


def test_a_row_includes_only_itself_and_the_rows_above():
    upwards = [
        f"{path.relative_to(CSRC)} includes {included.relative_to(CSRC)}"
        for path, included in INCLUDES
        if ROWS.index(row_of(included)) > ROWS.index(row_of(path))
    ]
    assert upwards == []


def test_no_two_folders_include_each_other():
    known: dict[str, set[str]] = {row: set() for row in ROWS}
    for path, included in INCLUDES:
        if row_of(path) != row_of(included):
            known[row_of(path)].add(row_of(included))
    for _ in ROWS:  # whatever is reached over others too
        known = {row: rows.union(*(known[other] for other in rows)) for row, rows in known.items()}
    assert [row for row, rows in known.items() if row in rows] == []


@pytest.mark.parametrize(("folder", "least"), [("csrc", 30), ("mlpcore", 30), ("tests", 30), ("benchmarks", 20)])
def test_a_file_is_one_page(folder, least):
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".c", ".h", ".def", ".py", ".pyi")]
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(files) > least
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_no_switch_catches_what_it_does_not_name():
    # A row of the catalogue without code must not compile: -Wswitch-enum sees only switches without a default.
    labels = [
        str(path.relative_to(CSRC))
        for path in C_FILES
        if re.search(r"\bdefault\s*:", without_comments(path.read_text()))
    ]
    assert labels == []


def test_the_runtime_knows_no_network():
    for path in CSRC.glob("runtime/*.[ch]"):
        assert NETWORK.search(path.read_text(encoding="utf-8")) is None, path.name
