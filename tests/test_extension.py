"""An activation, a loss and an optimizer are a row, a text and a marker each: tests/extension.py adds some to a copy.

What is left out is named by the compiler.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import extension
import pytest
from compiling import BITS, ROOT, STANDARD, run_program

import mlpcore

COPIED = ("csrc", "mlpcore", "docs", "tests", "setup.py", "pyproject.toml", "README.md", "LICENSE", "CONTRIBUTING.md")
SETS = [name for name in mlpcore.cpu.info()["available"] if name != "reference"]
REFUSED = "-Werror=implicit-function-declaration"
FLAGS = [*STANDARD, REFUSED, "-pthread"]
CHECKS = ["words", "numbers", "gradients", "training"]
PARTS = [("reference", name) for name in extension.PIECES] + [("kernels", name) for name in extension.PIECES]

pytestmark = [
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="the sources of mlpcore do not lie beside its tests"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed"),
]


def insert(tree: Path, name: str, without: str = "") -> None:
    """Write the pieces of an entry into a tree, but not those of a row of csrc."""
    for file, (before, piece) in extension.PIECES[name].items():
        text = (tree / file).read_text(encoding="utf-8")
        assert before in text, f"{file} has no {before!r}"
        if not (without and file.startswith(f"csrc/{without}/")):
            (tree / file).write_text(text.replace(before, piece + before, 1), encoding="utf-8")


def copy_of_the_tree(tree: Path, names: Sequence[str] = COPIED) -> Path:
    tree.mkdir()
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis", "*.so"))
        else:
            shutil.copy(source, tree)
    return tree


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A copy of the tree with everything added, and built."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("extension") / "tree")
    for name in extension.PIECES:
        insert(tree, name)
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", "build", "--build-lib", "build/lib"]
    ran = subprocess.run(
        command, cwd=tree, env={**os.environ, "CC": "gcc", "CFLAGS": "-Og"}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return tree


def run(tree: Path, *command: str, isa: str | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "build" / "lib"), str(tree / "tests")])}
    if isa is not None:
        environment["MLPCORE_ISA"] = isa
    ran = subprocess.run([sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("isa", [*SETS, "reference"])
@pytest.mark.parametrize("check", CHECKS)
def test_what_was_added_works_on_every_instruction_set(built, check, isa):
    script = (
        f"import extension, mlpcore; assert mlpcore.__file__.startswith({str(built)!r}); "
        f"assert mlpcore.cpu.info()['current'] == {isa!r}; extension.{check}()"
    )
    run(built, "-P", "-c", script, isa=isa)


def test_what_was_added_is_in_the_docs_and_the_tests_that_walk_the_catalogue(built):
    run(built, "-P", "-c", "import extension; extension.page()")
    run(built, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_catalogue.py")


def test_what_was_added_has_the_same_bits_on_every_instruction_set(built):
    digests = {run(built, "-P", "-c", "import extension; extension.bits()", isa=isa) for isa in [*SETS, "reference"]}
    assert len(digests) == 1


@pytest.mark.skipif(not SETS, reason="this machine has no instruction set")
def test_what_was_added_is_tried_by_the_comparison_of_bits(built):
    rows = ("catalogue", "reference", "runtime", "isa")
    objects = [path for row in rows for path in built.glob(f"build/temp.*/csrc/{row}/*.o")]
    assert len(objects) > 10
    # The tree's headers stand before those of this one.
    run_program(built / "bits", "gcc", ["-O1", REFUSED, f"-I{built / 'csrc'}", *BITS, *objects], "brief", SETS[0])


def compiled(tree: Path, unit: str, *flags: str) -> tuple[bool, str]:
    """Whether a file of csrc compiles, and the errors."""
    ran = subprocess.run(
        ["gcc", *FLAGS, *flags, "-fsyntax-only", tree / "csrc" / unit],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return ran.returncode == 0, "\n".join(line for line in ran.stderr.splitlines() if "error:" in line)


@pytest.mark.parametrize(("part", "name"), PARTS)
def test_what_is_left_out_does_not_compile_and_is_named(tmp_path, part, name):
    if part == "kernels" and not SETS:
        pytest.skip("this machine has no instruction set")
    tree = copy_of_the_tree(tmp_path / "tree", ("csrc", "mlpcore", "docs"))
    unit = "reference/reference_f64.c" if part == "reference" else f"isa/{SETS[0]}_f64.c"
    assert compiled(tree, unit) == (True, "")
    insert(tree, name, without=part)
    well, errors = compiled(tree, unit)
    assert not well
    assert f"'{name}_" in errors if part == "reference" else f"'fast_{name}_" in errors


VECTORS = f"isa/{SETS[0]}_f64.c" if SETS else None
ROWS = [
    ("activations", 'ROW(NEW, new, FROM_A, NO_CONSTANTS, "", "", "")', "reference/reference_f64.c", "new_forward"),
    ("activations", 'ROW(NEW, new, FROM_A, NO_CONSTANTS, "", "", "")', VECTORS, "fast_new_forward"),
    ("pairs", 'PAIR(NEW, new, MSE, TANH, "", "")', "reference/reference_f64.c", "new_phi"),
    ("pairs", 'PAIR(NEW, new, MSE, TANH, "", "")', VECTORS, "fast_new_phi"),
    ("metrics", 'METRIC(NEW, new, SAMPLE, "")', "reference/reference_f64.c", "new_of"),
    ("metrics", 'METRIC(NEW, new, SAMPLE, "")', VECTORS, "fast_new_count"),
    ("metrics", 'MEASURE(NEW, new, NULL, COUNTS, BINARY, NO_CONSTANTS, "", "")', "net/metrics.c", "new_value"),
    ("elementaries", 'ELEMENTARY(NEW, new, "")', "reference/reference_f64.c", "real_new"),
    ("elementaries", 'ELEMENTARY(NEW, new, "")', VECTORS, "vec_new"),
    ("initializers", 'INITIALIZER(NEW, new, NO_CONSTANTS, "", "")', "net/initializers.c", "new_of"),
    ("schedules", 'SCHEDULE(NEW, new, NULL, NO_CONSTANTS, "", "")', "net/schedule.c", "new_rate"),
    ("layers", 'ELEMENTS(NEW, new, NO_CONSTANTS, "", "", "")', "net/engine_f64.c", "new_forward_elements"),
    ("layers", 'LAYER(NEW, new, NO_CONSTANTS, "", "", "")', "net/plan.c", "MLP_NEW"),
]


@pytest.mark.parametrize(("family", "row", "unit", "missing"), ROWS)
def test_a_row_without_code_does_not_compile(tmp_path, family, row, unit, missing):
    if unit is None:
        pytest.skip("this machine has no instruction set")
    tree = copy_of_the_tree(tmp_path / "tree", ("csrc",))
    assert compiled(tree, unit, "-Werror=switch-enum") == (True, "")
    file = tree / "csrc" / "catalogue" / f"{family}.def"
    text = file.read_text(encoding="utf-8")
    end = text.rindex("#undef")
    if any(f"#undef {macro}\n" in text for macro in ("LAYER", "UNIT", "MEASURE")):  # two macros
        end = text.rindex("#undef", 0, end)
    file.write_text(text[:end] + row + "\n" + text[end:], encoding="utf-8")
    well, errors = compiled(tree, unit, "-Werror=switch-enum")
    assert not well
    assert f"'{missing}'" in errors


def test_the_build_refuses_what_nothing_defines():
    assert REFUSED in (ROOT / "setup.py").read_text(encoding="utf-8")
