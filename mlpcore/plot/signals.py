"""Signal health: how large phi is in each layer, how many units are dead, how many slopes are flat."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from mlpcore import catalogue, checks, kernels, targets
from mlpcore.layers import Dense
from mlpcore.model import Sequential
from mlpcore.plot import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlpcore.engine import Choice

Numbers = NDArray[np.float64]

FLAT = 0.05  # a slope sigma'(z) below this passes a twentieth of phi back, or less


class Signals(NamedTuple):
    """What one backward pass shows of each dense layer, in their order: arrays of shape (layers,).

    Attributes
    ----------
    phi : ndarray
        The mean of |phi^j| over units and samples, times n, so that it does not depend on the size of the batch.
    dead : ndarray
        The share of units whose slope sigma'(z) is 0 for every sample: nothing that passes back can change them. nan
        where units depend on each other, and for activations written in Python.
    flat : ndarray
        The share of slopes, of all units and samples, whose size is below 0.05. nan likewise.
    """

    phi: Numbers
    dead: Numbers
    flat: Numbers


def signals_of(model: Sequential, X: ArrayLike, y: ArrayLike, loss: Choice) -> Signals:
    """Run one batch forwards and backwards and tell what became of it. The model stays as it is.

    Parameters
    ----------
    model : Sequential
    X, y
        One batch, as for `Sequential.evaluate`.
    loss : str or object
        Likewise.

    Returns
    -------
    Signals

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or no layer of the model is a `Dense`.
    """
    twin = copy.copy(model)
    a = twin.forward(X)
    twin.backward(y, loss)
    layers = _dense_layers(twin)
    rows = []
    for layer in layers:
        slopes = _slopes(layer)
        dead, flat = (np.nan, np.nan) if slopes is None else _shares(slopes)
        rows.append((float(np.abs(layer.phi).mean(dtype=np.float64)) * len(a), dead, flat))
    return Signals(*np.array(rows, np.float64).T)


class SignalRecorder:
    """A callback of `fit` that records the signals of one batch after each epoch.

    Parameters
    ----------
    X, y
        The batch, as for `Sequential.evaluate`. Some hundred rows are enough.
    loss : str or object
        Likewise.

    Attributes
    ----------
    phi, dead, flat : ndarray of shape (epochs, layers)
        As in `signals_of`, a row for each epoch.

    Examples
    --------
    >>> import mlpcore
    >>> from mlpcore.plot import SignalRecorder
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> signals = SignalRecorder(X, y, "bce")
    >>> model = mlpcore.Sequential([mlpcore.Dense(8, "relu"), mlpcore.Dense(1, "sigmoid")], seed=1)
    >>> history = model.fit(X, y, "bce", epochs=5, callbacks=[signals], progress=False)
    >>> signals.phi.shape
    (5, 2)
    """

    def __init__(self, X: ArrayLike, y: ArrayLike, loss: Choice) -> None:
        self._batch = X, y, checks.given_loss(loss)
        self._records: list[Signals] = []
        self.titles: list[str] = []

    def __call__(self, model: Sequential, epoch: int, logs: dict[str, float]) -> None:
        """Record the signals of the model as it is now."""
        self._records.append(signals_of(model, *self._batch))
        self.titles = _titles(model)

    @property
    def phi(self) -> Numbers:
        """The mean |phi^j|, (epochs, layers)."""
        return np.array([record.phi for record in self._records])

    @property
    def dead(self) -> Numbers:
        """The share of dead units, (epochs, layers)."""
        return np.array([record.dead for record in self._records])

    @property
    def flat(self) -> Numbers:
        """The share of flat slopes, (epochs, layers)."""
        return np.array([record.flat for record in self._records])


class SignalDisplay:
    """Curves of signals: over the epochs of a training, or over the layers of networks with different beginnings.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (points,)
        |phi^j| as curves by their names.
    dead, flat : dict of str to ndarray of shape (points,)
        The shares, likewise.
    over : {"epoch", "layer"}

    Attributes
    ----------
    axes_ : list of Axes
        Those of |phi^j|, of dead units and of flat slopes.
    ax_ : Axes
        The first.
    figure_ : Figure

    Examples
    --------
    >>> import numpy as np
    >>> from mlpcore.plot import SignalDisplay
    >>> X = np.random.default_rng(0).normal(size=(64, 8))
    >>> display = SignalDisplay.from_choices(X, X, "mse", activations=["sigmoid", "relu"], initializers=["he_normal"])
    >>> phi = display.phi["sigmoid, he_normal"]
    >>> bool(phi[0] < phi[-1] / 1000)  # it vanishes on its way back through six layers
    True
    """

    def __init__(
        self, phi: dict[str, Numbers], dead: dict[str, Numbers], flat: dict[str, Numbers], over: str = "epoch"
    ) -> None:
        self.phi, self.dead, self.flat, self.over = phi, dead, flat, over

    @classmethod
    def from_recorder(cls, recorder: SignalRecorder, *, ax: Sequence[Axes] | None = None) -> Self:
        """Draw what a recorder holds: a curve for each layer, over the epochs.

        Parameters
        ----------
        recorder : SignalRecorder
        ax : sequence of three Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        SignalDisplay

        Raises
        ------
        TypeError, ValueError
            If it is no recorder, or holds nothing.
        """
        if not isinstance(recorder, SignalRecorder):
            raise TypeError(f"recorder is {recorder!r}, expected a SignalRecorder")
        if not recorder.titles:
            raise ValueError("nothing was recorded, expected a fit with this object among its callbacks")
        phi, dead, flat = (
            dict(zip(recorder.titles, table.T, strict=True)) for table in (recorder.phi, recorder.dead, recorder.flat)
        )
        return cls(phi, dead, flat).plot(ax=ax)

    @classmethod
    def from_choices(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        loss: Choice,
        *,
        activations: Iterable[Choice] = ("sigmoid", "tanh", "relu"),
        initializers: Iterable[Choice] = ("glorot_uniform", "he_uniform"),
        hidden: Sequence[int] = (32,) * 6,
        output: Choice = "linear",
        seed: int = 0,
        ax: Sequence[Axes] | None = None,
    ) -> Self:
        """Compare networks at their first weights: a curve for each activation and initializer, over the layers.

        Parameters
        ----------
        X : array_like of shape (n, in)
            One batch.
        y : array_like of shape (n, out), or (n,) class indices
        loss : str or object
        activations, initializers : iterable of str or object
            Of the hidden layers: names of the catalogue, or objects with constants.
        hidden : sequence of int, default (32, 32, 32, 32, 32, 32)
            The number of units of each hidden layer.
        output : str or object, default "linear"
            The activation of the output.
        seed : int, default 0
        ax : sequence of three Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        SignalDisplay

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of range.
        """
        loss = checks.given_loss(loss)
        target = np.asarray(y)
        if target.ndim not in (1, 2) or target.size == 0:
            raise ValueError(f"y has shape {target.shape}, expected (n, out) or (n,)")
        out = target.shape[1] if target.ndim == 2 else int(target.max()) + 1 if targets.has_classes(loss) else 1
        phi: dict[str, Numbers] = {}
        dead: dict[str, Numbers] = {}
        flat: dict[str, Numbers] = {}
        starts = list(initializers)
        for sigma in activations:
            for start in starts:
                layers = [Dense(units, sigma, kernel_initializer=start) for units in hidden]
                model = Sequential([*layers, Dense(out, output)], seed=seed, dtype="float64")
                name = f"{catalogue.label(layers[0].activation)}, {catalogue.label(layers[0].kernel_initializer)}"
                phi[name], dead[name], flat[name] = signals_of(model, X, y, loss)
        if not phi:
            raise ValueError("activations or initializers is empty, expected at least one of each")
        return cls(phi, dead, flat, over="layer").plot(ax=ax)

    def plot(self, *, ax: Sequence[Axes] | None = None) -> Self:
        """Draw the three pictures.

        Parameters
        ----------
        ax : sequence of three Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        SignalDisplay
            Itself.

        Raises
        ------
        TypeError, ValueError
            If ax is not three axes.
        """
        if ax is None:
            _, axes = plt.subplots(1, 3, figsize=(13.0, 4.0), layout="constrained")
        else:
            axes = np.array([canvas.axes_for(each) for each in ax], object)
            if len(axes) != 3:
                raise ValueError(f"ax has {len(axes)} axes, expected 3: for |phi|, dead units and flat slopes")
        titles = "mean of $|\\phi^j|$", "share of dead units", f"share of slopes |σ'(z)| < {FLAT}"
        for each, title, table in zip(axes, titles, (self.phi, self.dead, self.flat), strict=True):
            self._draw(each, title, table)
        axes[0].set_yscale("log")
        for each in axes[1:]:
            each.set_ylim(-0.03, 1.03)
        axes[2].legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False)
        self.axes_ = list(axes)
        self.ax_, self.figure_ = axes[0], canvas.figure_of(axes[0])
        return self

    def _draw(self, ax: Axes, title: str, table: dict[str, Numbers]) -> None:
        palette = canvas.palette_of(ax)
        ramp = plt.get_cmap(canvas.SEQUENTIAL)
        for k, (name, values) in enumerate(table.items()):
            style: dict[str, Any] = {"color": palette.of(k), "linestyle": ("-", "--", ":")[k // len(palette.cycle) % 3]}
            if self.over == "epoch" and len(table) > len(palette.cycle):  # layers are in an order, and so are colours
                style = {"color": ramp(0.1 + 0.8 * k / (len(table) - 1))}
            begin = 1 if self.over == "layer" else 0
            few = len(values) < 30
            ax.plot(
                range(begin, begin + len(values)),
                values,
                marker=canvas.MARKERS[k % len(canvas.MARKERS)] if few else "",
                markersize=4,
                linewidth=1.8,
                label=name,
                **style,
            )
        label = "layer j, 1 is the first" if self.over == "layer" else "epoch, counted from 0"
        canvas.curves(ax, title=title, xlabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _dense_layers(model: Sequential) -> list[Dense]:
    layers = [layer for layer in model.layers if isinstance(layer, Dense)]
    if not layers:
        raise ValueError("the model has no Dense layer, expected one at least: others have no phi of their z")
    return layers


def _titles(model: Sequential) -> list[str]:
    numbered = [(j, layer) for j, layer in enumerate(model.layers, 1) if isinstance(layer, Dense)]
    return [f"layer {j}: {catalogue.label(layer.activation)}" for j, layer in numbered]


def _slopes(layer: Dense) -> Numbers | None:
    """Return sigma'(z) (n, out); None where it is no number of each unit by itself."""
    sigma = layer.activation
    if not isinstance(sigma, str | tuple) or "per_row" in catalogue.entry("activations", sigma).traits:
        return None
    z = layer.z
    return np.asarray(kernels.activation_backward(sigma, z, np.ones_like(z)), np.float64)


def _shares(slopes: Numbers) -> tuple[float, float]:
    """Return the share of units whose slopes are all 0, and that of flat slopes."""
    return float((slopes == 0).all(axis=0).mean()), float((np.abs(slopes) < FLAT).mean())
