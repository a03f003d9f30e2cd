"""Modules of the front end become one."""

import re
from pathlib import Path

import pytest

import mlpcore.widget
from mlpcore.widget.bundle import bundle

FRONT = Path(mlpcore.widget.__file__).with_name("front")


def test_a_module_comes_after_what_it_imports(tmp_path):
    (tmp_path / "a.js").write_text('import { b, c } from "./b.js";\nexport const a = b + c;\n')
    (tmp_path / "b.js").write_text(
        'import { d } from "./d.js";\nexport function b() {}\nexport async function c() { return d; }\n'
    )
    (tmp_path / "d.js").write_text("export class d {}\n")
    text = bundle(tmp_path, "a.js")
    assert text == "class d {}\n\nfunction b() {}\nasync function c() { return d; }\n\nconst a = b + c;\n"


def test_a_module_that_two_import_comes_once(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nimport { c } from "./c.js";\n')
    (tmp_path / "b.js").write_text('import { c } from "./c.js";\nexport const b = c;\n')
    (tmp_path / "c.js").write_text("export const c = 1;\n")
    assert bundle(tmp_path, "a.js").count("const c = 1") == 1


def test_files_may_lie_in_two_folders(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "more" / "b.js").write_text('import { a } from "./a.js";\nexport const b = a;\n')
    assert bundle(tmp_path, "b.js", others=(tmp_path / "more",)) == "const a = 1;\n\nconst b = a;\n"


def test_a_file_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    with pytest.raises(FileNotFoundError, match=r"b\.js"):
        bundle(tmp_path, "a.js")


def test_the_front_end_defines_each_name_once_and_is_short():
    names = []
    for path in FRONT.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        names += re.findall(r"^(?:export )?(?:default )?(?:async )?(?:function|class|const|let) (\w+)", text, re.M)
        assert len(text.splitlines()) <= 400, path.name
    assert len(names) > 5
    assert [name for name in set(names) if names.count(name) > 1] == []
