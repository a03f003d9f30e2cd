"""Columns that tell a category, replaced by numbers that are learned."""

from __future__ import annotations  # so that signatures show names

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mlpcore._core import Net
from mlpcore.checks import choice, whole_number
from mlpcore.engine import Choice, Step
from mlpcore.layers.layer import Place
from mlpcore.layers.trained import TrainedLayer

_MOST = 2**53 - 1
"""Up to which float64 holds every whole number; the engine sees to it in float32."""


class Embedding(TrainedLayer):
    """Replaces columns that tell a category by numbers that it learns: a row of a table for each category.

    ``Embedding({3: (12, 4)})`` takes column 3 of the input for one of 12 categories, 0 ... 11, and puts the 4 numbers
    of that row of its table in the column's place. All other columns are handed on, in their order: of 5 columns become
    8, where column 3 was are columns 3 ... 6, and what was column 4 is column 7. Backward, each row's gradient is the
    sum over the samples of its category::

        y = x, with tables[c][x_c] in place of x_c        grad_tables[c][k] = sum over samples with x_c = k of grad_y

    It is the first layer of a model; the columns without a table hold numbers of any kind. The optimizer
    takes its step with all rows, also with those that are in no sample of a batch: Adam goes on moving them for a
    while, as it does in Keras and, without ``sparse=True``, in PyTorch.

    Parameters
    ----------
    columns : dict of int to (int, int)
        For each column, counted from 0, how many categories it has and how many numbers stand for one: both >= 1.
    initializer : str or object, default "uniform"
        What the tables are drawn from; "uniform" are numbers from -0.05 to 0.05, as in Keras. A name of
        ``mlpcore.catalogue.names("initializers")``, or an object with constants such as ``Normal(stddev=1)``, which is
        PyTorch's.
    trainable : bool, default True
        Whether training changes the tables.
    learning_rate_factor : float, default 1.0
        What the optimizer's learning rate is multiplied by for this layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range. In a model: if it is not the first layer, if the input has
        no such column, or if float32, which counts to 2^24, is too small for so many categories. In `fit`, `predict`
        and all other calls with data: if a column holds what is none of its categories, before anything changes.

    Examples
    --------
    >>> import mlpcore
    >>> layer = mlpcore.Embedding({1: (3, 2)})
    >>> model = mlpcore.Sequential([layer], input_size=3)
    >>> layer.tables[1][...] = [[0.5, -0.5], [1, 2], [3, 4]]
    >>> model.predict([[7, 0, 9], [7, 2, 9]])
    array([[ 7. ,  0.5, -0.5,  9. ],
           [ 7. ,  3. ,  4. ,  9. ]], dtype=float32)
    """

    kind: ClassVar[str] = "embedding"
    required_settings: ClassVar[tuple[str, ...]] = ("columns",)
    optional_settings: ClassVar[tuple[str, ...]] = ("initializer", "trainable", "learning_rate_factor")
    _reads_input: ClassVar[bool] = True

    def __init__(
        self,
        columns: Mapping[int, tuple[int, int]],
        *,
        initializer: Choice = "uniform",
        trainable: bool = True,
        learning_rate_factor: float = 1.0,
    ) -> None:
        super().__init__(trainable, learning_rate_factor)
        self._columns = _checked(columns)
        self._initializer = choice("initializers", "initializer", initializer)

    @property
    def columns(self) -> dict[int, tuple[int, int]]:
        """How many categories each column has, and how many numbers stand for one; in ascending order."""
        return dict(self._columns)

    @property
    def initializer(self) -> Choice:
        """The initializer of the tables: its name, or an object with its constants."""
        return self._initializer

    @property
    def tables(self) -> dict[int, NDArray[Any]]:
        """The table of each column, (categories, numbers): views, as `Dense.w` is."""
        net, place = self._engine()
        return dict(zip(self._columns, net.parameters(place.first), strict=True))

    @property
    def grad_tables(self) -> dict[int, NDArray[Any]]:
        """The gradients of the last backward's loss with respect to the tables: views."""
        net, place = self._engine()
        return dict(zip(self._columns, net.gradients(place.first), strict=True))

    def _expression(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self._options().items())
        return f"Embedding({self._columns}{options})"

    def _standard(self) -> dict[str, Any]:
        return {"initializer": "uniform", "trainable": True, "learning_rate_factor": 1.0}

    def _output_size(self, input_size: int) -> int:
        last = max(self._columns)
        if last >= input_size:
            raise ValueError(f"has a table for column {last}, expected columns from 0 to {input_size - 1}")
        return input_size + sum(numbers - 1 for _, numbers in self._columns.values())

    def _steps(self, layer: int, input_size: int) -> list[Step]:
        return [Step("embedding", layer, shapes=tuple(self._columns.values()), columns=tuple(self._columns))]

    def _tensor_shapes(self, input_size: int) -> dict[str, tuple[int, ...]]:
        return {f"tables.{column}": shape for column, shape in self._columns.items()}

    def _initialize(self, net: Net, place: Place, seed: int) -> None:
        for i in range(len(self._columns)):
            net.initialize(place.first, i, self._initializer, seed)

    def _set_segments(self, net: Net, place: Place) -> None:
        first = net.first_segment(place.first)
        for i in range(len(self._columns)):
            net.set_segment(first + i, self._trainable, self._learning_rate_factor, 0.0, 0.0, 0.0)

    def _check_input(self, name: str, x: NDArray[Any]) -> None:
        for column, (categories, _) in self._columns.items():
            given = x[:, column]
            good = (given >= 0) & (given < categories) & (given == np.floor(given))
            if not good.all():
                row = int(np.argmin(good))
                raise ValueError(
                    f"{name} has {given[row]}, row {row}, column {column}: expected a category, a whole number from 0 "
                    f"to {categories - 1}: number the categories with numpy.unique(column, return_inverse=True), and "
                    "keep a number for those that are unknown or missing"
                )

    def _config(self) -> dict[str, Any]:
        columns = [[column, *shape] for column, shape in self._columns.items()]
        return {"kind": self.kind, "columns": columns, **self._options()}

    @classmethod
    def _from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{name: value for name, value in config.items() if name != "kind"})


def _checked(columns: Mapping[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Return the shapes of the tables by column, in ascending order."""
    if not isinstance(columns, Mapping):
        raise TypeError(
            f"columns is {columns!r}, expected a dict of column to (categories, numbers), such as {{3: (12, 4)}}"
        )
    if not columns:
        raise ValueError("columns is empty, expected at least one column, such as {3: (12, 4)}")
    checked = {}
    for given, shape in columns.items():
        column = whole_number("columns: a column", given, at_least=0)
        if not isinstance(shape, tuple | list) or len(shape) != 2:
            raise TypeError(
                f"columns[{column}] is {shape!r}, expected (categories, numbers): how many categories the column has "
                "and how many numbers stand for one"
            )
        categories = whole_number(f"columns[{column}]: the number of categories", shape[0], at_least=1, at_most=_MOST)
        checked[column] = categories, whole_number(f"columns[{column}]: the numbers for each", shape[1], at_least=1)
    return dict(sorted(checked.items()))
