"""The layers of a network."""

from mlpcore.layers.activation import Activation
from mlpcore.layers.custom import CustomLayer
from mlpcore.layers.dense import Dense
from mlpcore.layers.dropout import Dropout
from mlpcore.layers.layer import Layer
from mlpcore.layers.residual import Residual

__all__ = ["Activation", "CustomLayer", "Dense", "Dropout", "Layer", "Residual"]
