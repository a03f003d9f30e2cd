"""The derivation with numbers: what one batch does in a network, equation by equation.

`trace`       all numbers of one step: `Trace`, which `Sequential.trace` makes
`layer`       those of one layer
`record`      how they are taken: on a copy of the model, by the engine
`taker`       what is read from its memory
"""

from mlpcore.trace.layer import LayerTrace
from mlpcore.trace.trace import Trace

__all__ = ["LayerTrace", "Trace"]
