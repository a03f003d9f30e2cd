"""An estimator whose fit was refused is as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_before(estimator: object) -> Iterator[None]:
    """Give an estimator the attributes back that it had, if what is done inside raises an error."""
    before = dict(vars(estimator))
    try:
        yield
    except Exception:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
