"""Pictures of networks and of their training, drawn with matplotlib (``pip install 'mlpcore[plot]'``).

Each class follows scikit-learn's convention: ``SomeDisplay.from_...(..., ax=None)`` computes, draws and returns an
object whose `ax_` and `figure_` can be changed further, and whose `plot(ax=)` draws again elsewhere. All numbers come
from the engine. Colours can be told apart by colour-blind readers, and follow light and dark styles of matplotlib.

Importing this package imports no matplotlib; using a name of it does.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from mlpcore import extras as _extras
from mlpcore import lazy as _lazy

if _TYPE_CHECKING:
    from mlpcore.plot.boundary import BoundaryRecorder, DecisionBoundaryDisplay
    from mlpcore.plot.curves import HistoryDisplay, LiveHistory
    from mlpcore.plot.diagram import NetworkDisplay
    from mlpcore.plot.displays import (
        CalibrationDisplay,
        ConfusionMatrixDisplay,
        PartialDependenceDisplay,
        ResidualsDisplay,
    )
    from mlpcore.plot.loss_curve import LossCurveDisplay
    from mlpcore.plot.pictures import WeightsDisplay
    from mlpcore.plot.signals import SignalDisplay, SignalRecorder, signals_of
    from mlpcore.plot.surface import LossSurfaceDisplay, PathRecorder

__all__ = [
    "BoundaryRecorder",
    "CalibrationDisplay",
    "ConfusionMatrixDisplay",
    "DecisionBoundaryDisplay",
    "HistoryDisplay",
    "LiveHistory",
    "LossCurveDisplay",
    "LossSurfaceDisplay",
    "NetworkDisplay",
    "PartialDependenceDisplay",
    "PathRecorder",
    "ResidualsDisplay",
    "SignalDisplay",
    "SignalRecorder",
    "WeightsDisplay",
    "signals_of",
]

_at_first_use = _lazy.attributes(
    __name__,
    boundary=("BoundaryRecorder", "DecisionBoundaryDisplay"),
    curves=("HistoryDisplay", "LiveHistory"),
    diagram=("NetworkDisplay",),
    displays=("CalibrationDisplay", "ConfusionMatrixDisplay", "PartialDependenceDisplay", "ResidualsDisplay"),
    loss_curve=("LossCurveDisplay",),
    pictures=("WeightsDisplay",),
    signals=("SignalDisplay", "SignalRecorder", "signals_of"),
    surface=("LossSurfaceDisplay", "PathRecorder"),
)


def __getattr__(name: str) -> _Any:  # noqa: ANN401  classes
    """Look up what waits for its first use, after making sure that matplotlib is there."""
    if name in __all__:
        _extras.require("matplotlib", "plot")
    return _at_first_use(name)
