"""Stack: layers one after the other and the network that computes them, built, kept in files, pickled and copied."""

from __future__ import annotations  # so that signatures show names, not what ArrayLike stands for

import copy
import os
import weakref
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mlpcore import checks, columns, copies, network, saving
from mlpcore._core import Net
from mlpcore.history import History
from mlpcore.layers import Layer
from mlpcore.layers.layer import Bound, Holder
from mlpcore.lazy import no_fork
from mlpcore.optimizers import Owner
from mlpcore.storage import StrPath
from mlpcore.summary import Summary, summary
from mlpcore.task import MOST_EPOCHS

_T = TypeVar("_T")


class Stack:
    """What `Sequential` is before it learns: see there for the arguments."""

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        input_size: int | None = None,
        dtype: DTypeLike = "float32",
        seed: int | None = None,
    ) -> None:
        self._layers = network.claim_layers(layers, of_model=True)
        self._dtype = checks.dtype_name(dtype)
        self._seed = int.from_bytes(os.urandom(4)) if seed is None else checks.seed_number(seed)
        self._input_size = self._resolve_input_size(input_size)
        self.history: History | None = None
        self._cursor = np.zeros(2, np.int64)  # epochs trained, batches of the next one: the engine counts here
        self._feature_names: tuple[str, ...] | None = None
        self._holder = Holder()
        self._owner = Owner(weakref.ref(self._holder))
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
    def feature_names_in_(self) -> list[str] | None:
        """The names of the columns of the frame that the model was trained on; None: it was no frame.

        A frame that the model is given later must have these columns in this order; an array will do too.
        """
        return None if self._feature_names is None else list(self._feature_names)

    @property
    def dtype(self) -> str:
        """The type of all numbers of the network."""
        return self._dtype

    @property
    def seed(self) -> int:
        """What the first weights, every shuffle, mask and noise follow from."""
        return self._seed

    @property
    def epochs_trained(self) -> int:
        """How many whole epochs of training the weights have seen; the next shuffle follows from it."""
        return int(self._cursor[0])

    @epochs_trained.setter
    def epochs_trained(self, value: int) -> None:
        self._cursor[:] = checks.whole_number("epochs_trained", value, at_least=0, at_most=MOST_EPOCHS), 0

    def save(self, file: StrPath | BinaryIO) -> None:
        """Write the model to a safetensors file, atomically. Optimizers are not saved.

        An existing file is replaced and keeps its mode, owner and group. One that cannot be replaced is written in
        place: a device, a file with several hard links or of another owner, and a file in a folder that is not
        writable. If that fails it is incomplete, except that a full disk leaves it as it was, on filesystems that can
        set room aside.

        Parameters
        ----------
        file : str, path-like or binary file object
            What is written to an object begins where it is and is not synced to the disk; it is left open.

        Raises
        ------
        RuntimeError
            If the model has no weights yet, or another thread is training it.
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
            With the weights, seed, count of epochs and names of columns of the one saved.

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
        return cls._of(saving.load(file))

    @classmethod
    def _of(cls, saved: saving.Saved) -> Self:
        """Return the model that a file held."""
        model = cls.__new__(cls)
        Stack.__init__(model, saved.layers, dtype=saved.dtype, seed=saved.seed)
        model.epochs_trained = saved.epochs_trained
        model._feature_names = saved.feature_names
        model._holder.bound = saved.bound
        return model

    def summary(self) -> Summary:
        """Return the layers as a table: activation, shape of w, number of parameters.

        Returns
        -------
        str
            The table as text, to print. As the last line of a notebook's cell it shows itself as HTML, in a terminal
            as text.

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
        layers = ", ".join(layer._expression() for layer in self._layers)
        return f"Sequential([{layers}], input_size={self.input_size}, dtype={self._dtype!r}, seed={self._seed})"

    def _repr_html_(self) -> str:
        with no_fork:
            from mlpcore import reprs
        return reprs.model(self)

    def __getstate__(self) -> object:
        return self._read(
            lambda bound: copies.attributes_of(
                self,
                instead={
                    "_holder": None if bound is None else saving.Packed.of(bound, self._layers),
                    "_cursor": self._cursor.copy(),
                    "history": copy.copy(self.history),
                },
            )
        )

    def __setstate__(self, state: object) -> None:
        copies.set_attributes(self, state)
        packed: Any = self._holder
        # A layer that refers to this model may still be without its own attributes here: it is not asked for any.
        self._holder = Holder(None if packed is None else packed.bound())
        self._owner.holder = weakref.ref(self._holder)
        self._adopt_layers()

    def __copy__(self) -> Self:
        """Return a model with layers and numbers of its own, which shares all other attributes."""
        layers = copy.deepcopy(self._layers)
        state = self._read(
            lambda bound: copies.attributes_of(
                self,
                instead={
                    "_layers": layers,
                    "_holder": None if bound is None else saving.Packed.of(bound, layers),
                    "_owner": Owner(),
                    "_cursor": self._cursor.copy(),
                },
            )
        )
        twin = type(self).__new__(type(self))
        twin.__setstate__(state)
        return twin

    # ----------------------------------------------------------------------------------------------------------- inside

    def stop(self) -> None:
        """End a `fit` that is under way at a whole batch, as if that had been its last; from any thread, or a callback.

        It returns its `History`, whose last epoch is the last whole one. Without one under way nothing happens.
        """
        self._holder.stop()

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

    def _read(self, take: Callable[[Bound | None], _T]) -> _T:
        """Return what `take` reads of the model while nobody changes its numbers; BusyError if somebody does."""
        bound = self._holder.bound
        return take(None) if bound is None else bound.net.read(lambda: take(bound))

    def _bound_for(self, columns: int) -> Bound:
        """Return the network, or, before the first data, one with first weights for rows of so many columns."""
        if self._holder.bound is not None:
            return self._holder.bound
        bound = network.make(self._layers, columns, self._dtype)
        network.initialize(bound, self._seed)
        return bound

    def _built(self) -> Net:
        if self._holder.bound is None:
            raise RuntimeError("the model has no weights yet: give input_size=, or let it see data first")
        return self._holder.bound.net

    @property
    def _is_at_whole_epoch(self) -> bool:
        return int(self._cursor[1]) == 0

    def _check_input(self, name: str, x: NDArray[Any]) -> None:
        """Raise ValueError, which calls it `name`, if the first layer cannot read x."""
        self._layers[0]._check_input(name, x)

    def _check_columns(self, name: str, given: object) -> None:
        """Raise ValueError, which calls it `name`, if a frame has other columns than the model was trained on."""
        if self._feature_names is not None and type(given) is not np.ndarray:
            columns.check_feature_names(name, given, self._feature_names)

    def _output_size(self, input_size: int) -> int:
        """Return how many outputs the model has for so many inputs."""
        return network.output_size(self._layers, input_size)
