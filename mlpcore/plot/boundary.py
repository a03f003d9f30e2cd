"""What a network with two inputs answers in the plane, once and over the epochs of a training."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from mlpcore import checks
from mlpcore.data import real_array
from mlpcore.plot import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlpcore.model import Sequential

Numbers = NDArray[np.float64]


class Plane(NamedTuple):
    """Points of the plane to ask a network at, and the data that it learns from.

    Attributes
    ----------
    x0, x1 : ndarray of shape (grid,)
        The coordinates of the columns and of the rows.
    points : ndarray of shape (grid * grid, 2)
    X : ndarray of shape (n, 2)
    y : ndarray of shape (n,) or None
        Numbers of classes.
    """

    x0: Numbers
    x1: Numbers
    points: Numbers
    X: Numbers
    y: NDArray[np.intp] | None


class DecisionBoundaryDisplay:
    """What a network answers at every point of the plane.

    One output is drawn in shades from one colour to the other, with a line where it is `threshold`; several outputs in
    the colour of the largest, paler where it is less sure.

    Parameters
    ----------
    plane : Plane
    response : ndarray of shape (grid, grid, out)
        The network's output at the points, a row for each x1.
    threshold : float, default 0.5

    Attributes
    ----------
    response : ndarray of shape (grid, grid, out)
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import DecisionBoundaryDisplay
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model = mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=1)
    >>> DecisionBoundaryDisplay.from_model(model, X, y, grid=50).response.shape
    (50, 50, 1)
    """

    def __init__(self, plane: Plane, response: NDArray[Any], threshold: float = 0.5) -> None:
        self.plane = plane
        self.response = response
        self.threshold = checks.real_number("threshold", threshold)

    @classmethod
    def from_model(
        cls,
        model: Sequential,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        grid: int = 120,
        threshold: float = 0.5,
        ax: Axes | None = None,
    ) -> Self:
        """Draw what a model answers around some data.

        Parameters
        ----------
        model : Sequential
            With two inputs.
        X : array_like of shape (n, 2)
            The data, around which the plane is cut out.
        y : array_like of shape (n,), (n, 1) or one-hot (n, classes), optional
            Their classes, as colours and shapes of the points.
        grid : int, default 120
            How many points there are along each axis.
        threshold : float, default 0.5
            Where one output changes from one answer to the other: 0 for the hinge losses.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        DecisionBoundaryDisplay

        Raises
        ------
        TypeError, ValueError
            If X is not (n, 2), y not as long, the model has not two inputs, or another argument is wrong.
        """
        plane = plane_around(X, y, grid)
        return cls(plane, answers(model, plane), threshold).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        DecisionBoundaryDisplay
            Itself.

        Raises
        ------
        TypeError
            If ax is no axes.
        """
        ax = canvas.axes_for(ax, (5.6, 4.8))
        palette = canvas.palette_of(ax)
        x0, x1, _, X, y = self.plane
        half = (x0[1] - x0[0]) / 2, (x1[1] - x1[0]) / 2
        extent = (x0[0] - half[0], x0[-1] + half[0], x1[0] - half[1], x1[-1] + half[1])
        ax.imshow(self._shades(palette), extent=extent, origin="lower", aspect="auto", interpolation="nearest")
        if self.response.shape[2] == 1:
            values = self.response[:, :, 0]
            if values.min() < self.threshold < values.max():
                ax.contour(x0, x1, values, levels=[self.threshold], colors=palette.ink, linewidths=1.6)
        for label in [0] if y is None else sorted(set(y.tolist())):
            of = slice(None) if y is None else y == label
            ax.scatter(
                X[of, 0],
                X[of, 1],
                s=22,
                marker=canvas.MARKERS[label % len(canvas.MARKERS)],
                facecolor=palette.ink if y is None else self._colour(palette, label),
                edgecolor=palette.ground,
                linewidth=0.7,
                label=str(label),
            )
        if y is not None:
            ax.legend(title="y", loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
        ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=extent[:2], ylim=extent[2:])
        self.ax_, self.figure_ = ax, canvas.figure_of(ax)
        return self

    def _colour(self, palette: canvas.Palette, label: int) -> str:
        """Return the colour of a class: the second one's is that of large outputs."""
        return palette.of(1 - label if self.response.shape[2] == 1 and label < 2 else label)

    def _shades(self, palette: canvas.Palette) -> NDArray[Any]:
        """Return the picture as colours (grid, grid, 4)."""
        if self.response.shape[2] == 1:
            away = self.response[:, :, 0] - self.threshold
            largest = float(np.abs(away).max()) or 1.0
            return np.asarray(palette.diverging(0.5 + 0.32 * away / largest))
        best = self.response.argmax(axis=2)
        classes = self.response.shape[2]
        colours = ListedColormap([palette.of(k) for k in range(classes)])(best)
        ordered = np.sort(self.response, axis=2)
        lead = ordered[:, :, -1] - ordered[:, :, -2]
        sure = 0.15 + 0.45 * np.clip(lead / (float(lead.max()) or 1.0), 0, 1)[:, :, np.newaxis]
        colours[:, :, :3] = sure * colours[:, :, :3] + (1 - sure) * np.array(palette.ground)
        return np.asarray(colours)


class BoundaryRecorder:
    """A callback of `fit` that asks the model at every point of the plane after some epochs, for an animation.

    Parameters
    ----------
    X : array_like of shape (n, 2)
    y : array_like, optional
    every : int, default 1
        After how many epochs each.
    grid : int, default 60
    threshold : float, default 0.5
        As for `DecisionBoundaryDisplay`.

    Attributes
    ----------
    epochs : list of int
        The epochs recorded, counted from 0.
    responses : list of ndarray of shape (grid, grid, out)

    Raises
    ------
    TypeError, ValueError
        If X is not (n, 2), or another argument is wrong.

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import BoundaryRecorder
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> recorder = BoundaryRecorder(X, y, every=10)
    >>> model = mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(1, "sigmoid")], seed=1)
    >>> history = model.fit(X, y, "bce", epochs=30, callbacks=[recorder], progress=False)
    >>> recorder.epochs
    [9, 19, 29]
    """

    def __init__(
        self, X: ArrayLike, y: ArrayLike | None = None, *, every: int = 1, grid: int = 60, threshold: float = 0.5
    ) -> None:
        self._plane = plane_around(X, y, grid)
        self._every = checks.whole_number("every", every, at_least=1)
        self._threshold = checks.real_number("threshold", threshold)
        self.epochs: list[int] = []
        self.responses: list[NDArray[Any]] = []

    def __call__(self, model: Sequential, epoch: int, logs: dict[str, float]) -> None:
        """Record what the model answers, if it is the epoch for it."""
        if (epoch + 1) % self._every == 0:
            self.responses.append(answers(model, self._plane))
            self.epochs.append(epoch)

    def animate(self, *, seconds: float = 0.15) -> FuncAnimation:
        """Return the record as an animation of matplotlib.

        Parameters
        ----------
        seconds : float, default 0.15
            How long each picture stays.

        Returns
        -------
        FuncAnimation
            ``save("boundary.gif")`` writes it.

        Raises
        ------
        ValueError
            If nothing was recorded, or seconds is no number > 0.
        """
        seconds = checks.real_number("seconds", seconds, above=0)
        self._require_record()
        figure, draw = self._pictures()
        return FuncAnimation(
            figure,
            draw,
            frames=len(self.responses),
            init_func=list,
            interval=round(1000 * seconds),
            repeat_delay=1000,
        )

    def _pictures(self) -> tuple[Figure, Callable[[int], list[Any]]]:
        """Return a figure, and a function that draws record number k on it."""
        with plt.ioff():
            figure, ax = plt.subplots(figsize=(5.2, 4.4), layout="constrained")
        plt.close(figure)

        def draw(k: int) -> list[Any]:
            ax.clear()
            DecisionBoundaryDisplay(self._plane, self.responses[k], self._threshold).plot(ax=ax)
            ax.set_title(f"epoch {self.epochs[k]}, counted from 0")
            return []

        return figure, draw

    def save(self, file: str | Path | io.BytesIO, *, seconds: float = 0.15) -> None:
        """Write the animation as a GIF.

        Parameters
        ----------
        file : str, path-like or binary file object
        seconds : float, default 0.15
            How long each picture stays.

        Raises
        ------
        ValueError
            As for `animate`.
        OSError
            If the file cannot be written.
        """
        seconds = checks.real_number("seconds", seconds, above=0)
        self._require_record()
        figure, draw = self._pictures()
        pictures = []
        for k in range(len(self.responses)):
            draw(k)
            drawn = io.BytesIO()
            figure.savefig(drawn, format="png", dpi=80)
            pictures.append(Image.open(drawn).convert("RGB").quantize(64))
        pictures[0].save(
            file, format="GIF", save_all=True, append_images=pictures[1:], duration=round(1000 * seconds), loop=0
        )

    def _require_record(self) -> None:
        if not self.responses:
            raise ValueError("nothing was recorded, expected a fit with this object among its callbacks")

    def _repr_html_(self) -> str:
        if not self.responses:
            return "<div>nothing recorded yet</div>"
        file = io.BytesIO()
        self.save(file)
        picture = base64.b64encode(file.getvalue()).decode("ascii")
        return f'<img alt="the decision boundary over {len(self.epochs)} epochs" src="data:image/gif;base64,{picture}">'


def plane_around(X: ArrayLike, y: ArrayLike | None, grid: int) -> Plane:
    """Return the plane around some data; raise an error that names X, y or grid if that cannot be."""
    grid = checks.whole_number("grid", grid, at_least=2, at_most=2000)
    rows = np.asarray(checks.rows_of("X", X, 2, np.float64))
    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 1.0)
    x0, x1 = (np.linspace(low[k] - margin[k], high[k] + margin[k], grid) for k in range(2))
    points = np.column_stack([np.tile(x0, grid), np.repeat(x1, grid)])
    return Plane(x0, x1, points, rows, None if y is None else _classes(y, len(rows)))


def answers(model: Sequential, plane: Plane) -> NDArray[Any]:
    """Return what a model answers at the points, (grid, grid, out)."""
    if model.input_size not in (None, 2):
        raise ValueError(f"the model has {model.input_size} inputs, expected 2: others do not fit into a plane")
    a = model.predict(plane.points)
    return a.reshape(len(plane.x1), len(plane.x0), -1).astype(np.float64)


def _classes(y: ArrayLike, n: int) -> NDArray[np.intp]:
    given = real_array("y", y, labels=True)
    if given.ndim == 2 and given.shape[1] > 1:
        given = given.argmax(axis=1)
    if given.shape not in ((n,), (n, 1)):
        raise ValueError(f"y has shape {given.shape}, expected ({n},): one class for each row of X")
    return np.unique(given.reshape(n), return_inverse=True)[1].reshape(n)
