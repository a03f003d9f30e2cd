"""Puts ES modules that import each other into one, as Jupyter's widgets want a single module."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const)\b)", re.MULTILINE)


def bundle(folder: Path, *entries: str, others: tuple[Path, ...] = ()) -> str:
    """Return the text of one module: those that `entries` import, each before the first that needs it, and they.

    Modules import names from files that lie in the folder, or in `others`, as ``import { a, b } from "./file.js"``, and
    export them where they are defined. No two of them may define one name.

    Parameters
    ----------
    folder : Path
    *entries : str
        Names of files.
    others : tuple of Path, optional
        Where files lie that are not in the folder.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in texts:
            return
        texts[name] = ""  # modules may import each other in a circle
        places = (place / name for place in (folder, *others))
        text = next((place for place in places if place.exists()), folder / name).read_text(encoding="utf-8")
        for _, needed in _IMPORT.findall(text):
            add(needed)
        del texts[name]
        texts[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    for entry in entries:
        add(entry)
    return "\n".join(texts.values())
