"""What documentation shows is what happens: the examples of the README and of every docstring."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import mlpcore

README = Path(__file__).parent.parent / "README.md"
# These two do something when they are imported: run the command line, ask for the demo's packages.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(mlpcore.__path__, "mlpcore.")
    if module.name not in ("mlpcore.__main__", "mlpcore.demo")
]


@pytest.mark.parametrize("name", ["mlpcore", *MODULES])
def test_docstring(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.skipif(not README.exists(), reason="the tests do not lie in a checkout")
def test_readme() -> None:
    ran = doctest.testfile(str(README), module_relative=False)
    assert ran.attempted > 0
    assert ran.failed == 0
