"""Weights as pictures: a matrix as it is, or what each unit of a first layer looks for, as images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import checks
from mlpcore.data import real_array
from mlpcore.layers import Dense
from mlpcore.plot import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlpcore.model import Sequential


class WeightsDisplay:
    """Weights of a layer in colours: one for numbers below 0, one for those above, the background for 0.

    Parameters
    ----------
    w : array_like of shape (out, in)
    shape : (int, int), optional
        Rows and columns of the images that a row of w is drawn as; without it w is drawn as the matrix that it is.

    Attributes
    ----------
    w : ndarray of shape (out, in)
    picture : ndarray of shape (rows, columns)
        What is drawn: w, or the images side by side, with nan between them.
    ax_ : Axes
    figure_ : Figure

    Raises
    ------
    TypeError, ValueError
        If w is no matrix of numbers, or the images do not have as many points as w has columns.

    Examples
    --------
    >>> from mlpcore.plot import WeightsDisplay
    >>> WeightsDisplay([[1, 0, 0, 1], [0, 1, 1, 0]], shape=(2, 2)).picture.shape
    (2, 5)
    """

    def __init__(self, w: ArrayLike, shape: Sequence[int] | None = None) -> None:
        self.w: NDArray[np.float64] = np.array(real_array("w", w), np.float64)
        if self.w.ndim != 2 or 0 in self.w.shape:
            raise ValueError(f"w has shape {self.w.shape}, expected (out, in)")
        self.shape = None if shape is None else _shape_of(shape, self.w.shape[1])
        self.picture = self.w if self.shape is None else _side_by_side(self.w.reshape(-1, *self.shape))

    @classmethod
    def from_model(
        cls, model: Sequential, layer: int = 0, *, shape: Sequence[int] | None = None, ax: Axes | None = None
    ) -> Self:
        """Draw the weights of one layer of a model.

        Parameters
        ----------
        model : Sequential
        layer : int, default 0
            Which of ``model.layers``; it must be a `Dense`.
        shape : (int, int), optional
            As for the class: (8, 8) for a first layer that reads images of 8 rows of 8 points.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        WeightsDisplay

        Raises
        ------
        RuntimeError
            If the model has no weights yet.
        TypeError, ValueError
            If there is no such layer, it has no w, or an argument is wrong otherwise.
        """
        number = checks.whole_number("layer", layer, at_least=0, at_most=len(model.layers) - 1)
        chosen = model.layers[number]
        if not isinstance(chosen, Dense):
            raise ValueError(f"layers[{number}] is {chosen._expression()}, expected a Dense, which has a w")
        return cls(chosen.w, shape).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        WeightsDisplay
            Itself.

        Raises
        ------
        TypeError
            If ax is no axes.
        """
        ax = canvas.axes_for(ax)
        palette = canvas.palette_of(ax)
        finite = np.abs(self.w[np.isfinite(self.w)])
        largest = float(finite.max(initial=0)) or 1.0
        picture = np.ma.masked_invalid(self.picture)  # and so not drawn
        image = ax.imshow(picture, cmap=palette.diverging, vmin=-largest, vmax=largest, interpolation="nearest")
        figure = canvas.figure_of(ax)
        figure.colorbar(image, ax=ax, label="w", shrink=0.85)
        if self.shape is None:
            ax.set(xlabel="input", ylabel="unit")
        else:
            canvas.plain(ax)
            ax.set_xlabel(f"the weights of {len(self.w)} units, as images")
        self.ax_, self.figure_ = ax, figure
        return self


def _shape_of(shape: Sequence[int], points: int) -> tuple[int, int]:
    given = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else (shape,)
    if len(given) != 2:
        raise ValueError(f"shape is {shape!r}, expected (rows, columns) of an image")
    rows, columns = (checks.whole_number("shape", number, at_least=1) for number in given)
    if rows * columns != points:
        raise ValueError(f"shape is {(rows, columns)}, {rows * columns} points, expected {points}: one for each input")
    return rows, columns


def _side_by_side(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return images (count, rows, columns) in about as many rows as columns, one point apart."""
    count, rows, columns = images.shape
    across = math.ceil(math.sqrt(count * rows / columns))
    across = min(count, across)
    down = math.ceil(count / across)
    picture = np.full((down * (rows + 1) - 1, across * (columns + 1) - 1), np.nan)
    for k, image in enumerate(images):
        top, left = (k // across) * (rows + 1), (k % across) * (columns + 1)
        picture[top : top + rows, left : left + columns] = image
    return picture
