"""A missing package is named with the extra that brings it; an import that fails for other reasons is not hidden."""

import sys

import pytest

from mlpcore import extras


def test_what_is_there_is_returned():
    assert extras.require("json", "plot") is sys.modules["json"]
    assert extras.require("importlib.metadata", "plot").__name__ == "importlib.metadata"


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.inside"])
def test_what_is_missing_is_named(module):
    with pytest.raises(ImportError, match=rf"this needs {module}: pip install 'mlpcore\[plot\]'"):
        extras.require(module, "plot")


def test_what_fails_inside_says_so(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import missing_inside\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="missing_inside"):
        extras.require("broken_package", "plot")
