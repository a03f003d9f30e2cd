"""Samples that are trained on and measured part by part: files larger than memory, sparse matrices, batches.

`Source` is the one idea: an epoch in parts, each of which the engine trains on where it left off with the last. rows.py
has the source whose rows lie somewhere in order, batches.py that of batches that come as they come.
"""

from mlpcore.streams.source import Part, Source

__all__ = ["Part", "Source"]
