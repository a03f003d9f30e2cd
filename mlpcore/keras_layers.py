"""Layers of Keras, as its JSON describes them, as layers and activations of mlpcore."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mlpcore import catalogue
from mlpcore.activations import ELU, LeakyReLU
from mlpcore.engine import Choice
from mlpcore.files import quoted
from mlpcore.layers import AlphaDropout, BatchNorm, Dense, Dropout, GaussianNoise, Layer, LayerNorm, PReLU, RMSNorm

# Keras's names of activations that have others here; all others are the same.
KERAS_NAMES = {"swish": "silu", "hard_silu": "hard_swish"}
LEFT_OUT = ("InputLayer", "Flatten", "Identity")
"""What does nothing to a row of numbers."""

_FUNCTION_SLOPE = 0.2  # of its function leaky_relu; its layer names its own


class Part(NamedTuple):
    """A layer of Keras that computes something in prediction or in training."""

    place: str
    kind: str
    config: dict[str, Any]
    path: str
    """Of its arrays in a file of weights."""

    def get(self, setting: str) -> Any:  # noqa: ANN401
        """Return a setting; ValueError if there is none."""
        if setting not in self.config:
            raise ValueError(f"{self.place}, {self.kind}, has no {setting}: expected JSON of Keras 3")
        return self.config[setting]

    def refuse_unless(self, setting: str, *allowed: object) -> None:
        """Raise ValueError unless a setting has one of these values; the first is what a missing one has."""
        value = self.config.get(setting, allowed[0])
        if value not in allowed:
            raise ValueError(f"{self.place}, {self.kind}, has {setting}={quoted(value)}, expected {allowed[0]!r}")


def kind_of(place: str, entry: dict[str, Any]) -> str:
    """Return the name of the class of a layer, if it is one of Keras's own that mlpcore has."""
    kind, module = entry.get("class_name"), entry.get("module")
    own = entry.get("registered_name") in (None, kind) and (module is None or str(module).split(".")[0] == "keras")
    if not own or kind not in (*LAYERS, *ACTIVATIONS, *LEFT_OUT, "Sequential"):
        expected = ", ".join((*LAYERS, *ACTIVATIONS, *LEFT_OUT))
        raise TypeError(f"{place} is {quoted(kind)}, which mlpcore has not, expected {expected} or Sequential")
    return str(kind)


def _dense(part: Part) -> Layer:
    if part.config.get("quantization_config") is not None or part.config.get("lora_rank") is not None:
        raise ValueError(f"{part.place}, Dense, is quantized or has LoRA weights, expected a plain one")
    sigma = _activation(part, part.config.get("activation"))
    return Dense(part.get("units"), sigma, use_bias=part.config.get("use_bias", True), trainable=_is_trainable(part))


def _batch_norm(part: Part) -> Layer:
    part.refuse_unless("axis", -1, 1, [-1], [1])
    part.refuse_unless("renorm", False)
    settings = {name: part.config.get(name, standard) for name, standard in (("momentum", 0.99), ("epsilon", 1e-3))}
    return BatchNorm(**settings, trainable=_is_trainable(part))


def _layer_norm(part: Part) -> Layer:
    part.refuse_unless("axis", -1, 1, [-1], [1])
    part.refuse_unless("rms_scaling", False)
    return LayerNorm(epsilon=part.config.get("epsilon", 1e-3), trainable=_is_trainable(part))


def _rms_norm(part: Part) -> Layer:
    part.refuse_unless("axis", -1, 1, [-1], [1])
    return RMSNorm(epsilon=part.config.get("epsilon", 1e-6), trainable=_is_trainable(part))


def _prelu(part: Part) -> Layer:
    return PReLU(shared=is_shared(part), trainable=_is_trainable(part))


def _dropout(part: Part) -> Layer:
    part.refuse_unless("noise_shape", None)
    return (Dropout if part.kind == "Dropout" else AlphaDropout)(part.get("rate"))


def _noise(part: Part) -> Layer:
    return GaussianNoise(part.get("stddev"))


LAYERS: dict[str, Callable[[Part], Layer]] = {
    "Dense": _dense,
    "Dropout": _dropout,
    "AlphaDropout": _dropout,
    "GaussianNoise": _noise,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "PReLU": _prelu,
}


def _is_trainable(part: Part) -> bool:
    trainable: bool = part.config.get("trainable", True)
    return trainable


def is_shared(part: Part) -> bool:
    """Tell whether all units of a PReLU have one slope."""
    part.refuse_unless("shared_axes", None, [], [1], [-1])
    return bool(part.config.get("shared_axes"))


# ------------------------------------------------------------------------------------------------------ the activations


def _activation(part: Part, given: object) -> Choice:
    """Return the activation that a setting tells: a name, or a layer that is an activation."""
    if given is None:
        return "linear"
    if isinstance(given, dict) and isinstance(given.get("config"), dict) and given.get("class_name") in ACTIVATIONS:
        inner = Part(f"{part.place}.activation", kind_of(f"{part.place}.activation", given), given["config"], "")
        return ACTIVATIONS[inner.kind](inner)
    name = KERAS_NAMES.get(given, given) if isinstance(given, str) else None
    if name not in catalogue.names("activations") or name in NOT_OF_KERAS:
        raise TypeError(f"{part.place}, {part.kind}, has activation {quoted(given)}, which mlpcore has not")
    return LeakyReLU(_FUNCTION_SLOPE) if name == "leaky_relu" else str(name)


NOT_OF_KERAS = ("gelu_tanh",)


def _relu(part: Part) -> Choice:
    slope, most = part.config.get("negative_slope") or 0.0, part.config.get("max_value")
    part.refuse_unless("threshold", 0.0, None)
    if most is None:
        return LeakyReLU(slope) if slope else "relu"
    if most != 6 or slope:
        raise ValueError(
            f"{part.place}, ReLU, has max_value={quoted(most)} and negative_slope={quoted(slope)}, expected max_value "
            "None, or 6 with negative_slope 0"
        )
    return "relu6"


def _softmax(part: Part) -> Choice:
    part.refuse_unless("axis", -1, 1, [-1], [1])
    return "softmax"


ACTIVATIONS: dict[str, Callable[[Part], Choice]] = {
    "Activation": lambda part: _activation(part, part.get("activation")),
    "ReLU": _relu,
    "LeakyReLU": lambda part: LeakyReLU(part.get("negative_slope")),
    "ELU": lambda part: ELU(part.config.get("alpha", 1.0)),
    "Softmax": _softmax,
}
