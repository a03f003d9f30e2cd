"""Sequential: a stack of layers, trained by backpropagation.

All numbers live in one `mlpcore._core.Net`, which does all arithmetic; this file checks arguments,
counts epochs and records the history.
"""

from __future__ import annotations  # so that signatures show names, not what ArrayLike stands for

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpcore import checks, copies, network, saving, training
from mlpcore._core import Net
from mlpcore.history import History
from mlpcore.layers import Layer
from mlpcore.layers.layer import Bound, Holder
from mlpcore.optimizers import Optimizer, Owner, optimizer_object, optimizer_of
from mlpcore.storage import StrPath
from mlpcore.summary import summary
from mlpcore.training import Callback


class Sequential:
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
        From 0 to 2^64 - 1: what the first weights, every shuffle and every mask of dropout follow from. Without one a
        random seed is taken; the attribute `seed` tells which.

    Attributes
    ----------
    history : History or None
        What the latest `fit` recorded, also if it was interrupted.
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
    free. Reading a pickle can run code: `save` and `load` are for models that others are to read.

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

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        input_size: int | None = None,
        dtype: DTypeLike = "float32",
        seed: int | None = None,
    ) -> None:
        self._layers = network.claim_layers(layers)
        self._dtype = checks.dtype_name(dtype)
        self._seed = int.from_bytes(os.urandom(4)) if seed is None else checks.seed_number(seed)
        self._input_size = self._resolve_input_size(input_size)
        self.history: History | None = None
        self._cursor = np.zeros(2, np.int64)  # epochs trained, batches of the next one: the engine counts here
        self._owner = Owner(has_model=True)
        self._holder = Holder()
        if self._input_size is not None:
            self._holder.bound = self._bound_for(self._input_size)
        self._adopt_layers()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, from the first to the last."""
        return self._layers

    @property
    def input_size(self) -> int | None:
        """The number of features of a sample; None while it is not known."""
        return self._input_size if self._holder.bound is None else self._holder.bound.input_size

    @property
    def dtype(self) -> str:
        """The type of all numbers of the network."""
        return self._dtype

    @property
    def seed(self) -> int:
        """What the first weights, every shuffle and every mask of dropout follow from."""
        return self._seed

    @property
    def epochs_trained(self) -> int:
        """How many whole epochs of training the weights have seen; the next shuffle follows from it."""
        return int(self._cursor[0])

    @epochs_trained.setter
    def epochs_trained(self, value: int) -> None:
        self._cursor[:] = checks.whole_number("epochs_trained", value, at_least=0, at_most=training.LAST_EPOCH + 1), 0

    # ------------------------------------------------------------------------------------------------- one step by hand

    def forward(self, x: ArrayLike, *, training: bool = False) -> NDArray[Any]:
        """Compute z and a of every layer for a batch.

        Parameters
        ----------
        x : array_like of shape (n, in)
        training : bool, default False
            Whether layers act as in training: dropout drops. Its mask is the one that `fit` would use for this batch,
            where every `update` counts as a batch of the epoch that is under way.

        Returns
        -------
        ndarray of shape (n, out)
            a^J, the output of the last layer: a new array. `layers[-1].a` is a view of the engine's.

        Raises
        ------
        TypeError, ValueError
            If x is no array of real numbers of this shape.
        """
        x = checks.batch_of("x", x, self.input_size)
        training = checks.flag("training", training)
        bound = self._bound_for(x.shape[1])
        self._bind_net(bound)
        return bound.net.forward(x, training, self._seed, int(self._cursor[0]), int(self._cursor[1]))

    def backward(self, y: ArrayLike, loss: str | None = None, *, sample_weight: ArrayLike | None = None) -> float:
        """Compute the loss of the last `forward`'s batch, and phi, grad_w and grad_b of every layer.

        Parameters
        ----------
        y : array_like of shape (n, out) or (n,)
            The ground truth, as in `fit`.
        loss : str
            Its name, which must be given: see `mlpcore.losses`.
        sample_weight : array_like of shape (n,), optional
            The weight of each sample in the mean; >= 0.

        Returns
        -------
        float
            The weighted mean of the samples' losses.

        Raises
        ------
        RuntimeError
            If there was no forward.
        TypeError, ValueError
            If an argument is of the wrong type or out of range.
        """
        net = self._built()
        n, inputs = net.value(0).shape
        loss = checks.given_loss(loss)
        target = checks.targets_of("y", y, loss, n, self._output_size(inputs), self._dtype)
        weight = None if sample_weight is None else checks.weights_of("sample_weight", sample_weight, n, self._dtype)
        return net.backward(target, loss, weight)

    def update(self, optimizer: Optimizer) -> None:
        """Take one step of `optimizer` with the gradients of the last `backward`.

        Parameters
        ----------
        optimizer : Optimizer
            Keeps its state from step to step; from its first step on it can be used with this model only.

        Raises
        ------
        RuntimeError
            If there was no backward since the last forward.
        TypeError, ValueError
            If it is no optimizer, or another model's.
        """
        optimizer = optimizer_object(optimizer)
        net = self._built()
        optimizer._check_for(self)
        training.run_update(self, net, optimizer)

    # --------------------------------------------------------------------------------------------------------- training

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        loss: str | None = None,
        *,
        optimizer: str | Optimizer = "adam",
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        validation_data: Sequence[ArrayLike] | None = None,
        validation_split: float = 0.0,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        callbacks: Iterable[Callback] = (),
        progress: bool = True,
    ) -> History:
        """Train for some epochs: passes over the data, batch by batch.

        A call that is refused leaves the model as it was. Ctrl-C ends the training after a whole batch: the model
        stays usable, and `history` holds the epochs that had ended by then.

        Parameters
        ----------
        X : array_like of shape (n, in)
            One sample a row. A frame of pandas or Polars will do, if all its columns are numbers without gaps.
        y : array_like of shape (n, out) or (n,)
            The ground truth. (n,) stands for (n, 1), except for loss "cce", where it holds class indices:
            ``classes, y = np.unique(labels, return_inverse=True)`` makes them of labels.
        loss : str
            Its name, which must be given: see `mlpcore.losses`.
        optimizer : str or Optimizer, default "adam"
            "sgd" or "adam" for a new optimizer in each call, or an object, which keeps its state between calls.
        epochs : int, default 1
        batch_size : int, default 32
            The last batch of an epoch takes what remains.
        shuffle : bool, default True
            Take the rows in a new order in each epoch.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Measured after each epoch.
        validation_split : float, default 0.0
            The part of the data, its last rows, that is not trained on but measured after each epoch: of n rows
            n * validation_split, rounded up. Both parts need a row.
        sample_weight : array_like of shape (n,), optional
            How much each row counts, relative to the mean weight of all rows that are trained on; >= 0. A row of weight
            0 is left out. A row's gradient is multiplied by it: see ``docs/decisions/sample-weights.md``.
        class_weight : dict of int to float, optional
            How much the rows of a class count, 1 for a class not named; multiplied with sample_weight. A row's class
            is its index, or the place of its largest y. Rows to validate with are not weighed by it.
        callbacks : iterable of callables, optional
            `callback(model, epoch, logs)` is called after each epoch, counted from 0, with its losses and accuracies;
            training ends after an epoch in which one returns True. Whatever else it returns is ignored; an error that
            it raises ends the call. It may fit the model itself: `history` stays that of the outer call.
        progress : bool, default True
            Show a progress bar.

        Returns
        -------
        History
            The losses of all epochs and, for "bce" and "cce", their accuracies; its `rules` name what counted as right,
            as `evaluate` describes it.

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
        epochs = training.check_epochs(self, epochs)
        callbacks = checks.callables("callbacks", callbacks)
        progress = checks.flag("progress", progress)
        task = training.task_of(
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
        )
        return training.run(self, task, epochs, callbacks, progress)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        loss: str | None = None,
        *,
        optimizer: Optimizer,
        batch_size: int = 32,
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
        training.check_epochs(self, 1)
        task = training.task_of(self, X, y, loss, optimizer, batch_size, shuffle, sample_weight, relative=False)
        if len(task.train.x):
            training.run_once(self, task)
        return self

    # ------------------------------------------------------------------------------------------------------------ using

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Compute a^J of any number of rows, leaving the layers' x, z, a and phi as they are.

        Parameters
        ----------
        X : array_like of shape (n, in)

        Returns
        -------
        ndarray of shape (n, out)
            A new array.

        Raises
        ------
        TypeError, ValueError
            If X is no array of real numbers of this shape.
        """
        bound = self._holder.bound
        if bound is not None and type(X) is np.ndarray:  # most calls: the engine checks all that matters
            try:
                return bound.net.predict(X)
            except (TypeError, ValueError):  # named better below
                pass
        X = checks.batch_of("X", X, self.input_size)
        bound = self._bound_for(X.shape[1])
        self._bind_net(bound)
        return bound.net.predict(X)

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, loss: str | None = None, *, sample_weight: ArrayLike | None = None
    ) -> dict[str, float]:
        """Measure the loss, and for "bce" and "cce" the accuracy, of all rows as one batch.

        Parameters
        ----------
        X, y, loss, sample_weight
            As in `fit`.

        Returns
        -------
        dict
            "loss" and, for "bce" and "cce", "accuracy", both weighted means. The accuracy counts by one of two rules,
            whose names are in `History.rules`. "categorical_accuracy", for "cce" and for "bce" where every row of y is
            one-hot: the share of rows whose largest output is where the largest y is; a row of zeros has no class and
            is never right. "binary_accuracy", for "bce" otherwise and wherever there is one output: the share of
            outputs on the same side of 1/2 as y. Outputs that are nan are never right.

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
        samples = training.samples_of(self, X, y, sample_weight, loss)
        self._bind_net(self._bound_for(samples.x.shape[1]))
        return training.score(self, samples, loss)

    def save(self, file: StrPath | BinaryIO) -> None:
        """Write the model to a safetensors file, atomically. Optimizers are not saved.

        An existing file is replaced and keeps its mode, owner and group. One that cannot be replaced is written in
        place, and is incomplete if that fails: a device, a file with several hard links or of another owner, and a file
        in a folder that is not writable.

        Parameters
        ----------
        file : str, path-like or binary file object
            What is written to an object begins where it is and is not synced to the disk; it is left open.

        Raises
        ------
        RuntimeError
            If the model has no weights yet.
        TypeError
            If file is neither a path nor a binary file object.
        OSError
            If the file cannot be written.
        MemoryError
            If there is no memory for a copy of the parameters.
        """
        saving.save(self, file)

    @classmethod
    def load(cls, file: StrPath | BinaryIO) -> Self:
        """Read a model that `save` wrote. Nothing in a file is ever executed.

        A subclass is made without calling its `__init__`.

        Parameters
        ----------
        file : str, path-like or binary file object
            An object is read from where it is to the end of the model.

        Returns
        -------
        Sequential
            With the weights, seed and count of epochs of the one saved.

        Raises
        ------
        OSError
            If there is no such file or it cannot be read.
        TypeError
            If file is neither a path nor a binary file object.
        ValueError
            If it holds no model, is damaged, or was written by a newer mlpcore.
        MemoryError
            If there is no memory for the model.

        Warns
        -----
        UserWarning
            If weights are not finite.
        """
        saved = saving.load(file)
        model = cls.__new__(cls)
        Sequential.__init__(model, saved.layers, dtype=saved.dtype, seed=saved.seed)
        model.epochs_trained = saved.epochs_trained
        model._bind_net(saved.bound)
        return model

    def summary(self) -> str:
        """Return the layers as a table of text: activation, shape of w, number of parameters.

        Examples
        --------
        >>> import mlpcore
        >>> layers = [mlpcore.Dense(32, "relu"), mlpcore.Dense(10, "softmax")]
        >>> print(mlpcore.Sequential(layers, input_size=64).summary())
        layer    activation  w (out, in)  parameters
        --------------------------------------------
        1 Dense  relu        (32, 64)          2,080
        2 Dense  softmax     (10, 32)            330
        --------------------------------------------
        total    float32                       2,410
        """
        return summary(self)

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self._layers))
        return f"Sequential([{layers}], input_size={self.input_size}, dtype={self._dtype!r}, seed={self._seed})"

    def __getstate__(self) -> object:
        return copies.attributes_of(self, instead={"_holder": self._packed(), "_cursor": self._cursor.copy()})

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)
        self._owner.has_model = True
        packed: Any = self._holder
        # A layer that refers to this model may still be without its own attributes here: it is not asked for any.
        self._holder = Holder(None if packed is None else packed.bound())
        self._adopt_layers()

    def __copy__(self) -> Self:
        """Return a model with layers and numbers of its own, which shares all other attributes."""
        bound, layers = self._holder.bound, copy.deepcopy(self._layers)
        holder = None if bound is None else saving.Packed.of(bound, layers)
        own = {"_layers": layers, "_holder": holder, "_owner": Owner(), "_cursor": self._cursor.copy()}
        twin = type(self).__new__(type(self))
        twin.__setstate__(copies.attributes_of(self, instead=own))
        return twin

    def _packed(self) -> saving.Packed | None:
        return None if self._holder.bound is None else saving.Packed.of(self._holder.bound, self._layers)

    # ----------------------------------------------------------------------------------------------------------- inside

    def _resolve_input_size(self, input_size: int | None) -> int | None:
        """Return the input size that the arguments give, if any; raise ValueError if they contradict each other."""
        if input_size is None:
            input_size = self._layers[0].input_size
        else:
            input_size = checks.whole_number("input_size", input_size, at_least=1)
        if input_size is None:
            network.check_widths(self._layers)
        else:
            network.output_size(self._layers, input_size)
        return input_size

    def _adopt_layers(self) -> None:
        for _, layer in network.all_layers(self._layers):
            layer._holder, layer._has_model = self._holder, True

    def _bound_for(self, columns: int) -> Bound:
        """Return the network, or, before the first data, one with first weights for rows of so many columns."""
        if self._holder.bound is not None:
            return self._holder.bound
        bound = network.make(self._layers, columns, self._dtype)
        network.initialize(bound, self._seed)
        return bound

    def _bind_net(self, bound: Bound) -> None:
        """Be built from now on: one assignment, which nothing can interrupt half-way."""
        self._holder.bound = bound

    def _built(self) -> Net:
        if self._holder.bound is None:
            raise RuntimeError("the model has no weights yet: give input_size=, or let it see data first")
        return self._holder.bound.net

    def _output_size(self, input_size: int) -> int:
        """Return how many outputs the model has for so many inputs."""
        return network.output_size(self._layers, input_size)
