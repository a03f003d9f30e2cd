"""The docs site without building it: every page has its place, every part of the source that a page shows is there."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(not (ROOT / "docs").exists(), reason="the tests do not lie in a checkout")


def module(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


site_pages = module("site_pages")


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
