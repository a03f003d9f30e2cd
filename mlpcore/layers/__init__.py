"""The layers of a network."""

from mlpcore.layers.dense import Dense

__all__ = ["Dense"]
