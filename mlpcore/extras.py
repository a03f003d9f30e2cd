"""Packages that only some of mlpcore needs: imported where they are used, and named with their extra if missing."""

from importlib import import_module
from types import ModuleType

from mlpcore.lazy import no_fork

__all__ = ["require"]


def require(module: str, extra: str) -> ModuleType:
    """Import a module that an extra of mlpcore brings.

    Parameters
    ----------
    module : str
        Such as "matplotlib".
    extra : str
        The extra in pyproject.toml that lists its package, such as "plot".

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it cannot be imported; the message says how to install it.

    Examples
    --------
    >>> from mlpcore import extras
    >>> extras.require("nowhere", "plot")
    Traceback (most recent call last):
        ...
    ImportError: this needs nowhere: pip install 'mlpcore[plot]'
    """
    try:
        with no_fork:
            return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:  # it is there, and lacks something itself
            raise
        raise ImportError(f"this needs {module}: pip install 'mlpcore[{extra}]'", name=module) from None
