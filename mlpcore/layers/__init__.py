"""The layers of a network."""

from mlpcore.layers.activation import Activation
from mlpcore.layers.batch_norm import BatchNorm
from mlpcore.layers.custom import CustomLayer
from mlpcore.layers.dense import Dense
from mlpcore.layers.dropout import AlphaDropout, Dropout
from mlpcore.layers.embedding import Embedding
from mlpcore.layers.layer import Layer
from mlpcore.layers.layer_norm import LayerNorm, RMSNorm
from mlpcore.layers.noise import GaussianNoise
from mlpcore.layers.prelu import PReLU
from mlpcore.layers.residual import Residual
from mlpcore.layers.scale import Scale

__all__ = [
    "KINDS",
    "Activation",
    "AlphaDropout",
    "BatchNorm",
    "CustomLayer",
    "Dense",
    "Dropout",
    "Embedding",
    "GaussianNoise",
    "Layer",
    "LayerNorm",
    "PReLU",
    "RMSNorm",
    "Residual",
    "Scale",
]

KINDS: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        Dense,
        Activation,
        Dropout,
        AlphaDropout,
        GaussianNoise,
        Residual,
        BatchNorm,
        LayerNorm,
        RMSNorm,
        Scale,
        PReLU,
        Embedding,
    )
}
"""The layers that a model file may hold, by the name that it knows them by."""
