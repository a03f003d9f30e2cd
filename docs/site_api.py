"""Writes the pages of the API reference from the package: docs/api/, made anew with each build of the site.

Nothing is listed here but the order: a public name stands on the page of its kind, a public module on one of its own.
"""

import importlib
import inspect
from collections.abc import Iterator, Sized
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from site_docstrings import text_below, text_of_module

import mlpcore

# The pages in their order, with the public classes whose subclasses, and the modules whose names, stand on them.
PAGES: dict[str, tuple[str, str, tuple[type, ...], tuple[str, ...]]] = {
    "models": ("Models and training", "A model, what its training tells, and what it warns of.", (),
               ("model", "stack", "history", "training")),
    "layers": ("Layers", "What a model is made of. What all layers have stands under `Layer`.", (mlpcore.Layer,), ()),
    "constants": (
        "Activations, losses, initializers, metrics",
        "Where the name of one can stand, these can, which have constants.",
        (), ("activations", "losses", "initializers", "metrics")),
    "optimizers": ("Optimizers", "What all optimizers have stands under `Optimizer`.", (mlpcore.Optimizer,), ()),
    "schedules": ("Schedules", "Where a learning rate can stand, these can.", (mlpcore.Schedule,), ()),
    "custom": ("Parts of your own", "Subclasses of these are written in NumPy and stand beside the engine's own parts.",
               (), ("custom_activation", "custom_loss", "custom_optimizer", "layers.custom")),
    "threads": ("Threads", "How many threads large computations are divided among.", (), ("threads", "_core")),
}  # fmt: skip

FOR_FILES = "kind, required_settings, optional_settings"  # what saving reads of a layer


class Public(NamedTuple):
    """A public name: where it is found, and what it is."""

    path: str
    value: object


class Page(NamedTuple):
    """A page: its title, its first sentence, and the names that stand on it."""

    title: str
    text: str
    names: list[Public]


def public() -> dict[str, object]:
    """Return what mlpcore shows, by name, without what belongs to Python."""
    return {name: getattr(mlpcore, name) for name in mlpcore.__all__ if not name.startswith("__")}


def module_of(value: object) -> str:
    """Return the module that something stands in, from mlpcore on: "layers.dense"."""
    return str(getattr(value, "__module__", "")).removeprefix("mlpcore").lstrip(".")


def page_of(value: object) -> str:
    """Return the page of a class or function: that of its module, else of its base, else one named by its package."""
    module = module_of(value)
    for page, (_, _, _, modules) in PAGES.items():
        if module in modules:
            return page
    for page, (_, _, bases, _) in PAGES.items():
        if bases and isinstance(value, type) and issubclass(value, bases):
            return page
    return module.partition(".")[0]


def pages() -> dict[str, Page]:
    """Return all pages by their names: those of `PAGES`, those of other packages, those of public modules."""
    found = {name: Page(title, text, []) for name, (title, text, _, _) in PAGES.items()}
    for name, value in public().items():
        if isinstance(value, ModuleType):
            path = value.__name__
            names = [Public(f"{path}.{each}", getattr(value, each)) for each in value.__all__]
            page = Page(path, "\n".join(text_of_module(value)), names)
            earlier = found.get(name)
            found[name] = page if earlier is None else page._replace(names=earlier.names + page.names)
        else:
            key = page_of(value)
            found.setdefault(key, Page(key.capitalize(), "", [])).names.append(Public(f"mlpcore.{name}", value))
    return {key: page._replace(names=sorted(page.names, key=rank)) for key, page in found.items() if page.names}


def rank(name: Public) -> tuple[int, int]:
    """Return what puts the base of a page first, then its classes by module, then the rest; the sort is stable."""
    first = [mlpcore.Sequential, *(base for _, _, bases, _ in PAGES.values() for base in bases)]
    modules = [module for _, _, _, modules in PAGES.values() for module in modules]
    module = module_of(name.value)
    return (0 if name.value in first else 1, modules.index(module) if module in modules else len(modules))


def sentence(text: str) -> str:
    """Return the first paragraph of a docstring."""
    return " ".join(text.partition("\n\n")[0].split())


def stops(value: type) -> str:
    """Return the bases whose members are not shown again: public ones, and those that are not ours."""
    shown = public().values()
    ours = [base for base in value.__mro__[1:] if base.__module__.startswith("mlpcore")]
    return ", ".join(base.__name__ for base in value.__mro__[1:] if base in shown or base not in ours)


def entry(name: Public) -> Iterator[str]:
    """Yield the lines that document a name."""
    if isinstance(name.value, type):
        yield from (f".. autoclass:: {name.path}", "   :members:", f"   :inherited-members: {stops(name.value)}")
        yield f"   :exclude-members: {FOR_FILES}"
        if issubclass(name.value, tuple) and not hasattr(name.value, "_fields"):
            yield "   :no-members:"
    elif callable(name.value):
        yield f".. autofunction:: {name.path}"
    else:
        yield from (f".. py:data:: {name.path}", "", *(f"   {line}" for line in text_about(name).split("\n")))


def text_about(name: Public) -> str:
    """Return what is said of a name: its docstring, or the text below a constant."""
    if callable(name.value):
        return inspect.getdoc(name.value) or ""
    module, _, last = name.path.rpartition(".")
    kind = (
        f"{type(name.value).__name__} with {len(name.value)} entries" if isinstance(name.value, Sized) else "constant"
    )
    return text_below(importlib.import_module(module), last) or f"A {kind}."


def text_of(page: Page) -> str:
    """Return a page as Markdown: the list of its names, then what the docstring of each says."""
    listed = [
        f"| {{py:obj}}`{each.path.rpartition('.')[2]} <{each.path}>` | {cell(text_about(each))} |"
        for each in page.names
    ]
    shown = [line for each in page.names for line in ("```{eval-rst}", *entry(each), "```", "")]
    return "\n".join(
        [f"# {page.title}", "", page.text, "", "| name | in one sentence |", "|---|---|", *listed, "", *shown]
    )


def cell(text: str) -> str:
    """Return the first paragraph for a cell of a table."""
    return sentence(text).replace("``", "`").replace("|", "\\|")


def write(folder: Path) -> None:
    """Write all pages, and remove those of names that are gone."""
    folder.mkdir(exist_ok=True)
    made = {folder / f"{name}.md": text_of(page) for name, page in pages().items()}
    for old in set(folder.glob("*.md")) - made.keys():
        old.unlink()
    for path, text in made.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
