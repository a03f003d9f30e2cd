"""TabularClassifier: raw tables in, classes out."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted

from mlpcore import CategoricalCrossentropy, Sequential, checks
from mlpcore.engine import Choice
from mlpcore.files import quoted
from mlpcore.sklearn.parameters import check_labels, keep
from mlpcore.sklearn.tabular import Tabular
from mlpcore.sklearn.tabular_training import Settings, checked_settings

Array = NDArray[Any]

_ACTIVATION, _LEARNING_RATE = "selu", 0.02


class TabularClassifier(ClassifierMixin, Tabular):
    """Classifier for raw tables: numbers, categories, booleans, dates and missing values, in the order they come.

    Columns are prepared, and networks trained, by the recipe RealMLP-TD-S (Holzmüller, Grinsztajn & Steinwart 2024)
    with changes that were measured on many tables: docs/tabular.md. `column_report_` says what was done with each
    column.

    Parameters
    ----------
    n_ensemble : int, optional
        How many networks are trained, each with other first weights and other rows held out; the mean of their
        probabilities is the answer. They are trained at once, on as many threads as there are. None: 8 for fewer than
        1,024 rows, else 2.
    hidden_layer_sizes : sequence of int, default (256, 256, 256)
    activation : str or object, optional
        Of the hidden layers; None is "selu".
    dropout : float, default 0.15
        The share of units that is dropped behind each hidden layer in training.
    learning_rate : float, optional
        The highest of the schedule coslog; None is 0.02. For the weights of a layer it is divided by the square root
        of the number of its inputs.
    label_smoothing : float, default 0.1
    class_weight : dict, "balanced" or None, default None
        How much the rows of a class count.
    max_iter : int, optional
        Epochs; None: 1,250 steps, but at least 24 epochs and at most 64.
    batch_size : int, optional
        None: 64, 128 or 256 by the number of rows.
    validation_fraction : float, default 0.2
        The share of the rows that each network holds out to keep the weights of its best epoch by, if there are 64
        rows at least. 0: it keeps the last.
    verbose : bool, default False
        Whether a bar shows the networks that are done.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    columns_ : mlpcore.sklearn.preprocessing.Columns
    column_report_ : ColumnReport
    feature_importances_ : ndarray, shape (n_features_in_,)
    models_ : list of mlpcore.Sequential
    history_ : mlpcore.History
        Of the first network.
    n_iter_ : int
        Epochs of each network.
    n_features_in_ : int
    feature_names_in_ : ndarray

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlpcore.sklearn import TabularClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> TabularClassifier(n_ensemble=1, random_state=1).fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        *,
        n_ensemble: int | None = None,
        hidden_layer_sizes: Sequence[int] = (256, 256, 256),
        activation: Choice | None = None,
        dropout: float = 0.15,
        learning_rate: float | None = None,
        label_smoothing: float = 0.1,
        class_weight: Mapping[Any, float] | str | None = None,
        max_iter: int | None = None,
        batch_size: int | None = None,
        validation_fraction: float = 0.2,
        verbose: bool = False,
        random_state: Any = None,  # noqa: ANN401  whatever check_random_state takes
    ) -> None:
        keep(self, locals())

    def _settings(self) -> Settings:
        loss = CategoricalCrossentropy(
            label_smoothing=checks.real_number("label_smoothing", self.label_smoothing, at_least=0, below=1)
        )
        return checked_settings(self, _ACTIVATION, _LEARNING_RATE, "softmax", loss)

    def _targets(self, y: Any, n: int) -> tuple[Array, Array | None]:  # noqa: ANN401
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        y = column_or_1d(y, warn=True)
        check_consistent_length(y, np.empty(n))
        check_labels(y)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_.tolist()[0]!r}, expected at least two classes")
        weight = None if self.class_weight is None else compute_sample_weight(self.class_weight, y)
        return index, weight

    def _learn_targets(self, target: Array, weight: Array | None) -> Array:
        return target

    @property
    def _units(self) -> int:
        return len(self.classes_)

    def predict_proba(self, X: Any) -> Array:  # noqa: ANN401
        """Return the probability of each class, shape (n, n_classes).

        Parameters
        ----------
        X : frame, or array_like of shape (n, n_features_in_)
            Raw rows, with the columns of training. Labels that training had not count as no label.

        Returns
        -------
        ndarray of float32

        Raises
        ------
        ValueError
            If columns are missing, added or in another order, or hold values of another kind.
        """
        return self._output(X)

    def predict(self, X: Any) -> Array:  # noqa: ANN401
        """Return the class of each row, shape (n,).

        Parameters
        ----------
        X : frame, or array_like of shape (n, n_features_in_)
            As for `predict_proba`.

        Returns
        -------
        ndarray

        Raises
        ------
        ValueError
            As `predict_proba` does.
        """
        check_is_fitted(self, "models_")
        return self.classes_[self._output(X).argmax(axis=1)]

    def _learned(self) -> dict[str, Any]:
        classes = self.classes_.tolist()
        if not all(isinstance(each, str | int | float) for each in classes):
            raise TypeError(f"classes_ is {self.classes_!r}, expected texts or numbers, which a file can hold")
        return {"classes": classes}

    def _take_learned(self, learned: dict[str, Any]) -> None:
        classes = learned.get("classes")
        scalar = (str, bool, int, float)
        if (
            learned.keys() != {"classes"}
            or not isinstance(classes, list)
            or len(classes) < 2
            or type(classes[0]) not in scalar
            or any(type(each) is not type(classes[0]) for each in classes)
            or any(a >= b for a, b in itertools.pairwise(classes))
        ):
            raise ValueError(f"learned is {quoted(learned)}, expected two ascending classes or more")
        self.classes_ = np.array(classes)

    def _loss_of(self, model: Sequential, x: Array, target: Array) -> float:
        return model.evaluate(x, target, "cce")["loss"]
