"""The names of a frame's columns: what a model was trained on, and whether what it is given later has the same.

The names count where all of them are texts, as in scikit-learn: numbers of columns say nothing that places do not.
"""

from collections import Counter
from collections.abc import Sequence

from mlpcore.data import column_names

_SHOWN = 5


def feature_names(value: object) -> tuple[str, ...] | None:
    """Return the names of a frame's columns, in their order; None for what is no frame, or has other names than texts.

    TypeError where some are texts and some are not.
    """
    names = column_names(value)
    if not names:
        return None
    texts = [isinstance(name, str) for name in names]
    if all(texts):
        return tuple(map(str, names))
    if any(texts):
        other = names[texts.index(False)]
        raise TypeError(
            f"the columns of a frame are named by texts, such as {names[texts.index(True)]!r}, and by others, such as "
            f"{other!r}, expected one or the other: frame.columns = frame.columns.astype(str) in pandas makes texts"
        )
    return None


def check_feature_names(name: str, value: object, expected: Sequence[str] | None) -> None:
    """Raise ValueError if a frame has other columns than those expected, or the same in another order.

    `name` is what the error calls the frame. An array has no names, and nothing is expected of it.
    """
    if expected is not None:
        check_names(name, feature_names(value), expected)


def check_names(name: str, found: Sequence[str] | None, expected: Sequence[str] | None) -> None:
    """Do the same for names of columns."""
    if expected is None or found is None or list(found) == list(expected):
        return
    missing = list((Counter(expected) - Counter(found)).elements())
    additional = list((Counter(found) - Counter(expected)).elements())
    if not missing and not additional:
        place = next(i for i, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other)
        what = (
            f"the columns in another order than the model was trained on: column {place} is {found[place]!r}, "
            f"expected {expected[place]!r}"
        )
    else:
        parts = [f"lacks {_listed(missing)}"] if missing else []
        parts += [f"has {_listed(additional)} in addition"] if additional else []
        what = f"other columns than the model was trained on: it {' and '.join(parts)}"
    cure = "" if missing else f": give {name.split()[0]}[model.feature_names_in_]"
    raise ValueError(f"{name} has {what}{cure}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
