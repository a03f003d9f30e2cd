"""Files of Parquet, whose row groups are read one after the other: `pip install 'mlpcore[arrow]'`."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore import _core, checks, extras, targets
from mlpcore.columns import check_names
from mlpcore.data import Array, finite_array
from mlpcore.engine import Choice
from mlpcore.storage import StrPath, quoted_name
from mlpcore.streams.source import Part, Source

if TYPE_CHECKING:
    from mlpcore.stack import Stack

_ORDER_OF_GROUPS = 2**32 - 1


class Parquet:
    """A table in a file of Parquet, which may be larger than memory, as X and y of `fit` and `evaluate`.

    A row group at a time is in memory. Its columns must be numbers without gaps. With ``shuffle=True`` an epoch takes
    the row groups in a new order, and the rows of each in a new order.

    Parameters
    ----------
    path : str or path-like
    target : str, or sequence of str, optional
        The column that is y, or several for as many outputs. `predict` needs none.
    features : sequence of str, optional
        The columns of X. Without it those that the model was trained on, or else all others, in the order of the file.
    sample_weight : str, optional
        The column that says how much each row counts.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If it is no file of Parquet, or has no such column.

    Examples
    --------
    >>> import mlpcore, pathlib, pyarrow, pyarrow.parquet, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "houses.parquet"
    >>> table = pyarrow.table({"rooms": [2.0, 3.0, 4.0], "age": [10, 4, 1], "price": [1.0, 2.0, 3.0]})
    >>> pyarrow.parquet.write_table(table, path, row_group_size=2)
    >>> model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
    >>> history = model.fit(mlpcore.Parquet(path, target="price"), loss="mse", epochs=2, progress=False)
    >>> model.feature_names_in_
    ['rooms', 'age']
    >>> model.predict(mlpcore.Parquet(path)).shape
    (3, 1)
    """

    def __init__(
        self,
        path: StrPath,
        target: str | Sequence[str] | None = None,
        *,
        features: Sequence[str] | None = None,
        sample_weight: str | None = None,
    ) -> None:
        arrow = extras.require("pyarrow.parquet", "arrow")
        self.path, self.target, self.features, self.sample_weight = path, target, features, sample_weight
        try:
            self._file = arrow.ParquetFile(path)
        except OSError:
            raise
        except ValueError as error:  # pyarrow's own errors of what a file holds
            raise ValueError(f"{quoted_name(path)} is no file of Parquet: {error}") from None
        known = self._file.schema_arrow.names
        given = [*self.targets, *(features or ()), *([] if sample_weight is None else [sample_weight])]
        for name in given:
            if name not in known:
                raise ValueError(f"{quoted_name(path)} has no column {name!r}, expected one of {', '.join(known)}")

    def __repr__(self) -> str:
        return f"Parquet({str(self.path)!r}, target={self.target!r})"

    @property
    def targets(self) -> list[str]:
        """The columns of y."""
        return [self.target] if isinstance(self.target, str) else list(self.target or ())

    def features_for(self, name: str, trained_on: Sequence[str] | None) -> list[str]:
        """Return the columns of X for a model; ValueError, which calls them `name`, if it was trained on others."""
        known = self._file.schema_arrow.names
        if self.features is not None:
            found = list(self.features)
        elif trained_on is not None and set(trained_on) <= set(known):
            found = list(trained_on)
        else:
            found = [each for each in known if each not in {*self.targets, self.sample_weight}]
        check_names(name, found, trained_on)
        return found

    def groups(self) -> Iterator[int]:
        """Yield the numbers of the row groups that have rows."""
        counts = (self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups))
        return (i for i, rows in enumerate(counts) if rows > 0)

    def read(self, name: str, group: int, columns: Sequence[str], dtype: str | None) -> list[Array]:
        """Return columns of a row group, in a type or as they are; `name` is what an error calls them."""
        table = self._file.read_row_group(group, columns=list(columns))
        return [_numbers(f"{name} of row group {group}", each, table.column(each), dtype) for each in columns]

    def rows(self, name: str, group: int, columns: Sequence[str], dtype: str) -> Array:
        """Return X of a row group."""
        return np.stack(self.read(name, group, columns, dtype), axis=1)


def _numbers(name: str, label: str, column: Any, dtype: str | None) -> Array:  # noqa: ANN401  # of pyarrow
    where = f"{name}, column {label!r},"
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise ValueError(f"{where} has no value in row {row}, expected one in every place: fill the gaps")
    array = column.to_numpy()
    return finite_array(where, array, array.dtype if dtype is None and array.dtype.kind == "f" else dtype or np.float64)


class ParquetSource(Source):
    """A file of Parquet, of which each row group has been looked at.

    Parameters
    ----------
    file : Parquet
    model : Stack
    loss : str, tuple or object
    of : str
        Whose rows they are.
    names : sequence of str, or None
        The columns that X must have, if they are known.
    relative : bool
        Whether weights are relative to their mean.
    batch_size : int
    """

    def __init__(
        self,
        file: Parquet,
        model: "Stack",
        loss: Choice,
        of: str,
        *,
        names: Sequence[str] | None,
        columns: int | None,
        relative: bool,
        batch_size: int,
    ) -> None:
        if not file.targets:
            raise ValueError(f"X{of} is {file!r}, expected a target: Parquet(path, target='name of a column')")
        self._file, self._of, self._dtype, self._batch_size = file, of, model.dtype, batch_size
        features = file.features_for(f"X{of}", names)
        self.feature_names: tuple[str, ...] | None = tuple(features)
        self.columns = len(features)
        checks.check_rows(f"X{of}", np.broadcast_to(np.float32(0), (1, self.columns)), columns)
        self._target: Callable[[str, Array], Array] = lambda name, y: checks.targets_of(
            name, y, loss, len(y), model._output_size(self.columns), model.dtype
        )
        self._groups, answers, total = [], [], 0.0
        self.rows = 0
        for group in file.groups():
            samples = self._read(group)
            model._check_input(f"X{of} of row group {group}", samples.x)
            answers.append(targets.answers_of(loss, samples.y))
            self.shape_of_y = samples.y.shape[1:]
            samples = samples.without_zero_weights()
            if len(samples.x):
                self._groups.append(group)
                self.rows += len(samples.x)
                total += 0.0 if samples.weight is None else float(samples.weight.sum(dtype=np.float64))
        if not self._groups:
            raise ValueError(f"X{of} is {file!r}, which has no row of a weight > 0, expected at least one")
        self.answers = targets.common_answers(answers)
        self.mean_weight = total / self.rows if relative and file.sample_weight is not None else 1.0
        self.batches = -(-self.rows // batch_size)

    def _read(self, group: int) -> checks.Samples:
        file, of, dtype = self._file, self._of, self._dtype
        assert self.feature_names is not None
        x = file.rows(f"X{of}", group, self.feature_names, dtype)
        ys = file.read(f"y{of}", group, file.targets, None)
        y = self._target(f"y{of} of row group {group}", ys[0] if len(ys) == 1 else np.stack(ys, axis=1))
        if file.sample_weight is None:
            return checks.Samples(x, y, None)
        name = f"sample_weight{of}"
        (weight,) = file.read(name, group, [file.sample_weight], None)
        return checks.Samples(
            x, y, checks.weights_of(f"{name} of row group {group}", weight, len(x), dtype, relative=False)
        )

    def parts(self, seed: int | None = None, epoch: int = 0) -> Iterator[Part]:
        """Yield the parts of an epoch: about a row group each, cut so that batches go on from one to the next."""
        order = self._groups
        if seed is not None:
            order = [order[i] for i in _core.shuffled(seed, epoch, len(order), _ORDER_OF_GROUPS)]
        rest: checks.Samples | None = None
        for group in order:
            samples = self._read(group).without_zero_weights()
            if seed is not None:
                samples = samples.rows(_core.shuffled(seed, epoch, len(samples.x), group))
            if rest is not None and len(rest.x):
                samples = _joined(rest, samples)
            is_last = group == order[-1]
            whole = len(samples.x) if is_last else len(samples.x) // self._batch_size * self._batch_size
            rest = samples.rows(slice(whole, None))
            if whole:
                yield Part(samples.rows(slice(0, whole)), is_last, 0, False, self._batch_size)


def _joined(one: checks.Samples, other: checks.Samples) -> checks.Samples:
    weight = None if one.weight is None or other.weight is None else np.concatenate([one.weight, other.weight])
    return checks.Samples(np.concatenate([one.x, other.x]), np.concatenate([one.y, other.y]), weight)
