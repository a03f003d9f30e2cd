"""What a gradient check returns."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Component:
    """One component of a gradient, seen both ways, and the relative error between them (see `check_function`)."""

    name: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float

    def __str__(self) -> str:
        return (
            f"{_label(self.name, self.index)}: analytic {self.analytic:.16g}, numeric {self.numeric:.16g}, "
            f"relative error {self.error:.1e}"
        )


@dataclass(frozen=True)
class Kink:
    """A component at which the function has a corner; the analytic value is ``left``, ``right`` or between them."""

    name: str
    index: tuple[int, ...]
    analytic: float
    left: float
    right: float

    def __str__(self) -> str:
        return (
            f"{_label(self.name, self.index)}: slope {self.left:.9g} on the left, {self.right:.9g} on the right, "
            f"analytic {self.analytic:.9g}"
        )


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    subject : str
        What was checked.
    count : int
        Number of components compared, those at a kink included.
    failed : int
        How many of them are off by more than ``tolerance``.
    worst : Component or None
        The component with the largest relative error; None if every component is a kink or there is none.
    kinks : tuple of Kink
        Components at a corner of the function whose analytic value is a slope there.
    tolerance : float
        Largest relative error that passes.
    note : str
        What a reader of the numbers should know besides.
    total : int
        Number of components there are; more than ``count`` if only a sample was compared.
    """

    subject: str
    count: int
    failed: int
    worst: Component | None
    kinks: tuple[Kink, ...]
    tolerance: float
    note: str = ""
    total: int = field(kw_only=True)

    @property
    def ok(self) -> bool:
        """Whether every component compared agrees."""
        return self.failed == 0

    def __str__(self) -> str:
        verdict = f"{self.count} components agree" if self.ok else f"{self.failed} of {self.count} components DISAGREE"
        lines = [f"gradient check of {self.subject}: {verdict} (tolerance {self.tolerance:.0e})"]
        if self.count < self.total:
            lines.append(f"  sample {self.count} of {self.total} components were checked")
        if self.note:
            lines.append(f"  note   {self.note}")
        if self.worst is not None:
            lines.append(f"  worst  {self.worst}")
        lines += [f"  kink   {kink}" for kink in self.kinks[:5]]
        if len(self.kinks) > 5:
            lines.append(f"  ...    and {len(self.kinks) - 5} more kinks")
        return "\n".join(lines)

    __repr__ = __str__


def _label(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name
