"""scikit-learn's Displays of how good predictions are, in mlpcore's colours, which suit light and dark styles.

What else each adds stands in its docstring. Everything that scikit-learn's class does, the class here does too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from mlpcore import extras
from mlpcore.plot import canvas

extras.require("sklearn", "sklearn")

from sklearn import calibration, inspection, metrics  # noqa: E402
from sklearn.base import is_classifier  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CalibrationDisplay", "ConfusionMatrixDisplay", "PartialDependenceDisplay", "ResidualsDisplay"]


class ConfusionMatrixDisplay(metrics.ConfusionMatrixDisplay):
    """How often each class was taken for each: scikit-learn's, with empty cells in the colour of the background.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
    display_labels : sequence, optional
        The names of the classes.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlpcore.plot import ConfusionMatrixDisplay
    >>> from mlpcore.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> iris = MLPClassifier(max_iter=1000, random_state=0).fit(X, y)
    >>> ConfusionMatrixDisplay.from_estimator(iris, X, y).confusion_matrix.sum(axis=1)
    array([50, 50, 50])
    """

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        cmap: Any = None,  # noqa: ANN401
        colorbar: bool = False,
        ax: Axes | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Self:
        """Draw the matrix of some predictions.

        Parameters
        ----------
        y_true, y_pred : array_like of shape (n,)
        cmap : str or Colormap, optional
            By default from the background to blue.
        colorbar : bool, default False
        ax : Axes, optional
            Where to draw; by default a new figure.
        **options
            As for scikit-learn's.

        Returns
        -------
        ConfusionMatrixDisplay

        Raises
        ------
        TypeError, ValueError
            As scikit-learn's, and TypeError if ax is no axes.
        """
        ax = canvas.axes_for(ax)
        cmap = canvas.sequential_of(ax) if cmap is None else cmap
        return super().from_predictions(y_true, y_pred, cmap=cmap, colorbar=colorbar, ax=ax, **options)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401
        X: ArrayLike,
        y: ArrayLike,
        *,
        cmap: Any = None,  # noqa: ANN401
        colorbar: bool = False,
        ax: Axes | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Self:
        """Draw the matrix of what a classifier predicts.

        Parameters
        ----------
        estimator : classifier
        X : array_like or frame of shape (n, n_features)
        y : array_like of shape (n,)
        cmap, colorbar, ax, **options
            As in `from_predictions`.

        Returns
        -------
        ConfusionMatrixDisplay

        Raises
        ------
        TypeError, ValueError
            As scikit-learn's, and TypeError if ax is no axes.
        """
        return super().from_estimator(estimator, X, y, cmap=cmap, colorbar=colorbar, ax=ax, **options)


class CalibrationDisplay(calibration.CalibrationDisplay):
    """Whether probabilities hold: how many of the rows with a probability of 70 % are of that class.

    scikit-learn's, for any number of classes: of more than two, the probability of the class that was predicted is
    compared with how often that was right.

    Parameters
    ----------
    prob_true, prob_pred : ndarray of shape (bins,)
        Of each bin the share of rows of the class, or of right predictions, and the mean probability.
    y_prob : ndarray of shape (n,)
    estimator_name, pos_label : str, optional
        As scikit-learn's.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlpcore.plot import CalibrationDisplay
    >>> from mlpcore.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> iris = MLPClassifier(max_iter=300, random_state=0).fit(X, y)
    >>> CalibrationDisplay.from_estimator(iris, X, y).ax_.get_ylabel()
    'share of right predictions'
    """

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401
        X: ArrayLike,
        y: ArrayLike,
        *,
        ax: Axes | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Self:
        """Draw the curve of what a classifier predicts.

        Parameters
        ----------
        estimator : classifier
            With `predict_proba`.
        X : array_like or frame of shape (n, n_features)
        y : array_like of shape (n,)
        ax : Axes, optional
            Where to draw; by default a new figure.
        **options
            As for scikit-learn's: `n_bins`, `strategy`, ...

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        TypeError, ValueError
            As scikit-learn's, and TypeError if ax is no axes.
        """
        ax = canvas.axes_for(ax)
        if not is_classifier(estimator) or len(estimator.classes_) <= 2:
            return super().from_estimator(estimator, X, y, ax=ax, **options)
        probability = np.asarray(estimator.predict_proba(X))
        right = estimator.classes_[probability.argmax(axis=1)] == np.asarray(y)
        name = options.pop("name", type(estimator).__name__)
        display = cls.from_predictions(right, probability.max(axis=1), name=name, pos_label=True, ax=ax, **options)
        display.ax_.set(xlabel="mean probability of the predicted class", ylabel="share of right predictions")
        return display

    def plot(self, *, ax: Axes | None = None, **options: Any) -> Self:  # noqa: ANN401
        """Draw the curve.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.
        **options
            As for scikit-learn's.

        Returns
        -------
        CalibrationDisplay
            Itself.

        Raises
        ------
        TypeError
            If ax is no axes.
        """
        ax = canvas.axes_for(ax)
        palette = canvas.palette_of(ax)
        options.setdefault("color", palette.of(sum(line.get_linestyle() == "-" for line in ax.get_lines())))
        super().plot(ax=ax, **options)
        for line in ax.get_lines():
            if line.get_linestyle() == ":":  # of perfect calibration, which scikit-learn draws in black
                line.set_color(palette.ink)
        ax.legend(loc="lower right", frameon=False)
        canvas.curves(ax)
        return self


class ResidualsDisplay(metrics.PredictionErrorDisplay):
    """Truth minus prediction over the prediction: scikit-learn's PredictionErrorDisplay.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n,)

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from mlpcore.plot import ResidualsDisplay
    >>> from mlpcore.sklearn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MLPRegressor(max_iter=50, random_state=0).fit(X, y / 100)
    >>> ResidualsDisplay.from_estimator(model, X, y / 100).ax_.get_xlabel()
    'Predicted values'
    """

    def plot(
        self,
        ax: Axes | None = None,
        *,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Self:
        """Draw the points.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default a new figure.
        scatter_kwargs, line_kwargs : dict, optional
            What to draw them with; by default mlpcore's colours.
        **options
            ``kind="actual_vs_predicted"`` draws the truth over the prediction.

        Returns
        -------
        ResidualsDisplay
            Itself.

        Raises
        ------
        TypeError
            If ax is no axes.
        """
        ax = canvas.axes_for(ax)
        palette = canvas.palette_of(ax)
        points = {"color": palette.of(0), "alpha": 0.6, "s": 14, "linewidths": 0} | (scatter_kwargs or {})
        line = {"color": palette.ink} | (line_kwargs or {})
        super().plot(ax, scatter_kwargs=points, line_kwargs=line, **options)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(5))  # scikit-learn's are not round
        canvas.curves(ax)
        return self


class PartialDependenceDisplay(inspection.PartialDependenceDisplay):
    """The mean prediction if all rows had the same value of a column: scikit-learn's, for frames as they are.

    Columns of a frame that hold no numbers get a bar for each category; whole numbers are taken as numbers. Made by
    `from_estimator`. Attributes and parameters are those of scikit-learn's.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlpcore.plot import PartialDependenceDisplay
    >>> from mlpcore.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> iris = MLPClassifier(max_iter=300, random_state=0).fit(X, y)
    >>> display = PartialDependenceDisplay.from_estimator(iris, X, ["petal width (cm)"], target=2)
    >>> display.axes_.shape
    (1, 1)
    """

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401
        X: Any,  # noqa: ANN401
        features: Sequence[Any],
        *,
        categorical_features: Sequence[Any] | None = None,
        ax: Axes | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Self:
        """Draw the dependence on each of some columns, or of pairs of them.

        Parameters
        ----------
        estimator : classifier or regressor
        X : array_like or frame of shape (n, n_features)
            The rows over which the mean is taken; of a frame without those that have no value in one of `features`.
        features : sequence of str, int and pairs of them
        categorical_features : sequence, optional
            Columns with a bar for each value. By default those of a frame that hold no numbers.
        ax : Axes or array of Axes, optional
            Where to draw; by default a new figure.
        **options
            As for scikit-learn's; ``target=`` says which class of more than two.

        Returns
        -------
        PartialDependenceDisplay

        Raises
        ------
        TypeError, ValueError
            As scikit-learn's.
        """
        if hasattr(X, "select_dtypes"):
            if categorical_features is None:
                categorical_features = list(X.select_dtypes(exclude="number").columns) or None
            X = X[X.iloc[:, _places(X, features)].notna().all(axis=1)]
            # scikit-learn refuses whole numbers, for which it would try values between
            X = X.astype(
                dict.fromkeys(X.select_dtypes("integer").columns.difference(categorical_features or []), float)
            )
        chosen = {"categorical_features": categorical_features, "ax": ax}
        display = super().from_estimator(estimator, X, features, **chosen, **options)
        for deciles in np.ravel([display.deciles_vlines_, display.deciles_hlines_]):
            if deciles is not None:  # which scikit-learn draws in black
                deciles.set_color(canvas.palette_of(deciles.axes).ink)
        for axes, columns in zip(np.ravel(display.axes_), display.features, strict=False):
            if hasattr(X, "iloc") and len(columns) == 1 and X.dtypes.iloc[columns[0]] == np.bool_:
                axes.set_xticks([0, 1], ["False", "True"])
        return display


def _places(frame: Any, features: Sequence[Any]) -> list[int]:  # noqa: ANN401  a DataFrame
    """Return the numbers of the columns that features name, each alone or in a pair."""
    named = [name for each in features for name in (each if isinstance(each, tuple | list) else (each,))]
    return [frame.columns.get_loc(name) if isinstance(name, str) else int(name) for name in named]
