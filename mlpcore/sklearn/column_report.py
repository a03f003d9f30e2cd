"""What was done with each column of a table, to read."""

from mlpcore import html
from mlpcore.sklearn.preprocessing import Columns

_HEAD = ("column", "kind", "inputs", "what is done with it")
_NUMBERS = (2,)


class ColumnReport:
    """The columns of a table, their kinds, and how many inputs of the networks each becomes.

    Attributes
    ----------
    rows : list of tuple
        Name, kind, number of inputs, and what is done with it.
    """

    def __init__(self, columns: Columns) -> None:
        self.rows = [(each.name, each.kind, each.width, each.done) for each in columns.columns]
        self._total = columns.width

    def __repr__(self) -> str:
        rows = [tuple(map(str, row)) for row in (_HEAD, *self.rows, ("in all", "", self._total, ""))]
        a, b, c = (max(len(row[k]) for row in rows) for k in range(3))
        lines = [f"{row[0]:<{a}}  {row[1]:<{b}}  {row[2]:>{c}}  {row[3]}".rstrip() for row in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html.block(html.table(_HEAD, self.rows, foot=("in all", "", self._total, ""), numbers=_NUMBERS))
