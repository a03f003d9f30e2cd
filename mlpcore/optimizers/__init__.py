"""The optimizers: their hyperparameters, and the state that they keep for one model.

The steps themselves are `mlpcore.kernels.sgd_step` and the others there. An optimizer's hyperparameters are attributes
that may be changed between epochs, from a callback for example. No other attribute can be set, so that a misspelt one
is not ignored.
"""

from mlpcore import catalogue
from mlpcore.optimizers.adam import Adam, AdamW, AMSGrad, NAdam, RAdam
from mlpcore.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from mlpcore.optimizers.descent import SGD, Lion, Rprop
from mlpcore.optimizers.optimizer import BATCH_SIZE, Claimed, Optimizer, Owner

__all__ = [
    "BATCH_SIZE",
    "NAMES",
    "SGD",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Claimed",
    "Lion",
    "NAdam",
    "Optimizer",
    "Owner",
    "RAdam",
    "RMSprop",
    "Rprop",
    "optimizer_object",
    "optimizer_of",
]

NAMES: dict[str, type[Optimizer]] = {
    name: globals()[str(row.class_name)] for name, row in catalogue.FAMILIES["optimizers"].items()
}
"""The classes by the names of the catalogue."""


def optimizer_of(optimizer: "str | Optimizer") -> Optimizer:
    """Return the optimizer itself or, for a name, a new one with default hyperparameters."""
    if not isinstance(optimizer, str):
        return optimizer_object(optimizer)
    return NAMES[catalogue.resolve("optimizers", "optimizer", optimizer).name]()


def optimizer_object(optimizer: Optimizer) -> Optimizer:
    """Return the optimizer itself, for calls that keep its state; a name would make a new one each time."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is {optimizer!r}, expected an object such as mlpcore.Adam(), which keeps its state")
    return optimizer
