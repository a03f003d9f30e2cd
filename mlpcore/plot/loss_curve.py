"""The loss over the epochs of an estimator's training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mlpcore.plot import canvas
from mlpcore.plot.curves import HistoryDisplay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSSES = "loss", "val_loss"


class LossCurveDisplay(HistoryDisplay):
    """The loss in training as a line, in validation dashed, with a dot at the epoch of the smallest validation loss.

    Parameters
    ----------
    values : mapping of str to sequence of float
        A `History`, or a dict like it.

    Attributes
    ----------
    values : dict of str to list of float
    best_epoch : int or None
        Counted from 0; None without validation.
    ax_ : Axes
    axes_ : list of Axes
    figure_ : Figure

    Raises
    ------
    TypeError, ValueError
        If there is no epoch.

    Examples
    --------
    >>> from mlpcore.plot import LossCurveDisplay
    >>> LossCurveDisplay.from_history({"loss": [1.0, 0.5, 0.3], "val_loss": [1.1, 0.6, 0.7]}).best_epoch
    1
    """

    def __init__(self, values: Mapping[str, Sequence[float]]) -> None:
        super().__init__(values)
        validation = np.asarray(self.values.get("val_loss", ()))
        self.best_epoch = int(np.nanargmin(validation)) if np.isfinite(validation).any() else None

    @classmethod
    def from_estimator(cls, estimator: Any, *, log: bool | None = None, ax: Axes | None = None) -> Self:  # noqa: ANN401
        """Draw the curves of a fitted estimator, of a pipeline that ends with one, or of the best of a search.

        Parameters
        ----------
        estimator : estimator
            With `history_` or `loss_curve_`: those of `mlpcore.sklearn`, and scikit-learn's own MLP.
        log : bool, optional
            As in `HistoryDisplay.plot`.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        TypeError
            If the estimator has no curve: it is of another kind, or not fitted; or if ax is no axes.
        ValueError
            If it has no epochs.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from mlpcore.plot import LossCurveDisplay
        >>> from mlpcore.sklearn import MLPClassifier
        >>> iris = MLPClassifier(max_iter=500, early_stopping=True, random_state=0).fit(*load_iris(return_X_y=True))
        >>> len(LossCurveDisplay.from_estimator(iris).values["val_loss"]) == iris.n_iter_
        True
        """
        return cls(recorded(estimator)).plot(log=log, ax=ax)

    def plot(self, names: Iterable[str] | None = None, *, log: bool | None = None, ax: Axes | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        names : iterable of str, optional
            What to draw, as in `HistoryDisplay.plot`; by default the losses.
        log : bool, optional
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        LossCurveDisplay
            Itself.

        Raises
        ------
        TypeError, ValueError
            As for `HistoryDisplay.plot`.
        """
        chosen = [name for name in LOSSES if self.values.get(name)] if names is None else names
        super().plot(chosen, log=log, ax=ax)
        if names is None and self.best_epoch is not None:
            best = self.values["val_loss"][self.best_epoch]
            self.ax_.plot(
                self.best_epoch,
                best,
                "o",
                color=canvas.palette_of(self.ax_).of(1),
                label=f"best: {best:.4g} after epoch {self.best_epoch}",
            )
            self.ax_.legend(frameon=False)
        return self


def recorded(estimator: Any) -> Mapping[str, Sequence[float]]:  # noqa: ANN401
    """Return what an estimator recorded of its training, by the names of a `History`.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    mapping of str to sequence of float

    Raises
    ------
    TypeError
        If there is nothing.
    """
    found = getattr(estimator, "best_estimator_", estimator)
    if hasattr(found, "steps"):
        found = found.steps[-1][1]
    history = getattr(found, "history_", None)
    if isinstance(history, Mapping):
        return history
    if hasattr(found, "loss_curve_"):
        validation = getattr(found, "validation_loss_curve_", None)
        return {"loss": found.loss_curve_} | ({"val_loss": validation} if validation else {})
    raise TypeError(
        f"estimator is {found!r}, which has neither history_ nor loss_curve_: expected one of mlpcore.sklearn, fitted"
    )
