"""Model files: safetensors, which cannot hold code, with the architecture as JSON in the metadata.

A file holds the tensors "layers.<j>.w" (out, in) and "layers.<j>.b" (out,) and three strings: "format", "version" and
"model". What the JSON and the tensors mean is up to `mlpcore.model`; here they are brought to disk and back whole.
"""

import json
import os
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy
from numpy.typing import NDArray

FORMAT, VERSION = "mlpcore", "1"

StrPath = str | os.PathLike[str]


def write(path: StrPath, config: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
    """Write a file so that, whatever happens, `path` holds either what it held before or the whole new file.

    Parameters
    ----------
    path : str or path-like
        Overwritten if it exists.
    config : dict
        What JSON can express.
    tensors : dict of str to ndarray
        C-contiguous.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    metadata = {"format": FORMAT, "version": VERSION, "model": json.dumps(config)}
    content = safetensors.numpy.save(tensors, metadata)
    target = Path(path).resolve()  # a link is followed, not replaced
    temporary = target.with_name(f"{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name too must outlive a power cut
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read(path: StrPath) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what `write` wrote.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    config : dict
    tensors : dict of str to ndarray

    Raises
    ------
    OSError
        If there is no such file or it cannot be read.
    ValueError
        If it is no such file, is damaged, or is of a version that this mlpcore does not know.
    """
    content = Path(path).read_bytes()
    try:
        tensors = safetensors.numpy.load(content)
    except (safetensors.SafetensorError, KeyError) as error:
        raise ValueError(f"not a complete safetensors file: {error}") from None
    header_end = 8 + int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8:header_end]).get("__metadata__") or {}
    if metadata.get("format") != FORMAT:
        raise ValueError(f"format is {metadata.get('format')!r}, expected {FORMAT!r}: this is no mlpcore model")
    if metadata.get("version") != VERSION:
        raise ValueError(f"version is {metadata.get('version')!r}, expected {VERSION!r}: update mlpcore to read it")
    try:
        config = json.loads(metadata.get("model", ""))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its description of the model is damaged: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"its description of the model is {config!r}, expected a JSON object")
    return config, tensors
