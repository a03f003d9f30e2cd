"""Sequential: a stack of layers, trained by backpropagation.

All numbers live in one `mlpcore._core.Net`, which does all arithmetic; this file checks arguments. stack.py makes,
saves and copies models, by_hand.py takes and shows one step, training.py trains them.
"""

from __future__ import annotations  # so that signatures show names, not what ArrayLike stands for

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import checks, targets, training
from mlpcore.by_hand import ByHand
from mlpcore.callbacks.callback import AnyCallback, as_callbacks
from mlpcore.engine import Choice
from mlpcore.epochs import score
from mlpcore.history import History
from mlpcore.metrics import Metric, metrics_of
from mlpcore.optimizers import BATCH_SIZE, Optimizer, optimizer_object, optimizer_of
from mlpcore.samples import answers_of, columns_of, measured_of, parts_of
from mlpcore.streams.batches import Data, Validation
from mlpcore.task import check_epochs, task_of
from mlpcore.training import check_resume


class Sequential(ByHand):
    """A network whose layers follow one another.

    Parameters
    ----------
    layers : sequence of layers
        From the first to the last. A layer belongs to one model only.
    input_size : int, optional
        Number of features of a sample. If neither this nor the first layer's is given, the first data determine it.
    dtype : {"float32", "float64"}, default "float32"
        The type of all numbers of the network.
    seed : int, optional
        From 0 to 2^64 - 1: what the first weights, every shuffle, mask and noise follow from. Without one a
        random seed is taken; the attribute `seed` tells which.

    Attributes
    ----------
    history : History or None
        What the latest `fit` recorded, also if it was interrupted.
    feature_names_in_ : list of str or None
        The names of the columns of the frame that the model was trained on; None: it was no frame.
    epochs_trained : int
        The number of completed epochs. Together with the seed it determines the next shuffle, so that
        training n epochs at once or one by one gives the same weights, bit for bit.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range; the message names it.

    Notes
    -----
    Copies and pickles keep all but the last batch: the weights, and every attribute that you have set. An optimizer
    that is copied or pickled together with its model goes on with it; one without its model keeps its state and is
    free. A pickle of both that another thread takes between two trainings may hold the optimizer of a later step: stop
    training first. Reading a pickle can run code: `save` and `load` are for models that others are to read.

    Examples
    --------
    >>> import numpy as np
    >>> import mlpcore
    >>> x = np.linspace(-1, 1, 64).reshape(64, 1)
    >>> model = mlpcore.Sequential([mlpcore.Dense(16, "tanh"), mlpcore.Dense(1)], seed=7)
    >>> history = model.fit(x, x**2, loss="mse", optimizer=mlpcore.Adam(0.02), epochs=100, progress=False)
    >>> history["loss"][-1] < 0.01
    True
    >>> model.predict([[0.5]]).shape
    (1, 1)

    One step by hand shows everything that happens in it:

    >>> a = model.forward(x)
    >>> loss = model.backward(x**2, loss="mse")
    >>> model.layers[0].phi.shape, model.layers[0].grad_w.shape
    ((64, 16), (16, 1))
    >>> model.update(mlpcore.SGD(0.1))
    """

    # --------------------------------------------------------------------------------------------------------- training

    def fit(
        self,
        X: Data,
        y: ArrayLike | None = None,
        loss: Choice | None = None,
        *,
        optimizer: str | Optimizer = "adam",
        epochs: int = 1,
        batch_size: int = BATCH_SIZE,
        shuffle: bool = True,
        validation_data: Validation | None = None,
        validation_split: float = 0.0,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        metrics: Iterable[Metric] = (),
        callbacks: Iterable[AnyCallback] = (),
        progress: bool = True,
        resume: str | None = None,
    ) -> History:
        """Train for some epochs: passes over the data, batch by batch.

        A call that is refused leaves the model as it was. Ctrl-C ends the training after a whole batch: the model
        stays usable, and `history` holds the epochs that had ended by then. `stop` ends it in order.

        Parameters
        ----------
        X : array_like of shape (n, in), or an iterable of batches
            One sample a row. A frame of pandas or Polars will do, if all its columns are numbers without gaps; its
            columns' names are kept in `feature_names_in_`, and every frame that comes later must have the same. Of
            sparse matrices and mapped files (`numpy.memmap`) a part at a time is in memory. An iterable of (X, y) or
            (X, y, sample_weight), or a function that returns one, stands for X and y together, and each batch is a
            step; `Parquet` stands for both too: see ``docs/data.md``.
        y : array_like of shape (n, out) or (n,)
            The ground truth; not with an iterable of batches. (n,) stands for (n, 1), except for loss "cce", where it
            holds class indices, which stay one number a row: ``classes, y = np.unique(labels, return_inverse=True)``
            makes them of labels. For loss "gaussian_nll" y is (n, out / 2): see `GaussianNLL`.
        loss : str or object
            Must be given: a name of ``mlpcore.catalogue.names("losses")``, an object with constants of its own, or a
            `CustomLoss`, written in Python.
        optimizer : str or Optimizer, default "adam"
            A name of ``mlpcore.catalogue.names("optimizers")`` for a new optimizer in each call, or an object, which
            keeps its state between calls.
        epochs : int, default 1
        batch_size : int, default 32
            The last batch of an epoch takes what remains. `LBFGS` takes all samples as one batch.
        shuffle : bool, default True
            Take the rows in a new order in each epoch; those of a mapped file block by block, the blocks and the rows
            of each in a new order. Batches of an iterable are taken as they come.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Measured after each epoch. A function that returns an iterable of such batches can stand here too.
        validation_split : float, default 0.0
            The part of the data, its last rows, that is not trained on but measured after each epoch: of n rows
            n * validation_split, rounded up. Both parts need a row.
        sample_weight : array_like of shape (n,), optional
            How much each row counts, relative to the mean weight of all rows that are trained on; >= 0. A row of weight
            0 is left out. A row's gradient is multiplied by it: see ``docs/decisions/sample-weights.md``.
        class_weight : dict of int to float, optional
            How much the rows of a class count, 1 for a class not named; multiplied with sample_weight. A row's class
            is its index, or the place of its largest y. Rows to validate with are not weighed by it.
        metrics : iterable of str, objects and callables, optional
            What else is measured in each epoch, as the loss is: before each batch's update, weighted; and after it, for
            rows to validate with. Names of ``mlpcore.catalogue.names("metrics")``, `TopKAccuracy(k)`, and functions of
            (y, y_hat), both (n, out), whose name is that of the record and which know nothing of weights: see
            ``docs/metrics.md``.
        callbacks : iterable of Callback and callables, optional
            Called as the training goes on: see `Callback`. `callback(model, epoch, logs)` is called after each epoch,
            counted from 0, with what `History` records of it; training ends after an epoch in which one returns True.
            Whatever else it returns is ignored; an error ends the call. It may fit the model itself.
        progress : bool, default True
            Show a progress bar.
        resume : {"auto"}, optional
            Go on from the file of the `Checkpoint` in `callbacks`, if there is one: `epochs` counts those that it has
            behind it, and what comes out has the bits of a training that was never interrupted.

        Returns
        -------
        History
            The losses of all epochs, their accuracies, where `evaluate` has one, and the metrics; its `rules` name what
            counted as right, as `evaluate` describes it.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of range: the message names it and, in data, the row.
        KeyboardInterrupt
            On Ctrl-C.

        Examples
        --------
        >>> import mlpcore
        >>> model = mlpcore.Sequential([mlpcore.Dense(2, "softmax")], seed=1)
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        >>> history = model.fit(X, y, loss="cce", optimizer="sgd", epochs=3, progress=False)
        >>> list(history), history.epoch
        (['loss', 'accuracy'], [0, 1, 2])
        """
        optimizer = optimizer_of(optimizer)
        epochs = check_epochs(self, epochs)
        callbacks = as_callbacks(callbacks)
        resume = check_resume(resume, callbacks)
        progress = checks.flag("progress", progress)
        task = task_of(
            self,
            X,
            y,
            loss,
            optimizer,
            batch_size,
            shuffle,
            sample_weight,
            validation_data=validation_data,
            validation_split=validation_split,
            class_weight=class_weight,
            metrics=metrics,
            epochs=epochs,
        )
        return training.run(self, task, epochs, callbacks, progress, resume is not None)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        loss: Choice | None = None,
        *,
        optimizer: Optimizer,
        batch_size: int = BATCH_SIZE,
        shuffle: bool = True,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on some rows without a progress bar, for data that arrive in pieces.

        Parameters
        ----------
        X, y, loss, batch_size, shuffle
            As in `fit`.
        sample_weight : array_like of shape (n,), optional
            How much each row counts, 1 being the usual: the rows to come are not known, so weights are not relative to
            their mean as in `fit`. Rows of weight 0 are left out, be it all of them.
        optimizer : Optimizer
            An object, which keeps its state from the last call.

        Returns
        -------
        Sequential
            The model itself.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.
        """
        optimizer = optimizer_object(optimizer)
        check_epochs(self, 1)
        if y is None:
            raise TypeError("y is None, expected the ground truth of the rows of X: batches go to fit")
        task = task_of(self, X, y, loss, optimizer, batch_size, shuffle, sample_weight, relative=False)
        if task.rows:
            training.run_once(self, task)
        return self

    # ------------------------------------------------------------------------------------------------------------ using

    def predict(self, X: Data) -> NDArray[Any]:
        """Compute a^J of any number of rows, leaving the layers' x, z, a and phi as they are.

        Parameters
        ----------
        X : array_like of shape (n, in), or an iterable of batches
            As in `fit`. A batch may be X alone, or a tuple that begins with it.

        Returns
        -------
        ndarray of shape (n, out)
            A new array.

        Raises
        ------
        TypeError, ValueError
            If X is no array of real numbers of this shape, or a frame with other columns than those trained on.
        """
        parts = None if type(X) is np.ndarray else parts_of(X, self._dtype, self._feature_names)
        if parts is not None:
            return np.concatenate([self.predict(part) for part in parts])
        self._check_columns("X", X)
        bound = self._holder.bound
        if bound is not None:  # most calls: the engine checks all that matters
            try:
                a = bound.net.predict(cast(ArrayLike, X))
                if len(a):
                    return a
            except (TypeError, ValueError):  # named better below
                pass
        x = checks.batch_of("X", cast(ArrayLike, X), self.input_size)
        bound = self._bound_for(x.shape[1])
        self._check_input("X", x)
        a = bound.net.predict(x)
        self._holder.bind(bound)
        return a

    def evaluate(
        self,
        X: Data,
        y: ArrayLike | None = None,
        loss: Choice | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        metrics: Iterable[Metric] = (),
    ) -> dict[str, float]:
        """Measure the loss, the accuracy where there is one, and metrics, of all rows as one batch.

        Parameters
        ----------
        X, y, loss, sample_weight, metrics
            As in `fit`.

        Returns
        -------
        dict
            "loss" and, for "bce", "focal", "cce" and the hinge losses, "accuracy", both weighted means, and the
            metrics. The accuracy counts by one of three rules, whose names are in `History.rules`.
            "categorical_accuracy", for "cce" and wherever every row of y is one-hot: the share of rows whose largest
            output is where the largest y is; a row of zeros has no class and is never right. "binary_accuracy"
            otherwise and wherever there is one output: the share of outputs on the same side of 1/2 as y;
            "sign_accuracy" for the hinge losses: of 0. Outputs that are nan are never right.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.

        Examples
        --------
        >>> import mlpcore
        >>> model = mlpcore.Sequential([mlpcore.Dense(1, "sigmoid", kernel_initializer="zeros")], input_size=2)
        >>> model.evaluate([[1, 2], [3, 4]], [0, 0], loss="bce")["loss"]  # log 2
        0.6931471824645996
        """
        loss = checks.given_loss(loss)
        samples = measured_of(self, X, y, sample_weight, loss)
        answers = functools.cache(lambda: answers_of(samples, loss))
        rule = targets.rule_of(answers(), targets.has_signs(loss)) if targets.has_answers(loss) else None
        columns = columns_of(samples)
        measured = metrics_of(metrics, loss, self._output_size(columns), answers, has_accuracy=rule is not None)
        if not isinstance(samples, checks.Samples):
            measured.check_for_source()
        bound = self._bound_for(columns)
        logs = score(bound.net, samples, loss, rule, measured)
        self._holder.bind(bound)
        return logs
