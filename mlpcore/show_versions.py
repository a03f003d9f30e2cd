"""What a bug report needs to say: ``python -m mlpcore.show_versions``.

The versions of mlpcore, Python and the packages that it uses or could use, the compiler of its C, and what it computes
with.
"""

import platform
import re
import sys
from importlib import metadata

import mlpcore
from mlpcore import _core, cpu

__all__ = ["show", "versions"]

DEVELOPMENT = {"bench", "browser", "docs", "lab", "lint", "peers", "test", "wasm"}
"""Extras that only work on mlpcore itself needs."""

_REQUIREMENT = re.compile(r"([\w.-]+).*?(?:extra == ['\"](\w+)['\"])?$")


def versions() -> dict[str, dict[str, str]]:
    """Return what `show` prints.

    Returns
    -------
    dict of str to dict of str to str
        "system", "packages" and "extras". A package of an extra that is missing is "not installed", with the extra.

    Examples
    --------
    >>> from mlpcore.show_versions import versions
    >>> list(versions()), list(versions()["packages"])
    (['system', 'packages', 'extras'], ['numpy', 'safetensors', 'tqdm'])
    """
    info = cpu.info()
    system = {
        "mlpcore": mlpcore.__version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "executable": sys.executable,
        "machine": platform.platform(),
        "compiler": _core.COMPILER,
        "instructions": f"{info['current']} (available: {', '.join(info['available'])})",
        "threads": str(info["threads"]),
    }
    needed, extras = _requirements()
    return {
        "system": system,
        "packages": {name: _version(name) or "not installed" for name in needed},
        "extras": {
            name: _version(name) or f"not installed: pip install 'mlpcore[{extra}]'" for name, extra in extras.items()
        },
    }


def show() -> None:
    """Print `versions` as a table.

    Examples
    --------
    >>> from mlpcore import show_versions
    >>> show_versions.show()  # doctest: +ELLIPSIS
    system
      mlpcore ...
    """
    told = versions()
    width = max(len(name) for section in told.values() for name in section)
    for title, section in told.items():
        print(title)
        for name, value in section.items():
            print(f"  {name:{width}}  {value}")


def _requirements() -> tuple[list[str], dict[str, str]]:
    """Return the packages that mlpcore always needs, and those of each extra for users with its name."""
    try:
        listed = metadata.requires("mlpcore") or []
    except metadata.PackageNotFoundError:  # used from its source folder without being installed
        listed = []
    needed: list[str] = []
    extras: dict[str, str] = {}
    for text in listed:
        found = _REQUIREMENT.match(text)
        assert found is not None, text
        name, extra = found.groups()
        if extra is None:
            needed.append(name)
        elif extra not in DEVELOPMENT:
            extras.setdefault(name, extra)
    return needed, extras


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    show()
