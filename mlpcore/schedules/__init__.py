"""Schedules of the learning rate: objects that stand where the number would, ``SGD(Cosine(0.1))``.

The rate of each step is computed in C (``csrc/net/schedule.c``), in double, the same bits on every machine. t counts
from 0 what `per` says: the steps, or the epochs, that the optimizer has taken since the schedule began. It begins with
the optimizer's first step, and anew whenever it is assigned to ``optimizer.learning_rate``. How far it has come is kept
with the optimizer's state, so that a training that is continued goes on exactly.

A schedule whose `length` is None is as long as the `fit` it is used in, and begins anew with each `fit`.

A function of the epoch is a schedule too: ``SGD(lambda epoch: 0.1 / (1 + epoch))``. It is called before each epoch,
counted from 0.

The largest rate is known beforehand: it is `learning_rate`, which is checked before a training begins. What a function
returns is checked when it is called.
"""

from typing import TYPE_CHECKING

from mlpcore import lazy
from mlpcore.schedules.schedule import Schedule

if TYPE_CHECKING:
    from mlpcore.schedules.cycles import Cosine, CosLog, OneCycle
    from mlpcore.schedules.decays import Exponential, InverseScaling, Polynomial, Step
    from mlpcore.schedules.plateau import ReduceOnPlateau
    from mlpcore.schedules.warmup import Warmup

__all__ = [
    "CosLog",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "Warmup",
]

# Most learning rates are numbers, so that the schedules wait for their first use.
__getattr__ = lazy.attributes(
    __name__,
    cycles=("CosLog", "Cosine", "OneCycle"),
    decays=("Exponential", "InverseScaling", "Polynomial", "Step"),
    plateau=("ReduceOnPlateau",),
    warmup=("Warmup",),
)
