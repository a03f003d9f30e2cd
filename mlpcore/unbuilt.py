"""What to say when the compiled part of mlpcore, `mlpcore._core`, cannot be imported."""

import sys

__all__ = ["explained"]


def explained(error: ImportError, file: str) -> ImportError:
    """Return an error that says why the package that `file` lies in has no usable `_core`, or `error` itself."""
    from pathlib import Path

    package = Path(file).parent
    missing = isinstance(error, ModuleNotFoundError) and error.name == "mlpcore._core"
    unusable = error.path is not None and Path(error.path).parent == package  # the loader's words, not our own
    if not (missing or unusable):
        return error
    is_source = (package.parent / "setup.py").exists()
    where = f"its source folder, {package.parent}," if is_source else f"{package.parent},"
    this = f"Python {sys.version_info[0]}.{sys.version_info[1]} ({sys.implementation.cache_tag}, {sys.executable})"
    built = ", ".join(sorted(path.name for path in package.glob("_core.*") if path.suffix in (".so", ".pyd")))
    if unusable:
        why = f"whose {built} this {this} cannot load ({error})"
    elif built:
        why = f"which was built for another Python ({built}) than this {this}"
    else:
        why = "where it has not been built" if is_source else "where its compiled part is missing"
    do = (
        "build it there with `pip install -e .`, or leave that folder to use the one that is installed"
        if is_source
        else "install it anew with `pip install --force-reinstall mlpcore`"
    )
    return ImportError(f"mlpcore is imported from {where} {why}: {do}", name=error.name, path=error.path)
