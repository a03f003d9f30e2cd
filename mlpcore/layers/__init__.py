"""The layers of a network."""

from mlpcore.layers.activation import Activation
from mlpcore.layers.custom import CustomLayer
from mlpcore.layers.dense import Dense
from mlpcore.layers.dropout import Dropout
from mlpcore.layers.layer import Layer
from mlpcore.layers.residual import Residual

__all__ = ["KINDS", "Activation", "CustomLayer", "Dense", "Dropout", "Layer", "Residual"]

KINDS: dict[str, type[Layer]] = {layer.kind: layer for layer in (Dense, Activation, Dropout, Residual)}
"""The layers that a model file may hold, by the name that it knows them by."""
