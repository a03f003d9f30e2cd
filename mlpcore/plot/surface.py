"""The loss as a surface over two directions in the space of all weights, with the path that a training took."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import checks, network
from mlpcore.data import real_array
from mlpcore.lazy import random_generator
from mlpcore.plot import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlpcore.engine import Choice
    from mlpcore.model import Sequential

Numbers = NDArray[np.float64]


class PathRecorder:
    """A callback of `fit` that keeps the weights after each epoch.

    Parameters
    ----------
    model : Sequential, optional
        If given, and if it has weights already, those are the beginning of the path.

    Attributes
    ----------
    points : list of ndarray of shape (parameters,)
        All weights and biases of the model in one row, after each epoch.

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import PathRecorder
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], input_size=1, seed=1)
    >>> path = PathRecorder(model)
    >>> history = model.fit([[0.0], [1.0]], [0, 1], "mse", epochs=5, callbacks=[path], progress=False)
    >>> len(path.points), path.points[0].shape
    (6, (2,))
    """

    def __init__(self, model: Sequential | None = None) -> None:
        self.points: list[Numbers] = []
        if model is not None and model.input_size is not None:
            self(model, -1, {})

    def __call__(self, model: Sequential, epoch: int, logs: dict[str, float]) -> None:
        """Keep the weights that the model has now."""
        self.points.append(np.array(model._built().params, np.float64))


class LossSurfaceDisplay:
    """The loss of a model at weights w + u d_1 + v d_2 around its own, as contours, and the path that led there.

    Parameters
    ----------
    u, v : ndarray of shape (points,)
        The steps along the two directions.
    loss : ndarray of shape (points, points)
        The loss, a row for each v.
    path : ndarray of shape (epochs, 2) or None
        Where the path is, projected onto the plane.
    explained : float or None
        The share of the path's variance that lies in the plane.

    Attributes
    ----------
    u, v, loss, path, explained
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import LossSurfaceDisplay, PathRecorder
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model = mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(1, "sigmoid")], input_size=2, seed=1)
    >>> path = PathRecorder(model)
    >>> history = model.fit(X, y, "bce", epochs=50, callbacks=[path], progress=False)
    >>> display = LossSurfaceDisplay.from_model(model, X, y, "bce", path=path, points=15)
    >>> display.loss.shape, display.path.shape
    ((15, 15), (51, 2))
    """

    def __init__(
        self, u: Numbers, v: Numbers, loss: Numbers, path: Numbers | None = None, explained: float | None = None
    ) -> None:
        self.u, self.v, self.loss, self.path, self.explained = u, v, loss, path, explained

    @classmethod
    def from_model(
        cls,
        model: Sequential,
        X: ArrayLike,
        y: ArrayLike,
        loss: Choice,
        *,
        path: PathRecorder | Sequence[ArrayLike] | None = None,
        points: int = 31,
        span: float = 1.0,
        seed: int = 0,
        ax: Axes | None = None,
    ) -> Self:
        """Compute the loss on a grid of weights, and draw it. The model stays as it is.

        Parameters
        ----------
        model : Sequential
            Trained, or with first weights.
        X, y
            The data, as for `Sequential.evaluate`.
        loss : str or object
            As for `Sequential.evaluate`.
        path : PathRecorder, or sequence of arrays of shape (parameters,), optional
            Weights at several times of a training: the directions are then the two in which they lie farthest apart,
            and the grid covers all of them. Without it the directions are random, with as long a part in each array of
            parameters as that has itself.
        points : int, default 31
            How many steps there are along each direction; the loss is computed points * points times.
        span : float, default 1.0
            How far the grid goes without a path: 1 is as far as the weights are from 0.
        seed : int, default 0
            What random directions follow from.
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        LossSurfaceDisplay

        Raises
        ------
        RuntimeError
            If the model has no weights yet.
        TypeError, ValueError
            If an argument is of the wrong type or out of range, or the path has less than 3 points, or another model's.
        """
        points = checks.whole_number("points", points, at_least=2, at_most=500)
        span = checks.real_number("span", span, above=0)
        seed = checks.seed_number(seed)
        loss = checks.given_loss(loss)
        centre = np.array(model._built().params, np.float64)
        explained, along = None, None
        if path is None:
            first, second = _random_directions(model, centre, seed)
            u = v = np.linspace(-span, span, points)
        else:
            visited = _visited(path, len(centre))
            first, second, explained = _farthest_directions(visited - centre)
            along = (visited - centre) @ np.stack([first, second], axis=1)
            u, v = (_covering(along[:, k], points) for k in range(2))
        twin = copy.copy(model)
        values = np.empty((points, points))
        for i, k in np.ndindex(points, points):
            twin._built().params[...] = centre + u[k] * first + v[i] * second
            values[i, k] = twin.evaluate(X, y, loss)["loss"]
        return cls(u, v, values, along, explained).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the contours and the path.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        LossSurfaceDisplay
            Itself.

        Raises
        ------
        TypeError
            If ax is no axes.
        """
        ax = canvas.axes_for(ax, (6.0, 4.8))
        palette = canvas.palette_of(ax)
        finite = np.where(np.isfinite(self.loss), self.loss, np.nan)
        low, high = np.nanmin(finite), np.nanmax(finite)
        logarithmic = low > 0 and high > 20 * low
        levels = np.geomspace(low, high, 14) if logarithmic else np.linspace(low, high, 14)
        scale: dict[str, Any] = {"norm": "log"} if logarithmic else {}
        if high > low:
            surface = ax.contourf(self.u, self.v, finite, levels=levels, cmap=canvas.SEQUENTIAL, **scale)
            ax.contour(self.u, self.v, finite, levels=levels, colors="white", linewidths=0.4, alpha=0.6)
            bar = canvas.figure_of(ax).colorbar(surface, ax=ax, label="loss")
            shown = levels[:: len(levels) // 4]
            bar.set_ticks(list(shown), labels=[f"{level:.3g}" for level in shown])
            bar.minorticks_off()
        if self.path is not None:
            ax.plot(*self.path.T, color="white", linewidth=3.5)
            ax.plot(*self.path.T, color="#D55E00", linewidth=1.8, marker="o", markersize=2.5, label="path")
            ax.plot(*self.path[0], "s", color="white", markeredgecolor="black", markersize=8, label="beginning")
            ax.plot(*self.path[-1], "*", color="white", markeredgecolor="black", markersize=14, label="end")
            ax.legend(loc="upper right", fontsize=9)
        share = "" if self.explained is None else f" ({self.explained:.0%} of the path's variance)"
        ax.set_title(f"loss around the weights{share}", color=palette.ink)
        ax.set(xlabel="along direction 1", ylabel="along direction 2")
        self.ax_, self.figure_ = ax, canvas.figure_of(ax)
        return self


def _visited(path: PathRecorder | Sequence[ArrayLike], count: int) -> Numbers:
    """Return the points of a path as rows."""
    points: Any = path.points if isinstance(path, PathRecorder) else path
    if len(points) < 3:
        raise ValueError(f"path has {len(points)} points, expected at least 3: give PathRecorder(model) as a callback")
    rows = np.asarray(real_array("path", points), np.float64)
    if rows.shape != (len(points), count):
        raise ValueError(
            f"path has shape {rows.shape}, expected ({len(points)}, {count}): the parameters of this model"
        )
    if not np.isfinite(rows).all():
        raise ValueError("path has weights that are nan or infinite, expected a training that did not diverge")
    return rows


def _farthest_directions(steps: Numbers) -> tuple[Numbers, Numbers, float]:
    """Return the two directions in which points lie farthest apart, of length 1, and their share of the variance."""
    _, lengths, directions = np.linalg.svd(steps - steps.mean(axis=0), full_matrices=False)
    if len(directions) < 2:  # a model with one parameter
        raise ValueError("the model has one parameter, expected two at least: there is no second direction")
    total = float((lengths**2).sum()) or 1.0
    return directions[0], directions[1], float((lengths[:2] ** 2).sum()) / total


def _random_directions(model: Sequential, centre: Numbers, seed: int) -> tuple[Numbers, Numbers]:
    """Return two random directions, each as long in every array of parameters as that is (Li et al. 2018)."""
    width = model.input_size
    assert width is not None
    generator = random_generator(seed)
    directions = generator.normal(size=(2, len(centre)))
    for direction in directions:
        parts = network.tensors(model.layers, width, direction)
        for name, own in network.tensors(model.layers, width, centre).items():
            parts[name] *= np.linalg.norm(own) / (np.linalg.norm(parts[name]) or 1.0)
    return directions[0], directions[1]


def _covering(values: Numbers, points: int) -> Numbers:
    """Return steps that cover some values with a margin, and 0, where the model is."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    margin = 0.25 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, points)
