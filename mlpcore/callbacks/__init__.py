"""What `fit` calls while it trains: `Callback` and the callbacks that come with mlpcore.

A learning rate that falls when the loss stands still is a schedule: `mlpcore.ReduceOnPlateau`.
"""

from typing import TYPE_CHECKING

from mlpcore import lazy
from mlpcore.callbacks.callback import Callback, LambdaCallback
from mlpcore.callbacks.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from mlpcore.callbacks.checkpoint import Checkpoint
    from mlpcore.callbacks.loggers import CSVLogger, TensorBoardLogger
    from mlpcore.callbacks.time_limit import TimeLimit

__all__ = ["CSVLogger", "Callback", "Checkpoint", "EarlyStopping", "LambdaCallback", "TensorBoardLogger", "TimeLimit"]

__getattr__ = lazy.attributes(
    __name__,
    checkpoint=("Checkpoint",),
    loggers=("CSVLogger", "TensorBoardLogger"),
    time_limit=("TimeLimit",),
)
