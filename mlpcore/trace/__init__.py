"""The derivation with numbers: what one batch does in a network, equation by equation.

`trace`       all numbers of one step: `Trace`, which `Sequential.trace` makes
`layer`       those of one layer
`record`      how they are taken: on a copy of the model, by the engine
`taker`       what is read from its memory
`step`        one equation in symbols, with numbers, and its result
`steps`       all of them in order: `Steps`, which `Sequential.steps` makes
`chain`       the layers with their neighbours, for equations that need both
`forward`, `backward`, `update`    the equations of each part
`writer`      what these are written with: samples as columns or rows
`document`    a derivation as text, Markdown, HTML, LaTeX
"""

from mlpcore.trace.layer import LayerTrace
from mlpcore.trace.step import Step
from mlpcore.trace.steps import Steps
from mlpcore.trace.trace import Trace

__all__ = ["LayerTrace", "Step", "Steps", "Trace"]
