"""The texts of the reference, cut for C files: every chapter is understood, and what is used comes along."""

import re
from pathlib import Path

import pytest

from mlpcore import catalogue
from mlpcore.export import c_text

CSRC = Path(__file__).parent.parent / "csrc"
DTYPES = "float32", "float64"


def declared(dtype):
    return [name for each in c_text.declarations(dtype) for name in each.declared]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_function_of_the_chapters_is_found(dtype):
    functions = set()
    for chapter in c_text.CHAPTERS:
        functions |= set(re.findall(r"^static (?:inline )?\w+ \*?(\w+)\([^;]*?\{", c_text.read(chapter), re.M))
    assert len(functions) > 80
    assert functions <= set(declared(dtype))
    assert len(declared(dtype)) == len(set(declared(dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", catalogue.names("activations"))
def test_an_activation_brings_along_what_it_uses_and_nothing_else(dtype, name):
    parts = c_text.needed(dtype, [f"{name}_forward"])
    text = "".join(c_text.written(each.tokens, {}) for each in parts)
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    assert re.search(r"\b(real|REAL|REAL_NAME|real_abs|real_sqrt|MLP_\w+|epilogue)\b", code) is None
    assert "_backward" not in code
    for each in parts[:-1]:
        assert any(each.declared & other.used for other in parts if other is not each), each.declared
    used = {name for each in parts for name in each.used}
    assert used & set(declared(dtype)) <= {name for each in parts for name in each.declared}


def test_a_list_of_constants_is_taken_apart():
    constants = {name for each in c_text.needed("float32", ["elu_forward"]) for name in each.declared}
    assert "EXP_HIGHEST" in constants
    assert "EXP_LOWEST" not in constants  # which stands in the same line


def test_each_type_has_its_own_numbers():
    texts = {dtype: "".join(c_text.written(each.tokens, {}) for each in c_text.declarations(dtype)) for dtype in DTYPES}
    assert "enum { FRACTION_BITS = 23" in texts["float32"]
    assert "FRACTION_BITS = 52" not in texts["float32"]
    assert "enum { FRACTION_BITS = 52" in texts["float64"]
    assert "fabsf" not in texts["float64"]
    assert "0.35355339059327376f" in texts["float32"]
    assert "0.35355339059327376 *" in texts["float64"]


@pytest.mark.parametrize(("dtype", "other"), [("float32", "fma_by_integers"), ("float64", "own_fma_f32")])
def test_fma_is_the_one_of_the_type(dtype, other):
    text = c_text.written(c_text.fma(dtype), {})
    assert f"#define real_fma own_fma_f{dtype[-2:]}" in text
    assert other not in text
    assert "MLP_REAL_BITS" not in text
    assert text.count("#if") == text.count("#endif")
    assert ("__ARM_FP & 8" in text) == (dtype == "float64")


def test_names_change_in_code_and_directives_but_not_in_comments():
    tokens = c_text._tokens("#define f 1\nint f(int g) { /* f */ return f + fg; }")
    assert c_text.written(tokens, {"f": "my_f"}) == "#define my_f 1\nint my_f(int g) { /* f */ return my_f + fg; }"


def test_the_text_of_the_sources_and_of_the_installed_package_is_the_same():
    if not CSRC.exists():
        pytest.skip("the sources of mlpcore do not lie beside its tests")
    for chapter in (*c_text.CHAPTERS, "fma.h"):
        assert c_text.read(chapter) == (CSRC / "reference" / chapter).read_text(encoding="utf-8")


def test_an_editable_package_reads_the_sources(tmp_path, monkeypatch):
    (tmp_path / "csrc" / "reference").mkdir(parents=True)
    (tmp_path / "csrc" / "reference" / "dense.c").write_text("int x;")
    monkeypatch.setattr(c_text, "_HERE", tmp_path / "mlpcore" / "export")
    assert c_text.read("dense.c") == "int x;"
