"""The scripts in docs/ that make pages, as modules."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def docs_script(stem):
    """Return docs/<stem>.py as a module."""
    spec = importlib.util.spec_from_file_location(stem, DOCS / f"{stem}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
