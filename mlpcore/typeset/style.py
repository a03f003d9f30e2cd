"""How equations are to be written: whose symbols, samples as columns or rows, how many digits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlpcore import checks
from mlpcore.typeset.notation import NOTATIONS, Notation
from mlpcore.typeset.numbers import DIGITS, checked_digits

ORIENTATIONS = ("columns", "rows")
_FEWEST = 4  # rows or columns: one, dots, and two at the end


@dataclass(frozen=True)
class Style:
    """How equations are written.

    Parameters
    ----------
    notation : {"paper", "delta", "dz"}, default "paper"
        Whose symbols: phi and nabla L as in the paper; delta and partial derivatives as in Nielsen's book; dZ and dW as
        in Ng's courses.
    orientation : {"columns", "rows"}, default "columns"
        Whether a sample is a column, z = w a + b, as in the paper, or a row, Z = X W^T + b, as in the code.
    digits : int or None, default 4
        Significant digits of each number, from 1 to 17; None shows as many as give the same number again when they are
        read. See `number`.
    most : int, default 7
        Of how many rows and columns all are shown, >= 4. Of more, the first ones and the last two are.
    batch : bool, default False
        Whether there is more than one sample, for which the notation "dz" has capital letters.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these.
    """

    notation: str = "paper"
    orientation: str = "columns"
    digits: int | None = DIGITS
    most: int = 7
    batch: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (
            ("notation", self.notation, tuple(NOTATIONS)),
            ("orientation", self.orientation, ORIENTATIONS),
        ):
            if value not in known:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")
        checked_digits(self.digits)
        checks.whole_number("most", self.most, at_least=_FEWEST)

    @property
    def symbols(self) -> Notation:
        """The table of symbols."""
        return NOTATIONS[self.notation]

    @property
    def capitals(self) -> bool:
        """Whether what has a row or column for each sample is written with a capital letter."""
        return self.batch if self.symbols.capitals_for_batches else self.orientation == "rows"

    @property
    def rows(self) -> bool:
        """Whether a sample is a row."""
        return self.orientation == "rows"

    def with_(self, **changes: object) -> Style:
        """Return a style with some of these changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # checked in __post_init__
