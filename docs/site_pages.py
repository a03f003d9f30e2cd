"""Which pages the docs site has, and in which section of its index each of them stands."""

import re
from pathlib import Path

PATTERNS = [
    "docs/*.md",
    "docs/*/*.md",
    "notebooks/*.md",
    "benchmarks/results/*/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
INDEX = Path("docs") / "index.md"
REST = "% whatever no other section names"
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r"^(?:[^:\n].*<(\S+)>|([^:%\s]\S*))$", re.MULTILINE)


def pages(root: Path) -> list[Path]:
    """Return all pages, as paths from the repository's root."""
    return sorted({path.relative_to(root) for pattern in PATTERNS for path in root.glob(pattern)})


def named(root: Path) -> list[Path]:
    """Return the pages that stand in a toctree, each as often as it does; those of a pattern by name."""
    found: list[Path] = []
    for page in pages(root):
        for tree in TOCTREE.findall((root / page).read_text(encoding="utf-8")):
            for entry in (first or second for first, second in ENTRY.findall(tree)):
                folder = (root / page).parent
                while entry.startswith("../"):
                    folder, entry = folder.parent, entry[3:]
                found += sorted(path.relative_to(root) for path in folder.glob(f"{entry}.md"))
    return found


def with_rest(root: Path, text: str) -> str:
    """Return the text of the index with the pages that no toctree names in the place of the line `REST`."""
    missing = [page for page in pages(root) if page != INDEX and page not in named(root)]
    return text.replace(REST, "\n".join(f"/{page.with_suffix('').as_posix()}" for page in missing))
