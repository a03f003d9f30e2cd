"""The docs site without building it: every page has its place, every part of the source that a page shows is there."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mlpcore

ROOT = Path(__file__).parent.parent

if not (ROOT / "docs").exists():
    pytest.skip("the tests do not lie in a checkout", allow_module_level=True)

sys.path.insert(0, str(ROOT / "docs"))
site_api, site_docstrings, site_pages, site_source = map(
    importlib.import_module, ("site_api", "site_docstrings", "site_pages", "site_source")
)


def test_no_page_stands_twice_in_the_index_and_every_entry_is_a_page():
    named = site_pages.named(ROOT)
    assert len(named) > 20
    assert sorted(named) == sorted(set(named))
    assert set(named) <= set(site_pages.pages(ROOT))


def test_every_page_stands_in_the_index():
    text = (ROOT / site_pages.INDEX).read_text(encoding="utf-8")
    assert site_pages.REST in text
    shown = site_pages.with_rest(ROOT, text)
    for page in site_pages.pages(ROOT):
        name = page.with_suffix("").as_posix()
        assert page == site_pages.INDEX or page in site_pages.named(ROOT) or f"\n/{name}\n" in shown


def test_a_page_that_no_section_names_is_taught(tmp_path):
    (tmp_path / "docs" / "old").mkdir(parents=True)
    index = "```{toctree}\n:caption: Old\n\nfirst\nThe second <second>\nold/*\n```\n\n"
    for page, text in {
        "index": f"{index}```{{toctree}}\n:caption: Teaching\n\n{site_pages.REST}\n```\n",
        "first": "# First\n",
        "second": "# Second\n",
        "old/third": "# Third\n",
        "fourth": "# Fourth\n",
    }.items():
        (tmp_path / "docs" / f"{page}.md").write_text(text, encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n", encoding="utf-8")
    assert [page.stem for page in site_pages.named(tmp_path)] == ["first", "second", "third"]
    text = site_pages.with_rest(tmp_path, (tmp_path / "docs" / "index.md").read_text(encoding="utf-8"))
    assert text.endswith(":caption: Teaching\n\n/CHANGELOG\n/docs/fourth\n```\n")


# ------------------------------------------------------------------------------------------------------ the reference

TEXT = "\n".join(page.read_text(encoding="utf-8") for page in [*ROOT.glob("docs/*.md"), ROOT / "README.md"])


def test_every_public_name_stands_in_the_reference_once():
    paths = [name.path for page in site_api.pages().values() for name in page.names]
    assert len(paths) == len(set(paths)) > 60
    modules = {name for name, value in site_api.public().items() if isinstance(value, ModuleType)}
    assert {f"mlpcore.{name}" for name in site_api.public().keys() - modules} <= set(paths)
    for name in modules:
        module = getattr(mlpcore, name)
        assert {f"{module.__name__}.{each}" for each in module.__all__} <= set(paths)


@pytest.mark.parametrize("page", sorted(site_api.pages()))
def test_the_reference_says_something_of_every_name(page):
    for name in site_api.pages()[page].names:
        assert site_api.text_about(name).strip(), f"{name.path} has no docstring"


@pytest.mark.parametrize("name", sorted(site_api.public()))
def test_every_public_name_is_in_the_docs(name):
    assert re.search(rf"\b{name}\b", TEXT), f"no page of docs/ tells of mlpcore.{name}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the norm |w| of w_", r"the norm \|w\| of w\_"),
        ("x*y and **kwargs, `a|b` and ``*args``", r"x\*y and \**kwargs, `a|b` and ``*args``"),
        ("* an entry of a list", "* an entry of a list"),
        ("a::\n\n    |z| * w\n\nand |b|", "a::\n\n    |z| * w\n\nand \\|b\\|"),
        (">>> 2 * abs(x_)", ">>> 2 * abs(x_)"),
        ("name : {'a',\n    'b',\n    'c'}\n    One.", "name : {'a', 'b', 'c'}\n    One."),
    ],
)
def test_a_docstring_is_read_as_it_stands(text, shown):
    assert "\n".join(site_docstrings.plain(text.split("\n"))) == shown


def test_the_text_below_a_constant_is_found():
    assert "rows of each family" in site_docstrings.text_below(mlpcore.catalogue, "FAMILIES")
    assert site_docstrings.text_below(mlpcore.catalogue, "nothing") is None


# --------------------------------------------------------------------------------------------- code that a page shows

SHOWN = [
    pytest.param(page, file, names.split(), id=f"{page}-{names}")
    for page in site_pages.pages(ROOT)
    for file, names in site_source.USE.findall((ROOT / page).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "file", "names"), SHOWN)
def test_code_that_a_page_shows_is_there_and_whole(page, file, names):
    found = site_source.excerpt(ROOT / file, names)
    assert all(re.search(rf"\b{name}\(", found.text) for name in names)
    assert found.text.count("{") == found.text.count("}")
    assert found.last - found.first < 60, f"{page} shows too much of {file}"


def test_every_chapter_of_the_derivation_shows_code_and_its_test():
    chapters = {page for page in site_pages.pages(ROOT) if page.parent.name == "derivation"} - {
        Path("docs/derivation/by-hand.md")
    }
    assert len(chapters) > 5
    for chapter in chapters:
        files = [each.values[1] for each in SHOWN if each.values[0] == chapter]
        assert any(file.startswith("csrc/reference/") for file in files), chapter
        assert any(file.startswith("tests/") for file in files), chapter


def test_a_function_is_taken_with_its_comment(tmp_path):
    (tmp_path / "a.c").write_text(
        "int x;\n\n/* one,\n * and two */\nstatic int one(int a) { return a; }\nstatic int two(int a,\n    int b) {\n"
        "    if (a) {\n        return b;\n    }\n    return one(a);\n}\n\nint three(void);\n"
    )
    both = site_source.excerpt(tmp_path / "a.c", ["one", "two"])
    assert (both.first, both.last) == (3, 12)
    assert both.text.startswith("/* one,\n * and two */\nstatic int one(")
    assert both.text.endswith("return one(a);\n}")
    with pytest.raises(KeyError, match="three"):
        site_source.excerpt(tmp_path / "a.c", ["three"])
