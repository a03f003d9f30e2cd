"""Sequential: layers one after the other, trained by back-propagation.

All numbers live in one `mlpcore._core.Net`, which does all arithmetic; this file checks what comes in, keeps count of
epochs and remembers what happened.
"""

from __future__ import annotations  # so that signatures show names, not what ArrayLike stands for

import copy
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Self

from numpy.typing import ArrayLike, DTypeLike, NDArray

from mlpcore import checks, copies, saving
from mlpcore._core import Net
from mlpcore.history import History
from mlpcore.layers import Dense
from mlpcore.losses import has_accuracy
from mlpcore.optimizers import Optimizer, Owner, optimizer_object, optimizer_of
from mlpcore.progress import progress_bar
from mlpcore.storage import StrPath

Callback = Callable[["Sequential", int, dict[str, float]], object]

_EPOCHS_AT_ONCE = 1000


class Sequential:
    """A network whose layers follow one another.

    Parameters
    ----------
    layers : sequence of Dense
        From the first to the last. A layer belongs to one model only.
    input_size : int, optional
        How many numbers a sample has. If it is given neither here nor with the first layer, the first data tell.
    dtype : {"float32", "float64"}, default "float32"
        The type of all numbers of the network.
    seed : int, optional
        From 0 to 2^64 - 1: what the first weights and every shuffle follow from. None draws one, which `seed` shows.

    Attributes
    ----------
    history : History or None
        What the latest `fit` recorded, also if it was interrupted.
    epochs_trained : int
        How many whole epochs of training the model has seen. With the seed it determines the next shuffle, so that
        training n epochs at once or one by one gives the same weights, bit for bit.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it may be; the message names it.

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
        layers: Sequence[Dense],
        *,
        input_size: int | None = None,
        dtype: DTypeLike = "float32",
        seed: int | None = None,
    ) -> None:
        self._layers = _free_layers(layers)
        self._dtype = checks.dtype_name(dtype)
        self._seed = int.from_bytes(os.urandom(4)) if seed is None else checks.seed_number(seed)
        self._net: Net | None = None
        self.history: History | None = None
        self.epochs_trained = 0
        self._owner = Owner(has_model=True)

        self._input_size = _size_told(self._layers, input_size)
        if self._input_size is not None:
            self._adopt(self._new_net(self._input_size))
        for layer in self._layers:
            layer._taken = True

    @property
    def layers(self) -> tuple[Dense, ...]:
        """The layers, from the first to the last."""
        return self._layers

    @property
    def input_size(self) -> int | None:
        """How many numbers a sample has; None as long as it is not known."""
        return self._input_size

    @property
    def dtype(self) -> str:
        """The type of all numbers of the network."""
        return self._dtype

    @property
    def seed(self) -> int:
        """What the first weights and every shuffle follow from."""
        return self._seed

    # ------------------------------------------------------------------------------------------------- one step by hand

    def forward(self, x: ArrayLike) -> NDArray[Any]:
        """Compute z and a of every layer for a batch.

        Parameters
        ----------
        x : array_like of shape (n, in)

        Returns
        -------
        ndarray of shape (n, out)
            a^J, the output of the last layer: a view, as `layers[-1].a` is.

        Raises
        ------
        TypeError, ValueError
            If x is no array of real numbers of this shape.
        """
        x = checks.batch_of("x", x, self._input_size)
        net = self._net_for(x)
        a = net.forward(x)
        self._adopt(net)
        return a

    def backward(self, y: ArrayLike, loss: str | None = None, *, sample_weight: ArrayLike | None = None) -> float:
        """Compute the loss of the batch that `forward` saw last, and phi, grad_w and grad_b of every layer.

        Parameters
        ----------
        y : array_like of shape (n, out) or (n,)
            The ground truth, as in `fit`.
        loss : str
            Its name, which must be given: see `mlpcore.losses`.
        sample_weight : array_like of shape (n,), optional
            How much each sample counts in the mean; >= 0.

        Returns
        -------
        float
            The weighted mean of the samples' losses.

        Raises
        ------
        RuntimeError
            If there was no forward.
        TypeError, ValueError
            If an argument is not what it may be.
        """
        n = len(self._layers[0].x)
        loss = checks.given_loss(loss)
        target = checks.targets_of("y", y, loss, n, self._layers[-1].units, self._dtype)
        weight = None if sample_weight is None else checks.weights_of("sample_weight", sample_weight, n, self._dtype)
        return self._built().backward(target, loss, weight)

    def update(self, optimizer: Optimizer) -> None:
        """Let `optimizer` take one step with the gradients that the last `backward` left.

        Parameters
        ----------
        optimizer : Optimizer
            Keeps its state from step to step, and belongs to this model from the first on.

        Raises
        ------
        RuntimeError
            If there was no backward.
        TypeError, ValueError
            If it is no optimizer, or another model's.
        """
        optimizer = optimizer_object(optimizer)
        net = self._built()
        net.step(optimizer._attach(self, net.params))

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
            "sgd" or "adam", which begin anew with each call, or an object, which goes on where it was.
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
            How much each row counts in the means; >= 0. A row of weight 0 is left out.
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

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it may be: the message names it and, in data, the row.
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
        loss = checks.given_loss(loss)
        optimizer = self._own(optimizer_of(optimizer))
        epochs = checks.whole_number("epochs", epochs, at_least=1)
        batch_size = checks.whole_number("batch_size", batch_size, at_least=1)
        shuffle = checks.flag("shuffle", shuffle)
        callbacks = checks.callables("callbacks", callbacks)
        train = self._samples(X, y, sample_weight, loss)
        validation = None
        if checks.real_number("validation_split", validation_split, at_least=0, below=1) > 0:
            if validation_data is not None:
                raise ValueError("validation_data and validation_split are both given, expected one of them")
            train, validation = train.split(validation_split)
        elif validation_data is not None:
            validation = self._validation(validation_data, train.x.shape[1], loss)
        if class_weight is not None:
            train = checks.weighted_by_class(train, class_weight, loss)
        train = train.counted()

        settings = train, loss, optimizer, batch_size, shuffle
        with progress_bar(epochs, checks.flag("progress", progress)) as advance:
            history = self.history = History()
            if validation is None and not callbacks:  # nobody comes in between: many epochs in one call
                for begin in range(0, epochs, _EPOCHS_AT_ONCE):
                    self._train(*settings, min(_EPOCHS_AT_ONCE, epochs - begin), history._logs, advance)
                return history
            for epoch in range(epochs):
                new: list[dict[str, float]] = []
                self._train(*settings, 1, new)
                logs = new[0]
                if validation is not None:
                    logs |= {f"val_{name}": value for name, value in self._score(validation, loss).items()}
                history.append(logs)
                if advance:
                    advance(logs)
                stops = []
                for callback in callbacks:
                    try:
                        stops.append(checks.is_true(callback(self, epoch, dict(logs))))
                    finally:
                        self.history = history  # the callback may have called fit itself
                if any(stops):
                    break
        return history

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
        """Train for one epoch on some rows, quietly, for data that come piece by piece.

        Parameters
        ----------
        X, y, loss, batch_size, shuffle, sample_weight
            As in `fit`.
        optimizer : Optimizer
            An object, which goes on where the last call ended.

        Returns
        -------
        Sequential
            The model itself.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.
        """
        loss = checks.given_loss(loss)
        optimizer = self._own(optimizer_object(optimizer))
        batch_size = checks.whole_number("batch_size", batch_size, at_least=1)
        shuffle = checks.flag("shuffle", shuffle)
        samples = self._samples(X, y, sample_weight, loss).counted()
        self._train(samples, loss, optimizer, batch_size, shuffle, 1, [])
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
        X = checks.batch_of("X", X, self._input_size)
        net = self._net_for(X)
        a = net.predict(X)
        self._adopt(net)
        return a

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
            "loss", and "accuracy": for several classes the share of rows whose largest output is where the largest y
            is; for "bce" the share of outputs on the same side of 1/2 as y.

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
        return self._score(self._samples(X, y, sample_weight, loss), loss)

    def save(self, file: StrPath | BinaryIO) -> None:
        """Write the model to a safetensors file, whole or not at all. Optimizers are not part of it.

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
        saving.save(self, file, self._built())

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
        model._adopt(saved.net)
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
        rows = [("layer", "activation", "w (out, in)", "parameters")]
        total = 0
        inputs = self._input_size
        for j, layer in enumerate(self._layers, 1):
            count = None if inputs is None else layer.units * (inputs + 1)
            shape = f"({layer.units}, {'?' if inputs is None else inputs})"
            rows.append((f"{j} Dense", layer.activation, shape, "?" if count is None else f"{count:,}"))
            total += count or 0
            inputs = layer.units
        rows.append(("total", self._dtype, "", "?" if self._input_size is None else f"{total:,}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self._layers))
        return f"Sequential([{layers}], input_size={self._input_size}, dtype={self._dtype!r}, seed={self._seed})"

    def __getstate__(self) -> object:
        return copies.attributes_of(self, instead={"_net": self._packed_net()})

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)
        self._owner.has_model = True
        for layer in self._layers:
            layer._taken = True
        packed: Any = self._net
        if packed is not None:
            self._net = packed.net()
            # A layer that refers to this model may still be without its own attributes here: do not ask it for any.
            for j, layer in enumerate(self._layers):
                layer._attach(self._net, j, packed.sizes[j])

    def __copy__(self) -> Self:
        """Return a model with layers and numbers of its own, which shares all other attributes."""
        own = {"_layers": tuple(map(copy.copy, self._layers)), "_net": self._packed_net(), "_owner": Owner()}
        twin = type(self).__new__(type(self))
        twin.__setstate__(copies.attributes_of(self, instead=own))
        return twin

    def _packed_net(self) -> saving.Packed | None:
        return None if self._net is None else saving.Packed.of(self._net, self._layers)

    # ----------------------------------------------------------------------------------------------------------- inside

    def _new_net(self, input_size: int) -> Net:
        """Return a network of this architecture with its first weights."""
        sizes = [input_size, *(layer.units for layer in self._layers)]
        net = Net(sizes, [layer.activation for layer in self._layers], self._dtype)
        for j, layer in enumerate(self._layers):
            net.initialize(j, layer.kernel_initializer, self._seed)
        return net

    def _adopt(self, net: Net) -> None:
        """Be `net` from now on."""
        if net is self._net:
            return
        self._net = net
        inputs = self._input_size = net.weights(0)[0].shape[1]
        for j, layer in enumerate(self._layers):
            layer._attach(net, j, inputs)
            inputs = layer.units

    def _net_for(self, x: NDArray[Any]) -> Net:
        """Return the network, or, before the first data, one that fits these rows."""
        return self._new_net(x.shape[1]) if self._net is None else self._net

    def _built(self) -> Net:
        if self._net is None:
            raise RuntimeError("the model has no weights yet: give input_size=, or let it see data first")
        return self._net

    def _own(self, optimizer: Optimizer) -> Optimizer:
        optimizer._require_free_for(self)
        return optimizer

    def _samples(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        loss: str,
        of: str = "",
        columns: int | None = None,
    ) -> checks.Samples:
        return checks.samples_of(
            X,
            y,
            sample_weight,
            loss=loss,
            columns=columns or self._input_size,
            out=self._layers[-1].units,
            dtype=self._dtype,
            of=of,
        )

    def _validation(self, data: Sequence[ArrayLike], columns: int, loss: str) -> checks.Samples:
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise ValueError("validation_data is expected to be (X, y) or (X, y, sample_weight)")
        sample_weight = data[2] if len(data) == 3 else None
        return self._samples(data[0], data[1], sample_weight, loss, " of validation_data", columns)

    def _train(
        self,
        samples: checks.Samples,
        loss: str,
        optimizer: Optimizer,
        batch_size: int,
        shuffle: bool,
        epochs: int,
        logs: list[dict[str, float]],
        advance: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        """Train for some epochs and append the logs of each, from time to time and before an exception leaves."""
        net = self._net_for(samples.x)
        self._adopt(net)
        recipe = optimizer._attach(self, net.params)
        x, y, weight = samples
        scores: list[tuple[float, float]] = []
        begin, before = self.epochs_trained, len(logs)

        def tell(batches: int = 0) -> None:
            self.epochs_trained = begin + len(scores)
            told = len(logs)
            # At once, so that a second call goes on where an interrupted one ended.
            logs.extend([_logs(loss, *score) for score in scores[told - before :]])
            if advance:
                for new in logs[told:]:
                    advance(new)

        try:
            net.train(x, y, weight, loss, batch_size, shuffle, self._seed, begin, epochs, recipe, scores, tell)
        finally:
            try:
                tell()
            except KeyboardInterrupt:
                tell()
                raise

    def _score(self, samples: checks.Samples, loss: str) -> dict[str, float]:
        net = self._net_for(samples.x)
        self._adopt(net)
        x, y, weight = samples
        return _logs(loss, *net.loss(x, y, loss, weight))


def _free_layers(layers: Sequence[Dense]) -> tuple[Dense, ...]:
    """`layers` as a tuple of layers that no model has yet."""
    if isinstance(layers, Dense) or not isinstance(layers, Iterable):
        raise TypeError(f"layers is {layers!r}, expected a list of layers")
    free = tuple(layers)
    if not free:
        raise ValueError("layers is empty, expected at least one layer")
    seen = set()
    for j, layer in enumerate(free):
        if not isinstance(layer, Dense):
            raise TypeError(f"layers[{j}] is {layer!r}, expected a layer such as mlpcore.Dense(10)")
        if layer._taken or id(layer) in seen:
            raise ValueError(f"layers[{j}], {layer!r}, already belongs to a model: make a new layer")
        seen.add(id(layer))
    return free


def _size_told(layers: tuple[Dense, ...], input_size: int | None) -> int | None:
    """Return the input size that the arguments tell, if any; raise ValueError if they contradict each other."""
    if input_size is None:
        input_size = layers[0].input_size
    else:
        input_size = checks.whole_number("input_size", input_size, at_least=1)
    sizes = [input_size, *(layer.units for layer in layers)]
    for j, layer in enumerate(layers):
        if layer.input_size not in (None, sizes[j]):
            raise ValueError(f"layers[{j}] has input_size={layer.input_size}, expected {sizes[j]}: what it is given")
    return input_size


def _logs(loss: str, value: float, accuracy: float) -> dict[str, float]:
    return {"loss": value, "accuracy": accuracy} if has_accuracy(loss) else {"loss": value}
