"""MLPClassifier: scikit-learn's, trained in C."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from mlpcore.callbacks import Callback
from mlpcore.sklearn.base import MLP, Array, is_stochastic


class MLPClassifier(ClassifierMixin, MLP):
    """Multi-layer perceptron classifier with the parameters and attributes of scikit-learn's.

    The output is one sigmoid unit with loss "bce" for two classes, a softmax with "cce" for more, and a sigmoid unit
    for each label of multi-label data. Training computes in float32 where X is float32 and in float64 otherwise, with
    mlpcore's own first weights, so that numbers differ from scikit-learn's as those of another random_state do.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
    activation : {"identity", "logistic", "tanh", "relu"}, any name or object of mlpcore's, or a list, default "relu"
        Of the hidden layers: of each, if it is a list.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
    alpha : float, default 0.0001
        L2 penalty: alpha w / n beside the mean gradient of a batch of n samples.
    batch_size : int or "auto", default "auto"
        "auto" is min(200, n).
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        Of solver "sgd". "adaptive" divides the rate by 5 after n_iter_no_change epochs without a smaller loss.
    learning_rate_init : float, default 0.001
    power_t : float, default 0.5
        The exponent of "invscaling".
    max_iter : int, default 200
        Epochs; iterations of "lbfgs".
    shuffle : bool, default True
    random_state : int, RandomState or None, default None
    tol : float, default 1e-4
        Training ends when the loss (with early_stopping: the validation score) has not become better by it for
        n_iter_no_change epochs.
    verbose : bool, default False
    warm_start : bool, default False
        Whether `fit` goes on with the weights, and the optimizer's state, that there are.
    momentum : float, default 0.9
    nesterovs_momentum : bool, default True
    early_stopping : bool, default False
        Whether validation_fraction of the rows is set aside, and its best weights are the result.
    validation_fraction : float, default 0.1
    beta_1, beta_2 : float, default 0.9, 0.999
    epsilon : float, default 1e-8
    n_iter_no_change : int, default 10
    max_fun : int, default 15000
        Has no effect: the line search of "lbfgs" evaluates the loss about once an iteration.
    class_weight : dict, "balanced" or None, default None
        How much the rows of a class count.
    dropout : float, default 0.0
        The share of units that is dropped behind each hidden layer in training.
    callbacks : iterable of mlpcore.Callback or callables, default ()
        Called as `Sequential.fit` calls them.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    loss_, best_loss_ : float
    loss_curve_, validation_scores_, validation_loss_curve_ : list of float
        One an epoch; the scores are accuracies.
    best_validation_score_ : float
    coefs_, intercepts_ : lists of ndarray
        Views of the weights.
    n_iter_, t_, n_layers_, n_outputs_, n_features_in_ : int
    feature_names_in_ : ndarray
    out_activation_ : str
    model_ : mlpcore.Sequential
        The trained model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from mlpcore.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> MLPClassifier(random_state=1, max_iter=1000).fit(X, y).score(X, y) > 0.95
    True
    """

    _monitor = "accuracy"
    _shown = 1.0

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",  # noqa: ANN401
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,  # noqa: ANN401
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        class_weight: Mapping[Any, float] | str | None = None,
        dropout: float = 0.0,
        callbacks: Iterable[Callback] = (),
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver,
            alpha,
            batch_size,
            learning_rate,
            learning_rate_init,
            power_t,
            max_iter,
            shuffle,
            random_state,
            tol,
            verbose,
            warm_start,
            momentum,
            nesterovs_momentum,
            early_stopping,
            validation_fraction,
            beta_1,
            beta_2,
            epsilon,
            n_iter_no_change,
            max_fun,
            dropout,
            callbacks,
        )
        self.class_weight = class_weight

    @available_if(is_stochastic)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on some rows, keeping weights and the optimizer's state.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array_like, optional
            All classes that any call will bring; needed in the first call unless y has them all.

        Returns
        -------
        The estimator itself.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def _targets(self, y: Array, *, partial: bool, classes: ArrayLike | None = None) -> Array:
        check_classification_targets(y)
        self._multilabel = type_of_target(y) == "multilabel-indicator"
        found = np.arange(y.shape[1]) if self._multilabel else np.unique(y)
        known: Array | None = getattr(self, "classes_", None) if hasattr(self, "_model") else None
        if known is not None and partial:
            if classes is not None and not np.array_equal(unique_labels(classes), known):
                raise ValueError(f"classes is {classes}, expected the same as in the first call, {known}")
            if not np.isin(found, known).all():
                raise ValueError(f"y has classes that the first call did not name: {found}, expected some of {known}")
        elif known is not None and self.warm_start:
            if not np.array_equal(found, known):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {known}, `y` has {found}"
                )
        else:
            self.classes_ = found if classes is None else unique_labels(classes)
            if not np.isin(found, self.classes_).all():
                raise ValueError(f"y has classes that are not in classes: {found}, expected some of {self.classes_}")
        if self._multilabel:
            return np.ascontiguousarray(y.toarray() if hasattr(y, "toarray") else y).astype(np.float64)
        index = np.searchsorted(self.classes_, y)
        return index.astype(np.float64)[:, np.newaxis] if len(self.classes_) <= 2 else index

    def _head(self, y: Array) -> tuple[int, str, str, float]:
        if y.ndim == 2:
            return y.shape[1], "sigmoid", "bce", 1.0
        return len(self.classes_), "softmax", "cce", 1.0

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else by_class * sample_weight

    def _strata(self, target: Array) -> Array | None:
        if self._multilabel:
            return None
        return target if target.ndim == 1 else target.astype(bool)

    def predict(self, X: ArrayLike) -> Array:
        """Return the class of each row, or the labels of multi-label data, shape (n, n_labels)."""
        a = self._output(X)
        if self._multilabel:
            return (a > 0.5).astype(int)
        return self.classes_[(a.ravel() > 0.5).astype(int) if a.shape[1] == 1 else a.argmax(axis=1)]

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, or label, shape (n, n_classes)."""
        a = self._output(X)
        if a.shape[1] == 1 and not self._multilabel:
            return np.hstack([1 - a, a])[:, : len(self.classes_)]
        return a

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
