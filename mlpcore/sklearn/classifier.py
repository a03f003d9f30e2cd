"""MLPClassifier: scikit-learn's, trained in C."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from mlpcore import catalogue, targets
from mlpcore.callbacks.callback import AnyCallback
from mlpcore.data import Array
from mlpcore.metrics import Metric
from mlpcore.optimizers import Optimizer
from mlpcore.schedules.schedule import Rate
from mlpcore.sklearn import networks
from mlpcore.sklearn.base import MLP, is_stochastic
from mlpcore.sklearn.networks import Head
from mlpcore.sklearn.parameters import check_labels, keep


def _margins(loss: object) -> bool:
    name = catalogue.label(loss).partition("(")[0]
    return name in catalogue.names("losses") and targets.has_signs(name)


def _has_margins(estimator: "MLPClassifier") -> bool:
    return _margins(estimator.loss)


def _has_probabilities(estimator: "MLPClassifier") -> bool:
    return not _margins(estimator.loss)


class MLPClassifier(ClassifierMixin, MLP):
    """Multi-layer perceptron classifier with the parameters and attributes of scikit-learn's.

    The output is one sigmoid unit with loss "bce" for two classes, a softmax with "cce" for more, and a sigmoid unit
    for each label of multi-label data. The first weights are mlpcore's own, so that numbers differ from scikit-learn's
    as those of another random_state do.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
    activation : {"identity", "logistic", "tanh", "relu"}, any name or object of mlpcore's, or a list, default "relu"
        Of the hidden layers: of each, if it is a list.
    solver : {"adam", "sgd", "lbfgs"} or an optimizer of mlpcore's, default "adam"
        An object such as ``AdamW(0.001)`` trains as in `Sequential.fit`: each fit has a copy of it without a state, and
        the parameters of scikit-learn's solvers have no effect.
    alpha : float, default 0.0001
        L2 penalty: alpha w / n beside the mean gradient of a batch of n samples.
    batch_size : int or "auto", default "auto"
        "auto" is min(200, n).
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        Of solver "sgd". "adaptive" divides the rate by 5 after n_iter_no_change epochs without a smaller loss.
    learning_rate_init : float, schedule or function of the epoch, default 0.001
        A schedule such as ``Cosine(0.001)``, which is as long as max_iter, goes with learning_rate="constant".
    power_t : float, default 0.5
        The exponent of "invscaling".
    max_iter : int, default 200
        Epochs; iterations of "lbfgs".
    shuffle : bool, default True
    random_state : int, RandomState or None, default None
    tol : float, default 1e-4
        Training ends when more than n_iter_no_change epochs one after the other had no loss (with early_stopping: no
        validation score) that was better by tol than the best of all.
    verbose : bool, default False
    warm_start : bool, default False
        Whether `fit` goes on with the weights, and the optimizer's state, that there are.
    momentum : float, default 0.9
    nesterovs_momentum : bool, default True
    early_stopping : bool, default False
        Whether rows are set aside, and the weights that do best on them are the result. `partial_fit` chooses them by
        what they hold, so that a row is on the same side in each call; `predict` uses the weights that do best on the
        last 10,000 of them, and training goes on from the latest.
    validation_fraction : float, default 0.1
    beta_1, beta_2 : float, default 0.9, 0.999
    epsilon : float, default 1e-8
    n_iter_no_change : int, default 10
    max_fun : int, default 15000
        Has no effect: the line search of "lbfgs" evaluates the loss about once an iteration.
    loss : {"log_loss"}, or a name or object of mlpcore's, default "log_loss"
        Of "bce", "focal" and other losses of a yes or no, each class has a sigmoid unit of its own if there are more
        than two; "hinge" and "squared_hinge" have linear outputs, and `decision_function` instead of `predict_proba`;
        ``CategoricalCrossentropy(0.1)`` is softmax with label smoothing.
    class_weight : dict, "balanced" or None, default None
        How much the rows of a class count.
    dropout : float, default 0.0
        The share of units that is dropped behind each hidden layer in training.
    normalization : {"batch_norm", "layer_norm", "rms_norm"} or None, default None
        What stands between the weights and the activation of each hidden layer.
    metrics : iterable, default ()
        What else is measured in each epoch, as in `Sequential.fit`: see `history_`.
    callbacks : iterable of mlpcore.Callback or callables, default ()
        Called as `Sequential.fit` calls them.
    dtype : {"float32", "float64"} or None, default None
        The type that the network computes in. None: float32 where X is float32, and float64 otherwise, as in
        scikit-learn. float32 takes half the time.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    loss_, best_loss_ : float
    loss_curve_, validation_scores_, validation_loss_curve_ : list of float
        One an epoch, of all calls since the weights were new; the scores are accuracies.
    history_ : mlpcore.History
        All that was measured, metrics and learning rates too; losses are mlpcore's, not halved.
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

    _multilabel: bool
    _monitor = "accuracy"
    _shown = 1.0

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",  # noqa: ANN401
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: Rate = 0.001,
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
        loss: Any = "log_loss",  # noqa: ANN401
        class_weight: Mapping[Any, float] | str | None = None,
        dropout: float = 0.0,
        normalization: str | None = None,
        metrics: Iterable[Metric] = (),
        callbacks: Iterable[AnyCallback] = (),
        dtype: str | None = None,
    ) -> None:
        keep(self, locals())

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
        check_labels(y)
        check_classification_targets(y)
        multilabel = type_of_target(y) == "multilabel-indicator"
        found = np.arange(y.shape[1]) if multilabel else np.unique(y)
        known: Array | None = getattr(self, "classes_", None) if hasattr(self, "_model") else None
        if known is not None and partial:
            if classes is not None and not np.array_equal(unique_labels(classes), known):
                raise ValueError(f"classes is {classes}, expected the same as in the first call, {known}")
            if multilabel != self._multilabel or not np.isin(found, known).all():
                raise ValueError(f"y has classes that the first call did not name: {found}, expected some of {known}")
        elif known is not None and self.warm_start:
            if not np.array_equal(found, known):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {known}, `y` has {found}"
                )
        else:
            known = found if classes is None else unique_labels(classes)
            if not np.isin(found, known).all():
                raise ValueError(f"y has classes that are not in classes: {found}, expected some of {known}")
        loss = networks.classifying_loss(self.loss, multilabel=multilabel)
        self.classes_, self._multilabel = known, multilabel
        head = networks.classifying_head(loss, len(known), y.shape[1] if multilabel else None)
        if multilabel:
            answers = np.ascontiguousarray(y.toarray() if hasattr(y, "toarray") else y).astype(np.float64)
        else:
            index = np.searchsorted(known, y)
            if targets.has_classes(head.loss):
                return index.astype(np.float64)
            answers = index.astype(np.float64)[:, np.newaxis] if head.units == 1 else np.eye(len(known))[index]
        return 2 * answers - 1 if targets.has_signs(head.loss) else answers

    def _head(self, target: Array) -> Head:
        loss = networks.classifying_loss(self.loss, multilabel=self._multilabel)
        return networks.classifying_head(loss, len(self.classes_), target.shape[1] if self._multilabel else None)

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else by_class * sample_weight

    def _strata(self, target: Array) -> Array | None:
        if self._multilabel:
            return None
        if target.ndim == 2 and target.shape[1] > 1:
            return target.argmax(axis=1)
        return target if target.ndim == 1 else target > 0

    def predict(self, X: ArrayLike) -> Array:
        """Return the class of each row, or the labels of multi-label data, shape (n, n_labels)."""
        a = self._output(X)
        yes = a > (0 if targets.has_signs(self._loss) else 0.5)
        if self._multilabel:
            return yes.astype(int)
        return self.classes_[yes.ravel().astype(int) if a.shape[1] == 1 else self._of_classes(a).argmax(axis=1)]

    @available_if(_has_probabilities)
    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, or label, shape (n, n_classes).

        Where each class has a sigmoid unit of its own, as with loss "bce" or "focal" and more than two classes, these
        are divided by their sum. Losses of margins, such as "hinge", give none: there is `decision_function` instead.
        """
        a = self._output(X)
        if self._multilabel:
            return a
        if a.shape[1] == 1:
            return self._of_classes(np.hstack([1 - a, a]))
        if self.out_activation_ != "softmax":
            total = a.sum(axis=1, keepdims=True)
            np.divide(a, total, out=a, where=total > 0)
        return self._of_classes(a)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_has_margins)
    def decision_function(self, X: ArrayLike) -> Array:
        """Return how far each row is on a class's side of the margin, shape (n,) for two classes, else (n, n_classes).

        With a loss such as "hinge" only: others give `predict_proba`.
        """
        a = self._output(X)
        return a.ravel() if a.shape[1] == 1 else a

    def _of_classes(self, a: Array) -> Array:
        return a[:, : len(self.classes_)]  # y of one class has two outputs too

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
