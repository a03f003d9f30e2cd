"""Writes the table of mistakes in docs/diagnose.md, from the catalogue of mistakes: `make docs-tables`."""

from pathlib import Path

from mlpcore.diagnosis import EQUATIONS, MISTAKES
from mlpcore.diagnosis.others import OTHERS

PAGE = Path(__file__).with_name("diagnose.md")
BEGIN, END = "<!-- The table is made by `make docs-tables`. -->\n\n", "\n<!-- The end of the table. -->\n"


def cell(text: str) -> str:
    """Return a text as a cell of a table."""
    return text.replace("|", "\\|")


def table() -> str:
    """Return the rows of all mistakes that have a formula, and of what is seen without one."""
    lines = ["| name | what is wrong | where, and what stands there |", "|---|---|---|"]
    equations = EQUATIONS | OTHERS
    for row in MISTAKES.values():
        forms = "; ".join(
            f"{equations[name].quantity} ({equations[name].number}): `{'`, `'.join(form.symbols for form in wrong)}`"
            for name, wrong in row.wrong.items()
        )
        lines.append(f"| `{row.name}` | {cell(row.what)} | {cell(forms) or 'any answer'} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with its table as it is to be."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
