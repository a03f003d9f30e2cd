"""Tables in files, CSV and Parquet: read with pandas, checked, and predictions written."""

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpcore import extras
from mlpcore.cli.refusals import PROGRAM, CommandError, one_line

if TYPE_CHECKING:
    import pandas

__all__ = ["features_of", "listed", "read", "require_format", "target_of", "warn", "write"]

EXTRA = "cli"
SHOWN = 5
"""How many names a message lists."""

_CSV, _PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")
_SEPARATORS = ",", ";", "\t", ","
"""The first that gives more than one column; of a single column the last."""

_PACKED = ".gz", ".bz2", ".xz", ".zip"
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?")


def require_format(path: Path) -> bool:
    """Make sure that a file's name says how it is written.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
        Whether it is Parquet.

    Raises
    ------
    CommandError
        If it says neither CSV nor Parquet.
    """
    endings = path.suffixes[-2:] if path.suffix.lower() in _PACKED else path.suffixes[-1:]
    ending = endings[0].lower() if endings else ""
    if ending in _PARQUET:
        return True
    if ending not in _CSV:
        raise CommandError(f"{path} ends with {path.suffix or 'nothing'!r}, expected {', '.join(_CSV + _PARQUET)}")
    return False


def read(path: Path) -> "pandas.DataFrame":
    """Read a table.

    Columns are separated by commas; by semicolons or tabs, if the first line has these and no comma. Texts that all are
    dates like 2024-05-31, with a time of day or without, become dates.

    Parameters
    ----------
    path : Path

    Returns
    -------
    DataFrame
        With at least one row, and no name of a column twice.

    Raises
    ------
    CommandError
        If there is no such file, or it holds no table.
    ImportError
        If pandas is missing, or pyarrow for Parquet.
    """
    is_parquet = require_format(path)
    pandas = extras.require("pandas", EXTRA)
    if path.is_dir():
        raise CommandError(f"{path} is a folder, expected a file")
    if not path.exists():
        raise CommandError(f"there is no file {path}")
    if is_parquet:
        extras.require("pyarrow", EXTRA)
    try:
        frame = pandas.read_parquet(path) if is_parquet else _read_csv(pandas, path)
    except pandas.errors.EmptyDataError:
        raise CommandError(f"{path} is empty, expected a line with the names of the columns, and rows") from None
    except (ValueError, OSError, EOFError, Warning) as error:  # of pandas, of pyarrow, of what unpacks
        raise CommandError(f"cannot read {path}: {one_line(error)}") from None
    if not len(frame):
        raise CommandError(f"{path} has no rows")
    frame.columns = [str(name) for name in frame.columns]
    return frame


def _read_csv(pandas: Any, path: Path) -> "pandas.DataFrame":  # noqa: ANN401
    plain = {"skipinitialspace": True}
    for separator in _SEPARATORS:
        first = pandas.read_csv(path, sep=separator, header=None, nrows=1, dtype=str, keep_default_na=False, **plain)
        names = first.iloc[0].tolist()
        if len(names) > 1:
            break
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise ValueError(f"the columns {listed(twice)} come more than once, expected each name once")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)  # of rows that are longer than the first line
        frame = pandas.read_csv(path, sep=separator, index_col=False, low_memory=False, **plain)
    if not names[0] and len(frame) and frame.iloc[:, 0].tolist() == list(range(len(frame))):
        warn(f"{path}: the first column, which has no name, numbers the rows and is left out")
        frame = frame.iloc[:, 1:]
    for name in frame.columns:
        there = frame[name].dropna()
        if len(there) and all(isinstance(value, str) and _DATE.fullmatch(value) for value in there):
            frame[name] = pandas.to_datetime(frame[name], format="ISO8601")
    return frame


def write(frame: "pandas.DataFrame", path: Path) -> None:
    """Write a table, in the format that the name of its file says.

    Parameters
    ----------
    frame : DataFrame
    path : Path

    Raises
    ------
    CommandError
        If the name says no format.
    ImportError
        If pyarrow is missing for Parquet.
    OSError
        If the file cannot be written.
    """
    if require_format(path):
        extras.require("pyarrow", EXTRA)
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, sep="\t" if ".tsv" in path.suffixes else ",", index=False)


def target_of(frame: "pandas.DataFrame", target: str, path: Path) -> "tuple[pandas.DataFrame, pandas.Series[Any]]":
    """Return a table without the column that is to be predicted, and that column.

    Parameters
    ----------
    frame : DataFrame
    target : str
        The name of the column.
    path : Path
        Where the table comes from, for messages.

    Returns
    -------
    DataFrame
    Series

    Raises
    ------
    CommandError
        If there is no such column, or it has rows without a value.
    """
    if target not in frame.columns:
        raise CommandError(f"{path} has no column {target!r}{_similar(target, frame.columns)}")
    y = frame[target]
    missing = y.isna().to_numpy()
    if missing.any():
        raise CommandError(
            f"the column {target!r} of {path} has no value in {missing.sum()} of {len(y)} rows, the first in row "
            f"{int(missing.argmax()) + 1}: leave these rows out"
        )
    return frame.drop(columns=target), y


def features_of(frame: "pandas.DataFrame", names: Sequence[str], path: Path) -> "pandas.DataFrame":
    """Return the columns that a model was trained on, in its order.

    Parameters
    ----------
    frame : DataFrame
    names : sequence of str
        Of the model's columns.
    path : Path
        Where the table comes from, for messages.

    Returns
    -------
    DataFrame

    Raises
    ------
    CommandError
        If some are missing; the message says which other columns may be meant.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        others = [name for name in frame.columns if name not in names]
        which = (
            f"column {missing[0]!r}{_similar(missing[0], others)}" if len(missing) == 1 else _several(missing, others)
        )
        raise CommandError(f"{path} has no {which}, on which the model was trained")
    return frame[list(names)]


def _several(missing: Sequence[str], others: Iterable[str]) -> str:
    return f"columns {listed(missing)} (those that the model does not know: {listed(list(others)) or 'none'})"


def _similar(name: str, names: Iterable[str]) -> str:
    names = list(names)
    folded = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), folded, n=1)
    return f" (is it {folded[close[0]]!r}?)" if close else f" (there are: {listed(names)})" if names else ""


def listed(names: Sequence[object]) -> str:
    """Return names as a message lists them.

    Parameters
    ----------
    names : sequence

    Returns
    -------
    str
        The first ones, and how many more there are.
    """
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def warn(message: str) -> None:
    """Print a line on standard error, beside what the command is asked for.

    Parameters
    ----------
    message : str
    """
    print(f"{PROGRAM}: warning: {message}", file=sys.stderr)
