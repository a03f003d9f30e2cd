"""A training that ends when its time is over."""

import threading
from typing import TYPE_CHECKING

from mlpcore import checks
from mlpcore.callbacks.callback import Callback
from mlpcore.history import History

if TYPE_CHECKING:
    from mlpcore.model import Sequential


class TimeLimit(Callback):
    """End `fit` after so many seconds, at a whole batch, as `model.stop()` does.

    Parameters
    ----------
    seconds : float
        > 0, and at most about 292 years.

    Attributes
    ----------
    reached : bool
        Whether the last `fit` was ended by this.

    Raises
    ------
    TypeError, ValueError
        If seconds is not in its range.

    Examples
    --------
    >>> import mlpcore
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> limit = mlpcore.TimeLimit(0.05)
    >>> history = model.fit([[0.0], [1.0]], [1, 2], "mse", epochs=10**8, callbacks=[limit], progress=False)
    >>> limit.reached
    True
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = checks.real_number("seconds", seconds, above=0, below=threading.TIMEOUT_MAX)
        self.reached = False
        self._timer: threading.Timer | None = None

    def __repr__(self) -> str:
        return f"TimeLimit({self.seconds!r})"

    def on_fit_begin(self, model: "Sequential") -> None:
        """Set the alarm."""
        self.reached = False

        def end() -> None:
            self.reached = True
            model.stop()

        self._timer = threading.Timer(self.seconds, end)
        self._timer.daemon = True
        self._timer.start()

    def on_fit_end(self, model: "Sequential", history: History) -> None:
        """Unset the alarm."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
